// A real server with the rich schema, the catalog that is read from it, and what it says of a statement without running it.
import { after } from "node:test";
import type { ClientBase } from "pg";
import pg from "pg";
import { analyze, type DescribedField, type NameScope } from "../../../src/sql/postgres/analyze.ts";
import type { Catalog, CatalogQuery } from "../../../src/sql/postgres/catalog.ts";
import { loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { ready } from "../../../src/sql/postgres/parser.ts";
import { startServer } from "../../support/server.ts";
import { classification, schemaSql } from "./schema.ts";

export const SCOPE: NameScope = {
  session: {
    path: ["$user", "public"],
    temporary: undefined,
    restores: "nothing",
    usable: () => ({ has: (schema) => ["public", "app", "hr", "pg_catalog"].includes(schema) }),
  },
  searchPath: ["pg_catalog", "public"],
  user: "postgres",
  prepared: () => [],
  cursor: () => [],
};

export type Rich = {
  readonly client: pg.Client;
  readonly catalog: Catalog;
  readonly query: CatalogQuery;
  load(): Promise<Catalog>;
};

/** Ends with the test file. */
export async function startRich(setup = schemaSql, tags: unknown = classification): Promise<Rich> {
  await ready();
  const server = await startServer({ setup: () => [] });
  const client = new pg.Client({ connectionString: server.url("postgres", "postgres") });
  // The server may be stopped first.
  client.on("error", () => undefined);
  await client.connect();
  after(() => client.end());
  await client.query(setup);
  const query = queryOf(client);
  const load = () => loadCatalog(query, tags);
  return { client, query, load, catalog: await load() };
}

/** How the text uses tagged columns: `table.column: uses`. */
export function taggedUses(catalog: Catalog, text: string, user = SCOPE.user): string {
  const { facts } = analyze(text, catalog, { ...SCOPE, user }).statements[0]!;
  return facts.columns
    .filter((column) => column.tags.length > 0)
    .map((column) => `${column.table}.${column.column}: ${column.uses}`)
    .sort()
    .join("; ");
}

const asText = { getTypeParser: () => (value: string) => value };
export function queryOf(client: ClientBase): CatalogQuery {
  return async (sql) => (await client.query({ text: sql, rowMode: "array", types: asText as never })).rows;
}

/** The fields that the server describes for a statement (Parse, Describe, Sync: it does not run); undefined where it has none. */
export function describe(client: pg.Client, text: string): Promise<readonly DescribedField[] | undefined> {
  return new Promise((resolve, reject) => {
    const query = {
      submit(connection: Connection) {
        connection.parse({ name: "", text, types: [] });
        connection.describe({ type: "S", name: "" });
        connection.sync();
      },
      fields: undefined as readonly DescribedField[] | undefined,
      handleRowDescription(message: {
        fields: { name: string; tableID: number; columnID: number; dataTypeID: number }[];
      }) {
        this.fields = message.fields.map((field) => ({
          name: field.name,
          tableOid: field.tableID >>> 0,
          attribute: (field.columnID << 16) >> 16,
          typeOid: field.dataTypeID,
        }));
      },
      handleError(error: Error) {
        // The client tells a query of its error only, not of the end that follows.
        reject(error);
      },
      handleReadyForQuery() {
        resolve(this.fields);
      },
    };
    client.query(query as never);
  });
}
type Connection = {
  parse(query: { name: string; text: string; types: number[] }): void;
  describe(message: { type: "S"; name: string }): void;
  sync(): void;
};
