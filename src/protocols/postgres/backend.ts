// The server's direction: results are relayed as they come, masked where decided, and held until their record is safe.
import { RegateError } from "../../errors.ts";
import type { Refusal } from "../../core/enforce.ts";
import { refusalFromError } from "../../core/enforce.ts";
import { confirm, type StatementAnalysis } from "../../sql/postgres/analyze.ts";
import { BACKEND, TRANSACTION } from "./codes.ts";
import { frameBytes, HEADER_BYTES, serverLimits } from "./frame.ts";
import { isUtf8Name } from "./frontend.ts";
import { decodeCommandTag, decodeDataRow, decodeError, decodeParameterStatus, decodeRowDescription, encodeReadyForQuery, type Field } from "./message.ts";
import { mayChangeNames, mayChangeSettings } from "./names.ts";
import { planRow } from "./plan.ts";
import type { Op, Run } from "./pending.ts";
import { errorMessage } from "./refuse.ts";
import { RowWriter } from "./rows.ts";
import type { Session } from "./session.ts";

const limits = serverLimits();
/** Bytes of a refused result that are read and dropped before the server is told to stop. */
const patience = 1024 * 1024;


export class Backend {
  /** Where a Flush was last asked for: one is enough. */
  nudged = -1;
  nudgedAt = -1;

  /** The open transaction changed the catalog: others will see it at its commit, this session sees it now. */
  catalogChanged = false;

  readonly #session: Session;
  readonly #rows = new RowWriter();
  #out: Buffer[] = [];
  #outBytes = 0;
  /** What could not be worked on yet: a cut message, or everything behind a result whose record is not safe. */
  #rest: Buffer | undefined;
  /** Bytes of a large message that is passed on (or dropped) as it comes. */
  #passing = 0;
  #passes = true;
  #held = false;
  #clientFull = false;
  #cleared: Run | undefined;
  /** The refusal that took the place of a result: the rest of its segment is not shown. */
  #late: Refusal | undefined;
  #dropped = 0;
  #canceling: Promise<void> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** A result that is under way may still turn out not to be what was decided on. */
  get unconfirmed(): boolean {
    return this.#session.pending.some((op) => op.kind === "execute" && op.portal.described === "asked" && op.run.statements.some((one) => one.touchesTagged));
  }

  /** Does something of an earlier segment run that may change what names, texts or the catalog mean? */
  changesUnder(segment: number): boolean {
    const changes = (one: StatementAnalysis): boolean => mayChangeNames(one) || mayChangeSettings(one) || one.effects.catalog || one.effects.temp;
    return this.#session.pending.some((op) => op.segment < segment && (op.kind === "execute" || op.kind === "query") && op.run.statements.some(changes));
  }

  /** Asks the server how names resolve. */
  askNames(): void {
    const { names, status } = this.#session;
    this.ask(names.question(status === TRANSACTION.open), (rows) => {
      if (rows === undefined || !names.learn(rows)) this.#session.fatal(new RegateError("CATALOG_UNAVAILABLE", { detail: "The server did not say how names resolve." }));
    });
  }

  /** A question of the gate's own, over the client's connection. Only when nothing is pending. */
  ask(sql: string, done: (rows: (string | null)[][] | undefined) => void): void {
    const { writer, pending, segment } = this.#session;
    writer.probe(sql);
    pending.push({ kind: "probe", segment, rows: [], failed: false, done });
  }

  /** Tells the client something outside of any result. */
  notice(message: Buffer): void {
    this.#emit(message);
    this.flushOut();
  }

  push(chunk: Buffer): void {
    if (this.#session.ended) return;
    const rest = this.#rest;
    this.#rest = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    if (!this.#held) this.#work();
  }

  clientDrained(): void {
    this.#clientFull = false;
    if (!this.#held) this.#session.parts.upstream.socket.resume();
  }

  upstreamClosed(): void {
    const session = this.#session;
    if (session.ended) return;
    if (this.#held) return;
    for (let op = session.pending.shift(); op !== undefined; op = session.pending.shift()) {
      if ("run" in op) session.recordOutcome(op.run, "lost");
    }
    if (this.#fatalSeen) session.end("server ended");
    else session.fatal(new RegateError("UPSTREAM_LOST"));
  }
  #fatalSeen = false;

  /** The session ends: what is still owed is recorded as lost. */
  abandon(): void {
    const { pending } = this.#session;
    pending.some((op) => {
      if ("run" in op) this.#session.recordOutcome(op.run, "lost");
      return false;
    });
  }

  #work(): void {
    const session = this.#session;
    const buffer = this.#rest;
    if (buffer === undefined) return;
    this.#rest = undefined;
    try {
      this.#walk(buffer);
      this.flushOut();
    } catch (thrown) {
      session.fatal(thrown instanceof RegateError ? thrown : new RegateError("INTERNAL", { detail: String(thrown), cause: thrown }));
      return;
    }
    session.pump();
  }

  #walk(buffer: Buffer): void {
    const session = this.#session;
    const end = buffer.length;
    let at = 0;
    /** Where the stretch of messages begins that go out as they are. */
    let from = 0;
    const cut = (): void => {
      if (from < at) this.#emit(buffer.subarray(from, at));
    };
    if (this.#passing > 0) {
      at = Math.min(this.#passing, end);
      this.#passing -= at;
      if (!this.#passes) from = at;
    }
    while (at < end && !session.ended) {
      if (end - at < HEADER_BYTES) break;
      const type = buffer[at]!;
      const total = frameBytes(type, buffer.readInt32BE(at + 1), limits);
      const op = session.pending.first();
      if (op !== undefined && "run" in op && op.run !== this.#cleared && this.#mustHold(op.run)) {
        cut();
        this.#hold(buffer.subarray(at));
        return;
      }
      if (type === BACKEND.dataRow || type === BACKEND.copyData) {
        const run = op !== undefined && (op.kind === "execute" || op.kind === "query") ? op.run : undefined;
        if (run !== undefined && this.#late === undefined) {
          if (type === BACKEND.dataRow && op !== undefined && run.rows === 0) this.#prepareRows(op, run);
          run.rows++;
          if (run.permit.limits !== undefined) this.#limit(run);
        }
        const plan = run?.plan;
        if (this.#late === undefined && run !== undefined && (plan === undefined || type === BACKEND.copyData)) {
          run.bytes += total;
          if (at + total > end) {
            this.#passing = at + total - end;
            this.#passes = true;
            at = end;
          } else at += total;
          continue;
        }
        if (this.#late !== undefined) {
          cut();
          this.#drop(total);
          if (at + total > end) {
            this.#passing = at + total - end;
            this.#passes = false;
            at = end;
          } else at += total;
          from = at;
          continue;
        }
        if (run === undefined || plan === undefined) {
          if (op?.kind === "probe" && type === BACKEND.dataRow) {
            if (at + total > end) break;
            op.rows.push(decodeDataRow(buffer.subarray(at + HEADER_BYTES, at + total)));
            cut();
            at += total;
            from = at;
            continue;
          }
          throw new RegateError("UPSTREAM_PROTOCOL", { detail: "The server sent a row that nothing asked for." });
        }
        if (total > session.options.limits.rowBytes) {
          cut();
          from = at;
          this.#refuseLate(run, new RegateError("ROW_TOO_LARGE", { detail: `It has ${total} bytes; the limit is ${session.options.limits.rowBytes}.` }));
          continue;
        }
        if (at + total > end) break;
        cut();
        const before = this.#rows.length;
        run.maskedCells += this.#rows.row(buffer, at, at + total, plan);
        run.bytes += this.#rows.length - before;
        at += total;
        from = at;
        continue;
      }
      if (at + total > end) break;
      const message = buffer.subarray(at, at + total);
      cut();
      from = at;
      const passes = this.#message(type, message, op);
      if (passes === "hold") {
        this.#hold(buffer.subarray(at));
        return;
      }
      at += total;
      if (!passes) from = at;
    }
    cut();
    if (at < end && !session.ended) {
      // A message that is cut: kept, copied out of a buffer that may be used again.
      this.#rest = Buffer.from(buffer.subarray(at));
    }
  }

  /** True: goes out as it is. False: not. Hold: wait, and look at it again. */
  #message(type: number, message: Buffer, op: Op | undefined): boolean | "hold" {
    const session = this.#session;
    const body = message.subarray(HEADER_BYTES);
    switch (type) {
      case BACKEND.noticeResponse:
      case BACKEND.notificationResponse:
        return op?.kind !== "probe";
      case BACKEND.parameterStatus:
        this.#watch(body);
        return true;
      case BACKEND.readyForQuery:
        return this.#ready(body, op);
      case BACKEND.errorResponse:
        return this.#error(body, op);
    }
    if (op === undefined) throw unexpected(type);
    const shown = this.#late === undefined;
    switch (type) {
      case BACKEND.parseComplete:
        if (op.kind !== "parse") throw unexpected(type);
        session.registry.parsed(op.prepared);
        session.pending.shift();
        return shown;
      case BACKEND.bindComplete:
        if (op.kind !== "bind") throw unexpected(type);
        session.pending.shift();
        return shown;
      case BACKEND.closeComplete:
        if (op.kind !== "close") throw unexpected(type);
        session.registry.closed(op.target, op.name);
        session.pending.shift();
        return shown;
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
      case BACKEND.copyDone:
        return shown;
      case BACKEND.functionCallResponse:
        if (op.kind !== "call") throw unexpected(type);
        return shown;
      default:
        throw unexpected(type);
    }
  }

  /** The columns of a result: held against what was decided on, before a row of it leaves. */
  #described(op: Op, body: Buffer): boolean {
    if (op.kind === "probe") return false;
    const fields = decodeRowDescription(body);
    if (op.kind === "describe") {
      if (op.portal !== undefined) op.portal.described = fields;
      this.#session.pending.shift();
      return !op.silent;
    }
    if (op.kind !== "query" && op.kind !== "execute") throw unexpected(BACKEND.rowDescription);
    const at = op.kind === "query" ? op.statement : 0;
    return this.#confirmed(op.run, at, fields);
  }

  /** True if the result may be shown; else the refusal has taken its place. */
  #confirmed(run: Run, at: number, fields: readonly Field[]): boolean {
    const session = this.#session;
    const statement = run.statements[at];
    run.plan = undefined;
    if (!run.permit.enforced || this.#late !== undefined) return this.#late === undefined;
    const masks = run.permit.masks.filter((mask) => mask.statement === at);
    const catalog = session.ownCatalog ?? session.catalogs.current;
    if (masks.length === 0 && catalog?.hasTags === false) return true;
    const verdict = statement === undefined || catalog === undefined ? { ok: false as const, why: "an unexpected result" } : confirm(statement, fields, catalog);
    if (!verdict.ok) {
      session.catalogs.invalidate();
      this.#refuseLate(run, new RegateError("CATALOG_MISMATCH", { detail: verdict.why }));
      return false;
    }
    if (masks.length === 0) return true;
    const plan = planRow(masks, fields, session.options.maskKey);
    if (plan instanceof RegateError) {
      this.#refuseLate(run, plan);
      return false;
    }
    run.plan = plan;
    return true;
  }

  /** At the first row of an Execute: its portal's description decides how the rows go out. */
  #prepareRows(op: Op, run: Run): void {
    if (op.kind !== "execute" || !run.permit.enforced) return;
    const { described } = op.portal;
    if (typeof described !== "string") {
      this.#confirmed(run, 0, described);
      return;
    }
    if (run.permit.masks.length > 0 || this.#session.catalogs.current?.hasTags !== false) {
      this.#refuseLate(run, new RegateError("CATALOG_MISMATCH", { detail: "The server did not describe the result." }));
    }
  }

  #completed(op: Op, type: number, body: Buffer): boolean {
    const session = this.#session;
    if (op.kind === "probe") return false;
    if (op.kind !== "query" && op.kind !== "execute") throw unexpected(type);
    const { run } = op;
    run.plan = undefined;
    if (type === BACKEND.commandComplete) {
      run.tag = decodeCommandTag(body);
      const statement = run.statements[op.kind === "query" ? op.statement : 0];
      if (statement !== undefined) this.#effects(statement);
    }
    if (op.kind === "query") {
      op.statement++;
      return true;
    }
    session.pending.shift();
    session.copyIn = false;
    session.recordOutcome(run, this.#late === undefined ? "ok" : "refused");
    return true;
  }

  #effects(statement: StatementAnalysis): void {
    const session = this.#session;
    session.registry.completed(statement);
    session.names.completed(statement);
    if (statement.effects.catalog || statement.effects.temp) {
      this.catalogChanged = true;
      session.ownCatalog = undefined;
    }
  }

  #ready(body: Buffer, op: Op | undefined): boolean | "hold" {
    const session = this.#session;
    const canceling = this.#canceling;
    if (canceling !== undefined) {
      // The next command must not be hit by the cancel that was meant for this one.
      void canceling.then(() => {
        this.#canceling = undefined;
        this.#release();
      });
      return "hold";
    }
    if (op === undefined || !["sync", "query", "call", "probe"].includes(op.kind)) throw unexpected(BACKEND.readyForQuery);
    const status = body[0]!;
    session.pending.shift();
    session.status = status;
    session.context.facts.in_transaction = status !== TRANSACTION.idle;
    if (op.kind === "probe") {
      op.done(op.failed ? undefined : op.rows);
      return false;
    }
    if (status === TRANSACTION.idle) {
      session.registry.transactionEnded(op.segment);
      session.names.transactionEnded();
      if (this.catalogChanged) session.catalogs.invalidate();
      this.catalogChanged = false;
      session.ownCatalog = undefined;
    }
    if (op.kind === "query" || op.kind === "call") {
      session.busy = false;
      session.copyIn = false;
      session.recordOutcome(op.run, this.#late !== undefined ? "refused" : op.run.sqlstate === null ? "ok" : op.run.sqlstate === "57014" ? "canceled" : "error");
    }
    if (op.kind === "sync" && op.silent) return false;
    if (this.#late !== undefined) {
      this.#late = undefined;
      this.#dropped = 0;
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
      this.#emit(encodeReadyForQuery(status));
      session.drain();
      return false;
    }
    return true;
  }

  #error(body: Buffer, op: Op | undefined): boolean {
    const session = this.#session;
    const fields = decodeError(body);
    const severity = fields.V ?? fields.S;
    if (severity === "FATAL" || severity === "PANIC") {
      this.#fatalSeen = true;
      if (op !== undefined && "run" in op) {
        op.run.sqlstate = fields.C ?? null;
        session.recordOutcome(op.run, "error");
      }
      return true;
    }
    if (op === undefined) throw unexpected(BACKEND.errorResponse);
    session.names.failed();
    session.copyIn = false;
    let shown = this.#late === undefined;
    switch (op.kind) {
      case "probe":
        op.failed = true;
        return false;
      case "query":
      case "call":
        op.run.sqlstate = fields.C ?? null;
        op.run.plan = undefined;
        return shown;
      case "sync":
        return shown;
      case "fail":
        if (shown && op.refusal !== undefined) this.#emit(errorMessage(op.refusal));
        shown = false;
        break;
      case "parse":
        session.registry.parseFailed(op.prepared, true);
        break;
      case "bind":
        session.registry.bindFailed(op.portal);
    }
    if ("run" in op) {
      op.run.sqlstate = fields.C ?? null;
      session.recordOutcome(op.run, this.#late !== undefined ? "refused" : fields.C === "57014" ? "canceled" : "error");
    }
    session.pending.shift();
    this.#skip(op.segment);
    return shown;
  }

  /** The server ignores what follows up to the next Sync: so it owes nothing for it. */
  #skip(segment: number): void {
    const { pending, registry } = this.#session;
    for (let op = pending.first(); op !== undefined && op.kind !== "sync"; op = pending.first()) {
      pending.shift();
      if (op.kind === "parse") registry.parseFailed(op.prepared, false);
      if (op.kind === "bind") registry.bindFailed(op.portal);
      if ("run" in op) this.#session.recordOutcome(op.run, "skipped");
    }
    if (pending.length === 0 && this.#session.segment === segment) this.#session.skipping = true;
  }

  /** Shows an error in the place of a result that may not be shown, and nothing more of its segment. */
  #refuseLate(run: Run, error: RegateError): void {
    run.plan = undefined;
    run.sqlstate = error.sqlstate;
    this.#late = refusalFromError(error, run.permit.decisionId);
    this.#emit(errorMessage(this.#late));
    const { pending, segment } = this.#session;
    const op = pending.first();
    // In a segment that is still open the client's messages are dropped up to its Sync.
    if (op !== undefined && op.kind === "execute" && op.segment === segment) this.#session.skipping = true;
  }

  #drop(bytes: number): void {
    this.#dropped += bytes;
    if (this.#dropped > patience && this.#canceling === undefined) this.#canceling = this.#session.parts.upstream.cancel();
  }

  #limit(run: Run): void {
    const { limits: bounds } = run.permit;
    if (bounds?.rows !== undefined && run.rows > bounds.rows) this.#refuseLate(run, new RegateError("LIMIT_EXCEEDED", { detail: `more than ${bounds.rows} rows` }));
    else if (bounds?.bytes !== undefined && run.bytes > bounds.bytes) this.#refuseLate(run, new RegateError("LIMIT_EXCEEDED", { detail: `more than ${bounds.bytes} bytes` }));
  }

  /** Settings under which the gate would read texts otherwise than the server end the session. */
  #watch(body: Buffer): void {
    const { name, value } = decodeParameterStatus(body);
    if (name === "client_encoding" && !isUtf8Name(value)) throw new RegateError("CLIENT_ENCODING", { detail: `It became ${value}.` });
    if (name === "standard_conforming_strings" && value !== "on") throw new RegateError("STANDARD_CONFORMING_STRINGS", { detail: `It became ${value}.` });
  }

  #mustHold(run: Run): boolean {
    const { ticket } = run.permit;
    if (ticket.durable) {
      this.#cleared = run;
      return false;
    }
    ticket.settled((error) => {
      if (error !== undefined) {
        this.#held = false;
        this.#session.fatal(new RegateError("AUDIT_UNAVAILABLE", { cause: error }));
        return;
      }
      this.#cleared = run;
      this.#release();
    });
    return this.#cleared !== run;
  }

  #hold(rest: Buffer): void {
    this.#held = true;
    this.#rest = rest;
    this.flushOut();
    this.#session.parts.upstream.socket.pause();
  }

  #release(): void {
    if (!this.#held || this.#session.ended) return;
    this.#held = false;
    const { socket } = this.#session.parts.upstream;
    if (!this.#clientFull) socket.resume();
    this.#work();
    if (socket.destroyed) this.upstreamClosed();
  }

  #emit(part: Buffer): void {
    if (this.#rows.length > 0) this.#addOut(this.#rows.take());
    this.#addOut(part);
  }

  #addOut(part: Buffer): void {
    this.#out.push(part);
    this.#outBytes += part.length;
  }

  /** Writes what has gathered, as one write where that is cheap. */
  flushOut(): void {
    if (this.#rows.length > 0) this.#addOut(this.#rows.take());
    if (this.#outBytes === 0) return;
    const { client, upstream } = this.#session.parts;
    const parts = this.#out;
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts, this.#outBytes);
    this.#out = [];
    this.#outBytes = 0;
    if (!client.write(whole) && !this.#clientFull) {
      this.#clientFull = true;
      upstream.socket.pause();
    }
  }
}

function unexpected(type: number): RegateError {
  return new RegateError("UPSTREAM_PROTOCOL", { detail: `The server sent '${String.fromCharCode(type)}' where it was not expected.` });
}
