// Every type of the server's catalog under every mask, in both formats: what comes out goes back in, and hides what it promises to hide.
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import type { MaskRequest } from "../../src/masking/index.ts";
import { maskNames } from "../../src/masking/index.ts";
import { startServer } from "../support/server.ts";
import { bytesOf } from "./apply.ts";

/** `same`: what may come out as it went in. */
const requests: readonly (MaskRequest & { readonly mask: string })[] = [
  { mask: "null" },
  { mask: "redact" },
  { mask: "hash" },
  { mask: "email" },
  { mask: "partial", keep_last: 2 },
  { mask: "partial", char: "•" },
  { mask: "tokenize", key: "cards", tweak: "t" },
  { mask: "truncate", to: "year", step: 1000 },
  { mask: "truncate", to: "hour", digits: 2 },
  { mask: "truncate", to: "decade", digits: 1 },
  { mask: "json", paths: [{ path: "$.a", mask: "redact" }] },
  { mask: "json", paths: [{ path: "$..*", mask: "tokenize", key: "cards", tweak: "t" }] },
  { mask: "detect" },
  { mask: "detect", with: "partial", char: "•" },
];

/** Values by type; none of them is its own masked form but where `keeps` says so. */
const samples: { readonly [type: string]: readonly string[] } = {
  text: ["4111-1111-1111-1111", "alice@example.com", 'quote " back \\ {brace}, comma', "ünï 漢字 🙂", " NULL ", "x"],
  varchar: ["4111111111111111", "NULL", "a"],
  bpchar: ["secret word 12", "b"],
  name: ["some_name_123", "n"],
  '"char"': ["c"],
  json: ['{"a": [1, {"b": "x"}], "a": "twice"}', '"4111111111111111"', "123456789", "[true, 1.50]"],
  jsonb: ['{"a": [1, {"b": "x"}]}', '"4111111111111111"', "123456789", "[true, 1.50]"],
  jsonpath: ["$.a"],
  xml: ["<a>secret</a>"],
  bytea: ["\\x00ff5c22", "\\x736563726574"],
  uuid: ["0195d3a4-7b1c-7000-8000-0123456789ab"],
  int2: ["32767", "-32768", "1234"],
  int4: ["2147483647", "-2147483648", "12345", "1234567"],
  int8: ["9223372036854775807", "-9223372036854775808", "1234567890123456", "1234567"],
  numeric: ["12345678.901234", "-0.00012345678", "99999999999999999999999999999.5", "1234e20", "0.999"],
  float4: ["1234.567", "-3.4e38", "1.17e-38", "0.7654321"],
  float8: ["1234.56789", "-1.797e308", "2.2250e-308", "12345678901234"],
  money: ["1234.56"],
  date: ["1987-11-23", "5874897-12-31", "0001-01-02", "4713-01-02 BC"],
  time: ["12:34:56.789", "00:59:59.999999"],
  timetz: ["12:34:56.789+05:30", "00:59:59.999999-12"],
  timestamp: ["1987-11-23 12:34:56.789", "294276-12-31 23:59:59", "0001-01-01 01:02:03", "4713-01-02 00:00:00 BC"],
  timestamptz: [
    "1987-11-23 12:34:56.789+01",
    "294276-12-31 23:59:59+00",
    "0001-01-01 01:02:03+00",
    "4713-01-02 00:00:00 BC",
  ],
  interval: ["1 year 2 days 03:04:05.6"],
  bool: ["true", "false"],
  oid: ["12345"],
  inet: ["192.168.1.17/24"],
  cidr: ["10.1.2.0/24"],
  macaddr: ["08:00:2b:01:02:03"],
  macaddr8: ["08:00:2b:01:02:03:04:05"],
  bit: ["1"],
  varbit: ["10110"],
  point: ["(1,2)"],
  line: ["{1,2,3}"],
  lseg: ["[(1,2),(3,4)]"],
  box: ["(3,4),(1,2)"],
  path: ["((1,2),(3,4))"],
  polygon: ["((1,2),(3,4),(5,6))"],
  circle: ["<(1,2),3>"],
  tsvector: ["'fat':1 'rat':2"],
  tsquery: ["'fat' & 'rat'"],
  int4range: ["[1,10)"],
  int8range: ["[1,10)"],
  numrange: ["[1.5,2.5]"],
  daterange: ["[2024-01-01,2024-02-01)"],
  tsrange: ["[2024-01-01 00:00:00,2024-02-01 00:00:00)"],
  tstzrange: ["[2024-01-01 00:00:00+00,2024-02-01 00:00:00+00)"],
  int4multirange: ["{[1,10),[20,30)}"],
  datemultirange: ["{[2024-01-01,2024-02-01)}"],
  pg_lsn: ["16/B374D848"],
  xid: ["123"],
  xid8: ["12345678901"],
  cid: ["7"],
  tid: ["(1,2)"],
  pg_snapshot: ["10:20:10,14,15"],
  regclass: ["pg_class"],
  regtype: ["integer"],
  int2vector: ["1 2"],
  oidvector: ["1 2"],
  mood: ["happy"],
  short: ["abc"],
  pair: ["(1,secret)"],
  citext: ["Secret"],
};

/** Inputs that a mask rightly gives back: there is nothing in them that it hides. */
function keeps(request: MaskRequest, value: string): boolean {
  // Documents that no path hits.
  if (request.mask === "json")
    return !value.includes('"a"') && !(value.startsWith("[") && JSON.stringify(request).includes("$..*"));
  // Texts in which no detector finds anything.
  if (request.mask === "detect") return !/4111|@/.test(value);
  // Whole multiples, and numbers of no more digits than are kept.
  if (request.mask !== "truncate") return false;
  if ("step" in request) return ["1234e20", "-3.4e38", "-1.797e308"].includes(value);
  return value === "-3.4e38" && request.digits === 2;
}

const server = await startServer({ setup: () => [] });
async function connected(timeZone: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: server.url("postgres", "postgres"),
    types: { getTypeParser: () => (value: string) => value } as never,
  });
  await client.connect();
  // The server goes before the clients do.
  client.on("error", () => undefined);
  await client.query(`SET TimeZone = '${timeZone}'`);
  return client;
}
const client = await connected("Asia/Kolkata");
const utc = await connected("UTC");
await client.query(
  "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE DOMAIN short AS varchar(3); CREATE TYPE pair AS (a int, b text)",
);
const types = (
  await client.query<{ oid: string; name: string; type: string; array: string; kind: string }>(
    `SELECT oid, typname AS name, format_type(oid, NULL) AS type, typarray AS array, typtype AS kind FROM pg_type WHERE typtype <> 'p'`,
  )
).rows;
const hasXml = await client.query("SELECT '<a/>'::xml").then(
  () => true,
  () => false,
);
const parameter = (cell: Buffer, format: number): Buffer | string => (format === 1 ? cell : cell.toString("utf8"));

const senders = new Map(
  (
    await client.query<{ name: string; sender: string }>("SELECT typname AS name, typsend AS sender FROM pg_type")
  ).rows.map(({ name, sender }) => [name, sender]),
);

/** A value as the server sends it in a format. */
async function sent(from: pg.Client, type: string, value: unknown, format: number): Promise<Buffer> {
  const sender = type.endsWith("[]") ? "array_send" : senders.get(type.replaceAll('"', ""));
  const shown = format === 0 ? `$1::${type}` : `encode(${sender}($1::${type}), 'hex')`;
  const { rows } = await from.query<[string]>({ text: `SELECT ${shown}`, values: [value], rowMode: "array" });
  return Buffer.from(rows[0]![0], format === 0 ? "utf8" : "hex");
}

test("each mask is among those that are tried", () => {
  assert.deepEqual([...new Set(requests.map(({ mask }) => mask))].sort(), [...maskNames].sort());
});

for (const [name, values] of Object.entries(samples)) {
  const found = types.find((type) => type.name === name.replaceAll('"', ""));
  test(`${name}, and an array of it`, async () => {
    if (found === undefined || (name === "xml" && !hasXml)) return assert.ok(name === "xml");
    // A domain is described as the type below it.
    const column = name === "short" ? { typeOid: 1043, modifier: 7 } : { typeOid: Number(found.oid), modifier: -1 };
    for (const format of [0, 1]) {
      for (const value of values) {
        const cell = await sent(client, name, value, format);
        for (const request of requests) {
          const masked = bytesOf(request, cell, { ...column, format });
          const what = `${name}, ${JSON.stringify(request)}, format ${format}: ${cell} to ${masked}`;
          if (masked === null) continue;
          const back = await sent(utc, name, parameter(masked, format), format).catch((error: Error) =>
            assert.fail(`${what}: ${error.message}`),
          );
          assert.deepEqual(back, masked, what);
          if (!keeps(request, value)) assert.notDeepEqual(masked, cell, what);
        }
      }
      const arrayType = name === "bpchar" ? "bpchar[]" : `${name}[]`;
      // Of all types box alone has another delimiter.
      const array = name === "box" ? `{${values[0]};NULL}` : [...values, null, ...values];
      const cell = await sent(client, arrayType, array, format);
      for (const request of requests) {
        const masked = bytesOf(request, cell, { typeOid: Number(found.array), format, modifier: -1 });
        const what = `${arrayType}, ${JSON.stringify(request)}, format ${format}: ${cell} to ${masked}`;
        if (masked === null) continue;
        const back = await sent(utc, arrayType, parameter(masked, format), format).catch((error: Error) =>
          assert.fail(`${what}: ${error.message}`),
        );
        assert.deepEqual(back, masked, what);
        if (!values.every((value) => keeps(request, value))) assert.notDeepEqual(masked, cell, what);
      }
    }
  });
}

test("text and binary forms of one value are masked to the same value", async () => {
  let compared = 0;
  for (const [name, values] of Object.entries(samples)) {
    const found = types.find((type) => type.name === name.replaceAll('"', ""));
    if (found === undefined || (name === "xml" && !hasXml)) continue;
    for (const value of values) {
      for (const request of requests) {
        const masked: (string | null)[] = [];
        for (const format of [0, 1]) {
          const cell = bytesOf(request, await sent(client, name, value, format), {
            typeOid: Number(found.oid),
            format,
          });
          masked.push(cell === null ? null : (await sent(utc, name, parameter(cell, format), 0)).toString());
        }
        assert.equal(masked[0], masked[1], `${name}, ${JSON.stringify(request)}: ${value}`);
        if (masked[0] !== null) compared++;
      }
    }
  }
  assert.ok(compared > 200, String(compared));
});

test("a type that is not among these has no masked form but NULL", () => {
  let others = 0;
  const known = new Set(Object.keys(samples).map((name) => name.replaceAll('"', "")));
  const arrays = new Set(types.filter(({ name }) => known.has(name)).map(({ array }) => array));
  for (const { oid, name } of types) {
    if (known.has(name) || arrays.has(oid)) continue;
    others++;
    for (const request of requests)
      for (const format of [0, 1])
        assert.equal(bytesOf(request, Buffer.from("12345678"), { typeOid: Number(oid), format }), null, name);
  }
  assert.ok(others > 200, String(others));
});

test("dates and times are cut as date_trunc does it, in UTC", async () => {
  const { rows } = await utc.query<{ d: string; t: string; z: string }>(
    `SELECT d::date::text AS d, d::timestamp::text AS t, d::text AS z FROM
     (SELECT '0011-01-01 UTC'::timestamptz + random() * interval '4000 years' AS d FROM generate_series(1, 300)) AS moments`,
  );
  for (const to of ["decade", "year", "quarter", "month", "week", "day", "hour", "minute", "second"]) {
    const expected = await utc.query<{ d: string; t: string; z: string }>(
      `SELECT date_trunc($1, d::timestamp)::date::text AS d, date_trunc($1, t::timestamp)::text AS t, date_trunc($1, z::timestamptz)::text AS z
       FROM unnest($2::text[], $3::text[], $4::text[]) AS moments(d, t, z)`,
      [to, rows.map(({ d }) => d), rows.map(({ t }) => t), rows.map(({ z }) => z)],
    );
    const cut = (value: string, typeOid: number): string | undefined =>
      bytesOf({ mask: "truncate", to }, Buffer.from(value), { typeOid, format: 0 })?.toString();
    const within = ["day", "hour", "minute", "second"].includes(to);
    for (const [i, row] of rows.entries()) {
      if (!within) assert.equal(cut(row.d, 1082), expected.rows[i]!.d);
      assert.equal(cut(row.t, 1114), expected.rows[i]!.t);
      assert.equal(cut(row.z, 1184), expected.rows[i]!.z);
    }
  }
});
