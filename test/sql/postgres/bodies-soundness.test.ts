// Bodies against the server: whenever another value in a column changes what a call gives, that column is among its sources.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import type { Catalog } from "../../../src/sql/postgres/catalog.ts";
import { loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`
CREATE TABLE source (id int PRIMARY KEY, a int, b int, c text, d text);
INSERT INTO source VALUES (1, 10, 20, 'see', 'dee'), (2, 11, 21, 'sea', 'die');
CREATE TABLE sink (id int PRIMARY KEY, x int, y text);
INSERT INTO sink VALUES (1, 0, '');
CREATE TABLE defaulted (id int PRIMARY KEY, x int, y text);
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN near AS int;
`);
const COLUMNS = ["a", "b", "c", "d"];
const CHANGES: { readonly [column: string]: readonly string[] } = {
  a: ["0", "1000", "NULL", "20"],
  b: ["0", "-5", "NULL", "10"],
  c: ["'0'", "NULL", "'dee'", "'7'"],
  d: ["'0'", "NULL", "'see'", "'9'"],
};

type Case = readonly [about: string, definition: string, call: string];
const body = (text: string, returns = "text", args = ""): string =>
  `CREATE FUNCTION f(${args}) RETURNS ${returns} LANGUAGE plpgsql AS $$ ${text} $$`;
const sql = (text: string, returns = "text", args = ""): string =>
  `CREATE FUNCTION f(${args}) RETURNS ${returns} LANGUAGE sql AS $$ ${text} $$`;
const ON_SINK = "BEFORE INSERT OR UPDATE ON sink FOR EACH ROW EXECUTE FUNCTION f()";

const CASES: readonly Case[] = [
  ["a filter", sql("SELECT 'x' FROM source WHERE a > 5"), "SELECT f()"],
  ["an order and a limit", sql("SELECT c FROM source ORDER BY b LIMIT 1"), "SELECT f()"],
  ["EXISTS", sql("SELECT EXISTS (SELECT 1 FROM source WHERE d = 'dee')::text"), "SELECT f()"],
  [
    "an earlier statement",
    sql("UPDATE sink SET x = (SELECT b FROM source WHERE id = 1); SELECT x::text FROM sink"),
    "SELECT f()",
  ],
  [
    "an earlier statement, in FROM",
    sql("UPDATE sink SET x = (SELECT b FROM source WHERE id = 1); SELECT x::text FROM sink", "SETOF text"),
    "SELECT * FROM f()",
  ],
  ["a parameter", sql("SELECT t || '!'", "text", "t text"), "SELECT f(c) FROM source"],
  [
    "a parameter that only decides",
    sql("SELECT CASE WHEN $1 > 10 THEN 'x' ELSE 'y' END", "text", "n int"),
    "SELECT f(a) FROM source",
  ],
  ["a row as parameter", sql("SELECT r.c", "text", "r source"), "SELECT f(s) FROM source s"],
  ["functional notation", sql("SELECT r.d || r.a", "text", "r source"), "SELECT s.f FROM source s"],
  ["a row that is returned", sql("SELECT * FROM source WHERE b > 0", "SETOF source"), "SELECT c FROM f()"],
  ["a field of a row that is returned", sql("SELECT s FROM source s ORDER BY a LIMIT 1", "source"), "SELECT (f()).d"],
  [
    "OUT parameters",
    "CREATE FUNCTION f(OUT x int, OUT y text) LANGUAGE sql AS $$ SELECT a, d FROM source ORDER BY id LIMIT 1 $$",
    "SELECT y, x FROM f()",
  ],
  ["SELECT INTO", body("DECLARE v text; BEGIN SELECT c INTO v FROM source WHERE a = 10; RETURN v; END"), "SELECT f()"],
  [
    "SELECT INTO a record",
    body("DECLARE r record; BEGIN SELECT * INTO r FROM source ORDER BY id LIMIT 1; RETURN r.d; END"),
    "SELECT f()",
  ],
  [
    "SELECT INTO a row of a type",
    body("DECLARE r pair; BEGIN SELECT a, d INTO r FROM source ORDER BY id LIMIT 1; RETURN r.y; END"),
    "SELECT f()",
  ],
  [
    "a row variable",
    body("DECLARE r source%ROWTYPE; BEGIN SELECT * INTO r FROM source ORDER BY id LIMIT 1; RETURN r.d; END"),
    "SELECT f()",
  ],
  [
    "the default of a record",
    body("DECLARE r source := (SELECT s FROM source s ORDER BY id LIMIT 1); BEGIN RETURN r.c; END"),
    "SELECT f()",
  ],
  [
    "the default of a scalar",
    body("DECLARE n int := (SELECT b FROM source WHERE id = 1); BEGIN RETURN n; END"),
    "SELECT f()",
  ],
  [
    "IF",
    body("BEGIN IF (SELECT b FROM source WHERE id = 1) > 10 THEN RETURN 'x'; END IF; RETURN 'y'; END"),
    "SELECT f()",
  ],
  [
    "IF around an assignment",
    body(
      "DECLARE v text := 'y'; BEGIN IF (SELECT b FROM source WHERE id = 1) > 10 THEN v := 'x'; END IF; RETURN v; END",
    ),
    "SELECT f()",
  ],
  [
    "ELSIF",
    body(
      "BEGIN IF false THEN NULL; ELSIF (SELECT d FROM source WHERE id = 1) = 'dee' THEN RETURN 'x'; END IF; RETURN 'y'; END",
    ),
    "SELECT f()",
  ],
  [
    "CASE",
    body("BEGIN CASE (SELECT a FROM source WHERE id = 1) WHEN 10 THEN RETURN 'x'; ELSE RETURN 'y'; END CASE; END"),
    "SELECT f()",
  ],
  [
    "CASE without an expression",
    body("BEGIN CASE WHEN (SELECT a FROM source WHERE id = 1) = 10 THEN RETURN 'x'; ELSE RETURN 'y'; END CASE; END"),
    "SELECT f()",
  ],
  [
    "a loop over numbers",
    body(
      "DECLARE v text := ''; BEGIN FOR i IN 1..coalesce((SELECT least(a, 50) FROM source WHERE id = 1), 3) LOOP v := v || i; END LOOP; RETURN v; END",
    ),
    "SELECT f()",
  ],
  [
    "a loop over a query",
    body(
      "DECLARE r record; v text := ''; BEGIN FOR r IN SELECT c FROM source WHERE b > 0 LOOP v := v || coalesce(r.c, '-'); END LOOP; RETURN v; END",
    ),
    "SELECT f()",
  ],
  [
    "the number of turns",
    body(
      "DECLARE r record; n int := 0; BEGIN FOR r IN SELECT 1 FROM source WHERE b > 0 LOOP n := n + 1; END LOOP; RETURN n; END",
    ),
    "SELECT f()",
  ],
  [
    "WHILE",
    body(
      "DECLARE n int := 0; BEGIN WHILE n < (SELECT least(a, 50) FROM source WHERE id = 1) LOOP n := n + 1; END LOOP; RETURN n; END",
    ),
    "SELECT f()",
  ],
  [
    "EXIT",
    body(
      "DECLARE n int := 0; BEGIN LOOP EXIT WHEN n >= coalesce((SELECT least(a, 50) FROM source WHERE id = 1), 0); n := n + 1; END LOOP; RETURN n; END",
    ),
    "SELECT f()",
  ],
  [
    "FOREACH",
    body(
      "DECLARE v text := ''; x text; BEGIN FOREACH x IN ARRAY (SELECT array_agg(d ORDER BY id) FROM source) LOOP v := v || coalesce(x, '-'); END LOOP; RETURN v; END",
    ),
    "SELECT f()",
  ],
  [
    "a bound cursor",
    body(
      "DECLARE k CURSOR (n int) FOR SELECT c FROM source WHERE id = n; v text; BEGIN OPEN k(1); FETCH k INTO v; CLOSE k; RETURN v; END",
    ),
    "SELECT f()",
  ],
  [
    "a loop over a cursor",
    body(
      "DECLARE k CURSOR (n int) FOR SELECT c FROM source WHERE a = n; v text := ''; BEGIN FOR r IN k((SELECT b FROM source WHERE id = 1) - 10) LOOP v := v || coalesce(r.c, '-'); END LOOP; RETURN v; END",
    ),
    "SELECT f()",
  ],
  [
    "FOUND",
    body("BEGIN PERFORM 1 FROM source WHERE d = 'dee'; IF FOUND THEN RETURN 'x'; END IF; RETURN 'y'; END"),
    "SELECT f()",
  ],
  [
    "FOUND after SELECT INTO",
    body("DECLARE n int; BEGIN SELECT 1 INTO n FROM source WHERE d = 'dee'; RETURN FOUND; END"),
    "SELECT f()",
  ],
  [
    "ROW_COUNT",
    body(
      "DECLARE n int; BEGIN UPDATE sink SET x = 1 WHERE id IN (SELECT id FROM source WHERE b > 0); GET DIAGNOSTICS n = ROW_COUNT; RETURN n; END",
    ),
    "SELECT f()",
  ],
  [
    "an error that is caught",
    body(
      "DECLARE n int; BEGIN n := 100 / (SELECT a FROM source WHERE id = 1); RETURN 'x'; EXCEPTION WHEN OTHERS THEN RETURN 'y'; END",
    ),
    "SELECT f()",
  ],
  [
    "the message of an error",
    body(
      "BEGIN PERFORM (SELECT c FROM source WHERE id = 1)::int; RETURN ''; EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END",
    ),
    "SELECT f()",
  ],
  [
    "the diagnostics of an error",
    body(
      "DECLARE m text; BEGIN RAISE EXCEPTION '%', (SELECT c FROM source WHERE id = 1); EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS m = MESSAGE_TEXT; RETURN m; END",
    ),
    "SELECT f()",
  ],
  [
    "RETURN NEXT",
    body(
      "BEGIN IF (SELECT a FROM source WHERE id = 1) = 10 THEN RETURN NEXT 'x'; ELSE RETURN NEXT 'y'; END IF; END",
      "SETOF text",
    ),
    "SELECT * FROM f()",
  ],
  [
    "RETURN QUERY",
    body("BEGIN RETURN QUERY SELECT c, b FROM source ORDER BY id; END", "TABLE (p text, q int)"),
    "SELECT q FROM f()",
  ],
  [
    "RETURN NEXT of OUT parameters",
    body(
      "BEGIN FOR i, v IN SELECT a, d FROM source ORDER BY id LOOP RETURN NEXT; END LOOP; END",
      "TABLE (i int, v text)",
    ),
    "SELECT v FROM f()",
  ],
  [
    "an element of an array",
    body(
      "DECLARE v text[]; BEGIN v[(SELECT CASE WHEN a > 10 THEN 1 ELSE 2 END FROM source WHERE id = 1)] := 'x'; RETURN v[1]; END",
    ),
    "SELECT f()",
  ],
  [
    "a field that is assigned",
    body("DECLARE r pair; BEGIN r.y := (SELECT d FROM source WHERE id = 1); RETURN r.y; END"),
    "SELECT f()",
  ],
  [
    "a row that is assigned",
    body("DECLARE r pair; q pair; BEGIN r := row(1, (SELECT d FROM source WHERE id = 1)); q := r; RETURN q.y; END"),
    "SELECT f()",
  ],
  [
    "an alias",
    body("DECLARE other ALIAS FOR $1; BEGIN RETURN other; END", "text", "t text"),
    "SELECT f(c) FROM source",
  ],
  [
    "a parameter that is assigned",
    body("BEGIN n := (SELECT a FROM source WHERE id = 1); RETURN $1; END", "int", "n int"),
    "SELECT f(0)",
  ],
  [
    "a qualified variable",
    body("<<outside>> DECLARE c text := (SELECT d FROM source WHERE id = 1); BEGIN RETURN outside.c; END"),
    "SELECT f()",
  ],
  [
    "a qualified parameter",
    body("BEGIN RETURN (SELECT f.c FROM sink WHERE id = 1); END", "text", "c text"),
    "SELECT f(d) FROM source",
  ],
  [
    "RETURNING INTO",
    body(
      "DECLARE v int; BEGIN UPDATE sink SET x = (SELECT a FROM source WHERE id = 1) RETURNING x INTO v; RETURN v; END",
    ),
    "SELECT f()",
  ],
  [
    "written and read again",
    body("BEGIN UPDATE sink SET x = (SELECT a FROM source WHERE id = 1); RETURN (SELECT x FROM sink); END"),
    "SELECT f()",
  ],
  [
    "written and read again, in FROM",
    body(
      "BEGIN UPDATE sink SET x = (SELECT a FROM source WHERE id = 1); RETURN QUERY SELECT x FROM sink; END",
      "SETOF int",
    ),
    "SELECT * FROM f()",
  ],
  [
    "a function that it calls",
    `${sql("SELECT c FROM source ORDER BY a NULLS FIRST LIMIT 1")}; CREATE FUNCTION g() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN f(); END $$`,
    "SELECT g()",
  ],
  [
    "a procedure that it calls",
    `CREATE PROCEDURE p(INOUT t text) LANGUAGE plpgsql AS $$ BEGIN SELECT d INTO t FROM source WHERE id = 1; END $$; ${body("DECLARE v text; BEGIN CALL p(v); RETURN v; END")}`,
    "SELECT f()",
  ],
  [
    "an aggregate",
    `CREATE FUNCTION f(int, int) RETURNS int LANGUAGE sql AS $$ SELECT coalesce($1, 0) + coalesce($2, 0) + coalesce((SELECT max(b) FROM source), 0) $$; CREATE AGGREGATE agg(int) (SFUNC = f, STYPE = int)`,
    "SELECT agg(a) FROM source",
  ],
  [
    "an operator",
    `${sql("SELECT $1 + coalesce((SELECT b FROM source WHERE id = 1), 0)", "int", "int, int")}; CREATE OPERATOR %%% (LEFTARG = int, RIGHTARG = int, FUNCTION = f)`,
    "SELECT 1 %%% 2",
  ],
  [
    "a cast",
    `${sql("SELECT $1.y || coalesce((SELECT c FROM source WHERE id = 1), '')", "text", "pair")}; CREATE CAST (pair AS text) WITH FUNCTION f(pair)`,
    "SELECT row(1, 'x')::pair::text",
  ],
  [
    "a domain's check",
    `${sql("SELECT $1 > coalesce((SELECT b FROM source WHERE id = 1), 0)", "boolean", "int")}; ALTER DOMAIN near ADD CHECK (f(VALUE))`,
    "SELECT 15::near",
  ],
  [
    "a default that is computed",
    `${sql("SELECT d FROM source WHERE id = 1")}; ALTER TABLE defaulted ALTER y SET DEFAULT f()`,
    "INSERT INTO defaulted (id) VALUES (1) RETURNING y",
  ],
  [
    "the default of a parameter",
    `${sql("SELECT max(c) FROM source")}; CREATE FUNCTION g(t text DEFAULT f()) RETURNS text LANGUAGE sql AS $$ SELECT t $$`,
    "SELECT g()",
  ],
  [
    "what a trigger puts into the row",
    `${body("BEGIN NEW.y := (SELECT c FROM source WHERE id = 1); RETURN NEW; END", "trigger")}; CREATE TRIGGER t ${ON_SINK}`,
    "UPDATE sink SET x = 1 WHERE id = 1 RETURNING y",
  ],
  [
    "what a trigger puts into the row under a condition",
    `${body("BEGIN IF (SELECT a FROM source WHERE id = 1) > 5 THEN NEW.y := 'x'; END IF; RETURN NEW; END", "trigger")}; CREATE TRIGGER t ${ON_SINK}`,
    "UPDATE sink SET x = 1 WHERE id = 1 RETURNING y",
  ],
  [
    "a row that a trigger returns",
    `${body("DECLARE r sink; BEGIN r := NEW; r.y := (SELECT d FROM source WHERE id = 1); RETURN r; END", "trigger")}; CREATE TRIGGER t ${ON_SINK}`,
    "INSERT INTO sink VALUES (2, 1, 'x') RETURNING y",
  ],
  [
    "what a trigger's INTO puts into the row",
    `${body("BEGIN SELECT b, d INTO NEW.x, NEW.y FROM source WHERE id = 1; RETURN NEW; END", "trigger")}; CREATE TRIGGER t ${ON_SINK}`,
    "INSERT INTO sink VALUES (2, 1, 'x') RETURNING y, x",
  ],
];

describe("what a call gives depends on its sources", () => {
  for (const [about, definition, call] of CASES) {
    test(about, async () => {
      await rich.client.query("BEGIN");
      try {
        await rich.client.query(definition);
        const { facts } = analyze(call, await catalog(), SCOPE).statements[0]!;
        const opaque = facts.outputs.some((output) => output.derivation === "opaque");
        assert.ok(!opaque, `it is understood: ${JSON.stringify(facts.functions)}`);
        const sources = new Set(
          facts.outputs.flatMap((output) =>
            output.sources.filter(({ table }) => table === "source").map(({ column }) => column),
          ),
        );
        // Of a set of rows, what filters and orders them is said by the uses.
        if (/ FROM f/.test(call))
          for (const { table, column, uses } of facts.columns)
            if (
              table === "source" &&
              uses.some((use) => use !== "output" && use !== "expression" && !use.startsWith("write"))
            )
              sources.add(column);
        const first = await outcome(call);
        const found = new Set<string>();
        for (const column of COLUMNS)
          for (const value of CHANGES[column]!)
            if ((await outcome(call, `UPDATE source SET ${column} = ${value}`)) !== first) found.add(column);
        const missing = [...found].filter((column) => !sources.has(column));
        assert.deepEqual(missing, [], `sources are ${[...sources].join(", ")}`);
        if (/source/.test(definition)) assert.ok(found.size > 0, "something changes what it gives");
      } finally {
        await rich.client.query("ROLLBACK");
      }
    });
  }
});

/** As the open transaction sees it, with every name qualified. */
async function catalog(): Promise<Catalog> {
  await rich.client.query("SET LOCAL search_path = pg_catalog");
  const loaded = await loadCatalog(rich.query, undefined, "within a transaction");
  await rich.client.query("SET LOCAL search_path = public");
  return loaded;
}

/** The rows, or the error's code. */
async function outcome(call: string, change?: string): Promise<string> {
  await rich.client.query("SAVEPOINT before");
  try {
    if (change !== undefined) await rich.client.query(change);
    return JSON.stringify((await rich.client.query({ text: call, rowMode: "array" })).rows);
  } catch (thrown) {
    return String((thrown as { code?: string }).code);
  } finally {
    await rich.client.query("ROLLBACK TO SAVEPOINT before");
  }
}
