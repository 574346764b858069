// Functions that are called, and casts that are made, in the notation of fields: `value.name` is one where the value has no such field.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`
CREATE TABLE secrets (id int PRIMARY KEY, ssn text);
CREATE TYPE pair AS (x int, y text);
CREATE TABLE plain (id int PRIMARY KEY, t text, part pair);
CREATE DOMAIN spot AS pair;
CREATE FUNCTION peek(n int) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM secrets WHERE id = n';
CREATE FUNCTION of_pair(p pair) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM secrets';
CREATE FUNCTION f1(r record) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT min(ssn) FROM secrets); END';
CREATE FUNCTION x(p text) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM secrets';
CREATE FUNCTION many(VARIADIC p pair[]) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM secrets';
CREATE FUNCTION series(n int) RETURNS SETOF int LANGUAGE sql AS 'SELECT id FROM secrets';
CREATE FUNCTION any_id(n int) RETURNS int LANGUAGE sql AS 'SELECT id FROM secrets ORDER BY random() LIMIT 1';
CREATE FUNCTION told(n int) RETURNS boolean LANGUAGE sql AS 'SELECT n > (SELECT count(ssn) FROM secrets)';
CREATE DOMAIN checked AS int CHECK (told(VALUE));
CREATE FUNCTION checked(t text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION by_name(n int) RETURNS text LANGUAGE sql AS 'SELECT n.peek';
CREATE FUNCTION by_its_own_name(n int) RETURNS text LANGUAGE sql AS 'SELECT by_its_own_name.n.peek';
CREATE FUNCTION by_number(n int) RETURNS text LANGUAGE sql AS 'SELECT $1.peek';
CREATE FUNCTION in_parentheses(n int) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (n).peek; END';
CREATE FUNCTION of_row(p plain) RETURNS int LANGUAGE sql AS 'SELECT p.id';
CREATE FUNCTION names(p plain) RETURNS text LANGUAGE sql AS 'SELECT p.t';
CREATE FUNCTION one(n int) RETURNS void LANGUAGE sql AS 'DELETE FROM plain WHERE id = n.any_id';
CREATE TABLE ruled (id int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO INSERT INTO plain (id, t) VALUES (new.id, (new.id).peek);
CREATE TABLE parted (id text) PARTITION BY LIST (id);
`);
const analysed = (text: string) => analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false });
const judged = (text: string) => analysed(text).statements[0]!.facts;
const isOpaque = (text: string): boolean => judged(text).functions.some(({ opaque }) => opaque);
const readsSecrets = (text: string): boolean =>
  judged(text).columns.some(({ table, column, schema }) => `${schema}.${table}.${column}` === "public.secrets.ssn");

const CALLS: readonly string[] = [
  "SELECT (1).peek",
  "SELECT (id).peek FROM plain",
  "SELECT (p.part).x.peek FROM plain p",
  "SELECT (ARRAY[1])[1].peek",
  "SELECT (ARRAY[1])[(2).peek::int]",
  "SELECT $1.peek",
  "SELECT s.peek FROM generate_series(1, 2) AS s",
  "SELECT (s).peek FROM generate_series(1, 2) AS s",
  "SELECT j.peek FROM json_value('1', '$' RETURNING int) AS j",
  "SELECT (part).of_pair FROM plain",
  "SELECT (part::spot).of_pair FROM plain",
  "SELECT (part).many FROM plain",
  "SELECT 1 FROM plain ORDER BY (id).peek",
  "SELECT 1 FROM plain WHERE (id).peek IS NULL",
  "SELECT * FROM json_each_text((1).peek::json)",
  "INSERT INTO plain (id, t) VALUES (1, (1).peek)",
  "INSERT INTO plain (id) VALUES (1) RETURNING (id).peek",
  "INSERT INTO plain (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET t = (excluded.id).peek",
  "UPDATE plain SET t = (id).peek",
  "UPDATE plain SET part.y = (id).peek",
  "INSERT INTO ruled VALUES (1)",
  "SELECT by_name(1)",
  "SELECT by_its_own_name(1)",
  "SELECT by_number(1)",
  "SELECT in_parentheses(1)",
  "SELECT (1).by_name",
  "CREATE TABLE z (t text DEFAULT (1).peek)",
  "ALTER TABLE plain ADD COLUMN z text DEFAULT (1).peek",
  "ALTER TABLE plain ADD CHECK ((id).peek IS NULL)",
  "CREATE INDEX ON plain (((id).peek))",
  "CREATE TABLE z PARTITION OF parted FOR VALUES IN ((1).peek)",
  "CREATE TABLE z PARTITION OF parted FOR VALUES IN (1::checked)",
  "ALTER TABLE parted ATTACH PARTITION plain FOR VALUES IN ((1).peek)",
  "CREATE DOMAIN z AS int CHECK ((VALUE).peek IS NULL)",
  "PREPARE z AS SELECT (1).peek",
  "COPY plain FROM STDIN WHERE (id).peek IS NULL",
  "DO $$ DECLARE n int; BEGIN PERFORM (n).peek; END $$",
];
describe("is a call", () => {
  for (const text of CALLS)
    test(text, () => {
      assert.equal(readsSecrets(text), true);
    });

  test("of the server's own function that is not seen through", () => {
    for (const text of ["SELECT ('SELECT 1').ts_stat", "SELECT $1.ts_stat"]) assert.equal(isOpaque(text), true);
  });

  test("that acts on what is named", () => {
    const { external, locks } = judged("SELECT (1::oid).lo_unlink, (7::bigint).pg_advisory_lock");
    assert.deepEqual(external, ["large_object"]);
    assert.equal(locks.length, 1);
  });

  test("of an aggregate", () => {
    assert.deepEqual(
      judged("SELECT p.count FROM plain p").outputs.map(({ derivation }) => derivation),
      ["aggregate"],
    );
  });
});

describe("is a cast", () => {
  for (const text of ["SELECT (1).checked", "SELECT checked(1)", "SELECT ('1').checked"])
    test(text, () => {
      assert.equal(readsSecrets(text), true);
    });
});

describe("is a field", () => {
  const FIELDS = [
    "SELECT (part).x FROM plain",
    "SELECT (part::spot).x FROM plain",
    "SELECT (s).f1 FROM (SELECT 1 AS f1) s",
    "SELECT (s.r).f1 FROM (SELECT ROW(1, 2) AS r) s",
    "SELECT (ROW(1, 2)).f1",
    "SELECT (coalesce(p)).t FROM plain p",
    "SELECT (coalesce(s)).x FROM (SELECT 1 AS x) s",
    "SELECT of_row(p), names(p) FROM plain p",
  ];
  for (const text of FIELDS)
    test(text, () => {
      assert.equal(readsSecrets(text), false);
      assert.deepEqual([isOpaque(text), analysed(text).missing], [false, undefined]);
    });

  test("or a call, where the server does not know the fields of a record", () => {
    for (const record of ["coalesce(s)", "CASE WHEN true THEN s END", "(SELECT s)"]) {
      for (const name of ["f1", "many"])
        assert.equal(readsSecrets(`SELECT (${record}).${name} FROM (SELECT 1 AS ${name}) s`), true);
      const [shown] = judged(`SELECT (${record}).row_to_json FROM (SELECT t, 1 AS row_to_json FROM plain) s`).outputs;
      assert.deepEqual(
        shown!.sources.map(({ column }) => column),
        ["t"],
      );
    }
  });
});

describe("another value for each row", () => {
  test("fixes none", () => {
    assert.equal(judged("SELECT one(1)").scoped, false);
  });
  test("or several for one, is no list", () => {
    const scoped = (output: string): boolean =>
      judged(`INSERT INTO plain SELECT ${output} FROM (VALUES (1)) v(a) ON CONFLICT (id) DO UPDATE SET t = 'x'`).scoped;
    assert.deepEqual(
      [scoped("v.a"), scoped("(v).a"), scoped("v.series"), scoped("(v).series")],
      [true, true, false, false],
    );
  });
});
