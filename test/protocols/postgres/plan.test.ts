// What is done with the columns of a result: errors instead of a plan that could not be kept, and the names that tokens are bound to.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Output } from "../../../src/core/facts.ts";
import { RegateError } from "../../../src/errors.ts";
import { detokenize } from "../../../src/masking/index.ts";
import type { Field } from "../../../src/protocols/postgres/message.ts";
import { planRow } from "../../../src/protocols/postgres/plan.ts";
import type { RowPlan } from "../../../src/protocols/postgres/rows.ts";

const key = Buffer.alloc(32, 7);
const options = { key, tokenKey: (name: string) => (name === "cards" ? key : undefined) };
const field: Field = { name: "n", tableOid: 1, attribute: 1, typeOid: 25, size: -1, modifier: -1, format: 0 };
const spec = (mask: object) => ({ statement: 0, output: 0, code: "x", ...mask }) as never;
const source = (column: string) => ({ schema: "public", table: "cards", column, tags: ["pci"] });
const output = (derivation: Output["derivation"], ...columns: readonly string[]): Output => ({
  name: "n",
  type: "text",
  derivation,
  total: true,
  sources: columns.map(source),
});

const token = { mask: "tokenize", key: "cards" };
const value = Buffer.from("4111111111111111");
function masked(outputs: readonly Output[] | undefined): string {
  const shown = outputs && { facts: { outputs }, outputsKnown: true };
  const plan = planRow([spec(token)], [field], shown, options) as RowPlan;
  const mask = plan[0]!;
  return (mask.constant === undefined ? mask(value, 0, value.length) : mask.constant)!.toString();
}

test("a token is bound to the stored column that the output shows", () => {
  const shown = masked([output("direct", "number")]);
  assert.equal(detokenize(shown, key, "public.cards.number"), value.toString());
});

const unnamed: readonly [string, readonly Output[] | undefined][] = [
  ["several columns", [output("direct", "number", "other")]],
  ["what is computed", [output("expression", "number")]],
  ["nothing that is known", [output("opaque")]],
  ["what the facts do not say", undefined],
];
for (const [name, outputs] of unnamed)
  test(`an output of ${name} has no tokens without a tweak`, () => assert.equal(masked(outputs), "[redacted]"));

test("a mask of what stands for columns that only the server knows is for all of them", () => {
  const at = (plan: unknown): boolean[] => Array.from(plan as RowPlan, (mask) => mask !== undefined);
  const shown = { facts: { outputs: [output("direct", "a"), output("opaque", "b")] }, outputsKnown: false };
  const fields = [field, field, field, field];
  const masks = (...of: number[]) => of.map((at) => spec({ mask: "null", output: at }));
  assert.deepEqual(at(planRow(masks(1), fields, shown, options)), [false, true, true, true]);
  assert.deepEqual(at(planRow(masks(0), fields, shown, options)), [true, false, false, false]);
  assert.deepEqual(at(planRow(masks(0, 1), [field], shown, options)), [true]);
  const nothing = { facts: { outputs: [] }, outputsKnown: false };
  assert.deepEqual(at(planRow(masks(0), [field, field], nothing, options)), [true, true]);
});

const impossible: readonly [string, object, string][] = [
  ["an output that is not there", { mask: "redact", output: 1 }, "MASK_IMPOSSIBLE"],
  ["an unknown mask", { mask: "blur" }, "MASK_IMPOSSIBLE"],
  ["wrong parameters", { mask: "partial", keep_last: -1 }, "MASK_IMPOSSIBLE"],
  ["a missing key", { mask: "tokenize", key: "gone" }, "MASK_KEY_MISSING"],
];
for (const [name, mask, code] of impossible)
  test(`${name} is an error, and no plan`, () => {
    const plan = planRow([spec(mask)], [field], undefined, options);
    assert.ok(plan instanceof RegateError);
    assert.equal(plan.code, code);
  });
