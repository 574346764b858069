// The values that were tried today, as keyed hashes in memory: enough to count the different ones, of no use to anybody else.
import { createHmac, randomBytes } from "node:crypto";
import type { Probes } from "../core/inference.ts";

/** What is told where no more can be remembered: more than any budget allows. */
export const UNCOUNTED = Number.MAX_SAFE_INTEGER;
const MOST = 1_000_000;
/** Of one column, by one subject: who may try more needs no counting. */
const MOST_OF_ONE = 10_000;
const DAY_MS = 86_400_000;

/** One gate process's; a day is UTC's. */
export class ProbeCounts implements Probes {
  readonly #now: () => number;
  readonly #most: number;
  readonly #key = randomBytes(32);
  #day = Number.NaN;
  #held = 0;
  #tried = new Map<string, Map<string, Set<string>>>();

  /** `most`: how many values are remembered in all. */
  constructor(now: () => number = Date.now, most = MOST) {
    this.#now = now;
    this.#most = most;
  }

  count(who: string, column: string, values: readonly string[]): number {
    this.#turn();
    const known = this.#tried.get(who)?.get(column);
    const fresh = new Set(values.map((value) => this.#hash(column, value)).filter((hash) => known?.has(hash) !== true));
    const count = (known?.size ?? 0) + fresh.size;
    return this.#held + fresh.size > this.#most || count > MOST_OF_ONE ? UNCOUNTED : count;
  }

  note(who: string, column: string, values: readonly string[]): void {
    this.#turn();
    const columns = this.#tried.get(who) ?? new Map<string, Set<string>>();
    this.#tried.set(who, columns);
    const known = columns.get(column) ?? new Set<string>();
    columns.set(column, known);
    for (const value of values) {
      const before = known.size;
      if (this.#held < this.#most && before < MOST_OF_ONE) known.add(this.#hash(column, value));
      this.#held += known.size - before;
    }
  }

  #turn(): void {
    const day = Math.floor(this.#now() / DAY_MS);
    if (day === this.#day) return;
    this.#day = day;
    this.#held = 0;
    this.#tried = new Map();
  }

  #hash(column: string, value: string): string {
    return createHmac("sha256", this.#key).update(`${column}\n${value}`).digest("base64url").slice(0, 22);
  }
}
