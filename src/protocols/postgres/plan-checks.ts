// A share of what ran is planned again, aside, and its facts are held against what the plan names. Nobody waits for it.
import type { CommandFacts } from "../../core/facts.ts";
import type { StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { parameterCount } from "../../sql/postgres/parameters.ts";
import { planFindings } from "../../sql/postgres/plan-findings.ts";
import { parameterTypesOf } from "./command-facts.ts";
import type { Disagreements } from "./disagreements.ts";
import { mayBePlanned } from "./estimate.ts";
import type { Planner } from "./planner.ts";

/** Samples that may wait. A queue that is full drops: the check must not become the load. */
const longest = 64;

export type PlanSample = {
  readonly command: CommandFacts;
  readonly statement: StatementAnalysis;
  readonly catalog: Catalog;
  readonly searchPath: readonly string[];
  readonly user: string;
};

export type PlanCheckCounts = {
  /** Plans that were compared. */
  readonly checked: number;
  /** Of these, disagreements that came of a catalog that was changed elsewhere meanwhile. */
  readonly stale: number;
  /** Samples that the server had no plan for (a lock, row-level security, an object that is gone). */
  readonly unplanned: number;
  readonly dropped: number;
};

export class PlanChecks {
  /** From 0 (never) to 1 (all). */
  readonly rate: number;
  #checked = 0;
  #stale = 0;
  #unplanned = 0;
  #dropped = 0;
  readonly #planner: Planner;
  readonly #disagreements: Disagreements;
  readonly #readCatalog: () => Promise<Catalog>;
  readonly #queue: PlanSample[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /** @param readCatalog the catalog as it is now, read anew */
  constructor(rate: number, planner: Planner, disagreements: Disagreements, readCatalog: () => Promise<Catalog>) {
    this.rate = rate;
    this.#planner = planner;
    this.#disagreements = disagreements;
    this.#readCatalog = readCatalog;
  }

  get counts(): PlanCheckCounts {
    return { checked: this.#checked, stale: this.#stale, unplanned: this.#unplanned, dropped: this.#dropped };
  }

  /** Is it this command's turn? */
  get due(): boolean {
    return this.rate > 0 && Math.random() < this.rate;
  }

  /** Takes a command that ran to its end; what cannot be planned aside is left out. */
  sample(sample: PlanSample): void {
    const { command, statement } = sample;
    const { facts, effects } = statement;
    const changesNames = effects.settings || effects.catalog || effects.temp;
    if (command.statements.length !== 1 || changesNames || !mayBePlanned(facts)) return;
    if (facts.verb === "declare" || this.#closed) return;
    if (this.#queue.length >= longest) {
      this.#dropped++;
      return;
    }
    this.#queue.push(sample);
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
  }

  async #work(): Promise<void> {
    for (let sample = this.#queue.shift(); sample !== undefined; sample = this.#queue.shift()) {
      await this.#check(sample).catch(() => {
        this.#unplanned++;
      });
    }
  }

  async #check({ command, statement, catalog, searchPath, user }: PlanSample): Promise<void> {
    const text = command.sent ?? command.text;
    const plans = await this.#planner.plans({
      text: Buffer.from(text),
      parameterTypes: parameterTypesOf(command),
      parameterCount: parameterCount(text),
      searchPath,
      user,
      rowSecurity: false,
      verbose: true,
    });
    this.#checked++;
    const findings = planFindings(plans, { ...statement, text }, catalog);
    if (findings.length === 0) return;
    // Made elsewhere, between the command and now? Then it was another database that the facts were of.
    const now = await this.#readCatalog();
    if (now.version !== catalog.version) {
      this.#stale++;
      return;
    }
    const { version: catalogVersion, serverVersion } = catalog;
    const where = { searchPath, user, catalogVersion, serverVersion };
    this.#disagreements.add({
      code: "PLAN_MISMATCH",
      findings,
      command,
      statement: 0,
      ...where,
      server: { plans },
    });
  }
}
