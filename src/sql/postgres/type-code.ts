// Code of users behind a type and all that it is made of: the checks of domains, and the casts by which values are written as JSON.
import type { FunctionUse, StatementFacts } from "../../core/facts.ts";
import type { Catalog } from "./catalog.ts";
import { elementOf } from "./coercion.ts";

const TYPE_JSON = 114;

type Code = {
  readonly checks: Map<number, readonly FunctionUse[]>;
  readonly json: Map<number, readonly FunctionUse[]>;
};
const known = new WeakMap<Catalog, Code>();
const NONE: readonly FunctionUse[] = Object.freeze([]);

function codeOf(catalog: Catalog): Code {
  let code = known.get(catalog);
  if (code === undefined) {
    code = { checks: new Map(), json: new Map() };
    known.set(catalog, code);
  }
  return code;
}

/** What runs when a value of that type is made of something else, a text or a document: checks of domains, however deep in it. */
export function checksOf(catalog: Catalog, type: number): readonly FunctionUse[] {
  if (catalog.domains.size === 0) return NONE;
  return remembered(codeOf(catalog).checks, type, () =>
    partsOf(catalog, type).flatMap((part) => catalog.domains.get(part) ?? []),
  );
}

/**
 * Might it change something while it is parsed? The server reads a literal of an array or a row then, and the checks of the domains in it run.
 * (That of a domain itself runs later.)
 */
export function changesWhileParsed(catalog: Catalog | undefined, { functions }: StatementFacts): boolean {
  if (catalog === undefined || catalog.domains.size === 0) return false;
  const changing = functions.filter(
    ({ kind, effect, opaque }) => (kind !== "builtin" || opaque) && !HARMLESS.has(effect),
  );
  if (changing.length === 0) return false;
  const checks = new Set(Array.from(catalog.domains.values(), (uses) => uses.map(named)).flat());
  return changing.some((use) => checks.has(named(use)));
}

const HARMLESS: ReadonlySet<FunctionUse["effect"]> = new Set(["total", "pure", "reads"]);

function named({ schema, name }: FunctionUse): string {
  return `${schema}.${name}`;
}

/** What runs when a value of that type is written as JSON (json_categorize_type in the server's json.c). 0: of any type. */
export function jsonCastsOf(catalog: Catalog, type: number): readonly FunctionUse[] {
  if (catalog.casts.length === 0) return NONE;
  return remembered(codeOf(catalog).json, type, () => {
    const casts = catalog.casts.filter((cast) => cast.target === TYPE_JSON);
    if (casts.length === 0) return NONE;
    const parts = type === 0 ? undefined : new Set(partsOf(catalog, type));
    return casts.filter((cast) => parts?.has(cast.source) !== false).map((cast) => cast.use);
  });
}

function remembered(
  known: Map<number, readonly FunctionUse[]>,
  type: number,
  find: () => readonly FunctionUse[],
): readonly FunctionUse[] {
  let found = known.get(type);
  if (found === undefined) {
    found = [...new Set(find())];
    known.set(type, found);
  }
  return found;
}

/** The type itself, what a domain is made of, elements, bounds and fields. */
function partsOf(catalog: Catalog, type: number): readonly number[] {
  const parts = new Set<number>();
  const open = [type];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part === 0 || parts.has(part)) continue;
    parts.add(part);
    const entry = catalog.type(part);
    if (entry?.kind === "d") open.push(entry.base);
    open.push(elementOf(catalog, part), catalog.boundsOf(part));
    // Which range a multirange is of is not known: any that users made.
    if (entry?.kind === "m" && entry.schema !== "pg_catalog") open.push(...catalog.userBounds());
    for (const field of catalog.relationByRowType(part)?.rows() ?? []) open.push(field.type);
  }
  return [...parts];
}
