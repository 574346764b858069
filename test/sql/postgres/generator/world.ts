// What generated statements can name: relations with their columns and types, read from the server.
import type { CatalogQuery } from "../../../../src/sql/postgres/catalog.ts";

export type Field = { readonly name: string; readonly type: string; readonly attnum?: number };
export type Table = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind */
  readonly kind: string;
  readonly fields: readonly Field[];
  /** In the search path under its name alone. */
  readonly visible: boolean;
};

export type World = {
  /** 14 to 18. */
  readonly version: number;
  readonly tables: readonly Table[];
  /** Row types by name, with their fields. */
  readonly rows: ReadonlyMap<string, readonly Field[]>;
};

/** Types that have rows: `"customers"`, `lab.point3`; the names are those of format_type along the path. */
export async function readWorld(query: CatalogQuery): Promise<World> {
  const version = Math.floor(Number((await query("SHOW server_version_num"))[0]![0]) / 10_000);
  const rows = await query(`
    SELECT c.oid, n.nspname, c.relname, c.relkind, pg_table_is_visible(c.oid), a.attname, format_type(a.atttypid, -1), format_type(c.reltype, -1), a.attnum
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname IN ('public', 'hr', 'app', 'lab') AND c.relkind IN ('r', 'p', 'v', 'm', 'c') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY n.nspname, c.relname, a.attnum`);
  const tables = new Map<string, Table & { fields: Field[] }>();
  const types = new Map<string, Field[]>();
  for (const [oid, schema, name, kind, visible, field, type, rowType, attnum] of rows as string[][]) {
    let table = tables.get(oid!);
    if (table === undefined) {
      table = { oid: Number(oid), schema: schema!, name: name!, kind: kind!, fields: [], visible: visible === "t" };
      tables.set(oid!, table);
      types.set(rowType!, table.fields);
    }
    table.fields.push({ name: field!, type: plain(type!), attnum: Number(attnum) });
  }
  return { version, tables: [...tables.values()].filter((table) => table.kind !== "c"), rows: types };
}

/** One name for types that mix freely. */
function plain(type: string): string {
  if (type === "character varying" || type === "handle") return "text";
  if (type === "timestamp with time zone") return "timestamptz";
  if (type === "integer" || type === "positive") return "int";
  if (type === "integer[]") return "int[]";
  return type === "boolean" ? "bool" : type === "double precision" ? "float8" : type;
}

const WORDS = new Set([
  "select",
  "order",
  "group",
  "user",
  "table",
  "all",
  "end",
  "limit",
  "offset",
  "lateral",
  "row",
  "left",
  "c",
]);
/** As it must be written. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && (!WORDS.has(name) || name === "c")
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}
