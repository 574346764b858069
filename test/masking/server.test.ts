// Masked cells against a real server: valid input of their type, in text and in binary form, and the same value in both.
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { type MaskRequest, planMask } from "../../src/masking/index.ts";
import { startServer } from "../support/server.ts";
import { hex, json, type Random, random, text, uuid } from "./values.ts";

const key = Buffer.alloc(32, 7);
const seed = Number(process.env.REGATE_TEST_SEED ?? Date.now() % 1_000_000);
const rounds = 150;

const requests: readonly MaskRequest[] = [
  { mask: "null" },
  { mask: "redact" },
  { mask: "hash" },
  { mask: "email" },
  { mask: "partial", keep_last: 4 },
  { mask: "partial", keep_first: 2, keep_last: 1, char: "🙂" },
  { mask: "partial", char: "•" },
  { mask: "tokenize", key: "cards", tweak: "t" },
  { mask: "truncate", to: "year", digits: 1 },
  { mask: "json", paths: [{ path: "$..*", mask: "partial", keep_last: 1 }] },
  { mask: "detect" },
  { mask: "detect", with: "hash" },
  { mask: "detect", with: "partial", char: "🙂" },
];

/** Column types with what goes in. */
const types: readonly [type: string, send: string, value: (r: Random) => string][] = [
  ["text", "textsend", (r) => text(r, 90)],
  ["varchar", "varcharsend", (r) => text(r, 90)],
  ["varchar(5)", "varcharsend", (r) => text(r, 5)],
  ["varchar(300)", "varcharsend", (r) => text(r, 300)],
  ["char(1)", "bpcharsend", (r) => text(r, 1)],
  ["char(12)", "bpcharsend", (r) => text(r, 12)],
  ["char(80)", "bpcharsend", (r) => text(r, 80)],
  ["bpchar", "bpcharsend", (r) => text(r, 20)],
  ["name", "namesend", (r) => text(r, 12)],
  ["json", "json_send", (r) => JSON.stringify(json(r))],
  ["jsonb", "jsonb_send", (r) => JSON.stringify(json(r))],
  ["xml", "xml_send", (r) => `<a b="${r.below(9)}">${r.below(99)}</a>`],
  ["bytea", "byteasend", (r) => `\\x${hex(r, r.below(30))}`],
  ["uuid", "uuid_send", uuid],
];

const server = await startServer({ setup: () => [] });
const client = new pg.Client({
  connectionString: server.url("postgres", "postgres"),
  types: { getTypeParser: () => (value: string) => value } as never,
});
await client.connect();
// The server goes before the client does.
client.on("error", () => undefined);

const parameter = (cell: Buffer, format: number): Buffer | string =>
  format === 1 ? Buffer.from(cell) : cell.toString("utf8");

for (const [type, send, value] of types) {
  test(`${type}: every mask gives what the column takes (seed ${seed})`, async () => {
    const r = random(seed);
    const isXmlMissing = type === "xml" && !(await hasXml());
    if (isXmlMissing) return assert.equal(type, "xml");
    await client.query(
      `DROP TABLE IF EXISTS source, target; CREATE TABLE source (v ${type}); CREATE TABLE target (i int, format int, v ${type})`,
    );
    for (let i = 0; i < rounds; i++) await client.query("INSERT INTO source VALUES ($1)", [value(r)]);
    const { typeOid, modifier } = (
      await client.query<{ typeOid: string; modifier: string }>(
        "SELECT atttypid AS \"typeOid\", atttypmod AS modifier FROM pg_attribute WHERE attrelid = 'source'::regclass AND attnum = 1",
      )
    ).rows.map((row) => ({ typeOid: Number(row.typeOid), modifier: Number(row.modifier) }))[0]!;
    const { rows } = await client.query<{ v: string; b: string }>(
      `SELECT v, encode(${send}(v), 'hex') AS b FROM source`,
    );
    for (const request of requests) {
      await client.query("TRUNCATE target");
      let visible = 0;
      for (const format of [0, 1]) {
        const mask = planMask(request, { typeOid, format, modifier }, { key, tokenKey: () => key });
        for (const [i, row] of rows.entries()) {
          const around = Buffer.from("<<");
          const cell = format === 0 ? Buffer.from(row.v, "utf8") : Buffer.from(row.b, "hex");
          const source = Buffer.concat([around, cell, around]);
          const masked = mask.constant === undefined ? mask(source, 2, 2 + cell.length) : mask.constant;
          if (masked !== null) visible++;
          // The server casts nothing here: an assignment that does not fit is an error.
          const inserted = await client.query<{ v: string | null; b: string | null }>(
            `INSERT INTO target VALUES ($1, $2, $3) RETURNING v, encode(${send}(v), 'hex') AS b`,
            [i, format, masked === null ? null : parameter(masked, format)],
          );
          const back = inserted.rows[0]!;
          if (masked === null) assert.equal(back.v, null);
          else if (format === 0)
            assert.equal(back.v, masked.toString("utf8"), `${request.mask} of ${JSON.stringify(row.v)}`);
          else assert.equal(back.b, masked.toString("hex"), `${request.mask} of ${JSON.stringify(row.v)}`);
        }
      }
      const differing = await client.query(
        "SELECT a.v, b.v FROM target a JOIN target b USING (i) WHERE a.format = 0 AND b.format = 1 AND a.v::text IS DISTINCT FROM b.v::text",
      );
      assert.deepEqual(differing.rows, [], `${request.mask}: text and binary form hold the same value`);
      // No uuid could say that it is redacted; its hash is one.
      const shows = type === "uuid" ? "hash" : "redact";
      if (request.mask === shows) assert.equal(visible, rows.length * 2, `${shows} shows something for each value`);
      if (request.mask === "null") assert.equal(visible, 0);
    }
  });
}

/** A server built without libxml has the type, and takes no value of it. */
async function hasXml(): Promise<boolean> {
  try {
    await client.query("SELECT '<a/>'::xml");
    return true;
  } catch {
    return false;
  }
}

test("hash keeps equality: a join over masked text, varchar and char columns finds the same pairs", async () => {
  const column = (typeOid: number, modifier: number) =>
    planMask({ mask: "hash" }, { typeOid, format: 0, modifier }, { key });
  const values = ["alice", "bob", "carol", "ünïcode 漢字"];
  await client.query("DROP TABLE IF EXISTS joined; CREATE TABLE joined (v char(20))");
  for (const value of values) await client.query("INSERT INTO joined VALUES ($1)", [value]);
  const padded = (await client.query<{ v: string }>("SELECT v FROM joined")).rows.map((row) => Buffer.from(row.v));
  assert.equal(padded[0]!.length, 20);
  for (const [i, value] of values.entries()) {
    const plain = Buffer.from(value);
    const asText = column(25, -1)(plain, 0, plain.length)!.toString();
    const asVarchar = column(1043, 104)(plain, 0, plain.length)!.toString();
    const asChar = column(1042, 84)(padded[i]!, 0, padded[i]!.length)!.toString();
    assert.equal(asText, asVarchar);
    assert.equal(asText, asChar.trimEnd());
    assert.equal(asChar.length, 80);
  }
});
