// What facts cost: TPC-H's queries and pgbench's statements, unseen and seen, and what a million different texts leave in memory.
// node --expose-gc bench/facts.ts [--texts N]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { startEmbedded } from "../src/demo/embedded.ts";
import { OwnConnection } from "../src/protocols/postgres/connection.ts";
import { parseTarget } from "../src/protocols/postgres/upstream.ts";
import { analyze, type NameScope } from "../src/sql/postgres/analyze.ts";
import { type Catalog, loadCatalog } from "../src/sql/postgres/catalog.ts";
import { FactsCache } from "../src/sql/postgres/facts-cache.ts";
import * as parser from "../src/sql/postgres/parser.ts";
import { statementsOf } from "../test/sql/postgres/corpora/read.ts";
import { median, table } from "./measure.ts";

const { values } = parseArgs({ options: { texts: { type: "string", default: "1000000" } } });
const options = { normalized: false, fingerprint: false };
const scope: NameScope = { searchPath: ["pg_catalog", "public"], user: "app", prepared: () => [], cursor: () => [] };
const PGBENCH = `CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));`;
const pgbench = (i: number): readonly string[] => [
  `SELECT abalance FROM pgbench_accounts WHERE aid = ${i};`,
  `UPDATE pgbench_accounts SET abalance = abalance + ${i} WHERE aid = ${i};`,
  `UPDATE pgbench_tellers SET tbalance = tbalance + ${i} WHERE tid = ${i};`,
  `INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (${i}, ${i}, ${i}, ${i}, CURRENT_TIMESTAMP);`,
];
const tags = { "public.customer.c_name": ["pii"], "public.customer.c_acctbal": ["pii"] };

await parser.ready();
const dir = mkdtempSync(join(tmpdir(), "regate-facts-"));
const tpch = statementsOf("tpch", 18).map(({ text }) => text);
const definitions = tpch.filter((text) => /^CREATE TABLE/i.test(text));
const queries = tpch.filter((text) => /^(SELECT|WITH)\b/i.test(text));
const server = await startEmbedded({ dir: join(dir, "pg"), setup: () => [] });
try {
  const connection = await OwnConnection.open(parseTarget(server.url("postgres", "postgres")));
  const client = new pg.Client({ connectionString: server.url("postgres", "postgres") });
  await client.connect();
  for (const text of [...definitions, PGBENCH]) await client.query(text);
  await client.end();
  const load = (): Promise<Catalog> => loadCatalog((sql) => connection.query(sql), tags);

  // Unseen: on a catalog that has no facts yet, with a process that is warm.
  const warm = await load();
  for (let round = 0; round < 30; round++)
    for (const text of [...queries, ...pgbench(round)])
      analyze(text, warm, scope, { ...options, uncertain: round % 2 === 1 });
  const rows: string[][] = [["median µs", "unseen", "seen", "seen, other literals"]];
  const add = (name: string, textOf: (i: number) => string): void => {
    const unseen: number[] = [];
    const seen: number[] = [];
    const others: number[] = [];
    for (let i = 0; i < 41; i++) {
      // A user of its own has no facts yet, and a comment makes it another text for the parser.
      const fresh = { ...scope, user: `u${name}${i}` };
      const text = `${textOf(0)} -- ${i}`;
      unseen.push(timed(() => analyze(text, warm, fresh, options)));
      seen.push(timed(() => analyze(text, warm, fresh, options)));
      others.push(timed(() => analyze(textOf(i + 1), warm, fresh, options)));
    }
    rows.push([name, ...[unseen, seen, others].map((figures) => median(figures).toFixed(0))]);
  };
  for (const [at, text] of queries.entries())
    add(`TPC-H ${at + 1}`, (i) => text.replace(/'([A-Z])/g, `'${"x".repeat(i % 7)}$1`));
  for (const at of pgbench(0).keys()) add(`pgbench ${at + 1}`, (i) => pgbench(1_000_000 + i)[at]!);
  console.log(table(rows));

  const total = Number(values.texts);
  const catalog = await load();
  const points: string[][] = [["different texts", "kept", "MiB kept (estimate)", "MiB heap"]];
  for (let i = 1; i <= total; i++) {
    analyze(`SELECT c_name AS x${i}, c_acctbal FROM customer WHERE c_custkey = ${i}`, catalog, scope, options);
    if (i === 1_000 || i % Math.max(1, Math.floor(total / 5)) === 0) {
      globalThis.gc?.();
      const cache = FactsCache.of(catalog);
      const heap = process.memoryUsage().heapUsed / 2 ** 20;
      points.push([String(i), String(cache.entries), (cache.bytes / 2 ** 20).toFixed(1), heap.toFixed(1)]);
    }
  }
  console.log(`\n${table(points)}`);
  connection.close();
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) * 1000;
}
