// A real PostgreSQL that came with npm: created once, started for the gate, ended with it.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText, RegateError } from "../errors.ts";
import {
  type Binaries,
  findBinaries,
  type RunAs,
  reachable,
  reachableBinaries,
  reachableTemporary,
  runAs,
} from "./place.ts";
import { claim, endStale, readPidFile } from "./stale.ts";

/** SQL that is run once, right after the cluster was created, in single-user mode, as the superuser. Statements end in ";" and an empty line. */
export type SetupScript = { readonly database: string; readonly sql: string };

export type EmbeddedOptions = {
  /** A folder of its own, below data_dir. Created when missing. */
  readonly dir: string;
  /** 0, the default: a free one. Always on 127.0.0.1. */
  readonly port?: number;
  /** Names the cluster's databases and roles; `password` is the one that `user` gets. */
  readonly setup?: (passwords: { readonly app: string }) => readonly SetupScript[];
  /** Start over: what is in `dir` is deleted. */
  readonly reset?: boolean;
  /** server settings, as in postgresql.conf */
  readonly settings?: { readonly [name: string]: string };
  /** Folder of another PostgreSQL's programs (default: the npm package for this platform). */
  readonly bin?: string;
  /** Progress, for people. */
  readonly say?: (line: string) => void;
};

export type Embedded = {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Where the cluster is: `dir`, or another place when the server's user cannot reach that. */
  readonly data: string;
  /** "18.4", or empty where it isn't known. */
  readonly version: string;
  readonly passwords: { readonly postgres: string; readonly app: string };
  /** `postgres://…` for a role (with its password) and a database. */
  url(role: "postgres" | "app", database: string): string;
  /** Settles with the end of the server's log when it ends without `stop`. */
  readonly died: Promise<string>;
  /** A fast shutdown: sessions are ended, data is flushed. */
  stop(): Promise<void>;
};

/** What is kept beside the cluster (0600): without it there is no usable cluster. */
type Marker = { readonly data: string; readonly passwords: Embedded["passwords"]; readonly major: string };

/**
 * The server's guardian: ends the server when the gate's end of the pipe closes, however the gate ended. Its own process group, so that
 * Ctrl-C in a terminal reaches the gate only, which drains before the server goes.
 */
const GUARDIAN = `exec 3<&0; "$@" <&- & server=$!; { read -r _ <&3; kill -INT $server; } 2>&- & guard=$!; wait $server; code=$?; kill $guard 2>&-; exit $code`;

/** @throws RegateError DATA_DIR when it cannot be started, with the end of the server's log in `detail` */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const user = runAs();
  const dir = resolve(options.dir);
  const say = options.say ?? (() => undefined);
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const found = findBinaries(options.bin);
  claim(dir);
  if (options.reset === true) await remove(dir);
  let marker = readMarker(dir);
  if (marker !== undefined) await endStale(marker.data);
  const base = marker === undefined ? placeFor(dir, user, say) : dirname(marker.data);
  const binaries = reachableBinaries(found, user, base);
  const major = await majorOf(binaries, user);
  if (marker === undefined) {
    say(`creating a PostgreSQL ${binaries.version || major} with its data in ${base} (a few seconds, once)`);
    marker = await create(binaries, major, base, dir, user, options);
  } else if (marker.major !== major) {
    throw failed(
      `the data in ${marker.data} is of PostgreSQL ${marker.major}, the program is ${major}`,
      `Start over: rm -rf ${dir}`,
    );
  }
  const { child, port } = await launch(binaries, marker.data, user, options);
  return handle(child, port, marker, binaries.version);
}

/** `dir` itself; as root with a closed parent folder, a folder below the system's temporary one, always the same for one `dir`. */
function placeFor(dir: string, user: RunAs, say: (line: string) => void): string {
  if (existsSync(dir) && !readdirSync(dir).every((name) => OURS.includes(name))) {
    throw failed(`${dir} holds files that are not the gate's`, "Choose another data_dir.");
  }
  const away = join(awayBase(user, dir), `regate-${createHash("sha256").update(dir).digest("hex").slice(0, 12)}`);
  const base = reachable(dir, user) ? dir : away;
  if (base !== dir) {
    say(
      `${dir} lies in a folder that only root may enter, and PostgreSQL does not run as root: its data goes to ${base}`,
    );
    rmSync(base, { recursive: true, force: true });
    mkdirSync(base, { mode: 0o711 });
  }
  rmSync(join(base, "data"), { recursive: true, force: true });
  return base;
}

const awayBase = (user: RunAs, dir: string): string => (reachable(dir, user) ? dirname(dir) : reachableTemporary(user));

/** Everything that this file puts into `dir`. */
const OURS = ["data", "native", "server.log", "secret", "cluster.json", "owner.json"];
const markerFile = (dir: string): string => join(dir, "cluster.json");

function readMarker(dir: string): Marker | undefined {
  if (!existsSync(markerFile(dir))) return undefined;
  const marker = JSON.parse(readFileSync(markerFile(dir), "utf8")) as Marker;
  return existsSync(join(marker.data, "PG_VERSION")) ? marker : undefined;
}

async function remove(dir: string): Promise<void> {
  const marker = readMarker(dir);
  if (marker !== undefined) {
    await endStale(marker.data);
    rmSync(marker.data, { recursive: true, force: true });
  }
  for (const name of OURS) rmSync(join(dir, name), { recursive: true, force: true });
}

async function create(
  binaries: Binaries,
  major: string,
  base: string,
  dir: string,
  user: RunAs,
  options: EmbeddedOptions,
): Promise<Marker> {
  const data = join(base, "data");
  mkdirSync(data, { mode: 0o700 });
  if (user !== undefined) chownSync(data, user.uid, user.gid);
  const passwords = { postgres: randomBytes(18).toString("base64url"), app: randomBytes(18).toString("base64url") };
  const secret = join(base, "secret");
  writeFileSync(secret, `${passwords.postgres}\n`, { mode: 0o600 });
  if (user !== undefined) chownSync(secret, user.uid, user.gid);
  await run(
    binaries,
    "initdb",
    [
      "-D",
      data,
      "-U",
      "postgres",
      "--auth=scram-sha-256",
      `--pwfile=${secret}`,
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ],
    user,
  );
  rmSync(secret);
  for (const script of options.setup?.({ app: passwords.app }) ?? []) {
    await run(
      binaries,
      "postgres",
      [
        "--single",
        "-j",
        "-D",
        data,
        "-c",
        "exit_on_error=on",
        "-c",
        "fsync=off",
        "-c",
        "log_min_messages=error",
        script.database,
      ],
      user,
      script.sql,
    );
  }
  const marker: Marker = { data, passwords, major };
  writeFileSync(markerFile(dir), JSON.stringify(marker), { mode: 0o600 });
  chmodSync(markerFile(dir), 0o600);
  return marker;
}

/** Starts the server and waits until it takes connections. A port that was lost to somebody else in between is chosen anew. */
async function launch(
  binaries: Binaries,
  data: string,
  user: RunAs,
  options: EmbeddedOptions,
): Promise<{ child: ChildProcess; port: number }> {
  const wanted = options.port ?? 0;
  for (let attempt = 1; ; attempt++) {
    const port = wanted === 0 ? await freePort() : wanted;
    const settings = {
      listen_addresses: "127.0.0.1",
      port: String(port),
      unix_socket_directories: "",
      ...options.settings,
    };
    const log = join(dirname(data), "server.log");
    const output = openSync(log, "w", 0o600);
    const child = spawn(
      "/bin/sh",
      [
        "-c",
        GUARDIAN,
        "sh",
        join(binaries.bin, "postgres"),
        "-D",
        data,
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      {
        ...user,
        cwd: dirname(data),
        stdio: ["pipe", output, output],
        detached: true,
        env: environment(),
      },
    );
    closeSync(output);
    child.stdin?.on("error", () => undefined);
    if (await ready(child, data)) return { child, port };
    const text = tail(log);
    if (wanted === 0 && attempt < 5 && /could not bind/.test(text)) continue;
    throw failed(
      text,
      /could not bind/.test(text)
        ? `Port ${port} is taken: choose another.`
        : `Start over with an empty one: rm -rf ${options.dir}`,
    );
  }
}

/** As pg_ctl does: the eighth line of postmaster.pid says "ready". */
async function ready(child: ChildProcess, data: string): Promise<boolean> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()).once("error", () => resolve()));
  for (let waited = 0; waited < 60_000; waited += 15) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    if (readPidFile(data)?.status === "ready") return true;
    await Promise.race([ended, sleep(15)]);
  }
  child.stdin?.end();
  await ended;
  return false;
}

function handle(child: ChildProcess, port: number, marker: Marker, version: string): Embedded {
  let stopping = false;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (child.exitCode !== null || child.signalCode !== null)
    throw failed(tail(join(dirname(marker.data), "server.log")));
  const died = new Promise<string>((resolve) => {
    exited.then(() => (stopping ? undefined : resolve(tail(join(dirname(marker.data), "server.log")))));
  });
  return {
    host: "127.0.0.1",
    port,
    data: marker.data,
    version,
    passwords: marker.passwords,
    died,
    url: (role, database) =>
      `postgres://${role}:${marker.passwords[role]}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    stop: async () => {
      stopping = true;
      child.stdin?.end();
      await exited;
    },
  };
}

async function majorOf(binaries: Binaries, user: RunAs): Promise<string> {
  try {
    const text = await run(binaries, "postgres", ["--version"], user);
    return /(\d+)/.exec(text.replace("(PostgreSQL)", ""))?.[1] ?? text;
  } catch (thrown) {
    // Its libraries are links that the package's install script makes.
    throw failed(
      errorText(thrown instanceof RegateError ? thrown.detail : thrown),
      "npm rebuild lets the package finish its installation.",
      thrown,
    );
  }
}

/** Runs one of PostgreSQL's programs to its end. @throws RegateError DATA_DIR with what it printed */
function run(binaries: Binaries, program: string, args: readonly string[], user: RunAs, input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(binaries.bin, program), args, {
      ...user,
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
      env: environment(),
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk));
    child.on("error", (cause) => reject(failed(`${program}: ${cause.message}`, undefined, cause)));
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(failed(`${program} ended with ${code}: ${output.trim().slice(-2000)}`)),
    );
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** No PG… variable of the caller changes what the server does; messages in English, since some are read. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("PG") && !name.startsWith("LC_"));
  return { ...Object.fromEntries(kept), LC_ALL: "C", TZ: "UTC" };
}

/** A port that nobody holds at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-12).join("\n") : "";
}

function failed(detail: string, hint?: string, cause?: unknown): RegateError {
  return new RegateError("DATA_DIR", {
    message: "The embedded PostgreSQL failed",
    detail,
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
