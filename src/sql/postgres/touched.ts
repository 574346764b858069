// The relations that a statement touches: in which ways, and through which views, bodies or parents.
import type { Relation as RelationFact } from "../../core/facts.ts";
import { tagsBeside } from "./masked-forms.ts";
import type { Relation } from "./model.ts";
import { NO_TAGS } from "./model.ts";

/** One relation, one way, through the names in `via` from the outside in (empty: named in the text itself). */
export type Touched = { readonly relation: Relation; readonly access: string; readonly via: readonly string[] };
/** `part`: only of some of its columns anything is read. */
type Entry = { fact: Omit<RelationFact, "access">; readonly access: string[]; part: boolean };

export const NO_VIA: readonly string[] = Object.freeze([]);

export class TouchedRelations {
  /** In the order in which they were met, each once for each way. */
  readonly touched: Touched[] = [];
  readonly #named = new Map<Relation, Entry>();
  /** What is reached through something else, by OID and way; and what the catalog does not have, by name. */
  readonly #others = new Map<string, Entry>();

  /** Of the columns `hidden` nothing is read. */
  touch(relation: Relation, access: string, via: readonly string[], hidden?: ReadonlySet<string>): void {
    let entry: Entry;
    if (via.length === 0) {
      entry = this.#named.get(relation) ?? entryFor(relation, NO_VIA, hidden);
      this.#named.set(relation, entry);
    } else {
      const key = `${relation.oid} ${via.join(" ")}`;
      entry = this.#others.get(key) ?? entryFor(relation, via, hidden);
      this.#others.set(key, entry);
    }
    // A lock shows no column.
    if (entry.part && hidden === undefined && access !== "lock") {
      entry.part = false;
      entry.fact = { ...entry.fact, tags: relation.tags };
    }
    if (entry.access.includes(access)) return;
    entry.access.push(access);
    this.touched.push({ relation, access, via });
  }

  /** A relation that the catalog does not have: being created, or unknown. */
  unknown(schema: string, name: string, access: string, kind: string): void {
    const key = `? ${schema} ${name}`;
    let entry = this.#others.get(key);
    if (entry === undefined) {
      entry = { fact: { schema, name, kind, via: NO_VIA, tags: NO_TAGS }, access: [], part: false };
      this.#others.set(key, entry);
    }
    if (!entry.access.includes(access)) entry.access.push(access);
  }

  facts(): RelationFact[] {
    const facts: RelationFact[] = [];
    for (const entry of this.#named.values()) facts.push({ ...entry.fact, access: entry.access });
    for (const entry of this.#others.values()) facts.push({ ...entry.fact, access: entry.access });
    return facts;
  }
}

function entryFor(relation: Relation, via: readonly string[], hidden: ReadonlySet<string> | undefined): Entry {
  const tags = hidden === undefined ? relation.tags : tagsBeside(relation, hidden);
  return {
    fact: { schema: relation.factSchema, name: relation.name, kind: relation.kind, via, tags },
    access: [],
    part: hidden !== undefined,
  };
}
