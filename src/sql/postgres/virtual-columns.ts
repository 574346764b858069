// Virtual generated columns: not stored, but computed whenever they are read, as a view's columns are.
import { expressionsIn, rowItem } from "./attached-expressions.ts";
import type { Catalog } from "./catalog.ts";
import { expression } from "./expressions.ts";
import type { Column, Relation } from "./model.ts";
import { Recorder } from "./recorder.ts";
import { Scope } from "./scope.ts";
import { CONSTANT, OPAQUE, type Value } from "./value.ts";

/** What reading the column means, over the columns of its table that are stored; `family`: whose rows are read through it, and from where it comes. */
export function virtualValue(
  relation: Relation,
  name: string,
  stored: readonly Column[],
  family: readonly Relation[],
  catalog: Catalog,
): Value {
  const own = definitionOf(relation, name);
  const value = own === undefined ? undefined : read(relation, own, stored, catalog);
  const anything = { ...OPAQUE, sources: stored };
  if (value === undefined) return anything;
  // A child may compute another expression.
  return family.every((member) => (definitionOf(member, name) ?? own) === own) ? value : anything;
}

function definitionOf(relation: Relation, name: string): string | undefined {
  if (relation.virtual.size === 0) return undefined;
  const row = relation.rows().find((each) => each.name === name);
  return row === undefined ? undefined : relation.virtual.get(row.attnum);
}

function read(relation: Relation, definition: string, stored: readonly Column[], catalog: Catalog): Value | undefined {
  const [node] = expressionsIn(definition);
  if (node === undefined) return undefined;
  const recorder = new Recorder(catalog, ["pg_catalog"], { running: undefined, bound: true });
  const row = { ...CONSTANT, row: stored.map((column) => ({ name: column.name, value: column.value })) };
  try {
    const value = expression(recorder, node, new Scope(undefined, [rowItem(relation.name, row, true)], undefined));
    return recorder.unresolved || recorder.opaque ? undefined : value;
  } catch {
    // Too deep, or too much of it.
    return undefined;
  }
}
