// One client session: what its two directions share, and the pump that walks client messages one at a time, as far as nothing has to be waited for.
import type { Socket } from "node:net";
import type { SessionContext } from "../../core/command.ts";
import type { Refusal } from "../../core/enforce.ts";
import { refusalFromError } from "../../core/enforce.ts";
import { asRegateError, RegateError } from "../../errors.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import type { ShimOptions } from "../shim.ts";
import { Answers } from "./answers.ts";
import { Backend } from "./backend.ts";
import { Copies } from "./copies.ts";
import { type Channel, openChannel } from "./channel.ts";
import type { Catalogs } from "./catalogs.ts";
import { TRANSACTION } from "./codes.ts";
import { clientLimits, MessageBuffer } from "./frame.ts";
import type { Disagreements } from "./disagreements.ts";
import type { Estimates } from "./estimate.ts";
import { Extended } from "./extended.ts";
import { type ClientMessage, Frontend } from "./frontend.ts";
import { Judge } from "./judge.ts";
import { Names } from "./names.ts";
import { Notifications } from "./notifications.ts";
import { PendingQueue, type Run } from "./pending.ts";
import { fatalMessage } from "./refuse.ts";
import type { PlanChecks } from "./plan-checks.ts";
import { Reading } from "./reading.ts";
import { Registry } from "./registry.ts";
import { Settled } from "./settled.ts";
import { Unsettled } from "./unsettled.ts";
import type { Upstream } from "./upstream.ts";
import { UpstreamWriter } from "./writer.ts";

/** How much a client may send ahead of what is being waited for, before its socket is paused. */
const clientAhead = 256 * 1024;

export type SessionParts = {
  readonly client: Socket;
  readonly upstream: Upstream;
  readonly context: SessionContext;
  readonly options: ShimOptions;
  readonly catalogs: Catalogs;
  readonly estimates: Estimates;
  readonly disagreements: Disagreements;
  readonly planChecks: PlanChecks;
  readonly onEnd: () => void;
};

export class Session {
  readonly parts: SessionParts;
  readonly context: SessionContext;
  readonly options: ShimOptions;
  readonly catalogs: Catalogs;
  readonly names = new Names();
  readonly registry = new Registry();
  readonly pending = new PendingQueue();
  readonly writer = new UpstreamWriter();
  readonly judge: Judge;
  readonly reading: Reading;
  readonly settled: Settled;
  readonly extended: Extended;
  readonly frontend: Frontend;
  readonly backend: Backend;
  readonly answers: Answers;
  readonly notifications: Notifications;
  readonly copies: Copies;
  readonly unsettled: Unsettled;

  /** The status byte of the last ReadyForQuery. */
  status: number = TRANSACTION.idle;
  /** Syncs (and simple queries) sent so far: the number of the segment that the client is in. */
  segment = 0;
  /** After an error in this segment the client's messages are dropped up to its Sync, as the server would. */
  skipping = false;
  /** Code ran in this segment that cannot be seen through: it may have changed how texts are read, which the server tells at its end. */
  unsure = false;
  /** Something was executed in this segment: its transaction is under way. */
  segmentRan = false;
  /** DDL ran in this segment: nobody else sees it yet. */
  segmentDdl = false;
  /** What ran in this segment may have committed: that nothing is written now does not say that nothing was. */
  segmentCommits = false;
  /** A statement of the open transaction worked on protected columns. */
  touchedTagged = false;
  /** A message of the extended protocol was sent since the last Sync. */
  segmentOpen = false;
  /** A statement of this segment may have had an effect, which its Sync would commit. */
  segmentWrites = false;
  /** The simple query or function call that is under way: until it is ready, only COPY data goes past it. */
  busy = false;
  /** The server is in COPY IN mode: Sync and Flush are ignored there. */
  copyIn = false;
  /** A held command: what a cancel request ends. */
  held: { cancel(): void } | undefined;
  /** The catalog as the open transaction sees it, once it has changed it. */
  ownCatalog: Catalog | undefined;
  /** The one of all that it was read behind: once there is another, somebody else has changed what the transaction sees, too. */
  ownBasis: Catalog | undefined;
  ended = false;
  draining = false;

  /** The two sockets, as they are read from. */
  client: Socket;
  server: Socket;
  #clientChannel: Channel | undefined;
  #serverChannel: Channel | undefined;
  readonly #input: MessageBuffer;
  /** Goes on with the message that had to wait; true when it is through. */
  #resume: { step: () => boolean; skipped: "run" | (() => void) | undefined } | undefined;
  #pumping = false;
  #upstreamFull = false;
  #clientPaused = false;
  #clientEnded = false;
  #terminated = false;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.context = parts.context;
    this.options = parts.options;
    this.catalogs = parts.catalogs;
    this.client = parts.client;
    this.server = parts.upstream.socket;
    this.#input = new MessageBuffer(clientLimits(parts.options.limits.messageBytes));
    this.judge = new Judge(this);
    this.backend = new Backend(this);
    this.settled = new Settled(this);
    this.reading = new Reading(this);
    this.extended = new Extended(this);
    this.frontend = new Frontend(this);
    this.answers = new Answers(this);
    this.notifications = new Notifications(this);
    this.copies = new Copies(this);
    this.unsettled = new Unsettled(this);
  }

  /** Starts relaying. `leftover` is what the client sent after its password. */
  start(leftover: Buffer): void {
    const { upstream } = this.parts;
    this.#clientChannel = openChannel(this.parts.client, (chunk) => this.#onClientData(chunk));
    this.#serverChannel = openChannel(upstream.socket, (chunk) => this.backend.push(chunk));
    this.client = this.#clientChannel.socket;
    this.server = this.#serverChannel.socket;
    const { client, server } = this;
    client.on("drain", () => this.backend.clientDrained());
    client.on("end", () => this.#onClientEnd());
    client.on("close", () => this.end("client closed"));
    client.on("error", () => this.end("client error"));
    server.on("drain", () => {
      this.#upstreamFull = false;
      this.pump();
    });
    // What is half open is not closed by itself.
    server.on("end", () => server.end());
    server.on("close", () => this.backend.upstreamClosed());
    server.on("error", () => this.backend.upstreamClosed());
    if (upstream.initial.length > 0) this.backend.push(upstream.initial);
    server.resume();
    if (leftover.length > 0) this.#onClientData(leftover);
    client.resume();
    this.pump();
  }

  /** Nothing that was sent is unanswered. */
  get drained(): boolean {
    return this.pending.length === 0;
  }

  /** Nothing was sent since the last Sync, and that one is answered: here the gate may ask the server something on its own. */
  get boundary(): boolean {
    return this.drained && !this.segmentOpen;
  }

  /** May the gate ask the server something now: between the client's segments, or within one, as a part of it? */
  get askable(): boolean {
    return this.segmentOpen || this.drained;
  }

  /**
   * Would a question be a part of the client's segment? A simple query ends a segment of which nothing ran, and must not find one that did:
   * the server would take it into the transaction of a pipeline.
   */
  get askedWithin(): boolean {
    return this.segmentOpen && (this.segmentRan || !this.judge.inSimple);
  }

  /** Does the end of the transaction change what names mean? */
  get restores(): boolean {
    const { names, backend, pending, registry } = this;
    return names.changedInTransaction || backend.catalogChanged || pending.waits(registry.changing.meaning);
  }

  /** The catalog that holds for this session now; undefined if it must be read first. */
  get catalog(): Catalog | undefined {
    const { fresh } = this.catalogs;
    if (this.ownCatalog !== undefined) return fresh === this.ownBasis ? this.ownCatalog : undefined;
    return this.seesOwn ? undefined : fresh;
  }

  /** Has the open transaction changed the catalog, so that it must be read through it? */
  get seesOwn(): boolean {
    return this.backend.catalogChanged && this.status === TRANSACTION.open;
  }

  /** The last catalog that was read for this session, which may be stale: good for holding results against, never for permitting alone. */
  get lastCatalog(): Catalog | undefined {
    return this.ownCatalog ?? this.catalogs.current;
  }

  /**
   * Reads the catalog that holds for this session: its own view of it while its transaction has changed it. That is asked of the server as a part
   * of the client's segment, where one is open.
   * @throws RegateError CATALOG_UNAVAILABLE
   */
  async readCatalog(again = true): Promise<Catalog> {
    const shared = await this.catalogs.refresh();
    if (!this.seesOwn) return shared;
    if (this.ownCatalog !== undefined && this.ownBasis === shared) return this.ownCatalog;
    // The client's search_path must not decide which operators and tables these queries use.
    const path = (await this.question("SHOW search_path"))[0]?.[0] ?? "";
    await this.question("SET LOCAL search_path = pg_catalog, pg_temp");
    this.ownCatalog = await this.catalogs.readThrough((sql) => this.question(sql));
    this.ownBasis = shared;
    // As a value, not as SQL: what is a name in the setting may be a comment there.
    await this.question(`SELECT pg_catalog.set_config('search_path', '${path.replaceAll("'", "''")}', true)`);
    // Somebody has changed it meanwhile: what is judged by it would be refused.
    if (again && this.catalogs.fresh !== shared) return this.readCatalog(false);
    return this.ownCatalog;
  }

  /** A question of the gate's own, over the client's connection. @throws RegateError CATALOG_UNAVAILABLE */
  question(sql: string): Promise<(string | null)[][]> {
    return new Promise((resolve, reject) => {
      // The segment has failed meanwhile: the server answers nothing before its Sync.
      if (this.skipping) return reject(new RegateError("CATALOG_UNAVAILABLE"));
      this.backend.ask([sql], (rows) =>
        rows === undefined ? reject(new RegateError("CATALOG_UNAVAILABLE")) : resolve(rows),
      );
      this.pump();
    });
  }

  /**
   * Runs `step` now and, while it says false, again whenever something has happened. True when it is through.
   * If the server fails in this segment meanwhile, it ignores the message that waits, and so does the gate: `skipped` is called instead.
   * Sync alone goes on then ("run").
   */
  wait(step: () => boolean, skipped?: "run" | (() => void)): boolean {
    if (step()) return true;
    this.#resume ??= { step, skipped };
    return false;
  }

  /** Walks on: called whenever something has happened that a message may be waiting for. */
  pump(): void {
    if (this.#pumping || this.ended) return;
    this.#pumping = true;
    try {
      this.#walk();
      this.#flush();
    } catch (thrown) {
      this.fatal(asRegateError(thrown));
    } finally {
      this.#pumping = false;
    }
  }

  #walk(): void {
    while (!this.ended && !this.#upstreamFull) {
      if (this.#resume !== undefined) {
        const waiting = this.#resume;
        this.#resume = undefined;
        if (this.skipping && waiting.skipped !== "run") {
          waiting.skipped?.();
          continue;
        }
        if (!waiting.step()) {
          // A later step may have taken the place of this one.
          this.#resume ??= waiting;
          return;
        }
        continue;
      }
      if (!this.frontend.open) return;
      const next = this.#input.next();
      if (next === undefined) {
        // The server ends, too, once it has worked off what it was sent.
        if (this.#clientEnded && !this.#terminated) {
          this.#terminated = true;
          this.writer.terminate();
        }
        return;
      }
      const message: ClientMessage = { type: next.type, body: next.body, raw: next.raw };
      if (!this.frontend.handle(message)) {
        if (this.ended) return;
        // The views are good until the next push only.
        message.raw = Buffer.from(message.raw);
        message.body = message.raw.subarray(message.raw.length - message.body.length);
      }
    }
  }

  #flush(): void {
    if (!this.writer.empty && !this.ended) {
      this.#upstreamFull = !this.server.write(this.writer.take());
    }
    const behind = this.#resume !== undefined || this.#upstreamFull || !this.frontend.open;
    if (behind && this.#input.pendingBytes > clientAhead) {
      if (!this.#clientPaused) this.client.pause();
      this.#clientPaused = true;
    } else if (this.#clientPaused) {
      this.#clientPaused = false;
      this.client.resume();
    }
  }

  #onClientData(chunk: Buffer): void {
    if (this.ended) return;
    try {
      this.#input.push(chunk);
    } catch (thrown) {
      this.fatal(thrown as RegateError);
      return;
    }
    this.pump();
    // What waits looks at this chunk again.
    this.#input.retain();
    if (this.#resume !== undefined) this.#clientChannel?.keep();
  }

  /** A view of the server's last chunk is still needed. */
  keepServerChunk(): void {
    this.#serverChannel?.keep();
  }

  /** The client will send no more; what it sent is still worked off, except what waits for a human. */
  #onClientEnd(): void {
    this.#clientEnded = true;
    this.held?.cancel();
    this.pump();
  }

  /** The client has left in order: the server's end is no loss. */
  get leaving(): boolean {
    return this.#terminated;
  }

  /** Ends the session with an error that the client is told. */
  fatal(error: RegateError, recorded?: Refusal): void {
    if (this.ended) return;
    const refusal = recorded ?? refusalFromError(error, undefined, true);
    this.options.log.warn(
      { session: this.context.facts.id, code: error.code, detail: error.detail },
      "session ended by the gate",
    );
    this.backend.flushOut();
    if (!this.backend.midMessage) this.client.write(fatalMessage(refusal));
    this.end(error.code);
  }

  /** A cancel request with this session's key arrived. */
  cancel(): void {
    if (this.held !== undefined) this.held.cancel();
    // A question of the gate's own is not the client's to cancel.
    else if (!this.drained && !this.backend.asking) void this.parts.upstream.cancel();
  }

  /** The gate shuts down: the session ends as soon as nothing of it runs. */
  drain(): void {
    this.draining = true;
    if (this.drained && this.held === undefined) this.fatal(new RegateError("SHUTTING_DOWN"));
  }

  end(_why: string): void {
    if (this.ended) return;
    this.ended = true;
    this.held?.cancel();
    for (const run of this.registry.transactionEnded(Number.POSITIVE_INFINITY)) this.recordOutcome(run, "skipped");
    this.#resume = undefined;
    const { client, server } = this;
    this.backend.abandon();
    client.end();
    // A client that does not read must not keep its socket.
    setTimeout(() => client.destroy(), 2000).unref();
    this.writer.take();
    if (!server.destroyed) {
      this.writer.terminate();
      server.end(this.writer.take());
      setTimeout(() => server.destroy(), 2000).unref();
      // What runs on the server for nobody is stopped.
      if (!this.drained) void this.parts.upstream.cancel();
    }
    this.parts.onEnd();
  }

  /** Hands an outcome to the log. */
  recordOutcome(run: Run, status: "ok" | "error" | "refused" | "canceled" | "skipped" | "lost"): void {
    if (run.done) return;
    run.done = true;
    if (status === "ok" && this.parts.planChecks.due) this.#checkPlan(run);
    this.count(run);
    this.options.pipeline.outcome(this.context, run.permit, {
      status,
      rows: run.rows,
      bytes: run.bytes,
      masked_cells: run.maskedCells,
      sqlstate: run.sqlstate,
      tag: run.tag,
      duration_us: Math.round((performance.now() - run.started) * 1000),
    });
  }

  /** Adds to what the session has used, once. */
  count(run: Run): void {
    if (run.counted) return;
    run.counted = true;
    const { usage } = this.context;
    usage.commands++;
    usage.rows += run.rows;
    usage.bytes += run.bytes;
  }

  /** Has the facts of what ran held against the server's plan, aside. */
  #checkPlan({ command, statements }: Run): void {
    const catalog = this.catalog;
    const statement = statements[0];
    // What an open transaction made, others do not see.
    if (this.ownCatalog !== undefined || this.backend.catalogChanged) return;
    if (catalog === undefined || command === undefined || statement === undefined) return;
    const { searchPath, user } = this.names;
    this.parts.planChecks.sample({ command, statement, catalog, searchPath, user });
  }
}
