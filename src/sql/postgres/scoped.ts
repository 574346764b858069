// `scoped`: does a WHERE fix the rows that change, by a whole key that equals constants or parameters? Positive: anything else does not.
import type { A_Expr, Node } from "libpg-query";
import type { Column, Relation } from "./model.ts";
import { bodyOf, kindOf, qualifiedName, stringOf } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import type { Item, Scope } from "./scope.ts";
import { namedItem } from "./scope.ts";

/**
 * `target` is the entry of `scope` whose rows change: of other entries over the same relation (a self-join) a fixed key fixes nothing.
 * `only`: rows of children are left out (ONLY). Without a WHERE, nothing is fixed.
 */
export function fixesRows(
  recorder: Recorder,
  clause: Node | undefined,
  target: Item,
  only: boolean,
  scope: Scope,
): boolean {
  const relation = target.relation;
  if (clause === undefined || relation === undefined) return false;
  if ("CurrentOfExpr" in clause) return true;
  // Someone's own `=` may mean anything.
  if (recorder.catalog.operators.has("=")) return false;
  const fixes = (node: Node): boolean => {
    const arms = "BoolExpr" in node ? (node.BoolExpr.args ?? []) : [];
    // `id = 1 OR id = 2`: each side fixes its rows. In a conjunction it is enough that one part does.
    if ("BoolExpr" in node && node.BoolExpr.boolop === "OR_EXPR") return arms.length > 0 && arms.every(fixes);
    const fixed = new Set<Column>();
    collect({ recorder, target, scope, fixed }, node);
    if (fixed.size > 0 && (hasKey(relation, fixed, only) || keyBehindView(recorder, relation, fixed, only)))
      return true;
    return "BoolExpr" in node && node.BoolExpr.boolop === "AND_EXPR" && arms.some(fixes);
  };
  return fixes(clause);
}

type Search = {
  readonly recorder: Recorder;
  readonly target: Item;
  readonly scope: Scope;
  readonly fixed: Set<Column>;
};

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
  // INSTEAD OF: what a trigger writes is not what was named, and the view may be a join with itself.
  if (relation.attached.some((attached) => attached.on.includes("update") || attached.on.includes("delete")))
    return false;
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
function collect(search: Search, node: Node): void {
  if ("BoolExpr" in node) {
    if (node.BoolExpr.boolop === "AND_EXPR") for (const arm of node.BoolExpr.args ?? []) collect(search, arm);
    return;
  }
  if (!("A_Expr" in node)) return;
  const body = node.A_Expr;
  const { schema, name } = qualifiedName(body.name);
  if (name !== "=" || (schema !== undefined && schema !== "pg_catalog")) return;
  switch (body.kind) {
    case "AEXPR_OP":
      equality(search, body.lexpr, body.rexpr);
      equality(search, body.rexpr, body.lexpr);
      return;
    case "AEXPR_IN":
      if (body.rexpr !== undefined && "List" in body.rexpr) inList(search, body, body.rexpr.List.items ?? []);
      return;
    case "AEXPR_OP_ANY":
      if (isConstant(body.rexpr)) addColumn(search, body.lexpr);
      return;
  }
}

function equality(search: Search, column: Node | undefined, other: Node | undefined): void {
  if (column !== undefined && other !== undefined && "RowExpr" in column && "RowExpr" in other) {
    const left = column.RowExpr.args ?? [];
    const right = other.RowExpr.args ?? [];
    left.forEach((node, at) => {
      if (isConstant(right[at])) addColumn(search, node);
    });
  } else if (isConstant(other)) addColumn(search, column);
}

/** `a IN (1, 2)` and `(a, b) IN ((1, 2), (3, 4))`. */
function inList(search: Search, body: A_Expr, items: readonly Node[]): void {
  if (body.lexpr !== undefined && "RowExpr" in body.lexpr) {
    const allConstant = items.every((item) => "RowExpr" in item && (item.RowExpr.args ?? []).every(isConstant));
    if (allConstant) for (const node of body.lexpr.RowExpr.args ?? []) addColumn(search, node);
  } else if (items.every(isConstant)) addColumn(search, body.lexpr);
}

/** Only a bare column of the target's own entry: as the server finds names, innermost level first. */
function addColumn(search: Search, node: Node | undefined): void {
  if (node === undefined || !("ColumnRef" in node)) return;
  const names = (node.ColumnRef.fields ?? []).map(stringOf);
  const name = names.pop();
  if (name === undefined || names.includes(undefined)) return;
  const { recorder, target, scope, fixed } = search;
  if (names.length > 0) {
    if (namedItem(recorder, scope, names.at(-2), names.at(-1)!) !== target) return;
    // A name that more than one entry has is ambiguous for the server.
  } else if (scope.items.some((item) => item !== target && item.columnsVisible && has(item, name))) return;
  const column = target.relation?.column(name);
  if (column !== undefined) fixed.add(column);
}

function has(item: Item, name: string): boolean {
  return item.members.some((member) => member.name === name);
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
