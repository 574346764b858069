// GROUP BY, DISTINCT and ORDER BY: what of a query may name one of its outputs in the place of a column.
import type { Node, SelectStmt } from "libpg-query";
import { expression } from "./expressions.ts";
import { integerOf, isStar, kindOf, stringOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import type { Item } from "./scope.ts";
import { anyColumn, ownColumn, Scope, unqualifiedColumn } from "./scope.ts";
import { operatorRuns, writtenAs } from "./user-code.ts";
import { USE } from "./uses.ts";
import type { Value } from "./value.ts";
import { CONSTANT, eitherOf } from "./value.ts";

/** GROUP BY a primary key: what stands beside it of the same row divides no group further, and so tells nothing. */
export function grouped(recorder: Recorder, stmt: SelectStmt, scope: Scope, result: Result): void {
  const nodes = stmt.groupClause ?? [];
  const plain = nodes.every((node) => !("GroupingSet" in node) && !("RowExpr" in node));
  if (!plain) {
    grouping(recorder, nodes, scope, result);
    return;
  }
  const items = nodes.map((node) => {
    const value = clauseValue(recorder, node, scope, result, true);
    return { value, column: groupedColumn(recorder, node, value, stmt.targetList ?? [], scope, result) };
  });
  const columns = items.flatMap(({ column }) => (column === undefined ? [] : [column]));
  for (const { value, column } of items) {
    if (column !== undefined && isBesideKey(column, columns)) {
      recorder.names(value, 0);
      recorder.keeps(value);
    } else recorder.use(value, USE.group);
  }
}

/** A column as it is stored, by its place in the entry of FROM: the same column of another entry is another one's row. */
type Grouped = { readonly item: Item; readonly at: number };

/** Which of these an item of GROUP BY is, by itself or as an output; undefined where that is not sure. */
function groupedColumn(
  recorder: Recorder,
  node: Node,
  value: Value,
  targets: readonly Node[],
  scope: Scope,
  result: Result,
): Grouped | undefined {
  const found =
    ownColumn(recorder, scope, node) ?? ownColumn(recorder, scope, outputAt(targets, outputOf(node, result)));
  if (found === undefined) return undefined;
  const at = found.item.members.findIndex((member) => member.name === found.name);
  // A variable may have won, or it may be one of two outputs.
  return at >= 0 && found.item.members[at]!.value === value ? { item: found.item, at } : undefined;
}

/** The place of the output that a number or a bare name stands for; -1: of none. */
function outputOf(node: Node, result: Result): number {
  if (!("ColumnRef" in node)) return (integerOf(node) ?? 0) - 1;
  const [first, ...others] = node.ColumnRef.fields ?? [];
  return others.length > 0 ? -1 : result.members.findIndex(({ name }) => name === stringOf(first));
}

/** The expression of an output. Where there is a star, places tell nothing. */
function outputAt(targets: readonly Node[], at: number): Node | undefined {
  const values = targets.map((target) => ("ResTarget" in target ? target.ResTarget.val : undefined));
  return values.some(isStar) ? undefined : values[at];
}

/** It is not of the primary key, and the whole key of its own row is among these. */
function isBesideKey({ item, at: own }: Grouped, columns: readonly Grouped[]): boolean {
  const relation = item.relation ?? item.rows;
  // What inherits from a table may repeat its key.
  const key = relation?.kind === "table" && relation.children.length > 0 ? undefined : relation?.primaryKey;
  if (relation === undefined || key === undefined || key.includes(relation.columns[own]?.attnum ?? 0)) return false;
  return key.every((attnum) => {
    const at = relation.columns.findIndex((column) => column.attnum === attnum);
    return (
      // Masked, the key is none.
      item.members[at]?.value === relation.columns[at]?.value &&
      columns.some((column) => column.item === item && column.at === at)
    );
  });
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

/**
 * findTargetlistEntrySQL92: a bare name or a number may mean an output; GROUP BY prefers a column of its own FROM, but an output to one of the
 * queries around.
 */
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
    const own = new Scope(undefined, scope.items, scope.ctes);
    const column = columnFirst && name !== undefined ? unqualifiedColumn(own, name) : undefined;
    if (column?.sure === true) recorder.reads?.named(node.ColumnRef.fields, column.value);
    if (column?.sure !== true) {
      const matches = result.members.filter((member) => member.name === name).map((member) => member.value);
      if (matches.length > 0) return (column === undefined ? matches : [column.value, ...matches]).reduce(eitherOf);
    }
  }
  return expression(recorder, node, scope);
}
