// Expressions in definitions: over the columns of the relation that they are attached to. What such an expression compares, others learn later.
import type { Node, PartitionBoundSpec, RangeVar } from "libpg-query";
import { expression } from "./expressions.ts";
import type { Relation } from "./model.ts";
import { stringOf } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Item } from "./scope.ts";
import { derivedItem, relationItem, Scope } from "./scope.ts";
import type { Member, Value } from "./value.ts";
import { CONSTANT } from "./value.ts";

export function relationOf(recorder: Recorder, range: RangeVar | undefined): Relation | undefined {
  return range === undefined
    ? undefined
    : recorder.catalog.resolveRelation(range.schemaname, range.relname ?? "", recorder.path);
}

/** `added`: columns that the statement itself adds, of which no row has a value yet. */
export function scopeOver(relation: Relation | undefined, name: string, added: readonly string[] = []): Scope {
  const fresh: Member[] = added.map((column) => ({ name: column, value: CONSTANT }));
  if (relation === undefined)
    return new Scope(undefined, [derivedItem(name, { members: fresh, open: true }, [])], undefined);
  const item = relationItem(relation, undefined, []);
  if (fresh.length === 0) return new Scope(undefined, [item], undefined);
  return new Scope(undefined, [{ ...item, members: [...item.members, ...fresh] }], undefined);
}

/** `old` and `new` of triggers and rules. */
export function scopeOfRows(relation: Relation | undefined): Scope {
  const row = (name: string): Item =>
    relation === undefined
      ? derivedItem(name, { members: [], open: true }, [])
      : { ...relationItem(relation, name, []) };
  return new Scope(undefined, [row("old"), row("new")], undefined);
}

/** What it depends on, noted with that use. */
export function defined(recorder: Recorder, node: Node | undefined, scope: Scope, use: number = USE.expression): Value {
  const before = recorder.stores;
  recorder.stores = true;
  const value = expression(recorder, node, scope);
  recorder.stores = before;
  recorder.use(value, use);
  return value;
}

/** The bounds of a partition are computed at once, and shown to whoever asks for the definition. */
export function bounds(recorder: Recorder, spec: PartitionBoundSpec | undefined): void {
  // MINVALUE and MAXVALUE read as names.
  for (const datum of [spec?.listdatums, spec?.lowerdatums, spec?.upperdatums].flatMap((data) => data ?? []))
    if (!("ColumnRef" in datum)) defined(recorder, datum, new Scope(undefined, [], undefined));
}

/** Columns that are named by strings. Without a use, they are only named: nothing tells their values. */
export function namedColumns(
  recorder: Recorder,
  relation: Relation | undefined,
  nodes: readonly Node[] | undefined,
  use = 0,
): void {
  for (const node of nodes ?? []) {
    const column = relation?.column(stringOf(node) ?? "");
    if (column !== undefined) recorder.names(column.value, use);
  }
}

/** The elements of an index, an exclusion or statistics: columns, or expressions over them. */
export function elements(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope, use: number): void {
  const relation = scope.items[0]?.relation;
  for (const node of nodes ?? []) {
    const element = "IndexElem" in node ? node.IndexElem : "StatsElem" in node ? node.StatsElem : undefined;
    if (element?.name !== undefined) namedColumns(recorder, relation, [{ String: { sval: element.name } }], use);
    if (element?.expr !== undefined) defined(recorder, element.expr, scope);
  }
}
