// Compares what a plan names with what was derived: relations, functions, and the columns that it filters, joins, sorts and shows.
// A plan may name less (what was pruned or folded away), never more.
import type { Source, StatementFacts } from "../../core/facts.ts";
import type { StatementAnalysis } from "./analysis.ts";
import type { Catalog, Relation } from "./catalog.ts";
import { parse } from "./parser.ts";
import { nodesOf, type PlanNode } from "./plan.ts";

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

/** The statement's facts, and whether its outputs are those of the result. */
export type Derived = Pick<StatementAnalysis, "facts" | "outputsKnown">;

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
  for (const plan of plans) {
    const names = new Names(plan, catalog, throughSystemView);
    for (const node of nodesOf(plan)) {
      if (throughSystemView && isSystem(node.Schema)) continue;
      for (const found of relationFindings(node, facts, catalog)) findings.add(found);
      const called = functionFinding(node, facts);
      if (called !== undefined) findings.add(called);
      for (const column of conditionColumns(node, names)) {
        if (!facts.columns.some((use) => column.is(use)))
          findings.add(`it is decided by ${column.qualified}, which the facts do not list`);
      }
    }
    if (plans.length === 1) for (const found of outputFindings(plan, derived, names)) findings.add(found);
  }
  return [...findings];
}

function isSystem(schema: unknown): boolean {
  return schema === "pg_catalog" || schema === "information_schema";
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

/** Itself, and what it is a part of: partitions are their table, and children are read through their parents. */
function familyOf(relation: Relation): readonly Relation[] {
  const family = new Set([relation]);
  for (const member of family) for (const parent of member.parents) family.add(parent);
  return [...family];
}

function functionFinding(node: PlanNode, facts: StatementFacts): string | undefined {
  const name = node["Function Name"];
  const schema = node.Schema;
  if (typeof name !== "string" || typeof schema !== "string") return undefined;
  const listed = facts.functions.some((use) => use.schema === schema && use.name === name);
  return listed ? undefined : `it calls ${schema}.${name}, which the facts do not list`;
}

/** A column that a plan names, as any of the relations of its table's family has it. */
class NamedColumn {
  readonly qualified: string;
  readonly #family: readonly Relation[];
  readonly #column: string;

  constructor(family: readonly Relation[], column: string) {
    this.qualified = `${family[0]!.qualified}.${column}`;
    this.#family = family;
    this.#column = column;
  }

  is({ schema, table, column }: Pick<Source, "schema" | "table" | "column">): boolean {
    return column === this.#column && this.#family.some((one) => one.factSchema === schema && one.name === table);
  }
}

/** The aliases of a plan, which the server makes distinct, and the relations behind them. */
class Names {
  readonly #aliases = new Map<string, Relation>();

  constructor(plan: PlanNode, catalog: Catalog, withoutSystem: boolean) {
    for (const node of nodesOf(plan)) {
      if (withoutSystem && isSystem(node.Schema)) continue;
      const { Schema: schema, "Relation Name": name, Alias: alias } = node;
      if (typeof schema !== "string" || typeof name !== "string" || typeof alias !== "string") continue;
      const relation = catalog.resolveRelation(schema, name, []);
      if (relation !== undefined) this.#aliases.set(alias, relation);
    }
  }

  /** The columns of tables in an expression; none where it is not plain SQL (SubPlan, PARTIAL). System columns and whole rows are left out. */
  columns(expression: string): NamedColumn[] {
    let tree: unknown;
    try {
      tree = parse(`SELECT 1 ORDER BY ${expression}`).stmts;
    } catch {
      return [];
    }
    const found: NamedColumn[] = [];
    const open: unknown[] = [tree];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (typeof node !== "object" || node === null) continue;
      const { ColumnRef } = node as { ColumnRef?: { fields?: readonly { String?: { sval?: string } }[] } };
      const fields = ColumnRef?.fields?.map((field) => field.String?.sval);
      if (fields !== undefined) {
        const column = this.#column(fields);
        if (column !== undefined) found.push(column);
      }
      // Which grouping set a row is of tells nothing of the column's values.
      for (const [name, member] of Object.entries(node))
        if (name !== "GroupingFunc" && typeof member === "object" && member !== null) open.push(member);
    }
    return found;
  }

  #column(fields: readonly (string | undefined)[]): NamedColumn | undefined {
    // Of a plan over one relation, outputs are not qualified.
    const only = fields.length === 1 && this.#aliases.size === 1 ? [...this.#aliases.values()][0] : undefined;
    const relation = fields.length === 2 ? this.#aliases.get(fields[0] ?? "") : only;
    const name = fields.at(-1);
    if (relation === undefined || name === undefined) return undefined;
    return relation.rows().some((row) => row.name === name) ? new NamedColumn(familyOf(relation), name) : undefined;
  }
}

function conditionColumns(node: PlanNode, names: Names): NamedColumn[] {
  return conditions.flatMap((condition) => texts(node[condition]).flatMap((text) => names.columns(text)));
}

function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** What the plan shows in each place must be among that output's sources. Behind the outputs a plan may list what it sorts by. */
function outputFindings(plan: PlanNode, { facts, outputsKnown }: Derived, names: Names): string[] {
  const shown = texts(plan.Output);
  if (!outputsKnown || facts.outputs.length === 0) return [];
  if (shown.length > 0 && shown.length < facts.outputs.length)
    return [`it shows ${shown.length} columns, the facts list ${facts.outputs.length}`];
  return facts.outputs.flatMap((output, at) => {
    if (output.derivation === "opaque" || shown[at] === undefined) return [];
    return names
      .columns(shown[at])
      .filter((column) => !output.sources.some((source) => column.is(source)))
      .map((column) => `output ${at + 1} shows ${column.qualified}, which is not among its sources`);
  });
}
