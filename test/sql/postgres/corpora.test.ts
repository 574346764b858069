// TPC-H, pgbench, psql, drivers, ORMs and dashboards: all of it is understood, nothing is opaque or unknown, and the server agrees.
import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import pg from "pg";
import { analyze, confirm, type Effects, type NameScope } from "../../../src/sql/postgres/analyze.ts";
import { type Catalog, type CatalogQuery, loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { corpora, statementsOf } from "./corpora/read.ts";
import { classification } from "./schema.ts";
import { describe, queryOf, SCOPE, startRich } from "./support.ts";

const rich = await startRich();
const major = Math.floor(Number((await rich.query("SHOW server_version_num"))[0]![0]) / 10000);

/** Those that ask about tables which they did not create. */
const OVER_RICH_SCHEMA = new Set(["psql", "tools"]);
const options = { normalized: false, fingerprint: false };

for (const corpus of corpora)
  test(corpus, async () => {
    const client = OVER_RICH_SCHEMA.has(corpus) ? rich.client : await emptyDatabase(corpus);
    const query = queryOf(client);
    let inTransaction = false;
    const load = async (): Promise<View> => ({
      catalog: await loadCatalog(
        query,
        OVER_RICH_SCHEMA.has(corpus) ? classification : {},
        inTransaction ? "within a transaction" : undefined,
      ),
      scope: { ...SCOPE, searchPath: await pathOf(query) },
    });
    let view = await load();
    const misses: string[] = [];
    for (const { text } of statementsOf(corpus, major)) {
      try {
        const effects = await understood(client, view, text);
        for (const { transaction } of effects)
          if (transaction !== undefined && transaction !== "savepoint") inTransaction = transaction === "begin";
        if (effects.some(({ catalog, temp, settings }) => catalog === true || temp === true || settings === true))
          view = await load();
      } catch (thrown) {
        misses.push(`${text}\n  ${(thrown as Error).message.split("\n").slice(0, 12).join("\n  ")}`);
        await client.query("ROLLBACK");
      }
    }
    if (client !== rich.client) await client.end();
    assert.equal(misses.length, 0, misses.join("\n"));
  });

/** As the gate sees the database and the session between two statements. */
type View = { readonly catalog: Catalog; readonly scope: NameScope };

async function pathOf(query: CatalogQuery): Promise<string[]> {
  return (await query("SELECT unnest(pg_catalog.current_schemas(true))")).map(([schema]) => schema!);
}

async function emptyDatabase(name: string): Promise<pg.Client> {
  await rich.client.query(`CREATE DATABASE corpus_${name}`);
  const client = new pg.Client({
    host: rich.client.host,
    port: rich.client.port,
    user: rich.client.user!,
    password: rich.client.password!,
    database: `corpus_${name}`,
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Checks one text against the server, and lets it take effect where later ones may need that; gives the effects. */
async function understood(client: pg.Client, { catalog, scope }: View, text: string): Promise<readonly Effects[]> {
  const { statements, unresolved } = analyze(text, catalog, scope, options);
  assert.equal(unresolved, false, "a name is not resolved");
  for (const { facts, outputsKnown } of statements) {
    assert.notEqual(facts.class, "unknown", "class");
    assert.ok(outputsKnown, "its outputs are not known");
    const opaque = facts.outputs.filter((output) => output.derivation === "opaque");
    assert.deepEqual(
      opaque.map((output) => output.name),
      [],
      "opaque outputs",
    );
    const functions = facts.functions.filter((use) => use.opaque || use.kind === "unknown");
    assert.deepEqual(
      functions.map((use) => use.name),
      [],
      "opaque functions",
    );
  }
  const statement = statements[0]!;
  if (statements.length === 1) {
    const fields = await describe(client, text);
    assert.equal(statement.returnsRows, fields !== undefined, "returns rows");
    if (fields !== undefined) {
      assert.deepEqual(confirm(statement, fields, catalog), { ok: true });
      const described = fields.map((field) => [field.name, field.typeOid]);
      const derived = statement.facts.outputs.map((output, at) => [
        output.name,
        // A type that is not told is no claim.
        output.type === "" || output.type === catalog.typeName(fields[at]!.typeOid) ? fields[at]!.typeOid : output.type,
      ]);
      assert.deepEqual(derived, described, "names and types of outputs");
    }
  }
  const effective = statements.some(
    ({ facts, copy }) => copy === undefined && !["read", "write"].includes(facts.class),
  );
  if (effective) await client.query(text);
  return statements.map(({ effects }) => effects);
}

suite("corpora", () => {
  test("have the size that is claimed for them", () => {
    const count = (names: readonly string[]): number =>
      names.reduce((sum, name) => sum + statementsOf(name, 18).length, 0);
    assert.equal(statementsOf("tpch", 18).filter(({ text }) => /^(select|with)\b/.test(text)).length, 23);
    assert.ok(count(["django", "rails", "prisma", "sqlalchemy", "hibernate", "metabase", "bi"]) >= 400);
    assert.ok(count(["psql"]) >= 180);
  });

  test("psql reads no secret, but where it asks for one", () => {
    const secret = statementsOf("psql", major).filter(({ text }) => {
      const { facts } = analyze(text, rich.catalog, SCOPE, options).statements[0]!;
      return facts.columns.some((column) => column.tags.includes("secret"));
    });
    assert.deepEqual(
      secret.filter(({ text }) => !/umoptions|subconninfo|srvoptions/.test(text)),
      [],
    );
  });
});
