// Which collation a value has. What compares or searches texts of two different ones fails once it is reached, and so tells that it was.
import type { Value } from "./value.ts";

/** By its OID, negative for one that is not deterministic; undefined: the database's own, or none. */
export type Collation = number | undefined;

/** It may be any, or there are several. */
const UNSURE = -1;
const C = 950;
const POSIX = 951;
/** Those of the server's own that are the same everywhere. */
const NAMED: ReadonlyMap<string, Collation> = new Map([
  ["default", undefined],
  ["C", C],
  ["POSIX", POSIX],
]);

const TYPE_UNKNOWN_LITERAL = 705;
const TYPE_NAME = 19;
const TYPE_NAME_ARRAY = 1003;
/** text, varchar, bpchar, name, arrays of these, and pg_node_tree. */
const COLLATABLE = new Set([194, 25, 1043, 1042, TYPE_NAME, 1009, 1015, 1014, TYPE_NAME_ARRAY]);
/** Others may be of users, or domains over texts. */
const FIRST_UNPINNED = 10_000;

function hasCollation(type: number): boolean {
  return type === 0 || type === TYPE_UNKNOWN_LITERAL || type >= FIRST_UNPINNED || COLLATABLE.has(type);
}

/** `COLLATE name`. `first`: the first schema of the path, where a name without one is found. */
export function collationNamed(schema: string | undefined, name: string, first: string | undefined): Collation {
  return (schema ?? first) === "pg_catalog" && NAMED.has(name) ? NAMED.get(name) : UNSURE;
}

export function collationOf({ collation, type }: Pick<Value, "collation" | "type">): Collation {
  return collation ?? (type === TYPE_NAME || type === TYPE_NAME_ARRAY ? C : undefined);
}

/** Of what is made of both. The database's own gives way to any other. */
export function either(left: Collation, right: Collation): Collation {
  if (left === right || right === undefined) return left;
  return left === undefined ? right : UNSURE;
}

/** The value with this collation, if its type has one. */
export function collated(value: Value, collation: Collation): Value {
  return collation === undefined || !hasCollation(value.type) ? value : { ...value, collation };
}

/**
 * Are all that is compared, or searched, of one collation that allows it? By one that is not deterministic the server compares, but
 * looks for no part of a text.
 */
export function collate(values: readonly Value[], use: "compared" | "searched"): boolean {
  let all: Collation;
  for (const value of values) all = either(all, collationOf(value));
  return all === undefined || all >= 0 || (all !== UNSURE && use === "compared");
}
