// Installs what the end-to-end tests and the benchmark use beside npm's packages: node tools/setup.ts [bench]
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { capture, fail, onPath, ROOT, run } from "./run.ts";

export const CACHE = join(ROOT, ".cache");
export const VENV = join(CACHE, "python");
export const PGJDBC = join(CACHE, "pgjdbc");
const PYTHON_PACKAGES = ["psycopg[binary]==3.3.9", "asyncpg==0.32.0"];
const PGJDBC_VERSION = "42.7.13";

type Need = {
  readonly what: string;
  readonly present: () => boolean;
  readonly packages: readonly string[];
  readonly bench?: boolean;
};

const NEEDS: readonly Need[] = [
  {
    what: "psql and pg_dump",
    present: () => onPath("psql") && onPath("pg_dump"),
    packages: ["postgresql-client"],
    bench: true,
  },
  {
    what: "PostgreSQL of the distribution, with pgbench",
    present: () => debianBin() !== undefined,
    packages: ["postgresql"],
    bench: true,
  },
  { what: "pgbouncer", present: () => onPath("pgbouncer"), packages: ["pgbouncer"], bench: true },
  {
    what: "Python 3",
    present: () => capture("python3", ["-c", "import venv, ensurepip"]).code === 0,
    packages: ["python3", "python3-venv"],
  },
  { what: "Go", present: () => onPath("go"), packages: ["golang-go"] },
  {
    what: "Java and Maven",
    present: () => onPath("java") && onPath("mvn"),
    packages: ["default-jdk-headless", "maven"],
  },
];

/** /usr/lib/postgresql/15/bin, or undefined: the newest of Debian's that is whole. */
export function debianBin(): string | undefined {
  const { output } = capture("sh", ["-c", "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V"]);
  return output
    .trim()
    .split("\n")
    .reverse()
    .find(
      (bin) =>
        bin !== "" && ["postgres", "initdb", "pgbench", "pg_dump"].every((program) => existsSync(join(bin, program))),
    );
}

/** Debian's packages; what cannot be installed is said with the command that does it. */
function installPrograms(missing: readonly Need[]): void {
  if (missing.length === 0) return;
  const packages = missing.flatMap((need) => need.packages);
  const names = missing.map((need) => need.what).join("; ");
  const command = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (!onPath("apt-get") || process.getuid?.() !== 0)
    fail(
      `Missing: ${names}.`,
      `On Debian or Ubuntu: sudo ${command} (elsewhere: your system's packages of these names)`,
    );
  console.log(`installing ${names}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // The distribution's own cluster is neither wanted nor started.
  mkdirSync("/etc/postgresql-common/createcluster.d", { recursive: true });
  capture("sh", ["-c", "echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/regate.conf"]);
  if (run("apt-get", ["update", "-q=2"], { env }) !== 0 || run("sh", ["-c", `${command} -q=2`], { env }) !== 0)
    fail(`${command} failed.`, "What apt-get said is above.");
}

function installDrivers(): void {
  if (
    !existsSync(join(VENV, "bin", "python")) ||
    capture(join(VENV, "bin", "python"), ["-c", "import psycopg, asyncpg"]).code !== 0
  ) {
    console.log(`fetching ${PYTHON_PACKAGES.join(" and ")} into ${VENV}`);
    if (
      run("python3", ["-m", "venv", VENV]) !== 0 ||
      run(join(VENV, "bin", "pip"), ["install", "-q", "--disable-pip-version-check", ...PYTHON_PACKAGES]) !== 0
    )
      fail("psycopg and asyncpg could not be installed.", "Is PyPI reachable?");
  }
  if (!existsSync(join(PGJDBC, "postgresql.jar"))) {
    console.log(`fetching pgjdbc ${PGJDBC_VERSION} into ${PGJDBC}`);
    mkdirSync(PGJDBC, { recursive: true });
    const artifact = `org.postgresql:postgresql:${PGJDBC_VERSION}`;
    const copy = [
      "-q",
      "-B",
      "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${PGJDBC}`,
      "-Dmdep.stripVersion=true",
    ];
    if (run("mvn", copy, { cwd: PGJDBC }) !== 0) fail("pgjdbc could not be fetched.", "Is Maven Central reachable?");
  }
  if (!existsSync(join(CACHE, "pgx-session"))) console.log("building the pgx session (Go)");
  // Always: Go itself knows whether something changed.
  const output = join(CACHE, "pgx-session");
  if (run("go", ["build", "-o", output, "."], { cwd: join(ROOT, "test", "e2e", "pgx") }) !== 0)
    fail("pgx could not be built.", "Is the Go module proxy reachable?");
}

export function setup(only?: "bench"): void {
  mkdirSync(CACHE, { recursive: true });
  installPrograms(NEEDS.filter((need) => (only === undefined || need.bench === true) && !need.present()));
  if (only === undefined) installDrivers();
}

if (process.argv[1] === import.meta.filename) {
  setup(process.argv[2] === "bench" ? "bench" : undefined);
  console.log("everything is there");
}
