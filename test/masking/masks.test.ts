// Each mask against a second, naive way to say what it does.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import { checkMaskSpec, type MaskRequest, maskNames, planMask } from "../../src/masking/index.ts";
import { emailText } from "../../src/masking/email.ts";
import { random, text } from "./values.ts";

const key = randomBytes(32);
const seed = Number(process.env.REGATE_TEST_SEED ?? Date.now() % 1_000_000);
const TEXT = { typeOid: 25, format: 0, modifier: -1 };

function masked(
  request: MaskRequest,
  value: string | Buffer,
  column: { typeOid: number; format: number; modifier?: number } = TEXT,
): string | null {
  const mask = planMask(request, column, { key, tokenKey: () => key });
  const cell = Buffer.from(value as string);
  const source = Buffer.concat([Buffer.from("left"), cell, Buffer.from("right")]);
  const given = mask(source, 4, 4 + cell.length);
  if (mask.constant !== undefined) assert.deepEqual(given, mask.constant);
  return given === null ? null : given.toString("utf8");
}

test("null gives NULL whatever the type", () => {
  for (const typeOid of [16, 23, 25, 1043, 1700, 3802, 999_999])
    assert.equal(masked({ mask: "null" }, "x", { typeOid, format: 0 }), null);
});

const redacted: readonly [string, { typeOid: number; format: number; modifier?: number }, string | null][] = [
  ["text", { typeOid: 25, format: 0 }, "[redacted]"],
  ["varchar(4): cut", { typeOid: 1043, format: 1, modifier: 8 }, "[red"],
  ["char(12): filled up", { typeOid: 1042, format: 0, modifier: 16 }, "[redacted]  "],
  ["json: a string", { typeOid: 114, format: 0 }, '"[redacted]"'],
  ["jsonb in binary: with its version", { typeOid: 3802, format: 1 }, '\x01"[redacted]"'],
  ["bytea: hexadecimal", { typeOid: 17, format: 0 }, "\\x5b72656461637465645d"],
  ["integer: NULL", { typeOid: 23, format: 0 }, null],
  ["text[]: one element", { typeOid: 1009, format: 0 }, "{[redacted]}"],
  ["integer[]: NULL", { typeOid: 1007, format: 0 }, null],
  ["a type that is not built in: NULL", { typeOid: 16_999, format: 0 }, null],
  ["a format that does not exist: NULL", { typeOid: 25, format: 2 }, null],
];
for (const [name, column, expected] of redacted) {
  test(`redact, ${name}`, () => assert.equal(masked({ mask: "redact" }, "secret", column), expected));
}

const partials: readonly [string, MaskRequest, string, string][] = [
  ["keeps the last", { mask: "partial", keep_last: 4 }, "4111111111111111", "************1111"],
  ["keeps the first", { mask: "partial", keep_first: 2 }, "secret", "se****"],
  ["keeps both ends", { mask: "partial", keep_first: 1, keep_last: 1, char: "#" }, "secret", "s####t"],
  ["keeps nothing unless told", { mask: "partial" }, "secret", "******"],
  ["hides all of a value as long as what is kept", { mask: "partial", keep_first: 2, keep_last: 2 }, "abcd", "****"],
  ["hides all of a shorter value", { mask: "partial", keep_last: 4 }, "abc", "***"],
  ["shows one character of a value one longer", { mask: "partial", keep_first: 2, keep_last: 2 }, "abcde", "ab*de"],
  ["counts code points", { mask: "partial", keep_first: 1, keep_last: 1 }, "🙂é漢x🙂", "🙂***🙂"],
  ["takes a wide character", { mask: "partial", keep_last: 1, char: "•" }, "漢字b", "••b"],
  ["leaves an empty value empty", { mask: "partial", keep_last: 4 }, "", ""],
];
for (const [name, request, value, expected] of partials)
  test(`partial ${name}`, () => assert.equal(masked(request, value), expected));

test("partial counts a character(n) without its padding", () => {
  assert.equal(
    masked({ mask: "partial", keep_last: 2 }, "abcdef    ", { typeOid: 1042, format: 0, modifier: 14 }),
    "****ef    ",
  );
  assert.equal(
    masked({ mask: "partial", keep_last: 2 }, "ab        ", { typeOid: 1042, format: 0, modifier: 14 }),
    "**        ",
  );
});

test("partial masks the text of a JSON string, and hides other documents", () => {
  const json = { typeOid: 114, format: 0 };
  assert.equal(masked({ mask: "partial", keep_last: 2 }, ' "se\\u0063ret"', json), '"****et"');
  assert.equal(masked({ mask: "partial", keep_last: 2 }, '{"card": "4111"}', json), '"[redacted]"');
  assert.equal(masked({ mask: "partial", keep_last: 2 }, "4111111111111111", json), '"[redacted]"');
  assert.equal(masked({ mask: "partial", keep_last: 2 }, '\x01"secret"', { typeOid: 3802, format: 1 }), '\x01"****et"');
  assert.equal(
    masked({ mask: "partial", keep_last: 2 }, '\x02"secret"', { typeOid: 3802, format: 1 }),
    '\x01"[redacted]"',
    "an unknown version of jsonb",
  );
});

test("partial shows nothing of bytes that are no UTF-8", () => {
  const broken = Buffer.from([0x61, 0x80, 0x80, 0x73, 0x65, 0x63, 0xff, 0x72]);
  assert.equal(masked({ mask: "partial", keep_first: 1, keep_last: 1 }, broken), "[redacted]");
});

test(`partial does what its naive form does (seed ${seed})`, () => {
  const r = random(seed);
  for (let i = 0; i < 20_000; i++) {
    const value = text(r, r.pick([3, 12, 400]));
    const first = r.below(6);
    const last = r.below(6);
    const char = r.pick(["*", "•", "🙂"]);
    const characters = Array.from(value);
    const all = first + last >= characters.length;
    const expected = characters
      .map((character, at) => (!all && (at < first || at >= characters.length - last) ? character : char))
      .join("");
    assert.equal(masked({ mask: "partial", keep_first: first, keep_last: last, char }, value), expected);
  }
});

test("hash is HMAC-SHA-256 in hexadecimal", () => {
  for (const length of [0, 1, 31, 64, 200, 1000, 5000]) {
    const value = "é".repeat(length);
    assert.equal(masked({ mask: "hash" }, value), createHmac("sha256", key).update(value).digest("hex"));
  }
  const long = randomBytes(100);
  const mask = planMask({ mask: "hash" }, TEXT, { key: long });
  assert.equal(mask(Buffer.from("x"), 0, 1)?.toString(), createHmac("sha256", long).update("x").digest("hex"));
});

test("hash is cut to what a column takes, and another key gives another", () => {
  const digest = createHmac("sha256", key).update("alice").digest("hex");
  assert.equal(masked({ mask: "hash" }, "alice", { typeOid: 1043, format: 0, modifier: 14 }), digest.slice(0, 10));
  assert.equal(masked({ mask: "hash" }, "alice", { typeOid: 19, format: 0 }), digest.slice(0, 63));
  const other = planMask({ mask: "hash" }, TEXT, { key: randomBytes(32) });
  assert.notEqual(other(Buffer.from("alice"), 0, 5)?.toString(), digest);
});

test("hash of a uuid is a uuid, the same in both formats", () => {
  const id = "0195d3a4-7b1c-7000-8000-0123456789ab";
  const asText = masked({ mask: "hash" }, id, { typeOid: 2950, format: 0 });
  assert.match(asText ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  const binary = planMask({ mask: "hash" }, { typeOid: 2950, format: 1 }, { key })(bytes, 0, 16);
  assert.equal(binary?.toString("hex"), asText?.replaceAll("-", ""));
});

test("hash of a bytea is the same whatever form the bytes came in", () => {
  const bytes = Buffer.from([0, 1, 0x5c, 0x61, 0xff]);
  const hashed = (cell: Buffer, format: number) =>
    planMask({ mask: "hash" }, { typeOid: 17, format }, { key })(cell, 0, cell.length)!;
  const expected = createHmac("sha256", key).update(bytes).digest("hex");
  assert.equal(hashed(bytes, 1).toString("hex"), expected);
  assert.equal(hashed(Buffer.from("\\x00015c61ff"), 0).toString(), `\\x${expected}`);
  assert.equal(hashed(Buffer.from("\\000\\001\\\\a\\377"), 0).toString(), `\\x${expected}`);
});

const emails: readonly [string, string][] = [
  ["alice@example.com", "a***@example.com"],
  ["a@example.com", "***@example.com"],
  ["üte@exämple.de", "ü***@exämple.de"],
  ["🙂🙂@example.com", "🙂***@example.com"],
  ["first.last+tag@mail.example.co.uk", "f***@mail.example.co.uk"],
  ["not an address", "***"],
  ["123-45-6789", "***"],
  ["alice@example.com, bob@example.com", "***"],
  ["a@b@example.com", "***"],
  ['"a b"@example.com', "***"],
  ["root@localhost", "***"],
  ["x@123-45-6789", "***"],
  ["@example.com", "***"],
  ["alice@", "***"],
  [`${"a".repeat(400)}@example.com`, "***"],
  ["", "***"],
];
for (const [value, expected] of emails)
  test(`email of ${JSON.stringify(value.slice(0, 40))}`, () =>
    assert.equal(masked({ mask: "email" }, value), expected));

test(`email does the same over bytes as by its expression (seed ${seed})`, () => {
  const r = random(seed);
  const parts = ["a", "Bc9", "@", "@", ".", "-", "example", "com", " ", '"', "+", "1", "\t", "x".repeat(63), "é"];
  let addresses = 0;
  for (let i = 0; i < 20_000; i++) {
    const value =
      r.below(3) > 0
        ? `${r.pick(parts)}${r.pick(parts)}@${r.pick(parts)}${r.pick(parts)}.${r.pick(parts)}${r.pick(parts)}`
        : Array.from({ length: r.below(9) }, () => r.pick(parts)).join("");
    const given = masked({ mask: "email" }, value);
    assert.equal(given, emailText(value), JSON.stringify(value));
    if (given !== "***") addresses++;
  }
  assert.ok(addresses > 50, String(addresses));
});

test("email hides whole what does not fit its column", () => {
  assert.equal(masked({ mask: "email" }, "ab@example.com", { typeOid: 1043, format: 0, modifier: 18 }), "***");
  assert.equal(
    masked({ mask: "email" }, "ab@example.com", { typeOid: 1043, format: 0, modifier: 20 }),
    "a***@example.com",
  );
  assert.equal(masked({ mask: "email" }, "ab@example.com  ", { typeOid: 1042, format: 0, modifier: 6 }), "**");
});

test("types without a masked form become NULL under every mask", () => {
  const requests: readonly MaskRequest[] = [
    { mask: "null" },
    { mask: "redact" },
    { mask: "partial", keep_last: 2 },
    { mask: "hash" },
    { mask: "email" },
    { mask: "tokenize", key: "a", tweak: "t" },
    { mask: "truncate", to: "hour", digits: 1 },
    { mask: "json", paths: [{ path: "$", mask: "partial" }] },
    { mask: "detect" },
  ];
  assert.deepEqual(requests.map(({ mask }) => mask).sort(), [...maskNames].sort());
  for (const request of requests) {
    for (const typeOid of [16, 18, 26, 600, 790, 829, 869, 1000, 1186, 1560, 2249, 2970, 3220, 3904, 4072]) {
      for (const format of [0, 1]) assert.equal(masked(request, "12345678", { typeOid, format }), null);
    }
  }
});

const wrong: readonly [MaskRequest, RegExp][] = [
  [{ mask: "blur" }, /unknown; known are null, redact, partial, hash, email/],
  [{ mask: "toString" }, /unknown/],
  [{ mask: "redact", keep_last: 4 }, /unknown parameter keep_last; it has none/],
  [{ mask: "partial", keeplast: 4 }, /unknown parameter keeplast; it has keep_first/],
  [{ mask: "partial", keep_last: -1 }, /keep_last: expected a whole number/],
  [{ mask: "partial", keep_last: 1.5 }, /keep_last/],
  [{ mask: "partial", keep_first: "2" }, /keep_first/],
  [{ mask: "partial", char: "" }, /char: expected one visible character/],
  [{ mask: "partial", char: "**" }, /char/],
  [{ mask: "partial", char: " " }, /char/],
  [{ mask: "partial", char: "\0" }, /char/],
  [{ mask: "partial", char: "\ud83d" }, /char/],
  [{ mask: "partial", char: "\u0301" }, /char/],
  [{ mask: "truncate" }, /expected to \(for dates and times\), step or digits/],
  [{ mask: "truncate", to: "fortnight" }, /to: expected one of decade, year/],
  [{ mask: "truncate", step: 0 }, /step: expected a whole number/],
  [{ mask: "truncate", step: 0.5 }, /step/],
  [{ mask: "truncate", step: 10, digits: 2 }, /not both/],
  [{ mask: "truncate", digits: 0 }, /digits: expected a whole number/],
  [{ mask: "tokenize" }, /key: expected the name of a key/],
  [{ mask: "tokenize", key: "../issuer" }, /key/],
  [{ mask: "tokenize", key: "a", tweak: "" }, /tweak: expected a text/],
  [{ mask: "json" }, /paths: expected a list/],
  [{ mask: "json", paths: [] }, /paths: expected a list/],
  [{ mask: "json", paths: ["$.a"] }, /paths\[0\]: expected an object/],
  [{ mask: "json", paths: [{ path: "a.b", mask: "redact" }] }, /paths\[0\]: "a.b" is no path/],
  [{ mask: "json", paths: [{ path: "$.a", mask: "json", paths: [] }] }, /paths\[0\]: mask: expected one of null/],
  [{ mask: "json", paths: [{ path: "$.a", mask: "partial", keep_last: -1 }] }, /paths\[0\]: mask partial: keep_last/],
  [{ mask: "json", paths: [{ path: "$.a", mask: "redact", code: "x" }] }, /paths\[0\]: unknown parameter code/],
];
for (const [request, message] of wrong) {
  test(`${JSON.stringify(request)} is refused, and masks nothing`, () => {
    assert.match(checkMaskSpec(request) ?? "", message);
    assert.throws(() => planMask(request, TEXT, { key }), { code: "MASK_IMPOSSIBLE" });
  });
}

test("a decision's own members are no parameters", () => {
  assert.equal(checkMaskSpec({ mask: "partial", keep_last: 4, statement: 0, output: 2, code: "pci" }), undefined);
});
