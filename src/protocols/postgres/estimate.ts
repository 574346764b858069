// How many rows a statement would show or change, and at which cost, by the server's own estimate: asked only where a rule reads it.
import type { FunctionUse, StatementFacts } from "../../core/facts.ts";
import type { Analysis } from "../../sql/postgres/analyze.ts";
import { parameterCount } from "../../sql/postgres/parameters.ts";
import { estimateOf } from "../../sql/postgres/plan.ts";
import type { Planner } from "./planner.ts";

/** How long an estimate of a prepared statement is taken for granted. */
const freshMs = 10_000;
/** Types above this are users': making a value of one may run code. */
const firstUserOid = 16_384;

const estimable = new Set([
  "select",
  "values",
  "insert",
  "update",
  "delete",
  "merge",
  "declare",
  "create_table_as",
  "select_into",
]);

export type EstimateScope = { readonly searchPath: readonly string[]; readonly user: string };

export class Estimates {
  readonly #planner: Planner;
  readonly #askedAt = new WeakMap<Analysis, number>();

  constructor(planner: Planner) {
    this.#planner = planner;
  }

  /** Was it made a moment ago? */
  fresh(analysis: Analysis): boolean {
    const at = this.#askedAt.get(analysis);
    return at !== undefined && performance.now() - at < freshMs;
  }

  /**
   * The analysis with the estimates that can be had; null stays where one cannot. Never throws. Asked over a connection of the gate's own: the
   * client's settings (seq_page_cost = 0) do not move it, and its transaction is not touched.
   */
  async of(analysis: Analysis, parameterTypes: readonly number[], scope: EstimateScope): Promise<Analysis> {
    const { text } = analysis.command;
    const bytes = Buffer.from(text);
    const count = parameterCount(text);
    const plain = parameterTypes.every((type) => type < firstUserOid);
    const statements: Analysis["statements"][number][] = [];
    let known = plain;
    for (const [at, statement] of analysis.statements.entries()) {
      const { start, length } = analysis.locations[at] ?? { start: 0, length: bytes.length };
      const { effects, facts } = statement;
      const estimate =
        known && mayBePlanned(facts)
          ? await this.#ask(bytes.subarray(start, start + length), count, parameterTypes, scope)
          : null;
      statements.push(estimate === null ? statement : { ...statement, facts: { ...facts, estimate } });
      // What it makes or sets, the gate's own connection does not have.
      if (effects.settings || effects.catalog || effects.temp) known = false;
    }
    const estimated: Analysis = {
      ...analysis,
      command: { ...analysis.command, statements: statements.map(({ facts }) => facts) },
      statements,
    };
    this.#askedAt.set(estimated, performance.now());
    return estimated;
  }

  async #ask(
    text: Uint8Array,
    count: number,
    parameterTypes: readonly number[],
    scope: EstimateScope,
  ): Promise<StatementFacts["estimate"]> {
    try {
      const plans = await this.#planner.plans({
        text,
        parameterTypes,
        parameterCount: count,
        ...scope,
        rowSecurity: true,
        verbose: false,
      });
      return estimateOf(plans) ?? null;
    } catch {
      // A lock that is held, a type that cannot be told, a server that is away: not known.
      return null;
    }
  }
}

/** Planning computes what is constant: only what is seen through may run for it. Temporary tables are their session's alone. */
export function mayBePlanned({ verb, class: of, relations, functions }: StatementFacts): boolean {
  return (
    estimable.has(verb) &&
    of !== "unknown" &&
    functions.every(harmlessToPlan) &&
    relations.every(({ schema, kind }) => schema !== "pg_temp" && kind !== "unknown")
  );
}

function harmlessToPlan({ opaque, volatility, effect }: FunctionUse): boolean {
  if (opaque) return false;
  // The planner never computes what is volatile.
  return volatility === "volatile" || effect === "total" || effect === "pure" || effect === "reads";
}
