// The ways in which a statement uses a column, as bits.
import type { ColumnUse } from "../../core/facts.ts";
import { columnUses } from "../../core/facts.ts";

/** One bit for each use, in the order of core's list. */
export const USE = {
  output: 1,
  filter: 2,
  join: 4,
  sort: 8,
  group: 16,
  distinct: 32,
  window: 64,
  writeSource: 128,
  writeTarget: 256,
  lock: 512,
  limit: 1024,
  subscript: 2048,
  expression: 4096,
  computed: 8192,
  nullness: 16384,
  unique: 32768,
  lookup: 65536,
} as const;

/** Uses that tell nothing but whether it is NULL, of a value that depends on no more. */
export const TELLING = ~(USE.output | USE.writeSource | USE.writeTarget | USE.lock | USE.unique);

const namesOfBits = new Map<number, ColumnUse["uses"]>();
export function useNames(bits: number): ColumnUse["uses"] {
  let names = namesOfBits.get(bits);
  if (names === undefined) {
    names = Object.freeze(columnUses.filter((_, at) => (bits & (1 << at)) !== 0));
    namesOfBits.set(bits, names);
  }
  return names;
}
