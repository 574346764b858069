// Which types the server turns into which on its own or when asked, and whether that can fail on a value (parse_coerce.c).
import type { Behaviour } from "./builtins.ts";
import type { Catalog } from "./catalog.ts";
import { TYPE_BOOL, TYPE_RECORD, TYPE_TEXT, TYPE_UNKNOWN_LITERAL } from "./value.ts";

const TYPE_CHAR = 18;
const TYPE_NAME = 19;
const TYPE_VARCHAR = 1043;
const TYPE_BPCHAR = 1042;
export const TYPE_ANY = 2276;
const TYPE_RECORD_ARRAY = 2287;
/** Types whose values are indexed by position, though they are no arrays for casts. */
const VECTORS = new Set([22, 30]);

/** The pseudo-types that stand for the types of a call's arguments, by what they take. */
export const POLYMORPHIC: ReadonlyMap<number, "element" | "nonarray" | "enum" | "array" | "range" | "multirange"> =
  new Map([
    [2283, "element"],
    [2776, "nonarray"],
    [3500, "enum"],
    [2277, "array"],
    [3831, "range"],
    [4537, "multirange"],
    [5077, "element"],
    [5079, "nonarray"],
    [5078, "array"],
    [5080, "range"],
    [4538, "multirange"],
  ]);
/** anycompatible and its family: arguments of different types are turned into one that all can become. */
export const COMPATIBLE = new Set([5077, 5078, 5079, 5080, 4538]);

export type Context = "implicit" | "assignment" | "explicit";
const RANKS: { readonly [context: string]: number } = { i: 0, a: 1, e: 2, implicit: 0, assignment: 1, explicit: 2 };

/** How a value becomes one of another type. `code`: the OID of the function that does it. */
export type Path =
  | { readonly kind: "same" }
  | { readonly kind: "function"; readonly code: number }
  | { readonly kind: "array"; readonly element: Path }
  | { readonly kind: "text" };
const SAME: Path = { kind: "same" };
const TEXT_FORM: Path = { kind: "text" };

export function categoryOf(catalog: Catalog, type: number): string {
  const base = catalog.baseType(type);
  return catalog.type(base)?.category ?? (catalog.relationByRowType(base) === undefined ? "" : "C");
}

/** The type of the elements of what is an array (not of a name, a point or the like). 0: no array. */
export function elementOf(catalog: Catalog, type: number): number {
  const entry = catalog.type(catalog.baseType(type));
  return entry?.category === "A" ? entry.element : 0;
}

/** find_coercion_pathway. Undefined: there is none. */
export function pathBetween(catalog: Catalog, source: number, target: number, context: Context): Path | undefined {
  const from = catalog.baseType(source);
  const to = catalog.baseType(target);
  if (from === to) return SAME;
  const cast = catalog.castBetween(from, to);
  if (cast !== undefined) {
    if (RANKS[cast.context]! > RANKS[context]!) return undefined;
    if (cast.method === "b") return SAME;
    return cast.method === "i" ? TEXT_FORM : { kind: "function", code: cast.code };
  }
  if (!VECTORS.has(to)) {
    const [fromElement, toElement] = [elementOf(catalog, from), elementOf(catalog, to)];
    if (fromElement !== 0 && toElement !== 0) {
      const element = pathBetween(catalog, fromElement, toElement, context);
      if (element !== undefined) return { kind: "array", element };
    }
  }
  if (context !== "implicit" && categoryOf(catalog, to) === "S") return TEXT_FORM;
  if (context === "explicit" && categoryOf(catalog, from) === "S") return TEXT_FORM;
  return undefined;
}

/** can_coerce_type for one argument; what is polymorphic is judged for all arguments together. */
export function becomes(catalog: Catalog, source: number, target: number, context: Context = "implicit"): boolean {
  if (source === target || target === TYPE_ANY || POLYMORPHIC.has(target) || source === TYPE_UNKNOWN_LITERAL)
    return true;
  if (pathBetween(catalog, source, target, context) !== undefined) return true;
  const row = catalog.relationByRowType(source);
  if (target === TYPE_RECORD) return row !== undefined;
  if (target === TYPE_RECORD_ARRAY) return catalog.relationByRowType(elementOf(catalog, source)) !== undefined;
  if (row === undefined) return false;
  // A child's row is one of its parent's, too.
  const above = [...row.parents];
  for (const parent of above) {
    if (parent.rowType === catalog.baseType(target)) return true;
    above.push(...parent.parents);
    if (above.length > 1_000) return true;
  }
  return false;
}

/** Can the conversion neither fail nor warn, whatever the value? Constraints of a domain can. */
export function conversionIsTotal(catalog: Catalog, source: number, target: number, context: Context): boolean {
  if (source === target || target === TYPE_ANY) return true;
  // A domain may have constraints.
  if (catalog.type(target)?.kind === "d") return false;
  // A literal is read while the statement is analysed: it fails always or never.
  if (source === TYPE_UNKNOWN_LITERAL) return true;
  const path = pathBetween(catalog, source, target, context);
  return path !== undefined && pathIsTotal(catalog, path, source, target);
}

function pathIsTotal(catalog: Catalog, path: Path, source: number, target: number): boolean {
  switch (path.kind) {
    case "same":
      return true;
    case "function":
      return isTotal(catalog, path.code);
    case "array": {
      const element = elementOf(catalog, target);
      // Each element has to meet a domain's constraints.
      if (catalog.type(element)?.kind === "d") return false;
      return pathIsTotal(catalog, path.element, elementOf(catalog, source), element);
    }
    case "text":
      // By the output function of one and the input function of the other: whatever is written can be read as a text.
      return isTextual(catalog.baseType(target)) && isWritable(catalog, source);
  }
}

function isTextual(type: number): boolean {
  return (
    type === TYPE_TEXT || type === TYPE_VARCHAR || type === TYPE_BPCHAR || type === TYPE_NAME || type === TYPE_CHAR
  );
}

/** Is the function one of the server's that never fails? */
function isTotal(catalog: Catalog, code: number): boolean {
  const entry = catalog.functionByOid(code);
  return entry?.behaviour.effect === "total" && entry.behaviour.values === "written";
}

/**
 * Does a function with these parameters give a value for all arguments of these types, their conversion included? 0: a type that is not
 * known, as of a parameter of the statement, which may be of any that the server takes there.
 */
export function totalOver(
  catalog: Catalog,
  behaviour: Behaviour,
  types: readonly number[],
  args: readonly number[],
): boolean {
  if (behaviour.effect !== "total" || !becomeOneType(catalog, types, args)) return false;
  return types.every((type, at) => {
    const given = args[at]!;
    if (type === TYPE_ANY || POLYMORPHIC.has(type)) {
      if (given === TYPE_UNKNOWN_LITERAL || behaviour.values === "passed") return true;
      return behaviour.values === "compared" ? isOrdered(catalog, given) : isWritable(catalog, given);
    }
    return given === 0
      ? catalog.castsTo(type).every((code) => code === 0 || isTotal(catalog, code))
      : conversionIsTotal(catalog, given, type, "implicit");
  });
}

/** What is given for anycompatible and its family becomes of one type, one of theirs: whichever that is, without failing? */
function becomeOneType(catalog: Catalog, types: readonly number[], args: readonly number[]): boolean {
  const given = types.flatMap((type, at) =>
    COMPATIBLE.has(type) && args[at] !== TYPE_UNKNOWN_LITERAL ? [memberOf(catalog, type, args[at]!)] : [],
  );
  if (given.length < 2) return true;
  const members = [...new Set(given.map((type) => catalog.baseType(type)))];
  return members.every(
    (one) =>
      one !== 0 &&
      members.every((other) => !becomes(catalog, one, other) || conversionIsTotal(catalog, one, other, "implicit")),
  );
}

/** The element type that an argument of a polymorphic type stands for. 0: not known. */
export function memberOf(catalog: Catalog, type: number, given: number): number {
  switch (POLYMORPHIC.get(type)) {
    case "array":
      return elementOf(catalog, given);
    case "range":
      return catalog.boundsOf(catalog.baseType(given));
    case "multirange":
      return 0;
    default:
      return given;
  }
}

/** Whatever type of its own category a value of this one becomes in the company of others: does it without failing? */
export function companyIsTotal(catalog: Catalog, type: number): boolean {
  return catalog
    .castsFrom(type)
    .every(
      ([target, code]) =>
        code === 0 || categoryOf(catalog, target) !== categoryOf(catalog, type) || isTotal(catalog, code),
    );
}

/** Types whose values can always be written: the server's own without components, arrays of these, and enums. */
export function isWritable(catalog: Catalog, type: number): boolean {
  const base = catalog.baseType(type);
  const element = elementOf(catalog, base);
  if (element !== 0) return isWritable(catalog, element);
  const entry = catalog.type(base);
  if (entry === undefined) return false;
  if (entry.kind === "e") return true;
  return (
    entry.schema === "pg_catalog" &&
    base < FIRST_UNPINNED &&
    (entry.kind === "b" || entry.kind === "r" || entry.kind === "m") &&
    !UNWRITABLE.has(base)
  );
}
const FIRST_UNPINNED = 12_000;
/** Their text form is made by a function that can fail, or that is not theirs: aclitem (names roles), tsquery, gtsvector, the statistics' own types. */
const UNWRITABLE = new Set([194, 3361, 3402, 3615, 3642, 4600, 4601, 5017]);

/** Types of the server that have an order, of which every two values can be compared; arrays and enums of them. */
export function isOrdered(catalog: Catalog, type: number): boolean {
  const base = catalog.baseType(type);
  const element = elementOf(catalog, base);
  if (element !== 0 && !VECTORS.has(base)) return isOrdered(catalog, element);
  const kind = catalog.type(base)?.kind;
  if (kind === "e") return true;
  if (kind === "r" || kind === "m") return isWritable(catalog, base);
  return ORDERED.has(base);
}
/** bool bytea char name integers text oid floats money bpchar varchar dates and times bits numeric uuid pg_lsn inet macaddr jsonb tsvector xid8 tid */
const ORDERED = new Set([
  TYPE_BOOL,
  17,
  TYPE_CHAR,
  TYPE_NAME,
  20,
  21,
  23,
  TYPE_TEXT,
  26,
  27,
  30,
  650,
  700,
  701,
  774,
  790,
  829,
  869,
  TYPE_BPCHAR,
  TYPE_VARCHAR,
  1082,
  1083,
  1114,
  1184,
  1186,
  1266,
  1560,
  1562,
  1700,
  2950,
  3220,
  3614,
  3802,
  5069,
]);
