// The bench: direct, raw relay, pgbouncer and the gate in one interleaved run. Usage: node bench/run.ts [--seconds 4] [--rounds 3] [--rows 1000000]
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { startEmbedded } from "../src/demo/embedded.ts";
import { countRows, cpuMicroseconds, median, residentMiB, table } from "./measure.ts";
import { stages } from "./stages.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    rows: { type: "string", default: "1000000" },
    durability: { type: "string", default: "fsync" },
  },
});
const seconds = Number(flags.seconds);
const rounds = Number(flags.rounds);
const rowCount = Number(flags.rows);
const root = dirname(import.meta.dirname);
const work = mkdtempSync(join(tmpdir(), "regate-bench-"));
chmodSync(work, 0o755);
const children: ChildProcess[] = [];
const say = (text: string): void => console.error(`bench: ${text}`);

type Target = {
  readonly name: string;
  readonly port: number;
  readonly pid: number | undefined;
  readonly password: string;
  readonly user: string;
  readonly database: string;
};
type Scenario = { readonly name: string; readonly args: readonly string[] };
/** Of a million rows. */
const bulk: readonly (readonly [name: string, sql: string])[] = [
  ["rows plain", "SELECT id, plain FROM wide"],
  ["rows masked", "SELECT id, secret FROM wide"],
  ["copy plain", "COPY wide (id, plain) TO STDOUT"],
  ["copy masked", "COPY wide (id, secret) TO STDOUT"],
];
const scenarios: readonly Scenario[] = [
  { name: "select simple c1", args: ["-S", "-M", "simple", "-c", "1"] },
  { name: "select simple c8", args: ["-S", "-M", "simple", "-c", "8"] },
  { name: "select prepared c1", args: ["-S", "-M", "prepared", "-c", "1"] },
  { name: "select prepared c8", args: ["-S", "-M", "prepared", "-c", "8"] },
  { name: "tpc-b prepared c8", args: ["-M", "prepared", "-c", "8"] },
  { name: "connect c1", args: ["-S", "-M", "simple", "-c", "1", "-C"] },
];

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts a program whose output goes to a file (a pipe would fill up while the bench waits for pgbench), and waits for a line of it. */
async function child(
  command: string,
  args: readonly string[],
  ready: string,
  options: { uid?: number; gid?: number } = {},
): Promise<ChildProcess> {
  const file = join(work, `output-${children.length}.log`);
  const output = openSync(file, "a", 0o644);
  const started = spawn(command, args, { stdio: ["ignore", output, output], cwd: root, ...options });
  closeSync(output);
  children.push(started);
  for (let waited = 0; waited < 300; waited++) {
    if (readFileSync(file, "utf8").includes(ready)) return started;
    if (started.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${command} did not become ready: ${readFileSync(file, "utf8")}`);
}

function pgbench(
  target: Target,
  args: readonly string[],
): { tps: number; latencyMs: number; transactions: number; cpu: number | undefined } {
  const before = target.pid === undefined ? undefined : cpuMicroseconds(target.pid);
  const out = execFileSync(
    "pgbench",
    [
      "-n",
      "-h",
      "127.0.0.1",
      "-p",
      String(target.port),
      "-U",
      target.user,
      "-T",
      String(seconds),
      ...args,
      target.database,
    ],
    {
      env: { ...process.env, PGPASSWORD: target.password, PGSSLMODE: "disable" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const transactions = Number(/transactions actually processed: (\d+)/.exec(out)?.[1]);
  return {
    tps: Number(/tps = ([\d.]+)/.exec(out)?.[1]),
    latencyMs: Number(/latency average = ([\d.]+)/.exec(out)?.[1]),
    transactions,
    cpu: before === undefined ? undefined : (cpuMicroseconds(target.pid!) - before) / transactions,
  };
}

async function main(): Promise<void> {
  say(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; ${rounds} rounds of ${seconds} s`);
  // Passwords in the clear: otherwise the connect rate would be that of SCRAM's key derivation.
  const access = join(work, "pg_hba.conf");
  writeFileSync(access, "host all all 127.0.0.1/32 password\n", { mode: 0o644 });
  const server = await startEmbedded({ dir: join(work, "pg"), settings: { hba_file: access } });
  try {
    const [user, password, database] = ["postgres", server.passwords.postgres, "postgres"];
    const port = String(server.port);
    const upstream = `${server.url("postgres", "postgres")}?sslmode=disable`;
    const env = { ...process.env, PGPASSWORD: password, PGSSLMODE: "disable" };
    const psql = (sql: string): string =>
      execFileSync("psql", ["-X", "-q", "-h", "127.0.0.1", "-p", port, "-U", user, "-d", database, "-c", sql], {
        env,
        encoding: "utf8",
      });
    say("loading pgbench, scale 10, and the wide table");
    execFileSync("pgbench", ["-i", "-q", "-s", "10", "-h", "127.0.0.1", "-p", port, "-U", user, database], {
      env,
      stdio: "ignore",
    });
    psql(
      `CREATE TABLE wide AS SELECT i AS id, md5(i::text) || md5((i+1)::text) AS plain, 'c' || i || '@example.org' AS secret, now() AS at FROM generate_series(1, ${rowCount}) i`,
    );
    psql("VACUUM ANALYZE wide");

    const direct: Target = { name: "direct", port: server.port, pid: undefined, password, user, database };
    const relayPort = await freePort();
    const relay = await child(process.execPath, ["bench/relay.ts", String(relayPort), "127.0.0.1", port], "ready");

    const bouncerPort = await freePort();
    const bouncerDir = join(work, "bouncer");
    mkdirSync(bouncerDir, { mode: 0o755 });
    writeFileSync(join(bouncerDir, "users.txt"), `"${user}" "${password}"\n`);
    writeFileSync(
      join(bouncerDir, "pgbouncer.ini"),
      `[databases]\n${database} = host=127.0.0.1 port=${port} dbname=${database} user=${user} password=${password}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=${bouncerPort}\nauth_type=plain\nauth_file=${join(bouncerDir, "users.txt")}\npool_mode=session\nlogfile=\npidfile=\nunix_socket_dir=\nmax_client_conn=200\ndefault_pool_size=100\nignore_startup_parameters=extra_float_digits,search_path\n`,
    );
    const bouncerBinary = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].find(existsSync);
    if (bouncerBinary === undefined) throw new Error("pgbouncer is not installed: run make bench, which installs it");
    const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const bouncer = await child(bouncerBinary, [join(bouncerDir, "pgbouncer.ini")], "process up", asNobody);

    // The starter policy with one tagged column, as a deployment would have it.
    mkdirSync(join(work, "data/classification"), { recursive: true });
    writeFileSync(
      join(work, "data/classification/data.json"),
      JSON.stringify({ bench: { "public.wide.secret": ["pii"] } }),
    );
    const gatePort = await freePort();
    const httpPort = await freePort();
    execFileSync(
      process.execPath,
      ["src/cli/main.ts", "policy", "build", "rego", join(work, "data"), "-o", join(work, "bundle.tar.gz")],
      { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
    );
    writeFileSync(
      join(work, "regate.yaml"),
      JSON.stringify({
        data_dir: join(work, "data-dir"),
        listen: { postgres: `127.0.0.1:${gatePort}`, http: `127.0.0.1:${httpPort}` },
        tls: { allow_plaintext: "loopback" },
        policy: { bundle: join(work, "bundle.tar.gz") },
        resources: { bench: { kind: "postgres", url: upstream, environment: "test" } },
        audit: { durability: flags.durability },
      }),
    );
    const gate = await child(
      process.execPath,
      ["src/cli/main.ts", "serve", "--config", join(work, "regate.yaml")],
      "ready ",
    );
    const token = execFileSync(
      process.execPath,
      [
        "src/cli/main.ts",
        "token",
        "issue",
        "--config",
        join(work, "regate.yaml"),
        "--subject",
        "service:bench",
        "--resource",
        "bench",
        "--ttl",
        "1h",
      ],
      { cwd: root, encoding: "utf8" },
    ).trim();

    const targets: readonly Target[] = [
      direct,
      { ...direct, name: "relay", port: relayPort, pid: relay.pid },
      { ...direct, name: "pgbouncer", port: bouncerPort, pid: bouncer.pid },
      { name: "gate", port: gatePort, pid: gate.pid, password: token, user: "bench", database: "bench" },
    ];
    type Figures = { tps: number[]; cpu: number[]; latency: number[] };
    const results = new Map<string, Figures>();
    const figures = (scenario: string, target: string): Figures => {
      const key = `${scenario}/${target}`;
      const found = results.get(key) ?? { tps: [], cpu: [], latency: [] };
      results.set(key, found);
      return found;
    };
    for (let round = 0; round < rounds; round++) {
      for (const scenario of scenarios) {
        for (const target of targets) {
          const one = pgbench(target, scenario.args);
          const into = figures(scenario.name, target.name);
          into.tps.push(one.tps);
          into.latency.push(one.latencyMs);
          if (one.cpu !== undefined) into.cpu.push(one.cpu);
          say(`round ${round + 1}: ${scenario.name}, ${target.name}: ${one.tps.toFixed(0)} tps`);
        }
      }
      for (const [name, sql] of bulk) {
        for (const target of targets) {
          const { seconds: took } = await countRows({ ...target, sql });
          figures(name, target.name).tps.push(rowCount / took);
          say(`round ${round + 1}: ${name}, ${target.name}: ${(rowCount / took / 1000).toFixed(0)} thousand rows/s`);
        }
      }
    }
    const rows: string[][] = [
      [
        "scenario",
        "direct/s",
        "relay/s",
        "pgbouncer/s",
        "gate/s",
        "gate:direct",
        "gate:relay",
        "CPU µs relay",
        "pgbouncer",
        "gate",
        "gate:relay",
      ],
    ];
    for (const name of [...scenarios.map((scenario) => scenario.name), ...bulk.map(([name]) => name)]) {
      const tps = (target: string): number => median(figures(name, target).tps);
      const cpu = (target: string): number => median(figures(name, target).cpu);
      const number = (value: number, digits = 0): string => (Number.isFinite(value) ? value.toFixed(digits) : "");
      rows.push([
        name,
        ...targets.map((target) => number(tps(target.name))),
        number(tps("gate") / tps("direct"), 2),
        number(tps("gate") / tps("relay"), 2),
        number(cpu("relay")),
        number(cpu("pgbouncer")),
        number(cpu("gate")),
        number(cpu("gate") / cpu("relay"), 2),
      ]);
    }
    console.log(`medians of ${rounds} interleaved rounds, ${seconds} s each; audit.durability: ${flags.durability}\n`);
    console.log(table(rows));
    console.log(
      `\ngate: ${residentMiB(gate.pid!).toFixed(0)} MiB resident after the run; relay: ${residentMiB(relay.pid!).toFixed(0)} MiB`,
    );
    console.log(
      `\nadded latency of one pgbench select, by stage (median µs)\n\n${await stages(upstream, join(work, "bundle.tar.gz"))}`,
    );
  } finally {
    for (const one of children) one.kill();
    await server.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

await main();
process.exit(0);
