// `scoped`: does a WHERE fix the rows that change, by a whole key that equals constants or parameters? Positive: anything else does not.
import type { A_Expr, Node } from "libpg-query";
import type { Column, Relation } from "./model.ts";
import { bodyOf, kindOf, qualifiedName } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import type { Scope } from "./scope.ts";
import { columnReference } from "./scope.ts";
import { OPAQUE } from "./value.ts";

/** `only`: rows of children are left out (ONLY). Without a WHERE, nothing is fixed. */
export function fixesRows(
  recorder: Recorder,
  clause: Node | undefined,
  relation: Relation | undefined,
  only: boolean,
  scope: Scope,
): boolean {
  if (clause === undefined || relation === undefined) return false;
  if ("CurrentOfExpr" in clause) return true;
  // Someone's own `=` may mean anything.
  if (recorder.catalog.operators.has("=")) return false;
  const fixed = new Set<Column>();
  collect(recorder, clause, scope, fixed);
  if (fixed.size === 0) return false;
  return hasKey(relation, fixed, only) || keyBehindView(recorder, relation, fixed, only);
}

function hasKey(relation: Relation, fixed: ReadonlySet<Column>, only: boolean): boolean {
  // A key holds for one table: with inheritance, children may have any number of rows with the same values. Partitions share theirs.
  if (!only && relation.kind === "table" && relation.children.length > 0) return false;
  const numbers = new Set<number>();
  for (const column of fixed) if (column.relation === relation) numbers.add(column.attnum);
  return relation.keys.some((key) => key.length > 0 && key.every((attnum) => numbers.has(attnum)));
}

/** A view that can be written shows one table's columns: the key may be fixed through it. */
function keyBehindView(recorder: Recorder, relation: Relation, fixed: ReadonlySet<Column>, only: boolean): boolean {
  if (relation.kind !== "view") return false;
  const behind = new Set<Column>();
  for (const column of fixed) {
    if (column.relation === relation && column.value.derivation === "direct")
      for (const source of column.value.sources) behind.add(source);
  }
  const bases = new Set(relation.dependencies.map(([oid]) => oid));
  const [base] = bases;
  if (bases.size !== 1 || base === undefined) return false;
  const table = recorder.catalog.relationByOid(base);
  return table !== undefined && (hasKey(table, behind, only) || keyBehindView(recorder, table, behind, only));
}

/** The columns that a conjunction holds equal to constants. */
function collect(recorder: Recorder, node: Node, scope: Scope, fixed: Set<Column>): void {
  if ("BoolExpr" in node) {
    if (node.BoolExpr.boolop === "AND_EXPR")
      for (const arm of node.BoolExpr.args ?? []) collect(recorder, arm, scope, fixed);
    return;
  }
  if (!("A_Expr" in node)) return;
  const body = node.A_Expr;
  const { schema, name } = qualifiedName(body.name);
  if (name !== "=" || (schema !== undefined && schema !== "pg_catalog")) return;
  switch (body.kind) {
    case "AEXPR_OP":
      equality(recorder, body.lexpr, body.rexpr, scope, fixed);
      equality(recorder, body.rexpr, body.lexpr, scope, fixed);
      return;
    case "AEXPR_IN":
      if (body.rexpr !== undefined && "List" in body.rexpr)
        inList(recorder, body, body.rexpr.List.items ?? [], scope, fixed);
      return;
    case "AEXPR_OP_ANY":
      if (isConstant(body.rexpr)) addColumn(recorder, body.lexpr, scope, fixed);
      return;
  }
}

function equality(
  recorder: Recorder,
  column: Node | undefined,
  other: Node | undefined,
  scope: Scope,
  fixed: Set<Column>,
): void {
  if (column !== undefined && other !== undefined && "RowExpr" in column && "RowExpr" in other) {
    const left = column.RowExpr.args ?? [];
    const right = other.RowExpr.args ?? [];
    left.forEach((node, at) => {
      if (isConstant(right[at])) addColumn(recorder, node, scope, fixed);
    });
  } else if (isConstant(other)) addColumn(recorder, column, scope, fixed);
}

/** `a IN (1, 2)` and `(a, b) IN ((1, 2), (3, 4))`. */
function inList(recorder: Recorder, body: A_Expr, items: readonly Node[], scope: Scope, fixed: Set<Column>): void {
  if (body.lexpr !== undefined && "RowExpr" in body.lexpr) {
    const allConstant = items.every((item) => "RowExpr" in item && (item.RowExpr.args ?? []).every(isConstant));
    if (allConstant) for (const node of body.lexpr.RowExpr.args ?? []) addColumn(recorder, node, scope, fixed);
  } else if (items.every(isConstant)) addColumn(recorder, body.lexpr, scope, fixed);
}

function addColumn(recorder: Recorder, node: Node | undefined, scope: Scope, fixed: Set<Column>): void {
  if (node === undefined || !("ColumnRef" in node)) return;
  // Only a bare column; its first source is the column that was named.
  const value = columnReference(recorder, node.ColumnRef.fields ?? [], scope, () => OPAQUE);
  if (value.derivation === "direct" && value.row === undefined && value.sources[0] !== undefined)
    fixed.add(value.sources[0]);
}

/** Constants, parameters, casts and signs of them, arrays of them: nothing that is computed from rows. */
function isConstant(node: Node | undefined): boolean {
  if (node === undefined) return false;
  switch (kindOf(node)) {
    case "A_Const":
    case "ParamRef":
      return true;
    case "TypeCast":
      return isConstant(bodyOf<{ arg?: Node }>(node).arg);
    case "A_ArrayExpr":
      return (bodyOf<{ elements?: Node[] }>(node).elements ?? []).every(isConstant);
    case "A_Expr": {
      const body = bodyOf<A_Expr>(node);
      return (
        body.kind === "AEXPR_OP" &&
        body.lexpr === undefined &&
        qualifiedName(body.name).name === "-" &&
        isConstant(body.rexpr)
      );
    }
    default:
      return false;
  }
}
