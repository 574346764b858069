// Waits until what an analysis depends on is known: earlier statements' effects, names, the catalog, and what single names stand for.
import type { NameScope, SessionNames } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { hasPlan } from "../../sql/postgres/nested.ts";
import { TRANSACTION } from "./codes.ts";
import { masksHold } from "./masks-hold.ts";
import { cursorReading, looksUpLate, preparedReadings } from "./readings.ts";
import type { Portal, Prepared } from "./registry.ts";
import type { Session } from "./session.ts";

/** What an analysis asked for that is not known yet. */
type Missing =
  | { readonly kind: "role"; readonly name: string }
  | { readonly kind: "statement" | "portal"; readonly name: string }
  /** The name was given in an earlier segment, and has its old meaning if the server has refused that. */
  | { readonly kind: "answer"; readonly slot: Prepared | Portal };

export class Settled {
  /** Names as they hold now, for an analysis. What it asks for in vain is found out before it is made again. */
  readonly scope: NameScope;
  /** A name that the last analysis asked for, and that certainly stands for nothing. */
  absent: { readonly kind: "statement" | "portal"; readonly name: string } | undefined;
  /** A name that the last analysis asked for, of what only the protocol prepares and binds: SQL may not run it. */
  utility: { readonly kind: "statement" | "portal"; readonly name: string } | undefined;
  readonly #session: Session;
  #missing: Missing | undefined;
  /** Names that were asked for while one text is read. */
  readonly #asked = new Set<string>();

  constructor(session: Session) {
    this.#session = session;
    const { registry, names } = session;
    const known: SessionNames = {
      get path() {
        return names.path;
      },
      get temporary() {
        return names.temporary;
      },
      get restores() {
        if (session.backend.catalogChanged) return "names and catalog";
        return names.changedInTransaction || names.dirty ? "names" : "nothing";
      },
      get before() {
        return session.backend.catalogChanged ? undefined : names.before;
      },
      usable: (role) => {
        const catalog = session.catalog ?? session.lastCatalog;
        const schemas = catalog === undefined ? undefined : session.catalogs.usable(catalog, role);
        if (schemas === undefined) this.#missing ??= { kind: "role", name: role };
        return schemas;
      },
    };
    this.scope = {
      session: known,
      get searchPath() {
        return names.searchPath;
      },
      get user() {
        return names.user;
      },
      prepared: (name, catalog, at) => {
        const found = registry.statements.get(name);
        if (found === undefined) {
          this.#unknown("statement", name);
          return [];
        }
        if (this.#unanswered(found)) return [];
        if (found.sure < registry.statements.doubt) {
          this.#missing ??= { kind: "statement", name };
          return [];
        }
        if (!masksHold(session, found.rewriting)) {
          this.absent ??= { kind: "statement", name };
          return [];
        }
        const readings = preparedReadings(found, catalog, { ...this.scope, ...at }, session.reading.options);
        if (!readings.every(hasPlan)) this.utility ??= { kind: "statement", name };
        return readings;
      },
      cursor: (name, catalog, at) => {
        const found = registry.portals.get(name);
        if (found === undefined) {
          this.#unknown("portal", name);
          return [];
        }
        if (this.#unanswered(found)) return [];
        if (found.sure < registry.portals.doubt) {
          this.#missing ??= { kind: "portal", name };
          return [];
        }
        if (!masksHold(session, found.rewriting)) {
          this.absent ??= { kind: "portal", name };
          return [];
        }
        // It would look its own names up only when it is fetched from.
        if (found.by === "bind" && found.statements.some(looksUpLate)) {
          this.utility ??= { kind: "portal", name };
          return [];
        }
        return cursorReading(found, catalog, { ...this.scope, ...at }, session.reading.options);
      },
    };
  }

  /** Code that cannot be seen through may have given the name: the server is asked, once. */
  #unknown(kind: "statement" | "portal", name: string): void {
    const { registry } = this.#session;
    const slots = kind === "statement" ? registry.statements : registry.portals;
    if (slots.absent(name)) this.absent ??= { kind, name };
    else if (!this.#asked.has(`${kind} ${slots.doubt} ${name}`)) this.#missing ??= { kind, name };
  }

  /** What is sent in the same segment is skipped with it, if it fails; what is sent behind its Sync is not. */
  #unanswered(slot: Prepared | Portal): boolean {
    if (slot.confirmed || slot.segment === this.#session.segment) return false;
    this.#missing ??= { kind: "answer", slot };
    return true;
  }

  /** Is something under way, or not asked for yet, that may change what a text means? */
  get pending(): boolean {
    const { registry, pending } = this.#session;
    return this.#mustAsk || pending.waits(registry.changing.meaning);
  }

  get #mustAsk(): boolean {
    const { names, unsure, status } = this.#session;
    return (names.dirty || unsure) && status !== TRANSACTION.failed;
  }

  /** Goes on once names are known. `early`: what is judged takes no snapshot first. */
  names(early: boolean, step: () => boolean): boolean {
    const session = this.#session;
    const { pending, judge, backend, registry } = session;
    return session.wait(() => {
      if (session.skipping) return true;
      if (pending.waits(registry.changing.meaning)) return judge.nudge();
      if (backend.asking) return false;
      if (!this.#mustAsk) return step();
      const { shown } = session.names;
      const catalog = session.catalog ?? session.lastCatalog;
      if (shown !== undefined && catalog !== undefined) {
        const usable = session.catalogs.usable(catalog, shown.user);
        if (usable === undefined)
          return judge.promised(session.catalogs.readUsable(catalog, shown.user), () => this.names(early, step));
        session.names.resolve(usable, catalog.schemaRights);
        return step();
      }
      if (!session.askable) return judge.nudge();
      backend.askNames(early);
      return false;
    });
  }

  /** Goes on with the catalog, and with names that were told for it. */
  catalog(early: boolean, step: (catalog: Catalog) => boolean): boolean {
    const session = this.#session;
    return this.names(early, () => {
      const go = (catalog: Catalog): boolean => {
        if (session.names.rights === catalog.schemaRights || session.status === TRANSACTION.failed)
          return step(catalog);
        session.names.dirty = true;
        return this.catalog(early, step);
      };
      const { catalog } = session;
      return catalog !== undefined ? go(catalog) : this.#own(() => session.judge.promised(session.readCatalog(), go));
    });
  }

  /** Goes on where the server can be asked what the open transaction alone sees, if it must be. */
  #own(step: () => boolean): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (session.skipping) return true;
      return session.seesOwn && !session.askable ? session.judge.nudge() : step();
    });
  }

  /** Makes an analysis; where that asks for something that can be found out, finds it out and makes it again. */
  complete<T>(make: () => T, step: (made: T) => boolean): boolean {
    this.#missing = undefined;
    this.absent = undefined;
    this.utility = undefined;
    const made = make();
    const missing = this.#missing as Missing | undefined;
    this.#missing = undefined;
    if (missing === undefined || (missing.kind !== "answer" && this.#session.status === TRANSACTION.failed)) {
      this.#asked.clear();
      return step(made);
    }
    return this.#find(missing, () => this.complete(make, step));
  }

  /** Asks the server whether a name still stands for what the gate knows; if not, it is not known any more. */
  certainly(kind: "statement" | "portal", name: string, step: () => boolean): boolean {
    const { registry, status } = this.#session;
    const slots = kind === "statement" ? registry.statements : registry.portals;
    const found = slots.get(name);
    if (found === undefined || found.sure >= slots.doubt || status === TRANSACTION.failed) return step();
    return this.#find({ kind, name }, step);
  }

  #find(missing: Missing, step: () => boolean): boolean {
    const session = this.#session;
    if (missing.kind === "answer") {
      const { slot } = missing;
      return session.wait(() => session.skipping || (slot.confirmed || slot.failed ? step() : session.judge.nudge()));
    }
    if (missing.kind === "role") {
      const catalog = session.catalog ?? session.lastCatalog!;
      return this.#own(() => {
        const query = session.seesOwn ? (sql: string) => session.question(sql) : undefined;
        return session.judge.promised(session.catalogs.readUsable(catalog, missing.name, query), step);
      });
    }
    const { registry, pending } = session;
    const { kind, name } = missing;
    const view = kind === "statement" ? "pg_prepared_statements" : "pg_cursors";
    const asked = `SELECT statement FROM pg_catalog.${view} WHERE name = '${name.replaceAll("'", "''")}'`;
    let answered = false;
    const ask = (): boolean => {
      if (session.skipping) return true;
      if (answered) return step();
      if (session.backend.asking) return false;
      if (!session.askable) return session.judge.nudge();
      const slots = kind === "statement" ? registry.statements : registry.portals;
      const { doubt } = slots;
      const serial = pending.next;
      const within = session.askedWithin;
      session.backend.ask([asked], (rows) => {
        answered = true;
        // It failed with the client's segment, of which nothing more runs.
        if (rows === undefined && within) return;
        this.#asked.add(`${kind} ${doubt} ${name}`);
        if (rows?.length === 0) slots.setAbsent(name, doubt);
        const slot = slots.get(name);
        if (slot === undefined || slot.serial > serial) return;
        if (rows?.length === 1 && rows[0]![0] === slot.source) slot.sure = doubt;
        else slots.remove(name, serial);
      });
      return false;
    };
    return session.wait(ask);
  }
}
