// Bodies of functions, triggers and rules in the facts of what runs them: what they touch, write and reach, by which names, and what is opaque.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Source, StatementFacts } from "../../../src/core/facts.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`
CREATE SCHEMA other;
CREATE TABLE people (id int PRIMARY KEY, name text, email text);
CREATE TABLE other.people (id int PRIMARY KEY, name text);
CREATE TABLE notes (id int PRIMARY KEY, note text, n int);
CREATE TABLE watched (id int PRIMARY KEY, x text, y text);
CREATE TABLE ruled (id int PRIMARY KEY, x text);
CREATE TABLE shown (id int PRIMARY KEY, x text);
CREATE TABLE late (id int PRIMARY KEY, x text);
CREATE TABLE parted (id int, x text) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1);
CREATE VIEW seen AS SELECT id, x AS renamed FROM watched;
CREATE FUNCTION plain() RETURNS text LANGUAGE sql AS 'SELECT name FROM people WHERE id = 1';
CREATE FUNCTION named() RETURNS text LANGUAGE sql AS 'SELECT name FROM public.people WHERE id = 1';
CREATE FUNCTION pinned() RETURNS text LANGUAGE sql SET search_path = other AS 'SELECT name FROM people WHERE id = 1';
CREATE FUNCTION defining() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT name FROM people WHERE id = 1';
CREATE FUNCTION of_role() RETURNS text LANGUAGE sql SET search_path = "$user" AS 'SELECT 1::text';
CREATE FUNCTION otherwise() RETURNS text LANGUAGE sql SET standard_conforming_strings = off AS 'SELECT 1::text';
CREATE FUNCTION nested() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN public.plain(); END';
CREATE FUNCTION writes(t text) RETURNS void LANGUAGE sql AS 'INSERT INTO notes (id, note) VALUES (1, t)';
CREATE FUNCTION one_row(int) RETURNS void LANGUAGE sql AS 'DELETE FROM notes WHERE id = $1';
CREATE FUNCTION one_row_looped(int) RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM notes WHERE id = $1; END';
CREATE FUNCTION recursive(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN recursive(n - 1); END';
CREATE FUNCTION ping(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN pong(n); END';
CREATE FUNCTION pong(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN ping(n); END';
CREATE FUNCTION dynamic() RETURNS int LANGUAGE plpgsql AS 'DECLARE n int; BEGIN EXECUTE ''SELECT 1'' INTO n; RETURN n; END';
CREATE FUNCTION dynamic_query() RETURNS SETOF int LANGUAGE plpgsql AS 'BEGIN RETURN QUERY EXECUTE ''SELECT 1''; END';
CREATE FUNCTION moves() RETURNS text LANGUAGE plpgsql AS 'BEGIN SET LOCAL search_path = other; RETURN (SELECT name FROM people LIMIT 1); END';
CREATE FUNCTION moves_own() RETURNS text LANGUAGE plpgsql SET search_path = public AS 'BEGIN SET LOCAL search_path = other; RETURN (SELECT name FROM people LIMIT 1); END';
CREATE FUNCTION makes() RETURNS text LANGUAGE plpgsql AS 'BEGIN CREATE TEMP TABLE people (name text); RETURN (SELECT name FROM people LIMIT 1); END';
CREATE FUNCTION opens(r refcursor) RETURNS refcursor LANGUAGE plpgsql AS 'BEGIN OPEN r FOR SELECT email FROM people; RETURN r; END';
CREATE FUNCTION missing() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT x FROM nowhere); END';
CREATE FUNCTION quoted() RETURNS text LANGUAGE plpgsql AS $q$ BEGIN RETURN $function$a$function$ || '$body$' || (SELECT email FROM people LIMIT 1); END $q$;
CREATE FUNCTION "odd "" name$function$"("a $1 ; b" text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN "a $1 ; b"; END';
CREATE FUNCTION shadowed(name text) RETURNS text LANGUAGE sql AS 'SELECT name FROM public.people LIMIT 1';
CREATE FUNCTION qualified_param(name text) RETURNS text LANGUAGE sql AS 'SELECT qualified_param.name FROM public.people LIMIT 1';
CREATE FUNCTION whole(p text) RETURNS text LANGUAGE sql AS 'SELECT p::text FROM public.people p LIMIT 1';
CREATE FUNCTION over(int) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.people LIMIT 1';
CREATE FUNCTION over(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION many(VARIADIC t text[]) RETURNS text LANGUAGE sql AS 'SELECT t[1]';
CREATE FUNCTION two(a text, b text DEFAULT public.named()) RETURNS text LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION any_of(a anyelement) RETURNS anyelement LANGUAGE plpgsql AS 'BEGIN RETURN a; END';
CREATE FUNCTION inner_write() RETURNS int LANGUAGE sql AS 'INSERT INTO notes VALUES (1) RETURNING id';
CREATE FUNCTION lying() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT inner_write()';
CREATE FUNCTION columns() RETURNS TABLE (a text, b text) LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT name, email FROM public.people; END';
CREATE PROCEDURE does(t text) LANGUAGE plpgsql AS 'BEGIN UPDATE notes SET note = t WHERE id = 1; COMMIT; END';
CREATE VIEW over_plain AS SELECT plain() AS a;
CREATE VIEW over_named AS SELECT named() AS a;
CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes (id, note) VALUES (NEW.id, NEW.x); RETURN NEW; END';
CREATE TRIGGER copies AFTER INSERT OR UPDATE ON watched FOR EACH ROW WHEN (NEW.y IS NOT NULL) EXECUTE FUNCTION copies();
CREATE FUNCTION keeps_old() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes (id, note) SELECT id, y FROM gone; RETURN NULL; END';
CREATE TRIGGER keeps AFTER DELETE ON watched REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keeps_old();
CREATE FUNCTION at_end() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes (id) VALUES (1); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE FOR EACH ROW EXECUTE FUNCTION at_end();
CREATE TRIGGER parted AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION copies();
CREATE RULE also AS ON UPDATE TO ruled DO ALSO INSERT INTO notes (id, note) VALUES (OLD.id, NEW.x);
CREATE RULE shows AS ON INSERT TO shown DO ALSO SELECT email FROM people;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.notes (id, note) VALUES (1, tg_tag); END';
CREATE EVENT TRIGGER on_ddl ON ddl_command_end WHEN TAG IN ('CREATE SEQUENCE') EXECUTE FUNCTION on_ddl();
`);

const judged = (text: string, searchPath = SCOPE.searchPath): StatementFacts =>
  analyze(text, rich.catalog, { ...SCOPE, searchPath }).statements[0]!.facts;
const nameOf = ({ schema, table, column }: Pick<Source, "schema" | "table" | "column">): string =>
  `${schema === "public" ? "" : `${schema}.`}${table}.${column}`;
const sources = (text: string, path?: readonly string[]): string[] =>
  judged(text, path)
    .outputs.flatMap((output) => output.sources.map(nameOf))
    .sort();
const opaque = (text: string, path?: readonly string[]): string[] =>
  judged(text, path)
    .functions.filter((use) => use.opaque)
    .map((use) => use.name)
    .sort();
const writes = (text: string): string[] =>
  judged(text)
    .writes.map((write) => `${nameOf(write)} <- ${write.sources.map(nameOf).sort().join(", ")}`)
    .sort();
const relations = (text: string): string[] =>
  judged(text).relations.map(
    ({ schema, name, access, via }) =>
      `${schema}.${name} ${access.join("+")}${via.length === 0 ? "" : ` via ${via.join(" > ")}`}`,
  );

describe("names in a body", () => {
  test("are those of the path that holds at the call", () => {
    assert.deepEqual(sources("SELECT plain()"), ["people.id", "people.name"]);
    assert.deepEqual(sources("SELECT public.plain()", ["pg_catalog", "other", "public"]), [
      "other.people.id",
      "other.people.name",
    ]);
  });

  test("are those of its own path, whatever the session's", () => {
    for (const path of [
      ["pg_catalog", "public"],
      ["pg_catalog", "other"],
    ])
      assert.deepEqual(sources("SELECT public.pinned()", path), ["other.people.id", "other.people.name"]);
  });

  test("cannot be told where a temporary table stands before what the session may have found earlier", async () => {
    const { client } = rich;
    await client.query(`CREATE TEMP TABLE people (id int, name text); CREATE TEMP TABLE mine (x text)`);
    await client.query(`CREATE FUNCTION of_mine() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT x FROM mine); END';
      CREATE FUNCTION behind() RETURNS text LANGUAGE sql SET search_path = other, pg_temp AS 'SELECT name FROM people WHERE id = 1'`);
    const { rows } = await client.query("SELECT pg_my_temp_schema()::regnamespace::text AS mine");
    const catalog = await rich.load();
    const searchPath = [rows[0].mine, "pg_catalog", "public"];
    const unknown = (call: string): boolean =>
      analyze(`SELECT public.${call}`, catalog, { ...SCOPE, searchPath }).statements[0]!.facts.functions[0]!.opaque;
    const calls = ["plain()", "nested()", "pinned()", "named()", "quoted()", "of_mine()", "behind()", "writes('')"];
    assert.deepEqual(calls.filter(unknown), ["plain()", "nested()", "pinned()", "quoted()"]);
    await client.query(
      "DROP TABLE pg_temp.people, pg_temp.mine; DROP FUNCTION public.of_mine(); DROP FUNCTION public.behind()",
    );
  });

  test("of the functions that it calls are found in the same path", () => {
    assert.deepEqual(sources("SELECT public.nested()", ["pg_catalog", "other"]), [
      "other.people.id",
      "other.people.name",
    ]);
  });

  test("cannot be told under SECURITY DEFINER with several schemas", () => {
    assert.deepEqual(opaque("SELECT defining()"), []);
    assert.deepEqual(opaque("SELECT public.defining()", ["pg_catalog", "public", "other"]), ["defining"]);
  });

  test("cannot be told where a role or a setting decides", () => {
    assert.deepEqual(opaque("SELECT of_role()"), ["of_role"]);
    assert.deepEqual(opaque("SELECT otherwise()"), ["otherwise"]);
  });

  test("cannot be told when the statement itself may change the path, unless they are qualified", () => {
    const text = "SELECT set_config('search_path', 'other', false), plain(), named()";
    assert.deepEqual(opaque(text), ["plain"]);
    assert.ok(judged(text).outputs.every((output) => output.derivation === "opaque"));
    assert.deepEqual(opaque("SELECT dynamic(), plain()"), ["dynamic", "plain"]);
    assert.deepEqual(opaque("SELECT dynamic(), named()"), ["dynamic"]);
  });

  test("cannot be told in a view, which is read in any path, unless they are qualified", () => {
    assert.deepEqual(opaque("SELECT a FROM over_plain"), ["plain"]);
    assert.deepEqual(opaque("SELECT a FROM over_named"), []);
    assert.deepEqual(sources("SELECT a FROM over_named"), ["over_named.a", "people.id", "people.name"]);
  });

  test("a parameter loses against a column and against a row, and wins when it is qualified", () => {
    assert.deepEqual(sources("SELECT shadowed(note) FROM notes"), ["notes.note", "people.name"]);
    assert.deepEqual(sources("SELECT qualified_param(note) FROM notes"), ["notes.note"]);
    assert.deepEqual(sources("SELECT whole('x')"), ["people.email", "people.id", "people.name"]);
  });
});

describe("what cannot be told is opaque", () => {
  for (const [call, ...names] of [
    ["SELECT recursive(1)", "recursive"],
    ["SELECT ping(1)", "ping", "pong"],
    ["SELECT dynamic()", "dynamic"],
    ["SELECT * FROM dynamic_query()", "dynamic_query"],
    ["SELECT moves()", "moves"],
    ["SELECT moves_own()", "moves_own"],
    ["SELECT makes()", "makes"],
    ["SELECT opens('c')", "opens"],
    ["SELECT missing()", "missing"],
    ["INSERT INTO late VALUES (1)", "at_end"],
    ["INSERT INTO shown VALUES (1)", "shown.shows"],
  ] as const) {
    test(call, () => {
      assert.deepEqual(opaque(call), names);
      assert.ok(judged(call).outputs.every((output) => output.derivation === "opaque"));
    });
  }

  test("a chain of calls beyond a depth", async () => {
    const chain = Array.from(
      { length: 60 },
      (_, at) =>
        `CREATE FUNCTION chain_${at}() RETURNS int LANGUAGE sql AS 'SELECT ${at === 0 ? "1" : `public.chain_${at - 1}()`}'`,
    );
    await rich.client.query(chain.join(";"));
    const catalog = await rich.load();
    const uses = (text: string) => analyze(text, catalog, SCOPE).statements[0]!.facts.functions;
    assert.ok(uses("SELECT chain_59()").some((use) => use.opaque));
    assert.ok(uses("SELECT chain_5()").every((use) => !use.opaque));
  });
});

describe("hostile texts", () => {
  test("quotes of dollars in a body end nothing", () => {
    assert.deepEqual(sources("SELECT quoted()"), ["people.email"]);
    assert.deepEqual(
      judged(
        "DO $outer$ BEGIN RAISE NOTICE '%', $body$x$body$ || (SELECT email FROM people LIMIT 1) || $bodyy$; $bodyy$; END $outer$",
      ).columns.map(nameOf),
      ["people.email"],
    );
  });

  test("names that look like SQL are names", () => {
    assert.deepEqual(sources(`SELECT "odd "" name$function$"(email) FROM people`), ["people.email"]);
  });
});

describe("calls", () => {
  test("of overloads run any that the server might choose", () => {
    assert.deepEqual(sources("SELECT over(NULL)"), ["people.email"]);
    assert.deepEqual(sources("SELECT over(note) FROM notes"), ["notes.note"]);
  });

  test("pass named, variadic, default and polymorphic arguments", () => {
    assert.deepEqual(sources("SELECT many(note, name) FROM notes, people"), ["notes.note", "people.name"]);
    assert.deepEqual(sources("SELECT two(b => 'x', a => note) FROM notes"), ["notes.note"]);
    assert.deepEqual(
      judged("SELECT two('x')")
        .functions.map((use) => use.name)
        .sort(),
      ["named", "two"],
    );
    assert.deepEqual(sources("SELECT any_of(note) FROM notes"), ["notes.note"]);
  });

  test("in FROM give their columns one by one", () => {
    assert.deepEqual(sources("SELECT a FROM columns()"), ["people.name"]);
    assert.deepEqual(sources("SELECT x.b FROM ROWS FROM (columns(), columns()) AS x (a, b, c, d)"), ["people.email"]);
    assert.deepEqual(sources("SELECT x.b FROM notes, LATERAL columns() x"), ["people.email"]);
  });

  test("name what their bodies read, and through what", () => {
    const facts = judged("SELECT nested()");
    assert.deepEqual(relations("SELECT nested()"), ["public.people select via public.nested > public.plain"]);
    assert.deepEqual(facts.functions.find((use) => use.name === "nested")?.reads, [
      "public.people.id",
      "public.people.name",
    ]);
  });

  test("that write make a write, and let what they are given flow", () => {
    assert.equal(judged("SELECT writes(email) FROM people").class, "write");
    assert.deepEqual(writes("SELECT writes(email) FROM people"), ["notes.id <- ", "notes.note <- people.email"]);
  });

  test("are scoped where their own statements fix rows by constant arguments", () => {
    assert.equal(judged("SELECT one_row(1)").scoped, true);
    assert.equal(judged("SELECT one_row(id) FROM people").scoped, false);
    assert.equal(judged("SELECT one_row_looped(1)").scoped, false);
  });

  test("that run while planning are not hidden by EXPLAIN", () => {
    assert.equal(judged("EXPLAIN SELECT lying()").class, "write");
    assert.equal(judged("EXPLAIN SELECT inner_write()").class, "read");
  });
});

describe("code", () => {
  test("CALL and DO are code, with the facts of their bodies", () => {
    assert.equal(judged("CALL does('x')").class, "code");
    assert.deepEqual(writes("CALL does('x')"), ["notes.note <- "]);
    const text =
      "DO $$ DECLARE e text; BEGIN SELECT email INTO e FROM people; INSERT INTO notes (id, note) VALUES (1, e); END $$";
    assert.equal(judged(text).class, "code");
    assert.deepEqual(writes(text), ["notes.id <- ", "notes.note <- people.email"]);
  });

  test("DO in another language, and what is no block, is opaque", () => {
    for (const text of ["DO LANGUAGE plperl 'x'", "DO 'x'", "DO $$ BEGIN EXECUTE 'SELECT 1'; END $$"])
      assert.ok(analyze(text, rich.catalog, SCOPE).statements[0]!.effects.settings, text);
  });
});

describe("what runs by itself", () => {
  test("a trigger copies what is written, and the row that was there", () => {
    assert.deepEqual(writes("INSERT INTO watched SELECT id, email FROM people"), [
      "notes.id <- people.id",
      "notes.note <- people.email",
      "watched.id <- people.id",
      "watched.x <- people.email",
    ]);
    assert.ok(relations("UPDATE watched SET x = 'x'").includes("public.notes insert via public.copies"));
  });

  test("the condition of a trigger counts: here it tells whether a value is there", () => {
    const { columns } = judged("UPDATE watched SET x = 'x' WHERE id = 1");
    assert.deepEqual(columns.find((column) => column.column === "y")?.uses, ["nullness"]);
  });

  test("a trigger reads its transition tables", () => {
    assert.ok(writes("DELETE FROM watched").includes("notes.note <- watched.y"));
  });

  test("a trigger runs behind a view", () => {
    assert.ok(
      writes("UPDATE seen SET renamed = (SELECT email FROM people LIMIT 1)").includes(
        "notes.note <- people.email, watched.x",
      ),
    );
  });

  test("a partition's copy of a trigger names the table", () => {
    assert.deepEqual(
      writes("INSERT INTO parted VALUES (1, 'x')").filter((flow) => flow.startsWith("notes")),
      ["notes.id <- ", "notes.note <- "],
    );
  });

  test("a rule copies OLD and NEW", () => {
    assert.deepEqual(opaque("UPDATE ruled SET x = 'x'"), []);
    assert.ok(relations("UPDATE ruled SET x = 'x'").includes("public.notes insert via public.ruled.also"));
    assert.deepEqual(writes("UPDATE ruled SET x = (SELECT email FROM people LIMIT 1)"), [
      "notes.id <- ruled.id",
      "notes.note <- people.email, ruled.x",
      "ruled.x <- people.email",
    ]);
  });

  test("DDL runs the event triggers that wait for it", () => {
    assert.ok(relations("CREATE SEQUENCE s").includes("public.notes insert via public.on_ddl"));
    assert.deepEqual(judged("DROP SEQUENCE s").functions, []);
  });
});
