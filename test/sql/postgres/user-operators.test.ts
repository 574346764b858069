// Operators of users: which one the server chooses is asked of the server, for operands of many types, in every form, along several paths.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const MADE: readonly (readonly [name: string, schema: string, sign: string, left: string, right: string])[] = [
  ["eq_text", "evil", "=", "text", "text"],
  ["eq_rows", "evil", "=", "pair", "pair"],
  ["eq_big", "evil", "=", "bigint", "bigint"],
  ["ge_int", "evil", ">=", "int", "int"],
  ["eq_int_text", "public", "=", "int", "text"],
  ["eq_varchar", "public", "=", "varchar", "varchar"],
  ["eq_far", "far", "=", "int", "int"],
  ["eq_seen", "bound", "=", "bigint", "pair"],
  ["eq_exact", "bound", "=", "pair", "int"],
];
const rich = await startRich(`
CREATE SCHEMA evil; CREATE SCHEMA far; CREATE SCHEMA bound;
CREATE TYPE pair AS (x int);
CREATE DOMAIN key AS int;
CREATE TABLE t (id int PRIMARY KEY, i int, b bigint, s text, v varchar(9), d key, n numeric, q pair, a int[]);
${MADE.map(
  ([name, schema, sign, left, right]) => `
CREATE FUNCTION ${name}(${left}, ${right}) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE OPERATOR ${schema}.${sign} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = ${name});`,
).join("")}
SET search_path = bound, evil, public, pg_catalog;
CREATE VIEW public.seen AS SELECT id, CASE s WHEN 'x' THEN 1 END AS c, nullif(b, 1) AS b, i IS DISTINCT FROM 1 AS i,
  CASE q WHEN 1 THEN 1 END AS q FROM t;
CREATE VIEW public.plain AS SELECT id, CASE i WHEN 1 THEN 1 END AS c, i IS DISTINCT FROM id AS d, i IN (1, 2) AS l FROM t;
RESET search_path;
`);

const opaque = (text: string, searchPath: readonly string[]): string[] =>
  analyze(text, rich.catalog, { ...SCOPE, searchPath })
    .statements[0]!.facts.functions.filter((use) => use.opaque)
    .map((use) => use.name)
    .sort();

/** The users' operators that the server resolved it to; undefined: it refuses the statement. */
async function chosen(text: string): Promise<string[] | undefined> {
  await rich.client.query("BEGIN");
  try {
    await rich.client.query(`CREATE VIEW public.asked AS ${text}`);
    const { rows } = await rich.client.query(`
      SELECT DISTINCT p.proname FROM pg_rewrite r JOIN pg_depend x ON x.classid = 'pg_rewrite'::regclass AND x.objid = r.oid
      JOIN pg_operator o ON x.refclassid = 'pg_operator'::regclass AND o.oid = x.refobjid JOIN pg_proc p ON p.oid = o.oprcode
      WHERE r.ev_class = 'public.asked'::regclass AND p.pronamespace = 'public'::regnamespace ORDER BY 1`);
    return rows.map((row) => row.proname);
  } catch {
    return undefined;
  } finally {
    await rich.client.query("ROLLBACK");
  }
}

const PATHS: readonly (readonly string[])[] = [
  ["pg_catalog", "public"],
  ["pg_catalog", "public", "evil"],
  ["evil", "pg_catalog", "public"],
  ["evil", "public", "pg_catalog"],
  ["pg_catalog"],
];
const ATOMS = ["i", "b", "s", "v", "d", "n", "q", "1", "'1'", "1.5", "NULL", "'1'::varchar", "(SELECT i)"];
const FORMS: readonly ((left: string, right: string) => string)[] = [
  (left, right) => `${left} = ${right}`,
  (left, right) => `${left} OPERATOR(pg_catalog.=) ${right}`,
  (left, right) => `${left} OPERATOR(evil.=) ${right}`,
  (left, right) => `${left} IN (${right}, 2)`,
  (left, right) => `${left} NOT IN (${right}, '3', NULL)`,
  (left, right) => `${left} IN (${right}, i, v)`,
  (left, right) => `${left} = ANY (ARRAY[${right}])`,
  (left, right) => `${left} IN (SELECT ${right} FROM public.t)`,
  (left, right) => `(${left}, 1) IN (SELECT ${right}, 2 FROM public.t)`,
  (left, right) => `CASE ${left} WHEN ${right} THEN 1 END`,
  (left, right) => `nullif(${left}, ${right})`,
  (left, right) => `${left} IS DISTINCT FROM ${right}`,
  (left, right) => `(${left}, 1) = (${right}, 2)`,
  (left, right) => `(${left}, 1) IS DISTINCT FROM (${right}, 2)`,
  (left, right) => `(${left}, 1) IN ((${right}, 2), (3, 4))`,
  (left, right) => `${left} BETWEEN ${right} AND 5`,
];

describe("the server's choice is seen", () => {
  for (const [number, path] of PATHS.entries()) {
    test(path.join(), async () => {
      await rich.client.query(`SET search_path = ${path.join()}`);
      const missed: unknown[] = [];
      const more: unknown[] = [];
      let asked = 0;
      let at = number;
      for (const form of FORMS)
        for (const left of ATOMS)
          for (const right of ATOMS) {
            // A fifth of them along each path.
            if (at++ % PATHS.length !== 0) continue;
            const text = `SELECT ${form(left, right)} AS x FROM public.t`;
            const own = await chosen(text);
            if (own === undefined) continue;
            asked++;
            const named = opaque(text, path);
            if (own.some((name) => !named.includes(name))) missed.push([text, own, named]);
            // Of a list the server makes one array or several comparisons; of a query's rows only the columns are known; with NULL it compares nothing; of BETWEEN each bound is taken for both.
            else if (named.length > own.length && !/ IN \(| BETWEEN |DISTINCT FROM.*NULL|NULL.*DISTINCT/.test(text))
              more.push([text, own, named]);
          }
      assert.deepEqual(missed, []);
      assert.deepEqual(more, []);
      assert.ok(asked > 150, `${asked}`);
    });
  }

  test("in joins by a column", () => {
    const text = "SELECT 1 FROM public.t x JOIN public.t y USING (s)";
    assert.deepEqual(opaque(text, ["evil", "pg_catalog"]), ["eq_text"]);
    assert.deepEqual(opaque(text, ["pg_catalog", "evil"]), []);
    assert.deepEqual(opaque("SELECT 1 FROM public.t x NATURAL JOIN public.t y", ["pg_catalog", "public"]), [
      "eq_varchar",
    ]);
  });

  test("in views, whatever path they were made in, behind keywords that name no schema", () => {
    const named = opaque("SELECT * FROM public.seen", ["pg_catalog", "public"]);
    for (const name of ["eq_text", "eq_big", "eq_exact"]) assert.ok(named.includes(name), `${name} of ${named.join()}`);
    // Of two integers there is the server's own, and a user's for exactly these: either may have been meant.
    assert.deepEqual(opaque("SELECT * FROM public.plain", ["pg_catalog", "public"]), ["eq_far"]);
  });
});

describe("ordinary statements beside them", () => {
  const path = ["pg_catalog", "public"];
  const scoped = (text: string, along = path): boolean =>
    analyze(text, rich.catalog, { ...SCOPE, searchPath: along }).statements[0]!.facts.scoped;

  for (const where of ["id = 1", "id = '1'", "id = 1::int", "id IN (1, 2)", "id = ANY ('{1,2}')", "(id, b) = (1, 2)"]) {
    test(where, () => {
      assert.deepEqual(opaque(`SELECT 1 FROM public.t WHERE ${where}`, path), []);
      assert.ok(scoped(`UPDATE public.t SET s = 'z' WHERE ${where}`));
    });
  }

  test("an equality that is a user's fixes no rows", () => {
    assert.ok(scoped("DELETE FROM public.t WHERE id = 1"));
    assert.ok(!scoped("DELETE FROM public.t WHERE id = 1", ["far", "pg_catalog", "public"]));
    assert.ok(!scoped("DELETE FROM public.t WHERE id IN (1, 2)", ["far", "pg_catalog", "public"]));
    assert.ok(!scoped("DELETE FROM public.t WHERE id = ANY ('{1}'::int[])", ["far", "pg_catalog", "public"]));
    assert.ok(!scoped("DELETE FROM public.t WHERE id IN (VALUES (1))", ["far", "pg_catalog", "public"]));
    assert.ok(!scoped("DELETE FROM public.t WHERE 1 = 2", ["far", "pg_catalog", "public"]));
  });
});
