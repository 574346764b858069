// Where the tags of bound objects have come to: down to partitions and children, to what is generated from a column, and from a schema to its tables.
import { type CatalogStore, columnsOf, type Row } from "../../sql/postgres/catalog-store.ts";
import type { Bound } from "./bindings.ts";

/** pg_class.relkind of what has rows. */
const HAS_ROWS: ReadonlySet<string> = new Set(["r", "p", "f", "m"]);

/** What carries the tags of these objects now, each for its key; the objects themselves are left out. */
export function carriersOf(store: CatalogStore, bound: readonly Bound[]): readonly Bound[] {
  if (bound.length === 0) return [];
  const children = grouped(store.rows("inheritance"), 1, 0);
  const generated = new Map<number, (readonly [column: number, base: number])[]>();
  for (const [relation, column, base] of store.rows("generated"))
    push(generated, relation, [Number(column), Number(base)]);
  const tables = bound.some((one) => one.schema) ? tablesBySchema(store) : undefined;
  const carriers = new Map<string, Bound>();
  for (const { key, schema, oid, attribute } of bound) {
    const add = (relation: number, number: number): boolean => {
      if (relation === oid && number === attribute && !schema) return true;
      const id = `${key}\0${relation}\0${number}`;
      if (carriers.has(id)) return false;
      carriers.set(id, { key, schema: false, oid: relation, attribute: number, carried: true });
      return true;
    };
    const whole = (relation: number): void => {
      if (add(relation, 0)) for (const child of children.get(relation) ?? []) whole(child);
    };
    const column = (relation: number, name: string): void => {
      const row = store.of("relations", relation)[0];
      const number = row && columnsOf(row).find((each) => each[1] === name)?.[0];
      if (number === undefined || !add(relation, number)) return;
      for (const [made, base] of generated.get(relation) ?? []) if (base === number) add(relation, made);
      for (const child of children.get(relation) ?? []) column(child, name);
    };
    if (schema) for (const table of tables?.get(oid) ?? []) whole(table);
    else if (attribute === 0) whole(oid);
    else {
      const row = store.of("relations", oid)[0];
      const name = row && columnsOf(row).find((each) => each[0] === attribute)?.[1];
      if (name !== undefined) column(oid, name);
    }
  }
  return [...carriers.values()];
}

function tablesBySchema(store: CatalogStore): ReadonlyMap<number, readonly number[]> {
  const schemas = new Map(store.of("schemas", 0).map((row) => [row[1]!, Number(row[0])]));
  const tables = new Map<number, number[]>();
  for (const row of store.rows("relations")) {
    const schema = schemas.get(row[1]!);
    if (schema !== undefined && HAS_ROWS.has(row[3]!)) push(tables, schema, Number(row[0]));
  }
  return tables;
}

function grouped(rows: Iterable<Row>, by: number, value: number): ReadonlyMap<number, readonly number[]> {
  const groups = new Map<number, number[]>();
  for (const row of rows) push(groups, row[by], Number(row[value]));
  return groups;
}

function push<T>(groups: Map<number, T[]>, key: string | number | null | undefined, value: T): void {
  const group = groups.get(Number(key));
  if (group === undefined) groups.set(Number(key), [value]);
  else group.push(value);
}
