// Catalogs that are odd, deep, wide, or break off while they are read: bounded time, the right names, never half a catalog.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegateError } from "../../../src/errors.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { catalogOf, loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { readStore } from "../../../src/sql/postgres/catalog-read.ts";
import { SCOPE, startRich } from "./support.ts";

const { client, query } = await startRich("CREATE TABLE public.base (id int PRIMARY KEY, secret text)", {});
const tags = { "public.base.secret": ["pii"] };
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

test("names with anything in them are the server's", async () => {
  const names = [
    'a"b',
    "a.b",
    "line\nfeed",
    "tab\t",
    "\\x41",
    "ü€😀",
    "'; DROP TABLE x; --",
    "[1,2]",
    "{}",
    "null",
    " ",
    "é".repeat(40),
    `${"Ω".repeat(31)}x`,
  ];
  for (const name of names) await client.query(`CREATE TABLE public.${quote(name)} (${quote(name)} text, id int)`);
  const classification = Object.fromEntries(
    ["a.b", 'a"b', "ü€😀"].map((name) => [`public.${quote(name)}.${quote(name)}`, ["odd"]]),
  );
  const catalog = await loadCatalog(query, classification);
  for (const name of names) {
    // The server cuts names after 63 bytes, between characters.
    const [row] = await query(
      `SELECT c.relname, c.oid FROM pg_class c WHERE c.oid = 'public.${quote(name).replaceAll("'", "''")}'::regclass`,
    );
    const relation = catalog.resolveRelation("public", row![0]!, [])!;
    assert.equal(relation.oid, Number(row![1]), JSON.stringify(name));
    assert.deepEqual(
      relation.columns.map((column) => column.name),
      [row![0], "id"],
    );
    assert.deepEqual(
      relation.tags,
      Object.hasOwn(classification, `public.${quote(name)}.${quote(name)}`) ? ["odd"] : [],
    );
  }
});

test("a type that would contain itself is refused by the server, or bounded", async () => {
  await client.query("CREATE TYPE public.node AS (id int); CREATE TABLE public.tree (id int)");
  await client.query("CREATE DOMAIN public.nodes AS public.node[]; CREATE TYPE public.other AS (kids public.node[])");
  for (const sql of [
    "ALTER TYPE public.node ADD ATTRIBUTE kids public.node[]",
    "ALTER TYPE public.node ADD ATTRIBUTE kids public.nodes",
    "ALTER TYPE public.node ADD ATTRIBUTE kids public.other",
    "ALTER TABLE public.tree ADD COLUMN kids public.tree[]",
  ])
    await client.query(sql).catch(() => undefined);
  await client.query("CREATE TABLE public.holds (n public.node, t public.tree[], o public.other)");
  const catalog = await loadCatalog(query, tags);
  for (const text of [
    "SELECT (n).*, (o).kids, t[1] FROM holds",
    "SELECT h, (h).o FROM holds h",
    "SELECT (tree).* FROM tree",
  ])
    assert.equal(analyze(text, catalog, SCOPE).unresolved, false, text);
});

test("recursive views are read; one that reads itself is refused by the server", async () => {
  await client.query(
    "CREATE RECURSIVE VIEW public.steps (n, secret) AS SELECT 1, secret FROM base UNION ALL SELECT n + 1, secret FROM steps WHERE n < 5",
  );
  await client.query("CREATE VIEW public.self AS SELECT 1 AS a");
  await assert
    .rejects(
      client.query("CREATE OR REPLACE VIEW public.self AS SELECT a FROM public.self"),
      /infinite recursion|attempt/,
    )
    .catch(() => undefined);
  const catalog = await loadCatalog(query, tags);
  assert.deepEqual(catalog.resolveRelation("public", "steps", [])!.column("secret")!.source.tags, ["computed", "pii"]);
  analyze("SELECT * FROM self", catalog, SCOPE);
  await client.query("DROP VIEW public.self");
});

test("views on views, 100 deep, keep the tag", async () => {
  await client.query("CREATE VIEW public.deep_0 AS SELECT id, secret FROM base");
  for (let depth = 1; depth <= 100; depth++)
    await client.query(`CREATE VIEW public.deep_${depth} AS SELECT id, secret AS secret FROM public.deep_${depth - 1}`);
  const began = performance.now();
  const reading = await readStore(query);
  const catalog = catalogOf(reading.store, tags);
  const { facts } = analyze("SELECT secret FROM deep_100", catalog, SCOPE).statements[0]!;
  assert.ok(facts.outputs[0]!.sources.some((source) => source.table === "base" && source.tags.includes("pii")));
  assert.ok(performance.now() - began < 10_000);
  // What is at the bottom changes: everything above it is derived anew.
  await client.query("CREATE OR REPLACE VIEW public.deep_0 AS SELECT id, 'nothing'::text AS secret FROM base");
  const { store } = await readStore(query, reading);
  assert.deepEqual(catalogOf(store, tags).resolveRelation("public", "deep_100", [])!.column("secret")!.source.tags, []);
});

test("1,600 columns are read", async () => {
  await client.query(`CREATE TABLE public.wide (${Array.from({ length: 1600 }, (_, at) => `c${at} int`).join(", ")})`);
  const catalog = await loadCatalog(query, { "public.wide.c1599": ["last"] });
  assert.equal(catalog.resolveRelation("public", "wide", [])!.columns.length, 1600);
  assert.equal(
    analyze("SELECT * FROM wide", catalog, SCOPE).statements[0]!.facts.outputs[1599]!.sources[0]!.tags[0],
    "last",
  );
});

test("a text that the server cannot write leaves out no other", async () => {
  const bad = (await query("SELECT 'public.deep_7'::regclass::oid"))[0]![0]!;
  const fails = `pg_get_viewdef(c.oid) || CASE WHEN c.oid = ${bad} THEN (1 / (c.relnatts - c.relnatts))::text ELSE '' END`;
  const { store } = await readStore((sql) => query(sql.replaceAll("pg_get_viewdef(c.oid)", fails)));
  assert.deepEqual([...store.lockedAway("views")], [Number(bad)]);
  const { facts } = analyze("SELECT secret FROM deep_7", catalogOf(store, tags), SCOPE).statements[0]!;
  assert.equal(facts.outputs[0]!.derivation, "opaque");
});

test("a reading that breaks off anywhere gives no other catalog, and leaves the connection in order", async () => {
  const reading = await readStore(query);
  await client.query("CREATE TABLE public.later (id int)");
  const counted = { changed: 0, whole: 0 };
  const counting = (which: keyof typeof counted) => (sql: string) => {
    counted[which]++;
    return query(sql);
  };
  const { digest } = (await readStore(counting("changed"), reading)).store;
  await readStore(counting("whole"));
  let broken = 0;
  for (const [count, earlier] of [
    [counted.changed, reading],
    [counted.whole, undefined],
  ] as const)
    for (let at = 1; at < count - 1; at += 5) {
      let asked = 0;
      const breaking = async (sql: string) => {
        if (asked++ === at) await query("SELECT 1 / 0");
        return query(sql);
      };
      // What breaks while a text is written down is asked again.
      const outcome = await readStore(breaking, earlier).then(
        (anew) => anew.store.digest,
        (error: RegateError) => error.code,
      );
      assert.ok(outcome === "CATALOG_UNAVAILABLE" || outcome === digest, outcome);
      if (outcome !== digest) broken++;
      assert.equal(
        (await query("SELECT pg_current_xact_id_if_assigned() IS NULL AND now() = statement_timestamp()"))[0]![0],
        "t",
      );
    }
  assert.ok(broken > 5);
});

test("the server's own limits are an error with its words", async () => {
  await client.query("SET statement_timeout = 1");
  await assert.rejects(
    loadCatalog(query, {}),
    (error: RegateError) => error.code === "CATALOG_UNAVAILABLE" && /timeout|aborted/.test(error.detail ?? ""),
  );
  await client.query("RESET statement_timeout");
  await client.query("CREATE ROLE blind; SET ROLE blind");
  // Catalogs are for everybody; a server where they are not is one that cannot be judged.
  assert.ok((await loadCatalog(query, {})).relationCount > 0);
  await client.query("RESET ROLE; REVOKE SELECT ON pg_catalog.pg_proc FROM PUBLIC; SET ROLE blind");
  await assert.rejects(
    loadCatalog(query, {}),
    (error: RegateError) => error.code === "CATALOG_UNAVAILABLE" && /permission denied/.test(error.detail ?? ""),
  );
  await client.query("RESET ROLE; GRANT SELECT ON pg_catalog.pg_proc TO PUBLIC");
});
