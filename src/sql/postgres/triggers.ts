// What runs by itself when rows change or are read: triggers, rules, defaults, checks, and the cascades of foreign keys.
import type { CreateTrigStmt, Node } from "libpg-query";
import { absorb, classWith } from "./absorb.ts";
import { expressionsIn, rowItem } from "./attached-expressions.ts";
import { type Assigned, isUpdated } from "./checks.ts";
import type { TransitionTable } from "./bodies.ts";
import { bodyOf, isIsolated, note, qualified, runUse } from "./bodies.ts";
import { all, expression } from "./expressions.ts";
import type { Attached, Column, Relation } from "./model.ts";
import { parse } from "./parser.ts";
import type { Given } from "./placeholders.ts";
import { give, replaced } from "./placeholders.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { keysBelow } from "./partition-keys.ts";
import { policiesDecide } from "./row-security.ts";
import { runRule } from "./rules.ts";
import { Scope } from "./scope.ts";
import { coerced, conversionRuns, withRun } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import { CONSTANT, combine, LITERAL, OPAQUE, plainConstant, union } from "./value.ts";
import { viewOf } from "./views.ts";

export type RowEvent = "insert" | "update" | "delete" | "truncate";

/** Rows as what runs by itself sees them: OLD, and NEW with what is written to it. */
export type Rows = { readonly relation: Relation; readonly old: Value; readonly fresh: Value };

/**
 * Rows of it change: whatever its owner attached to that runs, and what refers to it may change with it. `written` is what the statement
 * puts into its columns; triggers add what they put there. `assigned`: to which of them an update assigns, where that is not all of `written`.
 */
export function rowsChange(
  recorder: Recorder,
  relation: Relation,
  event: RowEvent,
  written = new Map<string, Value>(),
  via: readonly string[] = [],
  assigned: Assigned = partsOf(written),
): void {
  changesCatalogs(recorder, relation);
  if (event === "insert" || event === "update") domainDefaultsRun(recorder, relation, written, event);
  if (event !== "truncate") policiesDecide(recorder, relation, event, written);
  runAttached(recorder, relation, relation, event, written, new Set(), assigned);
  if (event === "update" && movesRows(relation, written)) rowsMove(recorder, relation, relation, written, new Set());
  const through = [...via, relation.qualified];
  if (event === "delete" || event === "update") cascade(recorder, relation, event, through, new Set([relation]));
  if (relation.kind !== "view" || isReplaced(relation, event) || via.length > MAX_VIEWS) return;
  // What depends on the server's own tables is not in the catalog.
  for (const { relation: below } of viewOf(relation, recorder.catalog)?.touched ?? []) changesCatalogs(recorder, below);
  // A view that can be written passes the change on to the table behind it, by that one's names.
  for (const oid of new Set(relation.dependencies.map(([dependency]) => dependency))) {
    const base = recorder.catalog.relationByOid(oid);
    if (base !== undefined && base !== relation)
      rowsChange(
        recorder,
        base,
        event,
        writtenBehind(relation, base, written),
        through,
        writtenBehind(relation, base, assigned),
      );
  }
}

/** Of what is written nobody has said whether it is the whole column, in every row. */
function partsOf(written: ReadonlyMap<string, Value>): Assigned {
  return new Map([...written.keys()].map((name) => [name, false]));
}

/** Rows of the server's own tables are roles, rights and objects: a superuser who writes them needs no GRANT, and no DROP. */
function changesCatalogs(recorder: Recorder, relation: Relation): void {
  if (relation.schema !== "pg_catalog" || relation.kind !== "table") return;
  recorder.class = classWith(recorder.class, "dcl");
  recorder.changesCatalog = true;
  if (LARGE_OBJECTS.has(relation.name)) recorder.external.add("large_object");
}

const LARGE_OBJECTS: ReadonlySet<string> = new Set(["pg_largeobject", "pg_largeobject_metadata"]);

/** What COPY reads into a column, in each row: no default of the column, or of its domain, runs beside it. */
export const GIVEN: Value = Object.freeze({ ...CONSTANT });

/** A column that gets no value, or DEFAULT, has the default of its domain, which code of users may compute. (One that stands still has none.) */
export function domainDefaultsRun(
  recorder: Recorder,
  relation: Relation,
  written: Map<string, Value>,
  event: "insert" | "update",
): void {
  const { domainDefaults } = recorder.catalog;
  if (domainDefaults.size === 0) return;
  for (const column of relation.columns) {
    const given = written.get(column.name);
    // What has a type is a value; DEFAULT, like a parameter, has none.
    if (given === GIVEN) continue;
    if (given === undefined ? event === "update" : given.type !== 0) continue;
    const value = domainDefaultOf(recorder, column.type);
    if (value === undefined) continue;
    recorder.write(column, value);
    written.set(column.name, value);
  }
}

/** What the default of a domain gives, where code of users computes it. */
export function domainDefaultOf(recorder: Recorder, type: number): Value | undefined {
  let value: Value | undefined;
  for (const use of recorder.catalog.domainDefaults.get(type) ?? [])
    value = withRun(runUse(recorder, use, LITERAL), value);
  return value;
}

/** Views upon views that are followed to their tables: more than the server's stack allows. */
const MAX_VIEWS = 100;

/** A trigger or a rule does something instead. */
function isReplaced(view: Relation, event: string): boolean {
  return view.attached.some(
    (attached) =>
      attached.on.includes(event) &&
      (attached.kind === "trigger"
        ? ((triggerOf(attached)?.timing ?? 0) & INSTEAD) !== 0
        : attached.kind === "rule" && / DO INSTEAD /.test(attached.definition) && !/ WHERE /.test(attached.definition)),
  );
}

/** What is asked, and the owner's code that runs, when it is read (row-level security, virtual columns). */
export function rowsAreRead(recorder: Recorder, relation: Relation): void {
  policiesDecide(recorder, relation, "select");
  if (relation.attached.length > 0) runAttached(recorder, relation, relation, "select", new Map(), new Set());
}

/**
 * Its rows are read by the server itself: rewritten, sampled, put into an index. What its owner has computed of a row runs then (the
 * expressions of indexes); policies, triggers and rules do not.
 */
export function rowsAreMaintained(recorder: Recorder, relation: Relation): void {
  for (const attached of relation.attached)
    if (attached.kind === "expression" && !attached.on.includes("select"))
      runExpression(recorder, attached, rowsOf(relation, new Map(), "maintenance"), "maintenance", new Map());
  for (const child of relation.children) rowsAreMaintained(recorder, child);
}

/**
 * `shown`: a partition is its table to the facts. `ran`: what it has copied from there is the same code. `assigned`: the columns that the
 * statement's own SET names, undefined where it is not known.
 */
function runAttached(
  recorder: Recorder,
  relation: Relation,
  shown: Relation,
  event: RowEvent | "select",
  written: Map<string, Value>,
  ran: Set<string>,
  assigned?: Assigned,
): void {
  const inOrder = relation.attached.filter((attached) => attached.on.includes(event));
  if (inOrder.length > 1) inOrder.sort((left, right) => phase(relation, left) - phase(relation, right));
  for (const attached of inOrder) {
    if (isGiven(relation, attached, written)) continue;
    const key = attached.kind === "trigger" ? `${attached.use.schema}.${attached.use.name}` : attached.definition;
    if (shown !== relation && key !== "" && ran.has(key)) continue;
    ran.add(key);
    recorder.spend(relation.columns.length);
    const rows = rowsOf(shown, written, event);
    if (attached.kind === "expression") runExpression(recorder, attached, rows, event, written);
    else if (attached.kind === "rule") runRule(recorder, attached, rows);
    else if (event === "update" && isSuppressing(attached))
      recorder.use(compared(relation, shown, inOrder, rows, written, assigned), USE.filter);
    else if (event !== "update" || isAskedFor(relation, attached, assigned))
      runTrigger(recorder, attached, rows, event, written);
  }
  // Rows are inserted into a parent itself, but into a partition of a table.
  if (event === "insert" && relation.kind === "table") return;
  for (const child of relation.children) {
    const partition = relation.kind === "partitioned_table";
    runAttached(recorder, child, partition ? shown : child, event, written, partition ? ran : new Set(), assigned);
  }
}

/** Defaults come first, then what may change the row, then what sees the row as it is stored. */
function phase(relation: Relation, attached: Attached): number {
  if (attached.kind === "expression")
    return attached.column !== undefined && !relation.generated.has(attached.column) ? 0 : 2;
  if (attached.kind === "rule") return 1;
  return ((triggerOf(attached)?.timing ?? 0) & (BEFORE | INSTEAD)) === 0 ? 2 : 1;
}

/** A row whose key is written may go to another partition: it is deleted in one, and inserted into the other. (ExecCrossPartitionUpdate) */
function movesRows(relation: Relation, written: ReadonlyMap<string, Value>): boolean {
  return [...keysBelow(relation)].some((column) => withBases(relation, column).some((one) => written.has(one.name)));
}

/** The column, and those that it is generated from. */
function withBases(relation: Relation, column: Column): readonly Column[] {
  const bases = relation.generated.get(column.attnum) ?? [];
  return relation.columns.filter((one) => one === column || bases.includes(one.attnum));
}

/** Its triggers see the row as it was kept, with what is written. `shown`, `ran`: as of {@link runAttached}. */
function rowsMove(
  recorder: Recorder,
  relation: Relation,
  shown: Relation,
  written: Map<string, Value>,
  ran: Set<string>,
): void {
  const rows = rowsOf(shown, written, "update");
  for (const event of ["delete", "insert"])
    for (const attached of relation.attached) {
      if (attached.kind !== "trigger" || !attached.on.includes(event) || isOfStatement(attached)) continue;
      const key = `${event} ${attached.use.schema}.${attached.use.name}`;
      if (ran.has(key)) continue;
      ran.add(key);
      recorder.spend(relation.columns.length);
      runTrigger(recorder, attached, rows, event, written);
    }
  for (const child of relation.children) rowsMove(recorder, child, shown, written, ran);
}

function isOfStatement(attached: Attached): boolean {
  const definition = triggerOf(attached);
  return definition !== undefined && definition.row !== true;
}

function isGiven(relation: Relation, attached: Attached, written: ReadonlyMap<string, Value>): boolean {
  if (attached.kind !== "expression" || attached.column === undefined) return false;
  const column = relation.columns.find(({ attnum }) => attnum === attached.column);
  return column !== undefined && written.get(column.name) === GIVEN;
}

function writtenBehind<T>(view: Relation, base: Relation, written: ReadonlyMap<string, T>): Map<string, T> {
  const behind = new Map<string, T>();
  for (const [name, value] of written)
    for (const source of view.column(name)?.value.sources ?? [])
      if (source.relation === base) behind.set(source.name, value);
  return behind;
}

function cascade(
  recorder: Recorder,
  relation: Relation,
  event: "delete" | "update",
  via: readonly string[],
  seen: Set<Relation>,
): void {
  for (const { child, on, access } of relation.cascades) {
    if (on !== event || seen.has(child)) continue;
    seen.add(child);
    recorder.reached(child, access, via);
    // SET DEFAULT is among what may become of them.
    if (access === "update") domainDefaultsRun(recorder, child, new Map(), "insert");
    runAttached(recorder, child, child, access, new Map(), new Set());
    cascade(recorder, child, access, [...via, child.qualified], seen);
  }
}

/** OLD is NULL where a row is new, and so is NEW where one goes. */
function rowsOf(relation: Relation, written: ReadonlyMap<string, Value>, event: string): Rows {
  const row = (value: (column: Column) => Value): Value => {
    const members = relation.columns.map((column): Member => ({ name: column.name, value: value(column) }));
    return {
      ...combine(
        members.map((member) => member.value),
        relation.rowType,
        true,
      ),
      row: members,
    };
  };
  const nothing = (column: Column): Value => plainConstant(column.type);
  const kept = (column: Column): Value => {
    const value = written.get(column.name);
    if (value === undefined) return column.value;
    const { sources } = column.value;
    return { ...combine([value], column.type, true), sources: union(sources, value.sources), total: true };
  };
  return {
    relation,
    old: row(event === "insert" ? nothing : (column) => column.value),
    fresh: row(
      event === "insert" ? (column) => givenTo(relation, written, column) : event === "delete" ? nothing : kept,
    ),
  };
}

/** What a column of a new row holds: what is written to it, or to what it is generated from. Its default counts as written. */
function givenTo(relation: Relation, written: ReadonlyMap<string, Value>, column: Column): Value {
  const values = withBases(relation, column).flatMap((one) => written.get(one.name) ?? []);
  return values.length === 0 ? plainConstant(column.type) : { ...combine(values, column.type, true), total: true };
}

/** A default, a check, a generated column, an index: the columns of the row are in scope. */
function runExpression(
  recorder: Recorder,
  attached: Attached,
  rows: Rows,
  event: string,
  written: Map<string, Value>,
): void {
  const own = recorder.within();
  const scope = new Scope(undefined, [rowItem(rows.relation.name, rows.fresh, true)], undefined);
  let value: Value | undefined;
  const column =
    attached.column === undefined ? undefined : rows.relation.columns.find(({ attnum }) => attnum === attached.column);
  const before = column === undefined ? undefined : written.get(column.name);
  // A given value takes the place of a default, DEFAULT (which looks like a constant) does not.
  const hasValue = before !== undefined && (before.sources.length > 0 || before.derivation === "opaque");
  for (const node of expressionsIn(attached.definition)) {
    const one = expression(own, node, scope);
    value = value === undefined ? one : combine([value, one], 0, false);
  }
  if (value === undefined || own.unresolved) {
    // What cannot be read runs these, over anything in the row.
    for (const use of attached.uses ?? [attached.use]) runUse(recorder, use, rows.fresh);
    if (column !== undefined && event === "insert" && !hasValue) written.set(column.name, OPAQUE);
    return;
  }
  absorb(recorder, own, new Map());
  if (own.opaque) recorder.opaque = true;
  // The server does not write down the casts that nobody has written.
  value =
    column === undefined ? coerced(recorder, value) : withRun(value, conversionRuns(recorder, value, column.type));
  recorder.use(value, attached.column === undefined ? USE.filter : USE.expression);
  if (column === undefined || (event !== "insert" && !rows.relation.generated.has(column.attnum))) return;
  if (hasValue) return;
  recorder.write(column, value);
  written.set(column.name, value);
}

const definitions = new WeakMap<Attached, CreateTrigStmt | "unreadable">();

function triggerOf(attached: Attached): CreateTrigStmt | undefined {
  let found = definitions.get(attached);
  if (found === undefined) {
    found = "unreadable";
    try {
      const statement = parse(attached.definition).stmts?.[0]?.stmt;
      if (statement !== undefined && "CreateTrigStmt" in statement) found = statement.CreateTrigStmt;
    } catch {
      // It stays unreadable.
    }
    definitions.set(attached, found);
  }
  return found === "unreadable" ? undefined : found;
}

/**
 * UPDATE OF: the server goes by the columns that SET names, whatever triggers assign (TriggerEnabled in trigger.c). Generated ones are among
 * them where another trigger might have changed what they are made of.
 */
function isAskedFor(relation: Relation, attached: Attached, assigned: Assigned | undefined): boolean {
  const columns = triggerOf(attached)?.columns ?? [];
  if (assigned === undefined || columns.length === 0) return true;
  return columns.some((node) => {
    const column = "String" in node ? relation.column(node.String.sval ?? "") : undefined;
    return column === undefined || assigned.has(column.name) || relation.generated.has(column.attnum);
  });
}

/** The bits of CreateTrigStmt.timing (catalog/pg_trigger.h). */
const BEFORE = 2;
const INSTEAD = 64;

/** The server's own trigger that skips an update that changes nothing: the count of rows tells of it. One with a condition is not looked through. */
function isSuppressing(attached: Attached): boolean {
  const { kind, schema, name } = attached.use;
  const definition = triggerOf(attached);
  return (
    kind === "builtin" &&
    schema === "pg_catalog" &&
    name === "suppress_redundant_updates_trigger" &&
    definition?.whenClause === undefined &&
    (definition?.columns ?? []).length === 0 &&
    definition?.timing === BEFORE
  );
}

/** What it compares with what was there: all that may have changed. Of a tsvector the server's own triggers may compute it. */
function compared(
  relation: Relation,
  shown: Relation,
  triggers: readonly Attached[],
  { fresh }: Rows,
  written: ReadonlyMap<string, Value>,
  assigned: Assigned | undefined,
): Value {
  const changesRow = (attached: Attached): boolean =>
    attached.kind === "trigger" && (triggerOf(attached)?.timing ?? 0) !== 0 && !isSuppressing(attached);
  // A partition may have triggers of its own.
  if (assigned === undefined || relation !== shown || relation.kind !== "table" || triggers.some(changesRow))
    return fresh;
  const changed = (fresh.row ?? []).filter(
    ({ name, value }) => assigned.has(name) || written.has(name) || value.type === TYPE_TSVECTOR,
  );
  return combine(
    changed.map((member) => member.value),
    0,
    true,
  );
}

const TYPE_TSVECTOR = 3614;

function runTrigger(
  recorder: Recorder,
  attached: Attached,
  rows: Rows,
  event: string,
  written: Map<string, Value>,
): void {
  const definition = triggerOf(attached);
  const entry = recorder.catalog.functionOf(attached.use);
  if (definition?.whenClause !== undefined) when(recorder, definition.whenClause, rows);
  const transitions = (definition?.transitionRels ?? []).flatMap((node): TransitionTable[] =>
    "TriggerTransition" in node
      ? [{ name: node.TriggerTransition.name ?? "", fresh: node.TriggerTransition.isNew === true }]
      : [],
  );
  const body =
    entry === undefined || definition === undefined
      ? undefined
      : bodyOf(recorder, entry, { relation: rows.relation, transitions });
  // At the end of the transaction another path may hold.
  const late = attached.deferrable === true && (entry === undefined || !isIsolated(recorder.catalog, entry));
  if (body === undefined || entry === undefined || definition === undefined) {
    recorder.functions.add(attached.use);
    recorder.opaque = true;
    return;
  }
  const given: Given = new Map();
  const [fresh, old] = body.parameters;
  if (fresh !== undefined) give(given, fresh, rows.fresh);
  if (old !== undefined) give(given, old, rows.old);
  note(recorder, late ? { ...body, understood: false, use: attached.use } : body, given, qualified(entry));
  const timing = definition.timing ?? 0;
  if (definition.row !== true || (timing & (BEFORE | INSTEAD)) === 0 || (event !== "insert" && event !== "update"))
    return;
  const assignedHere = new Map<string, boolean>();
  for (const [name, assigned] of body.returned.assigned ?? []) {
    const value = replaced(assigned, given);
    const column = rows.relation.column(name);
    if (column === undefined) continue;
    if (column.source.tags.length === 0) assignedHere.set(name, true);
    if ((timing & INSTEAD) === 0) recorder.write(column, value);
    const before = written.get(name);
    written.set(name, before === undefined ? value : combine([before, value], column.type, false));
  }
  // What it assigns is checked with what the row keeps, too. (What the statement assigns beside it may be another action's.)
  if (event === "update" && assignedHere.size > 0) isUpdated(recorder, rows.relation, assignedHere);
}

function when(recorder: Recorder, node: Node, rows: Rows): void {
  const own = recorder.within();
  const items = [rowItem("new", rows.fresh, false), rowItem("old", rows.old, false)];
  const [value] = all(own, [node], new Scope(undefined, items, undefined));
  absorb(recorder, own, new Map());
  if (own.opaque || own.unresolved) recorder.opaque = true;
  recorder.use(value!, USE.filter);
}
