// What has a binary form of its own is searched field by field: a length must not hide the value that it stands before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { planDetect } from "../../src/masking/index.ts";

const key = Buffer.alloc(32, 3);
const CARD = "4111111111111111";

function int32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeInt32BE(value, at * 4);
  return bytes;
}
const field = (text: string): Buffer => Buffer.concat([int32(Buffer.byteLength(text)), Buffer.from(text)]);
const RECORD = 2249;
const COMPOSITE = 20_000;
/** record_send: the number of fields, then each one's type, length and bytes. */
const row = (text: string, type = 25): Buffer =>
  Buffer.concat([int32(3, 23, 4, 7, type), field(text), int32(25), int32(-1)]);

function isShown(cell: Buffer, typeOid: number): boolean {
  const mask = planDetect({ mask: "detect" }, { typeOid, format: 1 }, { key })!;
  const source = Buffer.concat([Buffer.from("\0\0\0\u0010"), cell, Buffer.from("1111\0")]);
  const given = mask(source, 4, 4 + cell.length);
  if (given !== null) assert.deepEqual(Buffer.from(given), cell);
  return given !== null;
}

// The lengths' last bytes are digits, letters, and none; their last two are such; the type's last byte is zero.
for (const length of [16, 48, 52, 57, 65, 256, 0x3434, 0x3400, 0x1_3434]) {
  const value = CARD.padEnd(length, " .");
  const none = "4111111111111112".padEnd(length, " .");
  const forms: readonly [string, (text: string) => Buffer, number][] = [
    ["a row", row, RECORD],
    ["a row of another type", (text) => row(text, 16_384), COMPOSITE],
    ["an array", (text) => Buffer.concat([int32(1, 0, 25, 1, 1), field(text)]), COMPOSITE],
    ["a range", (text) => Buffer.concat([Buffer.from([2]), field(text), field("z")]), COMPOSITE],
    ["a row in a row", (text) => Buffer.concat([int32(1, RECORD, row(text).length), row(text)]), RECORD],
  ];
  for (const [what, form, typeOid] of forms)
    test(`${what} with a text of ${length} bytes`, () => {
      assert.equal(isShown(form(value), typeOid), false);
      assert.equal(isShown(form(none), typeOid), true);
    });
}
