// FF1 against the samples of NIST (FF1samples.pdf), and that it is a permutation.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ff1 } from "../../src/masking/ff1.ts";

const key = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94";
const digits = "0123456789";
const alphanumerics = "0123456789abcdefghi";

const samples: readonly [bits: number, tweak: string, radix: number, plain: string, encrypted: string][] = [
  [128, "", 10, digits, "2433477484"],
  [128, "39383736353433323130", 10, digits, "6124200773"],
  [128, "3737373770717273373737", 36, alphanumerics, "a9tv40mll9kdu509eum"],
  [192, "", 10, digits, "2830668132"],
  [192, "39383736353433323130", 10, digits, "2496655549"],
  [192, "3737373770717273373737", 36, alphanumerics, "xbj3kv35jrawxv32ysr"],
  [256, "", 10, digits, "6657667009"],
  [256, "39383736353433323130", 10, digits, "1001623463"],
  [256, "3737373770717273373737", 36, alphanumerics, "xs8a0azh2avyalyzuwd"],
];

const numberOf = (text: string, radix: number): bigint =>
  [...text].reduce((sum, digit) => sum * BigInt(radix) + BigInt(Number.parseInt(digit, radix)), 0n);

function run(ff1: Ff1, text: string, encrypt: boolean, small: boolean): string {
  const half = text.length >> 1;
  const [a, b] = [numberOf(text.slice(0, half), ff1.radix), numberOf(text.slice(half), ff1.radix)];
  let [left, right] = [0n, 0n];
  if (small) {
    ff1.runSmall(text.length, Number(a), Number(b), encrypt);
    [left, right] = [BigInt(ff1.left), BigInt(ff1.right)];
  } else [left, right] = ff1.run(text.length, a, b, encrypt);
  return left.toString(ff1.radix).padStart(half, "0") + right.toString(ff1.radix).padStart(text.length - half, "0");
}

for (const [i, [bits, tweak, radix, plain, encrypted]] of samples.entries()) {
  test(`sample ${i + 1} of the standard: AES-${bits}, radix ${radix}`, () => {
    const ff1 = new Ff1(Buffer.from(key, "hex").subarray(0, bits / 8), Buffer.from(tweak, "hex"), radix);
    assert.equal(run(ff1, plain, true, false), encrypted);
    assert.equal(run(ff1, encrypted, false, false), plain);
    if (radix === 10) assert.ok(ff1.small(plain.length));
    if (!ff1.small(plain.length)) return;
    assert.equal(run(ff1, plain, true, true), encrypted);
    assert.equal(run(ff1, encrypted, false, true), plain);
  });
}

test("both ways to count give the same, for every length, radix and length of tweak", () => {
  for (const radix of [2, 10, 16, 26]) {
    for (const tweak of [0, 1, 8, 11, 12, 15, 16, 17, 40]) {
      const ff1 = new Ff1(Buffer.from(key, "hex"), Buffer.alloc(tweak, 7), radix);
      for (let length = 2; length <= 80; length++) {
        const text = Array.from({ length }, (_, i) => ((i * 7 + length) % radix).toString(radix)).join("");
        const wide = run(ff1, text, true, false);
        assert.equal(run(ff1, wide, false, false), text);
        if (!ff1.small(length)) continue;
        assert.equal(run(ff1, text, true, true), wide);
        assert.equal(run(ff1, wide, false, true), text);
      }
    }
  }
});
