// A value that goes into a variable of PL/pgSQL or the result of a function may not fit there (another type, a length, NOT NULL): the column counts as used.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`
  CREATE TYPE short AS (a varchar(3), b int);
  CREATE TYPE level AS ENUM ('low', 'high');
  CREATE DOMAIN brief AS varchar(3);
  CREATE TYPE plain AS (a int, b int);
  CREATE DOMAIN dplain AS plain CHECK ((VALUE).a < (VALUE).b);
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE DOMAIN dshort AS short CHECK ((VALUE).b > 0);
  CREATE TABLE customers (id int PRIMARY KEY, name text, email text, iban varchar(34), points int);
  CREATE TABLE made (a varchar(5), b int);
  CREATE FUNCTION to_number() RETURNS int LANGUAGE plpgsql AS
    $$ DECLARE v text; BEGIN SELECT email INTO v FROM customers WHERE id = 1; RETURN v; END $$;
  CREATE FUNCTION to_numbers() RETURNS SETOF int LANGUAGE plpgsql AS
    $$ DECLARE v text; BEGIN FOR v IN SELECT email FROM customers LOOP RETURN NEXT v; END LOOP; END $$;
  CREATE FUNCTION to_domain() RETURNS positive LANGUAGE sql AS 'SELECT points FROM customers LIMIT 1';
  CREATE FUNCTION to_domains() RETURNS SETOF positive LANGUAGE sql AS 'SELECT points FROM customers';
  CREATE FUNCTION to_rows() RETURNS SETOF made LANGUAGE sql AS 'SELECT email, 1 FROM customers';
  CREATE FUNCTION to_table() RETURNS TABLE (a int, b positive) LANGUAGE sql AS 'SELECT 1, points FROM customers';
  CREATE FUNCTION to_checked() RETURNS dshort LANGUAGE plpgsql AS
    $$ DECLARE r record; BEGIN SELECT iban, points INTO r FROM customers; RETURN r; END $$;
  CREATE FUNCTION to_record() RETURNS SETOF record LANGUAGE sql AS 'SELECT email, points FROM customers';
  CREATE FUNCTION given() RETURNS text LANGUAGE plpgsql AS
    $$ DECLARE v text; BEGIN SELECT email INTO v FROM customers WHERE id = 1; RETURN v; END $$;
  CREATE FUNCTION given_rows() RETURNS TABLE (a text, b int) LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY SELECT email, points FROM customers; END $$;
  CREATE FUNCTION given_sql() RETURNS SETOF varchar LANGUAGE sql AS 'SELECT email FROM customers';
  CREATE FUNCTION given_customers() RETURNS SETOF customers LANGUAGE sql AS 'SELECT * FROM customers';`);

const uses = (body: string, column: string): readonly string[] => usesIn(`DO $$ ${body} $$`, column);

function usesIn(text: string, column: string): readonly string[] {
  const [statement] = analyze(text, rich.catalog, SCOPE).statements;
  assert.deepEqual(
    statement!.facts.functions.filter((use) => use.opaque),
    [],
  );
  return statement!.facts.columns.find((each) => each.column === column)?.uses ?? [];
}

describe("tells of the value", () => {
  for (const [name, body] of Object.entries({
    "a shorter text": "DECLARE v varchar(5); BEGIN SELECT email INTO v FROM customers; END",
    "a character without a length": "DECLARE v char; BEGIN SELECT email INTO v FROM customers; END",
    "a number": "DECLARE v int; BEGIN SELECT email INTO v FROM customers; END",
    "an enum": "DECLARE v level; BEGIN SELECT email INTO v FROM customers WHERE id = 1; END",
    "a domain": "DECLARE v public.brief; BEGIN FOR v IN SELECT email FROM customers LOOP END LOOP; END",
    "one of two": "DECLARE v int; w text; BEGIN SELECT id, email INTO v, w FROM customers; v := w; END",
    "a default": "DECLARE v varchar(5) := (SELECT email FROM customers LIMIT 1); BEGIN END",
    "a default of a constant": "DECLARE v CONSTANT date DEFAULT (SELECT email FROM customers LIMIT 1); BEGIN END",
    "a row": "DECLARE v short; BEGIN SELECT email, id INTO v FROM customers; END",
    "a field of a row": "DECLARE v short; BEGIN v.a := (SELECT email FROM customers LIMIT 1); END",
    "each row": "DECLARE v varchar(5); BEGIN FOR v IN SELECT email FROM customers LOOP END LOOP; END",
    "what RETURNING gives":
      "DECLARE v varchar(5); BEGIN UPDATE customers SET name = 'x' WHERE id = 1 RETURNING email INTO v; END",
    "another column's type": "DECLARE v customers.iban%TYPE; BEGIN SELECT email INTO v FROM customers; END",
    "one that must not be NULL":
      "DECLARE v text NOT NULL := 'a'; BEGIN SELECT CASE WHEN email > 'a' THEN 'a' END INTO v FROM customers; END",
    "a row that must not be NULL":
      "DECLARE v public.short NOT NULL := ROW('a', 1); BEGIN v := (SELECT CASE WHEN email > 'a' THEN ROW('a', 1)::short END FROM customers); END",
    "a default of a domain over a row":
      "DECLARE v public.dshort := (SELECT ROW(email, 1)::short FROM customers LIMIT 1); BEGIN END",
    "one name, two lengths":
      "DECLARE v text; BEGIN DECLARE v varchar(5); BEGIN SELECT email INTO v FROM customers; END; END",
  }))
    test(name, () => assert.ok(uses(body, "email").includes("expression"), String(uses(body, "email"))));
});

describe("tells of what a function gives", () => {
  for (const [call, column] of [
    ["SELECT 1 FROM to_number()", "email"],
    ["SELECT 1 FROM to_numbers()", "email"],
    ["SELECT 1 FROM to_domain()", "points"],
    ["SELECT 1 FROM to_domains()", "points"],
    ["SELECT b FROM to_rows()", "email"],
    ["SELECT a FROM to_table()", "points"],
    ["SELECT 1 FROM to_checked()", "points"],
    ["SELECT b FROM to_record() AS r(a varchar(3), b int)", "email"],
    ["SELECT a FROM to_record() AS r(a text, b positive)", "points"],
  ] as const)
    test(call, () => assert.ok(usesIn(call, column).includes("expression"), String(usesIn(call, column))));
});

describe("a function gives it whatever it is", () => {
  for (const [call, column] of [
    ["SELECT 1 FROM given()", "email"],
    ["SELECT b FROM given_rows()", "email"],
    ["SELECT 1 FROM given_sql()", "email"],
    ["SELECT id FROM given_customers()", "iban"],
    ["SELECT b FROM to_record() AS r(a text, b int)", "email"],
  ] as const)
    test(call, () => assert.ok(!usesIn(call, column).includes("expression"), String(usesIn(call, column))));
});

test("a field that is put into a row of a domain tells of itself and the others", () => {
  const body = (type: string) => `DECLARE v public.${type}; BEGIN SELECT points INTO v.a FROM customers; v.b := 7; END`;
  assert.ok(uses(body("dplain"), "points").includes("expression"));
  assert.ok(!uses(body("plain"), "points").includes("expression"));
});

test("how often FOREACH runs tells of the array", () => {
  const body =
    "DECLARE v text; r record; BEGIN SELECT 1 AS f1 INTO r; SELECT email INTO v FROM customers WHERE id = 1; FOREACH r IN ARRAY CASE WHEN v > 'a' THEN ARRAY[ROW(1)] END LOOP END LOOP; END";
  assert.ok(uses(body, "email").includes("filter"));
});

test("of a bare column in a variable that must not be NULL only that is told", () => {
  const body = "DECLARE v text NOT NULL := 'a'; BEGIN SELECT email INTO v FROM customers; END";
  assert.deepEqual(uses(body, "email"), ["nullness"]);
});

test("a loop over rows has no default of a record in it", () => {
  const body =
    "DECLARE r record; BEGIN FOR r IN SELECT email FROM customers WHERE id = 1 LOOP RAISE NOTICE 'x'; END LOOP; END";
  assert.deepEqual(uses(body, "email"), []);
});

describe("fits whatever it is", () => {
  for (const [name, body] of Object.entries({
    "a text": "DECLARE v text; BEGIN SELECT email INTO v FROM customers; END",
    "its own type": "DECLARE v customers.email%TYPE; BEGIN SELECT email INTO v FROM customers; END",
    "a row of the table": "DECLARE v customers%ROWTYPE; BEGIN SELECT * INTO v FROM customers; END",
    "a record": "DECLARE v record; BEGIN SELECT email, id INTO v FROM customers; END",
    "each row": "DECLARE v record; BEGIN FOR v IN SELECT email FROM customers LOOP END LOOP; END",
  }))
    test(name, () => assert.ok(!uses(body, "email").includes("expression"), String(uses(body, "email"))));

  test("its own type, with a length", () => {
    const body = "DECLARE v customers.iban%TYPE; BEGIN SELECT iban INTO v FROM customers WHERE id = 1; END";
    assert.ok(!uses(body, "iban").includes("expression"), String(uses(body, "iban")));
  });
});
