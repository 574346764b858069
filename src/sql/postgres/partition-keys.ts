// The columns by whose values rows are put into partitions: which partition a row is in tells of them.
import type { Column, Relation } from "./model.ts";

/** Of the tables, at all levels, of which the relation is a partition: that a row is in it tells of them. */
export function keysAbove(relation: Relation): ReadonlySet<Column> {
  const names = new Set<string>();
  for (let above = tableOf(relation); above !== undefined; above = tableOf(above))
    for (const column of keyOf(above)) names.add(column.name);
  return named(relation, names);
}

/** Of the relation and of its partitions that are partitioned themselves: in which partition a row is tells of them. */
export function keysBelow(relation: Relation): ReadonlySet<Column> {
  const names = new Set<string>();
  const add = (each: Relation): void => {
    if (each.kind !== "partitioned_table") return;
    for (const column of keyOf(each)) names.add(column.name);
    for (const child of each.children) add(child);
  };
  add(relation);
  return named(relation, names);
}

function tableOf({ parents }: Relation): Relation | undefined {
  return parents.find((parent) => parent.kind === "partitioned_table");
}

function keyOf({ columns, partitionKey, partitionExpressions }: Relation): readonly Column[] {
  // An expression over no column of its own may be over the whole row.
  if (partitionKey.includes(0) && partitionExpressions.length === 0) return columns;
  return columns.filter(({ attnum }) => partitionKey.includes(attnum) || partitionExpressions.includes(attnum));
}

/** A partition has all columns of its table, by the same names. */
function named(relation: Relation, names: ReadonlySet<string>): ReadonlySet<Column> {
  return new Set(names.size === 0 ? [] : relation.columns.filter((column) => names.has(column.name)));
}
