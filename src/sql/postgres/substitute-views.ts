// A view that filters, joins or groups by masked columns: its definition takes its place, and is rewritten as the text around it.
import type { Node, SelectStmt } from "libpg-query";
import type { Catalog } from "./catalog.ts";
import { name } from "./mask-sql-build.ts";
import { type Form, INNER } from "./masked-forms.ts";
import { type Column, COMPUTED_TAG, type Relation } from "./model.ts";
import { parse } from "./parser.ts";
import { Recorder } from "./recorder.ts";
import { sameTree } from "./same-tree.ts";
import { resolveQuery } from "./select.ts";
import type { Masks } from "./substitute-forms.ts";
import { Names } from "./substitute-names.ts";
import type { Rewriting } from "./substitute-tree.ts";
import { viewOf } from "./views.ts";

export type Inlined = {
  readonly query: string;
  readonly select: SelectStmt;
  readonly forms: Iterable<Form>;
  /** Those in the definition whose definitions took their places. */
  readonly views: Iterable<Relation>;
};

/** Does the view do more with a masked column than show it? */
export function isBuiltOn(relation: Relation, masks: ReadonlyMap<Relation, Masks>, catalog: Catalog): boolean {
  if (relation.kind !== "view" && relation.kind !== "materialized_view") return false;
  for (const column of viewOf(relation, catalog)?.uses.keys() ?? [])
    if (masks.get(column.relation)?.has(column.name) === true) return true;
  return false;
}

/**
 * The columns whose tags say more than those of what they are made of, as the classification may: in the place of the view stands its
 * definition, of which nobody could tell that.
 */
export function ownTagged(view: Relation, catalog: Catalog): readonly Column[] {
  const values = viewOf(view, catalog)?.values;
  return view.columns.filter((column, at) => {
    const kept = new Set([COMPUTED_TAG, ...(values?.[at]?.sources.flatMap(({ source }) => source.tags) ?? [])]);
    return column.source.tags.some((tag) => !kept.has(tag));
  });
}

/** `rewriting` is made for the text of the definition. A text: why it cannot be. */
export function inlined(
  relation: Relation,
  masks: ReadonlyMap<Relation, Masks>,
  catalog: Catalog,
  path: readonly string[],
  rewriting: (text: string, names: Names) => Rewriting,
): Inlined | string {
  const what = `${relation.qualified} is built on masked columns`;
  if (relation.kind !== "view" || relation.definition === undefined || relation.definition === "")
    return `${what}, and what it holds cannot be told from its definition: query what it is made of instead`;
  // Its definition is written for a path in which the server's own functions come first.
  if (path.find((schema) => !schema.startsWith("pg_temp_")) !== "pg_catalog")
    return `${what}, and search_path has another schema before pg_catalog`;
  const text = relation.definition.trim().replace(/;$/, "");
  const statement = parse(text).stmts?.[0]?.stmt;
  if (statement === undefined || !("SelectStmt" in statement)) return `${what}, and its definition cannot be read`;
  const names = new Names(catalog);
  const recorder = new Recorder(catalog, ["pg_catalog"], { running: undefined, reads: names, bound: true });
  resolveQuery(recorder, statement.SelectStmt, undefined, undefined);
  const inner = rewriting(text, names);
  const impossible = inner.statement(statement, masks);
  const made = impossible === undefined && !recorder.unresolved ? inner.text() : undefined;
  if (made === undefined) return impossible ?? `${what}, and its definition cannot be rewritten`;
  if (!sameTree(parse(made).stmts?.[0]?.stmt, statement)) return `${what}, and its definition would not mean the same`;
  // OFFSET keeps conditions of the text around it from being asked of rows that the view leaves out.
  const query = `SELECT * FROM (${made}) AS ${name(INNER)} OFFSET 0`;
  const select = parse(query).stmts?.[0]?.stmt as Extract<Node, { SelectStmt: unknown }>;
  return { query, select: select.SelectStmt, forms: inner.forms, views: inner.views };
}
