// A client's text in which protected columns are replaced by their masks: what comes of it, and what the client is told.
import type { Decision } from "../../core/decision.ts";
import type { StatementFacts } from "../../core/facts.ts";
import { RegateError } from "../../errors.ts";
import type { Analysis, NameScope } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import type { MaskedForms } from "../../sql/postgres/masked-forms.ts";
import { originalPosition } from "../../sql/postgres/sent-position.ts";
import {
  type Impossible,
  PLAIN_PLAN,
  type Replacement,
  substitute,
  type SubstituteOptions,
} from "../../sql/postgres/substitute.ts";
import type { Edit } from "../../sql/postgres/substitute-text.ts";
import { encodeNotice, type ErrorFields } from "./message.ts";

export type Substitutions = NonNullable<Decision["substitutions"]>;

/** A text that was rewritten: what the client sent, what the server gets, and which of its sub-selects stand for masked tables. */
export type Rewriting = {
  readonly original: string;
  readonly sent: string;
  readonly masked: MaskedForms;
  readonly substitutions: Substitutions;
  readonly edits: readonly Edit[];
  readonly plainPlan: boolean;
  /** OIDs, as the client gave them with the original. */
  readonly parameterTypes: readonly number[];
  /** Of the policy that asked for it. */
  readonly revision: string;
};

/** The text with what the policy asks for replaced, and its analysis; or why that is not possible (SUBSTITUTION_IMPOSSIBLE). */
export function rewrite(
  text: string,
  substitutions: Substitutions,
  catalog: Catalog,
  scope: NameScope,
  options: SubstituteOptions & { readonly revision: string },
): { readonly analysis: Analysis; readonly rewriting: Rewriting } | RegateError {
  const asked = new Map<number, Replacement[]>();
  for (const { statement, code: _, ...replacement } of substitutions) {
    const list = asked.get(statement);
    if (list === undefined) asked.set(statement, [replacement]);
    else list.push(replacement);
  }
  const { revision, ...reading } = options;
  const made = substitute(text, catalog, scope, asked, reading);
  if ("impossible" in made) return impossible(substitutions, made);
  const { analysis, masked, edits, plainPlan, text: sent } = made;
  const { parameterTypes = [] } = reading;
  const of = { original: text, parameterTypes, substitutions, revision };
  return { analysis, rewriting: { ...of, sent, masked, edits, plainPlan } };
}

function impossible(substitutions: Substitutions, { impossible: why, hint }: Impossible): RegateError {
  const columns = namesOf(substitutions);
  return new RegateError("SUBSTITUTION_IMPOSSIBLE", {
    message: `This use of ${columns.length === 1 ? "a protected column" : "protected columns"} is not possible: ${columns.join(", ")}`,
    detail: why,
    ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * With what was asked for before: a view whose definition takes its place brings columns that nobody asked for. Each round adds a column, so
 * they end. Undefined where nothing is added.
 */
export function widened(before: Substitutions, asked: Substitutions): Substitutions | undefined {
  const all = new Map([...before, ...asked].map((each) => [keyOf(each), each]));
  return all.size > before.length ? [...all.values()] : undefined;
}

function keyOf({ statement, schema, table, column }: Substitutions[number]): string {
  return JSON.stringify([statement, schema, table, column]);
}

/** The policy asks to replace columns in a text in which they are replaced. */
export function askedAgain(statements: readonly StatementFacts[]): RegateError {
  return new RegateError("SUBSTITUTION_IMPOSSIBLE", {
    detail: "With its protected columns replaced, it still uses some.",
    ...(statements.some(({ verb }) => verb === "explain") ? { hint: PLAIN_PLAN } : {}),
  });
}

/**
 * What the server said of the sent text, with a position in the client's own; without one in what the client did not write. Where it does not
 * know what a row is made of any more, that is explained.
 */
export function placedAsWritten(rewriting: Rewriting, { P, ...fields }: ErrorFields): ErrorFields {
  const { original, sent, edits } = rewriting;
  const position = P === undefined ? undefined : originalPosition(original, sent, edits, Number(P));
  return {
    ...fields,
    ...(isOfRecord(fields) ? explainedRecord(rewriting) : {}),
    ...(position === undefined ? {} : { P: String(position) }),
  };
}

/** (expression).column, a cast to the table's own type, a stored row: the type is named "record" in every language. */
function isOfRecord({ C, R, M }: ErrorFields): boolean {
  return (R === "unknown_attribute" || OF_RECORD.has(C ?? "")) && /\brecord\b/i.test(M ?? "");
}

/** Wrong object type, cannot be cast, and a column that cannot be of this type. */
const OF_RECORD: ReadonlySet<string> = new Set(["42809", "42846", "42P16"]);

function explainedRecord({ substitutions }: Rewriting): ErrorFields {
  return {
    D: `Rows of ${tablesOf(substitutions).join(", ")} are records in this statement, in which ${namesOf(substitutions).join(", ")} is masked.`,
    H: "Name the columns themselves instead of taking them from an expression over the whole row.",
  };
}

/** Says which columns the statement does not see as they are. */
export function substitutionNotice({ substitutions, plainPlan }: Rewriting): Buffer {
  const names = namesOf(substitutions);
  return encodeNotice({
    S: "NOTICE",
    V: "NOTICE",
    C: "00000",
    M: `masked in this statement: ${names.join(", ")}`,
    D: `Filters, joins, expressions and copies see the masked values, not the stored ones.${plainPlan ? " The plan has no costs: they would tell how wide the stored values are." : ""}`,
  });
}

function tablesOf(substitutions: Substitutions): string[] {
  return [...new Set(substitutions.map(({ schema, table }) => `${schema}.${table}`))].sort();
}

function namesOf(substitutions: Substitutions): string[] {
  return [...new Set(substitutions.map(({ schema, table, column }) => `${schema}.${table}.${column}`))].sort();
}
