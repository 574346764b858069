// Runs exchanges from a seed on both sides, and makes what differs as small as it gets.
import { ready } from "../../src/sql/postgres/parser.ts";
import { shrink } from "../sql/postgres/generator/shrink.ts";
import { readWorld, type World } from "../sql/postgres/generator/world.ts";
import { queryOf } from "../sql/postgres/support.ts";
import { byChance, type Difference, difference } from "./compare.ts";
import { type Exchange, exchange, statements } from "./exchanges.ts";
import { Outcomes } from "./outcomes.ts";
import { Sessions } from "./sessions.ts";
import { type Gates, SCOPES, type Server, type Who } from "./sides.ts";
import { stateDifference } from "./state.ts";

export type Leak = {
  readonly exchange: Exchange;
  readonly who: Who;
  readonly difference: Difference;
  readonly steady: boolean;
};
export type Report = {
  /** Everything that was to be executed, but for what cleans up. */
  statements: number;
  exchanges: number;
  /** Exchanges in which something took too long, so that nothing was compared. */
  chance: number;
  readonly ways: Map<string, number>;
  readonly leaks: Leak[];
  readonly outcomes: Outcomes;
};

/** Several runs may share them. */
export type Seeds = { next: number };

export type Options = {
  /** So many differences are made small; others count as exchanges only. */
  readonly maxLeaks: number;
  readonly onLeak: (leak: Leak) => void;
};

/** Sent at once. */
const BATCH = 8;
/** Batches after which a session gives way to a fresh one. */
const SESSION = 8;

export class NonInterference {
  readonly #servers: readonly [Server, Server];
  readonly #world: World;

  readonly #options: Options;

  private constructor(servers: readonly [Server, Server], world: World, options: Options) {
    this.#servers = servers;
    this.#world = world;
    this.#options = options;
  }

  static async start(servers: readonly [Server, Server], options: Options): Promise<NonInterference> {
    await ready();
    return new NonInterference(servers, await readWorld(queryOf(servers[0].direct)), options);
  }

  /** Exchange by exchange from the next seed on while `goOn`. @throws Error when the servers have come to hold other things */
  async run(gates: Gates, seeds: Seeds, goOn: (report: Report) => boolean, report = nothing()): Promise<Report> {
    const whos = Object.keys(SCOPES) as Who[];
    for (let round = 0; goOn(report); round++) {
      const who = whos[round % whos.length]!;
      const sessions = await Sessions.open(gates, who);
      for (let batch = 0; batch < SESSION && goOn(report); batch++) {
        const exchanges = Array.from({ length: BATCH }, () => exchange(this.#world, seeds.next++));
        await this.#batch(gates, sessions, who, exchanges, report);
      }
      sessions.close();
      const differs = await stateDifference(this.#servers);
      if (differs !== undefined)
        throw new Error(`what is stored differs after the session that ended before seed ${seeds.next}: ${differs}`);
    }
    return report;
  }

  async #batch(
    gates: Gates,
    sessions: Sessions,
    who: Who,
    exchanges: readonly Exchange[],
    report: Report,
  ): Promise<void> {
    const answers = await sessions.run(exchanges);
    for (const [at, each] of exchanges.entries()) {
      report.exchanges++;
      report.statements += statements(each);
      report.ways.set(each.way.name, (report.ways.get(each.way.name) ?? 0) + 1);
      report.outcomes.answer(answers[at]!.left.messages);
      const found = difference(answers[at]!);
      if (found === undefined) continue;
      if (byChance(answers[at]!)) {
        report.chance++;
        continue;
      }
      // What comes after it in the batch may differ because of it.
      if (report.leaks.length < this.#options.maxLeaks)
        this.#found(report, await this.#smallest(gates, who, each, found));
      return;
    }
  }

  #found(report: Report, leak: Leak): void {
    report.leaks.push(leak);
    this.#options.onLeak(leak);
  }

  /** Is it there in sessions of its own, and of how little? */
  async #smallest(gates: Gates, who: Who, found: Exchange, first: Difference): Promise<Leak> {
    const shows = async (candidate: Exchange): Promise<Difference | undefined> => {
      const sessions = await Sessions.open(gates, who);
      try {
        const [answers] = await sessions.run([candidate]);
        return byChance(answers!) ? undefined : difference(answers!);
      } finally {
        sessions.close();
      }
    };
    let smallest = found;
    let shown = await shows(found);
    if (shown === undefined) return { exchange: found, who, difference: first, steady: false };
    const accept = async (texts: readonly string[]): Promise<boolean> => {
      const candidate = { ...smallest, texts };
      const difference = await shows(candidate);
      if (difference === undefined) return false;
      smallest = candidate;
      shown = difference;
      return true;
    };
    for (let at = smallest.texts.length - 1; at >= 0 && smallest.texts.length > 1; at--)
      await accept(smallest.texts.filter((_, other) => other !== at));
    for (let at = 0; at < smallest.texts.length; at++) {
      await shrink(smallest.texts[at]!, (text) =>
        accept(smallest.texts.map((other, of) => (of === at ? text : other))),
      );
    }
    return { exchange: smallest, who, difference: shown, steady: true };
  }
}

export function nothing(): Report {
  return { statements: 0, exchanges: 0, chance: 0, ways: new Map(), leaks: [], outcomes: new Outcomes() };
}
