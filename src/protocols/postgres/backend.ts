// The server's direction: results are relayed as they come, masked where decided, and held until their record is safe.
import { Socket } from "node:net";
import type { Refusal } from "../../core/enforce.ts";
import { refusalFromError } from "../../core/enforce.ts";
import { asRegateError, RegateError } from "../../errors.ts";
import { BACKEND, TRANSACTION } from "./codes.ts";
import { CopyMasker } from "./copy-masker.ts";
import { frameBytes, HEADER_BYTES, serverLimits } from "./frame.ts";
import { cutFields } from "./long-errors.ts";
import { decodeDataRow } from "./message.ts";
import type { Op, Run } from "./pending.ts";
import { errorMessage } from "./refuse.ts";
import { type RowPlan, RowWriter } from "./rows.ts";
import type { Session } from "./session.ts";

const EMPTY = Buffer.alloc(0);
const limits = serverLimits();
/** Errors and notices are cut there: a server writes up to a gigabyte of a value into one. */
const MOST_TEXT = 256 * 1024;
/** No other message that is held whole is longer: a setting that is reported may have the length of a client's message. */
const MOST_OTHER = 64 * 1024 * 1024;
/** Bytes of a refused result that are read and dropped before the server is told to stop. */
const patience = 1024 * 1024;

/** What was read at once: `at` is the message at hand, and from `from` on everything before it goes out as it is. */
type Chunk = { readonly buffer: Buffer; readonly end: number; at: number; from: number };

/** What follows a message: the next one, the rest of this one once it has come, or nothing until the record of its result is safe. */
type Next = "on" | "wait" | "hold";

export class Backend {
  /** Which op would have come after the last Flush: one is enough for all before it. */
  nudgedAt = -1;

  /** The open transaction changed the catalog: others will see it at its commit, this session sees it now. */
  catalogChanged = false;

  readonly #session: Session;
  readonly #rows = new RowWriter();
  #out: Buffer[] = [];
  #outBytes = 0;
  /** What could not be worked on yet: a cut message, or everything behind a result whose record is not safe. */
  #rest: Buffer | undefined;
  /** What has come behind `#rest` of a message whose end is not here, and how many bytes from the start of `#rest` it needs. */
  #more: Buffer[] = [];
  #moreBytes = 0;
  #needed = 0;
  /** The row that `#rest` begins with is counted. */
  #counted = false;
  /** Bytes of a large message that is passed on (or dropped) as it comes. */
  #passing = 0;
  #passes = true;
  #held = false;
  #clientFull = false;
  #cleared: Run | undefined;
  /** The refusal that took the place of a result: the rest of its segment is not shown. */
  late: Refusal | undefined;
  dropped = 0;
  canceling: Promise<void> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** A message is passed on whose end has not come: nothing else may be written now. */
  get midMessage(): boolean {
    return this.#passing > 0 && this.#passes;
  }

  /** A result that is under way may still turn out not to be what was decided on. */
  get unconfirmed(): boolean {
    return this.#session.pending.some(
      (op) =>
        op.kind === "execute" && op.portal.described === "asked" && op.run.statements.some((one) => one.touchesTagged),
    );
  }

  /** A question of the gate's own is unanswered. */
  get asking(): boolean {
    return this.#session.pending.waits(this.#asked);
  }

  /** Asks the server how names resolve. `early`: what is to be judged takes no snapshot first. */
  askNames(early: boolean): void {
    const session = this.#session;
    const { names } = session;
    const within = session.askedWithin;
    const inTransaction = within || session.status === TRANSACTION.open;
    const catalog = session.catalog ?? session.lastCatalog;
    this.ask(names.questions(inTransaction, early), (rows) => {
      // It failed with the client's segment: asked again when it matters.
      if (rows === undefined && within) return;
      const bad = names.learn(rows ?? [], catalog?.schemaRights ?? "");
      if (bad !== undefined) session.fatal(bad);
      session.unsure = false;
      if (names.unwritten && !session.segmentCommits) session.segmentDdl = false;
    });
  }

  /**
   * Questions of the gate's own, over the client's connection: with a Sync of their own between the client's segments, and as a part of a segment
   * that is open, where a Sync would end the client's transaction. `done` gets undefined if they failed.
   */
  ask(questions: readonly string[], done: (rows: (string | null)[][] | undefined) => void): void {
    const { writer, pending, segment, askedWithin } = this.#session;
    writer.probe(questions);
    if (askedWithin) writer.flush();
    else {
      writer.sync();
      this.#session.segmentOpen = false;
    }
    this.#asked = pending.next;
    // Each is answered by the end of its portal and its statement.
    const left = askedWithin ? 2 * questions.length : undefined;
    pending.push({ kind: "probe", segment, rows: [], left, failed: false, done });
  }
  #asked = 0;

  /** Tells the client something outside of any result. */
  notice(message: Buffer): void {
    this.emit(message);
    this.flushOut();
  }

  push(chunk: Buffer): void {
    if (this.#session.ended) return;
    const rest = this.#rest;
    if (rest === undefined) this.#rest = chunk;
    else if (rest.length + this.#moreBytes + chunk.length < this.#needed) {
      // Put together once, when it is whole: each time anew would cost the square of its size.
      this.#more.push(Buffer.from(chunk));
      this.#moreBytes += chunk.length;
      return;
    } else {
      this.#rest = Buffer.concat([rest, ...this.#more, chunk]);
      this.#more = [];
      this.#moreBytes = 0;
    }
    if (!this.#held) this.#work();
  }

  clientDrained(): void {
    this.#clientFull = false;
    if (!this.#held) this.#session.server.resume();
  }

  upstreamClosed(): void {
    const session = this.#session;
    if (session.ended) return;
    if (this.#held) return;
    session.unsettled.lost();
    for (let op = session.pending.shift(); op !== undefined; op = session.pending.shift()) {
      if ("run" in op) session.recordOutcome(op.run, "lost");
    }
    if (this.fatalSeen || session.leaving) session.end("server ended");
    else session.fatal(new RegateError("UPSTREAM_LOST"));
  }
  fatalSeen = false;

  /** The session ends: what is still owed is recorded as lost. */
  abandon(): void {
    const { pending, unsettled } = this.#session;
    unsettled.lost();
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
      session.fatal(asRegateError(thrown));
      return;
    }
    session.pump();
  }

  /** Works on one message after the other, until more is needed or the result under way has to be held. */
  #walk(buffer: Buffer): void {
    const session = this.#session;
    const chunk: Chunk = { buffer, end: buffer.length, at: 0, from: 0 };
    this.#needed = 0;
    if (this.#passing > 0) this.#skip(chunk, this.#passing, this.#passes);
    while (chunk.end - chunk.at >= HEADER_BYTES && !session.ended) {
      const type = buffer[chunk.at]!;
      const total = frameBytes(type, buffer.readInt32BE(chunk.at + 1), limits);
      const op = session.pending.first();
      let next: Next;
      if (op !== undefined && "run" in op && op.run !== this.#cleared && this.#mustHold(chunk, op.run)) next = "hold";
      else if (type === BACKEND.dataRow || type === BACKEND.copyData) next = this.#row(chunk, type, total, op);
      else next = this.#message(chunk, type, total, op);
      if (next === "hold") {
        this.#hold(buffer.subarray(chunk.at));
        return;
      }
      if (next === "wait") break;
    }
    this.#cut(chunk);
    if (chunk.at < chunk.end && !session.ended) {
      // A message that is cut: kept, copied out of a buffer that may be used again.
      this.#rest = Buffer.from(buffer.subarray(chunk.at));
    }
  }

  /** Sends the stretch of messages that go out as they are, up to the message at hand: what is said in the place of that comes behind them. */
  #cut(chunk: Chunk): void {
    if (chunk.from < chunk.at) this.emit(chunk.buffer.subarray(chunk.from, chunk.at));
    chunk.from = chunk.at;
  }

  /** Goes on behind the message at hand; what of it has not come will be passed on, or dropped, as it comes. */
  #skip(chunk: Chunk, bytes: number, passes: boolean): void {
    const next = chunk.at + bytes;
    this.#passing = Math.max(next - chunk.end, 0);
    this.#passes = passes;
    chunk.at = Math.min(next, chunk.end);
    if (!passes) chunk.from = chunk.at;
  }

  /** A DataRow or CopyData: passed on, masked, dropped, or the answer to a question of the gate's own. */
  #row(chunk: Chunk, type: number, total: number, op: Op | undefined): Next {
    const run = op !== undefined && (op.kind === "execute" || op.kind === "query") ? op.run : undefined;
    if (run !== undefined && this.late === undefined) this.#count(chunk, type, op!, run);
    if (this.late !== undefined) {
      this.#cut(chunk);
      this.#drop(total);
      this.#skip(chunk, total, false);
      return "on";
    }
    if (run === undefined) return this.#answerRow(chunk, type, total, op);
    const masks = type === BACKEND.dataRow ? (run.plan ?? "passes") : run.copying;
    if (masks === undefined) throw unasked();
    if (masks !== "passes") return this.#maskedRow(chunk, total, run, masks);
    run.bytes += total;
    this.#skip(chunk, total, true);
    if (run.permit.limits === undefined) this.#passMore(chunk, type, run);
    return "on";
  }

  /** Most rows are passed on, and stand one behind the other: those that are here whole, without a limit to look at for each. */
  #passMore(chunk: Chunk, type: number, run: Run): void {
    const { buffer, end } = chunk;
    let at = chunk.at;
    while (end - at >= HEADER_BYTES && buffer[at] === type) {
      const next = at + frameBytes(type, buffer.readInt32BE(at + 1), limits);
      if (next > end) break;
      at = next;
      run.rows++;
    }
    run.bytes += at - chunk.at;
    chunk.at = at;
  }

  /** One row more of a result, which may be the first, or one too many. */
  #count(chunk: Chunk, type: number, op: Op, run: Run): void {
    if (type === BACKEND.dataRow && run.rows === 0) {
      this.#cut(chunk);
      this.#session.answers.prepareRows(op, run);
    }
    // Those of a COPY that is masked are counted when they are found, and one that was cut has been counted.
    if (!(type === BACKEND.copyData && run.copying instanceof CopyMasker) && !this.#counted) run.rows++;
    this.#counted = false;
    const over = this.#over(run);
    if (over === undefined) return;
    this.#cut(chunk);
    this.refuseLate(run, over);
  }

  /** A row of the answer to the gate's own question: nothing of it goes out. */
  #answerRow(chunk: Chunk, type: number, total: number, op: Op | undefined): Next {
    if (op?.kind !== "probe" || type !== BACKEND.dataRow) throw unasked();
    const end = chunk.at + total;
    if (end > chunk.end) return this.#wait(total);
    this.#cut(chunk);
    op.rows.push(decodeDataRow(chunk.buffer.subarray(chunk.at + HEADER_BYTES, end)));
    this.#skip(chunk, total, false);
    return "on";
  }

  /** A row is masked as a whole: it waits for its end, within the limit. */
  #maskedRow(chunk: Chunk, total: number, run: Run, masks: RowPlan | CopyMasker): Next {
    const { rowBytes } = this.#session.options.limits;
    if (total > rowBytes) {
      this.#cut(chunk);
      // How many bytes it has would tell how long the masked values are.
      const detail = `The limit is ${rowBytes} bytes.`;
      this.refuseLate(run, new RegateError("ROW_TOO_LARGE", { detail }));
      return "on";
    }
    if (chunk.at + total > chunk.end) {
      this.#counted = true;
      return this.#wait(total);
    }
    this.#cut(chunk);
    this.#mask(run, chunk.buffer, chunk.at, chunk.at + total, masks);
    this.#skip(chunk, total, false);
    return "on";
  }

  /** Any other message. */
  #message(chunk: Chunk, type: number, total: number, op: Op | undefined): Next {
    const { buffer, at, end } = chunk;
    this.#cut(chunk);
    if (at + total > end) {
      const large = this.#large(type, total, buffer.subarray(at), op);
      if (large === undefined) return "wait";
      if (large.length > 0) this.emit(large);
      this.#skip(chunk, total, large.length > 0 && type === BACKEND.functionCallResponse);
      chunk.from = end;
      return "on";
    }
    const passes = this.#session.answers.message(type, buffer.subarray(at, at + total), op);
    if (passes === "hold") return "hold";
    chunk.at += total;
    if (!passes) chunk.from = chunk.at;
    return "on";
  }

  /** The message at hand needs so many bytes. */
  #wait(total: number): Next {
    this.#needed = total;
    return "wait";
  }

  /** Rewrites the DataRow or CopyData at buffer[start, end). */
  #mask(run: Run, buffer: Buffer, start: number, end: number, masks: RowPlan | CopyMasker): void {
    const before = this.#rows.length;
    let error: RegateError | undefined;
    try {
      if (masks instanceof CopyMasker) {
        const { rows, masked } = masks.push(buffer, start + HEADER_BYTES, end, this.#rows);
        run.rows += rows;
        run.maskedCells += masked;
      } else run.maskedCells += this.#rows.row(buffer, start, end, masks);
      run.bytes += this.#rows.length - before;
      if (masks instanceof CopyMasker) error = this.#over(run);
    } catch (thrown) {
      this.#rows.undo(before);
      if (!(thrown instanceof RegateError) || thrown.code !== "ROW_TOO_LARGE") throw thrown;
      error = thrown;
    }
    if (error === undefined) return;
    this.#rows.undo(before);
    this.refuseLate(run, error);
  }

  /**
   * What goes out of the beginning of a message that is not held until it is whole; undefined: more of it is needed.
   * @throws RegateError UPSTREAM_PROTOCOL for a message that no server makes so long
   */
  #large(type: number, total: number, begun: Buffer, op: Op | undefined): Buffer | undefined {
    const { answers } = this.#session;
    if (type === BACKEND.functionCallResponse) return answers.message(type, begun, op) === true ? begun : EMPTY;
    const cuts = total > MOST_TEXT && (type === BACKEND.errorResponse || type === BACKEND.noticeResponse);
    if (cuts && begun.length >= MOST_TEXT) {
      const short = cutFields(type, begun.subarray(HEADER_BYTES, MOST_TEXT));
      return answers.message(type, short, op) === true ? short : EMPTY;
    }
    if (!cuts && total > MOST_OTHER)
      throw new RegateError("UPSTREAM_PROTOCOL", {
        detail: `The server sent a message '${String.fromCharCode(type)}' of ${total} bytes.`,
      });
    this.#needed = cuts ? MOST_TEXT : total;
    return undefined;
  }

  /** Shows an error in the place of a result that may not be shown, and nothing more of its segment. */
  refuseLate(run: Run, error: RegateError): void {
    run.plan = undefined;
    run.sqlstate = error.sqlstate;
    this.late = refusalFromError(error, run.permit.decisionId);
    this.emit(errorMessage(this.late));
    const { pending, segment } = this.#session;
    const op = pending.first();
    // In a segment that is still open the client's messages are dropped up to its Sync.
    if (op !== undefined && op.kind !== "query" && op.kind !== "call" && op.segment === segment)
      this.#session.skipping = true;
  }

  #drop(bytes: number): void {
    this.dropped += bytes;
    if (this.dropped > patience && this.canceling === undefined) this.canceling = this.#session.parts.upstream.cancel();
  }

  /** The error, if the result has come to more than the policy allows. */
  #over(run: Run): RegateError | undefined {
    const { limits: bounds } = run.permit;
    if (bounds?.rows !== undefined && run.rows > bounds.rows)
      return new RegateError("LIMIT_EXCEEDED", { detail: `more than ${bounds.rows} rows` });
    if (bounds?.bytes !== undefined && run.bytes > bounds.bytes)
      return new RegateError("LIMIT_EXCEEDED", { detail: `more than ${bounds.bytes} bytes` });
    return undefined;
  }

  /** Is the record of the result that begins here not safe yet? Then {@link release} goes on. */
  #mustHold(chunk: Chunk, run: Run): boolean {
    this.#cut(chunk);
    const { ticket } = run.permit;
    if (ticket.durable) {
      this.#cleared = run;
      return false;
    }
    ticket.settled((error) => {
      this.#cleared = run;
      // The command ran, but what it gave is not shown: it is not on record, or was judged by a catalog that no longer held.
      if (error !== undefined && this.late === undefined) {
        this.refuseLate(
          run,
          error instanceof RegateError ? error : new RegateError("AUDIT_UNAVAILABLE", { cause: error }),
        );
      }
      this.release();
    });
    return this.#cleared !== run;
  }

  #hold(rest: Buffer): void {
    this.#held = true;
    this.#rest = rest;
    this.#session.keepServerChunk();
    this.flushOut();
    this.#session.server.pause();
  }

  release(): void {
    if (!this.#held || this.#session.ended) return;
    this.#held = false;
    const { server } = this.#session;
    if (!this.#clientFull) server.resume();
    this.#work();
    if (server.destroyed) this.upstreamClosed();
  }

  emit(part: Buffer): void {
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
    const { client, server } = this.#session;
    const parts = this.#out;
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts, this.#outBytes);
    this.#out = [];
    this.#outBytes = 0;
    const full = !client.write(whole);
    // What the kernel did not take at once is still being read from the chunk.
    if (parts.length === 1 && (client.writableLength > 0 || client.constructor !== Socket))
      this.#session.keepServerChunk();
    if (full && !this.#clientFull) {
      this.#clientFull = true;
      server.pause();
    }
  }
}

function unasked(): RegateError {
  return new RegateError("UPSTREAM_PROTOCOL", { detail: "The server sent a row that nothing asked for." });
}
