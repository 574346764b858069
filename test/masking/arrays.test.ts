// Arrays: each element is masked, and what array_out and array_send write around them stays.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, textOf } from "./apply.ts";

const TEXTS = 1009;
const partial = { mask: "partial", keep_last: 1 };

const cases: readonly [string, string | null][] = [
  ["{}", "{}"],
  ["{abc,NULL,null,x}", "{**c,NULL,NULL,*}"],
  ['{"NULL","a b","a,b","",z}', '{***L,**b,**b,"",*}'],
  ['{"a\\"b","a\\\\",{x}', null],
  ['{"a\\"b","q}"}', '{**b,"*}"}'],
  ["{{ab,cd},{ef,gh}}", "{{*b,*d},{*f,*h}}"],
  ["[0:1]={ab,cd}", "[0:1]={*b,*d}"],
  ["[secret]={ab}", null],
  ["{ab", null],
  ["ab", null],
  ["{ab}cd", null],
  ["{ab,}", null],
  ["{,ab}", null],
  ["{{{{{{{a}}}}}}}", null],
  ["", null],
];
for (const [value, expected] of cases)
  test(`${value} becomes ${expected}`, () => assert.equal(textOf(partial, value, TEXTS), expected));

test("a mask that gives the same for all shows one element, so that nothing is told of their number", () => {
  assert.equal(textOf({ mask: "redact" }, "{a,b,c}", TEXTS), "{[redacted]}");
  assert.equal(textOf({ mask: "redact" }, "{}", TEXTS), "{[redacted]}");
  assert.equal(textOf({ mask: "redact" }, "{1,2}", 1007), null);
});

test("a binary array of another element type, or cut short, is NULL", () => {
  const header = [1, 0, 25, 1, 1];
  const array = (words: readonly number[], ...elements: readonly string[]): Buffer =>
    Buffer.concat([
      ...words.map((word) => Buffer.from(Uint32Array.of(word).buffer).swap32()),
      ...elements.flatMap((element) => [Buffer.from([0, 0, 0, element.length]), Buffer.from(element)]),
    ]);
  const column = { typeOid: TEXTS, format: 1 };
  assert.deepEqual(bytesOf(partial, array(header, "abc"), column), array(header, "**c"));
  assert.equal(bytesOf(partial, array([1, 0, 23, 1, 1], "abc"), column), null);
  assert.equal(bytesOf(partial, array([9, 0, 25, 1, 1], "abc"), column), null);
  const whole = array(header, "abc");
  for (let length = 0; length < whole.length; length++)
    assert.equal(bytesOf(partial, whole.subarray(0, length), column), null, String(length));
});
