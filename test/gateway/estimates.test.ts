// Estimates: a policy that reads them bounds what may run, however it is sent; and nobody else pays for them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const direct = new pg.Client({ connectionString: server.url("postgres", "shop") });
await direct.connect();
await direct.query(`
  CREATE TABLE big (id int PRIMARY KEY, note text, kind int);
  INSERT INTO big SELECT i, 'note ' || i, i % 7 FROM generate_series(1, 50000) i;
  CREATE SCHEMA heavy; CREATE TABLE heavy.thing AS SELECT * FROM big;
  CREATE TABLE heavy.copied (a int);
  CREATE SCHEMA light; CREATE TABLE light.thing (id int, note text, kind int);
  CREATE VIEW bigger AS SELECT b.id, c.note FROM big b JOIN big c ON c.kind = b.kind;
  ANALYZE;
  GRANT ALL ON ALL TABLES IN SCHEMA public, heavy, light TO app; GRANT USAGE, CREATE ON SCHEMA public, heavy, light TO app;
  CREATE SEQUENCE calls; GRANT ALL ON calls TO app;
  CREATE FUNCTION trap(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM nextval(''calls''); RETURN n; END';
`);
const resources = { shop: server.url("app", "shop") };
const gate = await startGate({ policy: "bound_cost", data: { costs: { most: 500 } }, resources });

async function connected(url: string | Promise<string> = gate.url()): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: await url });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
const codeOf = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "ran",
    (error: pg.DatabaseError) => /too-expensive/.exec(error.detail ?? "")?.[0] ?? error.code ?? error.message,
  );
/** What the record of the last command with this text says of its first statement. */
async function estimated(text: string): Promise<{ rows: number; cost: number } | null> {
  for (let waited = 0; waited < 5000; waited += 20) {
    const found = gate.records().findLast((line) => line.input?.command?.text === text);
    if (found !== undefined) return found.input.command.statements[0].estimate;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no record of ${text}`);
}

describe("a bound on cost", () => {
  const dear: [string, unknown[]][] = [
    ["SELECT * FROM big", []],
    ["SELECT b.id FROM big b JOIN big c ON c.kind = b.kind WHERE b.note = $1", ["x"]],
    ["UPDATE big SET note = 'changed'", []],
    ["DELETE FROM big WHERE kind = $1", [3]],
    ["SELECT count(*) FROM bigger", []],
    ["CREATE TABLE copied AS SELECT * FROM big", []],
    ["DECLARE c CURSOR WITH HOLD FOR SELECT * FROM big ORDER BY note", []],
  ];
  for (const [text, values] of dear) {
    test(`holds for ${text}`, async () => {
      const client = await connected();
      if (values.length === 0) assert.equal(await codeOf(client.query(text)), "too-expensive");
      assert.equal(await codeOf(client.query({ text, values })), "too-expensive");
      assert.equal(await codeOf(client.query({ name: "kept", text, values })), "too-expensive");
      assert.equal((await client.query("SELECT 1 AS one")).rows[0].one, 1);
      await client.end();
    });
  }

  test("lets through what is cheap, prepared and run again", async () => {
    const client = await connected();
    for (const id of [7, 8, 9]) {
      const query = { name: "one", text: "SELECT note FROM big WHERE id = $1", values: [id] };
      assert.deepEqual((await client.query(query)).rows, [{ note: `note ${id}` }]);
    }
    assert.equal(await codeOf(client.query("UPDATE big SET note = note WHERE id = 7")), "ran");
    assert.equal((await estimated("UPDATE big SET note = note WHERE id = 7"))?.rows, 1);
    await client.end();
  });

  test("counts the rows that would change, of which nothing is changed", async () => {
    const client = await connected();
    const text = "DELETE FROM big /* all */";
    assert.equal(await codeOf(client.query(text)), "too-expensive");
    assert.equal((await estimated(text))?.rows, 50_000);
    assert.equal((await direct.query("SELECT count(*)::int AS n FROM big")).rows[0].n, 50_000);
    await client.end();
  });

  test("is not moved by the client's settings", async () => {
    const client = await connected();
    await client.query("SET seq_page_cost = 0; SET cpu_tuple_cost = 0; SET cpu_operator_cost = 0");
    assert.equal(await codeOf(client.query("SELECT * FROM big")), "too-expensive");
    await client.end();
  });

  test("follows the session's search_path", async () => {
    const client = await connected();
    await client.query("SET search_path = light");
    assert.equal(await codeOf(client.query("SELECT * FROM thing")), "ran");
    await client.query("SET search_path = heavy");
    assert.equal(await codeOf(client.query("SELECT * FROM thing")), "too-expensive");
    await client.end();
  });
});

describe("the session is not touched", () => {
  test("SET TRANSACTION is still possible behind a statement that was only prepared", async () => {
    const client = await connected();
    await client.query("BEGIN");
    await client.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    assert.deepEqual((await client.query("SHOW transaction_isolation")).rows, [
      { transaction_isolation: "serializable" },
    ]);
    assert.equal(await codeOf(client.query("SELECT id FROM big WHERE id = 1")), "ran");
    await client.query("COMMIT");
    await client.end();
  });

  test("a failed transaction fails as it would without the gate", async () => {
    const client = await connected();
    await client.query("BEGIN");
    await client.query("SELECT 1/0").catch(() => undefined);
    assert.equal(await codeOf(client.query("SELECT id FROM big WHERE id = 1")), "25P02");
    await client.query("ROLLBACK");
    await client.end();
  });
});

describe("not known", () => {
  const unknown = async (client: pg.Client, text: string): Promise<void> => {
    assert.equal(await codeOf(client.query(text)), "ran");
    assert.equal(await estimated(text), null);
  };

  test("for temporary tables, and for what an open transaction made", async () => {
    const client = await connected();
    await client.query("CREATE TEMP TABLE big AS SELECT 1 AS id");
    await unknown(client, "SELECT * FROM big -- temporary");
    await client.query("BEGIN");
    await client.query("CREATE TABLE made (a int)");
    await unknown(client, "SELECT * FROM made");
    // Another table of that name is there for others.
    await client.query("SET LOCAL search_path = light, heavy");
    await client.query("CREATE TABLE light.copied (a int)");
    await unknown(client, "SELECT * FROM copied");
    await client.query("ROLLBACK");
    await client.end();
  });

  test("where planning would run code that is not seen through: it does not", async () => {
    const client = await connected();
    await direct.query("SELECT setval('calls', 1)");
    await client.query("PREPARE trapped AS SELECT trap(1)");
    await client.query("PREPARE seen AS SELECT abs(-1)");
    assert.equal((await direct.query("SELECT last_value::int AS n FROM calls")).rows[0].n, 1);
    await unknown(client, "SELECT trap(2)");
    assert.notEqual(await client.query("SELECT abs(-2)").then(() => estimated("SELECT abs(-2)")), null);
    await client.end();
  });
});

test("where no rule reads them, the server is not asked", async () => {
  // Held against no plan either, which is asked for by EXPLAIN, too.
  const idle = { url: server.url("app", "shop"), plan_check: { rate: 0 } };
  const plain = await startGate({ policy: "default", resources: {}, config: { resources: { idle } } });
  const own = async (): Promise<number> =>
    (
      await direct.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'regate' AND query LIKE 'EXPLAIN%'",
      )
    ).rows[0].n;
  const before = await own();
  assert.ok(before > 0, "the other gate asks");
  const client = await connected(plain.url("idle"));
  for (let i = 0; i < 20; i++) await client.query("SELECT id FROM orders LIMIT 1");
  assert.equal(await own(), before);
  await client.end();
  await direct.end();
});
