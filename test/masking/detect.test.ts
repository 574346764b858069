// The mask detect: what goes, what stays, and that each cell stays a value of its type.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { checkMaskSpec, type MaskRequest, planMask } from "../../src/masking/index.ts";
import { random, text } from "./values.ts";

const key = Buffer.alloc(32, 3);
const seed = Number(process.env.REGATE_TEST_SEED ?? Date.now() % 1_000_000);
const CARD = "4111111111111111";
type Column = { typeOid: number; format: number; modifier?: number };
const TEXT: Column = { typeOid: 25, format: 0, modifier: -1 };

function masked(value: string | Buffer, request: object = {}, column = TEXT): string | null {
  const mask = planMask({ mask: "detect", ...request }, column, { key });
  const cell = Buffer.from(value as string);
  const source = Buffer.concat([Buffer.from("4111"), cell, Buffer.from("1111")]);
  return mask(source, 4, 4 + cell.length)?.toString("utf8") ?? null;
}

const texts: readonly [string, string][] = [
  ["Anna Smith, São Paulo", "Anna Smith, São Paulo"],
  ["", ""],
  [`paid with ${CARD}.`, "paid with [card]."],
  ["a@example.com and b@example.com", "[email] and [email]"],
  ["call +1 415 555 2671 12 times", "call [phone] 12 times"],
  ["call 415-555-2671 212-555-0147", "call [phone] [phone]"],
  ["ssn 123-45-6789, card 4111-1111-1111-1111 12 27", "ssn [us-ssn], card [card] 12 27"],
  ["password=hunter2&x=1", "password=[secret]&x=1"],
  ["postgres://app:s3cr3t@db.example.com/x", "postgres://app:[email]/x"],
  // Escapes, look-alikes and what is not seen.
  ["４１１１　１１１１　１１１１　１１１１", "[card]"],
  ["٤١١١ ١١١١ ١١١١ ١١١١", "[card]"],
  ["a 4111%201111%201111%201111 b", "a [card] b"],
  ["a 4111&nbsp;1111&#32;1111&#x20;1111 b", "a [card] b"],
  ["4111\u200b1111\u00ad1111\u20601111", "[card]"],
  ["4111‑1111–1111−1111", "[card]"],
  ["𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏", "[card]"],
  ["ana%40example.com ana\\u0040example.com ana＠example。com", "[email] [email] [email]"],
  ["a 411111111111111%31 b 411111111111111&#49; c", "a [card] b [card] c"],
  ["-----BEGIN RSA PRIVATE KEY-----\\nabcdefghijklmnopqrstuvwxyz", "[private-key]"],
  ["\u200b caf\u00e9 \u200b", "\u200b caf\u00e9 \u200b"],
];
for (const [value, expected] of texts)
  test(`detect in ${JSON.stringify(value)}`, () => assert.equal(masked(value), expected));

test("what overlaps goes as one, and nothing of a found value stays", () => {
  const value = "token=4111111111111111@example.com";
  const given = masked(value)!;
  assert.doesNotMatch(given, /\d|example/);
});

test(`nothing of a value stays, whatever stands around it (seed ${seed})`, () => {
  const r = random(seed);
  const values = [CARD, "4111 1111 1111 1111", "carol.jones@example.org", "DE89370400440532013000"];
  for (let i = 0; i < 5000; i++) {
    const value = r.pick(values);
    const around = () => text(r, 20).replace(/[\d@.%&\\=\p{L}\p{M}\u200b+'_-]/gu, " ");
    const given = masked(`${around()} ${value} ${around()}`)!;
    assert.ok(!given.includes(value.slice(0, 4)) && !given.includes(value.slice(-4)), JSON.stringify([value, given]));
  }
});

const ways: readonly [object, string | null][] = [
  [{}, "a [card] b"],
  [{ with: "label" }, "a [card] b"],
  [{ with: "redact" }, "a [redacted] b"],
  [{ with: "partial", keep_last: 4 }, "a ************1111 b"],
  [{ with: "partial", char: "#" }, "a ################ b"],
  [{ with: "hash" }, `a ${createHmac("sha256", key).update(CARD).digest("hex")} b`],
  [{ with: "null" }, null],
];
for (const [request, expected] of ways)
  test(`detect ${JSON.stringify(request)}`, () => assert.equal(masked(`a ${CARD} b`, request), expected));

test("only the detectors that are named search; one that is named takes a bare number", () => {
  assert.equal(masked(`${CARD} a@example.com`, { detectors: ["email"] }), `${CARD} [email]`);
  assert.equal(masked("id 111222333", { detectors: "all" }), "id 111222333");
  assert.equal(masked("id 111222333", { detectors: ["nl-bsn"] }), "id [nl-bsn]");
  assert.equal(masked("BSN 111222333"), "BSN [nl-bsn]");
  assert.equal(masked("123456789 and 078-05-1120", { detectors: ["national-ids"] }), "[us-ssn] and [us-ssn]");
});

const wrong: readonly [MaskRequest, RegExp][] = [
  [{ mask: "detect", detectors: [] }, /detectors: expected all, or a list of/],
  [{ mask: "detect", detectors: "card" }, /detectors: expected all/],
  [{ mask: "detect", detectors: ["cards"] }, /detectors: "cards" is unknown; expected all, or a list of .*card/],
  [{ mask: "detect", detectors: [1] }, /detectors: expected/],
  [{ mask: "detect", with: "blur" }, /with: expected one of label, redact/],
  [{ mask: "detect", keep_last: 4 }, /keep_last: only with: partial takes it/],
  [{ mask: "detect", with: "partial", keep_last: -4 }, /keep_last: expected a whole number/],
  [{ mask: "detect", by: "x" }, /unknown parameter by/],
];
for (const [request, message] of wrong) {
  test(`${JSON.stringify(request)} is refused, and masks nothing`, () => {
    assert.match(checkMaskSpec(request) ?? "", message);
    assert.throws(() => planMask(request, TEXT, { key }), { code: "MASK_IMPOSSIBLE" });
  });
}

test("a cell fits its column", () => {
  assert.equal(masked("a@b.co", {}, { typeOid: 1043, format: 0, modifier: 10 }), "[email");
  assert.equal(masked("a@b.co   ", {}, { typeOid: 1042, format: 0, modifier: 13 }), "[email]  ");
  assert.equal(masked(CARD, { with: "hash" }, { typeOid: 19, format: 0 })?.length, 63);
});

test("bytes that are no UTF-8 are redacted whole where something is found, and pass where nothing is", () => {
  const broken = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(` ${CARD}`)]);
  assert.equal(masked(broken), "[redacted]");
  const mask = planMask({ mask: "detect" }, TEXT, { key });
  assert.deepEqual(mask(Buffer.from([0xff, 0x41]), 0, 2), Buffer.from([0xff, 0x41]));
});

test("a cell that is larger than what is searched is redacted whole", () => {
  assert.equal(masked("a".repeat(1024 * 1024 + 1)), "[redacted]");
  assert.equal(masked(`${"a ".repeat(400_000)}${CARD}`)?.slice(-8), "a [card]");
});

const json: Column = { typeOid: 114, format: 0 };
const documents: readonly [string, string][] = [
  ['{"a": "x", "b": [1, 2.5, null, true]}', '{"a": "x", "b": [1, 2.5, null, true]}'],
  ['{"to" : "a@example.com",  "n": 1}', '{"to" : "[email]",  "n": 1}'],
  [`{"card": ${CARD}, "id": 12345678901234567890}`, '{"card": "[card]", "id": 12345678901234567890}'],
  [`["${CARD}", ["x ${CARD}"]]`, '["[card]", ["x [card]"]]'],
  ['{"password": "two words", "pass": {"x": "y"}}', '{"password": "[secret]", "pass": {"x": "y"}}'],
  ['{"ssn": "123456789", "no": "123456789"}', '{"ssn": "[us-ssn]", "no": "123456789"}'],
  ['{"l": ["a"], "x": "\\u0061\\u0040example.com \\"q\\""}', '{"l": ["a"], "x": "[email] \\"q\\""}'],
  ['"a@example.com"', '"[email]"'],
  ['{"a@example.com": 1}', '{"a@example.com": 1}'],
];
for (const [document, expected] of documents) {
  test(`detect in the document ${document}`, () => {
    const given = masked(document, {}, json)!;
    assert.equal(given, expected);
    JSON.parse(given);
  });
}

test("jsonb in binary keeps its version; an unknown one, or what is no document, is redacted whole", () => {
  const jsonb: Column = { typeOid: 3802, format: 1 };
  assert.equal(masked('\x01{"to": "a@example.com"}', {}, jsonb), '\x01{"to": "[email]"}');
  assert.equal(masked('\x02{"to": "a@example.com"}', {}, jsonb), '\x01"[redacted]"');
  assert.equal(masked('"a@example.com', {}, json), '"[redacted]"');
  assert.equal(masked('{"to": "a@example.com"}', { with: "null" }, json), '{"to": null}');
});

const xml: Column = { typeOid: 142, format: 0 };
const elements: readonly [string, string][] = [
  ["<a>x</a>", "<a>x</a>"],
  [`<a b="${CARD}">to a@example.com</a>`, '<a b="[card]">to [email]</a>'],
  [`<c4111111111111111/>`, "<c4111111111111111/>"],
  [`<!-- ${CARD} --><a><![CDATA[x ${CARD}]]></a>`, "<!--***--><a><![CDATA[***]]></a>"],
  ["<a>a&#64;example.com &amp; co</a>", "<a>[email] &amp; co</a>"],
  ["<password>two words</password>", "<password>[secret]</password>"],
  ['<?xml version="1.0" encoding="UTF-8"?><a c=\'a@example.com>\'/>', "<redacted/>"],
];
for (const [document, expected] of elements.slice(0, -1))
  test(`detect in ${document}`, () => assert.equal(masked(document, {}, xml), expected));

test("a replacement cannot break the document around it", () => {
  const partial = { with: "partial", char: "<" };
  assert.equal(masked("<a>a@b.co</a>", partial, xml), `<a>${"&lt;".repeat(6)}</a>`);
  assert.equal(masked('["a@b.co"]', { with: "partial", char: '"' }, json), `["${'\\"'.repeat(6)}"]`);
});

test("markup that does not end is redacted whole", () => {
  for (const document of ["<a b='a@example.com", "<!-- a@example.com", "<a>x</a"])
    assert.equal(masked(document, {}, xml), "<redacted/>");
});

test("elements of arrays are searched one by one, in text and binary form", () => {
  const array: Column = { typeOid: 1009, format: 0 };
  const given = masked(`{NULL,"NULL","a b","x, \\"y\\"",${CARD},"to \\"a@example.com\\""}`, {}, array);
  assert.equal(given, '{NULL,"NULL","a b","x, \\"y\\"",[card],"to \\"[email]\\""}');
  assert.equal(masked(`[0:1][1:1]={{${CARD}},{x}}`, {}, array), "[0:1][1:1]={{[card]},{x}}");
  assert.equal(masked("{}", {}, array), "{}");
  assert.equal(masked(`{${CARD},x}`, { with: "null" }, array), "{NULL,x}");
  assert.equal(masked(`x${CARD}`, {}, array), null);
  const cell = (value: string | null): Buffer => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : Buffer.byteLength(value));
    return Buffer.concat([length, Buffer.from(value ?? "")]);
  };
  const header = (hasNull: number): Buffer => {
    const head = Buffer.alloc(20);
    for (const [i, field] of [1, hasNull, 25, 3, 1].entries()) head.writeInt32BE(field, i * 4);
    return head;
  };
  const mask = planMask({ mask: "detect" }, { ...array, format: 1 }, { key });
  const source = Buffer.concat([header(1), cell("x"), cell(null), cell(`a ${CARD}`)]);
  const expected = Buffer.concat([header(1), cell("x"), cell(null), cell("a [card]")]);
  assert.deepEqual(mask(source, 0, source.length), expected);
  assert.equal(mask(source, 0, source.length - 1), null, "one that is cut off");
});

test("other types become NULL", () => {
  for (const typeOid of [16, 20, 23, 1700, 17, 2950, 2249, 1016])
    for (const format of [0, 1]) assert.equal(masked("12345678", {}, { typeOid, format }), null);
});
