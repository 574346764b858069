// Which texts stand for one value whatever the session's settings and the time are: only these can be counted as the value that somebody tries.
import type { Catalog } from "./catalog.ts";

/** Casts between these give the same under all settings: bool name integers text oid bpchar varchar numeric uuid. */
const PLAIN: ReadonlySet<number> = new Set([16, 19, 20, 21, 23, 25, 26, 1042, 1043, 1700, 2950]);
/** Their input reads no setting, while what a cast writes may: bytea char tid cidr floats macaddrs inet bits pg_lsn jsonb xid8. */
const READ_ALIKE: ReadonlySet<number> = new Set([
  ...PLAIN,
  ...[17, 18, 27, 650, 700, 701, 774, 829, 869, 1560, 1562, 3220, 3802, 5069],
]);

/**
 * Complete ISO forms of dates and times. Others depend on DateStyle and TimeZone, and words (`now`) on the clock. No `Z`: the server looks it up in
 * the session's zone first, which may be one that the client made up (`<Z>5`).
 */
const COMPLETE: ReadonlyMap<number, RegExp> = new Map([
  [1082, /^\d{4}-\d\d-\d\d$/],
  [1083, /^\d\d:\d\d(:\d\d(\.\d+)?)?$/],
  [1266, /^\d\d:\d\d(:\d\d(\.\d+)?)?[+-]\d\d(:?\d\d)?$/],
  [1114, /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/],
  [1184, /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?[+-]\d\d(:?\d\d)?$/],
]);

/** Does the text stand for one value of the type? Of types that {@link keepsValue} has. */
export const isExact = (type: number, text: string): boolean => COMPLETE.get(type)?.test(text) ?? true;

/** Does it depend on the text's form? */
export const hasForm = (type: number): boolean => COMPLETE.has(type);

/** Is one constant, cast so (from the outermost), always one value of the column's type? All types are base types. */
export function keepsValue(catalog: Catalog, type: number, casts: readonly number[]): boolean {
  if (!READ_ALIKE.has(type) && !COMPLETE.has(type) && catalog.type(type)?.kind !== "e") return false;
  return casts.every((each) => each === type) || (READ_ALIKE.has(type) && casts.every((each) => PLAIN.has(each)));
}
