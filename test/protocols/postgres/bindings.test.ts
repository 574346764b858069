// Tags stay with the objects that they were given to, whatever these are called afterwards.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { type Bindings, rebind } from "../../../src/protocols/postgres/bindings.ts";
import { catalogOf } from "../../../src/sql/postgres/catalog.ts";
import { type Reading, readStore } from "../../../src/sql/postgres/catalog-read.ts";
import { startServer } from "../../support/server.ts";
import { queryOf } from "../../sql/postgres/support.ts";
import { ready } from "../../../src/sql/postgres/parser.ts";

await ready();
const server = await startServer({ setup: () => [] });
const client = new pg.Client({ connectionString: server.url("postgres", "postgres") });
client.on("error", () => undefined);
await client.connect();
after(() => client.end());
const query = queryOf(client);

let bound: Bindings | undefined;
let reading: Reading | undefined;
let said: readonly string[] = [];
const keys = {
  "public.people.ssn": ["pii"],
  "public.logs": ["log"],
  hr: ["staff"],
  "public.parted.x": ["part"],
  "public.p1.y": ["child"],
};

/** Reads what changed, as the gate does, and tells the tags of a relation's columns. */
async function tagsOf(schema: string, name: string): Promise<object> {
  reading = await readStore(query, reading);
  const rebound = rebind(reading.store, keys, bound, "here");
  bound = rebound.bindings;
  said = rebound.changes;
  const relation = catalogOf(reading.store, rebound.classification).resolveRelation(schema, name, [])!;
  return Object.fromEntries(
    relation.columns
      .filter((column) => column.source.tags.length > 0)
      .map((column) => [column.name, column.source.tags]),
  );
}

await client.query(`CREATE SCHEMA hr; CREATE TABLE hr.staff (id int); CREATE TABLE public.people (id int, ssn text); CREATE TABLE public.logs (line text);
  CREATE TABLE public.parted (id int, x text, y text) PARTITION BY LIST (id); CREATE TABLE public.p1 (id int, x text, y text);
  CREATE MATERIALIZED VIEW public.m AS SELECT ssn FROM public.people; CREATE VIEW public.v AS SELECT ssn || '!' AS shout FROM public.m`);

test("a renamed column, table and schema keep them", async () => {
  assert.deepEqual(await tagsOf("public", "people"), { ssn: ["pii"] });
  await client.query("ALTER TABLE public.people RENAME COLUMN ssn TO number");
  assert.deepEqual(await tagsOf("public", "people"), { number: ["pii"] });
  await client.query("ALTER TABLE public.people RENAME TO persons; ALTER SCHEMA hr RENAME TO human");
  assert.deepEqual(await tagsOf("public", "persons"), { number: ["pii"] });
  assert.deepEqual(await tagsOf("human", "staff"), { id: ["staff"] });
  assert.ok(said.some((change) => /^public\.people\.ssn is now called public\.persons\.number/.test(change)));
  await client.query("CREATE SCHEMA other; ALTER TABLE public.persons SET SCHEMA other");
  assert.deepEqual(await tagsOf("other", "persons"), { number: ["pii"] });
  assert.deepEqual(await tagsOf("public", "v"), { shout: ["computed", "pii"] });
  await client.query("ALTER TABLE other.persons SET SCHEMA public; ALTER TABLE public.persons RENAME TO people");
  await client.query("ALTER TABLE public.people RENAME COLUMN number TO ssn; ALTER SCHEMA human RENAME TO hr");
  assert.deepEqual(await tagsOf("public", "people"), { ssn: ["pii"] });
  assert.deepEqual(said, []);
});

test("a column that takes the name of a tagged one is tagged, too, and so is the old one", async () => {
  await client.query(
    "ALTER TABLE public.people RENAME COLUMN ssn TO old; ALTER TABLE public.people ADD COLUMN ssn text",
  );
  assert.deepEqual(await tagsOf("public", "people"), { old: ["pii"], ssn: ["pii"] });
  assert.ok(said.includes("public.people.ssn names another object than before: both are tagged"));
  await client.query("ALTER TABLE public.people DROP COLUMN ssn; ALTER TABLE public.people RENAME COLUMN old TO ssn");
});

test("two tables that swap their names are both tagged", async () => {
  await client.query("BEGIN; ALTER TABLE public.logs RENAME TO x; CREATE TABLE public.logs (line text); COMMIT");
  assert.deepEqual(await tagsOf("public", "x"), { line: ["log"] });
  assert.deepEqual(await tagsOf("public", "logs"), { line: ["log"] });
});

test("what was dropped and made anew is tagged by its name, and reported", async () => {
  await client.query("DROP TABLE public.people CASCADE");
  await tagsOf("public", "logs");
  assert.ok(said.includes("public.people.ssn names nothing in the database"));
  await client.query("CREATE TABLE public.people (ssn text, id int)");
  assert.deepEqual(await tagsOf("public", "people"), { ssn: ["pii"] });
});

test("they flow between a table and its partitions while these are attached, and a partition keeps its table's", async () => {
  assert.deepEqual(await tagsOf("public", "p1"), { y: ["child"] });
  await client.query("ALTER TABLE public.parted ATTACH PARTITION public.p1 FOR VALUES IN (1)");
  assert.deepEqual(await tagsOf("public", "p1"), { x: ["part"], y: ["child"] });
  assert.deepEqual(await tagsOf("public", "parted"), { x: ["part"], y: ["child"] });
  assert.deepEqual(
    said.filter((change) => change.includes("parted")),
    [],
  );
  await client.query("ALTER TABLE public.parted DETACH PARTITION public.p1");
  assert.deepEqual(await tagsOf("public", "p1"), { x: ["part"], y: ["child"] });
  assert.ok(said.includes("public.p1.x keeps the tags that came to it from public.parted.x"));
  assert.deepEqual(await tagsOf("public", "parted"), { x: ["part"] });
});
