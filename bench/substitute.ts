// What substitution costs: TPC-H's queries with four columns of customer masked, beside the analysis of the same text as it came.
// node bench/substitute.ts [--rounds N]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { startEmbedded } from "../src/demo/embedded.ts";
import { OwnConnection } from "../src/protocols/postgres/connection.ts";
import { parseTarget } from "../src/protocols/postgres/upstream.ts";
import { analyze, type NameScope } from "../src/sql/postgres/analyze.ts";
import { loadCatalog } from "../src/sql/postgres/catalog.ts";
import { ready } from "../src/sql/postgres/parser.ts";
import { type Replacement, substitute } from "../src/sql/postgres/substitute.ts";
import { statementsOf } from "../test/sql/postgres/corpora/read.ts";
import { median, table } from "./measure.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "41" } } });
const options = { normalized: false, fingerprint: false };
const scope: NameScope = { searchPath: ["pg_catalog", "public"], user: "app", prepared: () => [], cursor: () => [] };
const masks: { readonly [column: string]: { readonly mask: string; readonly [parameter: string]: unknown } } = {
  c_name: { mask: "partial", keep_first: 2 },
  c_address: { mask: "redact" },
  c_phone: { mask: "partial", keep_last: 4 },
  c_acctbal: { mask: "truncate", step: 1000 },
};
const replacements: ReadonlyMap<number, readonly Replacement[]> = new Map([
  [0, Object.entries(masks).map(([column, mask]) => ({ schema: "public", table: "customer", column, ...mask }))],
]);

await ready();
const dir = mkdtempSync(join(tmpdir(), "regate-substitute-"));
const tpch = statementsOf("tpch", 18).map(({ text }) => text);
const queries = tpch.filter((text) => /^(SELECT|WITH)\b/i.test(text));
const server = await startEmbedded({ dir: join(dir, "pg"), setup: () => [] });
try {
  const client = new pg.Client({ connectionString: server.url("postgres", "postgres") });
  await client.connect();
  for (const text of tpch.filter((each) => /^CREATE TABLE/i.test(each))) await client.query(text);
  await client.end();
  const connection = await OwnConnection.open(parseTarget(server.url("postgres", "postgres")));
  const tags = Object.fromEntries(Object.keys(masks).map((column) => [`public.customer.${column}`, ["pii"]]));
  const catalog = await loadCatalog((sql) => connection.query(sql), tags);
  const masked = queries.filter((text) => !("impossible" in substitute(text, catalog, scope, replacements, options)));
  for (let round = 0; round < 30; round++)
    for (const text of masked) substitute(`${text} -- warm ${round}`, catalog, scope, replacements, options);

  const rows: string[][] = [["median µs (CPU)", "analysed, unseen", "substituted, unseen", "seen"]];
  const all: number[][] = [[], [], []];
  for (const [at, query] of masked.entries()) {
    const figures: number[][] = [[], [], []];
    for (let i = 0; i < Number(values.rounds); i++) {
      // A user of its own has no facts yet, and a comment makes it another text.
      const fresh = { ...scope, user: `u${at} ${i}` };
      const text = `${query} -- ${i}`;
      figures[0]!.push(timed(() => analyze(text, catalog, fresh, options)));
      figures[1]!.push(timed(() => substitute(text, catalog, fresh, replacements, options)));
      figures[2]!.push(timed(() => substitute(text, catalog, fresh, replacements, options)));
    }
    const medians = figures.map(median);
    for (const [column, figure] of medians.entries()) all[column]!.push(figure);
    rows.push([`query ${queries.indexOf(query) + 1}`, ...medians.map((figure) => figure.toFixed(0))]);
  }
  rows.push(["all", ...all.map((figures) => median(figures).toFixed(0))]);
  console.log(table(rows));
  connection.close();
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}

/** Microseconds of the processor, so that other work on the machine does not count. */
function timed(work: () => void): number {
  const started = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(started);
  return user + system;
}
