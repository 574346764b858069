// The prepared statements and portals of a session, as the server will have confirmed them.
import type { Analysis, StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Command } from "../../core/command.ts";
import type { Run } from "./pending.ts";
import type { Field } from "./message.ts";

/** A statement made by Parse. `basis` names the catalog and the session state that `analysis` holds for. */
export type Prepared = {
  readonly name: string;
  readonly text: string;
  readonly parameterTypes: readonly number[];
  readonly segment: number;
  confirmed: boolean;
  failed: boolean;
  /** What had the name before; it comes back if the Parse fails. */
  readonly previous: Prepared | undefined;
  analysis: Analysis;
  basis: string;
  /** One command for each message, as long as the analysis holds: caches hang on it. */
  commands: Map<string, Command>;
};

export type Portal = {
  readonly name: string;
  readonly statements: readonly StatementAnalysis[];
  /** The policy's revision that the portal was permitted under. */
  readonly revision: string;
  readonly segment: number;
  /** The run that the record of its Bind covers; its first Execute takes it. */
  run: Run | undefined;
  /** Which command a further Execute is decided as. */
  readonly again: Command;
  /** What the server says of its columns: not asked, asked, none, or the fields. */
  described: "no" | "asked" | "none" | readonly Field[];
};

/** Statement and portal names to what they stand for. Changes wait for the server's word, so that an error leaves the map true. */
export class Registry {
  readonly #prepared = new Map<string, Prepared>();
  readonly #portals = new Map<string, Portal>();
  /** SQL-level PREPARE and DECLARE, by name. */
  readonly sqlPrepared = new Map<string, StatementAnalysis>();
  readonly cursors = new Map<string, StatementAnalysis>();

  prepared(name: string): Prepared | undefined {
    return this.#prepared.get(name);
  }

  get preparedCount(): number {
    return this.#prepared.size + this.sqlPrepared.size;
  }

  parsing(prepared: Prepared): void {
    this.#prepared.set(prepared.name, prepared);
  }

  parsed(prepared: Prepared): void {
    prepared.confirmed = true;
    (prepared as { previous: Prepared | undefined }).previous = undefined;
    // The two kinds share one name space; the server has just said that the name was free.
    if (prepared.name !== "") this.sqlPrepared.delete(prepared.name);
  }

  /** `reached`: the server tried it (and so destroyed an unnamed one); else it was skipped. */
  parseFailed(prepared: Prepared, reached: boolean): void {
    prepared.failed = true;
    if (this.#prepared.get(prepared.name) !== prepared) return;
    let before = prepared.previous;
    while (before?.failed === true) before = before.previous;
    if (before === undefined || (reached && prepared.name === "")) this.#prepared.delete(prepared.name);
    else this.#prepared.set(prepared.name, before);
  }

  /** The run of a portal that was never executed, if that is what was closed. */
  closed(target: "statement" | "portal", name: string): Run | undefined {
    if (target === "portal") {
      const run = this.#portals.get(name)?.run;
      this.#portals.delete(name);
      return run;
    } else {
      this.#prepared.delete(name);
      this.sqlPrepared.delete(name);
    }
    return undefined;
  }

  portal(name: string): Portal | undefined {
    return this.#portals.get(name);
  }

  /** Returns the run of the portal that had the name before, if that was never executed. */
  bound(portal: Portal): Run | undefined {
    const run = this.#portals.get(portal.name)?.run;
    this.#portals.set(portal.name, portal);
    return run;
  }

  bindFailed(portal: Portal): void {
    if (this.#portals.get(portal.name) === portal) this.#portals.delete(portal.name);
  }

  /** The transaction of these segments is over: its portals are gone. Returns the runs of those that were never executed. */
  transactionEnded(segment: number): Run[] {
    const unrun: Run[] = [];
    for (const [name, portal] of this.#portals) {
      if (portal.segment > segment) continue;
      this.#portals.delete(name);
      if (portal.run !== undefined) unrun.push(portal.run);
    }
    return unrun;
  }

  /** What a completed statement did to the SQL-level names. */
  completed(statement: StatementAnalysis): void {
    const { effects } = statement;
    if (effects.prepares !== undefined) {
      this.#forget(effects.prepares.name);
      this.sqlPrepared.set(effects.prepares.name, effects.prepares.statement);
    }
    if (effects.declares !== undefined) this.cursors.set(effects.declares.name, effects.declares.statement);
    if (effects.deallocates === "*") this.#forgetAll();
    else if (effects.deallocates !== undefined) this.#forget(effects.deallocates);
    if (effects.closesCursor === "*") this.cursors.clear();
    else if (effects.closesCursor !== undefined) this.cursors.delete(effects.closesCursor);
    if (effects.discards === true) {
      this.#forgetAll();
      this.cursors.clear();
    }
  }

  /** SQL took a name away, whichever protocol gave it. One whose Parse is still under way came after it. */
  #forget(name: string): void {
    this.sqlPrepared.delete(name);
    for (let one = this.#prepared.get(name); one !== undefined; one = one.previous) {
      if (!one.confirmed) continue;
      one.failed = true;
      if (this.#prepared.get(name) === one) this.#prepared.delete(name);
    }
  }

  #forgetAll(): void {
    this.sqlPrepared.clear();
    // DEALLOCATE ALL leaves the unnamed statement alone.
    for (const name of [...this.#prepared.keys()]) if (name !== "") this.#forget(name);
  }
}
