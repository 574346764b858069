// The entry to the facts: one text, a catalog and a scope of names give an Analysis.
import type { Analysis, Confirmation, DescribedField, NameScope, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import { parse } from "./parser.ts";

export type { Analysis, Confirmation, DescribedField, Effects, NameScope, StatementAnalysis } from "./analysis.ts";

/** Which texts beside the statements are wanted: each costs another parse. Off gives "". */
export type AnalyzeOptions = { readonly normalized?: boolean; readonly fingerprint?: boolean };

/** @throws RegateError as {@link parse} does */
export function analyze(text: string, catalog: Catalog, _scope: NameScope, _options: AnalyzeOptions = {}): Analysis {
  const statements = (parse(text).stmts ?? []).map(
    (raw): StatementAnalysis => ({
      facts: {
        verb: "unknown",
        class: "unknown",
        relations: [],
        columns: [],
        outputs: [],
        writes: [],
        functions: [],
        scoped: false,
        limit: null,
        settings: [],
        external: [],
        estimate: null,
        location: { start: raw.stmt_location ?? 0, length: raw.stmt_len ?? 0 },
      },
      returnsRows: true,
      outputsKnown: false,
      copy: undefined,
      touchesTagged: catalog.hasTags,
      effects: { settings: true, transaction: undefined, catalog: true, temp: true },
    }),
  );
  return {
    command: { text, normalized: "", fingerprint: "", statements: statements.map((statement) => statement.facts) },
    statements,
    unresolved: false,
  };
}

/** Does the server describe the result as the analysis derived it? */
export function confirm(
  _analysis: StatementAnalysis,
  _fields: readonly DescribedField[],
  catalog: Catalog,
): Confirmation {
  return catalog.hasTags ? { ok: false, why: "not analysed" } : { ok: true };
}
