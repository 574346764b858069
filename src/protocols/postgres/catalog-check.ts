// Whether the catalog that commands are judged by still holds: asked of the server once for all commands that arrived before the question.
import type { Command } from "../../core/command.ts";
import type { StatementFacts } from "../../core/facts.ts";
import type { Ticket } from "../../core/ports.ts";
import { RegateError } from "../../errors.ts";
import { analyze } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import type { Session } from "./session.ts";

/** When a change that was made past the gate is looked for: for each command, or so many milliseconds after the last time. */
export type CheckInterval = "command" | number;

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

export class CatalogCheck {
  readonly #ask: () => Promise<void>;
  readonly #interval: CheckInterval;
  #next: Round | undefined;
  #running = false;
  #last = Number.NEGATIVE_INFINITY;

  /** `ask` finds out what changed and takes it in; it fails when that cannot be known. */
  constructor(ask: () => Promise<void>, interval: CheckInterval) {
    this.#ask = ask;
    this.#interval = interval;
  }

  /** Settled when a question that is put after this call has been answered. One is under way at a time; who asks meanwhile shares the next. */
  wanted(): Ticket {
    if (this.#interval !== "command" && performance.now() - this.#last < this.#interval) return passed;
    if (this.#next === undefined) {
      this.#next = new Round();
      // All that arrived in this turn of the event loop share it.
      if (!this.#running) setImmediate(() => void this.#run());
      this.#running = true;
    }
    return this.#next;
  }

  async #run(): Promise<void> {
    for (let round = this.#next; round !== undefined; round = this.#next) {
      this.#next = undefined;
      const began = performance.now();
      try {
        await this.#ask();
        this.#last = began;
        round.end(undefined);
      } catch (thrown) {
        round.end(thrown as Error);
      }
    }
    this.#running = false;
  }
}

/**
 * What a command waits for beside its record: that it was judged by a catalog that held when it arrived. If the catalog has changed since,
 * the command is read again, and holds if its facts are the same.
 */
export function holds(session: Session, command: Command): Ticket {
  const { catalogs } = session;
  const round = catalogs.check.wanted();
  if (round.durable) return round;
  const basis = catalogs.current;
  const own = session.backend.catalogChanged;
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

function changed(session: Session, command: Command, basis: Catalog | undefined, own: boolean): Error | undefined {
  const now = session.catalogs.current;
  if (now === undefined || now === basis || now.version === basis?.version) return undefined;
  // What a transaction sees that changed the catalog itself is read through it, before its next command.
  if (own) session.ownCatalog = undefined;
  else if (sameFacts(session, command, now)) return undefined;
  return new RegateError("CATALOG_CHANGED");
}

function sameFacts(session: Session, command: Command, catalog: Catalog): boolean {
  const { facts } = command;
  if (facts.message === "function_call") return false;
  try {
    const again = analyze(facts.text, catalog, session.reading.scope);
    return comparable(again.statements.map((statement) => statement.facts)) === comparable(facts.statements);
  } catch {
    return false;
  }
}

/** All but what the server estimates: that is no fact about names. */
function comparable(statements: readonly StatementFacts[]): string {
  return JSON.stringify(statements, (key, value: unknown) => (key === "estimate" ? undefined : value));
}
