// A session of typical use with node-postgres. Prints what it saw; reads PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE.
import pg from "pg";

const say = (label: string, value: unknown): void => console.log(`${label}: ${JSON.stringify(value)}`);
const refused = async (label: string, work: Promise<unknown>): Promise<void> => {
  try {
    say(label, { unexpected: await work });
  } catch (error) {
    const { code, message, severity, position, constraint, table, detail, hint } = error as pg.DatabaseError;
    say(label, { code, message, severity, position, constraint, table, detail, hint });
  }
};

const client = new pg.Client();
await client.connect();
client.on("notice", ({ severity, code, message }) => say("notice", { severity, code, message }));

// Simple queries: several statements, no statement, errors with position.
say("simple", (await client.query("SELECT 1 AS one, 'two' AS two, NULL AS three")).rows);
say(
  "several",
  (
    (await client.query(
      "SELECT 1 AS a; SELECT 2 AS b, 3 AS c; CREATE TEMP TABLE t0 (i int)",
    )) as never as pg.QueryResult[]
  ).map(({ command, rowCount, rows }) => ({ command, rowCount, rows })),
);
say("empty", (await client.query("")).rows);
// What does not parse is refused by the gate itself, in its own words.
say("syntax", await client.query("SELEC 1").catch(({ code }) => code));
await refused("no table", client.query("SELECT * FROM nowhere.at_all"));
await refused("division", client.query("SELECT 1/0"));
await refused("second fails", client.query("CREATE TEMP TABLE undone (i int); SELECT 1/0"));
await refused("undone", client.query("SELECT * FROM undone"));

// Extended: parameters of many types, named statements executed again and again.
const types =
  "SELECT $1::int AS i, $2::text AS t, $3::numeric AS n, $4::bool AS b, $5::jsonb AS j, $6::int[] AS a, $7::timestamptz AS ts, $8::bytea AS raw, $9::float8 AS f, $10::uuid AS u, $11::date AS d";
const values = [
  42,
  "Ünïcode 🦉 'quoted'",
  "12345678901234567890.123",
  true,
  { a: [1, { b: null }] },
  [1, null, 3],
  "2026-02-28T12:00:00Z",
  Buffer.from([0, 1, 254, 255]),
  1.5,
  "f47ac10b-58cc-4372-a567-0e02b2c3d479",
  "2024-02-29",
];
const result = await client.query(types, values);
say("types", result.rows);
say(
  "fields",
  result.fields.map(({ name, dataTypeID, format }) => ({ name, dataTypeID, format })),
);
for (let i = 1; i <= 20; i++) {
  const { rows } = await client.query({
    name: "by id",
    text: "SELECT id, sku, price FROM products WHERE id = $1",
    values: [i],
  });
  if (i % 5 === 0) say(`prepared ${i}`, rows);
}
await refused("prepared fails", client.query({ name: "div", text: "SELECT 10 / $1::int AS q", values: [0] }));
say("prepared works after", (await client.query({ name: "div", text: "SELECT 10 / $1::int AS q", values: [2] })).rows);
await refused(
  "wrong parameter",
  client.query({ name: "by id", text: "SELECT id, sku, price FROM products WHERE id = $1", values: ["x"] }),
);
say(
  "binary",
  (
    await client.query({
      text: "SELECT id, sku, length(title), price > 10 AS dear FROM products WHERE id < $1 ORDER BY id",
      values: [4],
      binary: true,
    } as pg.QueryConfig)
  ).rows,
);
say(
  "row mode",
  (await client.query({ text: "SELECT id, status FROM orders ORDER BY id LIMIT 3", rowMode: "array" })).rows,
);

// Transactions.
await client.query("CREATE TABLE node_pg (id int PRIMARY KEY, v text)");
await client.query("BEGIN");
say("insert", (await client.query("INSERT INTO node_pg VALUES (1, 'a'), (2, 'b') RETURNING id")).rows);
await client.query("SAVEPOINT s");
await refused("duplicate", client.query("INSERT INTO node_pg VALUES (1, 'again')"));
await refused("in failed transaction", client.query("SELECT 1"));
await client.query("ROLLBACK TO s");
say("after savepoint", (await client.query("SELECT * FROM node_pg ORDER BY id")).rows);
say("commit", (await client.query("COMMIT")).command);
await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY");
await refused("read only", client.query("DELETE FROM node_pg"));
say("rollback", (await client.query("ROLLBACK")).command);
say("update", (await client.query("UPDATE node_pg SET v = v || $1 WHERE id = ANY($2::int[])", ["!", [1, 2]])).rowCount);
say(
  "many",
  (await Promise.all(Array.from({ length: 50 }, (_, i) => client.query("SELECT $1::int * 2 AS v", [i])))).map(
    ({ rows }) => rows[0].v,
  ),
);

// A larger result, a wide row, and many columns.
const large = await client.query("SELECT i, repeat(md5(i::text), 8) AS text FROM generate_series(1, 20000) i");
say("large", { rows: large.rowCount, last: large.rows.at(-1).text.slice(0, 8) });
say("wide", (await client.query("SELECT repeat('x', 3000000) AS wide")).rows[0].wide.length);
say(
  "columns",
  (await client.query(`SELECT ${Array.from({ length: 1000 }, (_, i) => `${i} AS c${i}`).join(", ")}`)).fields.length,
);

// LISTEN and NOTIFY, notices.
const listener = new pg.Client();
await listener.connect();
const heard = new Promise((resolve) =>
  listener.on("notification", ({ channel, payload }) => resolve({ channel, payload })),
);
await listener.query('LISTEN "Node Channel"');
await client.query(`SELECT pg_notify('Node Channel', 'hello')`);
say("notification", await heard);
await listener.end();
await client.query("DO $$ BEGIN RAISE NOTICE 'a notice %', 1; END $$");

// Cancel: by a timeout of the server, and by a request on another connection.
await client.query("SET statement_timeout = 100");
await refused("timeout", client.query("SELECT pg_sleep(20)"));
await client.query("RESET statement_timeout");
const sleeper = new pg.Client();
await sleeper.connect();
const slept = refused("canceled", sleeper.query("SELECT pg_sleep(20)"));
await new Promise((resolve) => setTimeout(resolve, 300));
const { processID, secretKey } = sleeper as never as { processID: number; secretKey: number };
const request = Buffer.alloc(16);
[16, 80877102, processID, secretKey].forEach((value, i) => {
  request.writeInt32BE(value, i * 4);
});
const { connect } = await import("node:net");
connect(Number(process.env.PGPORT), process.env.PGHOST ?? "127.0.0.1").end(request);
await slept;
say("after cancel", (await sleeper.query("SELECT 1 AS one")).rows);
await sleeper.end();

// A pool.
const pool = new pg.Pool({ max: 5 });
say(
  "pool",
  (await Promise.all(Array.from({ length: 25 }, (_, i) => pool.query("SELECT $1::text AS v", [`p${i}`]))))
    .map(({ rows }) => rows[0].v)
    .join(" "),
);
await pool.end();

await client.query("DROP TABLE node_pg");
say(
  "settings",
  (
    await client.query(
      "SELECT current_setting('server_encoding') e, current_setting('application_name') a, current_user u, current_database() d",
    )
  ).rows,
);
await client.end();
