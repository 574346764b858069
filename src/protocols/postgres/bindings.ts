// Tags stay with the object that they were given to: names of the classification are bound to OIDs, so that a rename sheds no tag.
import { splitName } from "../../sql/postgres/tags.ts";
import type { CatalogQuery } from "../../sql/postgres/catalog.ts";

/** For each key of the classification the object that it named: a schema, a relation, or a column of it (attribute above 0). */
export type Bound = {
  readonly key: string;
  readonly schema: boolean;
  readonly oid: number;
  readonly attribute: number;
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

/** Reads what the objects of earlier bindings are called now, and binds what the classification names now. */
export async function rebind(
  query: CatalogQuery,
  classification: Tags,
  earlier: Bindings | undefined,
): Promise<Rebound> {
  const database = (await query(databaseSql))[0]?.[0] ?? "";
  const keys = Object.keys(classification).map((key) => ({ key, parts: splitName(key) ?? [] }));
  const kept =
    earlier?.database === database ? earlier.bound.filter((one) => Object.hasOwn(classification, one.key)) : [];
  const effective: { [key: string]: readonly string[] } = { ...classification };
  const changes: string[] = [];
  const bound = new Map<string, Bound>();
  const id = (one: Bound): string => `${one.key}\0${one.schema}\0${one.oid}\0${one.attribute}`;
  for (const [at, schema, relation, column] of kept.length === 0 ? [] : await query(namesSql(kept))) {
    const one = kept[Number(at)]!;
    bound.set(id(one), one);
    const name = [schema, relation, column]
      .filter((part) => part !== null)
      .map((part) => quoted(part!))
      .join(".");
    if (splitName(name)?.join("\0") === splitName(one.key)?.join("\0")) continue;
    effective[name] = [...new Set([...(effective[name] ?? []), ...classification[one.key]!])];
    changes.push(`${one.key} is now called ${name}: it keeps its tags`);
  }
  for (const [at, oid, attribute] of keys.length === 0 ? [] : await query(oidsSql(keys.map(({ parts }) => parts)))) {
    const { key, parts } = keys[Number(at)]!;
    const one: Bound = { key, schema: parts.length === 1, oid: Number(oid), attribute: Number(attribute) };
    const before = kept.filter((other) => other.key === key);
    if (before.length > 0 && !before.some((other) => id(other) === id(one)))
      changes.push(`${key} names another object than before: both are tagged`);
    bound.set(id(one), one);
  }
  for (const { key } of keys)
    if (![...bound.values()].some((one) => one.key === key)) changes.push(`${key} names nothing in the database`);
  return { classification: effective, bindings: { database, bound: [...bound.values()] }, changes };
}

const databaseSql =
  "SELECT concat((SELECT system_identifier FROM pg_catalog.pg_control_system()), '/', (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))";

function namesSql(bound: readonly Bound[]): string {
  const relations = bound.flatMap((one, at) => (one.schema ? [] : [`(${at}, ${one.oid}::oid, ${one.attribute})`]));
  const schemas = bound.flatMap((one, at) => (one.schema ? [`(${at}, ${one.oid}::oid)`] : []));
  const parts: string[] = [];
  if (relations.length > 0) {
    parts.push(`SELECT v.at, n.nspname::text, c.relname::text, a.attname::text FROM (VALUES ${relations.join(", ")}) v(at, oid, attribute)
      JOIN pg_catalog.pg_class c ON c.oid = v.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = v.attribute AND a.attnum > 0 AND NOT a.attisdropped
      WHERE v.attribute = 0 OR a.attnum IS NOT NULL`);
  }
  if (schemas.length > 0) {
    parts.push(
      `SELECT v.at, n.nspname::text, NULL, NULL FROM (VALUES ${schemas.join(", ")}) v(at, oid) JOIN pg_catalog.pg_namespace n ON n.oid = v.oid`,
    );
  }
  return parts.join(" UNION ALL ");
}

function oidsSql(keys: readonly (readonly string[])[]): string {
  const values = keys.map(
    (parts, at) =>
      `(${at}, ${[0, 1, 2].map((i) => (parts[i] === undefined ? "NULL::text" : `${literal(parts[i])}::text`)).join(", ")})`,
  );
  return `SELECT v.at, CASE WHEN v.relation IS NULL THEN n.oid ELSE c.oid END, coalesce(a.attnum, 0) FROM (VALUES ${values.join(", ")}) v(at, schema, relation, attribute)
    JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema
    LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.relation
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = v.attribute AND a.attnum > 0 AND NOT a.attisdropped
    WHERE (v.relation IS NULL OR c.oid IS NOT NULL) AND (v.attribute IS NULL OR a.attnum IS NOT NULL)`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function quoted(part: string): string {
  return /[".]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part;
}
