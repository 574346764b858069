// The prepared statements, portals and cursors of a session, as the server will have confirmed them. SQL and the protocol share each name space.
import type { Analysis, ScopeNames, StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import type { ReadCommand } from "./command-facts.ts";
import { RegateError } from "../../errors.ts";
import type { Held } from "../../sql/postgres/held.ts";
import { opened, ranToItsEnd } from "../../sql/postgres/run-later.ts";
import { changesMeaning } from "./names.ts";
import type { Rewriting } from "./rewriting.ts";
import type { Run } from "./pending.ts";
import type { Field } from "./message.ts";
import { type Slot, Slots } from "./slots.ts";

/** A statement made by Parse, or by PREPARE. `basis` names the catalog and the session state that `analysis` holds for. */
export interface Prepared extends Slot<Prepared> {
  readonly by: "parse" | "prepare";
  /** What is analysed: the message's text, or the PREPARE alone. */
  readonly text: string;
  /** The whole text that came in, as the server keeps it. */
  readonly source: string;
  readonly parameterTypes: readonly number[];
  /** Set if `text` is not what the client sent. */
  readonly rewriting: Rewriting | undefined;
  analysis: Analysis;
  basis: string;
  /** Everything that EXECUTE may run under that basis: one statement, or any of several. */
  readings: readonly StatementAnalysis[];
  /** Readings of earlier times that the server may still hold on to: a plan is made anew only when something that it uses changed. */
  held: Held[];
  /** One command for each message, as long as the analysis holds: caches hang on it. */
  commands: Map<string, ReadCommand>;
}

/** Made by Bind, or a cursor made by DECLARE. */
export interface Portal extends Slot<Portal> {
  readonly by: "bind" | "declare";
  /** What is analysed: that of the prepared statement, or the DECLARE alone. */
  readonly text: string;
  readonly source: string;
  statements: readonly StatementAnalysis[];
  /** What it is bound to, for the words of a later catalog. */
  readonly held: Held | undefined;
  /** The state that `statements` hold for. */
  basis: string;
  /** What a Bind was of, for statements whose names are looked up as late as at Execute. */
  readonly prepared: Prepared | undefined;
  /** Set if it is not of what the client sent. */
  readonly rewriting: Rewriting | undefined;
  /** WITH HOLD: it outlives its transaction. */
  readonly hold: boolean;
  /** The policy's revision that the portal was permitted under. */
  readonly revision: string;
  /** The run that the record of its Bind covers; its first Execute takes it. */
  run: Run | undefined;
  /** Which command an Execute is decided as. A cursor's is made at each: it is judged as the FETCH that it is. */
  again: ReadCommand | undefined;
  /** What the server says of its columns: not asked, asked, none, or the fields. */
  described: "no" | "asked" | "none" | readonly Field[];
}

/** What one session may keep: the gate's memory holds the facts of each. */
const limits = { statements: 10_000, portals: 10_000, bytes: 64 * 1024 * 1024 };

export class Registry {
  readonly statements = new Slots<Prepared>();
  readonly portals = new Slots<Portal>();
  /** Serials of the last messages sent whose statements may give names to other things. */
  changing = { meaning: 0, statements: 0, portals: 0 };
  /** Counts what SQL did to names. */
  changes = 0;
  /** Counts the messages of the protocol that give a name or take one, as they are sent. */
  messages = 0;

  /** A message is sent that runs this statement. `restores`: the end of the transaction changes what names mean. */
  sent(statement: StatementAnalysis, serial: number, restores: boolean): void {
    const { effects } = statement;
    const ends = effects.transaction !== undefined && effects.transaction !== "begin";
    if (changesMeaning(statement) || (ends && restores)) this.changing.meaning = serial;
    if (
      effects.opaque ||
      effects.discards === true ||
      effects.prepares !== undefined ||
      effects.deallocates !== undefined
    )
      this.changing.statements = serial;
    if (
      effects.opaque ||
      effects.discards === true ||
      effects.declares !== undefined ||
      effects.closesCursor !== undefined ||
      ends
    )
      this.changing.portals = serial;
  }

  /** Would these statements make more names than a session may keep? */
  tooMany(statements: readonly StatementAnalysis[]): RegateError | undefined {
    let prepares = 0;
    let declares = 0;
    for (const { effects } of statements) {
      if (effects.prepares !== undefined) prepares++;
      if (effects.declares !== undefined) declares++;
    }
    return this.fullOfStatements(prepares) ?? this.fullOfPortals(declares);
  }

  fullOfStatements(more: number): RegateError | undefined {
    if (more === 0 || (this.statements.size + more <= limits.statements && this.statements.weight <= limits.bytes))
      return undefined;
    const detail = `The limits are ${limits.statements} prepared statements and ${limits.bytes} bytes of their text.`;
    return new RegateError("TOO_MANY_STATEMENTS", { detail });
  }

  fullOfPortals(more: number): RegateError | undefined {
    if (more === 0 || this.portals.size + more <= limits.portals) return undefined;
    return new RegateError("TOO_MANY_PORTALS", { detail: `The limit is ${limits.portals}.` });
  }

  /** Close was answered. Returns the run of a portal that was never executed. */
  closed(target: "statement" | "portal", name: string, serial: number): Run | undefined {
    this.changes++;
    if (target === "portal") return this.portals.remove(name, serial)?.run;
    this.statements.remove(name, serial);
    return undefined;
  }

  /** A transaction commits, and runs what is kept WITH HOLD to its end. `under`: undefined if not known. */
  kept(under: { catalog: Catalog; at: ScopeNames } | undefined): void {
    for (const { hold, held } of this.portals.values()) if (hold && held !== undefined) ranToItsEnd(held, under);
  }

  /** The transaction of these segments is over: its portals are gone. Returns the runs of those that were never executed. */
  transactionEnded(segment: number): Run[] {
    const unrun: Run[] = [];
    for (const portal of [...this.portals.values()]) {
      if (portal.segment > segment || portal.hold) continue;
      this.portals.remove(portal.name, portal.serial);
      if (portal.run !== undefined) unrun.push(portal.run);
    }
    return unrun;
  }

  /** What a completed statement did to names that SQL gives and takes. */
  completed(statement: StatementAnalysis, serial: number, segment: number, run: Run, at: number): void {
    const { effects } = statement;
    const { prepares, declares } = effects;
    const { rewriting } = run;
    const source = rewriting?.sent ?? run.command?.text ?? "";
    const given = { serial, segment, confirmed: true, failed: false, previous: undefined, source };
    const textOf = (): string => {
      const { start, length } = run.locations[at]!;
      return Buffer.from(source).toString("utf8", start, start + length);
    };
    if (prepares !== undefined) {
      const text = textOf();
      this.changes++;
      this.statements.put({
        ...given,
        name: prepares.name,
        by: "prepare",
        text,
        weight: text.length + source.length,
        parameterTypes: [],
        rewriting,
        analysis: {
          command: { text, normalized: "", fingerprint: "", statements: [] },
          statements: [],
          locations: [],
          unresolved: false,
        },
        basis: "",
        readings: [],
        held: [prepares.held],
        commands: new Map(),
        sure: this.statements.doubt,
      });
    }
    if (declares !== undefined) {
      const text = textOf();
      this.changes++;
      this.portals.put({
        ...given,
        name: declares.name,
        text,
        weight: text.length + source.length,
        by: "declare",
        statements: [declares.statement],
        held: opened(declares.held),
        basis: "",
        prepared: undefined,
        rewriting,
        hold: declares.hold,
        revision: "",
        run: undefined,
        again: undefined,
        described: "no",
        sure: this.portals.doubt,
      });
    }
    if (effects.opaque) {
      this.statements.doubt++;
      this.portals.doubt++;
      this.changes++;
    }
    if (effects.deallocates !== undefined || effects.closesCursor !== undefined || effects.discards === true)
      this.changes++;
    if (effects.deallocates === "*" || effects.discards === true) {
      // DEALLOCATE ALL leaves the unnamed statement alone.
      for (const { name } of [...this.statements.values()]) if (name !== "") this.statements.remove(name, serial);
    } else if (effects.deallocates !== undefined) this.statements.remove(effects.deallocates, serial);
    if (effects.closesCursor === "*" || effects.discards === true) {
      for (const { name } of [...this.portals.values()]) this.portals.remove(name, serial);
    } else if (effects.closesCursor !== undefined) this.portals.remove(effects.closesCursor, serial);
  }
}
