// A value that goes into a variable of PL/pgSQL of another type, or of a length, may not fit there: the column counts as used.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`
  CREATE TYPE short AS (a varchar(3), b int);
  CREATE TYPE level AS ENUM ('low', 'high');
  CREATE DOMAIN brief AS varchar(3);
  CREATE TABLE customers (id int PRIMARY KEY, name text, email text, iban varchar(34));`);

function uses(body: string, column: string): readonly string[] {
  const [statement] = analyze(`DO $$ ${body} $$`, rich.catalog, SCOPE).statements;
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
    "one name, two lengths":
      "DECLARE v text; BEGIN DECLARE v varchar(5); BEGIN SELECT email INTO v FROM customers; END; END",
  }))
    test(name, () => assert.ok(uses(body, "email").includes("expression"), String(uses(body, "email"))));
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
