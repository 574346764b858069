// Decides one command and brings the decision about: its permit once the record allows it, a question to a human, or the server's own failure.
import type { Permit, Refusal } from "../../core/enforce.ts";
import type { StatementFacts } from "../../core/facts.ts";
import { type Doubt, unrecorded, type Verdict } from "../../core/pipeline.ts";
import type { Ticket } from "../../core/ports.ts";
import { type ErrorCode, RegateError } from "../../errors.ts";
import { Advice } from "./advice.ts";
import { holds } from "./catalog-check.ts";
import type { ReadCommand } from "./command-facts.ts";
import { askedAgain, type Substitutions, widened } from "./rewriting.ts";
import { TRANSACTION } from "./codes.ts";
import { newRun } from "./pending.ts";
import { approvalNotice, missed } from "./refuse.ts";
import type { Session } from "./session.ts";

export class Judge {
  /** Is the command at hand a simple query (or function call), whose refusal ends its own segment? */
  inSimple = false;
  readonly #session: Session;
  readonly #advice: Advice;

  constructor(session: Session) {
    this.#session = session;
    this.#advice = new Advice(session);
  }

  /** Makes the server send what it holds back, so that waiting ends. */
  nudge(): false {
    const session = this.#session;
    const { backend, pending, writer } = session;
    if (pending.next !== backend.nudgedAt) {
      backend.nudgedAt = pending.next;
      writer.flush();
    }
    return false;
  }

  promised<T>(promise: Promise<T>, step: (value: T) => boolean): boolean {
    const session = this.#session;
    let settled: { value: T } | { error: unknown } | undefined;
    promise.then(
      (value) => {
        settled = { value };
        session.pump();
      },
      (error: unknown) => {
        settled = { error };
        session.pump();
      },
    );
    return session.wait(() => {
      if (settled === undefined) return false;
      if ("value" in settled) return step(settled.value);
      if (!(settled.error instanceof RegateError)) throw settled.error;
      return this.refuse(
        session.options.pipeline.refuse(session.context, undefined, settled.error),
        session.judge.inSimple,
      );
    });
  }

  /**
   * Decides, records, and goes on with the permit once its record allows it; or refuses; or asks a human. `substitute` goes on with another
   * text in which protected columns are replaced; without it, that is a refusal. `again` reads the command anew and decides it: called once
   * instead of refusing, if the catalog turns out to have changed past the gate before anything was sent.
   */
  decide(
    command: ReadCommand,
    how: "judge" | "prepare",
    simple: boolean,
    step: (permit: Permit) => boolean,
    substitute?: (asked: Substitutions) => boolean,
    again?: () => boolean,
  ): boolean {
    const session = this.#session;
    const { pipeline } = session.options;
    if (session.parts.disagreements.refuses(command.facts) && pipeline.policy.mode === "enforce") {
      const error = new RegateError("PLAN_MISMATCH");
      return this.refuse(pipeline.refuse(session.context, command.facts, error), simple);
    }
    const check = how === "judge" && pipeline.policy.mode === "enforce" ? holds(session, command) : undefined;
    const act = (verdict: Verdict | Doubt): boolean => {
      if (verdict.kind === "refuse")
        return this.refuse(missed(this.#advice.on(verdict.refusal, command), command.missing), simple);
      if (verdict.kind === "doubt") return this.#certainly(() => decided(true), again);
      if (verdict.kind === "hold") return this.hold(command, verdict.held, simple, act);
      if (verdict.kind === "substitute") {
        const asked = verdict.decision.substitutions ?? [];
        const { rewriting } = command;
        const all = rewriting === undefined ? asked : widened(rewriting.substitutions, asked);
        if (substitute !== undefined && all !== undefined) return substitute(all);
        return this.refuseUnreplaced(command, asked, late(command), simple);
      }
      if (check !== undefined) verdict.permit.after(check);
      return this.#permitted(command, verdict.permit, simple, step, again);
    };
    const decided = (sure: boolean): boolean => {
      const verdict = pipeline[how](session.context, command, sure);
      if (!(verdict instanceof Promise)) return act(verdict);
      session.judge.inSimple = simple;
      return this.promised(verdict, act);
    };
    // What a transaction that changed the catalog sees is read through it.
    return decided(again === undefined || session.ownCatalog !== undefined || session.backend.catalogChanged);
  }

  /** Goes on with the permit once its record allows that. */
  #permitted(
    command: ReadCommand,
    permit: Permit,
    simple: boolean,
    step: (permit: Permit) => boolean,
    again: (() => boolean) | undefined,
  ): boolean {
    const session = this.#session;
    const { pipeline } = session.options;
    const refuse = (error: RegateError): boolean =>
      this.refuse(pipeline.refuse(session.context, command.facts, error), simple);
    if (permit.detect !== undefined && command.facts.statements.some(isUnsearchable)) {
      const error = new RegateError("MASK_IMPOSSIBLE", {
        detail: "The policy has all texts searched, and what this gives back has no description.",
        hint: "SELECT the function's result instead.",
      });
      return refuse(error);
    }
    // What may have an effect is sent only when its record is safe; a read runs meanwhile, and its result waits.
    if (permit.ticket.durable || command.facts.statements.every((statement) => statement.class === "read"))
      return step(permit);
    const skipped = (): void => session.recordOutcome(newRun(permit, []), "skipped");
    const settled = (failed: Error | undefined): boolean => {
      if (failed === undefined) return step(permit);
      if (!(failed instanceof RegateError)) return this.refuse(unrecorded(failed), simple);
      if (again === undefined || failed.code !== "CATALOG_CHANGED") return refuse(failed);
      skipped();
      return again();
    };
    return this.#settled(permit.ticket, settled, skipped);
  }

  /** Waits for a ticket, and goes on with what became of it; `skipped` as in {@link Session.wait}. */
  #settled(ticket: Ticket, step: (failed: Error | undefined) => boolean, skipped?: () => void): boolean {
    const session = this.#session;
    let outcome: { readonly failed: Error | undefined } | undefined;
    ticket.settled((failed) => {
      outcome = { failed };
      session.pump();
    });
    return session.wait(() => outcome !== undefined && step(outcome.failed), skipped);
  }

  /** Refuses by a catalog that holds: what was changed past the gate meanwhile may have made the command harmless. */
  #certainly(refuse: () => boolean, again: () => boolean = refuse): boolean {
    const { catalogs } = this.#session;
    const basis = catalogs.current?.version;
    const round = catalogs.check.wanted();
    const go = (): boolean => (catalogs.current?.version === basis ? refuse() : again());
    // Where the question fails, the refusal stands.
    return round.durable ? go() : this.#settled(round, go);
  }

  /** Waits for a human; never inside a transaction, where locks would wait, too. */
  hold(
    command: ReadCommand,
    held: Extract<Verdict, { kind: "hold" }>["held"],
    simple: boolean,
    act: (verdict: Verdict) => boolean,
  ): boolean {
    const session = this.#session;
    const { pipeline, approvalUrl } = session.options;
    return session.wait(() => {
      if (!session.drained) return this.nudge();
      if (session.skipping) return true;
      // The Sync below would take SET LOCAL back.
      const began = session.segmentWrites || session.names.changedInTransaction;
      if (session.status !== TRANSACTION.idle || began) {
        return this.refuse(
          pipeline.refuse(
            session.context,
            command.facts,
            new RegateError("APPROVAL_IN_TRANSACTION", { detail: held.decision.reasons[0]?.message ?? "" }),
          ),
          simple,
        );
      }
      // Ends the server's implicit transaction: what Parse locked is let go while the human thinks.
      session.writer.sync();
      session.segmentOpen = false;
      session.pending.push({ kind: "sync", segment: session.segment, silent: true });
      let settled: Verdict | undefined;
      const asked = pipeline.hold(session.context, command, held, (verdict) => {
        settled = verdict;
        session.held = undefined;
        session.pump();
      });
      if (settled === undefined) session.held = asked;
      session.backend.notice(approvalNotice(asked.id, asked.expiresAt, held.decision, approvalUrl(asked.id)));
      const asAsked = command.key();
      return session.wait(() => {
        if (settled === undefined || !session.drained) return false;
        const verdict = settled;
        if (verdict.kind !== "permit") return act(verdict);
        // What was approved must still be what it names: the catalog is read anew.
        session.catalogs.invalidate();
        session.judge.inSimple = simple;
        return this.promised(session.readCatalog(), () => {
          if (command.key() === asAsked) return act(verdict);
          const stale = new RegateError("APPROVAL_STALE", { detail: `approval ${asked.id}` });
          return this.refuse(pipeline.refuse(session.context, command.facts, stale), simple);
        });
      });
    });
  }

  /** Makes the server fail where the refused command would have run, and the client is told why when it does. */
  refuse(refusal: Refusal, simple: boolean): boolean {
    const session = this.#session;
    if (refusal.fatal) {
      session.fatal(new RegateError(refusal.code as ErrorCode), refusal);
      return true;
    }
    session.writer.fail();
    session.pending.push({ kind: "fail", segment: session.segment, refusal });
    session.segmentOpen = !simple;
    if (simple) {
      session.writer.sync();
      session.pending.push({ kind: "sync", segment: session.segment, silent: false });
      session.segment++;
    } else session.skipping = true;
    return true;
  }

  /** Refuses what cannot be rewritten: with its place, and with what would pass. */
  refuseUnreplaced(command: ReadCommand, asked: Substitutions, error: RegateError, simple: boolean): boolean {
    const { pipeline } = this.#session.options;
    const [first] = asked;
    const refusal = {
      ...pipeline.refuse(this.#session.context, command.facts, error),
      about: first === undefined ? undefined : { statement: first.statement, column: first.column },
    };
    return this.refuse(missed(this.#advice.on(refusal, command), command.missing), simple);
  }

  /** Refuses, and records, a message of the extended protocol that has no facts. */
  refuseUnjudged(error: RegateError): boolean {
    return this.refuse(this.#session.options.pipeline.refuse(this.#session.context, undefined, error), false);
  }

  refuseUnsure(simple: boolean): boolean {
    const { pipeline } = this.#session.options;
    const error = new RegateError("SESSION_STATE_UNSURE");
    return this.refuse(pipeline.refuse(this.#session.context, undefined, error), simple);
  }
}

/** Gives texts without saying which: the function-call message, but for large objects' bytes and numbers. */
function isUnsearchable({ verb, functions, external }: StatementFacts): boolean {
  if (verb !== "function_call") return false;
  return !external.includes("large_object") || functions.some(({ schema }) => schema !== "pg_catalog");
}

/** Protected columns are to be replaced in what cannot be rewritten any more. */
function late({ facts, rewriting }: ReadCommand): RegateError {
  return rewriting === undefined
    ? new RegateError("SUBSTITUTION_IMPOSSIBLE", {
        detail:
          facts.message === "query" || facts.message === "parse"
            ? "The message holds no text to rewrite."
            : "It was prepared before its columns became protected.",
        hint: "Prepare the statement again.",
      })
    : askedAgain(facts.statements);
}
