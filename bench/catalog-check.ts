// What looking for changes past the gate costs: pgbench through gates that look with every command, as often as is cheap, and hardly ever.
// Usage: node bench/catalog-check.ts [--seconds 4] [--rounds 5] [--tables 0] (further tables of 20 columns in the database)
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { startEmbedded } from "../src/demo/embedded.ts";
import { cpuMicroseconds, median, table } from "./measure.ts";
import { manyTables } from "./many-tables.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "5" },
    tables: { type: "string", default: "0" },
  },
});
const root = dirname(import.meta.dirname);
const work = mkdtempSync(join(tmpdir(), "regate-bench-"));
const scenarios: readonly (readonly [string, readonly string[]])[] = [
  ["select simple c1", ["-S", "-M", "simple", "-c", "1"]],
  ["select simple c8", ["-S", "-M", "simple", "-c", "8"]],
  ["select prepared c1", ["-S", "-M", "prepared", "-c", "1"]],
  ["select prepared c8", ["-S", "-M", "prepared", "-c", "8"]],
  ["tpc-b prepared c1", ["-M", "prepared", "-c", "1"]],
  ["tpc-b prepared c8", ["-M", "prepared", "-c", "8"]],
];
type Gate = { readonly child: ChildProcess; readonly port: number; readonly token: string };

async function startGate(url: string, check: string): Promise<Gate> {
  const config = join(work, `${check}.yaml`);
  writeFileSync(
    config,
    JSON.stringify({
      data_dir: join(work, check),
      listen: { postgres: "127.0.0.1:0", http: "127.0.0.1:0" },
      tls: { allow_plaintext: "loopback" },
      resources: { bench: { url, environment: "test", catalog_check: check } },
      audit: { durability: "write" },
    }),
  );
  const args = ["src/cli/main.ts", "serve", "--config", config];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
  const port = await new Promise<number>((resolve, reject) => {
    let seen = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      const ready = /postgres=\S+:(\d+)/.exec(seen);
      if (ready !== null) resolve(Number(ready[1]));
    });
    child.on("exit", () => reject(new Error(`the gate ended: ${seen}`)));
  });
  const issue = [
    "token",
    "issue",
    "--config",
    config,
    "--subject",
    "service:bench",
    "--resource",
    "bench",
    "--ttl",
    "1h",
  ];
  const token = execFileSync(process.execPath, ["src/cli/main.ts", ...issue], { cwd: root, encoding: "utf8" }).trim();
  return { child, port, token };
}

function pgbench(gate: Gate, args: readonly string[], seconds: string): { tps: number; cpu: number } {
  const before = cpuMicroseconds(gate.child.pid!);
  const out = execFileSync(
    "pgbench",
    ["-n", "-h", "127.0.0.1", "-p", String(gate.port), "-U", "bench", "-T", seconds, ...args, "bench"],
    { env: { ...process.env, PGPASSWORD: gate.token, PGSSLMODE: "disable" }, encoding: "utf8", stdio: "pipe" },
  );
  const transactions = Number(/transactions actually processed: (\d+)/.exec(out)?.[1]);
  return {
    tps: Number(/tps = ([\d.]+)/.exec(out)?.[1]),
    cpu: (cpuMicroseconds(gate.child.pid!) - before) / transactions,
  };
}

const server = await startEmbedded({ dir: join(work, "pg"), settings: { max_locks_per_transaction: "512" } });
const gates: Gate[] = [];
try {
  const env = { ...process.env, PGPASSWORD: server.passwords.postgres, PGSSLMODE: "disable" };
  const at = ["-h", "127.0.0.1", "-p", String(server.port), "-U", "postgres"];
  execFileSync("pgbench", ["-i", "-q", "-s", "10", ...at, "postgres"], { env, stdio: "ignore" });
  if (flags.tables !== "0")
    execFileSync("psql", ["-X", "-q", ...at, "-c", manyTables(Number(flags.tables)), "postgres"], {
      env,
      stdio: "ignore",
    });
  const url = `${server.url("postgres", "postgres")}?sslmode=disable`;
  const modes = ["command", "auto", "1h"];
  for (const mode of modes) gates.push(await startGate(url, mode));
  const rows: string[][] = [
    ["scenario", ...modes.map((mode) => `${mode}/s`), "command:1h", "auto:1h", "CPU µs command", "auto", "1h"],
  ];
  for (const [name, args] of scenarios) {
    const seen = modes.map(() => [] as { tps: number; cpu: number }[]);
    // The first runs warm all up.
    for (let round = 0; round <= Number(flags.rounds); round++) {
      const runs = gates.map((gate) => pgbench(gate, args, round === 0 ? "1" : flags.seconds));
      if (round > 0) runs.forEach((run, at) => void seen[at]!.push(run));
    }
    const of = (at: number, what: "tps" | "cpu"): number => median(seen[at]!.map((run) => run[what]));
    const ratio = (at: number): string =>
      median(seen[at]!.map((run, round) => run.tps / seen[2]![round]!.tps)).toFixed(2);
    rows.push([
      name,
      ...modes.map((_, at) => of(at, "tps").toFixed(0)),
      ratio(0),
      ratio(1),
      ...modes.map((_, at) => of(at, "cpu").toFixed(0)),
    ]);
  }
  console.log(
    `medians of ${flags.rounds} interleaved rounds, ${flags.seconds} s each; ${flags.tables} further tables\n`,
  );
  console.log(table(rows));
} finally {
  for (const { child } of gates) child.kill();
  await server.stop();
  rmSync(work, { recursive: true, force: true });
}
