// ON CONFLICT: which columns it looks up when it names a constraint or nothing.
import type { InferClause } from "libpg-query";
import type { Column, Relation, Unique } from "./model.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";

/**
 * Whether a row is there already decides what happens: the columns of what tells are a filter. A named constraint is looked up by its own
 * columns. Without a target every unique key of the table answers, but only a value that was `given` asks; of that what is tagged is noted.
 */
export function lookUp(
  recorder: Recorder,
  infer: InferClause | undefined,
  to: Relation,
  given: Iterable<string>,
): void {
  if (infer?.conname !== undefined) {
    const named = uniquesOf(recorder, to).filter(([, unique]) => unique.name === infer.conname);
    // Another table's, behind a rule, or newer than the catalog: any column may be its.
    if (named.length === 0) recorder.use(to.wholeRow, USE.filter);
    for (const [relation, unique] of named)
      for (const column of columnsOf(relation, unique)) recorder.use(column.value, USE.filter);
  } else if (infer === undefined) {
    for (const column of askedOf(recorder, to, given)) recorder.use(column.value, USE.filter);
  }
}

/** A row whose value is there already is refused, which tells that it is: noted of what is tagged. */
export function meetsKeys(recorder: Recorder, to: Relation, given: Iterable<string>): void {
  for (const column of askedOf(recorder, to, given)) recorder.names(column.value, USE.unique);
}

/** The tagged columns of unique keys into which something is written. */
function* askedOf(recorder: Recorder, to: Relation, given: Iterable<string>): Generator<Column> {
  if (!to.tagged) return;
  const asked = new Set<Column>();
  for (const name of given) for (const column of to.column(name)?.value.sources ?? []) asked.add(column);
  for (const [relation, unique] of uniquesOf(recorder, to))
    for (const column of columnsOf(relation, unique))
      if (column.source.tags.length > 0 && (asked.has(column) || unique.computed.includes(column.attnum))) yield column;
}

/** The unique keys that a new row of it meets: of the table and its partitions, for a view of what is behind it. */
function uniquesOf(recorder: Recorder, relation: Relation): (readonly [Relation, Unique])[] {
  const found: (readonly [Relation, Unique])[] = [];
  const seen = new Set<Relation>();
  const visit = (member: Relation, table: Relation): void => {
    if (seen.has(member)) return;
    seen.add(member);
    // A partition is its table to the facts; it numbers its columns in its own way.
    for (const unique of member.uniques)
      found.push([table, member === table ? unique : renumbered(unique, member, table)]);
    // What keys another server has is not known here.
    if (member.kind === "foreign_table") found.push([table, { name: "", columns: undefined, computed: [] }]);
    if (member.kind === "partitioned_table") for (const child of member.children) visit(child, table);
    if (member.kind !== "view") return;
    for (const [oid] of member.dependencies) {
      const base = recorder.catalog.relationByOid(oid);
      if (base !== undefined) visit(base, base);
    }
  };
  visit(relation, relation);
  return found;
}

function renumbered(unique: Unique, from: Relation, to: Relation): Unique {
  const number = (attnum: number): number => {
    const name = from.columns.find((column) => column.attnum === attnum)?.name;
    return (name === undefined ? undefined : to.column(name)?.attnum) ?? 0;
  };
  const columns = unique.columns?.map(number);
  return { ...unique, columns: columns?.includes(0) ? undefined : columns, computed: unique.computed.map(number) };
}

function columnsOf(relation: Relation, unique: Unique): readonly Column[] {
  return relation.columns.filter((column) => unique.columns?.includes(column.attnum) ?? true);
}
