// Nothing tagged leaves unmasked: whatever the statement, the protocol or the format, no protected value is among the bytes that a client gets.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import pg from "pg";
import { cells, errorOf, extended as x, type Reply, types, WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ auth: "trust" });
const direct = new pg.Client(server.url("postgres", "shop"));
await direct.connect();
await direct.query(`
  CREATE VIEW contacts AS SELECT id AS nr, name, email AS mail FROM customers;
  CREATE VIEW derived AS SELECT id, upper(email) AS loud, length(phone) AS long FROM customers;
  CREATE VIEW nested AS SELECT c.mail, o.id FROM contacts c JOIN orders o ON o.customer_id = c.nr;
  CREATE TABLE children () INHERITS (customers);
  INSERT INTO children SELECT id + 1000, name, 'child' || email, phone, city, created_at FROM customers;
  GRANT SELECT ON contacts, derived, nested, children TO app;
  CREATE FUNCTION leak(int) RETURNS text LANGUAGE sql AS 'SELECT email FROM customers WHERE id = $1';
  CREATE FUNCTION plain(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
`);
const secrets = (
  await direct.query(
    "SELECT email AS s FROM customers UNION SELECT phone FROM customers UNION SELECT number FROM cards UNION SELECT ssn FROM employees",
  )
).rows
  .map((row: { s: string | null }) => row.s)
  .filter((secret): secret is string => secret !== null && secret.length > 6);
await direct.end();
await copyWithMasksOnly();
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const port = Number(gate.postgres.split(":").at(-1));
const token = await gate.token();
const elsewhere = await WireClient.open(server.port, "", { user: "app", database: "masked" });
after(() => elsewhere.end());

/** The database masked, once and for all. */
async function copyWithMasksOnly(): Promise<void> {
  const admin = new pg.Client(server.url("postgres", "postgres"));
  await admin.connect();
  await admin.query("CREATE DATABASE masked TEMPLATE shop OWNER app");
  await admin.end();
  const client = new pg.Client(server.url("postgres", "masked"));
  await client.connect();
  await client.query(`
    ALTER TABLE customers DROP CONSTRAINT customers_email_key; ALTER TABLE employees DROP CONSTRAINT employees_email_key;
    ALTER TABLE employees DROP CONSTRAINT employees_ssn_key; ALTER TABLE cards DROP CONSTRAINT cards_number_key;
    UPDATE customers SET email = '[redacted]', phone = '[redacted]'; UPDATE employees SET email = '[redacted]', ssn = '[redacted]', salary = 0;
    UPDATE cards SET holder = '[redacted]', number = regexp_replace(number, '.(?=.{4})', '*', 'g')`);
  await client.end();
}

/** Views whose columns are masked as such, and what tells of plans and statistics: not the same there. */
const ofItsOwn = /derived|pg_stats|EXPLAIN/;

/** Of DataRow and CopyData, in whatever order. */
const rowsOf = (replies: readonly Reply[]): string[] =>
  replies
    .filter((reply) => reply.type === "D" || reply.type === "d")
    .map((reply) => reply.body.toString("latin1"))
    .sort();

/** What a client may not see, in text, in any case, reversed, in hexadecimal and base64. */
const needles = secrets
  .slice(0, 60)
  .flatMap((secret) => [
    secret.toLowerCase(),
    [...secret].reverse().join("").toLowerCase(),
    Buffer.from(secret).toString("hex"),
    Buffer.from(secret).toString("base64").slice(0, -4).toLowerCase(),
  ])
  .filter((needle) => needle.length > 6);

function leaks(replies: readonly Reply[], sent: string): string | undefined {
  const bytes = Buffer.concat(replies.map((reply) => reply.body))
    .toString("latin1")
    .toLowerCase();
  return needles.find((needle) => bytes.includes(needle) && !sent.toLowerCase().includes(needle));
}

async function inEveryWay(sql: string): Promise<{ simple: Reply[]; text: Reply[]; binary: Reply[]; again: Reply[] }> {
  const client = await WireClient.open(port, token);
  const simple = await client.run(sql);
  client.socket.write(Buffer.concat([x.parse("s", sql), x.bind("", "s"), x.execute(""), x.sync()]));
  const text = await client.until("Z");
  // A driver that runs a cached statement again asks for no description.
  client.socket.write(Buffer.concat([x.bind("", "s", [], 1), x.execute("", 3), x.execute("", 0), x.sync()]));
  const binary = await client.until("Z");
  client.socket.write(Buffer.concat([x.bind("", "s"), x.describePortal(""), x.execute(""), x.sync()]));
  const again = await client.until("Z");
  client.end();
  return { simple, text, binary, again };
}

const masked = [
  "SELECT email FROM customers",
  "SELECT * FROM customers",
  "SELECT c.* FROM customers c",
  "TABLE customers",
  'SELECT "email" AS id FROM "public"."customers"',
  "SELECT e FROM (SELECT email AS e FROM customers) AS x",
  "WITH w AS (SELECT email FROM customers) SELECT * FROM w",
  "SELECT mail FROM contacts",
  "SELECT * FROM customer_contacts",
  "SELECT * FROM nested",
  "SELECT email FROM children",
  "SELECT email FROM ONLY customers",
  "SELECT a.email, b.phone FROM customers a JOIN customers b USING (id)",
  "SELECT number FROM cards ORDER BY id LIMIT 5",
  "SELECT * FROM customers c JOIN cards k ON k.customer_id = c.id",
  "SELECT name, ssn, salary FROM employees",
  "SELECT email(customers) FROM customers",
  "SELECT (json_populate_record(null::customers, '{}')).email",
  "SELECT x.* FROM LATERAL (SELECT phone FROM customers) x",
  "SELECT c.a2, c.a3 FROM customers AS c(a1, a2, a3)",
  "SELECT id, id, email, email FROM customers",
  'SELECT U&"e\\006Dail" FROM customers',
];
const hidden = [
  "SELECT upper(email) FROM customers",
  "SELECT email || '' FROM customers",
  "SELECT email::varchar FROM customers",
  "SELECT c FROM customers c",
  "SELECT row(c.*) FROM customers c",
  "SELECT (c).email || '' FROM customers c",
  "SELECT row_to_json(c) FROM customers c",
  "SELECT json_agg(c) FROM customers c",
  "SELECT array_agg(email) FROM customers",
  "SELECT max(email) FROM customers",
  "SELECT string_agg(email, ',') FROM customers",
  "SELECT email FROM customers UNION SELECT 'x'",
  "SELECT coalesce(email, '') FROM customers",
  "SELECT CASE WHEN true THEN email END FROM customers",
  "SELECT (SELECT email FROM customers WHERE id = 1)",
  "SELECT to_jsonb(customers) FROM customers",
  "SELECT customers::text FROM customers",
  "SELECT reverse(phone) FROM customers",
  "SELECT encode(email::bytea, 'hex') FROM customers",
  "SELECT loud FROM derived",
  "SELECT * FROM derived",
  "SELECT leak(1)",
  "SELECT * FROM leak(2)",
  "COPY (SELECT upper(email) FROM customers) TO STDOUT",
  "COPY (SELECT id FROM customers ORDER BY email) TO STDOUT (FORMAT csv)",
  "SELECT query_to_xml('SELECT email FROM customers', true, true, '')",
  "SELECT table_to_xml('customers', true, true, '')",
  "SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers'",
  "SELECT * FROM pg_stats",
  "SELECT stavalues1 FROM pg_statistic",
  "SELECT email::int FROM customers",
  "SELECT 1 FROM customers WHERE email::int = 1",
  "SELECT CAST(email AS date) FROM customers",
  "SELECT xmlforest(email) FROM customers",
  "SELECT x FROM customers, LATERAL unnest(ARRAY[email]) AS x",
  "SELECT x FROM customers, LATERAL (VALUES (email)) AS v(x)",
  "SELECT first_value(email) OVER () FROM customers",
  "SELECT lag(email) OVER (ORDER BY id) FROM customers",
  'SELECT min(email COLLATE "C") FROM customers',
  "EXPLAIN (ANALYZE, VERBOSE) SELECT email FROM customers WHERE email > 'a'",
  "SELECT json_build_object('e', email) FROM customers",
  "SELECT format('%s', email) FROM customers",
  "SELECT id FROM customers WHERE email LIKE 'a%'",
  "SELECT count(*) FROM customers WHERE phone > '1'",
  "SELECT id FROM customers ORDER BY email",
  "SELECT id FROM customers GROUP BY id, email",
  "SELECT DISTINCT ON (email) id FROM customers",
  "INSERT INTO orders (id, customer_id, status, total) SELECT 9000 + id, id, email, 1 FROM customers",
  "UPDATE products SET title = (SELECT email FROM customers WHERE id = 1) WHERE id = 1 RETURNING title",
  "CREATE TABLE copied AS SELECT email FROM customers",
  "SELECT email INTO copied FROM customers",
  "DO $$ BEGIN RAISE NOTICE '%', (SELECT email FROM customers LIMIT 1); END $$",
  "SELECT set_config('a.b', email, false) FROM customers WHERE id = 1",
  "SELECT pg_notify('x', email) FROM customers",
  "SELECT lo_from_bytea(0, email::bytea) FROM customers",
  "SELECT pg_advisory_lock(ascii(email)) FROM customers",
  "SELECT ts_stat('SELECT to_tsvector(email) FROM customers')",
  "SELECT * FROM customers c NATURAL JOIN (SELECT email FROM customers) d",
  "SELECT nextval('x') FROM customers WHERE email = ''",
  "WITH RECURSIVE r AS (SELECT email FROM customers UNION ALL SELECT email FROM r WHERE false) SELECT * FROM r",
  "MERGE INTO products p USING customers c ON p.id = c.id WHEN MATCHED THEN UPDATE SET title = c.email",
  "SELECT EXISTS (SELECT json_agg(c)::text::int FROM customers c)",
  "SELECT EXISTS (SELECT string_agg(ssn || ' ', ',')::int FROM employees)",
  "COPY (SELECT EXISTS (SELECT max(email)::int FROM customers)) TO STDOUT",
  "SELECT EXISTS (SELECT regexp_matches(email, '^a') FROM customers WHERE id = 1)",
  "SELECT id FROM orders o WHERE EXISTS (SELECT regexp_matches(ssn, '^4') FROM employees WHERE id = 1)",
  "SELECT EXISTS (SELECT set_config('application_name', max(ssn), false) FROM employees)",
  "SELECT EXISTS (SELECT ssn::int FROM employees OFFSET 0)",
  "UPDATE customers SET name = NULL WHERE id = 1",
  "UPDATE employees SET title = NULL WHERE id = 1",
  "UPDATE cards SET expires = NULL WHERE id = 1",
  "INSERT INTO customers VALUES (1, 'a', 'zz', 'z', 'c', now()) ON CONFLICT (id) DO UPDATE SET name = NULL",
  "SELECT a FROM customers AS c(x, y, z) , LATERAL (SELECT z || 'x') AS l(a)",
  "SELECT jsonb_path_query(to_jsonb(c), '$.email') FROM customers c",
  "SELECT (c.*)::text FROM customers c",
];
const harmless: readonly [string, string][] = [
  ["SELECT count(*) FROM customers", "T D C Z"],
  ["SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)", "T D C Z"],
  ["SELECT id FROM orders o WHERE EXISTS (SELECT * FROM customers c WHERE c.id = o.customer_id)", "T D C Z"],
  ["SELECT id, name, city FROM customers WHERE id = 7", "T D C Z"],
  ["SELECT city, count(*) FROM customers GROUP BY city ORDER BY 2 DESC", "T D C Z"],
  ["SELECT c.name, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name", "T D C Z"],
  ["SELECT 1", "T D C Z"],
  ["SELECT now(), version(), current_user", "T D C Z"],
  ["SELECT upper(name) || ' of ' || city FROM customers", "T D C Z"],
  ["UPDATE orders SET status = 'paid' WHERE id = 3 RETURNING id, status", "T D C Z"],
  ["SHOW server_version", "T D C Z"],
  ["BEGIN; SELECT 1; COMMIT", "C T D C C Z"],
  ["SELECT id, email, upper(name) FROM customers WHERE id < 4", "T D C Z"],
  ["SELECT max(total), date_trunc('month', placed_at) FROM orders GROUP BY 2", "T D C Z"],
  ["SELECT * FROM generate_series(1, 3)", "T D C Z"],
  ["EXPLAIN SELECT * FROM orders", "T D C Z"],
  ["SELECT relname FROM pg_class WHERE relname = 'orders'", "T D C Z"],
  ["SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'", "T D C Z"],
  ["SELECT row_number() OVER (ORDER BY total) FROM orders LIMIT 3", "T D C Z"],
  [
    "WITH t AS (SELECT customer_id, sum(total) s FROM orders GROUP BY 1) SELECT name, s FROM t JOIN customers c ON c.id = t.customer_id",
    "T D C Z",
  ],
  ["SET application_name = 'x'", "C Z"],
  ["SELECT '{\"a\":1}'::jsonb -> 'a'", "T D C Z"],
  [
    "SELECT id FROM orders WHERE status IN ('paid', 'open') AND total BETWEEN 1 AND 1000 ORDER BY placed_at LIMIT 2",
    "T D C Z",
  ],
];

describe("a protected column", () => {
  for (const sql of masked) {
    it(`is masked: ${sql}`, async () => {
      for (const [way, replies] of Object.entries(await inEveryWay(sql))) {
        const error = replies.find((reply) => reply.type === "E");
        assert.equal(error && errorOf(error).M, undefined, way);
        assert.equal(leaks(replies, sql), undefined, way);
        assert.ok(
          replies.some((reply) => reply.type === "D"),
          way,
        );
      }
    });
  }
  for (const sql of hidden) {
    it(`does not leave: ${sql}`, async () => {
      for (const [way, replies] of Object.entries(await inEveryWay(sql))) {
        assert.equal(leaks(replies, sql), undefined, way);
        assert.equal(replies.at(-1)!.type, "Z");
        const shown = rowsOf(replies);
        // What is shown is what a database says that never had the values, but only their masks.
        if (shown.length > 0 && way !== "binary" && !ofItsOwn.test(sql))
          assert.deepEqual(shown, rowsOf(await elsewhere.run(sql)), way);
      }
    });
  }

  it("is masked through cursors and prepared statements of both protocols", async () => {
    const client = await WireClient.open(port, token);
    const seen: Reply[] = [];
    for (const sql of [
      "BEGIN",
      "DECLARE c CURSOR FOR SELECT id, email FROM customers",
      "FETCH 3 FROM c",
      "MOVE c",
      "FETCH ALL FROM c",
      "COMMIT",
      "PREPARE p AS SELECT email FROM customers",
      "EXECUTE p",
    ]) {
      const replies = await client.run(sql);
      assert.equal(
        replies.find((reply) => reply.type === "E") && errorOf(replies.find((reply) => reply.type === "E")!).M,
        undefined,
        sql,
      );
      seen.push(...replies);
    }
    client.socket.write(Buffer.concat([x.bind("", "p", [], 1), x.execute(""), x.sync()]));
    seen.push(...(await client.until("Z")));
    await client.run("BEGIN");
    client.socket.write(Buffer.concat([x.parse("q", "SELECT email FROM customers"), x.bind("portal", "q"), x.sync()]));
    await client.until("Z");
    seen.push(...(await client.run("FETCH 2 FROM portal")), ...(await client.run("EXECUTE q")));
    await client.run("DECLARE d CURSOR FOR SELECT email FROM customers");
    client.socket.write(Buffer.concat([x.execute("d", 5), x.sync()]));
    seen.push(...(await client.until("Z")));
    assert.equal(leaks(seen, ""), undefined);
    assert.ok(seen.filter((reply) => reply.type === "D").length > 250);
    client.end();
  });

  it("keeps its tag when it is renamed or moved", async () => {
    const owner = new pg.Client(server.url("postgres", "shop"));
    await owner.connect();
    await owner.query("ALTER TABLE customers RENAME COLUMN email TO contact; ALTER TABLE customers RENAME TO people");
    const client = await WireClient.open(port, token);
    const replies = await client.run("SELECT contact FROM people");
    await owner.query("ALTER TABLE people RENAME TO customers; ALTER TABLE customers RENAME COLUMN contact TO email");
    await owner.end();
    assert.equal(leaks(replies, ""), undefined);
    client.end();
  });
});

describe("harmless work", () => {
  for (const [sql, expected] of harmless) {
    it(`passes: ${sql}`, async () => {
      const client = await WireClient.open(port, token);
      const replies = await client.run(sql);
      client.end();
      const error = replies.find((reply) => reply.type === "E");
      assert.equal(error && JSON.stringify(errorOf(error)), undefined);
      assert.equal(types(replies.filter((reply) => !["S", "N"].includes(reply.type))), expected);
    });
  }

  it("shows what is not tagged as it is, beside what is masked", async () => {
    const client = await WireClient.open(port, token);
    const row = cells(
      (await client.run("SELECT id, name, email FROM customers WHERE id = 1")).find((reply) => reply.type === "D")!,
    );
    client.end();
    assert.equal(row[0], "1");
    assert.equal(row[2], "[redacted]");
    assert.notEqual(row[1], "[redacted]");
  });
});
