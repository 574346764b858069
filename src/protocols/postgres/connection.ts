// The gate's own connection to a database, for reading its catalog and asking for plans. The only home of pg-protocol.
import { Parser } from "pg-protocol/dist/parser.js";
import { RegateError } from "../../errors.ts";
import { BACKEND } from "./codes.ts";
import { decodeError } from "./decode.ts";
import {
  encodeBind,
  encodeClose,
  encodeExecute,
  encodeParse,
  encodeQuery,
  encodeSync,
  encodeTerminate,
} from "./encode.ts";
import { MessageBuffer, serverLimits } from "./frame.ts";
import { connectUpstream, type Upstream, type UpstreamTarget } from "./upstream.ts";

/** Names in the gate's queries mean the catalog's, and their results are read in one way, whatever the role is set up with. */
const settings = `SET search_path = pg_catalog; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;
  SET bytea_output = hex; SET DateStyle = ISO; SET statement_timeout = 0; SET default_transaction_read_only = on`;
const queryTimeoutMs = 60_000;
/** A definition may be as long as a client's message. */
const MOST_ROW = 64 * 1024 * 1024;
const MOST_OTHER = 256 * 1024;

type Rows = (string | null)[][];
type Waiting = {
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: RegateError) => void;
};

export class OwnConnection {
  readonly #upstream: Upstream;
  readonly #input = new MessageBuffer(serverLimits());
  readonly #parser = new Parser();
  readonly #waiting: Waiting[] = [];
  #rows: Rows = [];
  #error: RegateError | undefined;
  #closed = false;
  readonly #executing = new Map<string, Buffer>();
  /** When the answer that is waited for is overdue. Looked at now and then: a timer for each question would cost more than the question. */
  #overdue = Number.POSITIVE_INFINITY;
  readonly #watch = setInterval(() => {
    if (performance.now() > this.#overdue) this.#end(unavailable(`no answer within ${queryTimeoutMs / 1000} s`));
  }, 1000).unref();

  private constructor(upstream: Upstream) {
    this.#upstream = upstream;
    const { socket } = upstream;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error: Error) => this.#end(unavailable(error.message, error)));
    socket.on("close", () => this.#end(unavailable("the connection was lost")));
    socket.resume();
  }

  /** `parameters` are further startup parameters. @throws RegateError UPSTREAM_*, CATALOG_UNAVAILABLE */
  static async open(
    target: UpstreamTarget,
    parameters: ReadonlyMap<string, string> = new Map(),
  ): Promise<OwnConnection> {
    const own = new Map([["client_encoding", "UTF8"], ["application_name", "regate"], ...parameters]);
    const upstream = await connectUpstream(target, { parameters: own });
    if (upstream.socket.destroyed) throw unavailable("the connection was lost");
    const connection = new OwnConnection(upstream);
    await connection.query(settings);
    return connection;
  }

  /** It can take no more queries. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Runs `sql` (the simple protocol: several statements are possible) after those that were given before. Returns the rows of all its
   * results, values in text format. An error of the server leaves the connection usable.
   * @throws RegateError CATALOG_UNAVAILABLE, with the server's SQLSTATE and message in its detail
   */
  query(sql: string): Promise<Rows> {
    return this.#ask(encodeQuery(sql));
  }

  /**
   * Prepares one statement under a name, over what had the name before. The extended protocol takes one statement only, so whatever the
   * text is, nothing of it runs.
   * @throws RegateError as {@link query}
   */
  async prepare(name: string, text: string | Uint8Array, parameterTypes: readonly number[]): Promise<void> {
    await this.#ask(
      Buffer.concat([encodeClose("statement", name), encodeParse(name, text, parameterTypes), encodeSync()]),
    );
  }

  /** Runs what was prepared under a name, without parameters. The same as the query EXECUTE, at less cost. @throws RegateError as {@link query} */
  execute(name: string): Promise<Rows> {
    let bytes = this.#executing.get(name);
    if (bytes === undefined) {
      bytes = Buffer.concat([encodeBind("", name), encodeExecute(""), encodeSync()]);
      this.#executing.set(name, bytes);
    }
    return this.#ask(bytes);
  }

  #ask(bytes: Buffer): Promise<Rows> {
    if (this.#closed) return Promise.reject(unavailable("the connection is closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.#begin();
      // The server takes up one after the other; what waits there need not wait for an answer to arrive here.
      this.#upstream.socket.write(bytes);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#upstream.socket.end(encodeTerminate());
    this.#end(unavailable("the connection was closed"));
  }

  /** From now on an answer to the first question is waited for. */
  #begin(): void {
    this.#rows = [];
    this.#error = undefined;
    this.#overdue = this.#waiting.length === 0 ? Number.POSITIVE_INFINITY : performance.now() + queryTimeoutMs;
  }

  #onData(chunk: Buffer): void {
    try {
      this.#input.push(chunk);
      while (this.#skipTooLong()) {
        const message = this.#input.next();
        if (message === undefined) break;
        this.#onMessage(message.type, message.body, message.raw);
      }
    } catch (error) {
      this.#end(
        error instanceof RegateError
          ? unavailable(error.detail ?? error.message, error)
          : unavailable(String(error), error),
      );
    }
  }

  /** What quotes a large value (an error, a plan) fails the query, and is not held. False while the end of such a message is awaited. */
  #skipTooLong(): boolean {
    for (;;) {
      const next = this.#input.peek();
      if (!this.#skipping) {
        if (next === undefined) return true;
        const most = next.type === BACKEND.dataRow ? MOST_ROW : MOST_OTHER;
        if (next.total <= most) return true;
        this.#error ??= unavailable(`a message of ${next.total} bytes`);
      }
      const part = this.#input.part();
      this.#skipping = part?.last !== true;
      if (part === undefined) return false;
    }
  }
  #skipping = false;

  /** The parser gets whole messages only: it does not check their lengths itself. */
  #onMessage(type: number, body: Buffer, raw: Buffer): void {
    switch (type) {
      case BACKEND.dataRow:
        this.#parser.parse(raw, (message) =>
          this.#rows.push((message as unknown as { fields: (string | null)[] }).fields),
        );
        return;
      case BACKEND.errorResponse: {
        const fields = decodeError(body);
        this.#error = unavailable(`${fields.C ?? ""} ${fields.M ?? ""}`, fields);
        return;
      }
      case BACKEND.readyForQuery:
        this.#answered();
        return;
      case BACKEND.copyInResponse:
      case BACKEND.copyOutResponse:
      case BACKEND.copyBothResponse:
        throw unavailable("a COPY is no query");
      default:
        // Descriptions, tags, notices, settings: nothing that a catalog's reader needs.
        return;
    }
  }

  #answered(): void {
    const done = this.#waiting.shift();
    const rows = this.#rows;
    const error = this.#error;
    this.#begin();
    if (error === undefined) done?.resolve(rows);
    else done?.reject(error);
  }

  #end(error: RegateError): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    // After close() the goodbye is still on its way.
    if (!this.#upstream.socket.writableEnded) this.#upstream.socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

function unavailable(detail: string, cause?: unknown): RegateError {
  return new RegateError("CATALOG_UNAVAILABLE", { detail, cause });
}
