// Code of users that runs without being called by name: behind operators, casts and domains. Most databases have none.
import { runUse } from "./bodies.ts";
import type { Catalog } from "./catalog.ts";
import type { Recorder } from "./recorder.ts";
import type { Value } from "./value.ts";
import { CONSTANT, combine, TYPE_UNKNOWN_LITERAL } from "./value.ts";

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

/** Might this operator be a user's? Then its function runs, and this is what it gives. A missing operand is undefined. */
export function operatorRuns(
  recorder: Recorder,
  name: string,
  left: Value | undefined,
  right: Value | undefined,
): Value | undefined {
  const { catalog } = recorder;
  let found = castsRun(recorder, left, right);
  if (catalog.operators.size === 0) return found;
  const operands = combine([left ?? CONSTANT, right ?? CONSTANT], 0, false);
  for (const symbol of BEHIND.get(name) ?? [name]) {
    for (const candidate of catalog.operators.get(symbol) ?? []) {
      if (!mayTake(catalog, left, candidate.left) || !mayTake(catalog, right, candidate.right)) continue;
      found = withRun(runUse(recorder, candidate.use, operands), found);
    }
  }
  return found;
}

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

/** Implicit casts by users' functions may run on any operand of their source type. */
export function castsRun(recorder: Recorder, ...values: readonly (Value | undefined)[]): Value | undefined {
  const { catalog } = recorder;
  if (catalog.casts.length === 0) return undefined;
  let found: Value | undefined;
  for (const cast of catalog.casts) {
    if (!cast.implicit) continue;
    const taken = values.filter(
      (value) => value !== undefined && (value.type === 0 || catalog.baseType(value.type) === cast.source),
    ) as Value[];
    if (taken.length > 0) found = withRun(runUse(recorder, cast.use, combine(taken, 0, false)), found);
  }
  return found;
}

/** Does a value become one of this type by a user's code: by a cast, by a domain's constraint, for it or for an array's elements? */
export function conversionRuns(recorder: Recorder, value: Value, type: number): Value | undefined {
  const { catalog } = recorder;
  if (catalog.casts.length === 0 && catalog.domains.size === 0) return undefined;
  let found: Value | undefined;
  for (const target of withElement(catalog, type)) {
    for (const use of catalog.domains.get(target) ?? []) found = withRun(runUse(recorder, use, value), found);
    const base = catalog.baseType(target);
    for (const cast of catalog.casts) {
      if (cast.target !== base || value.type === TYPE_UNKNOWN_LITERAL) continue;
      if (
        value.type === 0 ||
        withElement(catalog, value.type).some((source) => catalog.baseType(source) === cast.source)
      ) {
        found = withRun(runUse(recorder, cast.use, value), found);
      }
    }
  }
  return found;
}

function withElement(catalog: Catalog, type: number): readonly number[] {
  const element = catalog.type(type)?.element ?? 0;
  return element === 0 ? [type] : [type, element];
}

function isOfUsers(catalog: Catalog, type: number): boolean {
  const schema = catalog.type(type)?.schema;
  return schema !== "pg_catalog" && schema !== "information_schema";
}
