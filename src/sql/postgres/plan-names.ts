// Which columns of which tables the expressions of a plan name: aliases are the plan's own, and the server makes them distinct.
import type { Source } from "../../core/facts.ts";
import type { Catalog, Relation } from "./catalog.ts";
import { parse } from "./parser.ts";
import { nodesOf, type PlanNode } from "./plan.ts";

export function isSystem(schema: unknown): boolean {
  return schema === "pg_catalog" || schema === "information_schema";
}

/** Itself, and what it is a part of: partitions are their table, and children are read through their parents. */
export function familyOf(relation: Relation): readonly Relation[] {
  const family = new Set([relation]);
  for (const member of family) for (const parent of member.parents) family.add(parent);
  return [...family];
}

/** A column that a plan names, as any of the relations of its table's family has it. */
export class NamedColumn {
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
export class Names {
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

/** Does a text give columns of a relation other names (`FROM t AS x(a, b)`)? A plan then names them so. True where it cannot be told. */
export function renamesColumns(text: string): boolean {
  let open: unknown[];
  try {
    open = [parse(text).stmts];
  } catch {
    return true;
  }
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== "object" || node === null) continue;
    if (Array.isArray((node as { colnames?: unknown }).colnames)) return true;
    for (const member of Object.values(node)) if (typeof member === "object" && member !== null) open.push(member);
  }
  return false;
}
