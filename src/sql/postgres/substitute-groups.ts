// GROUP BY a primary key lets every other column of its table stand for itself. Of a sub-select no key is known: the columns have to be named.
import type { ColumnRef, Node, RangeVar, SelectStmt } from "libpg-query";
import type { Catalog } from "./catalog.ts";
import { isOrdered } from "./coercion.ts";
import { name } from "./mask-sql-build.ts";
import type { Relation } from "./model.ts";
import { hasStar, integerOf, namesOf, qualifiedName, stringOf } from "./nodes.ts";
import type { Names } from "./substitute-names.ts";

/** One table in FROM that is replaced. */
type Source = {
  readonly relation: Relation;
  readonly name: string;
  /** Its columns as the query calls them. */
  readonly columns: readonly string[];
};

/** What is to be put in front of which item of the clause. */
export type Grouped = { readonly at: number; readonly refs: readonly Node[]; readonly text: string };

/** What GROUP BY of this query lacks once the tables are replaced; a text: why that cannot be had; undefined: nothing. */
export function lackingGroups(
  stmt: SelectStmt,
  replaced: (range: RangeVar) => Relation | undefined,
  names: Names,
  catalog: Catalog,
): Grouped | string | undefined {
  const clause = stmt.groupClause ?? [];
  if (clause.length === 0 || clause.some((node) => "GroupingSet" in node)) return undefined;
  const sources = sourcesOf(stmt, replaced, names);
  const keyed = sources.filter((source) => isKeyed(source, sources, clause, stmt, names));
  if (keyed.length === 0) return undefined;
  const found = new Map<string, Node>();
  const roots = [stmt.targetList, stmt.havingClause, stmt.sortClause, stmt.distinctClause, stmt.windowClause];
  for (const { ref, below } of references(roots, catalog)) {
    for (const [source, column] of meant(ref, keyed, sources, names)) {
      const at = source.columns.indexOf(column);
      const type = source.relation.columns[at]?.type ?? 0;
      if (isOrdered(catalog, type)) found.set(JSON.stringify([source.name, column]), reference(source.name, column));
      // In a query below, the name may be one of its own.
      else if (!below)
        return `GROUP BY the key of ${source.relation.qualified} stands for its column ${column}, by which nothing can be grouped; leave it out`;
    }
  }
  const at = clause.findIndex((node) => "ColumnRef" in node || "A_Const" in node);
  if (found.size === 0 || at < 0) return undefined;
  const refs = [...found.values()];
  const text = [...found.keys()].map((key) => (JSON.parse(key) as string[]).map(name).join(".")).join(", ");
  return { at, refs, text: `${text}, ` };
}

function reference(...path: readonly string[]): Node {
  return { ColumnRef: { fields: path.map((each): Node => ({ String: { sval: each } })) } };
}

function sourcesOf(stmt: SelectStmt, replaced: (range: RangeVar) => Relation | undefined, names: Names): Source[] {
  const sources: Source[] = [];
  const left: Node[] = [...(stmt.fromClause ?? [])];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if ("JoinExpr" in node) left.push(...[node.JoinExpr.larg, node.JoinExpr.rarg].filter((side) => side !== undefined));
    else if ("RangeTableSample" in node && node.RangeTableSample.relation !== undefined)
      left.push(node.RangeTableSample.relation);
    if (!("RangeVar" in node) || names.read(node.RangeVar) === undefined) continue;
    const range = node.RangeVar;
    const relation = replaced(range);
    if (relation === undefined) continue;
    const given = namesOf(range.alias?.colnames);
    const columns = relation.columns.map((column, at) => given[at] ?? column.name);
    sources.push({ relation, name: range.alias?.aliasname ?? range.relname ?? "", columns });
  }
  return sources;
}

/** Is every column of the table's primary key in the clause? */
function isKeyed(
  source: Source,
  sources: readonly Source[],
  clause: readonly Node[],
  stmt: SelectStmt,
  names: Names,
): boolean {
  const key = source.relation.primaryKey;
  if (key === undefined) return false;
  const grouped = clause.flatMap((node) => {
    const ref = columnRef(node, stmt, names);
    return ref === undefined ? [] : meant(ref, [source], sources, names).map(([, column]) => column);
  });
  return key.every((attnum) =>
    grouped.includes(source.columns[source.relation.columns.findIndex((column) => column.attnum === attnum)] ?? ""),
  );
}

/** An item of GROUP BY: a column, or an output by its number or its name. */
function columnRef(node: Node, stmt: SelectStmt, names: Names): ColumnRef | undefined {
  const output = (val: Node | undefined): ColumnRef | undefined =>
    val !== undefined && "ColumnRef" in val ? val.ColumnRef : undefined;
  const targets = (stmt.targetList ?? []).map((each) => ("ResTarget" in each ? each.ResTarget : {}));
  if ("A_Const" in node) {
    // Behind a star the number is of another output.
    const position = integerOf(node) ?? 0;
    return targets.slice(0, position).some(({ val }) => isStar(output(val)))
      ? undefined
      : output(targets[position - 1]?.val);
  }
  if (!("ColumnRef" in node)) return undefined;
  const { fields } = node.ColumnRef;
  if (fields?.length !== 1 || names.column(fields) !== undefined) return node.ColumnRef;
  return output(targets.find((target) => target.name === stringOf(fields[0]))?.val);
}

const isStar = (ref: ColumnRef | undefined): boolean => hasStar(ref?.fields);

/** Which columns of which of the tables a reference means. */
function meant(
  ref: ColumnRef,
  of: readonly Source[],
  all: readonly Source[],
  names: Names,
): (readonly [Source, string])[] {
  const fields = ref.fields ?? [];
  const parts = namesOf(fields);
  if (isStar(ref)) {
    const qualifier = parts.at(-1);
    return of
      .filter((source) => qualifier === undefined || source.name === qualifier)
      .flatMap((source) => source.columns.map((column) => [source, column] as const));
  }
  const column = parts.at(-1) ?? "";
  if (parts.length > 1)
    return of
      .filter((source) => source.name === parts.at(-2) && source.columns.includes(column))
      .map((source) => [source, column] as const);
  const stands = names.column(fields)?.relation;
  // Twice in FROM, a bare name would be of either.
  return of
    .filter((source) => source.relation === stands && all.filter(({ relation }) => relation === stands).length === 1)
    .map((source) => [source, column] as const);
}

type Reference = { readonly ref: ColumnRef; readonly below: boolean };

/** Every reference that stands outside of an aggregate. Of a query below all: too many columns of the table divide no group either. */
function* references(roots: readonly unknown[], catalog: Catalog, below = false): Generator<Reference> {
  const left: unknown[] = [...roots];
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== "object" || node === null) continue;
    if ("SubLink" in node && !below) yield* references([node.SubLink], catalog, true);
    else if ("ColumnRef" in node) {
      const ref = node.ColumnRef as ColumnRef;
      // A bare star is of the query that it stands in.
      if (!below || !isStar(ref) || ref.fields?.length !== 1) yield { ref, below };
    } else if (
      below ||
      !("FuncCall" in node && mayAggregate(node.FuncCall as Parameters<typeof mayAggregate>[0], catalog))
    )
      left.push(...(Array.isArray(node) ? node : Object.values(node)));
  }
}

function mayAggregate(call: { funcname?: Node[]; over?: unknown }, catalog: Catalog): boolean {
  if (call.over !== undefined) return false;
  const { schema, name: called } = qualifiedName(call.funcname);
  const everywhere = schema === undefined ? catalog.schemas : [schema];
  return catalog.functions(schema, called, everywhere).some((entry) => entry.kind === "aggregate");
}
