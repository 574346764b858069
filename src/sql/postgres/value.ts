// The lineage of one expression: which catalog columns its value depends on, and in which way.
import { collated, collationOf, either } from "./collations.ts";
import type { Column } from "./model.ts";

export type Derivation = "direct" | "verbatim" | "expression" | "aggregate" | "opaque";

/** A named member of a row: an output of a query, a column of a FROM item, a field of a whole row. */
export type Member = {
  readonly name: string;
  readonly value: Value;
  /** `*` does not stand for it. It stays so in whatever a join makes of its FROM item. (p_dontexpand in parse_node.h) */
  readonly hidden?: true;
};

export type Value = {
  /** Without duplicates. Empty only where the value depends on no column (or `derivation` is opaque). */
  readonly sources: readonly Column[];
  readonly derivation: Derivation;
  /** It can neither fail nor warn depending on the sources' values. */
  readonly total: boolean;
  /** The OID of its type, 0 where it is not known. */
  readonly type: number;
  /** By its OID, as in collations.ts: of the value itself, not of the fields of a row. */
  readonly collation?: number;
  /** The fields, when the value is a row whose shape is known. */
  readonly row?: readonly Member[];
  /** The fields by the aliases of a FROM item, for `(item).x` alone: whatever is made of the row has the names of its type. */
  readonly aliased?: readonly Member[];
  /** The fields of its elements, when the value is an array of such rows. */
  readonly elements?: readonly Member[];
};

export const NO_COLUMNS: readonly Column[] = Object.freeze([]);
export const TYPE_UNKNOWN_LITERAL = 705;
export const TYPE_BOOL = 16;
export const TYPE_TEXT = 25;
export const TYPE_RECORD = 2249;

const constantOf = (type: number): Value =>
  Object.freeze({ sources: NO_COLUMNS, derivation: "expression", total: true, type });
/** Depends on no column, type not known. */
export const CONSTANT: Value = constantOf(0);
/** A string literal or NULL, which takes the type of its surroundings. */
export const LITERAL: Value = constantOf(TYPE_UNKNOWN_LITERAL);
export const INTEGER: Value = constantOf(23);
/** B'…' and X'…' */
export const BITS: Value = constantOf(1560);
const NUMERIC: Value = constantOf(1700);
export const BOOLEAN: Value = constantOf(TYPE_BOOL);
export const TEXT: Value = constantOf(TYPE_TEXT);
/** `count(*)`: an aggregate over no column. */
export const COUNT: Value = Object.freeze({ sources: NO_COLUMNS, derivation: "aggregate", total: true, type: 20 });
/** Depends on what cannot be told. */
export const OPAQUE: Value = Object.freeze({ sources: NO_COLUMNS, derivation: "opaque", total: false, type: 0 });

/** Kept by identity, so that whatever else is made of a value depends on its sources in full. */
const nullness = new WeakMap<Value, ReadonlySet<Column>>();

/** Those of its sources of which it tells only whether they are NULL. */
export function byNullness(value: Value): ReadonlySet<Column> | undefined {
  return nullness.get(value);
}

/** Of the bare column in it the value tells only whether it is NULL, unless it also depends on it by `others`. */
export function tellsNullness(value: Value, column: Value, others: readonly Value[] = []): Value {
  // A row is NULL by its fields.
  if (!isUnchanged(column) || column.row !== undefined) return value;
  const only = new Set(column.sources);
  for (const other of others) for (const source of other.sources) only.delete(source);
  if (only.size > 0) nullness.set(value, only);
  return value;
}

/** Of a row of bare columns it tells only which of them are NULL: of a row in it only whether it is there, not which fields it has. */
export function tellsFields(value: Value, row: readonly Member[]): Value {
  if (row.every((field) => isUnchanged(field.value) && field.value.row === undefined))
    nullness.set(value, new Set(value.sources));
  return value;
}

const wholeRows = new WeakSet<Value>();

/** Whether there is a row of an entry of FROM depends on how it was joined, not on what is in it. */
export function asWholeRow(row: Value): Value {
  const own = { ...row };
  wholeRows.add(own);
  return own;
}

export function isWholeRow(value: Value): boolean {
  return wholeRows.has(value);
}

/** A value that depends on its parts in no other way than these on their sources. */
function madeOf(value: Value, parts: readonly Value[]): Value {
  if (value.sources.length === 0 || !parts.some((part) => nullness.has(part))) return value;
  const only = new Set<Column>();
  for (const part of parts) for (const column of nullness.get(part) ?? []) only.add(column);
  for (const part of parts) {
    const own = nullness.get(part);
    for (const column of part.sources) if (own?.has(column) !== true) only.delete(column);
  }
  if (only.size > 0) nullness.set(value, only);
  return value;
}

export function union(left: readonly Column[], right: readonly Column[]): readonly Column[] {
  if (left === right || right.length === 0) return left;
  if (left.length === 0) return right;
  if (left.length + right.length > 32) {
    const all = new Set(left);
    for (const column of right) all.add(column);
    return all.size === left.length ? left : [...all];
  }
  let result: Column[] | undefined;
  for (const column of right) {
    if (!left.includes(column)) {
      result ??= left.slice();
      result.push(column);
    }
  }
  return result ?? left;
}

/**
 * The derivation of what is made of two parts. A part without sources is neutral; `aggregate` stays only while every source went
 * through an aggregate, because `max(a) || b` shows b itself.
 */
function joinDerivation(left: Value, right: Value): Derivation {
  if (left.derivation === "opaque" || right.derivation === "opaque") return "opaque";
  const leftNeutral = left.sources.length === 0;
  const rightNeutral = right.sources.length === 0;
  if (leftNeutral && rightNeutral) {
    return left.derivation === "aggregate" || right.derivation === "aggregate" ? "aggregate" : "expression";
  }
  if (rightNeutral) return applied(left.derivation);
  if (leftNeutral) return applied(right.derivation);
  return left.derivation === "aggregate" && right.derivation === "aggregate" ? "aggregate" : "expression";
}

/** Something was done to it. */
function applied(derivation: Derivation): Derivation {
  return derivation === "direct" || derivation === "verbatim" ? "expression" : derivation;
}

/** What an expression over these operands depends on. The result is never direct or verbatim. */
export function combine(operands: readonly Value[], type: number, total: boolean): Value {
  let result = CONSTANT;
  for (const operand of operands) result = combineTwo(result, operand);
  const allTotal = total && operands.every((operand) => operand.total);
  const { collation } = result;
  if (allTotal && isConstant(result)) return collated(plainConstant(type), collation);
  const made: Value = { sources: result.sources, derivation: result.derivation, total: allTotal, type };
  return madeOf(collated(made, collation), operands);
}

/** Depends on no column. One that is not total may fail all the same, and where it is not always computed, when tells something. */
export function isConstant(value: Value): boolean {
  return value.sources.length === 0 && value.derivation === "expression";
}

function combineTwo(left: Value, right: Value): Value {
  const collation = either(left.collation, collationOf(right));
  if (right.total && isConstant(right) && collation === left.collation) return left;
  const both: Value = {
    sources: union(left.sources, right.sources),
    derivation: joinDerivation(left, right),
    total: left.total && right.total,
    type: 0,
  };
  return collated(both, collation);
}

const constants = new Map<number, Value>(
  [CONSTANT, LITERAL, INTEGER, NUMERIC, BOOLEAN, TEXT].map((value) => [value.type, value]),
);
export function plainConstant(type: number): Value {
  let value = constants.get(type);
  if (value === undefined) {
    value = constantOf(type);
    if (constants.size < 1_000) constants.set(type, value);
  }
  return value;
}

/** The same dependence, but no longer the bare column. */
export function derived(value: Value, type: number, total: boolean): Value {
  const collation = collationOf(value);
  if (total && value.total && isConstant(value)) return collated(plainConstant(type), collation);
  const made: Value = {
    sources: value.sources,
    derivation: applied(value.derivation),
    total: value.total && total,
    type,
  };
  return madeOf(collated(made, collation), [value]);
}

const VARCHAR = 1043;
/** Types with the same values in the same bytes, whatever length they declare. */
const isText = (type: number): boolean => type === TYPE_TEXT || type === VARCHAR;

/** Is it the very value of a stored column? */
export function isUnchanged({ derivation }: Value): boolean {
  return derivation === "direct" || derivation === "verbatim";
}

/** The same, and nobody may see less of it than of another that it may be: one of several with other tags is computed of each. */
export function isShownAsItIs(value: Value): boolean {
  if (value.derivation !== "verbatim") return value.derivation === "direct";
  const [first, ...others] = value.sources.map((column) => column.source.tags.join("\0"));
  return others.every((tags) => tags === first);
}

/** As another type whose values have the same bytes; undefined where that is none, or something is done to the value. */
export function relabelled(value: Value, type: number): Value | undefined {
  if (!isUnchanged(value) || !isText(value.type) || !isText(type)) return undefined;
  return collated({ sources: value.sources, derivation: "verbatim", total: value.total, type }, collationOf(value));
}

/**
 * A column of UNION ALL: one or the other, unchanged; undefined where that is not so. A constant is none: beside it, a mask that keeps equal
 * values equal would tell where the column holds it.
 */
export function oneOfBoth(left: Value, right: Value): Value | undefined {
  if (!isUnchanged(left) || !isUnchanged(right) || left.row !== undefined || left.type === 0) return undefined;
  // Of two text types the first is the result's (select_common_type), without a length.
  if (left.type !== right.type && !(isText(left.type) && isText(right.type))) return undefined;
  const one: Value = {
    sources: union(left.sources, right.sources),
    derivation: "verbatim",
    total: left.total && right.total,
    type: left.type,
  };
  return collated(one, either(collationOf(left), collationOf(right)));
}

/** Both arms of a set operation, or of a recursion: never the bare column for the server. */
export function eitherOf(left: Value, right: Value): Value {
  const sources = union(left.sources, right.sources);
  const type =
    left.type === right.type || right.type === TYPE_UNKNOWN_LITERAL
      ? left.type
      : left.type === TYPE_UNKNOWN_LITERAL
        ? right.type
        : 0;
  // Of different types, one is turned into the other's, which may fail.
  const total = left.total && right.total && type !== 0;
  const collation = either(collationOf(left), collationOf(right));
  if (total && sources.length === 0 && left.derivation !== "opaque" && right.derivation !== "opaque") {
    const constant =
      left.derivation === "aggregate" || right.derivation === "aggregate" ? { ...COUNT, type } : plainConstant(type);
    return collated(constant, collation);
  }
  const value = collated({ sources, derivation: joinDerivation(left, right), total, type }, collation);
  const row = eitherRow(left.row, right.row);
  if (row !== undefined) return { ...value, row };
  const elements = eitherRow(left.elements, right.elements);
  return elements === undefined ? value : { ...value, elements };
}

/** Field by field, where both have the same number. */
export function eitherRow(
  left: readonly Member[] | undefined,
  right: readonly Member[] | undefined,
): readonly Member[] | undefined {
  if (left === undefined || right === undefined || left.length !== right.length) return undefined;
  return left.map((member, at) => ({ name: member.name, value: eitherOf(member.value, right[at]!.value) }));
}
