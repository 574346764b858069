// The entry to the facts: one text, a catalog and a scope of names give an Analysis.
import { RegateError } from "../../errors.ts";
import type { Analysis, Location, NameScope, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import { fingerprint, normalize, parse } from "./parser.ts";
import { Recorder } from "./recorder.ts";
import { TextState } from "./text-state.ts";
import { judge } from "./statements.ts";

export type { Analysis, Confirmation, DescribedField, Effects, NameScope, StatementAnalysis } from "./analysis.ts";
export { confirm } from "./confirm.ts";

export type AnalyzeOptions = {
  readonly maxBytes?: number;
  /** Texts beside the statements, each at the cost of another parse. Off gives "". Default on. */
  readonly normalized?: boolean;
  readonly fingerprint?: boolean;
  /** Names may mean something else than the catalog says (DDL of a transaction that is still open): statements that name any are unknown. */
  readonly uncertain?: boolean;
};

/**
 * Facts of every statement of a text, in the state in which the session is before it. Later statements see what earlier ones prepare,
 * declare and set.
 * @throws RegateError TEXT_TOO_LONG, TEXT_NOT_UTF8, TEXT_UNPARSEABLE, TEXT_TOO_COMPLEX
 */
export function analyze(text: string, catalog: Catalog, scope: NameScope, options: AnalyzeOptions = {}): Analysis {
  const raws = parse(text, options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }).stmts ?? [];
  const state = new TextState(scope, options.uncertain === true);
  const statements: StatementAnalysis[] = [];
  const locations: Location[] = [];
  let unresolved = false;
  try {
    for (const raw of raws) {
      const start = raw.stmt_location ?? 0;
      locations.push({ start, length: raw.stmt_len ?? Buffer.byteLength(text) - start });
      const recorder = new Recorder(catalog, state.searchPath);
      const analysis = state.certain(judge({ recorder, scope: state }, raw.stmt ?? ({} as never)), catalog);
      if (recorder.unresolved) unresolved = true;
      statements.push(analysis);
      if (raws.length > 1) state.after(analysis);
    }
  } catch (thrown) {
    // The tree nests deeper than the stack: nothing was judged, so nothing may run.
    if (thrown instanceof RangeError) throw new RegateError("TEXT_TOO_COMPLEX", { cause: thrown });
    throw thrown;
  }
  return {
    command: {
      text,
      normalized: options.normalized === false ? "" : normalize(text),
      fingerprint: options.fingerprint === false ? "" : fingerprint(text),
      statements: statements.map((statement) => statement.facts),
    },
    statements,
    locations,
    unresolved,
  };
}
