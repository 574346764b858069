// Every type of the server's catalog under every mask, in both formats: what comes out goes back in, and hides what it promises to hide.
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import type { MaskRequest } from "../../src/masking/index.ts";
import { maskNames } from "../../src/masking/index.ts";
import { startServer } from "../support/server.ts";
import { bytesOf } from "./apply.ts";
import { keeps, samples } from "./samples.ts";

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
