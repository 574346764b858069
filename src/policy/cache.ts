// Decisions that were given before, bounded by number and by bytes.
import type { Decision } from "../core/decision.ts";

export type CacheLimits = { readonly entries: number; readonly bytes: number };
export const CACHE_LIMITS: CacheLimits = { entries: 20_000, bytes: 32 << 20 };

type Entry = { readonly decision: Decision; readonly bytes: number };
/** What an entry costs besides its text. */
const OVERHEAD = 300;

/**
 * Two generations instead of a list in order of use: a hit in the young one costs one look-up; what was not asked for while a whole
 * generation filled is forgotten. Together they stay within the limits.
 */
export class DecisionCache {
  readonly #limits: CacheLimits;
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(limits: CacheLimits = CACHE_LIMITS) {
    this.#limits = limits;
  }

  get(key: string): Decision | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.decision;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#oldBytes -= old.bytes;
    this.#add(key, old);
    return old.decision;
  }

  /** Keeps a decision; it must not be changed from then on. */
  set(key: string, decision: Decision): void {
    const bytes = 2 * (key.length + JSON.stringify(decision).length) + OVERHEAD;
    if (bytes > this.#limits.bytes / 2) return;
    for (const generation of [this.#young, this.#old]) {
      const present = generation.get(key);
      if (present === undefined) continue;
      generation.delete(key);
      if (generation === this.#young) this.#youngBytes -= present.bytes;
      else this.#oldBytes -= present.bytes;
    }
    this.#add(key, { decision, bytes });
  }

  get entries(): number {
    return this.#young.size + this.#old.size;
  }

  /** An estimate of the memory held. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  #add(key: string, entry: Entry): void {
    if (this.#young.size >= this.#limits.entries / 2 || this.#youngBytes + entry.bytes > this.#limits.bytes / 2) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, entry);
    this.#youngBytes += entry.bytes;
  }
}
