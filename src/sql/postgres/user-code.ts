// Code of users that runs without being called by name: behind operators, casts and domains. Most databases have none.
import type { Node } from "libpg-query";
import type { FunctionUse } from "../../core/facts.ts";
import { runUse } from "./bodies.ts";
import type { Catalog, Operator } from "./catalog.ts";
import { elementOf } from "./coercion.ts";
import { qualifiedName } from "./nodes.ts";
import { chosenOf } from "./operators.ts";
import type { Recorder } from "./recorder.ts";
import { checksOf, jsonCastsOf } from "./type-code.ts";
import type { Value } from "./value.ts";
import { CONSTANT, combine, TYPE_RECORD, TYPE_TEXT, TYPE_UNKNOWN_LITERAL } from "./value.ts";

/** The operators that a keyword stands for. */
const BEHIND: ReadonlyMap<string, readonly string[]> = new Map([
  ["BETWEEN", [">=", "<="]],
  ["NOT BETWEEN", ["<", ">"]],
  ["BETWEEN SYMMETRIC", [">=", "<="]],
  ["NOT BETWEEN SYMMETRIC", ["<", ">"]],
]);

/** What is computed with the help of users' code depends on what that reads, too. */
export function withRun(value: Value, run: Value | undefined): Value {
  return run === undefined ? value : { ...combine([value, run], value.type, false), total: false };
}

/** How an operator is written. */
export type Written = {
  readonly schema: string | undefined;
  readonly name: string;
  /** A keyword stands for it (USING, CASE, IS DISTINCT FROM …), or a list or a row: the server does not write it by its schema. */
  readonly implied: boolean;
};
/** A missing operand is undefined. */
export type Operands = readonly [left: Value | undefined, right: Value | undefined];
export function writtenAs(names: readonly Node[] | undefined): Written {
  const { schema, name } = qualifiedName(names);
  return names === undefined ? EQUALS : { schema, name, implied: false };
}
export const EQUALS: Written = { schema: undefined, name: "=", implied: true };

/** Might the server choose a user's operator? Then its function runs, and this is what it gives. */
export function operatorRuns(
  recorder: Recorder,
  written: Written,
  pairs: readonly Operands[],
  node?: object,
): Value | undefined {
  const { catalog } = recorder;
  let found: Value | undefined;
  for (const [left, right] of pairs) {
    found = withAnother(castsRun(recorder, ...[left, right].flatMap(withFields)), found);
    if (written.name === "||") found = concatenationRuns(recorder, left, right, found);
  }
  if (catalog.operators.size === 0) return found;
  let own = true;
  for (const symbol of BEHIND.get(written.name) ?? [written.name]) {
    if (!catalog.operators.has(symbol)) continue;
    for (const [left, right] of pairs) {
      const operands = combine([left ?? CONSTANT, right ?? CONSTANT], 0, false);
      for (const use of usersOperators(recorder, { ...written, name: symbol }, left, right)) {
        own = false;
        found = withRun(runUse(recorder, use, operands), found);
      }
    }
  }
  if (own && node !== undefined) recorder.serversOwn.add(node);
  return found;
}

/** Is it surely no operator of users? `node`: what was resolved before. */
export function isServersOwn(recorder: Recorder, node: object, name: string): boolean {
  return !recorder.catalog.operators.has(name) || recorder.serversOwn.has(node);
}

function withAnother(value: Value | undefined, found: Value | undefined): Value | undefined {
  return value === undefined ? found : withRun(value, found);
}

/** Functions of the users' operators among those that the server may choose. */
function usersOperators(
  recorder: Recorder,
  { schema, name, implied }: Written,
  left: Value | undefined,
  right: Value | undefined,
): readonly FunctionUse[] {
  const { catalog, path } = recorder;
  const users = catalog.operators.get(name) ?? [];
  const from = left === undefined ? undefined : typeOf(left);
  const to = right === undefined ? 0 : typeOf(right);
  if (!(recorder.bound && implied && schema === undefined)) {
    const named = catalog.operatorsNamed(schema, name, path);
    if (named.every(({ use }) => use === undefined)) return [];
    const chosen = right === undefined ? [] : chosenOf(catalog, named, from, to);
    if (chosen.length > 0) return chosen.flatMap(({ operator: { use } }) => use ?? []);
    return taking(catalog, named, left, right);
  }
  // It was resolved along a path that nobody knows: what fits exactly is found in any, and the server's own schema is in each.
  const fitting = [...users, ...catalog.operatorsNamed("pg_catalog", name, path)].filter(
    (operator) => from !== undefined && operator.left === from && operator.right === to,
  );
  if (from !== 0 && to !== 0 && fitting.some((operator) => operator.use === undefined))
    return fitting.flatMap(({ use }) => use ?? []);
  return taking(catalog, users, left, right);
}

function taking(
  catalog: Catalog,
  operators: readonly Operator[],
  left: Value | undefined,
  right: Value | undefined,
): readonly FunctionUse[] {
  return operators.flatMap((operator) =>
    operator.use !== undefined && mayTake(catalog, left, operator.left) && mayTake(catalog, right, operator.right)
      ? [operator.use]
      : [],
  );
}

/** 0: not known, as of rows, which are compared in ways of their own. */
function typeOf(value: Value): number {
  return value.row === undefined ? value.type : 0;
}

/** ROW(…) meets another one field by field. */
function withFields(value: Value | undefined): readonly (Value | undefined)[] {
  return value?.type === TYPE_RECORD && value.row !== undefined ? value.row.map((field) => field.value) : [value];
}

/** What stands beside a text becomes one by whatever cast there is, also by one that has to be written elsewhere (textanycat, anytextcat). */
function concatenationRuns(
  recorder: Recorder,
  left: Value | undefined,
  right: Value | undefined,
  before: Value | undefined,
): Value | undefined {
  const { catalog } = recorder;
  let found = before;
  for (const [one, other] of [
    [left, right],
    [right, left],
  ]) {
    if (one === undefined || other === undefined || !isOfUsers(catalog, one.type)) continue;
    if (elementOf(catalog, other.type) !== 0 || other.type === TYPE_JSONB) continue;
    const run = conversionRuns(recorder, one, TYPE_TEXT);
    if (run !== undefined) found = withRun(run, found);
  }
  return found;
}
const TYPE_JSONB = 3802;

/**
 * Might the server give this operand to a parameter of that type? Ruled out only where it surely does not: the parameter is of a type that
 * users made, the operand of one that came with the server, and no implicit cast leads there.
 */
function mayTake(catalog: Catalog, value: Value | undefined, type: number): boolean {
  if (value === undefined || type === 0) return value === undefined && type === 0;
  if (value.type === 0 || value.type === TYPE_UNKNOWN_LITERAL || value.row !== undefined) return true;
  const given = catalog.baseType(value.type);
  return given === type || !isOfUsers(catalog, type) || isOfUsers(catalog, given) || catalog.implicitTargets.has(type);
}

/** Casts by users' functions that need not be written may run on any operand of their source type, or array of it. */
export function castsRun(recorder: Recorder, ...values: readonly (Value | undefined)[]): Value | undefined {
  const { catalog } = recorder;
  if (catalog.casts.length === 0) return undefined;
  let found: Value | undefined;
  for (const cast of catalog.casts) {
    if (!cast.implicit) continue;
    const taken = values.filter(
      (value) => value !== undefined && (isUntold(value) || withElement(catalog, value.type).includes(cast.source)),
    ) as Value[];
    if (taken.length > 0) found = withRun(runUse(recorder, cast.use, combine(taken, 0, false)), found);
  }
  return found;
}

/** Nothing says of which type it is, or are the fields of it: of a sub-select with several columns. */
function isUntold(value: Value): boolean {
  return value.type === 0 || (value.type === TYPE_RECORD && value.row === undefined);
}

/** The value as the server takes it where it wants a truth value, a number or another type of its own choice: after a cast that nobody wrote. */
export function coerced(recorder: Recorder, value: Value): Value {
  return withRun(value, castsRun(recorder, value));
}

/** Values that all become of one type. */
export function unified(recorder: Recorder, values: readonly Value[]): Value | undefined {
  if (recorder.catalog.casts.length === 0 || values.every((value) => value.type === values[0]!.type)) return undefined;
  return castsRun(recorder, ...values);
}

/** Does a value become one of this type by a user's code: by a cast, by a domain's constraint, for it or for what it consists of? */
export function conversionRuns(recorder: Recorder, value: Value, type: number): Value | undefined {
  const { catalog } = recorder;
  if (catalog.casts.length === 0 && catalog.domains.size === 0) return undefined;
  let found = checksRun(recorder, value, type);
  for (const target of withElement(catalog, type)) {
    for (const cast of catalog.casts) {
      if (cast.target !== target || value.type === TYPE_UNKNOWN_LITERAL) continue;
      if (isUntold(value) || withElement(catalog, value.type).includes(cast.source))
        found = withRun(runUse(recorder, cast.use, value), found);
    }
    // ROW(…) becomes a row field by field.
    const fields = catalog.relationByRowType(target)?.rows();
    (value.elements ?? value.row)?.forEach((member, at) => {
      const field = fields?.[at];
      const run = field === undefined ? undefined : conversionRuns(recorder, member.value, field.type);
      if (run !== undefined) found = withRun(run, found);
    });
  }
  return found;
}

/** A value of that type is made, of a text or a document: the checks of domains in it run. */
export function checksRun(recorder: Recorder, value: Value, type: number): Value | undefined {
  let found: Value | undefined;
  // The casts on the way to their arguments are among what the checks name.
  const checked = { ...value, type: TYPE_UNKNOWN_LITERAL };
  for (const use of checksOf(recorder.catalog, type)) found = withRun(runUse(recorder, use, checked), found);
  return found;
}

/** Values are written as JSON: users' casts to json run for them and for what is in them. */
export function jsonRuns(recorder: Recorder, values: readonly Value[]): Value | undefined {
  if (recorder.catalog.casts.length === 0) return undefined;
  let found: Value | undefined;
  for (const value of values) {
    for (const use of jsonCastsOf(recorder.catalog, value.type)) found = withRun(runUse(recorder, use, value), found);
    const inside = value.type === TYPE_RECORD || value.type === 0 ? (value.row ?? value.elements) : undefined;
    const run =
      inside === undefined
        ? undefined
        : jsonRuns(
            recorder,
            inside.map((member) => member.value),
          );
    if (run !== undefined) found = withRun(run, found);
  }
  return found;
}

function withElement(catalog: Catalog, type: number): readonly number[] {
  const base = catalog.baseType(type);
  const element = elementOf(catalog, base);
  return element === 0 ? [base] : [base, catalog.baseType(element)];
}

function isOfUsers(catalog: Catalog, type: number): boolean {
  const schema = catalog.type(type)?.schema;
  return schema !== "pg_catalog" && schema !== "information_schema";
}
