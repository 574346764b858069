// What EXPLAIN tells of protected columns: how wide they are, also where a statement sees them masked.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import { cells, errorOf, types, WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const port = Number(gate.postgres.split(":").at(-1));
const token = await gate.token();
const owner = new pg.Client({ connectionString: server.url("app", "shop") });
await owner.connect();
await owner.query(`
  CREATE VIEW kept AS WITH x AS MATERIALIZED (SELECT id, email FROM customers) SELECT id FROM x;
  CREATE VIEW kept_further AS SELECT id FROM kept;
  CREATE VIEW kept_name AS WITH x AS MATERIALIZED (SELECT id, name FROM customers) SELECT id FROM x;
  CREATE VIEW kept_rows AS SELECT id, email FROM customers LIMIT 3;
  CREATE VIEW kept_locked AS SELECT s.id FROM (SELECT id, email FROM customers LIMIT 3) s, orders o FOR UPDATE OF o;
  CREATE TYPE pair AS (id int, email text);
  CREATE FUNCTION series_of(n int) RETURNS SETOF int STABLE LANGUAGE sql AS 'SELECT generate_series(1, n)';
  CREATE FUNCTION keeping_rows() RETURNS TABLE (id int, email text) STABLE LANGUAGE sql AS 'SELECT id, email FROM public.customers LIMIT 3';
  CREATE FUNCTION keeping() RETURNS TABLE (id int) STABLE LANGUAGE sql AS 'WITH x AS MATERIALIZED (SELECT id, email FROM public.customers) SELECT id FROM x';
`);
const { rows: versions } = await owner.query("SHOW server_version_num");
await owner.end();

const WIDE = [
  "EXPLAIN (ANALYZE, COSTS off) SELECT email FROM customers ORDER BY name",
  "EXPLAIN (COSTS) SELECT email FROM customers",
  "EXPLAIN ANALYZE SELECT upper(email) FROM customers",
  "EXPLAIN (ANALYZE, COSTS off) SELECT id FROM kept",
  "EXPLAIN (COSTS off, BUFFERS) SELECT email FROM customers",
  "EXPLAIN (BUFFERS) SELECT id FROM customers WHERE email LIKE 'a%'",
  "EXPLAIN (MEMORY, COSTS off) SELECT email FROM customers",
];
/** Of these the gate takes the costs away. */
const PLAIN = [
  "EXPLAIN SELECT email FROM customers",
  "EXPLAIN (SELECT email FROM customers)",
  "/* x */ EXPLAIN VERBOSE SELECT email FROM customers",
  "EXPLAIN (VERBOSE) (SELECT email FROM customers)",
  "EXPLAIN SELECT o.id, upper(email) FROM customers c JOIN orders o ON o.customer_id = c.id",
  "EXPLAIN SELECT id FROM customers WHERE email LIKE 'a%'",
  "EXPLAIN WITH x AS MATERIALIZED (SELECT email FROM customers) SELECT count(*) FROM x",
  "EXPLAIN (FORMAT json) SELECT * FROM customers",
  "EXPLAIN EXECUTE p",
  "EXPLAIN SELECT id FROM kept",
  "EXPLAIN SELECT id FROM kept_further",
  "EXPLAIN SELECT id FROM keeping()",
  "EXPLAIN EXECUTE k",
  "EXPLAIN SELECT FROM customers JOIN LATERAL (VALUES (email), (NULL)) v ON true",
  "EXPLAIN SELECT (CASE WHEN true THEN c END).id FROM customers c",
  "EXPLAIN SELECT FROM orders o FULL JOIN customers c ON NULL WHERE ((CASE WHEN true THEN c END).id IS NULL)",
  "EXPLAIN SELECT id(CASE WHEN true THEN c END) FROM customers c",
  "EXPLAIN SELECT (CASE WHEN true THEN ROW(id, email)::pair END).id FROM customers",
  "EXPLAIN SELECT s.id FROM (SELECT id, email FROM customers LIMIT 3) s, orders o FOR UPDATE OF o",
  "EXPLAIN SELECT s.id FROM kept_rows s, orders o FOR UPDATE OF o",
  "EXPLAIN SELECT id FROM kept_locked",
  "EXPLAIN DELETE FROM orders WHERE id = 1 AND customer_id IN (SELECT id FROM (SELECT id, email FROM customers LIMIT 3) s)",
  "EXPLAIN UPDATE orders SET status = 'x' FROM keeping_rows() s WHERE s.id = orders.id AND orders.id = 1",
  ...(Number(versions[0].server_version_num) < 170000
    ? []
    : ["EXPLAIN MERGE INTO orders o USING customers c ON o.customer_id = c.id WHEN NOT MATCHED BY SOURCE THEN DELETE"]),
  "EXPLAIN SELECT id FROM customers GROUP BY id, email",
  "EXPLAIN SELECT 1 WHERE EXISTS (SELECT email FROM customers OFFSET 0)",
  "EXPLAIN SELECT 1 WHERE EXISTS (SELECT * FROM customers GROUP BY customers.id LIMIT 1)",
  "EXPLAIN SELECT 1 WHERE EXISTS (SELECT email, generate_series(1, id) FROM customers)",
  "EXPLAIN SELECT 1 WHERE EXISTS (SELECT email, x.series_of FROM customers, generate_series(1, 2) x)",
  "EXPLAIN SELECT 1 WHERE EXISTS (SELECT email, row_number() OVER () FROM customers)",
  "EXPLAIN SELECT 1 WHERE EXISTS (SELECT email FROM customers UNION ALL SELECT email FROM customers)",
  "EXPLAIN SELECT 1 FROM customers c, orders o WHERE EXISTS (SELECT c.email WHERE o.id > c.id OFFSET 0)",
  "EXPLAIN SELECT (s.r).f1 FROM (SELECT ROW(c.id, c.email) AS r FROM customers c, orders o OFFSET 0) s",
  "EXPLAIN SELECT FROM customers c JOIN LATERAL (SELECT 1 FROM (SELECT c.email OFFSET 0) x OFFSET 0) y ON true",
];
const LOGGED = [
  "EXPLAIN (ANALYZE, WAL) UPDATE customers SET name = 'x' WHERE id = 1",
  "EXPLAIN (ANALYZE, WAL, COSTS off) SELECT id FROM customers",
  "EXPLAIN (ANALYZE, WAL) UPDATE orders SET status = status FROM customers WHERE orders.id = 1 AND customers.id = 1",
];
const NARROW = [
  "EXPLAIN (COSTS off) SELECT email FROM customers",
  "EXPLAIN (COSTS off, BUFFERS off) SELECT email FROM customers",
  "EXPLAIN (BUFFERS) SELECT id, name FROM customers",
  "EXPLAIN (COSTS off) SELECT o.id, upper(email) FROM customers c JOIN orders o ON o.customer_id = c.id",
  "EXPLAIN SELECT id, name FROM customers",
  "EXPLAIN SELECT id FROM customers FOR UPDATE",
  "EXPLAIN SELECT id FROM kept_rows",
  "EXPLAIN UPDATE orders SET status = 'x' FROM customers c WHERE c.id = orders.customer_id AND orders.id = 1",
  "EXPLAIN SELECT count(*) FROM customers",
  "EXPLAIN SELECT x.id FROM (SELECT id, email FROM customers OFFSET 0) x",
  "EXPLAIN (ANALYZE) SELECT id, name FROM customers ORDER BY name",
  "EXPLAIN (ANALYZE) SELECT id FROM orders o WHERE EXISTS (SELECT * FROM customers c WHERE c.id = o.customer_id)",
  "EXPLAIN (ANALYZE) SELECT id FROM orders o WHERE EXISTS (SELECT email FROM customers c WHERE c.id = o.customer_id)",
  "EXPLAIN (COSTS off) EXECUTE p",
  "EXPLAIN (COSTS off) SELECT id FROM kept",
  "EXPLAIN (COSTS off) EXECUTE k",
  "EXPLAIN SELECT id FROM kept_name",
  "EXPLAIN (ANALYZE, WAL) UPDATE orders SET status = status WHERE id = 1",
  "EXPLAIN (ANALYZE) UPDATE customers SET name = 'x' WHERE id = 1",
];

async function told(sql: string): Promise<{ types: string; remedy: string | undefined; plan: string; notice: string }> {
  const client = await WireClient.open(port, token);
  await client.run("PREPARE p AS SELECT o.id, upper(email) FROM customers c JOIN orders o ON o.customer_id = c.id");
  await client.run("PREPARE k AS WITH x AS MATERIALIZED (SELECT id, email FROM customers) SELECT id FROM x");
  const all = await client.run(sql);
  const replies = all.filter((reply) => reply.type !== "N");
  const notice = all.find((reply) => reply.type === "N");
  client.end();
  const error = replies.find((reply) => reply.type === "E");
  const plan = replies
    .filter((reply) => reply.type === "D")
    .map((reply) => cells(reply).join())
    .join("\n");
  return {
    plan,
    notice: notice === undefined ? "" : (errorOf(notice).D ?? ""),
    types: types(replies),
    remedy: error && `${errorOf(error).D} ${errorOf(error).H}`,
  };
}

describe("EXPLAIN", () => {
  for (const sql of WIDE)
    it(`does not tell how wide protected values are: ${sql}`, async () => {
      const { types: seen, remedy } = await told(sql);
      assert.equal(seen, "E Z");
      assert.match(remedy!, /COSTS off/);
    });
  for (const sql of PLAIN)
    it(`loses its costs where they tell how wide protected values are: ${sql}`, async () => {
      const { types: seen, plan, notice, remedy } = await told(sql);
      assert.match(seen, /^T (D )+C Z$/, remedy);
      assert.doesNotMatch(plan, /width|cost/i);
      assert.match(notice, /no costs/);
    });
  it("keeps its costs beside another that loses them", async () => {
    const { plan } = await told("EXPLAIN SELECT name FROM customers; EXPLAIN SELECT email FROM customers");
    assert.equal(plan.match(/width/g)?.length, 1);
  });
  it("is suggested without costs, and without being run", async () => {
    assert.match(
      (await told(WIDE[0]!)).remedy!,
      /Try: EXPLAIN \(COSTS off\) SELECT email FROM customers ORDER BY name/i,
    );
  });
  for (const sql of LOGGED)
    it(`does not tell by its WAL how wide rows are: ${sql}`, async () => {
      assert.equal((await told(sql)).types, "E Z");
    });
  it("names no costs where it is not they that tell", async () => {
    const { types: seen, remedy } = await told("EXPLAIN UPDATE customers SET name = 'x' WHERE email = 'a'");
    assert.equal(seen, "E Z");
    assert.match(remedy!, /no sub-select can stand/);
    assert.doesNotMatch(remedy!, /how wide/);
  });
  for (const sql of NARROW)
    it(`shows a plan: ${sql}`, async () => {
      assert.equal((await told(sql)).types, "T D C Z");
    });
});
