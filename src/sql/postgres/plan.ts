// Reads what EXPLAIN (FORMAT JSON) says of a statement: its nodes, and how many rows and how much cost the server expects.

/** A node of a plan, in the server's own words: `Node Type`, `Relation Name`, `Plan Rows`, … */
export type PlanNode = { readonly [property: string]: unknown };

/** @returns one plan for each statement that the server made of the text. Utilities without a plan are left out. @throws SyntaxError */
export function readPlans(json: string): readonly PlanNode[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    const plan = (entry as { Plan?: unknown } | null)?.Plan;
    return typeof plan === "object" && plan !== null ? [plan as PlanNode] : [];
  });
}

/** A node and all below it, outermost first. */
export function* nodesOf(plan: PlanNode): Generator<PlanNode> {
  const open: PlanNode[] = [plan];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    open.push(...childrenOf(node).reverse());
  }
}

function childrenOf(node: PlanNode): PlanNode[] {
  const { Plans: plans } = node as { Plans?: unknown };
  return Array.isArray(plans) ? plans.filter((one) => typeof one === "object" && one !== null) : [];
}

export type Estimate = { readonly rows: number; readonly cost: number };

/** Rows that are shown or changed, and cost in the server's units, over all plans. Undefined where there is none. */
export function estimateOf(plans: readonly PlanNode[]): Estimate | undefined {
  let rows = 0;
  let cost = 0;
  if (plans.length === 0) return undefined;
  for (const plan of plans) {
    const of = plan["Total Cost"];
    const expected = rowsOf(plan);
    if (typeof of !== "number" || expected === undefined) return undefined;
    rows += expected;
    cost += of;
  }
  return { rows, cost };
}

/** What changes rows returns none, or as many as it changes: those that come from below. */
function rowsOf(plan: PlanNode): number | undefined {
  if (plan["Node Type"] !== "ModifyTable") return typeof plan["Plan Rows"] === "number" ? plan["Plan Rows"] : undefined;
  let rows = 0;
  for (const child of childrenOf(plan)) {
    const relationship = child["Parent Relationship"];
    if (relationship !== "Outer" && relationship !== "Member") continue;
    const below = rowsOf(child);
    if (below === undefined) return undefined;
    rows += below;
  }
  return rows;
}
