// Queries: SELECT, VALUES, set operations and WITH, each to the columns that it gives.
import type { Node, RangeVar, SelectStmt, WithClause } from "libpg-query";
import { RegateError } from "../../errors.ts";
import { windowOf } from "./call-expressions.ts";
import { expression, list } from "./expressions.ts";
import { fromClause, unusedExpressions } from "./from.ts";
import { lockRows } from "./locks.ts";
import { filter } from "./lookups.ts";
import { resolveModification } from "./modify.ts";
import { outputName } from "./names.ts";
import { constantOf, integerOf, kindOf, namesOf, stringOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Cte, CteList, Item } from "./scope.ts";
import {
  anyColumn,
  asColumns,
  everything,
  itemMembers,
  missItem,
  namedItem,
  renamedColumns,
  restOfAll,
  Scope,
  starMembers,
  unqualifiedColumn,
} from "./scope.ts";
import { withSearchColumns } from "./search-cycle.ts";
import { coerced, operatorRuns, unified, withRun, writtenAs } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import { combine, CONSTANT, derived, eitherOf, oneOfBoth, plainConstant } from "./value.ts";

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
    recorder.limit = limitOf(stmt.limitCount);
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
  if (stmt.groupClause !== undefined) grouped(recorder, stmt.groupClause, scope, result);
  distinct(recorder, stmt.distinctClause, scope, result);
  sorting(recorder, stmt.sortClause, scope, result);
  limits(recorder, stmt, scope);
  if (stmt.lockingClause !== undefined) lockRows(recorder, stmt.lockingClause, stmt.fromClause, ctes);
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

function limitOf(node: Node | undefined): number | null {
  const text = constantOf(node);
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

/** The server's own limit (MaxTupleAttributeNumber). */
const MAX_TARGETS = 1664;

/** A target list, stars expanded: of SELECT and of RETURNING. */
export function targetList(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope): Result {
  const members: Member[] = [];
  const open: Result[] = [];
  for (const node of nodes ?? []) {
    if (!("ResTarget" in node)) continue;
    const { val, name } = node.ResTarget;
    const expanded = val === undefined ? undefined : expandStar(recorder, val, scope);
    if (expanded !== undefined) {
      members.push(...expanded.members);
      if (expanded.open) open.push(expanded);
      continue;
    }
    const value = expression(recorder, val, scope);
    members.push({ name: name ?? outputName(val, recorder.subselectNames, recorder.catalog.serverVersion), value });
  }
  if (members.length > MAX_TARGETS)
    throw new RegateError("TEXT_TOO_COMPLEX", { detail: `more than ${MAX_TARGETS} columns in a target list` });
  return { members, open: open.length > 0, ...restOfAll(open) };
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
    const variable = recorder.variables?.named(names);
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
  if (value.row !== undefined) return { members: value.aliased ?? value.row, open: false };
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

/** GROUP BY a primary key: what stands beside it of the same table divides no group further, and so tells nothing. */
function grouped(recorder: Recorder, nodes: readonly Node[], scope: Scope, result: Result): void {
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

function distinct(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope, result: Result): void {
  if (nodes === undefined) return;
  const on = nodes.filter((node) => kindOf(node) !== "");
  if (on.length === 0) for (const member of result.members) recorder.use(member.value, USE.distinct);
  for (const node of on) recorder.use(clauseValue(recorder, node, scope, result, false), USE.distinct);
}

function sorting(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope, result: Result): void {
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

function kept(recorder: Recorder, result: Result): void {
  for (const { value } of result.members) for (const column of value.sources) recorder.kept.add(column);
}

function hasOwnClauses(stmt: SelectStmt): boolean {
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

/** WITH: the list of what can be named, with this clause's in front. */
export function withClause(
  recorder: Recorder,
  clause: WithClause | undefined,
  parent: Scope | undefined,
  outer: CteList,
): CteList {
  if (clause === undefined) return outer;
  let list = outer;
  const pending: Cte[] = [];
  for (const node of clause.ctes ?? []) {
    if (!("CommonTableExpr" in node)) continue;
    const body = node.CommonTableExpr;
    const cte: Cte = {
      name: body.ctename ?? "",
      result: undefined,
      resolve: undefined,
      referred: false,
      consumed: [],
      parent,
      appended: 0,
      query: clause.recursive === true ? undefined : body.ctequery,
    };
    const visible = list;
    list = { cte, next: list };
    if (clause.recursive === true) {
      cte.resolve = () => resolveCte(recorder, cte, body, parent, list, true);
      pending.push(cte);
    } else resolveCte(recorder, cte, body, parent, visible, false);
  }
  for (const cte of pending) cte.resolve?.();
  return list;
}

type CteBody = NonNullable<Extract<Node, { CommonTableExpr: unknown }>["CommonTableExpr"]>;

function resolveCte(
  recorder: Recorder,
  cte: Cte,
  body: CteBody,
  parent: Scope | undefined,
  visible: CteList,
  recursive: boolean,
): void {
  cte.resolve = undefined;
  cte.consumed = recorder.consumedBy(() => resolveCteBody(recorder, cte, body, parent, visible, recursive)).consumed;
}

function resolveCteBody(
  recorder: Recorder,
  cte: Cte,
  body: CteBody,
  parent: Scope | undefined,
  visible: CteList,
  recursive: boolean,
): void {
  const names = namesOf(body.aliascolnames);
  const finish = (result: Result): Result => {
    unusedExpressions(recorder, result);
    kept(recorder, result);
    const columns = asColumns(names.length === 0 ? result : renamedColumns(result, names));
    const all = withSearchColumns(recorder, columns, body);
    cte.appended = all.members.length - columns.members.length;
    return all;
  };
  // Its query is below the one that WITH belongs to.
  const inner = new Scope(parent, [], visible);
  const query = body.ctequery;
  if (query === undefined || !("SelectStmt" in query)) {
    cte.result = finish(resolveSelectNode(recorder, query, inner));
    return;
  }
  const select = query.SelectStmt;
  if (!recursive || select.op === undefined || select.op === "SETOP_NONE") {
    cte.result = finish(resolveQuery(recorder, select, inner, visible));
    return;
  }
  // The recursive part sees the columns so far; what it adds may come back into it, until nothing new comes.
  let before = -1;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const known = cte.result;
    cte.referred = false;
    const result = resolveQuery(recorder, select, inner, visible, {
      recursive: (columns) => {
        cte.result = known ?? finish(columns);
      },
    });
    cte.result = finish(result);
    if (!cte.referred) return;
    const size = cte.result.members.reduce(
      (sum, member) => sum + member.value.sources.length + (member.value.derivation === "opaque" ? 1 : 0),
      0,
    );
    if (size === before) return;
    before = size;
  }
  cte.result = {
    ...cte.result!,
    members: cte.result!.members.map((member) => ({
      name: member.name,
      value: { ...member.value, derivation: "opaque" },
    })),
  };
}
const MAX_ROUNDS = 50;
