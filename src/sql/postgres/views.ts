// Views: each column's lineage, from the definition that the server writes, checked against the dependencies that it keeps.
import type { SelectStmt } from "libpg-query";
import type { FunctionUse } from "../../core/facts.ts";
import type { Catalog } from "./catalog.ts";
import { mayFail, unusedExpressions } from "./from.ts";
import { anyReturnsSet } from "./listed.ts";
import type { Column, Relation } from "./model.ts";
import { parse } from "./parser.ts";
import type { Result, SideEffects } from "./recorder.ts";
import { Recorder } from "./recorder.ts";
import type { Touched } from "./touched.ts";
import { USE } from "./uses.ts";
import { hasOwnClauses, resolveQuery } from "./select.ts";
import type { Value } from "./value.ts";
import { OPAQUE } from "./value.ts";

export type ViewLineage = {
  /** One for each column, in order. */
  readonly values: readonly Value[];
  readonly touched: readonly Touched[];
  /** What its definition does with columns beside showing them. */
  readonly uses: ReadonlyMap<Column, number>;
  readonly operators: ReadonlyMap<Column, ReadonlySet<string>>;
  /** @see Recorder.kept */
  readonly kept: ReadonlySet<Column>;
  /** @see Recorder.copied */
  readonly copied: ReadonlySet<Column>;
  /** @see Recorder.computes */
  readonly computed: readonly Value[];
  readonly functions: ReadonlySet<FunctionUse>;
  readonly external: ReadonlySet<string>;
  /** What a query of it does beside reading: locks, settings, writes by functions. Undefined where it does nothing. */
  readonly effects: SideEffects | undefined;
  readonly opaque: boolean;
};

const known = new WeakMap<Relation, ViewLineage | "resolving">();

/** What reading the view reads. Undefined for the server's own views, which stand for themselves. */
export function viewOf(relation: Relation, catalog: Catalog): ViewLineage | undefined {
  if (relation.definition === undefined) return undefined;
  const found = known.get(relation);
  if (found === "resolving") return { ...unresolvable(relation, catalog, false), opaque: true };
  if (found !== undefined) return found;
  known.set(relation, "resolving");
  const lineage = resolveView(relation, catalog);
  known.set(relation, lineage);
  return lineage;
}

export function columnsOfView(relation: Relation, catalog: Catalog): readonly Value[] {
  return viewOf(relation, catalog)!.values;
}

function resolveView(relation: Relation, catalog: Catalog): ViewLineage {
  try {
    const statement = parse(relation.definition!, { maxBytes: MAX_DEFINITION }).stmts?.[0]?.stmt;
    if (statement === undefined || !("SelectStmt" in statement)) return unresolvable(relation, catalog);
    // The definition was written with an empty path: every name but pg_catalog's is qualified.
    const recorder = new Recorder(
      catalog,
      relation.schema.startsWith("pg_temp_") ? [relation.schema, "pg_catalog"] : ["pg_catalog"],
      // The functions that it calls run in whatever path holds when it is read.
      { running: undefined, bound: true },
    );
    const result = resolveQuery(recorder, statement.SelectStmt, undefined, undefined);
    const columns = relation.rows().length;
    if (result.open || result.members.length !== columns || recorder.unresolved || misses(relation, recorder))
      return unresolvable(relation, catalog);
    if (computesUnasked(recorder, statement.SelectStmt, result)) unusedExpressions(recorder, result);
    else if (!isPulledUp(recorder, statement.SelectStmt))
      for (const { value } of result.members) if (mayFail(value)) recorder.computes(value);
    return {
      values: result.members.map((member) => member.value),
      touched: recorder.relations.touched,
      uses: withoutOutput(recorder.uses),
      operators: recorder.operators,
      kept: recorder.held,
      copied: recorder.copied,
      computed: recorder.computed,
      functions: recorder.functions,
      external: recorder.external,
      effects: recorder.sideEffects,
      opaque: recorder.opaque,
    };
  } catch {
    // Too long, too deep, or of a newer grammar: it depends on all that the server says.
    return unresolvable(relation, catalog);
  }
}
const MAX_DEFINITION = 16 * 1_048_576;

/**
 * Does the server compute columns of it that nobody asks for? All where it cannot take the arms of a set operation apart, else those that are
 * volatile or sets. (is_simple_union_all in prepjointree.c, remove_unused_subquery_outputs in allpaths.c)
 */
function computesUnasked(recorder: Recorder, select: SelectStmt, { members }: Result): boolean {
  if (isSetOperation(select)) {
    const sameTypes = members.every(({ value }) => value.type !== 0);
    if (!sameTypes || hasOwnClauses(select) || !isPlainUnion(select)) return true;
  }
  for (const { volatility } of recorder.functions) if (volatility === "volatile") return true;
  return armsOf(select).some((arm) => anyReturnsSet(recorder, arm.targetList ?? []));
}

/** Does it become a part of the query around it, even where rows are marked? (is_simple_subquery in prepjointree.c) */
function isPulledUp({ catalog, functions }: Recorder, select: SelectStmt): boolean {
  if (!Object.keys(select).every((member) => SIMPLE.has(member)) || isSetOperation(select)) return false;
  for (const use of functions) if (catalog.functionOf(use)?.kind !== "function") return false;
  return true;
}
const SIMPLE: ReadonlySet<string> = new Set(["targetList", "fromClause", "whereClause", "limitOption", "op"]);

const isSetOperation = ({ op }: SelectStmt): boolean => op !== undefined && op !== "SETOP_NONE";

/** Only UNION ALL on the way to its arms. */
function isPlainUnion(select: SelectStmt): boolean {
  if (!isSetOperation(select)) return true;
  return (
    select.op === "SETOP_UNION" &&
    select.all === true &&
    [select.larg, select.rarg].every(
      (arm) => arm !== undefined && !(isSetOperation(arm) && hasOwnClauses(arm)) && isPlainUnion(arm),
    )
  );
}

function armsOf(select: SelectStmt): readonly SelectStmt[] {
  if (!isSetOperation(select)) return [select];
  return [select.larg, select.rarg].flatMap((arm) => (arm === undefined ? [] : armsOf(arm)));
}

/** Does the server know of a relation or a column that the resolver did not see? */
function misses(relation: Relation, recorder: Recorder): boolean {
  const relations = new Set(
    recorder.relations.touched.filter((touched) => touched.via.length === 0).map((touched) => touched.relation.oid),
  );
  return relation.dependencies.some(([oid]) => {
    const other = recorder.catalog.relationByOid(oid);
    // Sequences (nextval) and row types are dependencies, too, but not read as rows.
    return !relations.has(oid) && other?.kind !== "sequence" && other?.kind !== "composite" && other?.kind !== "index";
  });
}

function withoutOutput(uses: ReadonlyMap<Column, number>): ReadonlyMap<Column, number> {
  const result = new Map<Column, number>();
  for (const [column, bits] of uses) if ((bits & ~USE.output) !== 0) result.set(column, bits & ~USE.output);
  return result;
}

/** Every column depends on every column that the server names for the view, or on whole relations where it names none. */
function unresolvable(relation: Relation, catalog: Catalog, deep = true): ViewLineage {
  const sources = new Set<Column>();
  const touched = new Map<Relation, Touched>();
  for (const [oid] of relation.dependencies) {
    const other = catalog.relationByOid(oid);
    if (other === undefined) continue;
    touched.set(other, { relation: other, access: "select", via: [] });
    if (deep) for (const column of other.wholeRow.sources) sources.add(column);
  }
  const value: Value = { ...OPAQUE, sources: [...sources] };
  return {
    values: relation.rows().map(() => value),
    touched: [...touched.values()],
    uses: new Map(value.sources.map((column) => [column, USE.expression])),
    operators: new Map(),
    kept: sources,
    copied: sources,
    computed: [],
    functions: new Set(),
    external: new Set(),
    effects: undefined,
    opaque: true,
  };
}
