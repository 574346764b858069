// Asking a server for plans: nothing runs, nothing waits for long, and what cannot be planned safely is not.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import pg from "pg";
import { Estimates } from "../../../src/protocols/postgres/estimate.ts";
import { Planner, type PlanQuestion } from "../../../src/protocols/postgres/planner.ts";
import { parseTarget } from "../../../src/protocols/postgres/target.ts";
import { type Analysis, analyze } from "../../../src/sql/postgres/analyze.ts";
import { loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { ready } from "../../../src/sql/postgres/parser.ts";
import { queryOf } from "../../sql/postgres/support.ts";
import { startServer } from "../../support/server.ts";

await ready();
const server = await startServer();
const client = new pg.Client({ connectionString: server.url("postgres", "shop") });
// The server may be stopped first.
client.on("error", () => undefined);
await client.connect();
await client.query(`
  CREATE TABLE noted (a int);
  CREATE FUNCTION trap(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM nextval(''calls''); RETURN n; END';
  CREATE SEQUENCE calls;
  CREATE FUNCTION quiet(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN EXECUTE ''SELECT 1''; RETURN n; END';
  CREATE DOMAIN trapped AS int CHECK (quiet(VALUE) > 0 IS NOT FALSE);
  CREATE ROLE reader; GRANT SELECT ON orders TO reader;
  CREATE TABLE guarded AS SELECT i AS id FROM generate_series(1, 24) i;
  ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT SELECT ON guarded TO reader;
  CREATE POLICY own ON guarded TO reader USING (id = 7);
  ANALYZE`);
const planner = new Planner(parseTarget(server.url("postgres", "shop")));
const estimates = new Estimates(planner);
const catalog = await loadCatalog(queryOf(client), {});
const scope = { searchPath: ["pg_catalog", "public"], user: "postgres" };
const question = (text: string, more: Partial<PlanQuestion> = {}): PlanQuestion => ({
  text: Buffer.from(text),
  parameterTypes: [],
  parameterCount: 0,
  ...scope,
  rowSecurity: true,
  verbose: false,
  ...more,
});
const estimated = async (text: string, types: number[] = []): Promise<Analysis> => {
  const found = analyze(text, catalog, { ...scope, prepared: () => [], cursor: () => [] });
  return estimates.of(found, types, scope);
};
after(async () => {
  planner.close();
  await client.end();
});

describe("a text runs nothing", () => {
  for (const text of [
    "SELECT 1; INSERT INTO noted VALUES (1)",
    "INSERT INTO noted VALUES (1)",
    "WITH gone AS (INSERT INTO noted VALUES (2) RETURNING a) SELECT * FROM gone",
    "EXPLAIN ANALYZE INSERT INTO noted VALUES (3)",
    "CREATE TABLE noted2 AS SELECT 1 AS a",
    "DO 'BEGIN INSERT INTO noted VALUES (4); END'",
    "COMMIT",
  ]) {
    test(text, async () => {
      await planner.plans(question(text)).catch(() => undefined);
      const { rows } = await client.query("SELECT count(*)::int AS n, to_regclass('noted2') AS made FROM noted");
      assert.deepEqual(rows, [{ n: 0, made: null }]);
      assert.equal((await planner.plans(question("SELECT 1"))).length, 1);
    });
  }
});

describe("an estimate", () => {
  test("has rows and cost, for any parameters", async () => {
    const { statements, command } = await estimated("SELECT * FROM orders WHERE id = $1");
    assert.equal(statements[0]!.facts.estimate?.rows, 1);
    assert.ok(statements[0]!.facts.estimate!.cost > 0);
    assert.equal(command.statements[0], statements[0]!.facts);
  });

  test("is of each statement of a text, as far as none changes what names mean", async () => {
    const text = "SELECT * FROM orders; DELETE FROM order_items; SET search_path = x; SELECT * FROM public.orders";
    const { statements } = await estimated(text);
    assert.deepEqual(
      statements.map(({ facts }) => facts.estimate !== null),
      [true, true, false, false],
    );
    assert.equal(statements[0]!.facts.estimate?.rows, 600);
    // A setting that the gate's own connection does not have: the names are still known.
    const behind = (await estimated("SET work_mem = '64kB'; SELECT * FROM public.orders")).statements[1]!.facts;
    assert.deepEqual([behind.class, behind.estimate], ["read", null]);
  });

  test("is none where planning would run code that is not seen through", async () => {
    await assert.rejects(planner.plans(question("SELECT trap(1)")), { detail: /nextval/ });
    for (const text of ["SELECT trap(1)", "SELECT quiet(1)", "SELECT id FROM orders WHERE id = quiet(7)"])
      assert.equal((await estimated(text)).statements[0]!.facts.estimate, null, text);
    assert.equal((await client.query("SELECT is_called FROM calls")).rows[0].is_called, false);
  });

  test("does not make values of users' types", async () => {
    const { rows } = await client.query("SELECT 'trapped'::regtype::oid::int AS oid");
    const { statements } = await estimated("SELECT id FROM orders WHERE id = $1", [rows[0].oid]);
    assert.equal(statements[0]!.facts.estimate, null);
  });

  test("is not waited for where a lock is held", async () => {
    await client.query("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
    await assert.rejects(planner.plans(question("SELECT * FROM orders")), { detail: /lock timeout/ });
    const { statements } = await estimated("SELECT * FROM orders");
    await client.query("ROLLBACK");
    assert.equal(statements[0]!.facts.estimate, null);
    assert.notEqual((await estimated("SELECT * FROM orders")).statements[0]!.facts.estimate, null);
  });

  test("is none where the server is away", async () => {
    const away = new Estimates(new Planner(parseTarget("postgres://app@127.0.0.1:1/shop")));
    const found = analyze("SELECT 1", catalog, { ...scope, prepared: () => [], cursor: () => [] });
    assert.equal((await away.of(found, [], scope)).statements[0]!.facts.estimate, null);
  });
});

test("the role and row-level security are the session's", async () => {
  const text = "SELECT * FROM guarded";
  const as = async (user: string, rowSecurity: boolean) =>
    (await planner.plans(question(text, { user, rowSecurity })))[0]!["Plan Rows"];
  assert.equal(await as("postgres", true), 24);
  assert.equal(await as("reader", true), 1);
  await assert.rejects(as("reader", false), { detail: /row-level security/ });
  assert.equal(await as("postgres", false), 24);
  await assert.rejects(planner.plans(question("SELECT * FROM cards", { user: "reader" })), {
    detail: /permission denied/,
  });
});
