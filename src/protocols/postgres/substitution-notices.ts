// Tells a session that a statement sees masked values: once for each set of columns, before the first answer to the statement.
import { type Rewriting, substitutionNotice } from "./rewriting.ts";

/** So many are remembered. */
const MOST_TOLD = 1000;

export class SubstitutionNotices {
  readonly #told = new Set<string>();
  /** Asked at each message of an answer: the notice is made once for a rewriting. */
  readonly #known = new WeakSet<Rewriting>();

  /** The notice, unless it was given: that values are not the stored ones must not go unnoticed. */
  of(rewriting: Rewriting): Buffer | undefined {
    if (this.#known.has(rewriting)) return undefined;
    this.#known.add(rewriting);
    const notice = substitutionNotice(rewriting);
    const key = notice.toString("latin1");
    if (this.#told.has(key) || this.#told.size >= MOST_TOLD) return undefined;
    this.#told.add(key);
    return notice;
  }
}
