// Tokens: of the form and type of their values, the same again for the same, and turned back by who has the key.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { detokenize, planMask } from "../../src/masking/index.ts";
import { bytesOf, options, textOf } from "./apply.ts";
import { random } from "./values.ts";

const key = Buffer.alloc(32, 7);
const request = { mask: "tokenize", key: "cards", tweak: "pci" };
const seed = Number(process.env.REGATE_TEST_SEED ?? Date.now() % 1_000_000);

const forms: readonly [string, RegExp][] = [
  ["4111111111111111", /^\d{16}$/],
  ["4111-1111-1111-1111", /^\d{4}-\d{4}-\d{4}-\d{4}$/],
  ["123456", /^\d{6}$/],
  ["abcde", /^[a-z]{5}$/],
  ["ABCDE", /^[A-Z]{5}$/],
  ["AB 12 34 56 C", /^[A-Z]{2} \d\d \d\d \d\d [A-Z]$/],
  ["DE89370400440532013000", /^[A-Z]{2}\d{20}$/],
  ["alice.b@example.com", /^[a-z]{5}\.[a-z]@[a-z]{7}\.[a-z]{3}$/],
  ["0".repeat(128), /^\d{128}$/],
];
for (const [value, form] of forms) {
  test(`the token of ${value.slice(0, 30)} has its form, and is turned back`, () => {
    const token = textOf(request, value)!;
    assert.match(token, form);
    assert.notEqual(token, value);
    assert.equal(textOf(request, value), token);
    assert.equal(detokenize(token, key, "pci"), value);
    assert.notEqual(detokenize(token, randomBytes(32), "pci"), value);
    assert.notEqual(detokenize(token, key, "other"), value);
  });
}

const hidden = ["12345", "abcd", "A1", "", "----------", "José Müller 12345678", "tab\t12345678", "1".repeat(129)];
for (const value of hidden)
  test(`${JSON.stringify(value.slice(0, 30))} has no token, and is redacted`, () => {
    assert.equal(textOf(request, value), "[redacted]");
  });

test("a character(n) is turned into a token without its padding", () => {
  const token = textOf(request, "12345678    ", 1042, 16)!;
  assert.match(token, /^\d{8} {4}$/);
  assert.equal(token.trimEnd(), textOf(request, "12345678"));
});

test("without a tweak the column's name is one; without a name nothing can be turned back, so it is redacted", () => {
  const plain = { mask: "tokenize", key: "cards" };
  const column = { typeOid: 25, format: 0, modifier: -1 };
  const [a, b] = ["public.a.number", "public.b.number"].map((name) =>
    bytesOf(plain, Buffer.from("4111111111111111"), { ...column, name })!.toString(),
  );
  assert.notEqual(a, b);
  assert.equal(detokenize(a!, key, "public.a.number"), "4111111111111111");
  assert.equal(bytesOf(plain, Buffer.from("4111111111111111"), column)!.toString(), "[redacted]");
});

test("a key that is not there is an error with a code of its own, for arrays and inside json, too", () => {
  const missing = { ...request, key: "gone" };
  for (const typeOid of [25, 1009, 23, 600])
    assert.throws(() => planMask(missing, { typeOid, format: 0 }, options), { code: "MASK_KEY_MISSING" });
  const json = { mask: "json", paths: [{ path: "$.a", ...missing }] };
  assert.throws(() => planMask(json, { typeOid: 114, format: 0 }, options), { code: "MASK_KEY_MISSING" });
  assert.throws(() => planMask(request, { typeOid: 25, format: 0 }, { key }), { code: "MASK_KEY_MISSING" });
});

test("an integer keeps its sign and its number of digits, stays in its type, and is the same in both formats", () => {
  const r = random(seed);
  const types = [
    [21, 2, 32_767n],
    [23, 4, 2_147_483_647n],
    [20, 8, 9_223_372_036_854_775_807n],
  ] as const;
  for (const [typeOid, bytes, most] of types) {
    for (let i = 0; i < 400; i++) {
      const magnitude =
        i === 0 ? most : BigInt(`${r.below(10)}${r.below(1e9)}${r.below(1e9)}`.slice(0, 1 + r.below(19)));
      if (magnitude > most) continue;
      const value = r.below(2) === 0 ? magnitude : -magnitude;
      const token = textOf(request, String(value), typeOid);
      const binary = Buffer.alloc(bytes);
      if (bytes === 8) binary.writeBigInt64BE(value);
      else binary.writeIntBE(Number(value), 0, bytes);
      const other = bytesOf(request, binary, { typeOid, format: 1 });
      if (magnitude < 1_000_000n) {
        assert.equal(token, null);
        assert.equal(other, null);
        continue;
      }
      assert.equal(token!.length, String(value).length);
      assert.equal(token!.startsWith("-"), value < 0n);
      assert.ok(BigInt(token!.replace("-", "")) <= most);
      assert.equal(String(bytes === 8 ? other!.readBigInt64BE() : other!.readIntBE(0, bytes)), token);
      assert.equal(detokenize(token!, key, "pci", { typeOid }), String(value));
    }
  }
  assert.equal(textOf(request, "-2147483648", 23), null);
});

test("a numeric keeps sign, digits and scale", () => {
  assert.match(textOf(request, "12345678.90", 1700)!, /^[1-9]\d{7}\.\d{2}$/);
  assert.match(textOf(request, "-0.0012345678", 1700)!, /^-0\.00[1-9]\d{7}$/);
  for (const value of ["12345678.90", "-0.0012345678", "123456789012345678901234567890"])
    assert.equal(detokenize(textOf(request, value, 1700)!, key, "pci", { typeOid: 1700 }), value);
  for (const value of ["123.45", "NaN", "Infinity", "0", "0.00"]) assert.equal(textOf(request, value, 1700), null);
});

test("a uuid becomes another one", () => {
  const id = "0195d3a4-7b1c-7000-8000-0123456789ab";
  const token = textOf(request, id, 2950)!;
  assert.match(token, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  assert.equal(detokenize(token, key, "pci", { typeOid: 2950 }), id);
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  assert.equal(bytesOf(request, bytes, { typeOid: 2950, format: 1 })!.toString("hex"), token.replaceAll("-", ""));
});

test("a JSON string or number becomes one, and every other document is redacted", () => {
  assert.match(textOf(request, '"4111 1111 1111 1111"', 114)!, /^"\d{4} \d{4} \d{4} \d{4}"$/);
  assert.match(textOf(request, "4111111111111111", 114)!, /^[1-9]\d{15}$/);
  assert.equal(textOf(request, '{"card": "4111111111111111"}', 114), '"[redacted]"');
});

test("different values never get the same token", () => {
  const tokens = new Set<string>();
  for (let i = 0; i < 2_000; i++) tokens.add(textOf(request, `A${String(i).padStart(6, "0")}`)!);
  assert.equal(tokens.size, 2_000);
});
