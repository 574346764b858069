// An analysis that outlives its catalog: what it names is kept by OID and attribute number, and can be said again in a later catalog's words.
import type { Source, StatementFacts } from "../../core/facts.ts";
import type { ScopeNames, StatementAnalysis } from "./analysis.ts";
import type { Catalog, Relation } from "./catalog.ts";
import { isMasked } from "./masked-forms.ts";

type Named = { readonly oid: number; readonly columns: ReadonlyMap<string, number> };
export type Held = {
  readonly analysis: StatementAnalysis;
  /** The effective schemas that it was made under. */
  readonly path: readonly string[];
  readonly names: ReadonlyMap<string, Named>;
  /** Undefined: it runs no code of users. */
  readonly code: Code | undefined;
};
/** How the code was read that it runs, after it was opened. */
export type Code = {
  /** By the catalog and the names: another reading, or undefined where it is the same. */
  readonly read: Map<string, Held | undefined>;
  /** It may have run as nobody has read it. */
  lost: boolean;
  /** Under what it ran to its end; undefined: it may still run. */
  end: { readonly catalog: Catalog; readonly at: ScopeNames } | undefined;
};
type Name = { readonly schema: string; readonly table: string; readonly column?: string };

const known = new WeakMap<StatementAnalysis, Held>();

/** The state that an analysis holds for. */
export function basisOf(catalog: Catalog, at: ScopeNames): string {
  return `${catalog.version}/${at.user}/${at.searchPath.join("\0")}`;
}

/** `basis`: the state that it was made in. */
export function hold(
  analysis: StatementAnalysis,
  catalog: Catalog,
  at: ScopeNames,
  basis: string = basisOf(catalog, at),
): Held {
  const path = at.searchPath;
  const before = known.get(analysis);
  if (before !== undefined) return before;
  const names = new Map<string, { oid: number; columns: Map<string, number> }>();
  for (const { schema, table, column } of namesIn(analysis)) {
    const key = `${schema}\0${table}`;
    const relation = catalog.resolveRelation(schema, table, path);
    if (relation === undefined) continue;
    let named = names.get(key);
    if (named === undefined) {
      named = { oid: relation.oid, columns: new Map() };
      names.set(key, named);
    }
    const attnum = column === undefined ? undefined : relation.column(column)?.attnum;
    if (column !== undefined && attnum !== undefined) named.columns.set(column, attnum);
  }
  const code = runsCode(analysis) ? { read: new Map([[basis, undefined]]), lost: false, end: undefined } : undefined;
  const held = { analysis, path, names, code };
  known.set(analysis, held);
  return held;
}

/** What changes something may come to run triggers and checks that are made after it was opened. */
export function runsCode({ facts }: StatementAnalysis): boolean {
  return facts.class !== "read" || facts.functions.some(({ kind }) => kind !== "builtin");
}

function* namesIn({ facts, kept }: StatementAnalysis): Generator<Name> {
  yield* kept;
  for (const { schema, name } of facts.relations) yield { schema, table: name };
  yield* facts.columns;
  for (const { sources } of facts.outputs) yield* sources;
  for (const { target, schema, table, column, sources } of facts.writes) {
    if (target === "column") yield { schema, table, column };
    yield* sources;
  }
}

/**
 * The analysis in the words of this catalog. `same`: everything has the name that it had. Undefined: something is gone, so that the server
 * cannot use it any more.
 */
export function retold(held: Held, catalog: Catalog): { analysis: StatementAnalysis; same: boolean } | undefined {
  const now = new Map<string, Relation>();
  let same = true;
  for (const [key, { oid, columns }] of held.names) {
    const relation = catalog.relationByOid(oid);
    if (relation === undefined) return undefined;
    now.set(key, relation);
    if (`${relation.factSchema}\0${relation.name}` !== key) same = false;
    for (const [name, attnum] of columns) {
      const column = relation.columns.find((each) => each.attnum === attnum);
      if (column === undefined) return undefined;
      if (column.name !== name) same = false;
    }
  }
  const source = <T extends Source>(from: T): T => {
    const key = `${from.schema}\0${from.table}`;
    const relation = now.get(key);
    if (relation === undefined) return from;
    const attnum = held.names.get(key)!.columns.get(from.column);
    const column = attnum === undefined ? undefined : relation.columns.find((each) => each.attnum === attnum);
    // What was masked in the statement stays so, whatever the column is now.
    if (column !== undefined)
      return { ...from, ...column.source, tags: isMasked(from) ? from.tags : column.source.tags };
    return { ...from, schema: relation.factSchema, table: relation.name, tags: relation.tags };
  };
  const { facts, kept } = held.analysis;
  let tagged = false;
  const told: StatementFacts = {
    ...facts,
    relations: facts.relations.map((from) => {
      const relation = now.get(`${from.schema}\0${from.name}`);
      if (relation === undefined) return from;
      if (relation.tagged) tagged = true;
      return { ...from, schema: relation.factSchema, name: relation.name, tags: relation.tags };
    }),
    columns: facts.columns.map(source),
    outputs: facts.outputs.map((output) => ({ ...output, sources: output.sources.map(source) })),
    writes: facts.writes.map((write) => {
      const { schema, table, column } = write.target === "column" ? source({ ...write, tags: [] }) : write;
      return { ...write, schema, table, column, sources: write.sources.map(source) };
    }),
  };
  const touchesTagged = held.analysis.touchesTagged || tagged;
  return { analysis: { ...held.analysis, facts: told, kept: kept.map(source), touchesTagged }, same };
}
