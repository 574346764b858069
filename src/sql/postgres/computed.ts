// What the server computes of a changed row (for its indexes, generated columns and partition) tells of columns that it keeps.
import { expressionsIn, rowItem } from "./attached-expressions.ts";
import type { Assigned } from "./checks.ts";
import { expression } from "./expressions.ts";
import type { Column, Computed, Relation } from "./model.ts";
import { keysAbove, keysBelow } from "./partition-keys.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { Scope } from "./scope.ts";
import { byNullness, type Value } from "./value.ts";

/** Told of the columns that are tagged. `shown`: the table itself, or the one of which it is a partition. */
export function meetsComputed(recorder: Recorder, relation: Relation, shown: Relation, assigned: Assigned): void {
  if (!shown.tagged) return;
  for (const computed of relation.computed) compute(recorder, computed, relation, shown, assigned);
  if (relation !== shown) return;
  // A row stays within the bounds of its partition, or moves to where all of the keys below say.
  const keys = [...keysAbove(relation), ...keysBelow(relation)];
  if (keys.some((column) => isWritten(column, assigned))) tells(recorder, keys, assigned);
}

function compute(
  recorder: Recorder,
  { decides, columns, definition }: Computed,
  relation: Relation,
  shown: Relation,
  assigned: Assigned,
): void {
  const about = named(relation, shown, columns);
  if (!about.some((column) => isWritten(column, assigned))) return;
  const values = readOfRow(recorder, definition, relation, shown);
  // What cannot be read may fail for anything that it is about.
  if (values === undefined) tells(recorder, about, assigned);
  for (const value of values ?? [])
    if (decides || (!value.total && value.sources.some((column) => isWritten(column, assigned))))
      tells(recorder, value.sources, assigned, byNullness(value));
}

/** What the expressions depend on; undefined where they cannot be read. */
export function readOfRow(
  recorder: Recorder,
  definition: string,
  relation: Relation,
  shown: Relation,
): readonly Value[] | undefined {
  recorder.spend(shown.columns.length);
  const own = recorder.within();
  const scope = new Scope(undefined, [rowItem(relation.name, shown.wholeRow, true)], undefined);
  const values = expressionsIn(definition).map((node) => expression(own, node, scope));
  return values.length === 0 || own.unresolved ? undefined : values;
}

function tells(recorder: Recorder, columns: readonly Column[], assigned: Assigned, byNull?: ReadonlySet<Column>): void {
  for (const column of columns)
    for (const one of madeOf(column))
      if (one.source.tags.length > 0 && assigned.get(one.name) !== true)
        recorder.use(one.value, one === column && byNull?.has(column) ? USE.nullness : USE.filter);
}

function isWritten(column: Column, assigned: Assigned): boolean {
  return madeOf(column).some(({ name }) => assigned.has(name));
}

/** A generated column is what it is generated from. */
function madeOf(column: Column): readonly Column[] {
  const bases = column.relation.generated.get(column.attnum);
  return bases === undefined ? [column] : column.relation.columns.filter(({ attnum }) => bases.includes(attnum));
}

/** A partition numbers its columns in its own way. */
function named(relation: Relation, shown: Relation, numbers: readonly number[]): readonly Column[] {
  return relation.columns
    .filter(({ attnum }) => numbers.includes(attnum) || numbers.includes(0))
    .flatMap(({ name }) => shown.column(name) ?? []);
}
