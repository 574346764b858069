// The search path in which the text of a body finds its names: its own, or the one that holds when it runs.
import type { Catalog } from "./catalog.ts";
import type { Definition } from "./definitions.ts";
import type { FunctionEntry } from "./model.ts";
import type { Recorder } from "./recorder.ts";

const SYSTEM = ["pg_catalog"];

/**
 * One path, or several of which it is not known which one holds: then only what means the same in each of them is understood. `session`:
 * it is the session's, which something else in the statement may change before the body runs.
 */
export function pathsOf(
  recorder: Recorder,
  entry: FunctionEntry,
  definition: Definition,
): { readonly paths: readonly (readonly string[])[]; readonly session: boolean } {
  const { catalog, running } = recorder;
  const own = definition.searchPath;
  if (own !== undefined) {
    if (running !== undefined)
      return { paths: withKept(catalog, effective(own, running.filter(isTemporary))), session: false };
    // Whose temporary objects it may meet is not known.
    const temporary = catalog.schemas.filter(isTemporary);
    return {
      paths: temporary.length === 0 ? [effective(own, [])] : [effective(own, []), effective(own, temporary)],
      session: false,
    };
  }
  if (running === undefined) return { paths: isolatedPaths(catalog), session: false };
  if (entry.body?.securityDefiner === true && !isSurelyOwners(catalog, running, entry.body.owner))
    return { paths: isolatedPaths(catalog), session: false };
  return { paths: withKept(catalog, running), session: true };
}

/**
 * The server keeps plans of a body, in the session, as long as the path is the same: a temporary table that is made later does not stand before
 * what it has found (plancache.c). What may have been found is what stands behind the temporary schema.
 */
function withKept(catalog: Catalog, path: readonly string[]): readonly (readonly string[])[] {
  const temporary = path.filter((schema) => isTemporary(schema) && catalog.schemas.includes(schema));
  if (temporary.length === 0) return [path];
  const kept = [...path.filter((schema) => !temporary.includes(schema)), ...temporary];
  return kept.every((schema, at) => schema === path[at]) ? [path] : [path, kept];
}

/** A path without, and one with all that users could make to be found first. */
export function isolatedPaths(catalog: Catalog): readonly (readonly string[])[] {
  const users = catalog.schemas.filter((schema) => schema !== "pg_catalog" && !isTemporary(schema));
  return [SYSTEM, [...catalog.schemas.filter(isTemporary), ...users, ...SYSTEM]];
}

/** As `current_schemas(true)` gives it for `SET search_path` to this list. */
function effective(schemas: readonly string[], temporary: readonly string[]): readonly string[] {
  const path = schemas.flatMap((schema) => (schema === "pg_temp" ? temporary : [schema]));
  if (!path.includes("pg_catalog")) path.unshift("pg_catalog");
  return schemas.includes("pg_temp") ? path : [...temporary, ...path];
}

/**
 * Under SECURITY DEFINER the session's path is the owner's: "$user" is another schema, and those that the owner may not use are left out.
 * With one schema beside the server's there is nothing that could be found instead.
 */
function isSurelyOwners(catalog: Catalog, path: readonly string[], owner: string): boolean {
  const users = path.filter((schema) => schema !== "pg_catalog" && !isTemporary(schema));
  return users.length <= 1 && (users.includes(owner) || !catalog.schemas.includes(owner));
}

function isTemporary(schema: string): boolean {
  return schema.startsWith("pg_temp_");
}
