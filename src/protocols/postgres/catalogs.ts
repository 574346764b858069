// The catalog of one upstream database, shared by its sessions: read over the gate's own connection, read anew on demand.
import type { StoredColumn } from "../../core/detokenize.ts";
import { RegateError } from "../../errors.ts";
import { type Catalog, type CatalogQuery, catalogOf } from "../../sql/postgres/catalog.ts";
import { type Reading, readStore } from "../../sql/postgres/catalog-read.ts";
import type { CatalogStore } from "../../sql/postgres/catalog-store.ts";
import { splitName } from "../../core/qualified-name.ts";
import type { ShimLog } from "../shim.ts";
import { PREPARE_CHECK, SNAPSHOT, unchanged } from "../../sql/postgres/catalog-versions.ts";
import { type Bindings, type BindingStore, databaseOf, rebind, type Rebound } from "./bindings.ts";
import { Uncommitted } from "./uncommitted.ts";
import { CatalogCheck, type CheckInterval } from "./catalog-check.ts";
import { OwnConnection } from "./connection.ts";
import type { UpstreamTarget } from "./upstream.ts";

/** Reads that an unknown name asks for start at least this far apart, so that misspelled names cannot keep the server busy. */
const searchIntervalMs = 250;

/** How often the server's own objects are looked at for a change: only a superuser who tampers with them makes one. */
const serversOwnMs = 1000;

/** Roles whose schemas are kept. */
const rolesKept = 1000;

/** Fails for no role: one that does not exist may use nothing. */
function usableSchemas(role: string): string {
  return `SELECT nspname FROM pg_catalog.pg_namespace n, pg_catalog.pg_roles r
    WHERE r.rolname = '${role.replaceAll("'", "''")}' AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')`;
}

/** When a catalog with locked-away definitions is read again. */
const incompleteMs = 1000;

export type CatalogOptions = {
  readonly resource: string;
  /** The bundle's `data.classification[resource]`. */
  readonly classification: () => unknown;
  readonly bindings: BindingStore;
  readonly log: ShimLog;
  readonly check: CheckInterval;
};

function isTags(value: unknown): value is { readonly [key: string]: readonly string[] } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([key, tags]) =>
      splitName(key) !== undefined && Array.isArray(tags) && tags.every((tag) => typeof tag === "string"),
  );
}

export class Catalogs {
  /** Notices what was changed past the gate. */
  readonly check: CatalogCheck;
  #current: Catalog | undefined;
  /** What the catalog was made of: the rows, how they were tagged, and what tells when they change. */
  #reading: Reading | undefined;
  #tags = "";
  /** The last snapshot of the server at which nothing had changed, and when that was asked of the server's own objects, too. */
  #seen = "";
  #allSeen = Number.NEGATIVE_INFINITY;
  /** The relations whose columns some analysis has seen. */
  readonly #looked = new Set<number>();
  readonly #look = (oid: number): void => void this.#looked.add(oid);
  #turn: Promise<unknown> = Promise.resolve();
  #busy = 0;
  #database = "";
  #connection: OwnConnection | undefined;
  #loading: Promise<Catalog> | undefined;
  /** Bumped when somebody saw that the catalog may have changed: a read that began earlier does not count. */
  #wanted = 1;
  #have = 0;
  #lastSearch = 0;
  readonly #uncommitted = new Uncommitted();
  readonly #target: UpstreamTarget;
  readonly #options: CatalogOptions;
  #usable = { rights: "", roles: new Map<string, ReadonlySet<string>>() };
  /** What has been said to the operator already. */
  readonly #said = new Set<string>();

  constructor(target: UpstreamTarget, options: CatalogOptions) {
    this.#target = target;
    this.#options = options;
    this.check = new CatalogCheck(
      { quiet: () => this.#quiet(), compare: () => this.#alone(() => this.#compare()) },
      options.check,
    );
  }

  /** The catalog in force, or undefined if it must be read first. */
  get fresh(): Catalog | undefined {
    return this.#have >= this.#wanted ? this.#current : undefined;
  }

  /** The last one that was read, which may be stale: good for checking what a result claims, never for permitting. */
  get current(): Catalog | undefined {
    return this.#current;
  }

  /** It may have changed. */
  invalidate(): void {
    this.#wanted++;
  }

  /**
   * Reads what the open transaction of a client's connection sees, with the tags that its objects have kept.
   * @throws RegateError CATALOG_UNAVAILABLE
   */
  async readThrough(query: CatalogQuery): Promise<Catalog> {
    const { store } = await readStore(query, this.#reading, "within a transaction");
    const { catalog, rebound } = this.#tagged(store);
    if (rebound !== undefined) await this.#uncommitted.note(rebound.bindings, this.#bindings, query);
    return catalog;
  }

  /** Which objects the tags were given to, as far as is known. */
  get #bindings(): Bindings | undefined {
    return this.#options.bindings.read(this.#options.resource);
  }

  /** @throws RegateError CATALOG_UNAVAILABLE */
  #tagged(store: CatalogStore): { readonly catalog: Catalog; readonly tags: string; readonly rebound?: Rebound } {
    const declared = this.#options.classification();
    // What is not of the right form is refused here, with its name.
    if (!isTags(declared)) return { catalog: catalogOf(store, declared, this.#look), tags: "" };
    const rebound = rebind(store, declared, this.#uncommitted.with(this.#bindings), this.#database);
    const tags = JSON.stringify(rebound.classification);
    // What was derived of an unchanged catalog stays good.
    const same = store === this.#reading?.store && tags === this.#tags ? this.#current : undefined;
    return { catalog: same ?? catalogOf(store, rebound.classification, this.#look), tags, rebound };
  }

  /** Remembers which objects the tags were given to, and tells the operator what has changed about that. */
  #keep(rebound: Rebound): void {
    const { resource, bindings, log } = this.#options;
    if (JSON.stringify(this.#bindings) !== JSON.stringify(rebound.bindings)) bindings.write(resource, rebound.bindings);
    for (const change of rebound.changes) {
      if (this.#said.has(change)) continue;
      this.#said.add(change);
      log.warn({ resource }, `classification: ${change}`);
    }
  }

  /**
   * A name is not in the catalog: reads it anew, in case that it was made elsewhere.
   * @throws RegateError CATALOG_UNAVAILABLE
   */
  async search(): Promise<Catalog> {
    const pause = this.#lastSearch + searchIntervalMs - Date.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    this.#lastSearch = Date.now();
    this.invalidate();
    return this.refresh();
  }

  /**
   * A catalog that was read after this call, or after the last invalidation.
   * @throws RegateError CATALOG_UNAVAILABLE
   */
  async refresh(): Promise<Catalog> {
    const wanted = this.#wanted;
    while (this.#have < wanted || this.#current === undefined) {
      this.#loading ??= this.#alone(() => this.#load()).finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
    return this.#current;
  }

  /** One reading at a time: within the snapshot of another, a question would be answered with what held before it was asked. */
  #alone<T>(action: () => Promise<T>): Promise<T> {
    this.#busy++;
    const result = this.#turn.then(action).finally(() => this.#busy--);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Has no transaction ended since the last look? False where that is not certain. */
  async #quiet(): Promise<boolean> {
    const connection = this.#connection;
    // Within the snapshot of a reading the answer would be of an earlier time.
    if (this.#busy > 0 || connection === undefined || connection.closed || this.fresh === undefined) return false;
    const [row] = await connection.execute(SNAPSHOT).catch(() => []);
    return row !== undefined && row[0] === this.#seen && this.fresh !== undefined;
  }

  /** Takes in what has changed on the server, if anything has. @throws RegateError CATALOG_UNAVAILABLE */
  async #compare(): Promise<void> {
    const connection = this.#connection;
    if (this.#reading !== undefined && connection !== undefined && !connection.closed && this.fresh !== undefined) {
      try {
        const query = (sql: string): ReturnType<CatalogQuery> => connection.query(sql);
        // The comparison before this one may have seen it all.
        if ((await connection.execute(SNAPSHOT))[0]?.[0] === this.#seen) return;
        const now = performance.now();
        const whose = now - this.#allSeen < serversOwnMs ? "users" : "all";
        const { same, snapshot } = await unchanged(query, this.#reading.versions, this.#looked, whose);
        if (same) {
          this.#seen = snapshot;
          if (whose === "all") this.#allSeen = now;
          return;
        }
      } catch {
        // The connection is lost, perhaps: another may do.
        this.#forget();
      }
      this.invalidate();
    }
    await this.#load();
  }

  async #load(): Promise<Catalog> {
    const serving = this.#wanted;
    try {
      const connection = await this.#open();
      const query = (sql: string): ReturnType<CatalogQuery> => connection.query(sql);
      // What is kept of a server holds for this connection only: another may lead to a server that has another history.
      if (this.#reading === undefined) this.#database = await databaseOf(query);
      const reading = await readStore(query, this.#reading);
      const { catalog, tags, rebound } = this.#tagged(reading.store);
      if (rebound !== undefined) this.#keep(rebound);
      this.#uncommitted.ended(reading.versions.snapshot);
      this.#reading = reading;
      this.#seen = reading.versions.snapshot.text;
      this.#tags = tags;
      this.#current = catalog;
      this.#have = serving;
      if (catalog.incomplete) setTimeout(() => this.invalidate(), incompleteMs).unref();
      return catalog;
    } catch (thrown) {
      this.#forget();
      this.#options.log.error({ code: "CATALOG_UNAVAILABLE", detail: String(thrown) }, "the catalog could not be read");
      throw thrown instanceof RegateError && thrown.code !== "CATALOG_UNAVAILABLE"
        ? new RegateError("CATALOG_UNAVAILABLE", { detail: thrown.detail ?? thrown.message, cause: thrown })
        : thrown;
    }
  }

  /** The schemas that a role may use, if they were read for this catalog. */
  usable(catalog: Catalog, role: string): ReadonlySet<string> | undefined {
    return this.#usable.rights === catalog.schemaRights ? this.#usable.roles.get(role) : undefined;
  }

  /**
   * Reads them, through `query` where a transaction sees what others do not.
   * @throws RegateError CATALOG_UNAVAILABLE
   */
  async readUsable(catalog: Catalog, role: string, query?: CatalogQuery): Promise<void> {
    const rows =
      query === undefined
        ? await this.#alone(async () => (await this.#open()).query(usableSchemas(role)))
        : await query(usableSchemas(role));
    // Names of roles are the client's to choose.
    if (this.#usable.rights !== catalog.schemaRights || this.#usable.roles.size >= rolesKept)
      this.#usable = { rights: catalog.schemaRights, roles: new Map() };
    this.#usable.roles.set(role, new Set(rows.map(([schema]) => schema ?? "")));
  }

  async #open(): Promise<OwnConnection> {
    if (this.#connection === undefined || this.#connection.closed) {
      this.#forget();
      this.#connection = await OwnConnection.open(this.#target);
      await this.#connection.query(PREPARE_CHECK);
    }
    return this.#connection;
  }

  close(): void {
    this.#forget();
  }

  /** The next reading is a whole one. */
  #forget(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#reading = undefined;
  }
}

/** A column of a table or view, by its name as in `data.classification`. */
export function storedColumn(catalog: Catalog, name: string): StoredColumn | undefined {
  const [schema = "", table = "", column = "", ...more] = splitName(name) ?? [];
  if (more.length > 0) return undefined;
  const relation = catalog.resolveRelation(schema, table, []);
  const found = relation?.column(column);
  if (relation === undefined || found === undefined) return undefined;
  const { tags } = found.source;
  const typeOid = catalog.baseType(found.type);
  return { schema, table, column, kind: relation.kind, tags, type: catalog.typeName(typeOid), typeOid };
}
