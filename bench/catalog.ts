// What a catalog of many tables costs: loading it, keeping it, seeing that nothing changed, reading what did.
// Usage: node --expose-gc bench/catalog.ts [--tables 10000] [--rounds 9]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startEmbedded } from "../src/demo/embedded.ts";
import { OwnConnection } from "../src/protocols/postgres/connection.ts";
import { parseTarget } from "../src/protocols/postgres/target.ts";
import { readStore } from "../src/sql/postgres/catalog-read.ts";
import { PREPARE_CHECK, SNAPSHOT, unchanged } from "../src/sql/postgres/catalog-versions.ts";
import { catalogOf } from "../src/sql/postgres/catalog.ts";
import { manyTables } from "./many-tables.ts";
import { median, table } from "./measure.ts";

const { values: flags } = parseArgs({
  options: { tables: { type: "string", default: "10000" }, rounds: { type: "string", default: "9" } },
});
const rounds = Number(flags.rounds);
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const megabytes = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
};
async function timed(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

const dir = mkdtempSync(join(tmpdir(), "regate-bench-"));
const server = await startEmbedded({ dir, settings: { max_locks_per_transaction: "512" } });
try {
  const target = parseTarget(`${server.url("postgres", "postgres")}?sslmode=disable`);
  const writer = await OwnConnection.open(target);
  await writer.query("SET default_transaction_read_only = off");
  await writer.query(manyTables(Number(flags.tables)));
  const connection = await OwnConnection.open(target);
  const query = (sql: string): ReturnType<typeof connection.query> => connection.query(sql);
  await query(PREPARE_CHECK);
  const before = megabytes();
  const began = performance.now();
  let reading = await readStore(query);
  let catalog = catalogOf(reading.store, {});
  const load = performance.now() - began;
  const grown = megabytes() - before;
  const looked = Array.from({ length: 50 }, (_, at) => catalog.resolveRelation("public", `t${at + 1}`, [])!.oid);
  const seen = {
    quiet: [] as number[],
    users: [] as number[],
    all: [] as number[],
    refresh: [] as number[],
    build: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    seen.quiet.push(await timed(() => connection.execute(SNAPSHOT)));
    seen.users.push(await timed(() => unchanged(query, reading.versions, looked, "users")));
    seen.all.push(await timed(() => unchanged(query, reading.versions, looked, "all")));
    await writer.query(`ALTER TABLE public.t${round + 1} ADD COLUMN another int`);
    seen.refresh.push(
      await timed(async () => {
        reading = await readStore(query, reading);
      }),
    );
    const start = performance.now();
    catalog = catalogOf(reading.store, {});
    seen.build.push(performance.now() - start);
    if (catalog.resolveRelation("public", `t${round + 1}`, [])!.columns.length !== 21) throw new Error("not refreshed");
  }
  const after = megabytes() - before;
  console.log(
    `${flags.tables} tables of 20 columns, ${catalog.relationCount} relations in all; medians of ${rounds}\n`,
  );
  const line = (name: string, value: number, unit: string): string[] => [name, value.toFixed(value < 10 ? 2 : 0), unit];
  console.log(
    table([
      line("load", load, "ms"),
      line("heap and external, grown by", grown, "MB"),
      line(`the same after ${rounds} refreshes`, after, "MB"),
      line("question: no transaction has ended", median(seen.quiet), "ms"),
      line("question: nothing of users has changed", median(seen.users), "ms"),
      line("question: nothing at all has changed", median(seen.all), "ms"),
      line("refresh after ALTER TABLE, reading", median(seen.refresh), "ms"),
      line("refresh after ALTER TABLE, building", median(seen.build), "ms"),
    ]),
  );
  connection.close();
  writer.close();
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}
