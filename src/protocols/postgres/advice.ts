// What helps whoever was refused: where in the text it is, and a statement that would pass, tried before it is named.
import type { Missing } from "../../core/command.ts";
import type { Refusal } from "../../core/enforce.ts";
import { RegateError } from "../../errors.ts";
import { analyze } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { positionOf } from "../../sql/postgres/position.ts";
import { suggest } from "../../sql/postgres/suggest.ts";
import type { ReadCommand } from "./command-facts.ts";
import { rewrite, type Substitutions } from "./rewriting.ts";
import type { Session } from "./session.ts";

/** Longer texts are refused without advice: each part of them is judged, and nobody should make the gate do that in vain. */
const LONGEST_TEXT = 4_000;

/** Effects of functions. */
const ACTING: ReadonlySet<string> = new Set(["state", "outside", "unknown"]);

/** Where the column stands that it is about, or the one that is not there: what else is wrong is told then, see `missed`. */
function placeOf(text: string, about: NonNullable<Refusal["about"]>, missing: Missing | undefined): number | undefined {
  if (missing === undefined) return positionOf(text, about.statement, about.column?.split(".").at(-1));
  const name = /^column "([^"]+)" does not exist$/.exec(missing.message)?.[1];
  return name === undefined ? undefined : positionOf(text, about.statement, name);
}

export class Advice {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The refusal of a command, with a position and with a hint that names what would pass, where there is such a thing. */
  on(refusal: Refusal, command: ReadCommand): Refusal {
    const { about } = refusal;
    const { text, message } = command.facts;
    const hasText = message === "query" || message === "parse";
    if (about === undefined || !hasText || text.length > LONGEST_TEXT) return refusal;
    const position = refusal.position ?? placeOf(text, about, command.missing);
    const instead = suggest(
      text,
      (candidate) => this.#passes(candidate),
      (part) => this.#acts(part),
    );
    const hint = [refusal.hint, instead === undefined ? undefined : `Try: ${instead}`].filter(
      (part) => part !== undefined,
    );
    return { ...refusal, position, hint: hint.length === 0 ? undefined : hint.join(" ") };
  }

  #passes(text: string): boolean {
    const { reading, lastCatalog: catalog, settled } = this.#session;
    if (catalog === undefined) return false;
    try {
      const analysis = analyze(text, catalog, settled.scope, reading.options);
      if (analysis.unresolved) return false;
      const command = reading.command(analysis, "query", [], undefined);
      const asked = this.#asked(command);
      return asked === "nothing" || (asked !== "no" && this.#passesRewritten(text, asked, catalog));
    } catch (thrown) {
      if (thrown instanceof RegateError) return false;
      throw thrown;
    }
  }

  /** Without what acts, a statement passes and does not do what it was sent for. */
  #acts(text: string): boolean {
    const { reading, lastCatalog: catalog, settled } = this.#session;
    if (catalog === undefined) return true;
    try {
      const { statements } = analyze(text, catalog, settled.scope, reading.options).command;
      return statements.some(
        ({ class: kind, settings, functions }) =>
          kind !== "read" || settings.length > 0 || functions.some(({ effect }) => ACTING.has(effect)),
      );
    } catch (thrown) {
      if (thrown instanceof RegateError) return true;
      throw thrown;
    }
  }

  #passesRewritten(text: string, asked: Substitutions, catalog: Catalog): boolean {
    const { reading, settled, options } = this.#session;
    const { revision } = options.pipeline.policy;
    const made = rewrite(text, asked, catalog, settled.scope, { ...reading.options, revision });
    if (made instanceof RegateError) return false;
    return this.#asked(reading.command(made.analysis, "query", [], undefined, made.rewriting)) === "nothing";
  }

  /** What a permit would cost: nothing but masks, substitutions, or there is none. */
  #asked(command: ReadCommand): "no" | "nothing" | Substitutions {
    const decision = this.#session.options.pipeline.consult(this.#session.context, command);
    if (decision === undefined || (decision.action !== "allow" && decision.action !== "mask")) return "no";
    return decision.substitutions === undefined || decision.substitutions.length === 0
      ? "nothing"
      : decision.substitutions;
  }
}
