// Two databases whose protected cells differ and nothing else, and statements rewritten over them.
import assert from "node:assert/strict";
import { after } from "node:test";
import pg from "pg";
import { analyze, confirm } from "../../../src/sql/postgres/analyze.ts";
import type { Catalog } from "../../../src/sql/postgres/catalog.ts";
import { loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { ready } from "../../../src/sql/postgres/parser.ts";
import type { Replacement, Substituted } from "../../../src/sql/postgres/substitute.ts";
import { substitute } from "../../../src/sql/postgres/substitute.ts";
import { startServer } from "../../support/server.ts";
import { describe, queryOf, SCOPE } from "./support.ts";

export type Twins = {
  readonly left: pg.Client;
  readonly right: pg.Client;
  readonly catalog: Catalog;
  load(tags?: unknown): Promise<Catalog>;
};

/** `differ` changes protected cells of the second database alone. Ends with the test file. */
export async function startTwins(setup: string, differ: string, tags: unknown): Promise<Twins> {
  await ready();
  const server = await startServer({ setup: () => [] });
  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.url("postgres", database) });
    client.on("error", () => undefined);
    await client.connect();
    after(() => client.end());
    return client;
  };
  const admin = await connect("postgres");
  await admin.query("CREATE DATABASE a");
  const first = new pg.Client({ connectionString: server.url("postgres", "a") });
  await first.connect();
  await first.query(setup);
  await first.end();
  // A copy, so that all OIDs are the same.
  await admin.query("CREATE DATABASE b TEMPLATE a");
  const left = await connect("a");
  const right = await connect("b");
  await right.query(differ);
  const load = (other: unknown = tags) => loadCatalog(queryOf(left), other);
  return { left, right, load, catalog: await load() };
}

/** Every tagged column of the relations that the text names or reaches, masked. */
export function replacementsFor(
  catalog: Catalog,
  text: string,
  masks: { readonly [column: string]: { readonly mask: string; readonly [parameter: string]: unknown } },
  scope = SCOPE,
): ReadonlyMap<number, readonly Replacement[]> {
  const { statements } = analyze(text, catalog, scope).command;
  const all = new Map<number, readonly Replacement[]>();
  statements.forEach((statement, number) => {
    const list = new Map<string, Replacement>();
    for (const { schema, name } of statement.relations)
      for (const column of catalog.resolveRelation(schema, name, scope.searchPath)?.columns ?? [])
        if (column.source.tags.length > 0)
          list.set(`${schema}.${name}.${column.name}`, {
            schema,
            table: name,
            column: column.name,
            ...(masks[column.name] ?? { mask: "redact" }),
          });
    if (list.size > 0) all.set(number, [...list.values()]);
  });
  return all;
}

export function rewritten(
  catalog: Catalog,
  text: string,
  replacements: ReadonlyMap<number, readonly Replacement[]>,
  scope = SCOPE,
): Substituted {
  const result = substitute(text, catalog, scope, replacements);
  if ("impossible" in result) assert.fail(`${text}: ${result.impossible}`);
  return result;
}

/** No fact of the rewritten text names a column by a tag of its own. */
export function assertMasked(result: Substituted, text: string): void {
  result.analysis.command.statements.forEach((facts, at) => {
    const tags = new Set([
      ...facts.relations.flatMap((each) => each.tags),
      ...facts.columns.flatMap((each) => each.tags),
      ...facts.outputs.flatMap((each) => each.sources.flatMap((source) => source.tags)),
      ...facts.writes.flatMap((each) => each.sources.flatMap((source) => source.tags)),
    ]);
    tags.delete("masked");
    assert.deepEqual([...tags], [], `${text}: statement ${at + 1} of ${result.text}`);
  });
  assert.equal(result.analysis.unresolved, false, text);
}

/** What a client gets: rows as text, or the error. */
export async function outcome(client: pg.Client, text: string): Promise<unknown> {
  try {
    const results: unknown = await client.query({
      text,
      rowMode: "array",
      types: { getTypeParser: () => String } as never,
    });
    return (Array.isArray(results) ? results : [results]).map((result: pg.QueryResult) => [
      result.command,
      result.rowCount,
      result.rows,
    ]);
  } catch (thrown) {
    const { code, message } = thrown as { code?: string; message: string };
    return { code, message };
  }
}

/** Both databases show the same, within a transaction that is rolled back; it is given back. */
export async function assertSame(twins: Twins, text: string, original: string): Promise<unknown> {
  const shown: unknown[] = [];
  for (const client of [twins.left, twins.right]) {
    await client.query("BEGIN");
    shown.push(await outcome(client, text));
    await client.query("ROLLBACK; DEALLOCATE ALL");
  }
  assert.deepEqual(shown[0], shown[1], original);
  return shown[0];
}

/** The server's description agrees with the facts. */
export async function assertConfirmed(twins: Twins, result: Substituted, text: string): Promise<void> {
  if (result.analysis.statements.length !== 1) return;
  const fields = await describe(twins.left, result.text);
  if (fields === undefined) return;
  assert.deepEqual(confirm(result.analysis.statements[0]!, fields, twins.catalog), { ok: true }, text);
}
