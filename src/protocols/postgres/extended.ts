// The extended protocol: statements are prepared, bound, decided as bound, and executed.
import type { Permit } from "../../core/enforce.ts";
import type { StatementFacts } from "../../core/facts.ts";
import { RegateError } from "../../errors.ts";
import type { StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { comparable } from "../../sql/postgres/comparable.ts";
import { hold } from "../../sql/postgres/held.ts";
import { merged } from "../../sql/postgres/replay.ts";
import { opened } from "../../sql/postgres/run-later.ts";
import { changesWhileParsed } from "../../sql/postgres/type-code.ts";
import { analyzeUnread } from "../../sql/postgres/unread.ts";
import type { ReadCommand } from "./command-facts.ts";
import type { ClientMessage } from "./frontend.ts";
import { decodeBind, decodeExecute, decodeParse, decodeTarget, encodeParse } from "./message.ts";
import { newRun } from "./pending.ts";
import { cursorReading, looksUpLate } from "./readings.ts";
import type { Portal, Prepared } from "./registry.ts";
import { masksHold } from "./masks-hold.ts";
import type { Rewriting } from "./rewriting.ts";
import type { Session } from "./session.ts";
import { probeName } from "./writer.ts";

export class Extended {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** `anew`: it was judged by a catalog that did not hold any more. */
  parse(message: ClientMessage, anew = false): boolean {
    const session = this.#session;
    const again = anew ? undefined : () => this.parse(message, true);
    const { name, query, parameterTypes } = decodeParse(message.body);
    const { statements } = session.registry;
    if (name === probeName) return session.judge.refuseUnjudged(reserved(name));
    const full = statements.get(name) === undefined ? session.registry.fullOfStatements(1) : undefined;
    if (full !== undefined) return session.judge.refuseUnjudged(full);
    return session.reading.analyzed(
      query,
      false,
      (analysis, text) => this.#judgeParse(message.raw, { name, text, parameterTypes, analysis }, again),
      parameterTypes,
    );
  }

  #judgeParse(
    raw: Buffer,
    read: Pick<Prepared, "name" | "text" | "parameterTypes" | "analysis"> & { rewriting?: Rewriting },
    again: (() => boolean) | undefined,
  ): boolean {
    const session = this.#session;
    const { catalog, names, reading, registry } = session;
    const { name, text, parameterTypes, analysis, rewriting } = read;
    const { statements } = registry;
    const [statement] = analysis.statements;
    const prepared: Prepared = {
      name,
      serial: session.pending.next,
      segment: session.segment,
      confirmed: false,
      failed: false,
      previous: undefined,
      sure: statements.doubt,
      by: "parse",
      text,
      source: text,
      weight: text.length,
      parameterTypes,
      rewriting,
      analysis,
      basis: reading.basis(),
      readings: analysis.statements,
      held: statement === undefined || catalog === undefined ? [] : [hold(statement, catalog, names)],
      commands: new Map(),
    };
    const command = reading.prepareCommand(prepared, "parse");
    const changes = analysis.statements.some(({ facts }) => changesWhileParsed(catalog, facts));
    return session.judge.decide(
      command,
      changes ? "judge" : "prepare",
      false,
      (permit) => {
        session.segmentOpen = true;
        session.writer.command(permit, raw);
        (prepared as { serial: number }).serial = session.pending.next;
        statements.sent(prepared);
        // SQL cannot say the name that is none.
        if (name !== "") registry.messages++;
        if (changes) session.segmentWrites = true;
        const run = changes ? { run: newRun(permit, analysis.statements, command.facts) } : {};
        session.pending.push({ kind: "parse", segment: session.segment, prepared, ...run });
        return true;
      },
      (asked) =>
        reading.rewritten(command, asked, false, (anew, made) =>
          this.#judgeParse(
            encodeParse(name, made.sent, parameterTypes),
            { name, text: made.sent, parameterTypes, analysis: anew, rewriting: made },
            again,
          ),
        ),
      again,
    );
  }

  bind(message: ClientMessage, anew = false): boolean {
    const session = this.#session;
    const again = anew ? undefined : () => this.bind(message, true);
    const { registry, reading } = session;
    const bind = decodeBind(message.body);
    const { statement, portal } = bind;
    if (portal === probeName) return session.judge.refuseUnjudged(reserved(portal));
    return this.#settledName("statement", statement, () => {
      const prepared = registry.statements.get(statement);
      if (prepared === undefined) {
        const error = new RegateError("STATEMENT_UNKNOWN", { message: unknownStatement(bind.statement) });
        return session.judge.refuseUnjudged(error);
      }
      if (!masksHold(session, prepared.rewriting))
        return session.judge.refuseUnjudged(new RegateError("STATEMENT_UNKNOWN", { detail: OTHER_MASKS }));
      const full = registry.portals.get(portal) === undefined ? registry.fullOfPortals(1) : undefined;
      if (full !== undefined) return session.judge.refuseUnjudged(full);
      return reading.current(prepared, () => {
        // An approval may ask for them long after the message's buffer was used again.
        const parameters = bind.parameterCount === 0 ? undefined : Buffer.from(message.body);
        const command = reading.prepareCommand(prepared, "bind", parameters);
        const executed = reading.prepareCommand(prepared, "execute", parameters);
        const step = (permit: Permit): boolean => {
          this.#bound(message, permit, portal, prepared, executed);
          return true;
        };
        return session.judge.decide(command, "judge", false, step, undefined, again);
      });
    });
  }

  #bound(message: ClientMessage, permit: Permit, name: string, prepared: Prepared, again: ReadCommand): void {
    const session = this.#session;
    const { registry, names } = session;
    const catalog = session.catalog ?? session.lastCatalog;
    const { statements } = prepared.analysis;
    const [statement] = statements;
    const run = newRun(permit, statements, again.facts, prepared.analysis.locations, prepared.rewriting);
    const portal: Portal = {
      name,
      serial: session.pending.next,
      segment: session.segment,
      confirmed: false,
      failed: false,
      previous: undefined,
      sure: registry.portals.doubt,
      weight: 0,
      by: "bind",
      text: prepared.text,
      source: prepared.source,
      statements,
      held:
        statement === undefined || catalog === undefined
          ? undefined
          : opened(hold(statement, catalog, names, prepared.basis)),
      basis: "",
      prepared,
      rewriting: prepared.rewriting,
      hold: false,
      revision: session.options.pipeline.policy.revision,
      run,
      again,
      described: "no",
    };
    session.segmentOpen = true;
    session.writer.command(permit, message.raw);
    // The unnamed portal is replaced; another of the same name makes the server refuse this one.
    const replaced = name === "" ? registry.portals.get("")?.run : undefined;
    if (replaced !== undefined) session.recordOutcome(replaced, "skipped");
    registry.portals.sent(portal);
    if (name !== "") registry.messages++;
    portal.basis = this.#basis();
    this.#sent(statements, false);
    session.pending.push({ kind: "bind", segment: session.segment, portal, run });
  }

  execute(message: ClientMessage): boolean {
    const session = this.#session;
    const { portal: name } = decodeExecute(message.body);
    return this.#settledName("portal", name, () => {
      const portal = session.registry.portals.get(name);
      if (portal === undefined) {
        const error = new RegateError("PORTAL_UNKNOWN", { message: `portal "${name}" does not exist` });
        return session.judge.refuseUnjudged(error);
      }
      if (!masksHold(session, portal.rewriting))
        return session.judge.refuseUnjudged(new RegateError("PORTAL_UNKNOWN", { detail: OTHER_MASKS }));
      if (portal.by === "bind") return this.#upToDate(portal, () => this.#executePortal(portal, message));
      // A cursor that SQL opened, judged as the FETCH that it is.
      return session.reading.analyzed(Buffer.from(`FETCH ALL FROM ${quote(name)}`), false, (analysis) => {
        portal.statements = analysis.statements;
        portal.again = session.reading.command(analysis, "execute", [], undefined);
        return this.#executePortal(portal, message);
      });
    });
  }

  /** The state that the facts of a portal hold for. */
  #basis(): string {
    const { changes, messages } = this.#session.registry;
    return `${this.#session.reading.basis()}/${changes}/${messages}`;
  }

  /** A portal is bound to what its names stood for at Bind, whatever they are called now; utility statements look theirs up now. */
  #upToDate(portal: Portal, step: () => boolean): boolean {
    const session = this.#session;
    const { pending, registry, names, settled, reading } = session;
    const { prepared, again, held } = portal;
    if (prepared === undefined || again === undefined) return step();
    const { meaning } = registry.changing;
    const moved = (pending.waits(meaning) && meaning > portal.serial) || names.dirty || portal.basis !== this.#basis();
    if (prepared.analysis.statements.some(looksUpLate) || portal.statements.some(looksUpLate)) {
      if (!moved) return step();
      return reading.current(prepared, () => {
        const now = prepared.analysis.statements;
        if (comparable(now.map(factsOf)) !== comparable(portal.statements.map(factsOf)))
          this.#retell(portal, [merged([...portal.statements, ...now])]);
        portal.basis = this.#basis();
        return step();
      });
    }
    const retold = (catalog: Catalog): boolean =>
      settled.complete(
        () => cursorReading(portal, catalog, settled.scope, reading.options),
        (statements) => {
          if (held?.code !== undefined && reading.unsure({ statements })) return session.judge.refuseUnsure(false);
          if (comparable(statements.map(factsOf)) !== comparable(portal.statements.map(factsOf)))
            this.#retell(
              portal,
              statements.length === 0
                ? analyzeUnread(again.facts.sent ?? again.facts.text, catalog).statements
                : statements,
            );
          portal.basis = this.#basis();
          return step();
        },
      );
    // What code of users does is looked up as it runs: names are waited for.
    if (held?.code !== undefined) return moved ? settled.catalog(false, retold) : step();
    const { catalog } = session;
    if (held === undefined || catalog === undefined || portal.basis === this.#basis()) return step();
    return retold(catalog);
  }

  #retell(portal: Portal, statements: readonly StatementAnalysis[]): void {
    const { again } = portal;
    if (again === undefined) return;
    if (portal.run !== undefined) this.#session.recordOutcome(portal.run, "skipped");
    portal.run = undefined;
    portal.statements = statements;
    portal.again = { ...again, facts: { ...again.facts, statements: statements.map(factsOf) } };
    portal.described = "no";
  }

  #executePortal(portal: Portal, message: ClientMessage): boolean {
    const session = this.#session;
    const { pipeline } = session.options;
    const { again } = portal;
    if (again === undefined) throw new RegateError("INTERNAL", { detail: "a portal without a command" });
    const send = (permit: Permit): boolean => {
      const statements = portal.statements;
      const judged = session.catalog?.hasTags !== false || permit.rewritesRows;
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
        const run =
          portal.run ??
          newRun(permit, statements, again.facts, portal.prepared?.analysis.locations, portal.prepared?.rewriting);
        portal.run = undefined;
        return session.copies.described(run, false, () => {
          session.segmentOpen = true;
          session.writer.command(permit, message.raw);
          this.#sent(statements, true);
          session.pending.push({ kind: "execute", segment: session.segment, portal, run });
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
      });
    };
    const covered =
      portal.run !== undefined && portal.revision === pipeline.policy.revision ? portal.run.permit : undefined;
    if (covered !== undefined) {
      const ended = pipeline.ended(session.context, again.facts);
      return ended === undefined ? send(covered) : session.judge.refuse(ended, false);
    }
    portal.run = undefined;
    return session.judge.decide(again, "judge", false, send);
  }

  describe(message: ClientMessage): boolean {
    const session = this.#session;
    const { target, name } = decodeTarget(message.body);
    const portal = target === "portal" ? session.registry.portals.get(name) : undefined;
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
    session.registry.messages++;
    session.pending.push({ kind: "close", segment: session.segment, target, name });
    return true;
  }

  /** What a message that is about to be sent means for those behind it, until the server has answered. */
  #sent(statements: readonly StatementAnalysis[], runs: boolean): void {
    const session = this.#session;
    const { registry, pending } = session;
    for (const statement of statements) {
      const { effects, facts } = statement;
      if (facts.class !== "read") session.segmentWrites = true;
      // Planning may run functions that call themselves immutable.
      if (!runs && !effects.opaque) continue;
      if (effects.opaque) session.unsure = true;
      if (effects.catalog || effects.temp) session.segmentDdl = true;
      const ends = effects.transaction === "commit" || effects.transaction === "rollback";
      // DO and CALL may commit by themselves.
      if (ends || facts.class === "code" || facts.class === "unknown") session.segmentCommits = true;
      registry.sent(statement, pending.next, session.restores);
    }
    if (runs) session.segmentRan = true;
  }

  /** Waits until it is certain what a name stands for: what gave or took it may still fail, or be under way. */
  #settledName(kind: "statement" | "portal", name: string, step: () => boolean): boolean {
    const session = this.#session;
    const { registry, pending } = session;
    return session.wait(() => {
      if (session.skipping) return true;
      const slots = kind === "statement" ? registry.statements : registry.portals;
      const changing = kind === "statement" ? registry.changing.statements : registry.changing.portals;
      const found = slots.get(name);
      const wait =
        found === undefined
          ? !session.drained
          : (found.serial < changing && pending.waits(changing)) ||
            (!found.confirmed && found.segment !== session.segment);
      return wait ? session.judge.nudge() : session.settled.certainly(kind, name, step);
    });
  }
}

function factsOf(statement: StatementAnalysis): StatementFacts {
  return statement.facts;
}

const OTHER_MASKS = "The policy that its masked columns are from is not in force any more.";

function reserved(name: string): RegateError {
  return new RegateError("PROTOCOL_VIOLATION", { detail: `The name ${quote(name)} is the gate's own.` });
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As the server says it. */
function unknownStatement(name: string): string {
  return name === "" ? "unnamed prepared statement does not exist" : `prepared statement "${name}" does not exist`;
}
