// Code of users that nobody calls by name: behind operators, casts, domains, defaults, checks, triggers and policies.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze, type StatementAnalysis } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`
CREATE TABLE plain (id int PRIMARY KEY, t text, n bigint);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN mood_domain AS mood;
CREATE FUNCTION spy(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE FUNCTION spy_number(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE FUNCTION spy_mood(mood, mood) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE FUNCTION spy_text(mood) RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN 1; END';
CREATE FUNCTION spy_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN NEW; END';
CREATE FUNCTION spy_state(bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN 1; END';
CREATE OPERATOR %%% (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = spy_number);
CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = mood, FUNCTION = spy_mood);
CREATE CAST (mood AS int) WITH FUNCTION spy_text(mood);
CREATE DOMAIN checked AS text CHECK (spy(VALUE));
CREATE TABLE moods (id int PRIMARY KEY, m mood, d mood_domain, many mood[]);
CREATE TABLE defaulted (id int PRIMARY KEY, b boolean DEFAULT spy('x'), t text CHECK (spy(t)), c checked);
CREATE DOMAIN given AS boolean DEFAULT spy('x');
CREATE DOMAIN given_too AS given;
CREATE TABLE given_defaults (id int PRIMARY KEY, g given, h given_too);
CREATE TABLE triggered (id int PRIMARY KEY, t text);
CREATE TRIGGER t BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION spy_trigger();
CREATE TABLE secured (id int PRIMARY KEY, t text);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (spy(t));
CREATE TABLE parent (id int PRIMARY KEY, t text);
CREATE TABLE child () INHERITS (parent);
CREATE TRIGGER t BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION spy_trigger();
CREATE TABLE referring (id int PRIMARY KEY, p int REFERENCES plain ON DELETE CASCADE);
CREATE TRIGGER t BEFORE DELETE ON referring FOR EACH ROW EXECUTE FUNCTION spy_trigger();
CREATE AGGREGATE spy_sum(*) (SFUNC = spy_state, STYPE = int8, INITCOND = '0');
`);

/** Code behind types: checks in what they consist of, and casts. */
const typed = await startRich(`
CREATE TABLE plain (id int PRIMARY KEY, t text, n bigint);
CREATE FUNCTION spy(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN mood_domain AS mood;
CREATE DOMAIN checked AS text CHECK (spy(VALUE));
CREATE TABLE moods (id int PRIMARY KEY, m mood, d mood_domain, many mood[]);
CREATE FUNCTION spy_json(mood) RETURNS json LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN ''1''; END';
CREATE CAST (mood AS json) WITH FUNCTION spy_json(mood);
CREATE TYPE pair AS (x int, y checked);
CREATE TABLE pairs (id int PRIMARY KEY, p pair, many pair[]);
CREATE TYPE place AS (street text, n int);
CREATE TABLE places (id int PRIMARY KEY, p place, many place[]);
CREATE FUNCTION spy_place(place) RETURNS text LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN ''x''; END';
CREATE CAST (place AS text) WITH FUNCTION spy_place(place);
CREATE TYPE amount AS (n int);
CREATE TABLE amounts (id int PRIMARY KEY, a amount, many amount[], n int);
CREATE FUNCTION spy_int(amount) RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN 1; END';
CREATE FUNCTION spy_bool(amount) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE CAST (amount AS int) WITH FUNCTION spy_int(amount) AS IMPLICIT;
CREATE CAST (amount AS boolean) WITH FUNCTION spy_bool(amount) AS ASSIGNMENT;
CREATE TABLE amount_defaults (id int PRIMARY KEY, n int DEFAULT ROW(1)::amount);
`);

/** Of a role that no policy exempts. */
const one = (text: string, { catalog } = rich): StatementAnalysis =>
  analyze(text, catalog, { ...SCOPE, user: "somebody" }).statements[0]!;
const opaque = (text: string, database = rich): string[] =>
  one(text, database)
    .facts.functions.filter((use) => use.opaque)
    .map((use) => use.name);

describe("what runs code of users names it as opaque", () => {
  const cases: readonly (readonly [text: string, name: string])[] = [
    ["SELECT 1 %%% 2", "spy_number"],
    ["SELECT id %%% n FROM plain", "spy_number"],
    ["SELECT m = 'sad' FROM moods", "spy_mood"],
    ["SELECT d = d FROM moods", "spy_mood"],
    ["SELECT m IN ('sad', 'ok') FROM moods", "spy_mood"],
    ["SELECT m IN (SELECT m FROM moods) FROM moods", "spy_mood"],
    ["SELECT CASE m WHEN 'sad' THEN 1 END FROM moods", "spy_mood"],
    ["SELECT nullif(m, 'sad') FROM moods", "spy_mood"],
    ["SELECT 1 FROM moods a JOIN moods b USING (m)", "spy_mood"],
    ["SELECT m::int FROM moods", "spy_text"],
    ["SELECT d::int FROM moods", "spy_text"],
    ["SELECT many::int[] FROM moods", "spy_text"],
    ["SELECT 'x'::checked", "spy"],
    ["SELECT ARRAY['x']::checked[]", "spy"],
    ["INSERT INTO defaulted (id) VALUES (1)", "spy"],
    ["UPDATE defaulted SET t = 'x' WHERE id = 1", "spy"],
    ["COPY defaulted FROM STDIN", "spy"],
    ["INSERT INTO given_defaults (id, g) VALUES (1, true)", "spy"],
    ["INSERT INTO given_defaults (id, h) SELECT 1, true", "spy"],
    ["INSERT INTO given_defaults VALUES (1, true, true), (2, DEFAULT, true)", "spy"],
    ["UPDATE given_defaults SET h = DEFAULT WHERE id = 1", "spy"],
    ["COPY given_defaults (id, h) FROM STDIN", "spy"],
    ["ALTER TABLE plain ADD g given_too", "spy"],
    [
      "MERGE INTO given_defaults d USING plain p ON d.id = p.id WHEN MATCHED THEN UPDATE SET g = true, h = true WHEN NOT MATCHED THEN INSERT (id) VALUES (p.id)",
      "spy",
    ],
    ["UPDATE triggered SET t = 'x' WHERE id = 1", "spy_trigger"],
    ["SELECT * FROM secured", "spy"],
    ["DELETE FROM parent WHERE id = 1", "spy_trigger"],
    ["DELETE FROM plain WHERE id = 1", "spy_trigger"],
    ["SELECT id FROM plain ORDER BY n USING %%%", "spy_number"],
  ];
  for (const [text, name] of cases) {
    test(text, () => {
      assert.deepEqual(opaque(text), [name]);
      assert.ok(one(text).effects.settings, "what it does to the session cannot be told");
    });
  }

  test("an aggregate, with the function that it runs", () => {
    assert.deepEqual(opaque("SELECT spy_sum(*) FROM plain").sort(), ["spy_state", "spy_sum"]);
  });

  test("their outputs are opaque", () => {
    for (const text of [
      "SELECT 1 %%% 2",
      "SELECT m = 'sad' FROM moods",
      "SELECT m::int FROM moods",
      "SELECT spy_sum(*) FROM plain",
      "SELECT 'x'::checked",
    ]) {
      assert.equal(one(text).facts.outputs[0]!.derivation, "opaque", text);
    }
  });
});

describe("a cast to json runs where a value is written as JSON", () => {
  for (const text of [
    "SELECT to_json(m) FROM moods",
    "SELECT to_jsonb(d) FROM moods",
    "SELECT row_to_json(moods) FROM moods",
    "SELECT to_jsonb(x) FROM (SELECT m FROM moods) x",
    "SELECT json_agg(m), 1 FROM moods",
    "SELECT jsonb_agg(moods) FROM moods",
    "SELECT array_to_json(many) FROM moods",
    "SELECT json_build_object('a', m) FROM moods",
    "SELECT jsonb_build_array(ROW(1, m)) FROM moods",
    "SELECT json_object_agg(id, m) FROM moods",
    "SELECT jsonb_object_agg_unique(id, m) FROM moods",
    "SELECT JSON_OBJECT('a': m) FROM moods",
    "SELECT JSON_ARRAY(m, 1) FROM moods",
    "SELECT JSON_ARRAY(SELECT m FROM moods)",
    "SELECT JSON_SCALAR(m) FROM moods",
    "SELECT JSON_ARRAYAGG(m) FROM moods",
    "SELECT JSON_OBJECTAGG(id: m) FROM moods",
    "SELECT JSON_VALUE('{}', '$' PASSING m AS x) FROM moods",
    "SELECT 1 FROM moods, JSON_TABLE('{}', '$' PASSING m AS x COLUMNS (a int)) t",
  ]) {
    // New in 16.
    if (text.includes("agg_unique") && typed.catalog.serverVersion < 160_000) continue;
    test(text, () => assert.ok(opaque(text, typed).includes("spy_json")));
  }
});

describe("a domain's check runs where a value is made that has one in it", () => {
  for (const text of [
    "SELECT '(1,x)'::pair",
    "SELECT ROW(1, 'x')::pair",
    "SELECT ARRAY[ROW(1, 'x')]::pair[]",
    "SELECT '{}'::pairs",
    "INSERT INTO pairs (id, p) VALUES (1, '(1,x)')",
    "UPDATE pairs SET p.y = 'x' WHERE id = 1",
    "COPY pairs FROM STDIN",
    "SELECT json_populate_record(NULL::pair, '{}')",
    "SELECT json_populate_record(p, '{}') FROM pairs",
    "SELECT * FROM jsonb_populate_recordset(NULL::pairs, '[]')",
    "SELECT * FROM jsonb_to_record('{}') AS x(n checked)",
    "SELECT * FROM ROWS FROM (json_to_recordset('[]') AS (n pair)) x",
    "SELECT JSON_VALUE('{}', '$' RETURNING checked)",
    "SELECT JSON_QUERY('{}', '$' RETURNING pair)",
    "SELECT * FROM JSON_TABLE('{}', '$' COLUMNS (a checked)) t",
    "SELECT * FROM JSON_TABLE('{}', '$' COLUMNS (NESTED PATH '$' COLUMNS (a pair))) t",
    "SELECT * FROM XMLTABLE('/a' PASSING '<a/>' COLUMNS a checked)",
    "PREPARE q(checked) AS SELECT 1",
    "PREPARE q(int, pair) AS SELECT $1",
    "ALTER TABLE plain ALTER t TYPE checked",
    "ALTER TABLE plain ADD c checked DEFAULT 'x'",
    "ALTER TABLE plain ADD c checked",
    "ALTER TABLE plain ADD c pair DEFAULT '(1,x)'",
    "DO 'DECLARE c checked; BEGIN END'",
    "DO 'DECLARE p pair; BEGIN p.y := ''x''; END'",
  ]) {
    test(text, () => assert.ok(opaque(text, typed).includes("spy")));
  }
});

describe("a parameter that the client declares", () => {
  const { catalog } = typed;
  const facts = (text: string, ...names: string[]) =>
    analyze(text, catalog, SCOPE, {
      parameterTypes: names.map((name) => catalog.typeByName("public", name, []) || 23),
    }).statements[0]!.facts.functions.map((use) => use.name);

  test("is checked by its domain, whatever the text does with it", () => {
    assert.deepEqual(facts("SELECT $1", "int4", "checked"), ["spy"]);
    assert.deepEqual(facts("SELECT $1", "pair"), ["spy"]);
    assert.deepEqual(facts("SELECT $1", "int4"), [], "another text of the same shape keeps its own facts");
    assert.deepEqual(facts("SELECT $1", "place", "mood"), []);
  });
});

describe("a cast that nobody wrote runs", () => {
  const cases: readonly (readonly [text: string, name: string])[] = [
    ["SELECT p || 'x' FROM places", "spy_place"],
    ["SELECT t || p FROM plain, places", "spy_place"],
    ["SELECT (ARRAY[1, 2])[a] FROM amounts", "spy_int"],
    ["SELECT (ARRAY[1, 2])[1:a] FROM amounts", "spy_int"],
    ["SELECT 1 FROM amounts WHERE a", "spy_bool"],
    ["SELECT 1 FROM amounts WHERE a AND id = 1", "spy_bool"],
    ["SELECT NOT a FROM amounts", "spy_bool"],
    ["SELECT a IS TRUE FROM amounts", "spy_bool"],
    ["SELECT 1 FROM amounts JOIN plain ON a", "spy_bool"],
    ["SELECT max(id) FROM amounts GROUP BY a HAVING a", "spy_bool"],
    ["SELECT count(*) FILTER (WHERE a) FROM amounts", "spy_bool"],
    ["SELECT CASE WHEN a THEN 1 END FROM amounts", "spy_bool"],
    ["SELECT 1 LIMIT ROW(1)::amount", "spy_int"],
    ["SELECT 1 OFFSET ROW(1)::amount", "spy_int"],
    ["SELECT sum(id) OVER (ORDER BY id ROWS ROW(1)::amount PRECEDING) FROM plain", "spy_int"],
    ["SELECT 1 FROM plain TABLESAMPLE bernoulli (ROW(1)::amount)", "spy_int"],
    ["SELECT coalesce(a, 1) FROM amounts", "spy_int"],
    ["SELECT greatest(1, a) FROM amounts", "spy_int"],
    ["SELECT CASE WHEN true THEN a ELSE 1 END FROM amounts", "spy_int"],
    ["SELECT ARRAY[a, 1] FROM amounts", "spy_int"],
    ["SELECT 1 IN (2, a) FROM amounts", "spy_int"],
    ["SELECT ROW(1, a) = ROW(1, 1) FROM amounts", "spy_int"],
    ["SELECT a FROM amounts UNION ALL SELECT 1", "spy_int"],
    ["VALUES (ROW(1)::amount), (1)", "spy_int"],
    ["SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FROM amounts", "spy_int"],
    ["SELECT abs(a) FROM amounts", "spy_int"],
    ["INSERT INTO amounts (id) SELECT a FROM amounts", "spy_int"],
    ["UPDATE amounts SET many[a] = NULL WHERE id = 1", "spy_int"],
    ["INSERT INTO amount_defaults (id) VALUES (1)", "spy_int"],
    ["DO 'DECLARE a amount; BEGIN IF a THEN END IF; END'", "spy_bool"],
    ["DO 'DECLARE a amount; BEGIN FOR i IN 1..a LOOP END LOOP; END'", "spy_int"],
    ["DO 'DECLARE a amount; n int := a; BEGIN END'", "spy_int"],
    ["UPDATE amounts SET (id, n) = (SELECT a, 1 FROM amounts)", "spy_int"],
    ["SELECT (1, 1) = (SELECT a, 1 FROM amounts)", "spy_int"],
    ["DELETE FROM amounts WHERE a", "spy_bool"],
    ["MERGE INTO plain USING amounts ON a WHEN MATCHED THEN DO NOTHING", "spy_bool"],
  ];
  for (const [text, name] of cases) {
    test(text, () => assert.ok(opaque(text, typed).includes(name)));
  }
});

describe("what runs none does not", () => {
  for (const text of [
    "SELECT id = 1, t = 'x', n = id FROM plain",
    "SELECT id FROM plain WHERE id IN (1, 2) AND t LIKE 'x'",
    "SELECT t::varchar FROM plain",
    "SELECT m, id FROM moods WHERE id = 1",
    "INSERT INTO plain (id) VALUES (1)",
    "INSERT INTO triggered VALUES (1, 'x')",
    "DELETE FROM triggered WHERE id = 1",
    "INSERT INTO parent (id) VALUES (1)",
    "SELECT * FROM defaulted",
    "SELECT 'sad'::mood",
    "INSERT INTO given_defaults VALUES (1, true, true)",
    "UPDATE given_defaults SET id = 2, h = false WHERE id = 1",
    "SELECT true::given",
  ]) {
    test(text, () => assert.deepEqual(opaque(text), []));
  }

  for (const text of [
    "SELECT to_json(p), json_build_object('a', id, 'b', 'x') FROM places",
    "SELECT row_to_json(plain), jsonb_agg(t), JSON_OBJECT('a': id), JSON_ARRAY(t, n) FROM plain GROUP BY plain.*, id, t, n",
    "SELECT m FROM moods UNION ALL SELECT m FROM moods",
    "SELECT a, many, n FROM amounts WHERE id = 1",
    "SELECT p FROM pairs",
    "SELECT p::place, (p).street || 'x' FROM places",
    "SELECT * FROM jsonb_to_record('{}') AS x(n int, t text)",
    "SELECT JSON_VALUE('{}', '$.a' RETURNING int)",
    "SELECT * FROM JSON_TABLE('{}', '$' COLUMNS (a int, b text PATH '$.x')) t",
    "PREPARE q(int, text) AS SELECT $1",
    "SELECT t || 'x', id || t FROM plain LIMIT 1",
  ]) {
    test(text, () => assert.deepEqual(opaque(text, typed), []));
  }

  test("nothing is scoped by somebody's own equality", () => {
    assert.equal(one("DELETE FROM moods WHERE id = 1").facts.scoped, true);
  });
});
