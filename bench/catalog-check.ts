// What looking for changes past the gate costs: pgbench through a gate that looks with every command, against one that hardly ever does.
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
  const [each, seldom] = [await startGate(url, "command"), await startGate(url, "1h")];
  gates.push(each, seldom);
  const rows: string[][] = [["scenario", "command/s", "1h/s", "ratio", "CPU µs command", "1h"]];
  for (const [name, args] of scenarios) {
    const seen = { each: [] as { tps: number; cpu: number }[], seldom: [] as { tps: number; cpu: number }[] };
    // The first runs warm both up.
    for (let round = 0; round <= Number(flags.rounds); round++) {
      const seconds = round === 0 ? "1" : flags.seconds;
      const one = pgbench(each, args, seconds);
      const other = pgbench(seldom, args, seconds);
      if (round === 0) continue;
      seen.each.push(one);
      seen.seldom.push(other);
    }
    const of = (which: "each" | "seldom", what: "tps" | "cpu"): number => median(seen[which].map((run) => run[what]));
    const ratio = median(seen.each.map((run, at) => run.tps / seen.seldom[at]!.tps));
    rows.push([
      name,
      of("each", "tps").toFixed(0),
      of("seldom", "tps").toFixed(0),
      ratio.toFixed(2),
      of("each", "cpu").toFixed(0),
      of("seldom", "cpu").toFixed(0),
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
