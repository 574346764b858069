// Whether the catalog that commands are judged by still holds: asked of the server once for all commands that arrived before the question.
import type { Ticket } from "../../core/ports.ts";
import { RegateError } from "../../errors.ts";
import { analyze } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { comparable } from "../../sql/postgres/comparable.ts";
import { parameterTypesOf, type ReadCommand } from "./command-facts.ts";
import type { Session } from "./session.ts";

/**
 * When a change that was made past the gate is looked for. `command`: for each command. A number: so many milliseconds after the last time.
 * `auto`: for each command, as long as that costs little (below).
 */
export type CheckInterval = "command" | "auto" | number;

/** `auto`: the cheap question holds for so long. Commands that come so close together share it. */
const QUIET_MS = 1;
/** `auto`: comparisons take at most this share of the time, so that a busy database is not looked through all the time. */
const COMPARING_SHARE = 1 / 20;

/** One question to the server, and who waits for its answer. */
class Round implements Ticket {
  durable = false;
  #over: { readonly error: Error | undefined } | undefined;
  #waiting: ((error: Error | undefined) => void)[] = [];

  settled(callback: (error: Error | undefined) => void): void {
    if (this.#over === undefined) this.#waiting.push(callback);
    else callback(this.#over.error);
  }

  end(error: Error | undefined): void {
    this.#over = { error };
    this.durable = error === undefined;
    for (const callback of this.#waiting.splice(0)) callback(error);
  }
}

const passed: Ticket = { durable: true, settled: (callback) => callback(undefined) };

/** The two questions. Each fails when it cannot be answered. */
export type Questions = {
  /** Is it certain, at little cost, that nothing has changed? Several may be under way. */
  quiet(): Promise<boolean>;
  /** Finds out what has changed, and takes it in. */
  compare(): Promise<void>;
};

export class CatalogCheck {
  readonly #questions: Questions;
  readonly interval: CheckInterval;
  #next: Round | undefined;
  #asking = 0;
  /** Who waits for the next comparison. */
  #changed: Round[] = [];
  #comparing = false;
  #last = Number.NEGATIVE_INFINITY;
  /** `auto`: until then, what others write is not looked at. */
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(questions: Questions, interval: CheckInterval) {
    this.#questions = questions;
    this.interval = interval;
  }

  /** Settled when a question that is put after this call has been answered. Who asks while none can be put shares the next. */
  wanted(): Ticket {
    const good = this.interval === "command" ? 0 : this.interval === "auto" ? QUIET_MS : this.interval;
    if (good > 0 && performance.now() - this.#last < good) return passed;
    if (this.#next === undefined) {
      this.#next = new Round();
      // All that arrived in this turn of the event loop share it.
      if (this.#asking < AT_ONCE) setImmediate(() => this.#ask());
    }
    return this.#next;
  }

  #ask(): void {
    const round = this.#next;
    if (round === undefined || this.#asking >= AT_ONCE) return;
    this.#next = undefined;
    this.#asking++;
    const began = performance.now();
    this.#questions.quiet().then(
      (quiet) => {
        this.#answered();
        if (quiet || began < this.#restUntil) this.#passed(round, began);
        else this.#compare(round);
      },
      (error: Error) => {
        this.#answered();
        round.end(error);
      },
    );
  }

  #answered(): void {
    this.#asking--;
    if (this.#next !== undefined) this.#ask();
  }

  #passed(round: Round, began: number): void {
    this.#last = Math.max(this.#last, began);
    round.end(undefined);
  }

  #compare(round: Round): void {
    this.#changed.push(round);
    if (!this.#comparing) void this.#compareAll();
  }

  async #compareAll(): Promise<void> {
    this.#comparing = true;
    while (this.#changed.length > 0) {
      const rounds = this.#changed.splice(0);
      const began = performance.now();
      try {
        await this.#questions.compare();
        const took = performance.now() - began;
        if (this.interval === "auto") this.#restUntil = began + took / COMPARING_SHARE;
        for (const round of rounds) this.#passed(round, began);
      } catch (thrown) {
        for (const round of rounds) round.end(thrown as Error);
      }
    }
    this.#comparing = false;
  }
}
/** So many cheap questions are under way at most. */
const AT_ONCE = 2;

/**
 * What a command waits for beside its record: that it was judged by a catalog that held when it arrived. If the catalog has changed since,
 * the command is read again, and holds if its facts are the same.
 */
export function holds(session: Session, command: ReadCommand): Ticket {
  const { catalogs } = session;
  const round = catalogs.check.wanted();
  if (round.durable) return round;
  const basis = session.ownCatalog === undefined ? catalogs.current : session.ownBasis;
  // Within a pipeline that changed the catalog, commands are judged by the one that all see, too.
  const own = session.ownCatalog !== undefined;
  let known: { readonly error: Error | undefined } | undefined;
  const verdict = (): Error | undefined => {
    known ??= { error: changed(session, command, basis, own) };
    return known.error;
  };
  return {
    get durable() {
      return round.durable && verdict() === undefined;
    },
    settled: (callback) => round.settled((error) => callback(error ?? verdict())),
  };
}

function changed(session: Session, command: ReadCommand, basis: Catalog | undefined, own: boolean): Error | undefined {
  const now = session.catalogs.current;
  if (now === undefined || now === basis) return undefined;
  // What a transaction sees that changed the catalog itself is read through it, before its next command.
  if (own) session.ownCatalog = undefined;
  else if (now.version === basis?.version) return undefined;
  else if (sameFacts(session, command, basis, now)) return undefined;
  return new RegateError("CATALOG_CHANGED");
}

/** Does its text say the same now? Where its facts are more than its text says (any of several readings), as it did before? */
function sameFacts(session: Session, command: ReadCommand, basis: Catalog | undefined, now: Catalog): boolean {
  const { facts, rewriting } = command;
  const { text } = facts;
  if (facts.message === "function_call") return false;
  const read = (catalog: Catalog): string =>
    comparable(
      analyze(rewriting?.sent ?? text, catalog, session.settled.scope, {
        masked: rewriting?.masked,
        parameterTypes: parameterTypesOf(facts),
      }).statements.map((statement) => statement.facts),
    );
  try {
    // In this order: what an open cursor is read as once, it stays.
    const before = basis === undefined ? undefined : read(basis);
    const again = read(now);
    return again === comparable(facts.statements) || again === before;
  } catch {
    return false;
  }
}
