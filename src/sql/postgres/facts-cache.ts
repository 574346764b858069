// Analyses that were made before: by the catalog, the state of names, the shape of the text, and the values of those literals that facts depend on.
import type { Missing } from "../../core/command.ts";
import type { CommandFacts } from "../../core/facts.ts";
import type { CacheLimits } from "../../core/generations.ts";
import { Generations } from "../../core/generations.ts";
import type { StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";

/** What an analysis says of every text of its shape. */
export type Analysed = {
  readonly statements: readonly StatementAnalysis[];
  /** One list for all texts, so that what is made of it can hang on its identity. */
  readonly facts: CommandFacts["statements"];
  readonly unresolved: boolean;
  readonly missing: Missing | undefined;
  /** It depends on more of the session than its key says: it holds this once. */
  readonly ofSession: boolean;
};

/** Of one catalog. */
const FACTS_CACHE_LIMITS: CacheLimits = { entries: 20_000, bytes: 48 << 20 };

/** Either the analysis, or which literals have to be known first. */
type Entry = { readonly analysed: Analysed } | { readonly read: readonly number[] };

const caches = new WeakMap<Catalog, FactsCache>();

export class FactsCache {
  readonly #entries: Generations<Entry>;

  constructor(limits: CacheLimits = FACTS_CACHE_LIMITS) {
    this.#entries = new Generations(limits);
  }

  /** A catalog's own: another catalog gives other facts. */
  static of(catalog: Catalog): FactsCache {
    let cache = caches.get(catalog);
    if (cache === undefined) {
      cache = new FactsCache();
      caches.set(catalog, cache);
    }
    return cache;
  }

  /** `key` names the shape and the state of names. */
  get(key: string, literals: readonly string[]): Analysed | undefined {
    let entry = this.#entries.get(key);
    if (entry !== undefined && "read" in entry) entry = this.#entries.get(keyWith(key, entry.read, literals));
    return entry !== undefined && "analysed" in entry ? entry.analysed : undefined;
  }

  /**
   * An analysis reads a literal or not depending on those that it read before, so the list of what was ever read only grows: whoever agrees
   * in all of these agrees in what the analysis would read.
   */
  set(key: string, literals: readonly string[], read: ReadonlySet<number>, analysed: Analysed): void {
    const size = sizeOf(analysed);
    const before = this.#entries.get(key);
    const earlier = before !== undefined && "read" in before ? before.read : [];
    if (read.size === 0 && earlier.length === 0) {
      this.#entries.set(key, { analysed }, size);
      return;
    }
    const all = [...new Set([...earlier, ...read])].sort((left, right) => left - right);
    if (all.length !== earlier.length) this.#entries.set(key, { read: all }, 8 * all.length);
    this.#entries.set(keyWith(key, all, literals), { analysed }, size);
  }

  get entries(): number {
    return this.#entries.entries;
  }

  /** An estimate of the memory held. */
  get bytes(): number {
    return this.#entries.bytes;
  }
}

function keyWith(key: string, read: readonly number[], literals: readonly string[]): string {
  let result = `${key}\0`;
  for (const at of read) result += `${at}=${literals[at]}\0`;
  return result;
}

/** Bytes, estimated: the sources of columns are the catalog's own objects. */
function sizeOf({ statements }: Analysed): number {
  let size = 0;
  for (const { facts } of statements) {
    size +=
      1_200 + 300 * (facts.relations.length + facts.columns.length + facts.functions.length + facts.settings.length);
    for (const output of facts.outputs) size += 250 + output.name.length + 8 * output.sources.length;
    for (const write of facts.writes) size += 250 + 8 * write.sources.length;
  }
  return size;
}
