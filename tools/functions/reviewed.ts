// Reads the reviewed knowledge about PostgreSQL's functions: one text for each effect, in sections by what else is to be said.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const EFFECTS = ["total", "pure", "reads", "state", "sql", "outside"];

/** name (with its schema, unless that is pg_catalog), args as names of pg_type, oids of these. */
export const ALL_FUNCTIONS = `
  SELECT CASE n.nspname WHEN 'pg_catalog' THEN '' ELSE n.nspname || '.' END || p.proname AS name,
    array_to_string(ARRAY(SELECT t.typname FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(o, i) JOIN pg_type t ON t.oid = o ORDER BY i), ',') AS args,
    array_to_string(p.proargtypes::oid[], ' ') AS oids
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.oid < 16384 AND n.nspname IN ('pg_catalog', 'information_schema')`;

/**
 * Without what no statement can call: SQL has no values of type internal, and triggers and handlers are called by the server alone.
 * The methods of TABLESAMPLE are named by a clause, and the steps of aggregates can be those of users' aggregates.
 */
export const CALLABLE_FUNCTIONS = `${ALL_FUNCTIONS} AND (p.prorettype = 'tsm_handler'::regtype AND 'internal'::regtype = ANY (p.proargtypes::oid[])
  OR p.oid IN (SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn]::oid[]) FROM pg_aggregate)
  OR NOT (
    'internal'::regtype = ANY (p.proargtypes::oid[])
    OR p.prorettype IN ('internal'::regtype, 'language_handler'::regtype, 'index_am_handler'::regtype, 'table_am_handler'::regtype,
      'tsm_handler'::regtype, 'fdw_handler'::regtype, 'trigger'::regtype, 'event_trigger'::regtype)))
  ORDER BY 1, 2`;

export class Reviewed {
  /** `name` or `name(args)` → group: effect and options */
  readonly #groups = new Map<string, string>();
  readonly #unused = new Set<string>();

  add(entry: string, group: string): void {
    if (this.#groups.has(entry)) throw new Error(`${entry} is listed twice`);
    this.#groups.set(entry, group);
    this.#unused.add(entry);
  }

  /** A signature's own entry, or else that of all of the name. */
  groupOf(name: string, args: string): string | undefined {
    const entry = this.#groups.has(`${name}(${args})`) ? `${name}(${args})` : name;
    this.#unused.delete(entry);
    return this.#groups.get(entry);
  }

  unused(): string[] {
    return [...this.#unused];
  }
}

export function readReviewed(): Reviewed {
  const reviewed = new Reviewed();
  for (const effect of EFFECTS) {
    let group: string | undefined;
    for (const line of readFileSync(join(import.meta.dirname, `${effect}.txt`), "utf8").split("\n")) {
      if (line.startsWith("#") || line === "") continue;
      if (line.startsWith("[")) group = `${effect} ${line.slice(1, -1)}`.trim();
      else for (const entry of line.split(" ")) reviewed.add(entry, group ?? effect);
    }
  }
  return reviewed;
}
