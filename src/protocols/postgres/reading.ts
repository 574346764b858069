// From a text to its analysis: with the catalog and the names that hold when the server will read it.
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { RegateError } from "../../errors.ts";
import { type Analysis, analyze } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { basisOf } from "../../sql/postgres/held.ts";
import { LONG_TEXT, shapeAside } from "../../sql/postgres/parse-aside.ts";
import { knownShapeOf } from "../../sql/postgres/shape.ts";
import { analyzeUnread } from "../../sql/postgres/unread.ts";
import { commandFacts, parameterTypesOf, type ReadCommand, unjudgedFacts } from "./command-facts.ts";
import { beginsEarly, namesNothing } from "./names.ts";
import { looksUpLate, refresh } from "./readings.ts";
import { rewrite, type Rewriting, type Substitutions } from "./rewriting.ts";
import { probesOf } from "./probes.ts";
import { forbiddenSetting } from "./settings.ts";
import type { Prepared } from "./registry.ts";
import type { Session } from "./session.ts";

/** What is judged by its kind, whatever the names in it stand for. */
const staleClasses = new Set(["ddl", "transaction", "session"]);

/** What mode observe sends although it could not be judged. Settings that would blind the gate stay refused. */
const sendable = new Set(["TEXT_TOO_LONG", "TEXT_NOT_UTF8", "TEXT_UNPARSEABLE", "TEXT_TOO_COMPLEX"]);

export class Reading {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Reads a text and hands on its analysis; what cannot be read is refused here. `parameterTypes` are those that came with it. */
  analyzed(
    bytes: Buffer,
    simple: boolean,
    step: (analysis: Analysis, text: string) => boolean,
    parameterTypes: readonly number[] = [],
  ): boolean {
    const session = this.#session;
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
    const { settled } = session;
    const attempt = (catalog: Catalog): Analysis | RegateError => {
      settled.absent = undefined;
      settled.utility = undefined;
      try {
        const analysis = analyze(text, catalog, settled.scope, { ...this.options, parameterTypes });
        return forbiddenSetting(analysis) ?? analysis;
      } catch (thrown) {
        if (thrown instanceof RegateError) return thrown;
        throw thrown;
      }
    };
    const done = (analysis: Analysis | RegateError, again: () => boolean): boolean => {
      if (analysis instanceof RegateError) return refuse(analysis);
      if (this.unsure(analysis)) return session.judge.refuseUnsure(simple);
      const { absent, utility } = settled;
      if (session.options.pipeline.policy.mode === "enforce") {
        if (utility !== undefined) return refuse(runsUtility(utility));
        if (absent !== undefined && analysis.statements.length === 1) return refuse(unknownName(absent));
      }
      const tooMany = session.registry.tooMany(analysis.statements);
      if (tooMany !== undefined) return refuse(tooMany);
      return this.#estimated(analysis, parameterTypes, (estimated) => step(estimated, text), again);
    };
    const judge = (): boolean => this.#judged(attempt, refuse, done, (analysis) => step(analysis, text));
    if (text.length <= LONG_TEXT || knownShapeOf(text) !== undefined) return judge();
    // Nobody else waits while a long text is parsed.
    const parsed = shapeAside(text, { maxBytes: limits.commandBytes }).then(
      () => undefined,
      (thrown: unknown) => {
        if (thrown instanceof RegateError) return thrown;
        throw thrown;
      },
    );
    return session.judge.promised(parsed, (refusal) => (refusal === undefined ? judge() : refuse(refusal)));
  }

  /** Makes the analysis with the names and the catalog that hold, as soon as these are known. */
  #judged(
    attempt: (catalog: Catalog) => Analysis | RegateError,
    refuse: (error: RegateError) => boolean,
    done: (analysis: Analysis | RegateError, again: () => boolean) => boolean,
    step: (analysis: Analysis) => boolean,
  ): boolean {
    const session = this.#session;
    const { settled } = session;
    let early = false;
    const { lastCatalog } = session;
    if (settled.pending && lastCatalog !== undefined) {
      // BEGIN, SET and the like mean the same whatever names stand for: nothing is waited for.
      const first = attempt(lastCatalog);
      if (!(first instanceof RegateError)) {
        if (first.statements.every(namesNothing) && !session.unsure) return step(first);
        early = beginsEarly(first.statements);
      }
    }
    return settled.names(early, () => {
      // A run of DDL need not read the catalog anew for each: it is judged by what it is, on the last one that knows its names. Where the
      // catalog is checked for each command it is read anew all the same.
      const stale =
        session.catalog === undefined && typeof session.catalogs.check.interval === "number"
          ? session.lastCatalog
          : undefined;
      const kind = stale === undefined ? undefined : attempt(stale);
      if (
        kind !== undefined &&
        !(kind instanceof RegateError) &&
        !kind.unresolved &&
        kind.statements.every(({ facts }) => staleClasses.has(facts.class))
      )
        return step(kind);
      const read = (): boolean =>
        settled.catalog(early, (catalog) =>
          settled.complete(
            () => attempt(catalog),
            (analysis) => {
              if (analysis instanceof RegateError) return refuse(analysis);
              if (!analysis.unresolved || session.backend.catalogChanged) return done(analysis, read);
              // A name that the catalog does not have may be new: look once.
              return session.judge.promised(session.catalogs.search(), () =>
                settled.catalog(early, (anew) =>
                  settled.complete(
                    () => attempt(anew),
                    (found) => done(found, read),
                  ),
                ),
              );
            },
          ),
        );
      return read();
    });
  }

  /** DDL of this segment is not in the catalog that the gate can read before its end: what names anything cannot be judged. */
  unsure(analysis: Pick<Analysis, "statements">): boolean {
    const { segmentDdl, lastCatalog, options } = this.#session;
    if (!segmentDdl || lastCatalog?.hasTags === false || options.pipeline.policy.mode === "observe") return false;
    return analysis.statements.some(
      ({ facts }) => !staleClasses.has(facts.class) && (facts.relations.length > 0 || facts.functions.length > 0),
    );
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
  get options(): { normalized: boolean; fingerprint: boolean; maxBytes: number } {
    const { limits, pipeline } = this.#session.options;
    const { policy } = pipeline;
    return {
      maxBytes: limits.commandBytes,
      normalized: policy.reads("command.normalized"),
      fingerprint: policy.reads("command.fingerprint"),
    };
  }

  basis(): string {
    const { catalog, names } = this.#session;
    return catalog === undefined ? "" : basisOf(catalog, names);
  }

  /** Computed only when an approval asks for it, and again before the approved command runs: the basis may have changed meanwhile. */
  #key(text: string, parameters: Buffer | undefined): () => string {
    return () => {
      const digest = parameters === undefined ? "" : createHash("sha256").update(parameters).digest("hex");
      return `${this.basis()}\n${digest}\n${text}`;
    };
  }

  prepareCommand(prepared: Prepared, message: string, parameters?: Buffer): ReadCommand {
    let command = prepared.commands.get(message);
    if (command === undefined) {
      command = this.command(prepared.analysis, message, prepared.parameterTypes, undefined, prepared.rewriting);
      prepared.commands.set(message, command);
    }
    if (parameters === undefined) return command;
    const { analysis, parameterTypes } = prepared;
    const probes = command.probes === undefined ? undefined : () => probesOf(analysis, parameterTypes, parameters);
    return { ...command, key: this.#key(command.facts.text, parameters), probes };
  }

  command(
    analysis: Analysis,
    message: string,
    parameterTypes: readonly number[],
    parameters: Buffer | undefined,
    rewriting?: Rewriting,
  ): ReadCommand {
    const facts = commandFacts(analysis, message, parameterTypes, rewriting);
    const key = this.#key(facts.text, parameters);
    const { missing, statements } = analysis;
    const looksUp = statements.some(({ lookups = [] }) => lookups.length > 0);
    const probes = looksUp ? () => probesOf(analysis, parameterTypes, undefined) : undefined;
    return rewriting === undefined
      ? { facts, key, missing, probes }
      : { facts, key, missing, probes, rewriting, substitutions: rewriting.substitutions };
  }

  /** Goes on with the text in which protected columns are replaced; what cannot be rewritten is refused here. */
  rewritten(
    command: ReadCommand,
    asked: Substitutions,
    simple: boolean,
    step: (analysis: Analysis, rewriting: Rewriting) => boolean,
  ): boolean {
    const session = this.#session;
    const { facts } = command;
    const catalog = session.catalog ?? session.lastCatalog;
    if (catalog === undefined) throw new RegateError("CATALOG_UNAVAILABLE");
    const parameterTypes = parameterTypesOf(facts);
    const { revision } = session.options.pipeline.policy;
    const options = { ...this.options, parameterTypes, revision };
    const made = rewrite(facts.text, asked, catalog, session.settled.scope, options);
    if (made instanceof RegateError) return session.judge.refuseUnreplaced(command, asked, made, simple);
    const { analysis, rewriting } = made;
    const again = (): boolean => this.rewritten(command, asked, simple, step);
    return this.#estimated(analysis, parameterTypes, (estimated) => step(estimated, rewriting), again);
  }

  /** Analyses a prepared statement again if the catalog or the session's names changed since. */
  current(prepared: Prepared, step: () => boolean): boolean {
    const session = this.#session;
    const { settled, options, parts } = session;
    const { policy } = options.pipeline;
    const early = beginsEarly(prepared.analysis.statements);
    const go = (): boolean => (this.unsure(prepared.analysis) ? session.judge.refuseUnsure(false) : step());
    const read = (): boolean =>
      settled.catalog(early, (catalog) =>
        settled.complete(
          () => {
            // What a name stands for at Execute is no part of the basis.
            if (prepared.analysis.statements.some(looksUpLate)) prepared.basis = "";
            refresh(prepared, catalog, settled.scope, this.options);
          },
          () => {
            if (!policy.reads("command.statements.estimate") || parts.estimates.fresh(prepared.analysis)) return go();
            const take = (analysis: Analysis): boolean => {
              prepared.analysis = analysis;
              prepared.commands = new Map();
              return go();
            };
            return this.#estimated(prepared.analysis, prepared.parameterTypes, take, read);
          },
        ),
      );
    return read();
  }
}

/** As the server says it. */
function unknownName({ kind, name }: { kind: "statement" | "portal"; name: string }): RegateError {
  return kind === "statement"
    ? new RegateError("STATEMENT_UNKNOWN", { message: `prepared statement "${name}" does not exist` })
    : new RegateError("PORTAL_UNKNOWN", { message: `cursor "${name}" does not exist` });
}

function runsUtility({ kind, name }: { kind: "statement" | "portal"; name: string }): RegateError {
  return kind === "statement"
    ? new RegateError("EXECUTE_UTILITY", { detail: `"${name}" was prepared by the protocol.` })
    : new RegateError("EXECUTE_UTILITY", {
        message: "FETCH through the gate reads only what looks up its names when it is opened",
        detail: `"${name}" was bound by the protocol.`,
        hint: "Execute the portal by the protocol.",
      });
}
