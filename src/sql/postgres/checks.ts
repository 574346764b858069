// What the server asks of a row that was changed: checks and unique keys over columns that it keeps, and foreign keys to and from it.
import { meetsComputed, readOfRow } from "./computed.ts";
import type { Check, Column, Reference, Relation } from "./model.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { byNullness } from "./value.ts";

/** What a statement assigns to: by name, and whether the whole value is replaced (an element or a field keeps the rest). */
export type Assigned = ReadonlyMap<string, boolean>;

/** What the server asks of a changed row, and of those that it refers to or that refer to it. */
export function isUpdated(recorder: Recorder, relation: Relation, assigned: Assigned): void {
  meetsChecks(recorder, relation, assigned);
  refersTo(recorder, relation, assigned, true);
  isReferredTo(recorder, relation, assigned);
}

/**
 * A row is updated: whether a check or a key holds tells of the columns beside those that are written. A check that was not validated may
 * fail whatever is written.
 */
function meetsChecks(recorder: Recorder, to: Relation, assigned: Assigned): void {
  for (const [relation, names, shown] of changed(recorder, to, assigned)) {
    if (relation !== shown && !shown.tagged) continue;
    meetsComputed(recorder, relation, shown, names);
    const { generated, columns } = relation;
    const writes = (column: Column): boolean =>
      names.has(column.name) ||
      (generated
        .get(column.attnum)
        ?.some((base) => columns.some((one) => one.attnum === base && names.has(one.name))) ??
        false);
    for (const check of relation.checks) {
      const asked = columns.filter(({ attnum }) => check.columns.includes(attnum) || check.columns.includes(0));
      if (check.valid && !asked.some(writes)) continue;
      const byNull = byNullIn(recorder, check, relation, shown);
      for (const column of asked) {
        // Of a generated column those that it is made of are asked.
        const bases = generated.get(column.attnum);
        const kept = bases === undefined ? [column] : columns.filter(({ attnum }) => bases.includes(attnum));
        for (const one of kept)
          if (names.get(one.name) !== true && (check.kind !== "unique" || one.source.tags.length > 0))
            recorder.use(
              (shown.column(one.name) ?? one).value,
              one === column && byNull(one) ? USE.nullness : USE.filter,
            );
      }
    }
  }
}

/** Of which columns a check asks only whether they are NULL. */
function byNullIn(recorder: Recorder, check: Check, relation: Relation, shown: Relation): (column: Column) => boolean {
  if (check.kind === "not null") return () => true;
  if (!shown.tagged || check.definition === "") return () => false;
  const values = readOfRow(recorder, check.definition, relation, shown) ?? [];
  return (column) => {
    const own = shown.column(column.name);
    return (
      own !== undefined &&
      values.length === 1 &&
      values.every((value) => value.derivation !== "opaque" && byNullness(value)?.has(own) === true)
    );
  };
}

/** A row refers to others, which are there or not: told of the columns that are tagged. */
export function refersTo(recorder: Recorder, to: Relation, assigned: Assigned, keeps: boolean): void {
  if (assigned.size === 0 || !recorder.catalog.hasTags) return;
  for (const [relation, names, shown] of changed(recorder, to, assigned))
    for (const reference of relation.foreignKeys) {
      const own = columnsOf(relation, reference.columns, shown);
      if (reference.repeated && isPartition(reference.parent)) continue;
      if (!own.some((column) => names.has(column.name))) continue;
      for (const column of columnsOf(reference.parent, reference.parentColumns))
        if (column.source.tags.length > 0) recorder.names(column.value, USE.unique);
      if (keeps)
        for (const column of own)
          if (column.source.tags.length > 0 && names.get(column.name) !== true) recorder.use(column.value, USE.filter);
    }
}

/**
 * A row goes, or its key changes: rows that refer to it keep it, go with it, or are changed. Told of the columns that are tagged.
 * `assigned`: undefined where it goes.
 */
export function isReferredTo(
  recorder: Recorder,
  to: Relation,
  assigned: Assigned | undefined,
  seen: Set<Reference> = new Set(),
): void {
  if (!recorder.catalog.hasTags) return;
  for (const [relation, names, shown] of changed(recorder, to, assigned ?? new Map()))
    for (const reference of relation.referredBy) {
      const { child, columns, parentColumns, repeated, onDelete, onUpdate } = reference;
      const own = columnsOf(relation, parentColumns, shown);
      if (seen.has(reference) || (repeated && isPartition(child))) continue;
      if (assigned !== undefined && !own.some((column) => names.has(column.name))) continue;
      seen.add(reference);
      const others = columnsOf(child, columns);
      for (const column of [...own, ...others])
        if (column.source.tags.length > 0) recorder.use(column.value, USE.filter);
      const action = assigned === undefined ? onDelete : onUpdate;
      if (assigned === undefined && action === "c") isReferredTo(recorder, child, undefined, seen);
      else if ("cnd".includes(action)) {
        const changing = new Map(others.map((column) => [column.name, true]));
        meetsChecks(recorder, child, changing);
        isReferredTo(recorder, child, changing, seen);
      }
    }
}

const isPartition = (relation: Relation): boolean =>
  relation.parents.some((parent) => parent.kind === "partitioned_table");

function columnsOf(relation: Relation, numbers: Reference["columns"], shown = relation): readonly Column[] {
  const own = relation.columns.filter(({ attnum }) => numbers.includes(attnum));
  return shown === relation ? own : own.map((column) => shown.column(column.name) ?? column);
}

/** A table whose rows change, what is assigned there, and the table that facts name: a partition is its table to them. */
type Changed = readonly [relation: Relation, assigned: Assigned, shown: Relation];

/** The tables whose rows change: with what inherits from it, and for a view what is behind it. */
function changed(recorder: Recorder, to: Relation, assigned: Assigned): readonly Changed[] {
  const found: Changed[] = [];
  const seen = new Set<Relation>();
  const visit = (relation: Relation, names: Assigned, shown = relation): void => {
    if (seen.has(relation)) return;
    seen.add(relation);
    found.push([relation, names, shown]);
    if (relation.kind === "table") for (const child of relation.children) visit(child, names);
    // A partition repeats what its table has, and may have more.
    if (relation.kind === "partitioned_table" && recorder.catalog.hasTags)
      for (const child of relation.children) visit(child, names, shown);
    if (relation.kind !== "view") return;
    for (const [oid] of relation.dependencies) {
      const base = recorder.catalog.relationByOid(oid);
      if (base === undefined) continue;
      const behind = new Map<string, boolean>();
      for (const [name, whole] of names)
        for (const source of relation.column(name)?.value.sources ?? [])
          if (source.relation === base) behind.set(source.name, whole);
      visit(base, behind);
    }
  };
  visit(to, assigned);
  return found;
}
