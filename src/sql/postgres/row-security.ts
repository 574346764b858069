// Row-level security: which rows a policy lets a role see, or write, tells of the columns that it asks about.
import { absorb } from "./absorb.ts";
import { expressionsIn, rowItem } from "./attached-expressions.ts";
import { runUse } from "./bodies.ts";
import { expression } from "./expressions.ts";
import type { Policy, Relation } from "./model.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { Scope } from "./scope.ts";
import { combine, CONSTANT } from "./value.ts";
import type { Member, Value } from "./value.ts";

/** What meets a policy: rows that are read, locked or changed, or new ones. */
export type Meeting = "select" | "insert" | "update" | "delete";

/** Of policies for the event in the key: which commands' USING and WITH CHECK the server asks. Changed rows are found by reading. */
const ASKED: { readonly [event in Meeting]: { readonly using: string; readonly check: string } } = {
  select: { using: "r*", check: "" },
  insert: { using: "", check: "a*" },
  update: { using: "rw*", check: "w*" },
  delete: { using: "rd*", check: "" },
};

/**
 * The policies of the relation itself (of those that inherit from it none is asked). Roles are not told apart, but the one that the server
 * exempts. `written`: what is put into its columns.
 */
export function policiesDecide(
  recorder: Recorder,
  relation: Relation,
  event: Meeting,
  written: ReadonlyMap<string, Value> = new Map(),
): void {
  if (relation.policies.length === 0) return;
  if (recorder.user !== undefined && relation.exempt === recorder.user) return;
  const { using, check } = ASKED[event];
  for (const policy of relation.policies) {
    if (policy.using !== undefined && using.includes(policy.command))
      decide(recorder, relation, policy, policy.using, relation.wholeRow);
    const checked = policy.check ?? policy.using;
    if (checked !== undefined && check.includes(policy.command))
      decide(recorder, relation, policy, checked, newRow(relation, written, event === "update"));
  }
}

/** `keeps`: what is not written is as it was; else it is a default. */
function newRow(relation: Relation, written: ReadonlyMap<string, Value>, keeps: boolean): Value {
  const members = relation.columns.map((column): Member => {
    const value = written.get(column.name) ?? CONSTANT;
    return { name: column.name, value: keeps ? combine([column.value, value], column.type, true) : value };
  });
  const values = members.map((member) => member.value);
  return { ...combine(values, relation.rowType, true), row: members };
}

function decide(recorder: Recorder, relation: Relation, policy: Policy, text: string, row: Value): void {
  recorder.spend(relation.columns.length);
  const own = recorder.within();
  const scope = new Scope(undefined, [rowItem(relation.name, row, true)], undefined);
  const nodes = expressionsIn(text);
  const values = nodes.map((node) => expression(own, node, scope));
  if (values.length === 0 || own.unresolved) {
    // What cannot be read may ask about anything in the row.
    for (const use of policy.uses) runUse(recorder, use, row);
    recorder.use(row, USE.filter);
    return;
  }
  absorb(recorder, own, new Map(), relation.qualified);
  if (own.opaque) recorder.opaque = true;
  for (const value of values) recorder.use(value, USE.filter);
}
