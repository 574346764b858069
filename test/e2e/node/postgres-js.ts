// A session of typical use with postgres.js, which pipelines and prepares by itself. Prints what it saw; reads PG… variables.
import postgres from "postgres";

const say = (label: string, value: unknown): void => console.log(`${label}: ${JSON.stringify(value)}`);
const refused = async (label: string, work: PromiseLike<unknown>): Promise<void> => {
  try {
    say(label, { unexpected: await work });
  } catch (error) {
    const { code, message, severity, position, constraint_name, detail, hint } = error as postgres.PostgresError;
    say(label, { code, message, severity, position, constraint_name, detail, hint });
  }
};
const notices: string[] = [];
const sql = postgres({ max: 3, onnotice: ({ message }) => notices.push(String(message)) });

say("one", await sql`SELECT 1 AS one`);
say(
  "types",
  await sql`SELECT ${42}::int AS i, ${"Ünïcode 🦉"}::text AS t, ${true}::bool AS b, ${sql.json({ a: [1, null] })}::jsonb AS j, ${sql.array([1, 2, 3])}::int[] AS a, ${new Date(0)}::timestamptz AS ts, ${Buffer.from([0, 255])}::bytea AS raw`,
);
say(
  "columns",
  (await sql`SELECT id, sku, price FROM products LIMIT 1`).columns.map(({ name, type }) => ({ name, type })),
);
for (let i = 1; i <= 15; i++) {
  const rows = await sql`SELECT title FROM products WHERE id = ${i}`;
  if (i % 5 === 0) say(`again ${i}`, rows);
}
say(
  "pipelined",
  (await Promise.all(Array.from({ length: 60 }, (_, i) => sql`SELECT ${i}::int + 1 AS v`))).map(([row]) => row!.v),
);
const mixed = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => sql`SELECT 12 / ${i % 4}::int AS v`));
say(
  "pipelined with errors",
  mixed.map((one) => (one.status === "fulfilled" ? one.value[0]!.v : (one.reason as postgres.PostgresError).code)),
);
say(
  "simple",
  (await sql.unsafe("SELECT 1 AS a; SELECT 2 AS b").simple()).map((rows: unknown) => rows),
);
// What does not parse is refused by the gate itself, in its own words.
say("syntax", await sql.unsafe("SELEC 1").catch(({ code }) => code));
await refused("no column", sql`SELECT nothing FROM orders`);
say(
  "described",
  await sql`SELECT id, total FROM orders WHERE id = ${1}`
    .describe()
    .then(({ types, columns }) => ({ types, columns: columns.map(({ name, type }) => ({ name, type })) })),
);

await sql`CREATE TABLE postgres_js (id int PRIMARY KEY, name text, data jsonb)`;
say(
  "insert",
  await sql`INSERT INTO postgres_js ${sql([
    { id: 1, name: "a" },
    { id: 2, name: "b" },
  ])} RETURNING id`,
);
say(
  "begin",
  await sql.begin(async (tx) => {
    await tx`UPDATE postgres_js SET name = 'c' WHERE id = 1`;
    await tx
      .savepoint(async (sp) => {
        await sp`INSERT INTO postgres_js VALUES (1)`;
      })
      .catch((error: postgres.PostgresError) => say("savepoint", error.code));
    return await tx`SELECT id, name FROM postgres_js ORDER BY id`;
  }),
);
await refused(
  "rolled back",
  sql.begin(async (tx) => {
    await tx`DELETE FROM postgres_js`;
    throw new Error("changed my mind");
  }),
);
say("still there", await sql`SELECT count(*)::int AS n FROM postgres_js`);

let seen = 0;
await sql`SELECT i FROM generate_series(1, 2500) i`.cursor(400, (rows) => {
  seen += rows.length;
});
say("cursor", seen);
let stopped = 0;
for await (const rows of sql`SELECT i FROM generate_series(1, 2500) i`.cursor(100)) {
  stopped += rows.length;
  if (stopped >= 300) break;
}
say("cursor that was closed", stopped);
let each = 0;
await sql`SELECT i FROM generate_series(1, 1000) i`.forEach(() => {
  each++;
});
say("forEach", each);

const { Readable } = await import("node:stream");
const { pipeline } = await import("node:stream/promises");
await pipeline(
  Readable.from(Array.from({ length: 5000 }, (_, i) => `${i + 10}\tname ${i}\t\\N\n`)),
  await sql`COPY postgres_js FROM STDIN`.writable(),
);
say("copied in", await sql`SELECT count(*)::int AS n, max(id) AS m FROM postgres_js`);
let bytes = 0;
for await (const chunk of await sql`COPY (SELECT id, name FROM postgres_js ORDER BY id) TO STDOUT`.readable())
  bytes += (chunk as Buffer).length;
say("copied out", bytes);

let heard: (value: string) => void = () => undefined;
const payload = new Promise<string>((resolve) => {
  heard = resolve;
});
const { unlisten } = await sql.listen("js_channel", (value) => heard(value));
await sql.notify("js_channel", "hello from postgres.js");
say("heard", await payload);
await unlisten();
await sql`DO $$ BEGIN RAISE NOTICE 'noticed'; END $$`;
say("notices", notices);

const sleeping = sql`SELECT pg_sleep(20)`;
setTimeout(() => sleeping.cancel(), 300);
await refused("canceled", sleeping);
say("after cancel", await sql`SELECT 1 AS one`);
say("large", (await sql`SELECT repeat('y', 2000000) AS big`)[0]!.big.length);
await sql`DROP TABLE postgres_js`;
await sql.end();
