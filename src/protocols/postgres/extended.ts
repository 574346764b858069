// The extended protocol: statements are prepared, bound, decided as bound, and executed.
import type { Command } from "../../core/command.ts";
import type { Permit } from "../../core/enforce.ts";
import { RegateError } from "../../errors.ts";
import type { Analysis, StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { ClientMessage } from "./frontend.ts";
import { decodeBind, decodeExecute, decodeParse, decodeTarget } from "./message.ts";
import { mayChangeNames, mayChangeSettings } from "./names.ts";
import { newRun } from "./pending.ts";
import type { Portal, Prepared } from "./registry.ts";
import type { Session } from "./session.ts";

/** Prepared statements that one session may keep: each holds its facts in the gate's memory. */
const preparedLimit = 10_000;

export class Extended {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  parse(message: ClientMessage): boolean {
    const session = this.#session;
    const { name, query, parameterTypes } = decodeParse(message.body);
    if (this.#unsure(session.unsure.text)) return session.judge.refuseUnsure();
    const known = session.registry.prepared(name) !== undefined;
    if (!known && session.registry.preparedCount >= preparedLimit) {
      const error = new RegateError("TOO_MANY_STATEMENTS", {
        detail: `The session keeps ${preparedLimit} prepared statements.`,
      });
      return session.judge.refuseUnjudged(error);
    }
    const analyzed = (analysis: Analysis, text: string): boolean => {
      const prepared: Prepared = {
        name,
        text,
        parameterTypes,
        segment: session.segment,
        confirmed: false,
        failed: false,
        previous: session.registry.prepared(name),
        analysis,
        basis: session.reading.basis(),
        commands: new Map(),
      };
      return session.judge.decide(session.reading.prepareCommand(prepared, "parse"), "prepare", false, (permit) => {
        session.segmentOpen = true;
        session.writer.command(permit, message.raw);
        session.registry.parsing(prepared);
        session.pending.push({ kind: "parse", segment: session.segment, prepared });
        return true;
      });
    };
    return session.reading.analyzed(query, false, analyzed, parameterTypes);
  }

  bind(message: ClientMessage): boolean {
    const session = this.#session;
    const bind = decodeBind(message.body);
    return this.#settledName(bind.statement, () => {
      const prepared = session.registry.prepared(bind.statement);
      if (this.#unsure(false)) return session.judge.refuseUnsure();
      const bound = (analysis: Analysis, command: Command, again: Command): boolean =>
        session.judge.decide(command, "judge", false, (permit) => {
          const run = newRun(permit, analysis.statements, command.facts);
          const portal: Portal = {
            name: bind.portal,
            statements: analysis.statements,
            revision: session.options.pipeline.policy.revision,
            segment: session.segment,
            run,
            again,
            described: "no",
          };
          session.segmentOpen = true;
          session.writer.command(permit, message.raw);
          const replaced = session.registry.bound(portal);
          if (replaced !== undefined) session.recordOutcome(replaced, "skipped");
          session.pending.push({ kind: "bind", segment: session.segment, portal, run });
          this.#sent(analysis.statements, false);
          return true;
        });
      if (prepared === undefined && session.registry.sqlPrepared.get(bind.statement) === undefined) {
        const error = new RegateError("STATEMENT_UNKNOWN", { message: unknownStatement(bind.statement) });
        return session.judge.refuseUnjudged(error);
      }
      if (prepared === undefined) {
        // Made by SQL-level PREPARE: judged as what runs it.
        const text = Buffer.from(`EXECUTE ${quote(bind.statement)}`);
        return session.reading.analyzed(text, false, (analysis) =>
          bound(
            analysis,
            session.reading.command(analysis, "bind", [], message.body),
            session.reading.command(analysis, "execute", [], message.body),
          ),
        );
      }
      return session.reading.current(prepared, () => {
        // An approval may ask for them long after the message's buffer was used again.
        const parameters = bind.parameterCount === 0 ? undefined : Buffer.from(message.body);
        return bound(
          prepared.analysis,
          session.reading.prepareCommand(prepared, "bind", parameters),
          session.reading.prepareCommand(prepared, "execute", parameters),
        );
      });
    });
  }

  execute(message: ClientMessage): boolean {
    const session = this.#session;
    const { portal: name } = decodeExecute(message.body);
    const portal = session.registry.portal(name);
    if (portal !== undefined) return this.#executePortal(portal, message);
    // A cursor that SQL opened, judged as the FETCH that it is; or nothing.
    return session.frontend.alone(() => {
      if (session.registry.cursors.get(name) === undefined) {
        const error = new RegateError("PORTAL_UNKNOWN", { message: `portal "${name}" does not exist` });
        return session.judge.refuseUnjudged(error);
      }
      return session.reading.analyzed(Buffer.from(`FETCH ALL FROM ${quote(name)}`), false, (analysis) => {
        const again = session.reading.command(analysis, "execute", [], undefined);
        const cursor: Portal = {
          name,
          statements: analysis.statements,
          revision: "",
          segment: session.segment,
          run: undefined,
          again,
          described: "no",
        };
        return this.#executePortal(cursor, message);
      });
    });
  }

  #executePortal(portal: Portal, message: ClientMessage): boolean {
    const session = this.#session;
    const { pipeline } = session.options;
    const send = (permit: Permit): boolean => {
      const statements = portal.statements;
      const judged = session.catalog?.hasTags !== false || permit.masks.length > 0;
      const asks = portal.described === "no" && judged && statements.some((one) => one.returnsRows);
      if (asks) {
        session.segmentOpen = true;
        session.writer.describePortal(portal.name);
        portal.described = "asked";
        session.pending.push({ kind: "describe", segment: session.segment, portal, silent: true });
      }
      return session.wait(() => {
        if (session.skipping) return true;
        // An effect that comes with a result is not let through before the result is known to be maskable.
        if (
          portal.described === "asked" &&
          statements.some((one) => one.returnsRows && one.facts.class !== "read" && one.touchesTagged)
        )
          return session.judge.nudge();
        const run = portal.run ?? newRun(permit, statements, portal.again.facts);
        portal.run = undefined;
        session.segmentOpen = true;
        session.writer.command(permit, message.raw);
        session.pending.push({ kind: "execute", segment: session.segment, portal, run });
        this.#sent(statements, true);
        if (!statements.some((one) => one.copy === "in")) return true;
        // What the client sends next means something else if the server enters COPY mode: find out.
        session.writer.flush();
        return session.wait(
          () =>
            session.copyIn ||
            session.skipping ||
            !session.pending.some((op) => op.kind === "execute" && op.run === run),
        );
      });
    };
    const covered =
      portal.run !== undefined && portal.revision === pipeline.policy.revision ? portal.run.permit : undefined;
    if (covered !== undefined) {
      const ended = pipeline.ended(session.context, portal.again.facts);
      return ended === undefined ? send(covered) : session.judge.refuse(ended, false);
    }
    portal.run = undefined;
    return session.judge.decide(portal.again, "judge", false, send);
  }

  describe(message: ClientMessage): boolean {
    const session = this.#session;
    const { target, name } = decodeTarget(message.body);
    const portal = target === "portal" ? session.registry.portal(name) : undefined;
    if (portal !== undefined && portal.described === "no") portal.described = "asked";
    session.segmentOpen = true;
    session.writer.named(message.raw);
    session.pending.push({ kind: "describe", segment: session.segment, portal, silent: false });
    return true;
  }

  close(message: ClientMessage): boolean {
    const session = this.#session;
    const { target, name } = decodeTarget(message.body);
    session.segmentOpen = true;
    session.writer.named(message.raw);
    session.pending.push({ kind: "close", segment: session.segment, target, name });
    return true;
  }

  /** What a sent statement means for the messages behind it, until the server has answered. */
  #sent(statements: readonly StatementAnalysis[], runs: boolean): void {
    const session = this.#session;
    for (const statement of statements) {
      if (statement.facts.class !== "read") session.segmentWrites = true;
      if (!runs) continue;
      if (mayChangeNames(statement)) session.unsure.names = true;
      if (mayChangeSettings(statement)) session.unsure.text = true;
    }
  }

  /** Might names (or texts) mean something else by the time that the server reads this message? */
  #unsure(texts: boolean): boolean {
    const { unsure, catalog, options } = this.#session;
    if (options.pipeline.policy.mode === "observe") return false;
    return texts || (unsure.names && catalog?.hasTags !== false);
  }

  /** Waits until it is certain which statement a name stands for: a Parse of an earlier segment may still fail. */
  #settledName(name: string, step: () => boolean): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (session.skipping) return true;
      const prepared = session.registry.prepared(name);
      // A PREPARE of SQL may be under way.
      if (prepared === undefined && session.registry.sqlPrepared.get(name) === undefined && !session.drained)
        return session.judge.nudge();
      if (prepared !== undefined && !prepared.confirmed && prepared.segment !== session.segment)
        return session.judge.nudge();
      return step();
    });
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As the server says it. */
function unknownStatement(name: string): string {
  return name === "" ? "unnamed prepared statement does not exist" : `prepared statement "${name}" does not exist`;
}
