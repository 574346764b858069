// Where values end up: the flows of `writes`, for every target that is not simply the column that the statement names.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StatementFacts } from "../../../src/core/facts.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { flows } from "./render.ts";
import { schemaSql } from "./schema.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`${schemaSql}
CREATE TABLE public.contacts (id int PRIMARY KEY, email text, city text, folded text GENERATED ALWAYS AS (lower(email) || city) STORED);
CREATE VIEW public.v_setting AS SELECT set_config('app.seen', email, false) FROM customers;
CREATE VIEW public.v_large AS SELECT lo_create(0);
CREATE VIEW public.v_roles AS SELECT oid, rolsuper FROM pg_authid;
CREATE VIEW public.v_locking AS SELECT id FROM customers FOR UPDATE;
`);

const factsOf = (text: string): StatementFacts => analyze(text, rich.catalog, SCOPE).statements[0]!.facts;

const cases: readonly (readonly [text: string, ...flows: string[]])[] = [
  ["SELECT nextval('numbers')", "sequence public.numbers <- "],
  [`SELECT setval('public."numbers"', length(email)) FROM customers`, "sequence public.numbers <- customers.email"],
  ["SELECT setval(name::regclass, 5) FROM customers", "sequence  <- customers.name"],
  ["SELECT set_config('App.X', email, false) FROM customers", "setting app.x <- customers.email"],
  ["SELECT set_config(name, 'on', false) FROM customers", "setting  <- customers.name"],
  ["SELECT lo_from_bytea(0, email::bytea) FROM customers", "large_object  <- customers.email"],
  ["SELECT lo_put(1, 0, convert_to(email, 'UTF8')) FROM customers", "large_object  <- customers.email"],
  ["SELECT lowrite(0, email::bytea) FROM customers", "large_object  <- customers.email"],
  ["SELECT lo_import('/etc/passwd')", "large_object  <- ?"],
  ["SELECT lo_export(1, '/tmp/x')", "file /tmp/x <- pg_largeobject.data"],
  ["SELECT pg_notify('c', email) FROM customers", "notification c <- customers.email"],
  ["SELECT pg_notify(email, '') FROM customers", "notification  <- customers.email"],
  ["SELECT pg_advisory_lock(id) FROM customers", "advisory_lock  <- customers.id"],
  ["SELECT pg_try_advisory_xact_lock_shared(1, 2)", "advisory_lock 1,2 <- "],
  ["SELECT pg_advisory_unlock(ascii(email)) FROM customers", "advisory_lock  <- customers.email"],
  ["SELECT pg_create_restore_point(email) FROM customers", "server  <- customers.email"],
  ["SELECT name FROM customers WHERE pg_notify('c', email) IS NULL", "notification c <- customers.email"],
  ["SELECT * FROM v_setting", "setting app.seen <- customers.email"],
  ["SELECT * FROM v_large", "large_object  <- "],
  ["SELECT lower(email) FROM customers"],
];

describe("what a call puts somewhere is a flow", () => {
  for (const [text, ...expected] of cases) {
    test(text, async () => {
      assert.deepEqual(flows(factsOf(text).writes), expected);
      await rich.client.query(`PREPARE written AS ${text}`);
      await rich.client.query("DEALLOCATE written");
    });
  }
});

describe("a view does what its query does", () => {
  test("it changes settings", () => {
    const analysis = analyze("SELECT * FROM v_setting", rich.catalog, SCOPE).statements[0]!;
    assert.deepEqual(analysis.facts.settings, [{ name: "app.seen", value: null, local: false, own: true }]);
    assert.ok(analysis.effects.settings);
  });
  test("it writes", () => assert.equal(factsOf("SELECT * FROM v_large").class, "write"));
  test("it locks rows", () =>
    assert.deepEqual(factsOf("SELECT * FROM v_locking").locks, [
      { level: "row", schema: "public", name: "customers", mode: "for update" },
    ]));
});

test("a limit is given only where there cannot be more rows", () => {
  assert.equal(factsOf("SELECT id FROM customers LIMIT 3").limit, 3);
  assert.equal(factsOf("SELECT id FROM customers LIMIT 2.5").limit, 3);
  assert.equal(factsOf("SELECT id FROM customers LIMIT $1").limit, null);
  assert.equal(factsOf("SELECT id FROM customers ORDER BY city FETCH FIRST 3 ROWS WITH TIES").limit, null);
});

describe("rows of the server's own tables are rights and objects", () => {
  for (const text of [
    "UPDATE pg_authid SET rolsuper = true WHERE rolname = 'app'",
    "INSERT INTO pg_auth_members SELECT * FROM pg_auth_members WHERE false",
    "DELETE FROM pg_catalog.pg_class WHERE oid = 1",
    "WITH d AS (DELETE FROM pg_trigger WHERE oid = 1 RETURNING 1) SELECT 1",
    "EXPLAIN ANALYZE UPDATE pg_proc SET prosrc = '' WHERE oid = 1",
    "UPDATE v_roles SET rolsuper = true WHERE oid = 1",
    "COPY pg_db_role_setting FROM STDIN",
  ])
    test(text, () => {
      const { facts, effects } = analyze(text, rich.catalog, SCOPE).statements[0]!;
      assert.equal(facts.class, "dcl");
      assert.ok(effects.catalog);
    });
  test("also by MERGE", () =>
    assert.equal(
      factsOf(
        "MERGE INTO pg_authid a USING (VALUES ('app')) v(n) ON a.rolname = v.n WHEN MATCHED THEN UPDATE SET rolsuper = true",
      ).class,
      "dcl",
    ));
  test("large objects are outside", () =>
    assert.deepEqual(factsOf("DELETE FROM pg_largeobject WHERE loid = 1 AND pageno = 0").external, ["large_object"]));
  test("reading them is reading", () => assert.equal(factsOf("SELECT rolname FROM pg_roles").class, "read"));
});
