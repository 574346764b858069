// Decisions that were given before, bounded by number and by bytes.
import type { Decision } from "../core/decision.ts";
import type { CacheLimits } from "../core/generations.ts";
import { Generations } from "../core/generations.ts";

export type { CacheLimits } from "../core/generations.ts";
export const CACHE_LIMITS: CacheLimits = { entries: 20_000, bytes: 32 << 20 };

export class DecisionCache {
  readonly #decisions: Generations<Decision>;

  constructor(limits: CacheLimits = CACHE_LIMITS) {
    this.#decisions = new Generations(limits);
  }

  get(key: string): Decision | undefined {
    return this.#decisions.get(key);
  }

  /** Keeps a decision; it must not be changed from then on. */
  set(key: string, decision: Decision): void {
    this.#decisions.set(key, decision, 2 * JSON.stringify(decision).length);
  }

  get entries(): number {
    return this.#decisions.entries;
  }

  /** An estimate of the memory held. */
  get bytes(): number {
    return this.#decisions.bytes;
  }
}
