// What each message of the server means for the session: which pending op it answers, and what is known from then on.
import { RegateError } from "../../errors.ts";
import { confirm, type ScopeNames, type StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { BACKEND, TRANSACTION } from "./codes.ts";
import { CopyMasker } from "./copy-masker.ts";
import { HEADER_BYTES } from "./frame.ts";
import {
  decodeCommandTag,
  decodeError,
  decodeParameterStatus,
  decodeRowDescription,
  encodeError,
  encodeNotice,
  encodeReadyForQuery,
  type ErrorFields,
  type Field,
} from "./message.ts";
import type { Op, Run } from "./pending.ts";
import { placedAsWritten, type Rewriting } from "./rewriting.ts";
import { planRow } from "./plan.ts";
import { errorMessage } from "./refuse.ts";
import { mayQuote, scrubbed, type Speaker } from "./scrub.ts";
import type { Session } from "./session.ts";
import { isUtf8Name } from "./settings.ts";
import { SubstitutionNotices } from "./substitution-notices.ts";

export class Answers {
  readonly #session: Session;
  readonly #substitutions = new SubstitutionNotices();

  constructor(session: Session) {
    this.#session = session;
  }

  /** True: goes out as it is. False: not. Hold: wait, and look at it again. */
  message(type: number, message: Buffer, op: Op | undefined): boolean | "hold" {
    const session = this.#session;
    const body = message.subarray(HEADER_BYTES);
    this.#announce(op);
    switch (type) {
      case BACKEND.noticeResponse:
        // What an outline is told, its COPY is told as well.
        if (op?.kind === "probe" || op?.kind === "outline") return false;
        if (op === undefined ? !session.touchedTagged : !this.#mayQuote(op)) return true;
        this.#noticed(decodeError(body), op);
        return false;
      case BACKEND.notificationResponse: {
        const instead = session.notifications.shown(body);
        for (const one of instead ?? []) session.backend.emit(one);
        return instead === undefined;
      }
      case BACKEND.parameterStatus:
        return this.#watch(body, op) !== "search_path" || op?.kind !== "probe";
      case BACKEND.readyForQuery:
        return this.#ready(body, op);
      case BACKEND.errorResponse:
        return this.#error(body, op);
    }
    if (op === undefined) throw unexpected(type);
    if (op.kind === "probe") {
      if (type === BACKEND.closeComplete && op.left !== undefined && --op.left === 0) {
        session.pending.shift();
        op.done(op.rows);
      }
      return false;
    }
    if (op.kind === "outline") return this.#outlined(type, body, op);
    const shown = session.backend.late === undefined;
    switch (type) {
      case BACKEND.parseComplete:
        if (op.kind !== "parse") throw unexpected(type);
        session.registry.statements.confirm(op.prepared);
        session.pending.shift();
        if ("run" in op) this.#ended(op.run);
        return shown;
      case BACKEND.bindComplete:
        if (op.kind !== "bind") throw unexpected(type);
        session.registry.portals.confirm(op.portal);
        // Planning may have run functions that call themselves immutable.
        for (const one of op.portal.statements) if (one.effects.opaque) this.#effects(one, op.run, 0);
        session.pending.shift();
        return shown;
      case BACKEND.closeComplete: {
        if (op.kind !== "close") throw unexpected(type);
        const closed = session.registry.closed(op.target, op.name, session.pending.current);
        if (closed !== undefined) session.recordOutcome(closed, "skipped");
        session.pending.shift();
        return shown;
      }
      case BACKEND.parameterDescription:
        if (op.kind !== "describe") throw unexpected(type);
        return shown;
      case BACKEND.noData:
        if (op.kind !== "describe") throw unexpected(type);
        if (op.portal !== undefined) op.portal.described = "none";
        session.pending.shift();
        return shown && !op.silent;
      case BACKEND.rowDescription:
        return this.#described(op, body) && shown;
      case BACKEND.commandComplete:
      case BACKEND.emptyQueryResponse:
      case BACKEND.portalSuspended:
        return this.#completed(op, type, body) && shown;
      case BACKEND.copyInResponse:
        if (op.kind !== "execute" && op.kind !== "query") throw unexpected(type);
        session.copyIn = true;
        return shown;
      case BACKEND.copyOutResponse:
        if (op.kind !== "execute" && op.kind !== "query") throw unexpected(type);
        return session.copies.begins(op.run, op.kind === "query" ? op.statement : 0, body);
      case BACKEND.copyDone:
        if (op.kind !== "execute" && op.kind !== "query") throw unexpected(type);
        if (shown && op.run.copying instanceof CopyMasker) op.run.copying.done();
        op.run.copying = undefined;
        return shown;
      case BACKEND.functionCallResponse:
        if (op.kind !== "call") throw unexpected(type);
        for (const one of op.run.statements) this.#effects(one, op.run, 0);
        return shown;
      default:
        throw unexpected(type);
    }
  }

  /** What answers a text in which columns were replaced comes behind the notice that says so. */
  #announce(op: Op | undefined): void {
    const rewriting = rewritingOf(op);
    if (rewriting === undefined || this.#session.backend.late !== undefined) return;
    const notice = this.#substitutions.of(rewriting);
    if (notice !== undefined) this.#session.backend.emit(notice);
  }

  /** Columns of what a COPY is about to show: not the client's answers. */
  #outlined(type: number, body: Buffer, op: Extract<Op, { kind: "outline" }>): false {
    switch (type) {
      case BACKEND.rowDescription:
        op.fields.push(decodeRowDescription(body));
        break;
      case BACKEND.noData:
        op.fields.push(undefined);
        break;
      case BACKEND.closeComplete:
        if (--op.left > 0) break;
        this.#session.pending.shift();
        op.done(op.fields);
        break;
      case BACKEND.parseComplete:
      case BACKEND.parameterDescription:
        break;
      default:
        throw unexpected(type);
    }
    return false;
  }

  /** The columns of a result: held against what was decided on, before a row of it leaves. */
  #described(op: Op, body: Buffer): boolean {
    const fields = decodeRowDescription(body);
    if (op.kind === "describe") {
      if (op.portal !== undefined) op.portal.described = fields;
      this.#session.pending.shift();
      return !op.silent;
    }
    if (op.kind !== "query" && op.kind !== "execute") throw unexpected(BACKEND.rowDescription);
    const at = op.kind === "query" ? op.statement : 0;
    return this.confirmed(op.run, at, fields);
  }

  /** True if the result may be shown; else the refusal has taken its place. */
  confirmed(run: Run, at: number, fields: readonly Field[]): boolean {
    const session = this.#session;
    const statement = run.statements[at];
    run.plan = undefined;
    if (!run.permit.enforced || session.backend.late !== undefined) return session.backend.late === undefined;
    const masks = run.permit.masks.filter((mask) => mask.statement === at);
    const catalog = session.lastCatalog;
    const { detect } = run.permit;
    if (masks.length === 0 && detect === undefined && catalog?.hasTags === false) return true;
    const verdict =
      statement === undefined || catalog === undefined
        ? { ok: false as const, why: "an unexpected result" }
        : confirm(statement, fields, catalog);
    if (!verdict.ok) {
      this.disagree(run, at, fields, verdict.why);
      session.catalogs.invalidate();
      session.backend.refuseLate(run, new RegateError("CATALOG_MISMATCH", { detail: verdict.why }));
      return false;
    }
    if (masks.length === 0 && detect === undefined) return true;
    const { maskKey, tokenKey } = session.options;
    const plan = planRow(masks, fields, statement, { key: maskKey, tokenKey }, detect);
    if (plan instanceof RegateError) {
      session.backend.refuseLate(run, plan);
      return false;
    }
    run.plan = plan;
    return true;
  }

  /** Keeps what reproduces that the server describes a result otherwise than the facts. */
  disagree({ command }: Run, statement: number, fields: readonly Field[], why: string): void {
    const { lastCatalog: catalog, names, parts } = this.#session;
    if (command === undefined || catalog === undefined) return;
    parts.disagreements.add({
      code: "CATALOG_MISMATCH",
      findings: [why],
      command,
      statement,
      searchPath: names.searchPath,
      user: names.user,
      catalogVersion: catalog.version,
      serverVersion: catalog.serverVersion,
      server: { fields },
    });
  }

  /** At the first row of an Execute: its portal's description decides how the rows go out. */
  prepareRows(op: Op, run: Run): void {
    const session = this.#session;
    if (op.kind !== "execute" || !run.permit.enforced) return;
    const { described } = op.portal;
    if (typeof described !== "string") {
      this.confirmed(run, 0, described);
      return;
    }
    if (run.permit.rewritesRows || session.lastCatalog?.hasTags !== false) {
      session.backend.refuseLate(
        run,
        new RegateError("CATALOG_MISMATCH", { detail: "The server did not describe the result." }),
      );
    }
  }

  #completed(op: Op, type: number, body: Buffer): boolean {
    const session = this.#session;
    if (op.kind !== "query" && op.kind !== "execute") throw unexpected(type);
    const { run } = op;
    run.plan = undefined;
    run.copying = undefined;
    if (run.permit.enforced && mayQuote(run.statements)) session.touchedTagged = true;
    if (type === BACKEND.commandComplete) run.tag = decodeCommandTag(body);
    // What was suspended has run, too, as far as it came.
    const at = op.kind === "query" ? op.statement : 0;
    const statement = type === BACKEND.emptyQueryResponse ? undefined : run.statements[at];
    if (statement !== undefined) this.#effects(statement, run, at);
    if (op.kind === "query") {
      op.statement++;
      return true;
    }
    session.pending.shift();
    session.copyIn = false;
    this.#ended(run);
    return true;
  }

  /** Records how a run ended, or leaves that for the end of its segment. */
  #ended(run: Run): void {
    const { unsettled } = this.#session;
    if (!unsettled.takes(run)) this.#session.recordOutcome(run, this.#statusOf(run));
  }

  /** How a run ended, by the SQLSTATE that it ended with. */
  #statusOf(run: Run): "ok" | "error" | "refused" | "canceled" {
    if (this.#session.backend.late !== undefined) return "refused";
    if (run.sqlstate === null) return "ok";
    return run.sqlstate === "57014" ? "canceled" : "error";
  }

  #effects(statement: StatementAnalysis, run: Run, at: number): void {
    const session = this.#session;
    const { pending, registry, names, backend } = session;
    const { catalog, temp, transaction } = statement.effects;
    if (transaction === "commit") registry.kept(this.#seen());
    registry.completed(statement, pending.current, pending.first()?.segment ?? session.segment, run, at);
    names.completed(statement);
    if (catalog || temp) {
      backend.catalogChanged = true;
      session.ownCatalog = undefined;
    }
    if (transaction === undefined || transaction === "begin") return;
    // A ROLLBACK TO takes DDL back, too.
    session.ownCatalog = undefined;
    if (transaction !== "savepoint" && backend.catalogChanged) session.catalogs.invalidate();
    // The rest of this text, or of this segment, runs again.
    if (session.status === TRANSACTION.failed)
      session.status = transaction === "savepoint" ? TRANSACTION.open : TRANSACTION.idle;
  }

  /** What the transaction that ends now has seen; undefined: not known. */
  #seen(): { catalog: Catalog; at: ScopeNames } | undefined {
    const { names, backend, ownCatalog, lastCatalog } = this.#session;
    if (names.dirty || lastCatalog === undefined || (backend.catalogChanged && ownCatalog === undefined))
      return undefined;
    return { catalog: lastCatalog, at: { searchPath: names.searchPath, user: names.user } };
  }

  #ready(body: Buffer, op: Op | undefined): boolean | "hold" {
    const session = this.#session;
    const canceling = session.backend.canceling;
    if (canceling !== undefined) {
      // The next command must not be hit by the cancel that was meant for this one.
      void canceling.then(() => {
        session.backend.canceling = undefined;
        session.backend.release();
      });
      return "hold";
    }
    if (op === undefined || !["sync", "query", "call", "probe"].includes(op.kind))
      throw unexpected(BACKEND.readyForQuery);
    const status = body[0]!;
    session.pending.shift();
    session.status = status;
    session.context.facts.in_transaction = status !== TRANSACTION.idle;
    session.unsettled.ended(status);
    if (op.kind === "probe") {
      op.done(op.failed ? undefined : op.rows);
      return false;
    }
    if (status === TRANSACTION.idle) {
      session.touchedTagged = false;
      session.registry.kept(this.#seen());
      for (const run of session.registry.transactionEnded(op.segment)) session.recordOutcome(run, "skipped");
      session.names.transactionEnded();
      if (session.backend.catalogChanged) session.catalogs.invalidate();
      session.backend.catalogChanged = false;
      session.ownCatalog = undefined;
    }
    if (op.kind === "query" || op.kind === "call") {
      session.busy = false;
      session.copyIn = false;
      session.recordOutcome(op.run, this.#statusOf(op.run));
    }
    if (op.kind === "sync" && op.silent) return false;
    if (session.backend.late !== undefined) {
      session.backend.late = undefined;
      session.backend.dropped = 0;
      if (status === TRANSACTION.open) {
        if (session.pending.length > 0) {
          session.fatal(new RegateError("CATALOG_MISMATCH", { detail: "Later commands were under way already." }));
          return false;
        }
        // The client was told of an error: its transaction must have failed on the server, too.
        session.writer.fail();
        session.pending.push({ kind: "fail", segment: op.segment, refusal: undefined });
        session.writer.sync();
        session.pending.push({ kind: "sync", segment: op.segment, silent: false });
        return false;
      }
    }
    if (session.draining && session.drained) {
      session.backend.emit(encodeReadyForQuery(status));
      session.drain();
      return false;
    }
    return true;
  }

  #noticed(fields: ErrorFields, op: Op | undefined): void {
    // What the server tells of its own work (blocks that are read, temporary files) tells by its number how long values are.
    if (/^(DEBUG|LOG)/.test(fields.V ?? fields.S ?? "")) return;
    const shown = scrubbed(fields, "notice", speakerOf(op));
    const rewriting = rewritingOf(op);
    this.#session.backend.emit(encodeNotice(rewriting === undefined ? shown : placedAsWritten(rewriting, shown)));
  }

  #error(body: Buffer, op: Op | undefined): boolean {
    const session = this.#session;
    const fields = decodeError(body);
    const severity = fields.V ?? fields.S;
    if (severity === "FATAL" || severity === "PANIC") {
      session.backend.fatalSeen = true;
      if (op !== undefined && "run" in op) {
        op.run.sqlstate = fields.C ?? "XX000";
        session.recordOutcome(op.run, "error");
      }
      return this.#quoted(op === undefined ? session.touchedTagged : this.#mayQuote(op), fields, op);
    }
    if (op === undefined) throw unexpected(BACKEND.errorResponse);
    session.names.failed();
    session.unsettled.fails((op.kind === "fail" ? op.refusal?.sqlstate : undefined) ?? fields.C ?? "XX000");
    session.copyIn = false;
    const quotes = this.#mayQuote(op);
    let shown = session.backend.late === undefined;
    switch (op.kind) {
      case "probe":
        op.failed = true;
        if (op.left === undefined) return false;
        break;
      case "query":
      case "call":
        op.run.sqlstate = fields.C ?? "XX000";
        op.run.plan = undefined;
        op.run.copying = undefined;
        return shown && this.#quoted(quotes, fields, op);
      case "sync":
        return shown && this.#quoted(quotes, fields, op);
      case "fail":
        if (shown && op.refusal !== undefined) session.backend.emit(errorMessage(op.refusal));
        shown = false;
        break;
      case "parse":
        // The server gave up the unnamed statement before it read the new one.
        session.registry.statements.fail(op.prepared, op.prepared.name === "");
        break;
      case "bind":
        session.registry.portals.fail(op.portal, op.portal.name === "");
    }
    if ("run" in op) {
      op.run.sqlstate = fields.C ?? "XX000";
      session.recordOutcome(op.run, this.#statusOf(op.run));
    }
    session.pending.shift();
    this.#skip(op.segment);
    if (op.kind === "probe") op.done(undefined);
    return shown && this.#quoted(quotes, fields, op);
  }

  /** May an error that answers this op quote a protected value? One at Sync may be of anything before it (deferred constraints). */
  #mayQuote(op: Op): boolean {
    const session = this.#session;
    // A deferred constraint fails at COMMIT, and quotes what an earlier statement wrote.
    if (session.touchedTagged) return true;
    if (op.kind === "parse") return mayQuote(op.prepared.analysis.statements);
    if ("run" in op) return op.run.permit.enforced && mayQuote(op.run.statements);
    const { mode } = session.options.pipeline.policy;
    return op.kind === "sync" && mode === "enforce" && session.catalog?.hasTags !== false;
  }

  /** True if the error goes out as it is; else it goes out without values, and with its place in the text that the client wrote. */
  #quoted(quotes: boolean, fields: ErrorFields, op: Op | undefined): boolean {
    const rewriting = rewritingOf(op);
    if (!quotes && rewriting === undefined) return true;
    // Whether it is found while the text is read is told by the server's position.
    const shown = quotes ? scrubbed(fields, "error", speakerOf(op)) : fields;
    this.#session.backend.emit(encodeError(rewriting === undefined ? shown : placedAsWritten(rewriting, shown)));
    return false;
  }

  /** The server ignores what follows up to the next Sync: so it owes nothing for it. */
  #skip(segment: number): void {
    const { pending, registry } = this.#session;
    for (let op = pending.first(); op !== undefined && op.kind !== "sync"; op = pending.first()) {
      pending.shift();
      if (op.kind === "parse") registry.statements.fail(op.prepared, false);
      if (op.kind === "bind") registry.portals.fail(op.portal, false);
      if (op.kind === "probe") op.done(undefined);
      if ("run" in op) this.#session.recordOutcome(op.run, "skipped");
    }
    if (pending.length === 0 && this.#session.segment === segment) this.#session.skipping = true;
  }

  /** Settings under which the gate would read texts otherwise than the server end the session. */
  #watch(body: Buffer, op: Op | undefined): string {
    const { name, value } = decodeParameterStatus(body);
    // While the gate reads a catalog through this session, the path is its own.
    if (op?.kind !== "probe") this.#session.names.told(name, value);
    if (name === "client_encoding" && !isUtf8Name(value))
      throw new RegateError("CLIENT_ENCODING", { detail: `It became ${value}.` });
    if (name === "standard_conforming_strings" && value !== "on")
      throw new RegateError("STANDARD_CONFORMING_STRINGS", { detail: `It became ${value}.` });
    return name;
  }
}

/** What the server speaks of when it answers this op. */
function speakerOf(op: Op | undefined): Speaker {
  if (op?.kind === "parse") return { text: op.prepared.text, statements: op.prepared.analysis.statements };
  if (op !== undefined && "run" in op)
    return { text: op.run.rewriting?.sent ?? op.run.command?.text ?? "", statements: op.run.statements };
  return { text: "", statements: [] };
}

function rewritingOf(op: Op | undefined): Rewriting | undefined {
  if (op?.kind === "parse") return op.prepared.rewriting;
  return op !== undefined && "run" in op ? op.run.rewriting : undefined;
}

function unexpected(type: number): RegateError {
  return new RegateError("UPSTREAM_PROTOCOL", {
    detail: `The server sent '${String.fromCharCode(type)}' where it was not expected.`,
  });
}
