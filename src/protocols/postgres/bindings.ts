// Tags stay with the object that they were given to: names of the classification are bound to OIDs, so that a rename sheds no tag.
import type { CatalogQuery } from "../../sql/postgres/catalog.ts";
import { type CatalogStore, columnsOf, type Row } from "../../sql/postgres/catalog-store.ts";
import { splitName } from "../../core/qualified-name.ts";
import { carriersOf } from "./carried.ts";

/** For each key of the classification the object that it named: a schema, a relation, or a column of it (attribute above 0). */
export type Bound = {
  readonly key: string;
  readonly schema: boolean;
  readonly oid: number;
  readonly attribute: number;
  /** The key names another, from which its tags came to this one: it keeps them, for its rows stay when the way between the two is cut. */
  readonly carried?: true;
};
/** `database` tells one database from another that took its place (restored, recreated): there OIDs mean something else. */
export type Bindings = { readonly database: string; readonly bound: readonly Bound[] };

/** Keeps bindings across restarts of the gate. */
export type BindingStore = {
  read(resource: string): Bindings | undefined;
  write(resource: string, bindings: Bindings): void;
};

export type Rebound = {
  /** The classification, with what bound objects are called now. */
  readonly classification: { readonly [key: string]: readonly string[] };
  readonly bindings: Bindings;
  /** For the operator: what was renamed, dropped or made anew. */
  readonly changes: readonly string[];
};

type Tags = { readonly [key: string]: readonly string[] };

/** What the objects of earlier bindings are called now, and what the classification names now. `database`: as databaseOf tells it. */
export function rebind(
  store: CatalogStore,
  classification: Tags,
  earlier: Bindings | undefined,
  database: string,
): Rebound {
  const keys = Object.keys(classification).map((key) => ({ key, parts: splitName(key) ?? [] }));
  const known =
    earlier?.database === database ? earlier.bound.filter((one) => Object.hasOwn(classification, one.key)) : [];
  const kept = known.filter((one) => one.carried !== true);
  const effective: { [key: string]: readonly string[] } = { ...classification };
  const changes: string[] = [];
  const bound = new Map<string, Bound>();
  const found = objectsNamed(
    store,
    keys.map(({ parts }) => parts),
  );
  for (const one of kept) {
    const parts = nameOf(store, one);
    if (parts === undefined) continue;
    bound.set(idOf(one), one);
    if (parts.join("\0") === splitName(one.key)?.join("\0")) continue;
    const name = tag(one, parts);
    changes.push(`${one.key} is now called ${name}: it keeps its tags`);
  }
  for (const [at, { key, parts }] of keys.entries()) {
    const object = found[at];
    if (object === undefined) continue;
    const one: Bound = { key, schema: parts.length === 1, ...object };
    const before = kept.filter((other) => other.key === key);
    if (before.length > 0 && !before.some((other) => idOf(other) === idOf(one)))
      changes.push(`${key} names another object than before: both are tagged`);
    bound.set(idOf(one), one);
  }
  const named = new Set([...bound.values()].map((one) => one.key));
  for (const { key } of keys) if (!named.has(key)) changes.push(`${key} names nothing in the database`);
  const carriers = carriersOf(store, [...bound.values()]);
  for (const one of carriers) if (!bound.has(idOf(one))) bound.set(idOf(one), one);
  const cut = known.filter((one) => one.carried === true && !bound.has(idOf(one)));
  for (const one of cut) {
    const parts = nameOf(store, one);
    if (parts === undefined) continue;
    bound.set(idOf(one), one);
    changes.push(`${tag(one, parts)} keeps the tags that came to it from ${one.key}`);
  }
  for (const one of carriersOf(store, cut)) if (!bound.has(idOf(one))) bound.set(idOf(one), one);
  return { classification: effective, bindings: { database, bound: [...bound.values()] }, changes };

  /** Says its name. */
  function tag(one: Bound, parts: readonly string[]): string {
    const name = parts.map(quoted).join(".");
    effective[name] = [...new Set([...(effective[name] ?? []), ...classification[one.key]!])];
    return name;
  }
}

/** One object, for one key. */
export function idOf(one: Bound): string {
  return `${one.key}\0${one.schema}\0${one.oid}\0${one.attribute}`;
}

/** Tells the database from others. */
export async function databaseOf(query: CatalogQuery): Promise<string> {
  return (await query(databaseSql))[0]?.[0] ?? "";
}

const databaseSql =
  "SELECT concat((SELECT system_identifier FROM pg_catalog.pg_control_system()), '/', (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))";

/** The parts of its name; undefined if it is gone. */
function nameOf(store: CatalogStore, { schema, oid, attribute }: Bound): string[] | undefined {
  if (schema) {
    const name = store.of("schemas", 0).find((row) => Number(row[0]) === oid)?.[1];
    return name === undefined ? undefined : [name!];
  }
  const row = store.of("relations", oid)[0];
  if (row === undefined) return undefined;
  if (attribute === 0) return [row[1]!, row[2]!];
  const column = columnsOf(row).find(([number]) => number === attribute);
  return column === undefined ? undefined : [row[1]!, row[2]!, column[1]];
}

/** For each name the object that has it. */
function objectsNamed(
  store: CatalogStore,
  names: readonly (readonly string[])[],
): readonly (Pick<Bound, "oid" | "attribute"> | undefined)[] {
  const schemas = new Map(store.of("schemas", 0).map((row) => [row[1]!, Number(row[0])]));
  const wanted = new Map<string, Row | undefined>();
  for (const [schema, relation] of names) if (relation !== undefined) wanted.set(`${schema}\0${relation}`, undefined);
  if (wanted.size > 0)
    for (const row of store.rows("relations")) {
      const name = `${row[1]}\0${row[2]}`;
      if (wanted.has(name)) wanted.set(name, row);
    }
  return names.map(([schema, relation, column]) => {
    if (relation === undefined) {
      const oid = schemas.get(schema ?? "");
      return oid === undefined ? undefined : { oid, attribute: 0 };
    }
    const row = wanted.get(`${schema}\0${relation}`);
    if (row === undefined) return undefined;
    if (column === undefined) return { oid: Number(row[0]), attribute: 0 };
    const attribute = columnsOf(row).find(([, name]) => name === column)?.[0];
    return attribute === undefined ? undefined : { oid: Number(row[0]), attribute };
  });
}

function quoted(part: string): string {
  return /[".]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part;
}
