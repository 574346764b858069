// Which of several functions or operators of one name the server chooses for arguments of given types (parse_func.c, parse_oper.c).
import type { Catalog } from "./catalog.ts";
import { becomes, categoryOf, COMPATIBLE, elementOf, memberOf, POLYMORPHIC } from "./coercion.ts";
import { TYPE_TEXT, TYPE_UNKNOWN_LITERAL } from "./value.ts";

/** Its parameters as many as the call has arguments; 0 stands for no operand. */
export type Candidate = { readonly types: readonly number[] };

/**
 * Those that the server may choose: one, where all types are known and the choice is not ambiguous. A type of 0 is not known, so what
 * the others allow remains. Empty: the server has none that fits, and refuses.
 */
export function choose<T extends Candidate>(
  catalog: Catalog,
  candidates: readonly T[],
  args: readonly number[],
): readonly T[] {
  const known = args.every((type) => type !== 0);
  if (known) {
    const exact = candidates.find((candidate) => candidate.types.every((type, at) => type === args[at]));
    if (exact !== undefined) return [exact];
  }
  const fitting = candidates.filter((candidate) => fits(catalog, candidate.types, args));
  if (!known || fitting.length < 2) return fitting;
  const selected = select(catalog, fitting, args);
  return selected === undefined ? fitting : [selected];
}

function fits(catalog: Catalog, types: readonly number[], args: readonly number[]): boolean {
  return (
    types.every((type, at) => args[at] === 0 || becomes(catalog, args[at]!, type)) && consistent(catalog, types, args)
  );
}

/** check_generic_type_consistency: all arguments of one polymorphic family must be of one type. */
function consistent(catalog: Catalog, types: readonly number[], args: readonly number[]): boolean {
  let element = 0;
  for (const [at, type] of types.entries()) {
    const family = POLYMORPHIC.get(type);
    const given = args[at]!;
    if (family === undefined || given === 0 || given === TYPE_UNKNOWN_LITERAL) continue;
    const base = catalog.baseType(given);
    const kind = catalog.type(base)?.kind;
    if (family === "array" && elementOf(catalog, base) === 0) return false;
    if (family === "range" && kind !== "r") return false;
    if (family === "multirange" && kind !== "m") return false;
    if (family === "enum" && kind !== "e") return false;
    if (family === "nonarray" && elementOf(catalog, base) !== 0) return false;
    if (COMPATIBLE.has(type)) continue;
    const own = memberOf(catalog, type, given);
    if (own === 0) continue;
    if (element !== 0 && element !== own) return false;
    element = own;
  }
  return true;
}

/** cstring and void: pseudo-types that stand for nothing else. */
const OF_NO_VALUES = new Set([2275, 2278]);

/** The type that a result of a polymorphic type has. 0: it cannot be told. */
export function resultType(
  catalog: Catalog,
  result: number,
  types: readonly number[],
  args: readonly number[],
): number {
  const family = POLYMORPHIC.get(result);
  if (family === undefined) return catalog.type(result)?.kind === "p" && !OF_NO_VALUES.has(result) ? 0 : result;
  const compatible = COMPATIBLE.has(result);
  let element = 0;
  for (const [at, type] of types.entries()) {
    const own = POLYMORPHIC.get(type);
    if (own === undefined || COMPATIBLE.has(type) !== compatible) continue;
    const given = args[at]!;
    if (given === 0) return 0;
    if (given === TYPE_UNKNOWN_LITERAL) continue;
    if (!compatible && own === family && family !== "element" && family !== "nonarray") return catalog.baseType(given);
    const member = memberOf(catalog, type, given);
    if (member === 0 || (element !== 0 && member !== element)) return 0;
    element = member;
  }
  if (element === 0) {
    if (!compatible) return 0;
    element = TYPE_TEXT;
  }
  if (family === "array") return catalog.arrayOf(element);
  return family === "range" || family === "multirange" ? 0 : element;
}

/** func_select_candidate. Undefined: ambiguous. */
function select<T extends Candidate>(
  catalog: Catalog,
  candidates: readonly T[],
  given: readonly number[],
): T | undefined {
  const args = given.map((type) => (type === TYPE_UNKNOWN_LITERAL ? type : catalog.baseType(type)));
  let rest = mostMatches(candidates, args, (type, at) => type === args[at]);
  if (rest.length === 1) return rest[0];
  const preferred = (type: number, category: string): boolean =>
    categoryOf(catalog, type) === category && catalog.type(type)?.preferred === true;
  rest = mostMatches(rest, args, (type, at) => type === args[at] || preferred(type, categoryOf(catalog, args[at]!)));
  if (rest.length === 1) return rest[0];
  const unknown = args.flatMap((type, at) => (type === TYPE_UNKNOWN_LITERAL ? [at] : []));
  if (unknown.length === 0) return undefined;
  const slots = unknown.map((at) => slotOf(catalog, rest, at));
  if (slots.every((slot) => slot !== undefined)) {
    const kept = rest.filter((candidate) =>
      unknown.every((at, slot) => {
        const { category, anyPreferred } = slots[slot]!;
        const type = candidate.types[at]!;
        return categoryOf(catalog, type) === category && (!anyPreferred || preferred(type, category));
      }),
    );
    if (kept.length === 1) return kept[0];
    if (kept.length > 0) rest = kept;
  }
  const types = new Set(args.filter((type) => type !== TYPE_UNKNOWN_LITERAL));
  if (types.size !== 1) return undefined;
  const [only] = types;
  const fitting = rest.filter((candidate) =>
    fits(
      catalog,
      candidate.types,
      args.map(() => only!),
    ),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function mostMatches<T extends Candidate>(
  candidates: readonly T[],
  args: readonly number[],
  matches: (type: number, at: number) => boolean,
): readonly T[] {
  let best = -1;
  let kept: T[] = [];
  for (const candidate of candidates) {
    let count = 0;
    for (const [at, type] of candidate.types.entries())
      if (args[at] !== TYPE_UNKNOWN_LITERAL && matches(type, at)) count++;
    if (count > best) {
      best = count;
      kept = [];
    }
    if (count === best) kept.push(candidate);
  }
  return kept;
}

/** What a literal is taken for: the category that all candidates agree on, or text where any takes text. */
function slotOf(
  catalog: Catalog,
  candidates: readonly Candidate[],
  at: number,
): { category: string; anyPreferred: boolean } | undefined {
  let slot: { category: string; anyPreferred: boolean } | undefined;
  let conflict = false;
  for (const { types } of candidates) {
    const category = categoryOf(catalog, types[at]!);
    const preferred = catalog.type(types[at]!)?.preferred === true;
    if (slot === undefined) slot = { category, anyPreferred: preferred };
    else if (slot.category === category) slot.anyPreferred ||= preferred;
    else if (category === "S") slot = { category, anyPreferred: preferred };
    else conflict = true;
  }
  return conflict && slot?.category !== "S" ? undefined : slot;
}
