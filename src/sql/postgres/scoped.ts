// `scoped`: does a WHERE fix the rows that change, by a whole key that equals what the text lists? Positive: anything else does not.
import type { A_Expr, Node } from "libpg-query";
import { elementOf } from "./coercion.ts";
import { expression } from "./expressions.ts";
import { isFixed, isListedArray, listsItem, listsRows } from "./listed.ts";
import type { Column, Relation } from "./model.ts";
import { integerOf, isStar, qualifiedName, withoutCasts } from "./nodes.ts";
import { Recorder } from "./recorder.ts";
import type { Item, Reference, Scope } from "./scope.ts";
import { ownColumn } from "./scope.ts";
import { resolveQuery } from "./select.ts";
import { isServersOwn } from "./user-code.ts";

/** Whose rows change. */
export type Changed = {
  /** Its entry of the scope: of other entries over the same relation (a self-join) a fixed key fixes nothing. */
  readonly item: Item;
  /** ONLY: rows of children are left out. */
  readonly only: boolean;
};

/** `from` are the other items as they are written. Without a WHERE, nothing is fixed. */
export function fixesRows(
  recorder: Recorder,
  clause: Node | undefined,
  { item: target, only }: Changed,
  from: readonly Node[] | undefined,
  scope: Scope,
): boolean {
  const relation = target.relation;
  if (clause === undefined || relation === undefined) return false;
  // In a loop a variable, a parameter or a cursor stands for many rows.
  if (recorder.variables?.mayWin === true) return false;
  if ("CurrentOfExpr" in clause) return true;
  const listed = new Set<Item>();
  const joins: Node[] = [];
  for (const node of from ?? []) survey(recorder, node, scope, listed, joins);
  /** `beside`: what holds for the same rows. */
  const fixes = (node: Node, beside: readonly Node[] = []): boolean => {
    recorder.spend(beside.length);
    if (isNever(recorder, node)) return true;
    const arms = "BoolExpr" in node ? (node.BoolExpr.args ?? []) : [];
    // `id = 1 OR id = 2`: each side fixes its rows. In a conjunction it is enough that one part does.
    if ("BoolExpr" in node && node.BoolExpr.boolop === "OR_EXPR")
      return arms.length > 0 && arms.every((arm) => fixes(arm, beside));
    const search: Search = { recorder, scope, listed, fixed: new Map(), chains: [] };
    for (const each of [node, ...beside, ...joins]) collect(search, each);
    const columns = fixedColumns(search, target);
    if (columns.size > 0 && (hasKey(relation, columns, only) || keyBehindView(recorder, relation, columns, only)))
      return true;
    if (!("BoolExpr" in node) || node.BoolExpr.boolop !== "AND_EXPR") return false;
    // `a = 1 AND (b = 1 OR b = 2)`: the one part holds in each arm of the other.
    const few = beside.length + arms.length <= MOST_BESIDE;
    return arms.some((arm) =>
      fixes(arm, few && "BoolExpr" in arm ? [...beside, ...arms.filter((other) => other !== arm)] : []),
    );
  };
  return fixes(clause);
}

/** More parts than a key has columns: they are looked at for each arm again. */
const MOST_BESIDE = 32;

/** `false`, and `1 = 0` as libraries write it: of no row. */
function isNever(recorder: Recorder, node: Node): boolean {
  if ("A_Const" in node) return node.A_Const.boolval !== undefined && node.A_Const.boolval.boolval !== true;
  if (!("A_Expr" in node) || node.A_Expr.kind !== "AEXPR_OP" || !isEquals(recorder, node.A_Expr, node.A_Expr.name))
    return false;
  const [left, right] = [integerOf(node.A_Expr.lexpr), integerOf(node.A_Expr.rexpr)];
  return left !== undefined && right !== undefined && left !== right;
}

type Search = {
  readonly recorder: Recorder;
  readonly scope: Scope;
  /** Entries with no more rows than the text lists. */
  readonly listed: ReadonlySet<Item>;
  /** Columns that equal what is fixed. */
  readonly fixed: Map<Item, Set<string>>;
  /** `a.x = b.y`: the first is fixed if the second is. */
  readonly chains: (readonly [Reference, Reference])[];
};

/** The entries of FROM that list their rows, and the conditions of its inner joins, which hold for every row. */
function survey(recorder: Recorder, node: Node, scope: Scope, listed: Set<Item>, joins: Node[], inner = true): void {
  if ("JoinExpr" in node) {
    // An alias hides what is inside of it.
    if (node.JoinExpr.alias !== undefined) return;
    const type = node.JoinExpr.jointype ?? "JOIN_INNER";
    const plain = inner && type === "JOIN_INNER";
    for (const side of [node.JoinExpr.larg, node.JoinExpr.rarg])
      if (side !== undefined) survey(recorder, side, scope, listed, joins, plain);
    if (plain && node.JoinExpr.quals !== undefined) joins.push(node.JoinExpr.quals);
    return;
  }
  if (!listsItem(recorder, node, scope.ctes)) return;
  const name = nameOfItem(node);
  const items = scope.items.filter((item) => item.named && item.name === name);
  if (items.length === 1) listed.add(items[0]!);
}

function nameOfItem(node: Node): string | undefined {
  if ("RangeVar" in node) return node.RangeVar.alias?.aliasname ?? node.RangeVar.relname;
  if ("RangeSubselect" in node) return node.RangeSubselect.alias?.aliasname;
  return "RangeFunction" in node ? node.RangeFunction.alias?.aliasname : undefined;
}

function fixedColumns({ fixed, chains, listed }: Search, target: Item): Set<Column> {
  const isKnown = ({ item, name }: Reference): boolean => listed.has(item) || fixed.get(item)?.has(name) === true;
  let before = -1;
  for (let found = 0; found !== before; ) {
    before = found;
    found = 0;
    for (const [to, from] of chains) {
      if (!isKnown(from)) continue;
      found++;
      fix(fixed, to);
    }
  }
  const columns = new Set<Column>();
  for (const name of fixed.get(target) ?? []) {
    const column = target.relation?.column(name);
    if (column !== undefined) columns.add(column);
  }
  return columns;
}

function fix(fixed: Map<Item, Set<string>>, { item, name }: Reference): void {
  const names = fixed.get(item) ?? new Set<string>();
  fixed.set(item, names.add(name));
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

/** The columns that a conjunction holds equal to something. */
function collect(search: Search, node: Node): void {
  if ("BoolExpr" in node) {
    if (node.BoolExpr.boolop === "AND_EXPR") for (const arm of node.BoolExpr.args ?? []) collect(search, arm);
    return;
  }
  if ("SubLink" in node) {
    // `id IN (VALUES (1), (2))`, `id = ANY (SELECT unnest($1))`
    const { subLinkType, operName, testexpr, subselect } = node.SubLink;
    if (subLinkType !== "ANY_SUBLINK" || !isEquals(search.recorder, node.SubLink, operName)) return;
    if (subselect === undefined || !("SelectStmt" in subselect)) return;
    if (!listsRows(search.recorder, subselect, search.scope.ctes)) return;
    const { members } = resolveQuery(search.recorder.apart(), subselect.SelectStmt, undefined, search.scope.ctes);
    addColumns(search, testexpr, (at) => members.slice(at, at + 1).map((member) => member.value.type));
    return;
  }
  if (!("A_Expr" in node)) return;
  const body = node.A_Expr;
  if (!isEquals(search.recorder, body, body.name)) return;
  switch (body.kind) {
    case "AEXPR_OP":
      equality(search, body.lexpr, body.rexpr);
      equality(search, body.rexpr, body.lexpr);
      return;
    case "AEXPR_IN":
      if (body.rexpr !== undefined && "List" in body.rexpr) inList(search, body, body.rexpr.List.items ?? []);
      return;
    case "AEXPR_OP_ANY":
      if (isListedArray(search.recorder, body.rexpr))
        addColumn(search, body.lexpr, [elementOf(search.recorder.catalog, typeOf(search, body.rexpr))]);
      return;
  }
}

/** Someone's own `=` may mean anything. */
function isEquals(recorder: Recorder, operation: object, names: readonly Node[] | undefined): boolean {
  const { schema, name } = names === undefined ? { schema: undefined, name: "=" } : qualifiedName(names);
  return name === "=" && (schema === undefined || schema === "pg_catalog") && isServersOwn(recorder, operation, name);
}

function equality(search: Search, column: Node | undefined, other: Node | undefined): void {
  if (column !== undefined && other !== undefined && "RowExpr" in column && "RowExpr" in other) {
    const left = column.RowExpr.args ?? [];
    const right = other.RowExpr.args ?? [];
    // A star stands for any number of columns, and moves what is behind it: the server then pairs others than stand in the same places.
    if ([...left, ...right].some(isStar)) return;
    left.forEach((node, at) => {
      equality(search, node, right[at]);
    });
    return;
  }
  const to = reference(search, column);
  if (to === undefined || isBlurred(search, to, typeOf(search, other))) return;
  if (isFixed(search.recorder, other) || isOneValue(search, other)) fix(search.fixed, to);
  else {
    const from = reference(search, withoutCasts(other));
    if (from !== undefined) search.chains.push([to, from]);
  }
}

/**
 * A sub-select that names nothing around it gives one value for the whole statement (more than one row is an error), whatever it reads: a queue
 * takes its next job so. One that is run again for each row may give each row's own key.
 */
function isOneValue({ recorder, scope }: Search, node: Node | undefined): boolean {
  // The body of a function is run many times, each of which may find another row.
  if (recorder.depth > 0) return false;
  const bare = withoutCasts(node);
  if (bare === undefined || !("SubLink" in bare) || bare.SubLink.subLinkType !== "EXPR_SUBLINK") return false;
  const { subselect } = bare.SubLink;
  if (subselect === undefined || !("SelectStmt" in subselect)) return false;
  const alone = new Recorder(recorder.catalog, recorder.path, { running: recorder.running, budget: recorder.budget });
  resolveQuery(alone, subselect.SelectStmt, undefined, scope.ctes);
  return !alone.unresolved && !alone.opaque;
}

/** `a IN (1, 2)` and `(a, b) IN ((1, 2), (3, 4))`. */
function inList(search: Search, body: A_Expr, items: readonly Node[]): void {
  if (!items.every((item) => isFixed(search.recorder, item))) return;
  addColumns(search, body.lexpr, (at) =>
    items.map((item) => typeOf(search, "RowExpr" in item ? item.RowExpr.args?.[at] : item)),
  );
}

/** `types`: of what the column at this place is compared with. */
function addColumns(search: Search, node: Node | undefined, types: (at: number) => readonly number[]): void {
  const columns = node !== undefined && "RowExpr" in node ? (node.RowExpr.args ?? []) : [node];
  columns.forEach((each, at) => {
    addColumn(search, each, types(at));
  });
}

function addColumn(search: Search, node: Node | undefined, types: readonly number[]): void {
  const to = reference(search, node);
  if (to !== undefined && !types.some((type) => isBlurred(search, to, type))) fix(search.fixed, to);
}

const BPCHAR = 1042;
const FLOATS: ReadonlySet<number> = new Set([700, 701]);
/** Of these every value is another one in floating point. */
const EXACT: ReadonlySet<number> = new Set([21, 23, ...FLOATS]);

/**
 * The server compares the column as another type, as which many of its values may be one: without the blanks at the end (text and bpchar), in
 * floating point.
 */
function isBlurred({ recorder: { catalog } }: Search, { item, name }: Reference, type: number): boolean {
  const other = catalog.baseType(type);
  const own = catalog.baseType(item.members.find((member) => member.name === name)?.value.type ?? 0);
  return (other === BPCHAR && own !== BPCHAR) || (FLOATS.has(other) && !EXACT.has(own));
}

function typeOf({ recorder, scope }: Search, node: Node | undefined): number {
  return node === undefined ? 0 : expression(recorder.apart(), node, scope).type;
}

const reference = ({ recorder, scope }: Search, node: Node | undefined): Reference | undefined =>
  ownColumn(recorder, scope, node);
