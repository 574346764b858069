// A cache that is bounded by number and by bytes.

export type CacheLimits = { readonly entries: number; readonly bytes: number };

type Entry<V> = { readonly value: V; readonly bytes: number };
/** What an entry costs besides its key and value. */
const OVERHEAD = 300;

/**
 * Two generations instead of a list in order of use: a hit in the young one costs one look-up; what was not asked for while a whole
 * generation filled is forgotten. Together they stay within the limits.
 */
export class Generations<V> {
  readonly #limits: CacheLimits;
  #young = new Map<string, Entry<V>>();
  #old = new Map<string, Entry<V>>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#oldBytes -= old.bytes;
    this.#add(key, old);
    return old.value;
  }

  /** Keeps a value, which must not be changed from then on. `size`: bytes of the value, estimated. */
  set(key: string, value: V, size: number): void {
    const bytes = 2 * key.length + size + OVERHEAD;
    if (bytes > this.#limits.bytes / 2) return;
    for (const generation of [this.#young, this.#old]) {
      const present = generation.get(key);
      if (present === undefined) continue;
      generation.delete(key);
      if (generation === this.#young) this.#youngBytes -= present.bytes;
      else this.#oldBytes -= present.bytes;
    }
    this.#add(key, { value, bytes });
  }

  get entries(): number {
    return this.#young.size + this.#old.size;
  }

  /** An estimate of the memory held. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  #add(key: string, entry: Entry<V>): void {
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
