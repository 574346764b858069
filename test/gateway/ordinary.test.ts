// What is no attack gets an answer from the starter policy: monitoring, names that are not there, what is the session's own.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const gate = await startGate({ policy: "default", resources: { shop: server.url("postgres", "shop") } });
const direct = await connected(server.url("postgres", "shop"));
const client = await connected(await gate.url("shop"));

async function connected(connectionString: string): Promise<pg.Client> {
  const made = new pg.Client({ connectionString });
  made.on("error", () => undefined);
  await made.connect();
  after(() => made.end());
  return made;
}

type Failure = { readonly code: string; readonly message: string; readonly routine?: string; readonly detail?: string };
const failure = (of: pg.Client, text: string): Promise<Failure> =>
  of.query(text).then(
    () => assert.fail(`it passed: ${text}`),
    (thrown: Failure) => thrown,
  );

describe("a name that is not there is said to be so, whatever the policy makes of it", () => {
  for (const text of [
    "SELECT nothing FROM customers",
    "SELECT id FROM customers WHERE nothing = 1",
    "SELECT x.nothing FROM customers c",
    "SELECT x.* FROM customers c",
    "UPDATE nothing SET a = 1",
    "DELETE FROM nothing",
    "DELETE FROM public.nothing",
    "UPDATE customers SET nothing = 1",
    "EXPLAIN SELECT nothing FROM customers",
  ])
    test(text, async () => {
      const [refused, failed] = [await failure(client, text), await failure(direct, text)];
      assert.deepEqual([refused.code, refused.message], [failed.code, failed.message]);
    });

  test("of a function its arguments are left out, of a column its table", async () => {
    const call = await failure(client, "SELECT public.nothing(1)");
    assert.deepEqual([call.code, call.message], ["42883", "function public.nothing does not exist"]);
    const column = await failure(client, "SELECT c.nothing FROM customers c");
    assert.deepEqual([column.code, column.message], ["42703", 'column "nothing" does not exist']);
  });

  test("the refusal is the policy's all the same, and recorded", async () => {
    const { routine, detail } = await failure(client, "SELECT public.nothing(1)");
    assert.equal(routine, "NAME_UNKNOWN");
    assert.match(detail ?? "", /^opaque-function/);
    const blocked = gate.records().filter(({ result }) => result?.action === "block");
    assert.ok(blocked.some(({ result }) => result.reasons[0].code === "opaque-function"));
  });

  test("not where an earlier statement of the text may have made it", async () => {
    const ddl = await connected(await gate.url("shop", { scopes: ["ddl"] }));
    const { message } = await failure(ddl, "CREATE TABLE made (a int); SELECT made.a FROM made");
    assert.match(message, /It cannot be told what this statement does/);
  });
});

describe("monitoring", () => {
  test("the sessions and the locks of others are shown without what they run", async () => {
    const { rows } = await client.query("SELECT * FROM pg_stat_activity WHERE pid = pg_backend_pid()");
    assert.equal(rows.length, 1);
    assert.equal(rows[0].query, null);
    assert.equal(rows[0].state, "active");
    const locks = await client.query("SELECT * FROM pg_locks");
    assert.ok(locks.rows.length > 0 && locks.rows.every((row) => row.objid === null && row.mode !== null));
    assert.ok(Number((await client.query("SELECT count(*) FROM pg_stat_activity")).rows[0].count) > 0);
  });
});

describe("temporary tables are the session's own", () => {
  for (const text of [
    "CREATE TEMP TABLE mine AS SELECT id, name FROM customers",
    "CREATE INDEX mine_id ON mine (id)",
    "ALTER TABLE mine ADD COLUMN note text DEFAULT 'x'",
    "INSERT INTO mine (id) SELECT id FROM customers",
    "UPDATE mine SET note = 'y'",
    "DELETE FROM mine WHERE note = 'y'",
    "TRUNCATE mine",
    "ANALYZE mine",
    "SELECT id INTO TEMP again FROM customers",
    "CREATE TEMP TABLE alike (LIKE customers)",
    "DROP TABLE mine",
    "DROP TABLE IF EXISTS pg_temp.mine",
  ])
    test(text, async () => void (await client.query(text)));

  for (const [text, code] of [
    ["CREATE TABLE mine (id int)", "ddl"],
    ["CREATE TEMP TABLE below () INHERITS (customers)", "ddl"],
    ["ALTER TABLE customers ADD COLUMN x int", "ddl"],
    ["DROP TABLE again, customers", "ddl"],
    ["WITH gone AS (DELETE FROM customers RETURNING id) INSERT INTO again SELECT id FROM gone", "unscoped-write"],
    ["TRUNCATE again, customers", "lock"],
    ["ANALYZE", "maintenance"],
    ["ANALYZE again, customers", "maintenance"],
  ] as const)
    test(`and nothing else: ${text}`, async () => {
      assert.equal((await failure(client, text)).routine, code);
    });

  test("what is named like one of these is that one", async () => {
    await client.query("CREATE TEMP TABLE customers (email text)");
    await client.query("INSERT INTO customers VALUES ('own')");
    assert.deepEqual((await client.query("SELECT email FROM customers")).rows, [{ email: "own" }]);
    assert.equal((await client.query("SELECT email FROM public.customers LIMIT 1")).rows[0].email, "[redacted]");
    await client.query("DROP TABLE customers");
    assert.equal((await failure(client, "DROP TABLE customers")).routine, "ddl");
  });
});

describe("what drivers and tools do to their session", () => {
  for (const text of [
    // Npgsql, where a connection goes back to the pool
    "CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DISCARD TEMP; DISCARD SEQUENCES",
    "SET role TO DEFAULT",
    // pg_dump
    "SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'",
    "SET app.user_id = '7'",
    "SET LOCAL request.jwt.claims = '{\"sub\": 7}'",
    "SELECT set_config('app.tenant', '7', true), current_setting('app.tenant', true)",
    "SELECT set_config(name, '16MB', false) FROM pg_catalog.pg_settings WHERE name = 'Work_Mem'",
    "SET default_text_search_config = 'pg_catalog.german'",
    "SET enable_memoize = off",
    "SET vacuum_cost_limit = 300",
    "SET pg_trgm.similarity_threshold = 0.4",
    "CREATE TEMP SEQUENCE numbers",
    "SELECT nextval('numbers')",
    "DROP SEQUENCE numbers",
  ])
    test(text, async () => void (await client.query(text)));

  for (const text of [
    "SET role TO none",
    "SET plpgsql.check_asserts = off",
    "SELECT set_config(name, 'x', false) FROM pg_settings",
    "SELECT set_config(name, 'none', false) FROM pg_settings WHERE name = 'role'",
    "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'work_mem' OR true",
    "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name <> 'work_mem'",
    "SELECT set_config(setting, 'x', false) FROM pg_settings WHERE name = 'work_mem'",
    "SELECT set_config(name, set_config('ro' || 'le', 'none', false), false) FROM pg_settings WHERE name = 'work_mem'",
    "SELECT set_config(name, 'x', false), set_config('ro' || 'le', 'none', false) FROM pg_settings WHERE name = 'work_mem'",
    "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'work_mem' ORDER BY set_config('ro' || 'le', 'x', false)",
    "SELECT set_config(name, 'x', false) FROM (VALUES ('role')) pg_settings(name) WHERE name = 'work_mem'",
    "SELECT set_config(name, 'x', false) FROM customers WHERE name = 'work_mem'",
    "WITH pg_settings(name, x) AS (SELECT set_config('ro' || 'le', 'none', false)) SELECT set_config(name, 'none', false) FROM pg_settings WHERE name = 'none'",
  ])
    test(`and nothing else: ${text}`, async () => {
      assert.equal((await failure(client, text)).routine, "setting");
    });
});

test("a setting of its own comes with the client, too, unless something in the database reads settings", async () => {
  const start = async (): Promise<string> => {
    const made = new pg.Client({ connectionString: await gate.url("shop"), options: "-c app.user_id=7" });
    made.on("error", () => undefined);
    await made.connect();
    const { rows } = await made.query("SELECT current_setting('app.user_id') AS own");
    await made.end();
    return rows[0].own;
  };
  assert.equal(await start(), "7");
  await direct.query("CREATE VIEW public.mine AS SELECT id FROM orders WHERE status = current_setting('app.user_id')");
  try {
    // What is changed past the gate is seen within seconds (catalog_check: auto).
    let seen: { readonly routine?: string } = {};
    for (let tried = 0; tried < 50 && seen.routine !== "setting"; tried++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      seen = await client.query("SET app.user_id = '8'").then(
        () => ({}),
        (thrown: Failure) => thrown,
      );
    }
    assert.equal(seen.routine, "setting");
    await assert.rejects(start(), /This setting may not be changed/);
  } finally {
    await direct.query("DROP VIEW public.mine");
  }
});

describe("a queue takes its next rows", () => {
  for (const text of [
    "UPDATE orders SET status = 'x' WHERE id = (SELECT id FROM orders WHERE status <> 'x' ORDER BY placed_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
    "WITH next AS (SELECT id FROM orders ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED) UPDATE orders o SET status = 'y' FROM next WHERE o.id = next.id RETURNING o.id",
    "UPDATE customers SET city = 'z' WHERE id = (SELECT id FROM customers WHERE city <> 'z' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)",
  ])
    test(text, async () => {
      const { rowCount } = await client.query(text);
      assert.ok(rowCount === 1 || rowCount === 2);
    });

  test("not by a protected column: of its own table it is refused, of another it finds what the mask shows", async () => {
    const { rows } = await direct.query(
      "SELECT c.email FROM customers c JOIN orders o ON o.customer_id = c.id ORDER BY c.id LIMIT 1",
    );
    for (const guess of [rows[0].email, "nobody@example.com"]) {
      const own = `UPDATE customers SET city = 'y' WHERE id = (SELECT id FROM customers WHERE email = '${guess}')`;
      assert.equal((await failure(client, own)).routine, "protected-use");
      const other = `UPDATE orders SET status = 'y' WHERE id = (SELECT min(o.id) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = '${guess}')`;
      assert.equal((await client.query(other)).rowCount, 0);
    }
  });
});

describe("what shows a protected column unchanged is masked like the column", () => {
  for (const text of [
    "SELECT email::varchar AS x FROM customers",
    "SELECT phone::text AS x FROM customers",
    "SELECT email AS x FROM customers UNION ALL SELECT email FROM employees",
    "SELECT x::varchar FROM (SELECT email AS x FROM customers UNION ALL SELECT phone FROM customers) either",
    "WITH either(x) AS (SELECT email FROM customers UNION ALL SELECT phone FROM customers) SELECT x FROM either",
  ])
    test(text, async () => {
      const { rows } = await client.query(text);
      assert.ok(rows.length > 0);
      assert.deepEqual(new Set(rows.map((row) => row.x)), new Set(["[redacted]"]));
    });
});
