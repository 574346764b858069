// The differential run: generated statements, each held against the server; what is missed is made smaller.
import type { Rich } from "../support.ts";
import { Choices } from "./choices.ts";
import type { Measure, Miss } from "./oracles.ts";
import { nothingMeasured, Oracles } from "./oracles.ts";
import { ServerSide } from "./server-side.ts";
import { shrink } from "./shrink.ts";
import { statement } from "./statement.ts";
import type { Tried } from "./values.ts";
import { Values } from "./values.ts";
import { readWorld, type World } from "./world.ts";

export type Failure = { readonly seed: number; readonly miss: Miss; readonly text: string };
export type Report = Measure & {
  statements: number;
  accepted: number;
  /** Statements that ran again with a column changed; and with values that a total output may not fail on. */
  changes: number;
  totals: number;
  /** Of which a view was made. */
  views: number;
  readonly failures: Failure[];
};

/** One in so many is run. */
const RUN_EVERY = 3;

export class Differential {
  readonly world: World;
  readonly server: ServerSide;
  readonly oracles: Oracles;
  readonly values: Values;

  private constructor(world: World, server: ServerSide, oracles: Oracles) {
    this.world = world;
    this.server = server;
    this.oracles = oracles;
    this.values = new Values(server, world);
  }

  static async start(rich: Rich): Promise<Differential> {
    const world = await readWorld(rich.query);
    const server = await ServerSide.start(rich.client, rich.query, world);
    return new Differential(world, server, new Oracles(rich.catalog, server, world));
  }

  /** Statement by statement from this seed on, while `goOn`; at most `maxFailures` are looked into. */
  async run(seed: number, goOn: (report: Report) => boolean, maxFailures = 10): Promise<Report> {
    const report: Report = {
      statements: 0,
      accepted: 0,
      changes: 0,
      totals: 0,
      views: 0,
      failures: [],
      ...nothingMeasured(),
    };
    const seen = new Set<string>();
    for (let at = seed; goOn(report); at++) {
      report.statements++;
      const made = statement(this.world, at);
      const runs = made.query && at % RUN_EVERY === 0;
      const again = runs ? at : undefined;
      const misses = await this.misses(made.text, report, again, report);
      if (misses === undefined) continue;
      report.accepted++;
      for (const miss of misses) {
        // One of a kind is enough to begin with.
        if (report.failures.length >= maxFailures || seen.has(miss.kind)) continue;
        seen.add(miss.kind);
        const text = await shrink(made.text, async (smaller) => this.#still(smaller, miss.kind, again));
        const smallest =
          (await this.misses(text, nothingMeasured(), again))?.find((other) => other.kind === miss.kind) ?? miss;
        report.failures.push({ seed: at, miss: smallest, text });
      }
    }
    return report;
  }

  async #still(text: string, kind: string, again: number | undefined): Promise<boolean> {
    const misses = await this.misses(text, nothingMeasured(), again);
    return misses?.some((miss) => miss.kind === kind) ?? false;
  }

  /**
   * What is wrong with the facts of a statement; undefined where the server refuses it. With a seed for what is changed it runs, too.
   */
  async misses(
    text: string,
    measure: Measure = nothingMeasured(),
    again?: number,
    tried: Tried = { changes: 0, totals: 0, views: 0 },
  ): Promise<readonly Miss[] | undefined> {
    // Refused by the server or not: neither a crash nor a hang.
    const analysis = this.oracles.facts(text);
    const asked = await this.server.ask(text);
    if (asked === undefined) return "kind" in analysis && analysis.kind !== "refused" ? [analysis] : undefined;
    if ("kind" in analysis) return [analysis];
    const misses = this.oracles.judge(analysis, asked, measure);
    if (again === undefined || !analysis.outputsKnown) return misses;
    const recorded = await this.server.dependencies(text, asked.fields.length);
    if (recorded !== undefined) {
      tried.views++;
      misses.push(...this.oracles.dependencies(analysis.facts, asked, recorded));
    }
    return [...misses, ...(await this.values.judge(text, analysis, asked.lineage, new Choices(again), tried))];
  }
}
