// How much the detectors find of the corpus that ships, that nothing hostile makes them slow, and that skipping a cell never hides a value.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { detectors, findAll, type Wanted, wanted } from "../../src/masking/detectors/index.ts";
import { plain } from "../../src/masking/detectors/plain.ts";
import { DISGUISE, mayHold, noTraits, traitsOfBytes } from "../../src/masking/detectors/traits.ts";
import { corpus, files, measure } from "./corpus.ts";

const all = wanted("all") as readonly Wanted[];

/** Least precision and recall by file of the corpus. */
const floors: { readonly [name: string]: readonly [precision: number, recall: number] } = {
  card: [0.98, 0.98],
  email: [0.98, 0.98],
  iban: [0.98, 0.98],
  phone: [0.97, 0.96],
  "us-ssn": [0.97, 0.98],
  keys: [0.97, 0.98],
  "national-ids": [0.98, 0.98],
  ip: [0.95, 0.95],
};
describe("the corpus", () => {
  for (const name of files) {
    const lines = corpus(name);
    const result = measure(name, lines);
    const [precision, recall] = floors[name]!;
    test(`${name}: precision of at least ${precision}`, () =>
      assert.ok(result.precision >= precision, `${result.precision}: ${result.wrong.join("\n")}`));
    test(`${name}: recall of at least ${recall}`, () =>
      assert.ok(result.recall >= recall, `${result.recall}: ${result.missed.join("\n")}`));
    if (["card", "email", "iban", "phone", "us-ssn", "keys"].includes(name))
      test(`${name}: large enough`, () => assert.ok(result.positives >= 40 && result.negatives >= 60));
  }
  test("every detector has values in it", () => {
    const named = new Set(
      files
        .flatMap((name) => corpus(name))
        .filter(({ marks }) => marks.length > 0)
        .map((line) => line.detector),
    );
    assert.deepEqual(
      detectors.map(({ name }) => name).filter((name) => !named.has(name)),
      [],
    );
  });
  test("in ordinary cells nothing is found", () => {
    assert.deepEqual(measure("ordinary", corpus("ordinary")).wrong, []);
  });
});

test("no cell is skipped in which a detector would find something", () => {
  const traits = noTraits();
  for (const { text } of files.flatMap((name) => corpus(name))) {
    const bytes = Buffer.from(text);
    traitsOfBytes(bytes, 0, bytes.length, traits);
    for (const { detector } of all) {
      if ((traits.signs & DISGUISE) !== 0 || mayHold(traits, detector.needs)) continue;
      assert.deepEqual(detector.find(text, true), [], `${detector.name} in ${text}`);
    }
  }
});

test("no character that is read as another one is skipped", () => {
  const traits = noTraits();
  for (let code = 0x80; code < 0x20000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    const read = plain(character)?.text;
    // Letters that stand for letters change no number and no sign.
    if (read === undefined || (read !== "" && !/[\0-@[-`{-\x7f]/.test(read))) continue;
    const bytes = Buffer.from(character);
    traitsOfBytes(bytes, 0, bytes.length, traits);
    assert.ok((traits.signs & DISGUISE) !== 0, `U+${code.toString(16)} is read as ${JSON.stringify(read)}`);
  }
});

test("digits of every script are read as what they count", () => {
  for (const zero of [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xe50, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7ec, 0x1e950])
    for (let value = 0; value < 10; value++)
      assert.equal(plain(String.fromCodePoint(zero + value))?.text, String(value));
});

test("a value keeps its place through what is left out and decoded", () => {
  const text = "é \u200b4111%201111&nbsp;1111\\u00201111\u200b é";
  const [found] = findAll(text, all);
  assert.equal(text.slice(found!.start, found!.end), "4111%201111&nbsp;1111\\u00201111");
});

test("of more numbers than are looked up none stays", () => {
  const text = Array.from({ length: 300 }, (_, i) => `+1 415 555 ${2000 + i}`).join("; ");
  assert.equal(findAll(text, all).length, 300);
});

test("a value is found wherever it stands in a long text", () => {
  // 1024 dots and more would fill the count of dots.
  for (const length of [1000, 1010, 1024, 3000, 5000]) {
    const text = `${".".repeat(length)} 192.0.2.17`;
    const bytes = Buffer.from(text);
    const traits = noTraits();
    traitsOfBytes(bytes, 0, bytes.length, traits);
    assert.equal(findAll(text, all).length, 1);
    assert.ok(
      all.some(({ detector }) => detector.name === "ip" && mayHold(traits, detector.needs)),
      String(length),
    );
  }
  for (let digits = 1008; digits < 1100; digits++) {
    const bytes = Buffer.from(`${"1a".repeat(digits)} 2001:db8::1`);
    const traits = noTraits();
    traitsOfBytes(bytes, 0, bytes.length, traits);
    assert.ok(
      all.some(({ detector }) => detector.name === "ip" && mayHold(traits, detector.needs)),
      String(digits),
    );
  }
});

const SIZE = 250_000;
const repeated = (text: string): string => text.repeat(Math.ceil(SIZE / text.length)).slice(0, SIZE);
const hostile = [
  ..."a4@.:=&%\\-(+<\n /",
  ..."a@|a@b.|eyJ|eyJhbGciOiJIUz.|-----BEGIN |-----BEGIN PRIVATE KEY-----|sk-|AKIA|password|password=|password |secret:::".split(
    "|",
  ),
  ..."4 1 |123-|4111 1111 1111 1112 |1.1.1.1.|1.1.1.1 |DE12 |+1 415 555 2671 |tel 1234567 |(1|%34|&#52;|\\u0034|4\u200b".split(
    "|",
  ),
  ...'\uff14|RSSMRA85T10A562|://a:|bearer |MIIabcIBAAKC|A+/|123456789:AA|-us1|bounce+a=|"@|1 - 2 . |passwwwwwwwwwwwwwwwwwwwwwwwww'.split(
    "|",
  ),
];
for (const piece of hostile) {
  test(`a long text of ${JSON.stringify(piece)} is searched in linear time`, () => {
    const started = process.cpuUsage();
    findAll(repeated(piece), all);
    const { user, system } = process.cpuUsage(started);
    // A quadratic search takes half a minute and more.
    assert.ok(user + system < 5e6, `${(user + system) / 1e6} s`);
  });
}
