// json: values at paths are masked, every other byte of the document stays, and what is no JSON is hidden whole.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, textOf } from "./apply.ts";
import { json, random } from "./values.ts";

const at = (...paths: readonly string[]) => ({
  mask: "json",
  paths: paths.map((path) => ({ path, mask: "redact" })),
});
const JSON_TYPE = 114;
const R = '"[redacted]"';

const cases: readonly [string, string[], string, string][] = [
  ["a member", ["$.a"], '{ "a" : "x",\n"b":1.50 }', `{ "a" : ${R},\n"b":1.50 }`],
  ["a member of a member", ["$.a.b"], '{"b": 1, "a": {"b": 2}}', `{"b": 1, "a": {"b": ${R}}}`],
  ["all elements", ["$.i[*].e"], '{"i": [{"e": 1}, {"e": "x"}, 3]}', `{"i": [{"e": ${R}}, {"e": ${R}}, 3]}`],
  ["one element", ["$[1]"], "[1, 2, 3]", `[1, ${R}, 3]`],
  ["all members", ["$.*"], '{"a": 1, "b": [2]}', `{"a": ${R}, "b": ${R}}`],
  [
    "any depth",
    ["$..e"],
    '{"e": 1, "a": [{"e": 2, "f": {"e": 3}}]}',
    `{"e": ${R}, "a": [{"e": ${R}, "f": {"e": ${R}}}]}`,
  ],
  ["any depth of elements", ["$..[0]"], "[[1, 2], 3]", `[${R}, 3]`],
  ["the document", ["$"], '{"a": 1}', R],
  ["a quoted name", ["$['a b']"], '{"a b": 1}', `{"a b": ${R}}`],
  ["a name in double quotes", ['$["a.b"]'], '{"a.b": 1, "a": {"b": 2}}', `{"a.b": ${R}, "a": {"b": 2}}`],
  ["an escaped name", ["$.email"], '{"\\u0065mail": 1}', `{"\\u0065mail": ${R}}`],
  ["a name that stands twice", ["$.a"], '{"a": 1, "a": "2"}', `{"a": ${R}, "a": ${R}}`],
  ["an object in the place of a text", ["$.a"], '{"a": {"b": "x"}}', `{"a": ${R}}`],
  ["true and false", ["$.a"], '{"a": true}', `{"a": ${R}}`],
  ["null", ["$.a"], '{"a": null}', '{"a": null}'],
  ["nothing", ["$.x"], '{"a": 1}', '{"a": 1}'],
  ["a value within one that is hidden", ["$.a", "$.a.b"], '{"a": {"b": 1}}', `{"a": ${R}}`],
  ["a name as an element's number", ["$['0']"], "[1]", "[1]"],
  ["an index of an object", ["$[0]"], '{"0": 1}', '{"0": 1}'],
  ["a text of one escape", ["$.a"], '{"a": "\\""}', `{"a": ${R}}`],
];
for (const [name, paths, document, expected] of cases)
  test(`at ${paths.join(", ")}: ${name}`, () => assert.equal(textOf(at(...paths), document, JSON_TYPE), expected));

const broken = [
  "",
  "{",
  '{"a": 1',
  '{"a": 1}}',
  '{"a" 1}',
  "{a: 1}",
  "{'a': 1}",
  '{"a": 01}',
  '{"a": .5}',
  '{"a": +1}',
  '{"a": 1,}',
  '{"b": "x\ny", "a": 1}',
  '{"a": "\\x"}',
  '{"a": "\\u12g4"}',
  '{"a": nul}',
  '{"a": Infinity}',
  "[1 2]",
  '"open',
  `${"[".repeat(600)}${"]".repeat(600)}`,
];
for (const document of broken)
  test(`${JSON.stringify(document.slice(0, 30))} is hidden whole`, () =>
    assert.equal(textOf(at("$.a"), document, JSON_TYPE), R));

test("each path has its own mask; of two masks for one value the first counts", () => {
  const request = {
    mask: "json",
    paths: [
      { path: "$.card", mask: "partial", keep_last: 4 },
      { path: "$.to", mask: "email" },
      { path: "$.salary", mask: "truncate", step: 1000 },
      { path: "$.born", mask: "null" },
      { path: "$.*", mask: "redact" },
    ],
  };
  assert.equal(
    textOf(
      request,
      '{"card":"4111111111111111","to":"alice@example.com","salary":52345,"born":"1980","id":1}',
      JSON_TYPE,
    ),
    `{"card":"************1111","to":"a***@example.com","salary":52000,"born":null,"id":${R}}`,
  );
});

test("binary jsonb keeps its version; another version is hidden whole", () => {
  const column = { typeOid: 3802, format: 1 };
  assert.equal(bytesOf(at("$.a"), Buffer.from('\x01{"a": 1}'), column)!.toString(), `\x01{"a": ${R}}`);
  assert.equal(bytesOf(at("$.b"), Buffer.from('\x01{"a": 1}'), column)!.toString(), '\x01{"a": 1}');
  assert.equal(bytesOf(at("$.b"), Buffer.from('\x02{"a": 1}'), column)!.toString(), `\x01${R}`);
});

test("a column of another type has no paths, and is redacted", () => {
  assert.equal(textOf(at("$.a"), '{"b": 1}', 25), "[redacted]");
  assert.equal(textOf(at("$.a"), "5", 23), null);
});

test("what JSON.parse takes is taken, whatever it holds, and comes out the same where no path hits", () => {
  const r = random(Number(process.env.REGATE_TEST_SEED ?? 7));
  for (let i = 0; i < 500; i++) {
    const document = JSON.stringify(json(r), undefined, r.pick([0, 2]));
    assert.equal(textOf(at("$.no", "$[3].no[*].no"), document, JSON_TYPE), document);
    const cut = document.slice(0, r.below(document.length));
    let whole = true;
    try {
      JSON.parse(cut);
    } catch {
      whole = false;
    }
    assert.equal(textOf(at("$.no"), cut, JSON_TYPE), whole ? cut : R);
  }
});
