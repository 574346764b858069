// GROUP BY, DISTINCT and ORDER BY: what of a query may name one of its outputs in the place of a column.
import type { Node } from "libpg-query";
import { expression } from "./expressions.ts";
import { integerOf, kindOf, stringOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import type { Item, Scope } from "./scope.ts";
import { anyColumn, unqualifiedColumn } from "./scope.ts";
import { operatorRuns, writtenAs } from "./user-code.ts";
import { USE } from "./uses.ts";
import type { Value } from "./value.ts";
import { CONSTANT, eitherOf } from "./value.ts";

/** GROUP BY a primary key: what stands beside it of the same table divides no group further, and so tells nothing. */
export function grouped(recorder: Recorder, nodes: readonly Node[], scope: Scope, result: Result): void {
  const plain = nodes.every((node) => !("GroupingSet" in node) && !("RowExpr" in node));
  if (!plain) {
    grouping(recorder, nodes, scope, result);
    return;
  }
  const values = nodes.map((node) => clauseValue(recorder, node, scope, result, true));
  const beside = besideKey(scope.items, values);
  for (const value of values) {
    if (beside.has(value)) recorder.names(value, 0);
    else recorder.use(value, USE.group);
  }
}

/** The bare columns that are not of the primary key, of tables whose whole primary key is among the values. */
function besideKey(items: readonly Item[], values: readonly Value[]): ReadonlySet<Value> {
  const beside = new Set<Value>();
  for (const item of items) {
    const relation = item.relation ?? item.rows;
    // What inherits from a table may repeat its key.
    const key = relation?.kind === "table" && relation.children.length > 0 ? undefined : relation?.primaryKey;
    // Twice in FROM, its columns are those of either.
    if (key === undefined || items.some((other) => other !== item && (other.relation ?? other.rows) === relation))
      continue;
    const has = (attnum: number): boolean =>
      relation!.columns.some((column) => column.attnum === attnum && values.includes(column.value));
    if (!key.every(has)) continue;
    relation!.columns.forEach((column, at) => {
      const value = item.members[at]?.value;
      if (value !== undefined && !key.includes(column.attnum)) beside.add(value);
    });
  }
  return beside;
}

function grouping(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope, result: Result): void {
  for (const node of nodes ?? []) {
    if ("GroupingSet" in node) grouping(recorder, node.GroupingSet.content, scope, result);
    else if ("RowExpr" in node) grouping(recorder, node.RowExpr.args, scope, result);
    else recorder.use(clauseValue(recorder, node, scope, result, true), USE.group);
  }
}

export function distinct(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope, result: Result): void {
  if (nodes === undefined) return;
  const on = nodes.filter((node) => kindOf(node) !== "");
  if (on.length === 0) for (const member of result.members) recorder.use(member.value, USE.distinct);
  for (const node of on) recorder.use(clauseValue(recorder, node, scope, result, false), USE.distinct);
}

export function sorting(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope, result: Result): void {
  for (const node of nodes ?? []) {
    if (!("SortBy" in node)) continue;
    const value = clauseValue(recorder, node.SortBy.node, scope, result, false);
    recorder.use(value, USE.sort);
    if (node.SortBy.useOp !== undefined) operatorRuns(recorder, writtenAs(node.SortBy.useOp), [[value, value]]);
  }
}

/** findTargetlistEntrySQL92: a bare name or a number may mean an output; GROUP BY prefers a column of FROM. */
function clauseValue(
  recorder: Recorder,
  node: Node | undefined,
  scope: Scope,
  result: Result,
  columnFirst: boolean,
): Value {
  if (node !== undefined && "A_Const" in node) {
    const position = integerOf(node);
    if (position !== undefined && position >= 1 && !result.open) return result.members[position - 1]?.value ?? CONSTANT;
    if (position !== undefined) return anyColumn(result);
  }
  if (node !== undefined && "ColumnRef" in node && node.ColumnRef.fields?.length === 1) {
    const name = stringOf(node.ColumnRef.fields[0]);
    const column = columnFirst && name !== undefined ? unqualifiedColumn(scope, name) : undefined;
    if (column?.sure === true) recorder.reads?.named(node.ColumnRef.fields, column.value);
    if (column?.sure !== true) {
      const matches = result.members.filter((member) => member.name === name).map((member) => member.value);
      if (matches.length > 0) return (column === undefined ? matches : [column.value, ...matches]).reduce(eitherOf);
    }
  }
  return expression(recorder, node, scope);
}
