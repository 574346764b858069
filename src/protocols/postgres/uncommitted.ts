// To which objects tags came within transactions that had not ended: nobody else sees these yet, and they may be cut off again before anybody does.
import type { CatalogQuery } from "../../sql/postgres/catalog.ts";
import type { Snapshot } from "../../sql/postgres/catalog-versions.ts";
import { type Bindings, type Bound, idOf } from "./bindings.ts";

export class Uncommitted {
  readonly #bound = new Map<string, { readonly one: Bound; readonly transaction: number }>();

  /** `query`: within the transaction in which the tags have come to these. @throws RegateError CATALOG_UNAVAILABLE */
  async note({ bound }: Bindings, known: Bindings | undefined, query: CatalogQuery): Promise<void> {
    const before = new Set(known?.bound.map(idOf));
    const fresh = bound.filter((one) => one.carried === true && !before.has(idOf(one)));
    if (fresh.length === 0) return;
    const [row] = await query("SELECT pg_catalog.txid_current()");
    for (const one of fresh) this.#bound.set(idOf(one), { one, transaction: Number(row?.[0]) });
  }

  with(known: Bindings | undefined): Bindings | undefined {
    if (known === undefined || this.#bound.size === 0) return known;
    const all = new Map(known.bound.map((one) => [idOf(one), one]));
    for (const [key, { one }] of this.#bound) if (!all.has(key)) all.set(key, one);
    return { ...known, bound: [...all.values()] };
  }

  /** What the snapshot saw is known to all. */
  ended({ xmax, running }: Snapshot): void {
    for (const [key, { transaction }] of this.#bound)
      if (transaction < xmax && !running.includes(transaction)) this.#bound.delete(key);
  }
}
