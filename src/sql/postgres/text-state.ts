// The state of names within one text: what its earlier statements prepare, declare, set and define, as the later ones will meet it.
import type { Effects, NameScope, ScopeNames, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import { runsCode } from "./held.ts";
import { isUnseen } from "./meaning-settings.ts";
import { asItRuns } from "./run-later.ts";
import { effectivePath } from "./search-path.ts";

const NONE: readonly StatementAnalysis[] = [];

/** How a statement that was prepared, or a cursor that was declared in this text is read where it is executed. */
type Reading = (catalog: Catalog, at: ScopeNames) => readonly StatementAnalysis[];
const UNKNOWN: Reading = () => NONE;

/** A setting that decides names, and its value when the transaction commits. */
type Path = { readonly path: readonly string[]; readonly user: string };

export class TextState implements NameScope {
  user: string;
  searchPath: readonly string[];
  readonly #session: NameScope;
  readonly #prepared = new Map<string, Reading>();
  readonly #cursors = new Map<string, Reading>();
  #allDeallocated = false;
  #allClosed = false;
  /** Names may mean something else than is known, until the session has asked. */
  #uncertain: boolean;
  #now: Path | undefined;
  /** What the end of the transaction makes of it: where it commits, and where it does not. Undefined: not known. */
  #committed: Path | undefined;
  #before: Path | undefined;
  /** What was found depends on more of the session than its path and its role. */
  ofSession = false;
  /** DDL ran in the open transaction, before this text or in it: its end may take it back. */
  #catalogChanged: boolean;
  /** Names or the catalog were changed in the open transaction. */
  #changed: boolean;
  /** Such a transaction has ended, and cursors WITH HOLD ran to their end under what it had changed. */
  #ranToItsEnd = false;

  constructor(session: NameScope, uncertain: boolean) {
    this.#session = session;
    this.searchPath = session.searchPath;
    this.user = session.user;
    this.#uncertain = uncertain;
    const known = session.session;
    this.#now = known === undefined ? undefined : { path: known.path, user: session.user };
    const lasts = known?.restores === "nothing";
    this.#committed = lasts ? this.#now : undefined;
    this.#before = lasts ? this.#now : known?.before;
    this.#catalogChanged = known?.restores === "names and catalog";
    this.#changed = !lasts;
  }

  prepared(name: string, catalog: Catalog, at: ScopeNames): readonly StatementAnalysis[] {
    const own = this.#prepared.get(name);
    if (own !== undefined) return own(catalog, at);
    return this.#allDeallocated ? NONE : this.#session.prepared(name, catalog, at);
  }

  cursor(name: string, catalog: Catalog, at: ScopeNames): readonly StatementAnalysis[] {
    const own = this.#cursors.get(name);
    if (own === undefined && this.#allClosed) return NONE;
    const found = own === undefined ? this.#session.cursor(name, catalog, at) : own(catalog, at);
    return this.#ranToItsEnd && found.some(runsCode) ? NONE : found;
  }

  /** Follows a statement's effects, as if it succeeded: if it fails, nothing behind it in the text runs. `again` analyses it under other names. */
  after(analysis: StatementAnalysis, again: (catalog: Catalog, at: ScopeNames) => StatementAnalysis): void {
    const { effects, facts } = analysis;
    if (effects.opaque) {
      this.#prepared.clear();
      this.#cursors.clear();
      this.#allDeallocated = true;
      this.#allClosed = true;
    }
    const { prepares, declares } = effects;
    if (prepares !== undefined) {
      this.#prepared.set(prepares.name, (catalog, at) => {
        const { prepares: anew } = again(catalog, at).effects;
        return anew === undefined ? NONE : [anew.statement];
      });
    }
    if (declares !== undefined) {
      this.#cursors.set(declares.name, (catalog, at) => {
        const now = asItRuns(
          declares.held,
          catalog,
          at,
          (current, names) => again(current, names).effects.declares?.statement,
        );
        return now === undefined ? NONE : [now];
      });
    }
    if (effects.deallocates === "*") {
      this.#prepared.clear();
      this.#allDeallocated = true;
    } else if (effects.deallocates !== undefined) this.#prepared.set(effects.deallocates, UNKNOWN);
    if (effects.closesCursor === "*") {
      this.#cursors.clear();
      this.#allClosed = true;
    } else if (effects.closesCursor !== undefined) this.#cursors.set(effects.closesCursor, UNKNOWN);
    if (effects.catalog || effects.temp) {
      this.#uncertain = true;
      this.#catalogChanged = true;
    }
    if (effects.settings || effects.catalog || effects.temp) this.#changed = true;
    if (effects.settings) this.#settings(analysis);
    if (effects.transaction !== undefined) this.#transaction(effects.transaction, facts.verb);
  }

  #settings({ effects, facts }: StatementAnalysis): void {
    this.ofSession = true;
    const { path, role } = effects;
    if (path !== undefined) this.#set({ path: path.schemas }, path.local);
    else if (role !== undefined) this.#set({ user: role.name }, role.local);
    else if (effects.opaque || facts.settings.length === 0 || facts.settings.some(isUnseen)) {
      this.#uncertain = true;
      this.#now = undefined;
      this.#committed = undefined;
    }
  }

  #set(change: Partial<Path>, local: boolean): void {
    if (this.#now !== undefined) this.#now = { ...this.#now, ...change };
    if (!local && this.#committed !== undefined) this.#committed = { ...this.#committed, ...change };
    this.#resolve();
  }

  /** The path that holds now, where the session can tell which schemas the role may use. */
  #resolve(): void {
    const known = this.#session.session;
    const now = this.#now;
    const usable = now === undefined ? undefined : known?.usable(now.user);
    if (now === undefined || usable === undefined) {
      this.#uncertain = true;
      return;
    }
    this.user = now.user;
    this.searchPath = effectivePath(now.path, now.user, known?.temporary, usable);
  }

  #transaction(kind: Effects["transaction"], verb: string): void {
    this.ofSession = true;
    if (kind === "begin" || verb === "savepoint" || verb === "release") return;
    if (this.#changed && verb !== "rollback_to") this.#ranToItsEnd = true;
    const after = verb === "rollback_to" || verb === "prepare_transaction" ? undefined : kind;
    // What a savepoint brings back is not followed.
    const next = after === "commit" ? this.#committed : after === "rollback" ? this.#before : undefined;
    if (verb === "rollback_to" && this.#unchanged()) return;
    if (this.#catalogChanged) this.#uncertain = true;
    if (next === undefined) this.#uncertain = true;
    if (next === this.#now && next !== undefined) return;
    this.#now = next;
    this.#committed = next;
    this.#before = next;
    if (next !== undefined) this.#resolve();
  }

  /** Nothing that decides names was set in this transaction, and no DDL ran in it. */
  #unchanged(): boolean {
    return !this.#catalogChanged && this.#now !== undefined && this.#now === this.#before;
  }

  /** Where names may mean something else, a statement that names anything is of no known class, and all that it shows is opaque. */
  certain(analysis: StatementAnalysis, catalog: Catalog): StatementAnalysis {
    const { facts } = analysis;
    if (
      !this.#uncertain ||
      (facts.relations.length === 0 && facts.functions.length === 0) ||
      facts.class === "dcl" ||
      facts.class === "code"
    )
      return analysis;
    return {
      ...analysis,
      facts: {
        ...facts,
        class: facts.class === "ddl" || facts.class === "maintenance" ? facts.class : "unknown",
        scoped: false,
        outputs: facts.outputs.map((output) => ({ ...output, derivation: "opaque", total: false })),
      },
      touchesTagged: analysis.touchesTagged || catalog.hasTags,
    };
  }
}
