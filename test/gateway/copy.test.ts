// COPY … TO STDOUT is masked: what comes out is what the server would copy out of a table that holds the masked values.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import * as wire from "../support/wire.ts";

const { Wire, errorFields, shape } = wire;

/** A column of each type, with values that the forms of COPY write in special ways. */
const columns: readonly (readonly [type: string, ...values: (string | null)[]])[] = [
  ["text", 'quote " back \\ tab \t pipe | comma, line\nfeed\r', "", "\\N", null, "\\.", "4111-1111-1111-1111"],
  ["varchar(20)", "alice@example.com", "a,b", null, "", 'x"y', "\\"],
  ["char(12)", "padded", null, "a|b", "", "c\td", "e"],
  ["name", "some_name", "a,b", "c", null, "d", "e"],
  ["json", '{"a": "b\\nc"}', '"4111111111111111"', "123456789", "null", null, "[1]"],
  ["jsonb", '{"a": "b\\nc"}', '"4111111111111111"', "123456789", "null", null, "[1]"],
  ["xml", "<a>secret</a>", null, "<b/>", "<c>d</c>", "<e/>", "<f/>"],
  ["bytea", "\\x00ff5c22", "\\x", null, "\\x5c2e", "\\x0a", "\\x736563726574"],
  ["uuid", "0195d3a4-7b1c-7000-8000-0123456789ab", null, null, null, null, null],
  ["smallint", "32767", "-32768", null, "1234", "0", "7"],
  ["integer", "2147483647", "-2147483648", null, "12345", "0", "7"],
  ["bigint", "9223372036854775807", "1234567890123456", null, "1234567", "0", "7"],
  ["numeric(20,4)", "12345678.9012", "-0.0001", null, "1234", "0", "7"],
  ["real", "1234.5", "-3.4e38", null, "0.5", "NaN", "7"],
  ["double precision", "1234.56789", "-1.7e308", null, "0.5", "Infinity", "7"],
  ["date", "1987-11-23", null, "0001-01-02", "4713-01-02 BC", "infinity", "2000-01-01"],
  ["timestamp", "1987-11-23 12:34:56.789", null, "0001-01-01 01:02:03", "infinity", "2000-01-01", "1999-12-31"],
  ["timestamptz", "1987-11-23 12:34:56.789+01", null, "infinity", "2000-01-01", "1999-12-31", "1970-01-01"],
  ["time", "12:34:56.789", null, "00:00:00", "24:00:00", "01:02:03", "23:59:59"],
  ["timetz", "12:34:56.789+05:30", null, "00:00:00+00", "01:02:03-12", "23:59:59+01", "12:00:00+02"],
  ["interval", "1 year 2 days", null, "1 hour", "-1 day", "0", "1 s"],
  ["boolean", "true", "false", null, "true", "false", "true"],
  ["money", "1234.56", null, "0", "1", "2", "3"],
  ["inet", "192.168.1.17/24", null, "::1", "10.0.0.1", "10.0.0.2", "10.0.0.3"],
  ["point", "(1,2)", null, "(0,0)", "(3,4)", "(5,6)", "(7,8)"],
  ["int4range", "[1,10)", null, "empty", "(,)", "[2,3)", "[4,5)"],
  ["bit varying", "10110", null, "", "1", "0", "11"],
  ["tsvector", "'fat':1 'rat':2", null, "", "'a'", "'b'", "'c'"],
  ["text[]", '{"a,b","c\\"d",NULL,"e\\\\f"}', "{}", null, '{"line\nfeed"}', "{x}", '{""}'],
  ["integer[]", "{1234567,NULL}", "{}", null, "{{1,2},{3,4}}", "{7}", "{8}"],
  ["mood", "happy", "sad", null, "happy", "sad", "happy"],
  ["short", "abc", "d,e", null, "", "f", "g"],
  ["pair", "(1,secret)", null, "(,)", '(2,"a,b")', "(3,)", '(4,"x""y")'],
];
const masks: { readonly [tag: string]: { readonly mask: string; readonly [parameter: string]: unknown } } = {
  nulled: { mask: "null" },
  redacted: { mask: "redact" },
  hashed: { mask: "hash" },
  mailed: { mask: "email" },
  parted: { mask: "partial", keep_last: 3 },
  dotted: { mask: "partial", char: "•", keep_first: 1 },
  cut: { mask: "truncate", to: "year", step: 1000 },
  found: { mask: "detect" },
  inside: { mask: "json", paths: [{ path: "$.a", mask: "redact" }] },
};
const formats = [
  "",
  "(DELIMITER '|', NULL '', HEADER false)",
  "(DELIMITER ',', NULL 'NULL')",
  "(FORMAT csv)",
  "(FORMAT csv, HEADER)",
  `(FORMAT csv, HEADER on, DELIMITER ';', NULL 'n', QUOTE '''', ESCAPE '\\')`,
  "(FORMAT csv, FORCE_QUOTE *, ENCODING 'UTF8')",
  "(FORMAT csv, FORCE_QUOTE (c0, c3), DELIMITER 'a')",
  "CSV HEADER QUOTE AS '~' FORCE QUOTE c1",
  "WITH DELIMITER AS '~' NULL AS ''",
  "(FORMAT binary)",
];

const server = await startServer({ auth: "password" });
const direct = new pg.Client(server.url("postgres", "shop"));
await direct.connect();
// The server goes before the clients do.
direct.on("error", () => undefined);
const hasXml = await direct.query("SELECT '<a/>'::xml").then(
  () => true,
  () => false,
);
const used = columns.filter(([type]) => type !== "xml" || hasXml);
const definition = used.map(([type], i) => `c${i} ${type}`).join(", ");
const rows = [1, 2, 3, 4, 5, 6].map((at) => used.map((column) => column[at] ?? null));
const places = used.map(([type], i) => `$${i + 1}::${type}`).join(", ");
await direct.query(`
  CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE DOMAIN short AS varchar(5); CREATE TYPE pair AS (a int, b text);
  CREATE TABLE made (id int, secret text, loud text GENERATED ALWAYS AS (upper(secret)) STORED, fixed int GENERATED ALWAYS AS (1 + 1) STORED);
  INSERT INTO made VALUES (1, 'topsecret'), (2, NULL);
  CREATE TABLE large (id int, secret text); INSERT INTO large SELECT i, 'topsecret' || i FROM generate_series(1, 5000) i;
  CREATE SCHEMA other; CREATE TABLE other.customers (id int, email text); INSERT INTO other.customers VALUES (1, 'other@example.com');
  GRANT USAGE ON SCHEMA other TO app;
`);
for (const tag of Object.keys(masks)) {
  await direct.query(`CREATE TABLE t_${tag} (${definition})`);
  for (const row of rows) await direct.query(`INSERT INTO t_${tag} VALUES (${places})`, row);
}
await direct.query("GRANT ALL ON ALL TABLES IN SCHEMA public, other TO app");
const gate = await startGate({
  policy: "mask_tagged",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  data: {
    masks: { ...masks, pii: { mask: "redact" } },
    classification: {
      shop: {
        ...Object.fromEntries(Object.keys(masks).map((tag) => [`public.t_${tag}`, [tag]])),
        "public.customers.email": ["pii"],
        "public.made.secret": ["pii"],
        "public.large.secret": ["pii"],
      },
    },
  },
  config: { limits: { row_bytes: "64KiB" } },
});
const token = await gate.token();
const at = new URL(server.url("postgres", "shop"));
const login = (): Promise<wire.Wire> => Wire.login(gate.postgres, "agent", "shop", token);
const owner = (): Promise<wire.Wire> =>
  Wire.login(at.host, decodeURIComponent(at.username), "shop", decodeURIComponent(at.password));

type Copied = { readonly shape: string; readonly content: Buffer; readonly error: Record<string, string> };

function copied(messages: readonly wire.WireMessage[]): Copied {
  const failed = messages.find((one) => one.type === "E");
  return {
    shape: shape(messages).replaceAll(/( d)+/g, " d"),
    content: Buffer.concat(messages.filter((one) => one.type === "d").map((one) => one.body)),
    error: failed === undefined ? {} : errorFields(failed),
  };
}

async function simply(client: wire.Wire, sql: string): Promise<Copied> {
  return copied(await client.query(sql));
}

async function extended(client: wire.Wire, sql: string): Promise<Copied> {
  client.send(wire.parse("", sql), wire.bind("", ""), wire.execute(""), wire.sync());
  return copied(await client.until());
}

/** A table with what the gate shows of another by SELECT. */
async function shown(client: wire.Wire, tag: string): Promise<string> {
  const table = `shown_${tag}`;
  await direct.query(`CREATE TABLE ${table} (${definition})`);
  for (const message of await client.query(`SELECT * FROM t_${tag}`))
    if (message.type === "D") await direct.query(`INSERT INTO ${table} VALUES (${places})`, wire.cells(message));
  return table;
}

describe("values of every type", () => {
  for (const tag of Object.keys(masks)) {
    test(`${JSON.stringify(masks[tag])}, in every form`, async () => {
      const [client, plain] = [await login(), await owner()];
      const table = await shown(client, tag);
      for (const format of formats) {
        for (const what of ["*", "(SELECT * FROM *)", "(TABLE ONLY * LIMIT 3)"]) {
          const of = (name: string): string =>
            `COPY ${what === "*" ? name : what.replaceAll(/ \*(?=[) ])(?! FROM)/g, ` ${name}`)} TO STDOUT ${format}`;
          const expected = await simply(plain, of(table));
          assert.match(expected.shape, /^H d c C ZI$/, of(table));
          // In format text a value may look like NULL: there what is NULL is masked as that value.
          if (/NULL (AS )?'(NULL)?'/.test(format) && !/csv/i.test(format)) {
            const given = await simply(client, of(`t_${tag}`));
            assert.equal(given.shape, expected.shape);
            continue;
          }
          for (const send of [simply, extended]) {
            const given = await send(client, of(`t_${tag}`));
            assert.deepEqual(given.error, {}, of(`t_${tag}`));
            assert.equal(given.content.toString("latin1"), expected.content.toString("latin1"), of(`t_${tag}`));
            assert.equal(given.shape, send === simply ? expected.shape : `1 2 ${expected.shape}`);
          }
        }
      }
      client.end();
      plain.end();
    });
  }
});

test("columns are masked in whichever order they are named", async () => {
  const client = await login();
  assert.equal((await simply(client, "COPY made TO STDOUT")).content.toString(), "1\t[redacted]\n2\t\\N\n");
  assert.equal(
    (await simply(client, "COPY (SELECT loud, secret, fixed, id FROM made) TO STDOUT CSV HEADER")).content.toString(),
    "loud,secret,fixed,id\n[redacted],[redacted],2,1\n,,2,2\n",
  );
  assert.equal(
    (
      await simply(client, "COPY (SELECT 1 /* ) */, ')' AS x, secret AS id FROM made /* ( */ LIMIT 1 -- )\n) TO STDOUT")
    ).content.toString(),
    "1\t)\t[redacted]\n",
  );
  assert.equal(
    (await simply(client, `COPY "public"."made" ("secret") TO STDOUT`)).content.toString(),
    "[redacted]\n\\N\n",
  );
  client.end();
});

test("several in one text are masked each by its own columns, beside other statements", async () => {
  const client = await login();
  const text = `BEGIN; SET DateStyle = 'ISO'; COPY (SELECT secret, id FROM made WHERE id = 1) TO STDOUT; SELECT secret FROM made WHERE id = 1;
    COPY (SELECT id, secret FROM made WHERE id = 1) TO STDOUT (FORMAT csv); COPY (SELECT 7) TO STDOUT; COMMIT`;
  const given = await simply(client, text);
  assert.equal(given.shape, "C C H d c C T D C H d c C H d c C C ZI");
  assert.equal(given.content.toString(), "[redacted]\t1\n1,[redacted]\n7\n");
  client.end();
});

test("within a transaction, after other messages of a segment, and again from a prepared statement", async () => {
  const client = await login();
  assert.equal(shape(await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE")), "C ZT");
  const sql = "COPY (SELECT secret FROM made WHERE id = 1) TO STDOUT";
  assert.equal((await simply(client, sql)).shape, "H d c C ZT");
  client.send(wire.parse("s", sql), wire.parse("q", "SELECT 1"), wire.bind("", "q"), wire.execute(""));
  for (const portal of ["a", "b"])
    client.send(wire.bind(portal, "s"), wire.describe("P", portal), wire.execute(portal));
  client.send(wire.sync());
  const given = copied(await client.until());
  assert.equal(given.shape, "1 1 2 D C 2 n H d c C 2 n H d c C ZT");
  assert.equal(given.content.toString(), "[redacted]\n[redacted]\n");
  client.end();
});

test("a failure is told as the server tells it, at its place, and the session goes on", async () => {
  const [client, plain] = [await login(), await owner()];
  for (const sql of [
    "COPY (SELECT 'ü', secret, 1 + date '2000-01-01' + interval '1 day' * 'x'::point FROM made) TO STDOUT",
    "COPY (SELECT secret FROM made, made) TO STDOUT",
    "COPY (SELECT secret FROM made) TO STDOUT (DELIMITER 'n')",
    "COPY (SELECT secret, 1 / (id - 1) FROM made) TO STDOUT",
  ]) {
    for (const send of [simply, extended]) {
      const [given, expected] = [await send(client, sql), await send(plain, sql)];
      assert.equal(given.shape, expected.shape, sql);
      assert.equal(given.error.P, expected.error.P, sql);
      assert.equal(given.error.C, expected.error.C, sql);
    }
    assert.equal((await simply(client, "COPY (SELECT 1) TO STDOUT")).shape, "H d c C ZI");
  }
  await client.query("BEGIN");
  assert.equal((await simply(client, "COPY (SELECT secret FROM made, made) TO STDOUT")).shape, "E:42712 ZE");
  assert.equal((await simply(client, "COPY (SELECT secret FROM made) TO STDOUT")).shape, "E:25P02 ZE");
  client.end();
  plain.end();
});

test("what cannot be masked is refused, and its options or its place are named", async () => {
  const client = await login();
  const refused: readonly (readonly [string, RegExp])[] = [
    ["COPY made TO STDOUT (ENCODING 'LATIN1')", /UTF8/],
    ["COPY made TO STDOUT (NULL 'a\\')", /NULL ends with a backslash/],
    ["COPY made TO STDOUT (FORMAT custom)", /format custom/],
    ["COPY made TO STDOUT (FRESH true)", /option fresh/],
    ["COPY made TO STDOUT (NULL 'a', NULL 'b')", /twice/],
    ["SET search_path = other; COPY (SELECT secret FROM public.made) TO STDOUT", /before it/],
    ["COMMIT; COPY made TO STDOUT", /before it/],
    ["SELECT set_config('search_path', 'other', false); COPY public.made TO STDOUT", /before it/],
  ];
  for (const [sql, why] of refused) {
    const given = await simply(client, sql);
    assert.equal(given.content.length, 0, sql);
    assert.match(given.error.D ?? "", why, sql);
    assert.match(given.error.D ?? "", /MASK_IMPOSSIBLE/, sql);
    assert.ok((given.error.H ?? "").length > 0, sql);
  }
  assert.equal((await simply(client, "COPY (SELECT 1) TO STDOUT (ENCODING 'LATIN1')")).content.toString(), "1\n");
  assert.equal(
    (await simply(client, "SET search_path = other, public; COPY (SELECT 1) TO STDOUT")).content.toString(),
    "1\n",
  );
  client.end();
});

test("what the server describes otherwise than it was derived is not copied", async () => {
  await direct.query(
    "CREATE TABLE swapped (a int, b text, c text); INSERT INTO swapped VALUES (1, 'plain', 'topsecret')",
  );
  await direct.query("GRANT SELECT ON swapped TO app");
  const stale = await startGate({
    policy: "mask_tagged",
    resources: {},
    data: { classification: { shop: { "public.swapped.c": ["pii"] } } },
    config: {
      resources: {
        shop: {
          kind: "postgres",
          url: `${server.url("app", "shop")}?sslmode=disable`,
          environment: "production",
          catalog_check: "1h",
        },
      },
    },
  });
  const client = await Wire.login(stale.postgres, "agent", "shop", await stale.token());
  const expected = "1\tplain\t[redacted]\n";
  assert.equal((await simply(client, "COPY swapped TO STDOUT")).content.toString(), expected);
  await direct.query(
    "ALTER TABLE swapped RENAME b TO d; ALTER TABLE swapped RENAME c TO b; ALTER TABLE swapped RENAME d TO c",
  );
  const given = await simply(client, "COPY swapped (a, b) TO STDOUT");
  assert.match(given.error.D ?? "", /CATALOG_MISMATCH/);
  assert.equal(given.content.length, 0);
  // Read anew: the tag stays with its column, and stands for its name as well.
  const masked = "1\t[redacted]\t[redacted]\n";
  assert.equal((await simply(client, "COPY swapped (a, c, b) TO STDOUT")).content.toString(), masked);
  client.end();
});

test("the outcome counts rows and masked cells", async () => {
  const client = await login();
  const text = "COPY (SELECT id, secret FROM made) TO STDOUT CSV HEADER";
  await simply(client, text);
  client.end();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const [decided, ...others] = gate.records().filter((line) => line.input?.command?.text === text);
  assert.equal(others.length, 0);
  const outcome = gate
    .records()
    .find(({ path, decision_id }) => path === "regate/outcome" && decision_id === decided!.decision_id)!;
  const { rows: counted, masked_cells, status } = outcome.result;
  assert.deepEqual({ counted, masked_cells, status }, { counted: 2, masked_cells: 1, status: "ok" });
});

test("many rows come one by one, and a reader that stops stops the server", async () => {
  const client = await login();
  const given = await client.query("COPY large TO STDOUT");
  const content = given.filter((one) => one.type === "d").map((one) => one.body.toString());
  assert.equal(content.length, 5000);
  assert.ok(content.every((line, i) => line === `${i + 1}\t[redacted]\n`));
  client.send(wire.query("COPY (SELECT l.id, l.secret FROM large l, generate_series(1, 400)) TO STDOUT"));
  await client.next();
  client.socket.pause();
  const before = process.memoryUsage().rss;
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(process.memoryUsage().rss - before < 300 << 20);
  const cancel = await Wire.open(gate.postgres);
  cancel.send(wire.cancelRequest(client.pid, client.secret));
  await new Promise((resolve) => setTimeout(resolve, 500));
  client.socket.resume();
  const rest = await client.until("Z", 1, 30_000);
  assert.equal(shape(rest.slice(-2)), "E:57014 ZI");
  assert.ok(!Buffer.concat(rest.map((one) => one.body)).includes("topsecret"));
  client.end();
});

test("a row that is too large is refused where it would come, and nothing of it leaves", async () => {
  const client = await login();
  for (const format of ["text", "csv", "binary"]) {
    const given = await simply(
      client,
      `COPY (SELECT 'first', secret FROM made UNION ALL SELECT repeat('topsecret', 20000), secret FROM made LIMIT 3) TO STDOUT (FORMAT ${format})`,
    );
    assert.match(given.error.D ?? "", /ROW_TOO_LARGE/);
    assert.ok(!given.content.includes("topsecret"));
    assert.equal(given.shape.split(" ").at(-1), "ZI");
  }
  assert.equal((await simply(client, "COPY (SELECT 1) TO STDOUT")).shape, "H d c C ZI");
  client.end();
});
