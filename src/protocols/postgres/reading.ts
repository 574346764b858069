// From a text to its analysis: with the catalog and the names that hold when the server will read it.
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { Command } from "../../core/command.ts";
import { RegateError } from "../../errors.ts";
import { type Analysis, analyze, type NameScope, type StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { analyzeUnread } from "../../sql/postgres/unread.ts";
import { TRANSACTION } from "./codes.ts";
import { commandFacts, unjudgedFacts } from "./command-facts.ts";
import { forbiddenSetting } from "./settings.ts";
import type { Prepared } from "./registry.ts";
import type { Session } from "./session.ts";

/** What is judged by its kind, whatever the names in it stand for. */
const staleClasses = new Set(["ddl", "transaction", "session"]);

/** What mode observe sends although it could not be judged. Settings that would blind the gate stay refused. */
const sendable = new Set(["TEXT_TOO_LONG", "TEXT_NOT_UTF8", "TEXT_UNPARSEABLE", "TEXT_TOO_COMPLEX"]);

export class Reading {
  readonly scope: NameScope;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
    const { registry, names } = session;
    this.scope = {
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

  /** Waits until the server has said how names resolve, where an earlier segment may have changed it. */
  steady(step: () => boolean, segment: number): boolean {
    const session = this.#session;
    return session.wait(() => {
      if (session.skipping && session.segment === segment) return true;
      if (session.backend.changesUnder(segment)) return session.judge.nudge();
      if (session.names.dirty && session.boundary && session.status !== TRANSACTION.failed) {
        session.backend.askNames();
        return false;
      }
      return session.pending.some((op) => op.kind === "probe") ? false : step();
    });
  }

  withCatalog(step: (catalog: Catalog) => boolean): boolean {
    const session = this.#session;
    const { catalog } = session;
    if (catalog !== undefined) return step(catalog);
    return session.judge.promised(session.readCatalog(), step);
  }

  /** Reads a text and hands on its analysis; what cannot be read is refused here. `parameterTypes` are those that came with it. */
  analyzed(
    bytes: Buffer,
    simple: boolean,
    step: (analysis: Analysis, text: string) => boolean,
    parameterTypes: readonly number[] = [],
  ): boolean {
    const session = this.#session;
    session.judge.inSimple = simple;
    const { limits, pipeline } = session.options;
    let text = "";
    const refuse = (error: RegateError): boolean => {
      const observing =
        pipeline.policy.mode === "observe" && sendable.has(error.code) ? session.catalogs.current : undefined;
      const shown = bytes.length > limits.commandBytes ? bytes.toString("latin1", 0, 1024) : bytes.toString();
      // Nothing is enforced: it goes on as something that may do anything.
      if (observing !== undefined) return step(analyzeUnread(shown, observing), shown);
      const facts = unjudgedFacts(shown, simple ? "query" : "parse");
      return session.judge.refuse(pipeline.refuse(session.context, facts, error), simple);
    };
    if (bytes.length > limits.commandBytes) {
      return refuse(
        new RegateError("TEXT_TOO_LONG", {
          detail: `It has ${bytes.length} bytes; the limit is ${limits.commandBytes}.`,
        }),
      );
    }
    if (!isUtf8(bytes)) return refuse(new RegateError("TEXT_NOT_UTF8"));
    text = bytes.toString();
    const attempt = (catalog: Catalog): Analysis | RegateError => {
      try {
        const analysis = analyze(text, catalog, this.scope, this.#wanted());
        return forbiddenSetting(analysis) ?? analysis;
      } catch (thrown) {
        if (thrown instanceof RegateError) return thrown;
        throw thrown;
      }
    };
    return this.steady(() => {
      // A run of DDL need not read the catalog anew for each: it is judged by what it is, on the last one that knows its names.
      const stale = session.catalog === undefined ? session.lastCatalog : undefined;
      const early = stale === undefined ? undefined : attempt(stale);
      if (
        early !== undefined &&
        !(early instanceof RegateError) &&
        !early.unresolved &&
        early.statements.every(({ facts }) => staleClasses.has(facts.class))
      )
        return step(early, text);
      const read = (): boolean =>
        this.withCatalog((catalog) => {
          const analysis = attempt(catalog);
          if (analysis instanceof RegateError) return refuse(analysis);
          const found = (one: Analysis): boolean =>
            this.#estimated(one, parameterTypes, (estimated) => step(estimated, text), read);
          if (!analysis.unresolved || session.backend.catalogChanged) return found(analysis);
          // A name that the catalog does not have may be new: look once.
          return session.judge.promised(session.catalogs.search(), (anew) => {
            const again = attempt(anew);
            return again instanceof RegateError ? refuse(again) : found(again);
          });
        });
      return read();
    }, session.segment);
  }

  /** Goes on with what the server estimates, where a rule reads it; with `again`, if names came to mean something else meanwhile. */
  #estimated(
    analysis: Analysis,
    parameterTypes: readonly number[],
    step: (estimated: Analysis) => boolean,
    again: () => boolean,
  ): boolean {
    const session = this.#session;
    // What an open transaction made, others do not see.
    const own = session.ownCatalog !== undefined || session.backend.catalogChanged;
    if (own || !session.options.pipeline.policy.reads("command.statements.estimate")) return step(analysis);
    const { searchPath, user } = session.names;
    const basis = this.basis();
    return session.judge.promised(
      session.parts.estimates.of(analysis, parameterTypes, { searchPath, user }),
      (estimated) => (this.basis() === basis ? step(estimated) : again()),
    );
  }

  /** Each costs another parse: only where a rule reads it. */
  #wanted(): { normalized: boolean; fingerprint: boolean } {
    const { policy } = this.#session.options.pipeline;
    return { normalized: policy.reads("command.normalized"), fingerprint: policy.reads("command.fingerprint") };
  }

  basis(): string {
    return `${this.#session.catalog?.version ?? ""}/${this.#session.names.epoch}`;
  }

  /** Computed only when an approval asks for it, and again before the approved command runs: the basis may have changed meanwhile. */
  #key(text: string, parameters: Buffer | undefined): () => string {
    return () => {
      const digest = parameters === undefined ? "" : createHash("sha256").update(parameters).digest("hex");
      return `${this.basis()}\n${digest}\n${text}`;
    };
  }

  prepareCommand(prepared: Prepared, message: string, parameters?: Buffer): Command {
    let command = prepared.commands.get(message);
    if (command === undefined) {
      command = this.command(prepared.analysis, message, prepared.parameterTypes, undefined);
      prepared.commands.set(message, command);
    }
    return parameters === undefined
      ? command
      : { facts: command.facts, key: this.#key(command.facts.text, parameters) };
  }

  command(
    analysis: Analysis,
    message: string,
    parameterTypes: readonly number[],
    parameters: Buffer | undefined,
  ): Command {
    const facts = commandFacts(analysis, message, parameterTypes);
    return { facts, key: this.#key(facts.text, parameters) };
  }

  /** Analyses a prepared statement again if the catalog or the session's names changed since. */
  current(prepared: Prepared, step: () => boolean): boolean {
    const session = this.#session;
    const { policy } = session.options.pipeline;
    const read = (): boolean =>
      this.withCatalog((catalog) => {
        const same = prepared.basis === this.basis();
        if (same && (session.parts.estimates.fresh(prepared.analysis) || !policy.reads("command.statements.estimate")))
          return step();
        const take = (analysis: Analysis): boolean => {
          prepared.analysis = analysis;
          prepared.basis = this.basis();
          prepared.commands = new Map();
          return step();
        };
        const analysis = same ? prepared.analysis : analyze(prepared.text, catalog, this.scope, this.#wanted());
        return this.#estimated(analysis, prepared.parameterTypes, take, read);
      });
    return this.steady(read, session.segment);
  }
}
