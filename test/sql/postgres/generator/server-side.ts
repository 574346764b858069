// Asks the server about a statement without running it: what its result looks like, and its analysed tree.
import type pg from "pg";
import type { DescribedField } from "../../../../src/sql/postgres/analyze.ts";
import type { CatalogQuery } from "../../../../src/sql/postgres/catalog.ts";
import { describe } from "../support.ts";
import { isNode, nodesOf, readTree } from "./node-tree.ts";
import type { Origin, ServerLineage } from "./server-lineage.ts";
import { serverLineage } from "./server-lineage.ts";
import type { World } from "./world.ts";

export type Asked = { readonly fields: readonly DescribedField[]; readonly lineage: ServerLineage };

export class ServerSide {
  readonly client: pg.Client;
  readonly #query: CatalogQuery;
  readonly #columns = new Map<number, number[]>();
  readonly #keys = new Map<number, readonly number[]>();
  readonly #views = new Map<number, ServerLineage>();
  /** For each column of a view: the column that it is, undefined where it is computed. */
  readonly #bare = new Map<Origin, Origin | undefined>();
  #tree: string | undefined;

  private constructor(client: pg.Client, query: CatalogQuery, world: World) {
    this.client = client;
    this.#query = query;
    for (const table of world.tables)
      this.#columns.set(
        table.oid,
        table.fields.map((field) => field.attnum!),
      );
    client.on("notice", (notice) => {
      if (notice.message === "parse tree:") this.#tree ??= notice.detail;
    });
  }

  static async start(client: pg.Client, query: CatalogQuery, world: World): Promise<ServerSide> {
    const server = new ServerSide(client, query, world);
    await server.#readKeys();
    await server.#readViews(world);
    await server.listen(true);
    return server;
  }

  /** While it listens, the server sends the tree of each statement that it analyses. */
  async listen(on: boolean): Promise<void> {
    await this.client.query(
      on
        ? "SET client_min_messages = log; SET log_min_messages = panic; SET debug_pretty_print = off; SET debug_print_parse = on"
        : "SET debug_print_parse = off; SET client_min_messages = warning",
    );
  }

  /** Undefined: the server refuses it. */
  async ask(text: string): Promise<Asked | undefined> {
    this.#tree = undefined;
    const fields = await describe(this.client, text).catch(() => undefined);
    if (fields === undefined || this.#tree === undefined) return undefined;
    const tree = readTree(this.#tree);
    if (!isNode(tree)) throw new Error("no tree");
    return { fields, lineage: serverLineage(tree, this) };
  }

  /** What the server records as dependencies of a view of this query: `OID:0` for relations, `OID:number` for columns. Undefined: it makes none. */
  async dependencies(text: string, columns: number): Promise<readonly Origin[] | undefined> {
    const names = Array.from({ length: columns }, (_, at) => `c${at}`);
    await this.client.query("BEGIN; SET LOCAL debug_print_parse = off; SET LOCAL client_min_messages = warning");
    try {
      await this.client.query(
        `CREATE TEMP VIEW generated_view${columns === 0 ? "" : ` (${names.join(", ")})`} AS ${text}`,
      );
      const rows = await this.#query(
        `SELECT d.refobjid, d.refobjsubid FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
         WHERE r.ev_class = 'generated_view'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class`,
      );
      return rows.map(([oid, attribute]) => `${oid}:${attribute}`);
    } catch {
      return undefined;
    } finally {
      await this.client.query("ROLLBACK");
    }
  }

  attributes(oid: number): readonly number[] {
    return this.#columns.get(oid) ?? [];
  }

  /** Of a table that none inherits from. */
  primaryKey(oid: number): readonly number[] | undefined {
    return this.#keys.get(oid);
  }

  async #readKeys(): Promise<void> {
    const rows = await this.#query(
      `SELECT conrelid, conkey FROM pg_constraint WHERE contype = 'p' AND NOT condeferrable
       AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE inhparent = conrelid AND c.relkind = 'r')`,
    );
    for (const [oid, columns] of rows) this.#keys.set(Number(oid), columns!.slice(1, -1).split(",").map(Number));
  }

  async #readViews(world: World): Promise<void> {
    const views = world.tables.filter((table) => table.kind === "v" || table.kind === "m").map((table) => table.oid);
    const rows = await this.#query(
      `SELECT ev_class, ev_action FROM pg_rewrite WHERE rulename = '_RETURN' AND ev_class IN (${views.join(", ")})`,
    );
    for (const [oid, action] of rows) {
      const query = nodesOf(readTree(action!))[0]!;
      this.#views.set(Number(oid), serverLineage(query, this));
      nodesOf(query.targetList).forEach((target, at) => {
        const bare =
          target.resorigtbl === "0" || target.resorigcol === "0"
            ? undefined
            : `${String(target.resorigtbl)}:${String(target.resorigcol)}`;
        this.#bare.set(`${oid}:${at + 1}`, bare);
      });
    }
  }

  /** Is it a table's column, or through views no other than one? */
  isBare(origin: Origin): boolean {
    if (!this.#bare.has(origin)) return true;
    const behind = this.#bare.get(origin);
    return behind !== undefined && this.isBare(behind);
  }

  /** A view's columns and all that is behind them. */
  closure(origins: Iterable<Origin>): Set<Origin> {
    const all = new Set<Origin>();
    const left = [...origins];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (all.has(next)) continue;
      all.add(next);
      const [oid, attribute] = next.split(":").map(Number) as [number, number];
      left.push(...(this.#views.get(oid)?.outputs[attribute - 1] ?? []));
    }
    return all;
  }

  /** Relations, with those that views read, and the columns that decide which rows these have. */
  behind(relations: Iterable<number>): { relations: Set<number>; deciding: Set<Origin> } {
    const all = new Set<number>();
    const deciding = new Set<Origin>();
    const left = [...relations];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (all.has(next)) continue;
      all.add(next);
      const view = this.#views.get(next);
      if (view === undefined) continue;
      left.push(...view.relations);
      for (const origin of this.closure(view.deciding)) deciding.add(origin);
    }
    return { relations: all, deciding };
  }
}
