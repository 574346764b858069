// INSERT, UPDATE, DELETE and MERGE: what changes, where the new values come from, and what RETURNING shows.
import type {
  CurrentOfExpr,
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  MergeWhenClause,
  Node,
  OnConflictClause,
  RangeVar,
  ReturningClause,
  UpdateStmt,
} from "libpg-query";
import { type Assigned, isReferredTo, isUpdated, refersTo } from "./checks.ts";
import { lookUp, meetsKeys } from "./conflicts.ts";
import { all, expression, list } from "./expressions.ts";
import { fromClause } from "./from.ts";
import { isBounded, proposesSame } from "./listed.ts";
import type { Column, Relation } from "./model.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import { fixesRows } from "./scoped.ts";
import { resolveQuery } from "./select.ts";
import { targetList } from "./target-list.ts";
import { withClause } from "./with.ts";
import type { CteList, Item } from "./scope.ts";
import { anyColumn, derivedItem, relationItem, Scope, wholeRow } from "./scope.ts";
import type { RowEvent } from "./triggers.ts";
import { domainDefaultsRun, rowsAreRead, rowsChange } from "./triggers.ts";
import { coerced, conversionRuns, withRun } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import { CONSTANT, combine, eitherOf, union } from "./value.ts";

const NOTHING: Result = { members: [], open: false };

/** The RETURNING columns of a data-modifying statement; undefined when the node is none. */
export function resolveModification(
  recorder: Recorder,
  node: Node,
  parent: Scope | undefined,
  outer: CteList,
): Result | undefined {
  if ("InsertStmt" in node) return insert(recorder, node.InsertStmt, parent, outer);
  if ("UpdateStmt" in node) return update(recorder, node.UpdateStmt, parent, outer);
  if ("DeleteStmt" in node) return remove(recorder, node.DeleteStmt, parent, outer);
  if ("MergeStmt" in node) return merge(recorder, node.MergeStmt, parent, outer);
  return undefined;
}

type Target = {
  readonly item: Item;
  readonly relation: Relation | undefined;
  /** ONLY: what inherits from it is left out. */
  readonly only: boolean;
  readonly written: Map<string, Value>;
};

function target(recorder: Recorder, range: RangeVar | undefined, access: string): Target {
  recorder.raise("write");
  if (access !== "insert") recorder.marks();
  const name = range?.relname ?? "";
  const alias = range?.alias?.aliasname;
  const relation = recorder.catalog.resolveRelation(range?.schemaname, name, recorder.path);
  if (relation === undefined) {
    recorder.missRelation(range);
    recorder.opaque = true;
    recorder.scoped = false;
    recorder.unknownRelation(range?.schemaname ?? "", name, access);
    return {
      item: derivedItem(alias ?? name, { members: [], open: true }, []),
      relation,
      only: false,
      written: new Map(),
    };
  }
  const only = range?.inh !== true;
  recorder.relation(relation, access, only);
  return { item: relationItem(relation, alias, []), relation, only, written: new Map() };
}

/** `keeps`: the row was there before, with its other columns. */
function written(recorder: Recorder, to: Target, name: string, value: Value, keeps = false): void {
  const column = to.relation?.column(name);
  if (column === undefined) {
    if (to.relation !== undefined)
      recorder.miss("42703", `column "${name}" of relation "${to.relation.name}" does not exist`);
    recorder.use(value, USE.writeSource);
    return;
  }
  const converted = withRun(value, conversionRuns(recorder, value, column.type));
  writeColumn(recorder, column, converted, keeps);
  for (const behind of writtenBehind(column)) writeColumn(recorder, behind, value, keeps);
  const before = to.written.get(name);
  to.written.set(name, before === undefined ? value : eitherOf(before, value));
  if (to.relation?.qualified !== "pg_catalog.pg_settings") return;
  // Its rule sets what the row names.
  recorder.settings.push({ name: "*", value: null, local: false });
  recorder.changesSettings = true;
  recorder.writeTo({ target: "setting" }, value);
}

/** A column gets the value, and so does every column that is generated from it. */
export function writeColumn(recorder: Recorder, column: Column, value: Value, keeps = false): void {
  recorder.write(column, value);
  const { generated, columns } = column.relation;
  for (const [number, bases] of generated) {
    const target = columns.find((other) => other.attnum === number);
    if (target === undefined || !bases.includes(column.attnum)) continue;
    recorder.names(target.value, USE.writeTarget);
    recorder.flow(target, value);
    if (!keeps) continue;
    for (const other of columns)
      if (other !== column && bases.includes(other.attnum)) recorder.flow(target, other.value);
  }
}

/** Writing a view's column writes the column behind it. */
function writtenBehind(column: Column): readonly Column[] {
  return column.relation.definition === undefined ? [] : column.value.sources.filter((source) => source !== column);
}

function insert(recorder: Recorder, stmt: InsertStmt, parent: Scope | undefined, outer: CteList): Result {
  const ctes = withClause(recorder, stmt.withClause, parent, outer);
  const to = target(recorder, stmt.relation, "insert");
  const names = targetNames(recorder, stmt.cols, to, new Scope(parent, [], ctes));
  let bounded = recorder.depth === 0;
  const proposed = new Map<string, Value>();
  if (stmt.selectStmt !== undefined && "SelectStmt" in stmt.selectStmt) {
    const select = stmt.selectStmt.SelectStmt;
    // For the server it is a query below the INSERT.
    const result = resolveQuery(recorder, select, new Scope(parent, [], ctes), ctes);
    const infer = stmt.onConflictClause?.infer;
    const given = names.slice(0, result.members.length);
    bounded = bounded ? isBounded(recorder, select, ctes) : proposesSame(recorder, select, ctes, infer, given);
    const unplaced = result.open ? anyColumn(result) : undefined;
    for (const name of unplaced === undefined ? [] : names) {
      written(recorder, to, name, unplaced!);
      proposed.set(name, unplaced!);
    }
    result.members.forEach((member, at) => {
      if (unplaced !== undefined) return;
      const name = names[at];
      if (name === undefined) recorder.use(member.value, USE.writeSource);
      else {
        written(recorder, to, name, member.value);
        proposed.set(name, member.value);
      }
    });
  } else for (const name of names) written(recorder, to, name, CONSTANT);
  const asked = [...to.written.keys()];
  if (to.relation !== undefined) {
    rowsChange(recorder, to.relation, "insert", to.written);
    // DEFAULT VALUES asks about nothing.
    if (stmt.selectStmt !== undefined) {
      meetsKeys(recorder, to.relation, asked);
      refersTo(recorder, to.relation, new Map(asked.map((name) => [name, true])), false);
    }
    // What a conflict is about has passed through the triggers.
    for (const [name, value] of to.written) proposed.set(name, value);
  }
  if (stmt.onConflictClause !== undefined) {
    // DEFAULT VALUES asks about nothing.
    const given = stmt.selectStmt === undefined ? [] : [...asked];
    onConflict(recorder, stmt.onConflictClause, to, proposed, given, bounded, parent, ctes);
  }
  return returning(recorder, stmt.returningClause, to, [], parent, ctes);
}

/** The columns of INSERT (a, b[1], c.f); all of the table's in order without a list. */
function targetNames(recorder: Recorder, nodes: readonly Node[] | undefined, to: Target, scope: Scope): string[] {
  if (nodes === undefined) return to.relation?.columns.map((column) => column.name) ?? [];
  return nodes.flatMap((node) => {
    if (!("ResTarget" in node)) return [];
    for (const value of all(recorder, indices(node.ResTarget.indirection), scope))
      recorder.use(coerced(recorder, value), USE.writeSource);
    return [node.ResTarget.name ?? ""];
  });
}

/** The subscripts of an assignment's target. */
function indices(nodes: readonly Node[] | undefined): Node[] {
  return (nodes ?? []).flatMap((node) =>
    "A_Indices" in node ? [node.A_Indices.lidx, node.A_Indices.uidx].filter((index) => index !== undefined) : [],
  );
}

function onConflict(
  recorder: Recorder,
  clause: OnConflictClause,
  to: Target,
  proposed: ReadonlyMap<string, Value>,
  given: Iterable<string>,
  bounded: boolean,
  parent: Scope | undefined,
  ctes: CteList,
): void {
  const own = new Scope(parent, [to.item], ctes);
  if (to.relation !== undefined) lookUp(recorder, clause.infer, to.relation, given);
  // Whether a row is there already decides what happens: a filter on the key.
  for (const node of clause.infer?.indexElems ?? []) {
    if (!("IndexElem" in node)) continue;
    const { name, expr } = node.IndexElem;
    const column = name === undefined ? undefined : to.relation?.column(name);
    if (column !== undefined) recorder.use(column.value, USE.filter);
    if (expr !== undefined) recorder.use(coerced(recorder, expression(recorder, expr, own)), USE.filter);
  }
  if (clause.infer?.whereClause !== undefined)
    recorder.use(coerced(recorder, expression(recorder, clause.infer.whereClause, own)), USE.filter);
  if (clause.action !== "ONCONFLICT_UPDATE") return;
  if (to.relation !== undefined) {
    recorder.relation(to.relation, "update", to.only);
    recorder.relation(to.relation, "select", to.only);
  }
  if (!bounded) recorder.scoped = false;
  const members: Member[] = (to.relation?.columns ?? []).map((column) => ({
    name: column.name,
    value: proposed.get(column.name) ?? CONSTANT,
  }));
  const excluded: Item = {
    ...derivedItem("excluded", { members, open: to.relation === undefined }, []),
    columnsVisible: false,
  };
  const scope = new Scope(parent, [to.item, excluded], ctes);
  const assigned = assignments(recorder, clause.targetList, to, scope);
  if (clause.whereClause !== undefined)
    recorder.use(coerced(recorder, expression(recorder, clause.whereClause, scope)), USE.filter);
  if (to.relation === undefined) return;
  rowsChange(recorder, to.relation, "update", to.written, [], assigned);
  isUpdated(recorder, to.relation, assigned);
  meetsKeys(recorder, to.relation, to.written.keys());
}

/** SET a = …, (b, c) = (…), d[1] = …: the parser repeats the source of a multiple assignment at each of its columns. */
function assignments(recorder: Recorder, nodes: readonly Node[] | undefined, to: Target, scope: Scope): Assigned {
  const assigned = new Map<string, boolean>();
  let sources: readonly Value[] = [];
  for (const node of nodes ?? []) {
    if (!("ResTarget" in node)) continue;
    const { name, val, indirection } = node.ResTarget;
    for (const value of all(recorder, indices(indirection), scope))
      recorder.use(coerced(recorder, value), USE.writeSource);
    let value: Value;
    if (val !== undefined && "MultiAssignRef" in val) {
      if ((val.MultiAssignRef.colno ?? 1) === 1) sources = multipleSource(recorder, val.MultiAssignRef.source, scope);
      value = sources[(val.MultiAssignRef.colno ?? 1) - 1] ?? sources[0] ?? CONSTANT;
    } else value = expression(recorder, val, scope);
    written(recorder, to, name ?? "", value, true);
    if (indirection !== undefined) meetsStored(recorder, to, name ?? "", indirection);
    assigned.set(name ?? "", indirection === undefined);
  }
  return assigned;
}

/**
 * Whether a part can be put into what is stored (of how many dimensions, or which kind of document) tells of it, and so does a domain, which
 * checks the row that a field is put into: told of what is tagged.
 */
function meetsStored(recorder: Recorder, to: Target, name: string, steps: readonly Node[]): void {
  const column = to.relation?.column(name);
  if (column === undefined || column.source.tags.length === 0) return;
  const { catalog } = recorder;
  let type = column.type;
  for (const step of steps) {
    const shape = "String" in step && catalog.type(type)?.kind !== "d" ? catalog.relationByRowType(type) : undefined;
    if (shape === undefined) {
      recorder.use(column.value, USE.expression);
      return;
    }
    type = shape.column("String" in step ? (step.String.sval ?? "") : "")?.type ?? 0;
  }
}

/** A source for each column. What only the server can place, and a sub-select, whose row goes in as a whole, is one for all. */
function multipleSource(recorder: Recorder, source: Node | undefined, scope: Scope): readonly Value[] {
  if (source === undefined || !("RowExpr" in source)) return [expression(recorder, source, scope)];
  const { values, open } = list(recorder, source.RowExpr.args, scope);
  return open ? [unplaced(values)] : values;
}

/** Any of these, in an order that only the server knows. */
function unplaced(values: readonly Value[]): Value {
  return { ...combine(values, 0, false), derivation: "opaque" };
}

function update(recorder: Recorder, stmt: UpdateStmt, parent: Scope | undefined, outer: CteList): Result {
  const ctes = withClause(recorder, stmt.withClause, parent, outer);
  const to = target(recorder, stmt.relation, "update");
  const items = fromClause(recorder, stmt.fromClause, parent, ctes);
  const scope = new Scope(parent, [to.item, ...items], ctes);
  const assigned = assignments(recorder, stmt.targetList, to, scope);
  where(recorder, stmt.whereClause, to, stmt.fromClause, scope);
  if (to.relation !== undefined) {
    if (stmt.whereClause !== undefined || stmt.returningClause !== undefined || readsTarget(recorder, to))
      recorder.relation(to.relation, "select", to.only);
    rowsChange(recorder, to.relation, "update", to.written, [], assigned);
    isUpdated(recorder, to.relation, assigned);
    meetsKeys(recorder, to.relation, to.written.keys());
  }
  return returning(recorder, stmt.returningClause, to, items, parent, ctes);
}

function readsTarget(recorder: Recorder, to: Target): boolean {
  for (const [column, bits] of recorder.uses)
    if (column.relation === to.relation && (bits & ~USE.writeTarget) !== 0) return true;
  return false;
}

function remove(recorder: Recorder, stmt: DeleteStmt, parent: Scope | undefined, outer: CteList): Result {
  const ctes = withClause(recorder, stmt.withClause, parent, outer);
  const to = target(recorder, stmt.relation, "delete");
  const items = fromClause(recorder, stmt.usingClause, parent, ctes);
  const scope = new Scope(parent, [to.item, ...items], ctes);
  where(recorder, stmt.whereClause, to, stmt.usingClause, scope);
  if (to.relation !== undefined) {
    rowsChange(recorder, to.relation, "delete");
    isReferredTo(recorder, to.relation, undefined);
    if (stmt.whereClause !== undefined || stmt.returningClause !== undefined)
      recorder.relation(to.relation, "select", to.only);
  }
  return returning(recorder, stmt.returningClause, to, items, parent, ctes);
}

function where(
  recorder: Recorder,
  clause: Node | undefined,
  to: Target,
  from: readonly Node[] | undefined,
  scope: Scope,
): void {
  if (clause !== undefined && "CurrentOfExpr" in clause) currentOf(recorder, clause.CurrentOfExpr, to.relation);
  else if (clause !== undefined) recorder.use(coerced(recorder, expression(recorder, clause, scope)), USE.filter);
  if (recorder.scoped && !fixesRows(recorder, clause, to, from, scope)) recorder.scoped = false;
}

/**
 * Which row WHERE CURRENT OF names depends on the order of the cursor's rows, which an index of any of its columns may give. Rows that are locked
 * (FOR UPDATE) are never read from an index alone: columns that are only shown have no part in their order.
 */
function currentOf(recorder: Recorder, { cursor_name: name }: CurrentOfExpr, changed: Relation | undefined): void {
  recorder.ofCursor = true;
  // The cursor of a body is a variable of it.
  if (recorder.cursor === undefined && changed?.tagged !== false) recorder.opaque = true;
  for (const { facts } of recorder.cursor?.(name ?? "") ?? [])
    for (const { schema, table, column: used, uses } of facts.columns) {
      const locked = facts.locks.some((lock) => lock.level === "row" && lock.schema === schema && lock.name === table);
      if (locked && uses.every((use) => use === "output")) continue;
      const column = recorder.catalog.resolveRelation(schema, table, recorder.path)?.column(used);
      if (column === undefined) recorder.opaque = true;
      else recorder.use(column.value, USE.filter);
    }
}

function merge(recorder: Recorder, stmt: MergeStmt, parent: Scope | undefined, outer: CteList): Result {
  const ctes = withClause(recorder, stmt.withClause, parent, outer);
  const to = target(recorder, stmt.relation, "merge");
  const items = fromClause(
    recorder,
    stmt.sourceRelation === undefined ? undefined : [stmt.sourceRelation],
    parent,
    ctes,
  );
  const scope = new Scope(parent, [to.item, ...items], ctes);
  if (stmt.joinCondition !== undefined)
    recorder.use(coerced(recorder, expression(recorder, stmt.joinCondition, scope)), USE.join);
  if (to.relation !== undefined) {
    recorder.relation(to.relation, "select", to.only);
    rowsAreRead(recorder, to.relation);
  }
  const events = new Set<RowEvent>();
  for (const node of stmt.mergeWhenClauses ?? []) {
    if (!("MergeWhenClause" in node)) continue;
    const clause = node.MergeWhenClause;
    if (clause.condition !== undefined)
      recorder.use(coerced(recorder, expression(recorder, clause.condition, scope)), USE.filter);
    // Which rows match none is told by the source's whole rows.
    if (clause.matchKind === "MERGE_WHEN_NOT_MATCHED_BY_SOURCE")
      for (const item of items) recorder.keeps(wholeRow(item));
    const event =
      clause.commandType === "CMD_INSERT"
        ? "insert"
        : clause.commandType === "CMD_UPDATE"
          ? "update"
          : clause.commandType === "CMD_DELETE"
            ? "delete"
            : undefined;
    if (event === undefined) continue;
    events.add(event);
    if (to.relation !== undefined) {
      recorder.relation(to.relation, event, to.only);
    }
    if (event !== "insert" && recorder.scoped && !fixesMerged(recorder, stmt, clause, to, scope))
      recorder.scoped = false;
    if (event === "update") {
      const assigned = assignments(recorder, clause.targetList, to, scope);
      if (to.relation !== undefined) isUpdated(recorder, to.relation, assigned);
    } else if (event === "delete") {
      if (to.relation !== undefined) isReferredTo(recorder, to.relation, undefined);
    } else {
      const names = targetNames(recorder, clause.targetList, to, scope);
      const given = new Map<string, Value>();
      const { values, open } = list(recorder, clause.values, scope);
      (open ? Array.from({ length: names.length + 1 }, () => unplaced(values)) : values).forEach((value, at) => {
        if (names[at] === undefined) recorder.use(value, USE.writeSource);
        else {
          written(recorder, to, names[at], value);
          given.set(names[at], value);
        }
      });
      // Another of its actions may give a value to what this one leaves out.
      if (to.relation !== undefined) domainDefaultsRun(recorder, to.relation, given, "insert");
      if (to.relation !== undefined) refersTo(recorder, to.relation, new Map(names.map((name) => [name, true])), false);
    }
  }
  if (to.relation !== undefined) {
    for (const event of events) rowsChange(recorder, to.relation, event, to.written);
    meetsKeys(recorder, to.relation, to.written.keys());
  }
  // RETURNING of MERGE shows the source's columns first, then the target's.
  return returning(recorder, stmt.returningClause, to, items, parent, ctes, true);
}

/** Only what is matched is bounded by the rows of the source. */
function fixesMerged(recorder: Recorder, stmt: MergeStmt, clause: MergeWhenClause, to: Target, scope: Scope): boolean {
  if (clause.matchKind !== "MERGE_WHEN_MATCHED" || stmt.joinCondition === undefined) return false;
  const args = [stmt.joinCondition, clause.condition].filter((node) => node !== undefined);
  const source = stmt.sourceRelation === undefined ? [] : [stmt.sourceRelation];
  return fixesRows(recorder, { BoolExpr: { boolop: "AND_EXPR", args } }, to, source, scope);
}

/** The columns of RETURNING: of the row as it was written, of the other tables, and of `old` and `new`. */
function returning(
  recorder: Recorder,
  clause: ReturningClause | undefined,
  to: Target,
  items: readonly Item[],
  parent: Scope | undefined,
  ctes: CteList,
  sourcesFirst = false,
): Result {
  if (clause === undefined) return NOTHING;
  if (to.relation !== undefined) recorder.relation(to.relation, "select", to.only);
  const after = rowAfter(to);
  const own = sourcesFirst ? [...items, after] : [after, ...items];
  let old = "old";
  let fresh = "new";
  for (const node of clause.options ?? []) {
    if (!("ReturningOption" in node)) continue;
    if (node.ReturningOption.option === "RETURNING_OPTION_OLD") old = node.ReturningOption.value ?? old;
    else if (node.ReturningOption.option === "RETURNING_OPTION_NEW") fresh = node.ReturningOption.value ?? fresh;
  }
  // PostgreSQL 18's names for both rows; a table of that name is found first.
  const both: Item[] = [
    { ...to.item, name: old, aliased: true, columnsVisible: false },
    { ...after, name: fresh, aliased: true, columnsVisible: false },
  ];
  const scope = new Scope(parent, [...own, ...both], ctes);
  const result = targetList(recorder, clause.exprs, scope);
  return result;
}

/** What is returned of a written column is what was written: it tells where that came from. */
function rowAfter(to: Target): Item {
  if (to.relation === undefined) return { ...to.item, whole: { ...wholeRow(to.item), derivation: "opaque" } };
  if (![...to.written.values()].some((value) => value.sources.length > 0 || value.derivation === "opaque"))
    return to.item;
  const members = to.item.members.map((member): Member => {
    const value = to.written.get(member.name);
    if (value === undefined || (value.sources.length === 0 && value.derivation !== "opaque")) return member;
    return {
      name: member.name,
      value: {
        sources: union(member.value.sources, value.sources),
        derivation: value.derivation === "opaque" ? "opaque" : member.value.derivation,
        total: member.value.total,
        type: member.value.type,
        ...(member.value.collation === undefined ? {} : { collation: member.value.collation }),
      },
    };
  });
  return { ...to.item, members };
}
