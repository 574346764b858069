// Target lists, of SELECT and of RETURNING: stars expanded, and each output named as the server does.
import type { Node } from "libpg-query";
import { RegateError } from "../../errors.ts";
import { expression } from "./expressions.ts";
import { stepIn } from "./field-steps.ts";
import { outputName } from "./names.ts";
import { namesOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import type { Scope } from "./scope.ts";
import { everything, expanded, itemMembers, missItem, namedItem, restOfAll, starMembers } from "./scope.ts";
import type { Member, Value } from "./value.ts";
import { derived } from "./value.ts";

/** The server's own limit (MaxTupleAttributeNumber). */
const MAX_TARGETS = 1664;

/** A target list, stars expanded: of SELECT and of RETURNING. */
export function targetList(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope): Result {
  const members: Member[] = [];
  const open: Result[] = [];
  let placed: number | undefined;
  for (const node of nodes ?? []) {
    if (!("ResTarget" in node)) continue;
    const { val, name } = node.ResTarget;
    const star = val === undefined ? undefined : expandStar(recorder, val, scope);
    if (star !== undefined) {
      if (star.open) {
        placed ??= members.length;
        open.push(star);
      }
      members.push(...star.members);
      continue;
    }
    const value = expression(recorder, val, scope);
    members.push({ name: name ?? outputName(val, recorder.subselectNames, recorder.catalog.serverVersion), value });
  }
  if (members.length > MAX_TARGETS)
    throw new RegateError("TEXT_TOO_COMPLEX", { detail: `more than ${MAX_TARGETS} columns in a target list` });
  if (placed === undefined) return { members, open: false };
  return { members, open: true, ...restOfAll(open), placed };
}

/** `*`, `t.*`, `s.t.*`, `(row).*`; undefined for anything else. */
export function expandStar(recorder: Recorder, node: Node, scope: Scope): Result | undefined {
  if ("ColumnRef" in node) {
    const fields = node.ColumnRef.fields ?? [];
    if (fields.length === 0 || !("A_Star" in fields[fields.length - 1]!)) return undefined;
    if (fields.length === 1) return starMembers(recorder, scope);
    const names = namesOf(fields);
    const schema = names.length > 1 ? names[names.length - 2] : undefined;
    const item = namedItem(recorder, scope, schema, names[names.length - 1]!, fields);
    if (item !== undefined) return itemMembers(recorder, item);
    const variable = recorder.variables?.named(names, stepIn(recorder, scope));
    if (variable !== undefined) return fieldsOf(recorder, variable);
    missItem(recorder, names.join("."));
    return { members: [{ name: "*", value: everything(scope) }], open: true };
  }
  if ("A_Indirection" in node) {
    const steps = node.A_Indirection.indirection ?? [];
    if (steps.length === 0 || !("A_Star" in steps[steps.length - 1]!)) return undefined;
    const inner: Node =
      steps.length === 1
        ? (node.A_Indirection.arg ?? ({ Null: {} } as never))
        : { A_Indirection: { ...node.A_Indirection, indirection: steps.slice(0, -1) } };
    return fieldsOf(recorder, expression(recorder, inner, scope));
  }
  return undefined;
}

/** The fields of a row value as columns; an open result where its shape is not known. */
export function fieldsOf(recorder: Recorder, value: Value): Result {
  if (value.row !== undefined) return { members: expanded(value.aliased ?? value.row), open: false };
  const shape = value.type === 0 ? undefined : recorder.catalog.relationByRowType(value.type);
  if (shape !== undefined) {
    return {
      members: shape.columns.map((column) => ({ name: column.name, value: derived(value, column.type, false) })),
      open: false,
    };
  }
  const rest: Value = { ...value, derivation: "opaque", total: false };
  return { members: [{ name: "*", value: rest }], open: true, rest };
}
