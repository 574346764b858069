// The client's direction: each message is analysed, decided and, with its permit, sent on; or refused in the server's own way.
import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import type { Command } from "../../core/command.ts";
import type { Permit, Refusal } from "../../core/enforce.ts";
import type { CommandFacts } from "../../core/facts.ts";
import { unrecorded, type Verdict } from "../../core/pipeline.ts";
import { RegateError } from "../../errors.ts";
import { type Analysis, analyze, analyzeFunctionCall, type NameScope, type StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { FRONTEND, TRANSACTION } from "./codes.ts";
import { decodeBind, decodeExecute, decodeFunctionCall, decodeParse, decodeQuery, decodeTarget } from "./message.ts";
import { mayChangeNames, mayChangeSettings } from "./names.ts";
import { newRun } from "./pending.ts";
import { approvalNotice } from "./refuse.ts";
import type { Portal, Prepared } from "./registry.ts";
import type { Session } from "./session.ts";

/** `raw` is the whole message. Both are views until the handler returns; one that has to wait finds them copied. */
export type ClientMessage = { readonly type: number; body: Buffer; raw: Buffer };

/** What is judged by its kind, whatever the names in it stand for. */
const staleClasses = new Set(["ddl", "transaction", "session"]);

/** Prepared statements that one session may keep: each holds its facts in the gate's memory. */
const preparedLimit = 10_000;

export class Frontend {
  readonly #session: Session;
  readonly #scope: NameScope;
  /** A statement of this segment may have changed settings in a way that is told only at its end. */
  #unsure: { names: boolean; text: boolean } = { names: false, text: false };
  #segmentWrites = false;

  constructor(session: Session) {
    this.#session = session;
    const { registry, names } = session;
    this.#scope = {
      get searchPath() {
        return names.searchPath;
      },
      get user() {
        return names.user;
      },
      prepared: (name: string): readonly StatementAnalysis[] => {
        const found = registry.sqlPrepared.get(name) ?? registry.prepared(name)?.analysis.statements[0];
        return found === undefined ? [] : [found];
      },
      cursor: (name: string): readonly StatementAnalysis[] => {
        const found = registry.cursors.get(name) ?? registry.portal(name)?.statements[0];
        return found === undefined ? [] : [found];
      },
    };
  }

  /** Is the next message looked at in any case? False while a simple query runs. */
  get open(): boolean {
    return !this.#session.busy || this.#session.copyIn;
  }

  /** May the next message be taken up now? Asks the server first what its answer may depend on. */
  ready(): boolean {
    const { names, drained, status, busy } = this.#session;
    if (names.dirty && drained && !busy && status !== TRANSACTION.failed) {
      this.#session.backend.askNames();
      return false;
    }
    return this.open;
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
    switch (message.type) {
      case FRONTEND.query:
        return this.#alone(() => this.#query(message));
      case FRONTEND.functionCall:
        return this.#alone(() => this.#functionCall(message));
      case FRONTEND.parse:
        return this.#parse(message);
      case FRONTEND.bind:
        return this.#bind(message);
      case FRONTEND.execute:
        return this.#execute(message);
      case FRONTEND.describe:
        return this.#describe(message);
      case FRONTEND.close:
        return this.#close(message);
      case FRONTEND.flush:
        session.writer.flush();
        return true;
      default:
        throw new RegateError("PROTOCOL_VIOLATION", { detail: `A message of type 0x${message.type.toString(16)} is not expected here.` });
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
        throw new RegateError("PROTOCOL_VIOLATION", { detail: "Only COPY messages are expected during COPY FROM STDIN." });
    }
  }

  /** The segment is over: nothing that a Sync would commit may be sent while an earlier result can still be refused. */
  #sync(): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (this.#segmentWrites && session.backend.unconfirmed) return this.#nudge();
      session.writer.sync();
      session.pending.push({ kind: "sync", segment: session.segment, silent: false });
      session.segment++;
      session.skipping = false;
      this.#segmentWrites = false;
      this.#unsure = { names: false, text: false };
      return true;
    });
  }

  /** Makes the server send what it holds back, so that waiting ends. */
  #nudge(): false {
    const session = this.#session;
    if (session.segment !== session.backend.nudged || session.pending.length !== session.backend.nudgedAt) {
      session.backend.nudged = session.segment;
      session.backend.nudgedAt = session.pending.length;
      session.writer.flush();
    }
    return false;
  }

  /** A simple query in the middle of a segment: the gate must first know whether the server is skipping. */
  #alone(step: () => boolean): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (!session.drained) return this.#nudge();
      // An error came while we waited: the server ignores this message.
      return session.skipping ? true : step();
    });
  }

  #query(message: ClientMessage): boolean {
    const session = this.#session;
    const bytes = decodeQuery(message.body);
    return this.#analyzed(bytes, true, (analysis) => {
      const command = this.#command(analysis, "query", [], undefined);
      const unsure = unsureWithin(analysis, session.catalog);
      if (unsure !== undefined) return this.#refuse(session.options.pipeline.refuse(session.context, command.facts, unsure), true);
      return this.#decide(command, "judge", true, (permit) => {
        session.writer.command(permit, message.raw);
        session.pending.push({ kind: "query", segment: session.segment, run: newRun(permit, analysis.statements), statement: 0 });
        session.segment++;
        session.busy = true;
        return true;
      });
    });
  }

  #functionCall(message: ClientMessage): boolean {
    const session = this.#session;
    const { functionOid } = decodeFunctionCall(message.body);
    return this.#withCatalog((catalog) => {
      const analysis = analyzeFunctionCall(functionOid, catalog);
      const command = this.#command(analysis, "function_call", [], message.body);
      return this.#decide(command, "judge", true, (permit) => {
        session.writer.command(permit, message.raw);
        session.pending.push({ kind: "call", segment: session.segment, run: newRun(permit, analysis.statements) });
        session.segment++;
        session.busy = true;
        return true;
      });
    });
  }

  #parse(message: ClientMessage): boolean {
    const session = this.#session;
    const { name, query, parameterTypes } = decodeParse(message.body);
    if (this.#unsure.text || (this.#unsure.names && session.catalog?.hasTags !== false)) return this.#refuseUnsure();
    const known = session.registry.prepared(name) !== undefined;
    if (!known && session.registry.preparedCount >= preparedLimit) {
      const error = new RegateError("TOO_MANY_STATEMENTS", { detail: `The session keeps ${preparedLimit} prepared statements.` });
      return this.#refuse(session.options.pipeline.refuse(session.context, undefined, error), false);
    }
    return this.#analyzed(query, false, (analysis, text) => {
      const prepared: Prepared = {
        name, text, parameterTypes, segment: session.segment, confirmed: false, failed: false,
        previous: session.registry.prepared(name), analysis, basis: this.#basis(), commands: new Map(),
      };
      return this.#decide(this.#prepareCommand(prepared, "parse"), "prepare", false, (permit) => {
        session.writer.command(permit, message.raw);
        session.registry.parsing(prepared);
        session.pending.push({ kind: "parse", segment: session.segment, prepared });
        return true;
      });
    });
  }

  #bind(message: ClientMessage): boolean {
    const session = this.#session;
    const bind = decodeBind(message.body);
    return this.#settledName(bind.statement, () => {
      const prepared = session.registry.prepared(bind.statement);
      if (this.#unsure.names && session.catalog?.hasTags !== false) return this.#refuseUnsure();
      const bound = (analysis: Analysis, command: Command, again: Command): boolean =>
        this.#decide(command, "judge", false, (permit) => {
          const run = newRun(permit, analysis.statements);
          const portal: Portal = {
            name: bind.portal, prepared, statements: analysis.statements, revision: session.options.pipeline.policy.revision,
            segment: session.segment, run, again, described: "no", confirmed: false,
          };
          session.writer.command(permit, message.raw);
          session.registry.bound(portal);
          session.pending.push({ kind: "bind", segment: session.segment, portal, run });
          this.#sent(analysis.statements, false);
          return true;
        });
      if (prepared === undefined) {
        // Made by SQL-level PREPARE, or not there at all: judged as what runs it.
        const text = Buffer.from(`EXECUTE ${quote(bind.statement)}`);
        return this.#analyzed(text, false, (analysis) =>
          bound(analysis, this.#command(analysis, "bind", [], message.body), this.#command(analysis, "execute", [], message.body)),
        );
      }
      return this.#current(prepared, () => {
        const parameters = bind.parameterCount === 0 ? undefined : message.body;
        return bound(prepared.analysis, this.#prepareCommand(prepared, "bind", parameters), this.#prepareCommand(prepared, "execute", parameters));
      });
    });
  }

  #execute(message: ClientMessage): boolean {
    const session = this.#session;
    const { portal: name } = decodeExecute(message.body);
    const portal = session.registry.portal(name);
    if (portal !== undefined) return this.#executePortal(portal, message);
    // A cursor that SQL opened, or nothing: judged as the FETCH that it is.
    return this.#alone(() =>
      this.#analyzed(Buffer.from(`FETCH ALL FROM ${quote(name)}`), false, (analysis) => {
        const again = this.#command(analysis, "execute", [], undefined);
        const cursor: Portal = {
          name, prepared: undefined, statements: analysis.statements, revision: "", segment: session.segment,
          run: undefined, again, described: "no", confirmed: false,
        };
        return this.#executePortal(cursor, message);
      }),
    );
  }

  #executePortal(portal: Portal, message: ClientMessage): boolean {
    const session = this.#session;
    const { pipeline } = session.options;
    const send = (permit: Permit): boolean => {
      const statements = portal.statements;
      const asks = portal.described === "no" && session.catalog?.hasTags !== false && statements.some((one) => one.returnsRows);
      if (asks) {
        session.writer.describePortal(portal.name);
        portal.described = "asked";
        session.pending.push({ kind: "describe", segment: session.segment, portal, silent: true });
      }
      return session.wait(() => {
        if (session.skipping) return true;
        // An effect that comes with a result is not let through before the result is known to be maskable.
        if (portal.described === "asked" && statements.some((one) => one.returnsRows && one.facts.class !== "read" && one.touchesTagged)) return this.#nudge();
        const run = portal.run ?? newRun(permit, statements);
        portal.run = undefined;
        session.writer.command(permit, message.raw);
        session.pending.push({ kind: "execute", segment: session.segment, portal, run });
        this.#sent(statements, true);
        if (!statements.some((one) => one.copy === "in")) return true;
        // What the client sends next means something else if the server enters COPY mode: find out.
        session.writer.flush();
        return session.wait(() => session.copyIn || session.skipping || !session.pending.some((op) => op.kind === "execute" && op.run === run));
      });
    };
    const covered = portal.run !== undefined && portal.revision === pipeline.policy.revision ? portal.run.permit : undefined;
    if (covered !== undefined) {
      const ended = pipeline.ended(session.context, portal.again.facts);
      return ended === undefined ? send(covered) : this.#refuse(ended, false);
    }
    portal.run = undefined;
    return this.#decide(portal.again, "judge", false, send);
  }

  #describe(message: ClientMessage): boolean {
    const session = this.#session;
    const { target, name } = decodeTarget(message.body);
    const portal = target === "portal" ? session.registry.portal(name) : undefined;
    if (portal !== undefined && portal.described === "no") portal.described = "asked";
    session.writer.named(message.raw);
    session.pending.push({ kind: "describe", segment: session.segment, portal, silent: false });
    return true;
  }

  #close(message: ClientMessage): boolean {
    const session = this.#session;
    const { target, name } = decodeTarget(message.body);
    session.writer.named(message.raw);
    session.pending.push({ kind: "close", segment: session.segment, target, name });
    return true;
  }

  /** What a sent statement means for the messages behind it, until the server has answered. */
  #sent(statements: readonly StatementAnalysis[], runs: boolean): void {
    for (const statement of statements) {
      if (statement.facts.class !== "read") this.#segmentWrites = true;
      if (!runs) continue;
      if (mayChangeNames(statement)) this.#unsure.names = true;
      if (mayChangeSettings(statement)) this.#unsure.text = true;
    }
  }

  /** Waits until it is certain which statement a name stands for: a Parse of an earlier segment may still fail. */
  #settledName(name: string, step: () => boolean): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (session.skipping) return true;
      const prepared = session.registry.prepared(name);
      if (prepared !== undefined && !prepared.confirmed && prepared.segment !== session.segment) return this.#nudge();
      return step();
    });
  }

  /** Analyses a prepared statement again if the catalog or the session's names changed since. */
  #current(prepared: Prepared, step: () => boolean): boolean {
    const session = this.#session;
    return this.#steady(() =>
      this.#withCatalog((catalog) => {
        if (prepared.basis !== this.#basis()) {
          prepared.analysis = analyze(prepared.text, catalog, this.#scope);
          prepared.basis = this.#basis();
          prepared.commands = new Map();
        }
        return step();
      }),
      session.segment,
    );
  }

  /** Waits until the server has said how names resolve, where an earlier segment may have changed it. */
  #steady(step: () => boolean, segment: number): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (session.skipping && session.segment === segment) return true;
      if (session.backend.changesUnder(segment)) return this.#nudge();
      if (session.names.dirty && session.drained && session.status !== TRANSACTION.failed) {
        session.backend.askNames();
        return false;
      }
      return session.pending.some((op) => op.kind === "probe") ? false : step();
    });
  }

  #withCatalog(step: (catalog: Catalog) => boolean): boolean {
    const session = this.#session;
    const { catalog } = session;
    if (catalog !== undefined) return step(catalog);
    return this.#promised(session.readCatalog(), step);
  }

  #promised<T>(promise: Promise<T>, step: (value: T) => boolean): boolean {
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
      return this.#refuse(session.options.pipeline.refuse(session.context, undefined, settled.error), this.#inSimple);
    });
  }

  #inSimple = false;

  /** Reads a text and hands on its analysis; what cannot be read is refused here. */
  #analyzed(bytes: Buffer, simple: boolean, step: (analysis: Analysis, text: string) => boolean): boolean {
    const session = this.#session;
    this.#inSimple = simple;
    const { limits, pipeline } = session.options;
    let text = "";
    const refuse = (error: RegateError): boolean => {
      const shown = bytes.length > limits.commandBytes ? bytes.toString("latin1", 0, 1024) : bytes.toString();
      const facts = unjudgedFacts(shown, simple ? "query" : "parse");
      return this.#refuse(pipeline.refuse(session.context, facts, error), simple);
    };
    if (bytes.length > limits.commandBytes) {
      return refuse(new RegateError("TEXT_TOO_LONG", { detail: `It has ${bytes.length} bytes; the limit is ${limits.commandBytes}.` }));
    }
    if (!isUtf8(bytes)) return refuse(new RegateError("TEXT_NOT_UTF8"));
    text = bytes.toString();
    const attempt = (catalog: Catalog): Analysis | RegateError => {
      try {
        const analysis = analyze(text, catalog, this.#scope);
        return forbiddenSetting(analysis) ?? analysis;
      } catch (thrown) {
        if (thrown instanceof RegateError) return thrown;
        throw thrown;
      }
    };
    return this.#steady(() => {
      // A run of DDL need not read the catalog anew for each: it is judged by what it is, on the last one that knows its names.
      const stale = session.catalog === undefined ? (session.ownCatalog ?? session.catalogs.current) : undefined;
      const early = stale === undefined ? undefined : attempt(stale);
      if (early !== undefined && !(early instanceof RegateError) && !early.unresolved && early.statements.every(({ facts }) => staleClasses.has(facts.class))) return step(early, text);
      return this.#withCatalog((catalog) => {
        const analysis = attempt(catalog);
        if (analysis instanceof RegateError) return refuse(analysis);
        if (!analysis.unresolved || session.backend.catalogChanged) return step(analysis, text);
        // A name that the catalog does not have may be new: look once.
        return this.#promised(session.catalogs.search(), (anew) => {
          const again = attempt(anew);
          return again instanceof RegateError ? refuse(again) : step(again, text);
        });
      });
    }, session.segment);
  }

  #basis(): string {
    return `${this.#session.catalog?.version ?? ""}/${this.#session.names.epoch}`;
  }

  #prepareCommand(prepared: Prepared, message: string, parameters?: Buffer): Command {
    let command = prepared.commands.get(message);
    if (command === undefined) {
      command = this.#command(prepared.analysis, message, prepared.parameterTypes, undefined);
      prepared.commands.set(message, command);
    }
    return parameters === undefined ? command : { facts: command.facts, key: lazyKey(command.facts.text, this.#basis(), parameters) };
  }

  #command(analysis: Analysis, message: string, parameterTypes: readonly number[], parameters: Buffer | undefined): Command {
    const { statements, command } = analysis;
    const facts: CommandFacts = {
      ...command,
      message,
      parameters: { count: parameterTypes.length, types: parameterTypes.map(String) },
      statements: statements.map((statement) => statement.facts),
    };
    return { facts, key: lazyKey(facts.text, this.#basis(), parameters) };
  }

  /** Decides, records, and goes on with the permit once its record allows it; or refuses; or asks a human. */
  #decide(command: Command, how: "judge" | "prepare", simple: boolean, step: (permit: Permit) => boolean): boolean {
    const session = this.#session;
    const { pipeline } = session.options;
    const act = (verdict: Verdict): boolean => {
      if (verdict.kind === "refuse") return this.#refuse(verdict.refusal, simple);
      if (verdict.kind === "hold") return this.#hold(command, verdict.held, simple, act);
      const { permit } = verdict;
      // What may have an effect is sent only when its record is safe; a read runs meanwhile, and its result waits.
      if (permit.ticket.durable || command.facts.statements.every((statement) => statement.class === "read")) return step(permit);
      let failed: Error | undefined;
      let settled = false;
      permit.ticket.settled((error) => {
        settled = true;
        failed = error;
        session.pump();
      });
      return session.wait(() => {
        if (!settled) return false;
        if (failed === undefined) return step(permit);
        return this.#refuse(unrecorded(failed), simple);
      });
    };
    const verdict = pipeline[how](session.context, command);
    if (!(verdict instanceof Promise)) return act(verdict);
    this.#inSimple = simple;
    return this.#promised(verdict, act);
  }

  /** Waits for a human; never inside a transaction, where locks would wait, too. */
  #hold(command: Command, held: Extract<Verdict, { kind: "hold" }>["held"], simple: boolean, act: (verdict: Verdict) => boolean): boolean {
    const session = this.#session;
    const { pipeline, approvalUrl } = session.options;
    return session.wait(() => {
      if (!session.drained) return this.#nudge();
      if (session.skipping) return true;
      if (session.status !== TRANSACTION.idle || this.#segmentWrites) {
        return this.#refuse(pipeline.refuse(session.context, command.facts, new RegateError("APPROVAL_IN_TRANSACTION", { detail: held.decision.reasons[0]?.message ?? "" })), simple);
      }
      // Ends the server's implicit transaction: what Parse locked is let go while the human thinks.
      session.writer.sync();
      session.pending.push({ kind: "sync", segment: session.segment, silent: true });
      let settled: Verdict | undefined;
      const asked = pipeline.hold(session.context, command, held, (verdict) => {
        settled = verdict;
        session.held = undefined;
        session.pump();
      });
      if (settled === undefined) session.held = asked;
      session.backend.notice(approvalNotice(asked.id, asked.expiresAt, held.decision, approvalUrl(asked.id)));
      return session.wait(() => settled !== undefined && session.drained && act(settled));
    });
  }

  /** Makes the server fail where the refused command would have run, and the client is told why when it does. */
  #refuse(refusal: Refusal, simple: boolean): boolean {
    const session = this.#session;
    if (refusal.fatal) {
      session.fatal(new RegateError("TOKEN_EXPIRED"), refusal);
      return true;
    }
    session.writer.fail();
    session.pending.push({ kind: "fail", segment: session.segment, refusal });
    if (simple) {
      session.writer.sync();
      session.pending.push({ kind: "sync", segment: session.segment, silent: false });
      session.segment++;
    } else session.skipping = true;
    return true;
  }

  #refuseUnsure(): boolean {
    const error = new RegateError("SESSION_STATE_UNSURE");
    return this.#refuse(this.#session.options.pipeline.refuse(this.#session.context, undefined, error), false);
  }
}

/** In one text, what follows a change of names would be judged under the old ones. */
function unsureWithin(analysis: Analysis, catalog: Catalog | undefined): RegateError | undefined {
  const { statements } = analysis;
  const at = statements.findIndex(mayChangeNames);
  if (at < 0 || catalog?.hasTags === false) return undefined;
  const affected = statements.slice(at + 1).some(({ facts }) => facts.class !== "session" && facts.class !== "transaction");
  return affected ? new RegateError("SESSION_STATE_UNSURE", { detail: `statement ${at + 1} of the text` }) : undefined;
}

/** A setting, in plain sight, under which the gate would read texts otherwise than the server. */
function forbiddenSetting(analysis: Analysis): RegateError | undefined {
  for (const { facts } of analysis.statements) {
    for (const { name, value } of facts.settings) {
      const setting = name.toLowerCase();
      const given = value?.toLowerCase() ?? null;
      if ((setting === "client_encoding" || setting === "names") && given !== null && !isUtf8Name(given)) {
        return new RegateError("CLIENT_ENCODING", { detail: `The command sets it to ${value}.` });
      }
      if (setting === "standard_conforming_strings" && given !== null && !isOn(given)) {
        return new RegateError("STANDARD_CONFORMING_STRINGS", { detail: `The command sets it to ${value}.` });
      }
    }
  }
  return undefined;
}

/** PostgreSQL compares encoding names without case and punctuation. */
export function isUtf8Name(name: string): boolean {
  return ["utf8", "unicode"].includes(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
}

/** A boolean setting as PostgreSQL reads it: "on", "1", and unique prefixes of true and yes. */
function isOn(value: string): boolean {
  return value === "on" || value === "1" || value === "default" || (value !== "" && ("true".startsWith(value) || "yes".startsWith(value)));
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Computed only if an approval asks for it. */
function lazyKey(text: string, basis: string, parameters: Buffer | undefined): string {
  return parameters === undefined ? `${basis}\n${text}` : `${basis}\n${createHash("sha256").update(parameters).digest("hex")}\n${text}`;
}

/** The facts of a text that could not be judged: the text alone. */
function unjudgedFacts(text: string, message: string): CommandFacts {
  return { text, normalized: "", fingerprint: "", message, parameters: { count: 0, types: [] }, statements: [] };
}
