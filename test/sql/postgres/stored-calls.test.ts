// Calls of the server's own functions that are stored (in defaults, checks, domains, …), and act in statements that do not show them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Analysis, analyze } from "../../../src/sql/postgres/analyze.ts";
import { changesWhileParsed } from "../../../src/sql/postgres/type-code.ts";
import { flows } from "./render.ts";
import { schemaSql } from "./schema.ts";
import { SCOPE, startRich } from "./support.ts";

const SETS = "set_config('search_path', 'app', false)";
const rich = await startRich(`${schemaSql}
CREATE TABLE public.of_default (x int PRIMARY KEY, y text DEFAULT ${SETS});
CREATE TABLE public.of_check (x int PRIMARY KEY, y text CHECK (${SETS} IS NOT NULL));
CREATE TABLE public.copied (LIKE public.of_default INCLUDING ALL);
CREATE TABLE public.parted (x int, y text) PARTITION BY LIST (x);
CREATE TABLE public.part PARTITION OF public.parted (y DEFAULT ${SETS}) DEFAULT;
CREATE TABLE public.telling (x text CHECK (pg_notify('heard', x) IS NOT NULL));
CREATE SEQUENCE public.counter;
CREATE TABLE public.ordinary (x bigint DEFAULT nextval('counter'), y timestamptz DEFAULT now(), z text CHECK (z <> 'set_config'));
CREATE VIEW public.v_default AS SELECT x, y FROM public.ordinary;
ALTER VIEW public.v_default ALTER y SET DEFAULT ${SETS}::timestamptz;
CREATE DOMAIN public.checked AS text CHECK (${SETS} IS NOT NULL);
CREATE DOMAIN public.given AS text DEFAULT ${SETS};
CREATE FUNCTION public.empties(t text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.of_check; RETURN true; END';
CREATE DOMAIN public.emptying AS text CHECK (empties(VALUE));
CREATE TABLE public.of_given (x int, y public.given);
CREATE TABLE public.of_when (x text, v tsvector);
CREATE TRIGGER w BEFORE UPDATE ON public.of_when FOR EACH ROW WHEN (${SETS} IS NOT NULL)
  EXECUTE FUNCTION tsvector_update_trigger('v', 'pg_catalog.english', 'x');
CREATE TABLE public.indexed (x text, v tsvector);
CREATE TRIGGER w BEFORE UPDATE ON public.indexed FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('v', 'pg_catalog.english', 'x');
`);
const judged = (text: string): Analysis["statements"][number] => analyze(text, rich.catalog, SCOPE).statements[0]!;

test("a default does not run where COPY gives each row a value", () => {
  for (const text of ["COPY of_default FROM STDIN", "COPY of_default (y, x) FROM STDIN", "COPY of_given FROM STDIN"]) {
    const { facts, effects } = judged(text);
    assert.ok(!effects.settings, text);
    assert.deepEqual(
      facts.functions.filter((use) => use.opaque),
      [],
      text,
    );
  }
});

describe("what is stored does what it does where it runs", () => {
  for (const text of [
    "INSERT INTO of_default (x) VALUES (1)",
    "INSERT INTO of_default VALUES (1, DEFAULT)",
    "INSERT INTO of_default (x, y) VALUES (1, '') ON CONFLICT (x) DO UPDATE SET y = DEFAULT",
    "UPDATE of_default SET y = DEFAULT WHERE x = 1",
    "MERGE INTO of_default USING (VALUES (1)) v(x) ON of_default.x = v.x WHEN NOT MATCHED THEN INSERT (x) VALUES (v.x)",
    "COPY of_default (x) FROM STDIN",
    "COPY of_default FROM STDIN (DEFAULT '-')",
    "WITH made AS (INSERT INTO of_default (x) VALUES (1)) SELECT 1",
    "EXPLAIN ANALYZE INSERT INTO of_default (x) VALUES (1)",
    "INSERT INTO of_check (x) VALUES (1)",
    "UPDATE of_check SET x = 2 WHERE x = 1",
    "INSERT INTO copied (x) VALUES (1)",
    "INSERT INTO part (x) VALUES (1)",
    "INSERT INTO v_default (x) VALUES (1)",
    "ALTER TABLE of_check VALIDATE CONSTRAINT of_check_y_check",
  ])
    test(text, () => {
      const { facts, effects } = judged(text);
      assert.ok(effects.settings);
      assert.deepEqual(
        facts.settings.map(({ name, value }) => [name, value]),
        [["search_path", "app"]],
      );
    });

  test("values that a check is given go where it puts them", () =>
    assert.deepEqual(
      flows(judged("INSERT INTO telling SELECT email FROM customers").facts.writes).filter((flow) =>
        /heard/.test(flow),
      ),
      ["notification heard <- customers.email"],
    ));

  for (const text of [
    "SELECT 'a'::text::checked",
    "SELECT '{a}'::checked[]",
    "INSERT INTO of_given (x) VALUES (1)",
    "UPDATE of_when SET x = 'a' WHERE x = 'b'",
  ])
    test(`nothing is vouched for: ${text}`, () => {
      const { facts, effects } = judged(text);
      assert.ok(effects.opaque);
      assert.ok(facts.functions.some(({ opaque }) => opaque));
    });

  test("what runs while a text is parsed is not hidden by EXPLAIN or PREPARE", () => {
    for (const text of ["EXPLAIN SELECT '{a}'::checked[]", "PREPARE p AS SELECT '{a}'::checked[]"]) {
      assert.ok(changesWhileParsed(rich.catalog, judged(text).facts), text);
      assert.ok(judged(text).effects.settings, text);
    }
    assert.equal(judged("EXPLAIN SELECT '{a}'::emptying[]").facts.class, "write");
  });

  test("what is ordinary stays so", () => {
    for (const text of ["INSERT INTO ordinary (z) VALUES ('a')", "UPDATE indexed SET x = 'a' WHERE x = 'b'"]) {
      const { facts, effects } = judged(text);
      assert.equal(effects.settings, false, text);
      assert.ok(!facts.functions.some(({ opaque }) => opaque), text);
    }
  });

  test("the server runs it", async () => {
    await rich.client.query("BEGIN");
    await rich.client.query("INSERT INTO of_default (x) VALUES (1)");
    assert.equal((await rich.client.query("SHOW search_path")).rows[0].search_path, "app");
    await rich.client.query("ROLLBACK");
  });
});

describe("what acts is not stored unseen", () => {
  for (const text of [
    `CREATE TEMP TABLE t (x int, y text DEFAULT ${SETS})`,
    `CREATE TEMP TABLE t (x int DEFAULT 1 + length(${SETS}))`,
    `CREATE TEMP TABLE t (x int CHECK (${SETS} IS NOT NULL))`,
    `CREATE TEMP TABLE t (x int, CHECK ("pg_catalog"."set_config"('a.b', '', true) IS NOT NULL))`,
    `CREATE TEMP TABLE t (x bigint DEFAULT setval('counter', 1))`,
    `ALTER TABLE orders ALTER status SET DEFAULT ${SETS}`,
    `ALTER TABLE orders ADD y text DEFAULT ${SETS}`,
    `ALTER TABLE orders ADD CHECK (${SETS} IS NOT NULL) NOT VALID`,
    `CREATE POLICY p ON orders USING (${SETS} IS NOT NULL)`,
    `CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW WHEN (${SETS} IS NOT NULL) EXECUTE FUNCTION stamp()`,
    `CREATE RULE r AS ON UPDATE TO orders DO ALSO SELECT ${SETS}`,
    `CREATE DOMAIN d AS text CHECK (${SETS} IS NOT NULL)`,
    `CREATE DOMAIN d AS text DEFAULT ${SETS}`,
    `ALTER DOMAIN checked SET DEFAULT ${SETS}`,
    `ALTER DOMAIN checked ADD CHECK (${SETS} IS NOT NULL) NOT VALID`,
  ])
    test(text, () => assert.ok(judged(text).facts.functions.some(({ opaque }) => opaque)));

  test("what is ordinary stays so", () => {
    for (const text of [
      "CREATE TEMP TABLE t (x bigint DEFAULT nextval('counter'), y timestamptz DEFAULT now(), z text CHECK (length(z) > 1))",
      `CREATE TEMP TABLE t AS SELECT ${SETS}`,
    ])
      assert.ok(!judged(text).facts.functions.some(({ opaque }) => opaque), text);
  });
});
