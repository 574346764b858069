// One session, run directly and through the gate with a policy that allows everything: a client must not be able to tell them apart.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { startGate, type TestGate } from "../support/gate.ts";
import { startServer, type TestServer } from "../support/server.ts";

/** How to reach a database: what libpq and its kin read from the environment. */
export type Way = {
  readonly PGHOST: string;
  readonly PGPORT: string;
  readonly PGUSER: string;
  readonly PGPASSWORD: string;
  readonly PGDATABASE: string;
};
export type Both = {
  readonly server: TestServer;
  readonly gate: TestGate;
  readonly direct: Way;
  readonly through: Way;
};

export async function bothWays(
  options: { bin?: string | undefined; database?: string; auth?: "password" } = {},
): Promise<Both> {
  const { database = "shop", ...serverOptions } = options;
  const { bin, ...rest } = serverOptions;
  const server = await startServer(bin === undefined ? rest : { ...rest, bin });
  const gate = await startGate({ policy: "allow_all", resources: { shop: server.url("app", database) } });
  const [host, port] = gate.postgres.split(":") as [string, string];
  const direct = {
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: "app",
    PGPASSWORD: server.passwords.app,
    PGDATABASE: database,
  };
  const through = { PGHOST: host, PGPORT: port, PGUSER: "app", PGPASSWORD: await gate.token(), PGDATABASE: "shop" };
  return { server, gate, direct, through };
}

export type Ran = { readonly code: number | string; readonly stdout: string; readonly stderr: string };
export type RunOptions = {
  input?: string;
  cwd?: string;
  env?: Record<string, string>;
  interruptAfterMs?: number;
  deadlineMs?: number;
};

/** Runs a client program to its end, as a person would: `interruptAfterMs` is a Ctrl-C. */
export function client(way: Way, program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      ...way,
      PGSSLMODE: "disable",
      PGGSSENCMODE: "disable",
      TZ: "UTC",
      LC_ALL: "C.UTF-8",
      PSQLRC: "/dev/null",
      PAGER: "",
      ...options.env,
    };
    const child = spawn(program, args, { env, cwd: options.cwd, stdio: "pipe" });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on("data", (chunk: Buffer) => output.stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.stderr.push(chunk));
    const deadline = setTimeout(() => child.kill("SIGKILL"), options.deadlineMs ?? 120_000);
    if (options.interruptAfterMs !== undefined) setTimeout(() => child.kill("SIGINT"), options.interruptAfterMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      resolve({
        code: code ?? signal ?? "?",
        stdout: Buffer.concat(output.stdout).toString(),
        stderr: Buffer.concat(output.stderr).toString(),
      });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** Runs it both ways and compares what came out. Returns what the direct run printed, so that the caller can see that it did something. */
export async function same(
  both: Both,
  program: string,
  args: readonly string[],
  options: RunOptions & { normalize?: (text: string) => string } = {},
): Promise<Ran> {
  const normalize = options.normalize ?? ((text: string) => text);
  const seen = async (way: Way): Promise<Ran> => {
    const { code, stdout, stderr } = await client(way, program, args, options);
    return {
      code,
      stdout: normalize(stdout),
      stderr: normalize(stderr.replaceAll(way.PGPORT, "PORT").replaceAll(`"${way.PGDATABASE}"`, '"DATABASE"')),
    };
  };
  const direct = await seen(both.direct);
  assert.deepEqual(await seen(both.through), direct);
  return direct;
}
