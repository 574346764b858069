// Queries: SELECT, VALUES and set operations, each to the columns that it gives.
import type { Node, RangeVar, SelectStmt } from "libpg-query";
import { windowOf } from "./call-expressions.ts";
import { numberOf } from "./constants.ts";
import { expression, list } from "./expressions.ts";
import { fromClause } from "./from.ts";
import { lockRows } from "./locks.ts";
import { filter } from "./lookups.ts";
import { resolveModification } from "./modify.ts";
import type { Recorder, Result } from "./recorder.ts";
import { distinct, grouped, sorting } from "./result-clauses.ts";
import type { CteList } from "./scope.ts";
import { anyColumn, asColumns, everything, restOfAll, Scope } from "./scope.ts";
import { targetList } from "./target-list.ts";
import { coerced, unified, withRun } from "./user-code.ts";
import { USE } from "./uses.ts";
import type { Member, Value } from "./value.ts";
import { combine, derived, eitherOf, oneOfBoth, plainConstant } from "./value.ts";
import { withClause } from "./with.ts";

/** What a query is for: only the outermost one's LIMIT is the statement's. */
export type QueryOptions = {
  readonly outermost?: boolean;
  /** Of a recursive common table expression: gets the columns of the non-recursive part before the other is resolved. */
  readonly recursive?: (columns: Result) => void;
};

/** A sub-query as a node, of any kind that may stand there. */
export function resolveSelectNode(recorder: Recorder, node: Node | undefined, scope: Scope): Result {
  if (node !== undefined && "SelectStmt" in node) return resolveQuery(recorder, node.SelectStmt, scope, scope.ctes);
  const modification = node === undefined ? undefined : resolveModification(recorder, node, scope, scope.ctes);
  if (modification !== undefined) return modification;
  recorder.opaque = true;
  return { members: [{ name: "?column?", value: everything(scope) }], open: true };
}

const STEPS_OF_QUERY = 50;

export function resolveQuery(
  recorder: Recorder,
  stmt: SelectStmt,
  parent: Scope | undefined,
  outer: CteList,
  options: QueryOptions = {},
): Result {
  recorder.spend(STEPS_OF_QUERY);
  const ctes = withClause(recorder, stmt.withClause, parent, outer);
  if (stmt.intoClause !== undefined) into(recorder, stmt.intoClause.rel);
  // WITH TIES gives as many more rows as are equal.
  if (options.outermost === true && stmt.limitOption !== "LIMIT_OPTION_WITH_TIES")
    recorder.limit = limitOf(recorder, stmt.limitCount);
  if (stmt.op !== undefined && stmt.op !== "SETOP_NONE")
    return setOperation(recorder, stmt, new Scope(parent, [], ctes), options);
  if (stmt.valuesLists !== undefined) return values(recorder, stmt, new Scope(parent, [], ctes));
  const items = fromClause(recorder, stmt.fromClause, parent, ctes);
  const scope = new Scope(parent, items, ctes);
  if (stmt.windowClause !== undefined) {
    scope.windows = new Map();
    for (const node of stmt.windowClause) {
      if ("WindowDef" in node) scope.windows.set(node.WindowDef.name ?? "", windowOf(recorder, node.WindowDef, scope));
    }
  }
  const result = targetList(recorder, stmt.targetList, scope);
  if (stmt.whereClause !== undefined) filter(recorder, stmt.whereClause, scope);
  if (stmt.havingClause !== undefined)
    recorder.use(coerced(recorder, expression(recorder, stmt.havingClause, scope)), USE.filter);
  grouped(recorder, stmt, scope, result);
  distinct(recorder, stmt.distinctClause, scope, result);
  sorting(recorder, stmt.sortClause, scope, result);
  limits(recorder, stmt, scope);
  if (stmt.lockingClause !== undefined) {
    recorder.marks();
    lockRows(recorder, stmt.lockingClause, stmt.fromClause, ctes);
  }
  return result;
}

/** SELECT … INTO makes a table of the result. */
function into(recorder: Recorder, relation: RangeVar | undefined): void {
  recorder.class = "ddl";
  recorder.changesCatalog = true;
  if (relation === undefined) return;
  const temporary = relation.relpersistence === "t" || relation.schemaname === "pg_temp";
  if (temporary) recorder.changesTemporary = true;
  recorder.unknownRelation(
    temporary ? "pg_temp" : (relation.schemaname ?? creationSchema(recorder)),
    relation.relname ?? "",
    "create",
    "table",
  );
}

/** Where an unqualified new object goes: the first schema of the path that is neither implicit nor temporary. */
export function creationSchema(recorder: Recorder): string {
  return recorder.path.find((schema) => schema !== "pg_catalog" && !schema.startsWith("pg_temp_")) ?? "";
}

function limitOf(recorder: Recorder, node: Node | undefined): number | null {
  const text = numberOf(recorder, node);
  const limit = text === undefined || text === null ? Number.NaN : Number(text);
  // The server rounds a fraction.
  return Number.isFinite(limit) ? Math.ceil(limit) : null;
}

function limits(recorder: Recorder, stmt: SelectStmt, scope: Scope): void {
  if (stmt.limitCount !== undefined)
    recorder.use(coerced(recorder, expression(recorder, stmt.limitCount, scope)), USE.limit);
  if (stmt.limitOffset !== undefined)
    recorder.use(coerced(recorder, expression(recorder, stmt.limitOffset, scope)), USE.limit);
}

/** VALUES: a column depends on that column of every row. The server gives it no origin. */
function values(recorder: Recorder, stmt: SelectStmt, scope: Scope): Result {
  let columns: Value[] | undefined;
  let unplaced: Value | undefined;
  for (const node of stmt.valuesLists ?? []) {
    if (!("List" in node)) continue;
    const { values: row, open } = list(recorder, node.List.items, scope);
    if (open) unplaced = combine(unplaced === undefined ? row : [unplaced, ...row], 0, false);
    if (columns === undefined) columns = row.map((value) => derived(value, value.type, true));
    else {
      for (let at = 0; at < columns.length; at++) {
        const value = row[at];
        const before = columns[at]!;
        if (value !== undefined && value !== before)
          columns[at] = withRun(eitherOf(before, value), unified(recorder, [before, value]));
      }
    }
  }
  const named = (columns ?? []).map((value, at) => ({ name: `column${at + 1}`, value }));
  const rest = unplaced === undefined ? undefined : anyColumn({ members: named, rest: unplaced });
  const result: Result =
    rest === undefined
      ? { members: named, open: false }
      : { members: named.map(({ name }) => ({ name, value: rest })), open: true, rest };
  sorting(recorder, stmt.sortClause, scope, result);
  limits(recorder, stmt, scope);
  return result;
}

function setOperation(recorder: Recorder, stmt: SelectStmt, scope: Scope, options: QueryOptions): Result {
  // Chains lean to the left: walked in a loop, so that a long one does not nest.
  const arms: { readonly stmt: SelectStmt; readonly by: SelectStmt | undefined }[] = [];
  let current: SelectStmt = stmt;
  for (;;) {
    arms.push({ stmt: current.rarg ?? {}, by: current });
    const left: SelectStmt = current.larg ?? {};
    if (left.op === undefined || left.op === "SETOP_NONE" || hasOwnClauses(left) || options.recursive !== undefined) {
      arms.push({ stmt: left, by: undefined });
      break;
    }
    current = left;
  }
  let result: Result | undefined;
  for (const arm of arms.reverse()) {
    const resolved = resolveQuery(recorder, arm.stmt, scope, scope.ctes);
    // The literals of VALUES are text by themselves, those of SELECT take the type of the other side.
    const next = arm.stmt.valuesLists === undefined ? resolved : asColumns(resolved);
    kept(recorder, next);
    if (arm.by?.all !== true && arm.by !== undefined)
      for (const member of next.members) recorder.use(member.value, USE.distinct);
    if (result === undefined || arm.by === undefined) {
      result = next;
      options.recursive?.({ ...next, members: next.members.map(bare) });
      continue;
    }
    if (arm.by.all !== true) for (const member of result.members) recorder.use(member.value, USE.distinct);
    if (arm.by.all === true && arm.by.op !== "SETOP_UNION") compare(recorder, result, next);
    result = merged(recorder, result, next, arm.by);
  }
  const columns = result ?? { members: [], open: true };
  sorting(recorder, stmt.sortClause, scope, columns);
  limits(recorder, stmt, scope);
  return columns;
}

/** What the server holds of a result on the way, whether or not it is shown. */
export function kept(recorder: Recorder, result: Result): void {
  for (const { value } of result.members) for (const column of value.sources) recorder.kept.add(column);
}

export function hasOwnClauses(stmt: SelectStmt): boolean {
  return (
    stmt.withClause !== undefined ||
    stmt.sortClause !== undefined ||
    stmt.limitCount !== undefined ||
    stmt.limitOffset !== undefined ||
    stmt.lockingClause !== undefined
  );
}

/** INTERSECT ALL and EXCEPT ALL compare rows, too. */
function compare(recorder: Recorder, left: Result, right: Result): void {
  for (const member of [...left.members, ...right.members]) recorder.use(member.value, USE.distinct);
}

const bare = (member: Member): Member => ({ name: member.name, value: derived(member.value, member.value.type, true) });

function merged(recorder: Recorder, left: Result, right: Result, { op, all: withDuplicates }: SelectStmt): Result {
  if (left.open || right.open) {
    const value = anyColumn({
      members: [{ name: "", value: anyColumn(left) }, ...right.members],
      ...restOfAll([right]),
    });
    return { members: left.members.map(({ name }) => ({ name, value })), open: true, rest: value };
  }
  const members = left.members.map((member, at): Member => {
    const other = right.members[at]?.value ?? plainConstant(0);
    const unchanged = op === "SETOP_UNION" && withDuplicates === true ? oneOfBoth(member.value, other) : undefined;
    if (unchanged !== undefined) return { name: member.name, value: unchanged };
    const either = withRun(eitherOf(member.value, other), unified(recorder, [member.value, other]));
    // What is on the right shows nothing, but decides the type.
    if (op === "SETOP_EXCEPT") return { name: member.name, value: derived(member.value, either.type, either.total) };
    return { name: member.name, value: derived(either, either.type, true) };
  });
  return { members, open: false };
}
