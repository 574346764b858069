// Compares what a plan names with what was derived: relations, functions, and the columns that it filters, joins, sorts and shows.
// A plan may name less (what was pruned or folded away), never more.
import type { Source, StatementFacts } from "../../core/facts.ts";
import type { StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import { isMasked } from "./masked-forms.ts";
import { nodesOf, type PlanNode } from "./plan.ts";
import { familyOf, isSystem, type NamedColumn, Names, renamesColumns } from "./plan-names.ts";

/** Which access a plan's operation stands for. */
const accesses: { readonly [operation: string]: readonly string[] } = {
  Insert: ["insert", "copy", "merge"],
  Update: ["update", "merge"],
  Delete: ["delete", "merge"],
  Merge: ["merge", "insert", "update", "delete"],
};

/** Expressions that decide which rows there are, and in which order. What scans output is more than what is asked of them. */
const conditions = [
  "Filter",
  "Index Cond",
  "Recheck Cond",
  "TID Cond",
  "Hash Cond",
  "Merge Cond",
  "Join Filter",
  "One-Time Filter",
  "Conflict Filter",
  "Order By",
  "Sort Key",
  "Group Key",
  "Cache Key",
];

/** The statement's facts, whether its outputs are those of the result, and its text. */
export type Derived = Pick<StatementAnalysis, "facts" | "outputsKnown"> & { readonly text: string };

/**
 * @param plans of EXPLAIN (VERBOSE, FORMAT JSON)
 * @returns what the plans name and the facts do not; empty: they agree
 */
export function planFindings(plans: readonly PlanNode[], derived: Derived, catalog: Catalog): readonly string[] {
  const { facts } = derived;
  // Where something cannot be told, the facts said so.
  if (facts.functions.some((use) => use.opaque) || facts.class === "unknown") return [];
  // The server's own views are facts of their own: what is behind them is the server's, too.
  const throughSystemView = facts.relations.some(({ schema, kind }) => kind === "view" && isSystem(schema));
  const findings = new Set<string>();
  const columns = new Set<string>();
  const used = withBehind(facts.columns, catalog);
  for (const plan of plans) {
    const names = new Names(plan, catalog, throughSystemView);
    for (const node of nodesOf(plan)) {
      if (throughSystemView && isSystem(node.Schema)) continue;
      for (const found of relationFindings(node, facts, catalog)) findings.add(found);
      const called = functionFinding(node, facts);
      if (called !== undefined) findings.add(called);
      for (const column of conditionColumns(node, names)) {
        if (!used.some((use) => column.is(use)))
          columns.add(`it is decided by ${column.qualified}, which the facts do not list`);
      }
    }
    if (plans.length === 1) for (const found of outputFindings(plan, derived, names, catalog)) columns.add(found);
  }
  // Looked at only where it matters: it costs parsing.
  if (columns.size > 0 && !mayRename(derived, catalog)) for (const found of columns) findings.add(found);
  return [...findings];
}

/** May the plan call columns otherwise than the catalog does? Bodies of functions are not looked at: theirs may. */
function mayRename({ facts, text }: Derived, catalog: Catalog): boolean {
  if (facts.functions.some((use) => use.kind !== "builtin") || renamesColumns(text)) return true;
  return facts.relations.some(({ schema, name, kind }) => {
    const definition = kind === "view" ? catalog.resolveRelation(schema, name, [])?.definition : undefined;
    return definition !== undefined && renamesColumns(definition);
  });
}

function relationFindings(node: PlanNode, facts: StatementFacts, catalog: Catalog): string[] {
  const findings: string[] = [];
  const operation = node["Node Type"] === "ModifyTable" ? accesses[String(node.Operation)] : undefined;
  for (const [schema, name] of relationNames(node)) {
    const relation = catalog.resolveRelation(schema, name, []);
    const family = relation === undefined ? [] : familyOf(relation);
    const listed = facts.relations.filter((one) =>
      family.some((member) => member.factSchema === one.schema && member.name === one.name),
    );
    if (listed.length === 0) findings.push(`it reads ${schema}.${name}, which the facts do not list`);
    else if (operation !== undefined && !listed.some((one) => one.access.some((access) => operation.includes(access))))
      findings.push(`it has ${String(node.Operation).toLowerCase()} on ${schema}.${name}, which the facts do not list`);
  }
  return findings;
}

function* relationNames(node: PlanNode): Generator<readonly [schema: string, name: string]> {
  const targets = node["Target Tables"];
  for (const one of [node, ...(Array.isArray(targets) ? (targets as PlanNode[]) : [])]) {
    const name = one["Relation Name"];
    const schema = one.Schema;
    if (typeof name === "string" && typeof schema === "string") yield [schema, name];
  }
}

function functionFinding(node: PlanNode, facts: StatementFacts): string | undefined {
  const name = node["Function Name"];
  const schema = node.Schema;
  if (typeof name !== "string" || typeof schema !== "string") return undefined;
  const listed = facts.functions.some((use) => use.schema === schema && use.name === name);
  return listed ? undefined : `it calls ${schema}.${name}, which the facts do not list`;
}

function conditionColumns(node: PlanNode, names: Names): NamedColumn[] {
  return conditions.flatMap((condition) => texts(node[condition]).flatMap((text) => names.columns(text)));
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** What the plan shows in each place must be among that output's sources. Behind the outputs a plan may list what it sorts by. */
function outputFindings(plan: PlanNode, { facts, outputsKnown }: Derived, names: Names, catalog: Catalog): string[] {
  const shown = texts(plan.Output);
  if (!outputsKnown || facts.outputs.length === 0) return [];
  if (shown.length > 0 && shown.length < facts.outputs.length)
    return [`it shows ${shown.length} columns, the facts list ${facts.outputs.length}`];
  return facts.outputs.flatMap((output, at) => {
    if (output.derivation === "opaque" || shown[at] === undefined) return [];
    const sources = withBehind(output.sources, catalog);
    return names
      .columns(shown[at])
      .filter((column) => !sources.some((source) => column.is(source)))
      .map((column) => `output ${at + 1} shows ${column.qualified}, which is not among its sources`);
  });
}

/** What the gate masked is a column of the view that the text names; the plan masks what is behind it. */
function withBehind(columns: readonly Source[], catalog: Catalog): readonly Source[] {
  return columns.flatMap((column): readonly Source[] => {
    const own = isMasked(column)
      ? catalog.resolveRelation(column.schema, column.table, [])?.column(column.column)
      : undefined;
    return own === undefined ? [column] : own.value.sources.map(({ source }) => source);
  });
}
