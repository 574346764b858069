// What a policy answers is taken only where it is of the right form, and what asks for another text never lets its own one run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDecision, type Decision } from "../../src/core/decision.ts";
import { enforce, noTicket, prepare } from "../../src/core/enforce.ts";

const column = {
  statement: 0,
  schema: "public",
  table: "t",
  column: "c",
  mask: "partial",
  keep_last: 4,
  code: "tag-pci",
};
const answer = (more: object): object => ({ id: "n1", action: "mask", reasons: [], masks: [], ...more });

for (const [what, more, defect] of [
  ["without a mask", { substitutions: [{ ...column, mask: undefined }] }, "decision.substitutions[0].mask: missing"],
  ["without a table", { substitutions: [{ ...column, table: undefined }] }, "decision.substitutions[0].table: missing"],
  [
    "with half a statement",
    { substitutions: [{ ...column, statement: 0.5 }] },
    "decision.substitutions[0].statement: ",
  ],
  [
    "with a column by number",
    { substitutions: [column, { ...column, column: 3 }] },
    "decision.substitutions[1].column: ",
  ],
  ["that are no list", { substitutions: {} }, "decision.substitutions: expected an array"],
  [
    "of what is allowed as it is",
    { action: "allow", substitutions: [column] },
    "decision.substitutions: must be empty",
  ],
  ["of what is blocked", { action: "block", substitutions: [column] }, "decision.substitutions: must be empty"],
] as const)
  test(`substitutions ${what} are a defect`, () => {
    const { action, reasons } = checkDecision("n1", answer(more));
    assert.equal(action, "block");
    assert.equal(reasons[0]?.code, "POLICY_SHAPE");
    assert.ok(reasons[0]?.message.includes(defect), reasons[0]?.message);
  });

for (const action of ["mask", "require_approval"] as const)
  test(`a decision to ${action} may ask for substitutions, and lets nothing run as it is`, () => {
    const decision: Decision = checkDecision("n1", answer({ action, substitutions: [column] }));
    assert.equal(decision.action, action);
    assert.deepEqual(decision.substitutions, [column]);
    assert.equal(enforce("n1", decision, noTicket), undefined);
    assert.equal(prepare(decision, true), undefined);
  });

test("without any it lets the text run", () => {
  for (const more of [{}, { substitutions: [] }, { action: "allow", substitutions: [] }])
    assert.notEqual(enforce("n1", checkDecision("n1", answer(more)), noTicket), undefined);
});
