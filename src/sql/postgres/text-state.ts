// The state of names within one text: what its earlier statements prepare, declare, set and define, as the later ones will meet it.
import type { StatementFacts } from "../../core/facts.ts";
import type { NameScope, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";

const NONE: readonly StatementAnalysis[] = [];

export class TextState implements NameScope {
  readonly user: string;
  searchPath: readonly string[];
  readonly #session: NameScope;
  readonly #prepared = new Map<string, readonly StatementAnalysis[]>();
  readonly #cursors = new Map<string, readonly StatementAnalysis[]>();
  #allDeallocated = false;
  #allClosed = false;
  #uncertain: boolean;
  #pathChanged = false;

  constructor(session: NameScope, uncertain: boolean) {
    this.#session = session;
    this.searchPath = session.searchPath;
    this.user = session.user;
    this.#uncertain = uncertain;
  }

  prepared(name: string): readonly StatementAnalysis[] {
    return this.#prepared.get(name) ?? (this.#allDeallocated ? NONE : this.#session.prepared(name));
  }

  cursor(name: string): readonly StatementAnalysis[] {
    return this.#cursors.get(name) ?? (this.#allClosed ? NONE : this.#session.cursor(name));
  }

  /** Follows a statement's effects, as if it succeeded: if it fails, nothing behind it in the text runs. */
  after(analysis: StatementAnalysis): void {
    const { effects, facts } = analysis;
    if (effects.prepares !== undefined) this.#prepared.set(effects.prepares.name, [effects.prepares.statement]);
    if (effects.declares !== undefined) this.#cursors.set(effects.declares.name, [effects.declares.statement]);
    if (effects.deallocates === "*") {
      this.#prepared.clear();
      this.#allDeallocated = true;
    } else if (effects.deallocates !== undefined) this.#prepared.set(effects.deallocates, NONE);
    if (effects.closesCursor === "*") {
      this.#cursors.clear();
      this.#allClosed = true;
    } else if (effects.closesCursor !== undefined) this.#cursors.set(effects.closesCursor, NONE);
    if (effects.catalog || effects.temp) this.#uncertain = true;
    if (effects.settings) this.#settings(facts);
    // The end of a transaction takes back what was set in it.
    if (this.#pathChanged && effects.transaction !== undefined && effects.transaction !== "begin")
      this.#uncertain = true;
  }

  #settings(facts: StatementFacts): void {
    if (facts.settings.length === 0) this.#uncertain = true;
    for (const { name, value } of facts.settings) {
      if (name === "search_path") {
        const path = value === null || facts.class !== "session" ? undefined : effectivePath(value, this.#session);
        if (path === undefined) this.#uncertain = true;
        else this.searchPath = path;
        this.#pathChanged = true;
      } else if (name === "*" || name === "role" || name === "session_authorization") this.#uncertain = true;
    }
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

/** What `current_schemas(true)` will be after SET search_path to this list; undefined where it depends on more than the list. */
function effectivePath(value: string, session: NameScope): readonly string[] | undefined {
  const schemas = value === "" ? [] : value.split(", ").map((name) => (name === "$user" ? session.user : name));
  // A name with a comma or quotes inside cannot be told from two names here.
  if (schemas.some((name) => name.includes(",") || name.includes('"'))) return undefined;
  const temporary = session.searchPath.find((schema) => schema.startsWith("pg_temp_"));
  const path = schemas.flatMap((name) =>
    name === "pg_temp" ? (temporary === undefined ? [] : [temporary]) : name === "" ? [] : [name],
  );
  if (!path.includes("pg_catalog")) path.unshift("pg_catalog");
  if (temporary !== undefined && !path.includes(temporary)) path.unshift(temporary);
  return path;
}
