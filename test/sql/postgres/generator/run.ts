// The differential run: generated statements, each held against the server; what is missed is made smaller.
import type { Rich } from "../support.ts";
import type { Measure, Miss } from "./oracles.ts";
import { nothingMeasured, Oracles } from "./oracles.ts";
import { ServerSide } from "./server-side.ts";
import { shrink } from "./shrink.ts";
import { statement } from "./statement.ts";
import { readWorld, type World } from "./world.ts";

export type Failure = { readonly seed: number; readonly miss: Miss; readonly text: string };
export type Report = Measure & {
  statements: number;
  accepted: number;
  readonly failures: Failure[];
};

export class Differential {
  readonly world: World;
  readonly server: ServerSide;
  readonly oracles: Oracles;

  private constructor(world: World, server: ServerSide, oracles: Oracles) {
    this.world = world;
    this.server = server;
    this.oracles = oracles;
  }

  static async start(rich: Rich): Promise<Differential> {
    const world = await readWorld(rich.query);
    const server = await ServerSide.start(rich.client, rich.query, world);
    return new Differential(world, server, new Oracles(rich.catalog, server, world));
  }

  /** Statement by statement from this seed on, while `goOn`; at most `maxFailures` are looked into. */
  async run(seed: number, goOn: (report: Report) => boolean, maxFailures = 10): Promise<Report> {
    const report: Report = { statements: 0, accepted: 0, failures: [], ...nothingMeasured() };
    const seen = new Set<string>();
    for (let at = seed; goOn(report); at++) {
      report.statements++;
      const made = statement(this.world, at);
      const misses = await this.misses(made.text, report);
      if (misses === undefined) continue;
      report.accepted++;
      for (const miss of misses) {
        // One of a kind is enough to begin with.
        if (report.failures.length >= maxFailures || seen.has(miss.kind)) continue;
        seen.add(miss.kind);
        const text = await shrink(made.text, async (smaller) => this.#still(smaller, miss.kind));
        const smallest = (await this.misses(text))?.find((other) => other.kind === miss.kind) ?? miss;
        report.failures.push({ seed: at, miss: smallest, text });
      }
    }
    return report;
  }

  async #still(text: string, kind: string): Promise<boolean> {
    const misses = await this.misses(text);
    return misses?.some((miss) => miss.kind === kind) ?? false;
  }

  /** What is wrong with the facts of a statement; undefined where the server refuses it. */
  async misses(text: string, measure: Measure = nothingMeasured()): Promise<readonly Miss[] | undefined> {
    // Refused by the server or not: neither a crash nor a hang.
    const analysis = this.oracles.facts(text);
    const asked = await this.server.ask(text);
    if (asked === undefined) return "kind" in analysis && analysis.kind !== "refused" ? [analysis] : undefined;
    return "kind" in analysis ? [analysis] : this.oracles.judge(analysis, asked, measure);
  }
}
