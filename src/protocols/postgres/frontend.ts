// The client's direction: what each message is, and the messages that need no preparation.
import { RegateError } from "../../errors.ts";
import type { Analysis } from "../../sql/postgres/analyze.ts";
import { analyzeFunctionCall } from "../../sql/postgres/unread.ts";
import { FRONTEND } from "./codes.ts";
import { decodeFunctionCall, decodeQuery, encodeQuery } from "./message.ts";
import { newRun } from "./pending.ts";
import type { Rewriting } from "./rewriting.ts";
import type { Session } from "./session.ts";

/** `raw` is the whole message. Both are views until the handler returns; one that has to wait finds them copied. */
export type ClientMessage = { readonly type: number; body: Buffer; raw: Buffer };

export class Frontend {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** May the next message be taken up now? Not while a simple query runs. */
  get open(): boolean {
    return !this.#session.busy || this.#session.copyIn;
  }

  /** False if the message has to wait; the session goes on with it. */
  handle(message: ClientMessage): boolean {
    const session = this.#session;
    if (session.copyIn) return this.#duringCopy(message);
    switch (message.type) {
      case FRONTEND.sync:
        return this.#sync();
      case FRONTEND.terminate:
        session.end("terminated");
        return true;
      // Left over from a COPY that failed: the server ignores them, too.
      case FRONTEND.copyData:
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        return true;
    }
    if (session.skipping) return true;
    session.judge.inSimple = message.type === FRONTEND.query || message.type === FRONTEND.functionCall;
    switch (message.type) {
      case FRONTEND.query:
        return this.alone(() => this.#query(message));
      case FRONTEND.functionCall:
        return this.alone(() => this.#functionCall(message));
      case FRONTEND.parse:
        return session.extended.parse(message);
      case FRONTEND.bind:
        return session.extended.bind(message);
      case FRONTEND.execute:
        return session.extended.execute(message);
      case FRONTEND.describe:
        return session.extended.describe(message);
      case FRONTEND.close:
        return session.extended.close(message);
      case FRONTEND.flush:
        session.segmentOpen = true;
        session.writer.flush();
        return true;
      default:
        throw new RegateError("PROTOCOL_VIOLATION", {
          detail: `A message of type 0x${message.type.toString(16)} is not expected here.`,
        });
    }
  }

  #duringCopy(message: ClientMessage): boolean {
    const session = this.#session;
    switch (message.type) {
      case FRONTEND.copyData:
        session.writer.copy(message.raw);
        return true;
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        session.writer.copy(message.raw);
        session.copyIn = false;
        return true;
      case FRONTEND.sync:
      case FRONTEND.flush:
        return true;
      case FRONTEND.terminate:
        session.end("terminated");
        return true;
      default:
        throw new RegateError("PROTOCOL_VIOLATION", {
          detail: "Only COPY messages are expected during COPY FROM STDIN.",
        });
    }
  }

  /** The segment is over: nothing that a Sync would commit may be sent while an earlier result can still be refused. */
  #sync(): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (session.segmentWrites && session.backend.unconfirmed) return session.judge.nudge();
      this.endSegment();
      return true;
    }, "run");
  }

  /** Sends a Sync, whose answer the client gets. */
  endSegment(): void {
    const session = this.#session;
    const { pending, registry } = session;
    session.writer.sync();
    // Without BEGIN it ends the transaction, and takes SET LOCAL back.
    if (session.restores) registry.changing.meaning = pending.next;
    pending.push({ kind: "sync", segment: session.segment, silent: false });
    session.segment++;
    session.skipping = false;
    session.segmentOpen = false;
    session.segmentWrites = false;
    session.segmentRan = false;
    session.unsure = false;
    session.segmentDdl = false;
    session.segmentCommits = false;
  }

  /** A simple query in the middle of a segment: the gate must first know whether the server is skipping. */
  alone(step: () => boolean): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (!session.drained) return session.judge.nudge();
      // An error came while we waited: the server ignores this message.
      return session.skipping ? true : step();
    });
  }

  /** `anew`: it was judged by a catalog that did not hold any more. */
  #query(message: ClientMessage, anew = false): boolean {
    const session = this.#session;
    const again = anew ? undefined : () => this.#query(message, true);
    const bytes = decodeQuery(message.body);
    return session.reading.analyzed(bytes, true, (analysis) => this.#judgeQuery(message.raw, analysis, again));
  }

  #judgeQuery(raw: Buffer, analysis: Analysis, again: (() => boolean) | undefined, rewriting?: Rewriting): boolean {
    const session = this.#session;
    const command = session.reading.command(analysis, "query", [], undefined, rewriting);
    return session.judge.decide(
      command,
      "judge",
      true,
      (permit) => {
        const run = newRun(permit, analysis.statements, command.facts, analysis.locations, rewriting);
        return session.copies.described(run, true, () => {
          session.writer.command(permit, raw);
          session.pending.push({ kind: "query", segment: session.segment, run, statement: 0 });
          session.segment++;
          session.segmentOpen = false;
          session.segmentRan = false;
          session.busy = true;
          return true;
        });
      },
      (asked) =>
        session.reading.rewritten(command, asked, true, (anew, made) =>
          this.#judgeQuery(encodeQuery(made.sent), anew, again, made),
        ),
      again,
    );
  }

  #functionCall(message: ClientMessage): boolean {
    const session = this.#session;
    const { functionOid } = decodeFunctionCall(message.body);
    return session.settled.catalog(false, (catalog) => {
      const analysis = analyzeFunctionCall(functionOid, catalog);
      const command = session.reading.command(analysis, "function_call", [], message.body);
      return session.judge.decide(command, "judge", true, (permit) => {
        session.writer.command(permit, message.raw);
        session.pending.push({
          kind: "call",
          segment: session.segment,
          run: newRun(permit, analysis.statements, command.facts),
        });
        session.segment++;
        session.segmentOpen = false;
        session.segmentRan = false;
        session.busy = true;
        return true;
      });
    });
  }
}
