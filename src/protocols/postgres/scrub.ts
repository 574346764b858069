// Errors and notices of the server without values: what a statement over protected columns may say when it fails.
import type { StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { ErrorFields } from "./message.ts";

/**
 * Classes of SQLSTATE (errcodes.txt) whose messages name constraints, tables and states of the session or the server, but no value, even of what
 * fails while it runs: connection, features, constraints, transactions, resources, prerequisites, intervention.
 */
const stateOnly = new Set(["08", "0A", "23", "24", "25", "2D", "40", "53", "55", "57"]);
/** The same, of classes where others quote: cardinality, division by zero, WITH CHECK OPTION, privileges, the depth of the stack, INTO STRICT. */
const alone = new Set(["21000", "22012", "42501", "44000", "54001", "P0002", "P0003"]);

/**
 * Classes whose messages quote a name. While something runs, a value may be taken for a name (`ssn::regclass`: relation "…" does not exist), so
 * the name must be one that the client wrote. 42883 is none of them: it names an operator without quoting it.
 */
const namesOnly = new Set(["0B", "0L", "0P", "26", "28", "2B", "34", "3B", "3D", "3F", "42", "58"]);

/** Where in a JSON document that the client wrote. */
const ofDocument = /^JSON data, line \d+: [^\n]*$/;

/** How other languages (lc_messages) quote. */
const foreignQuotes = /[«»‹›„“”‘’‚「」『』]/;

/** Are values that this statement works on protected? Then its errors may quote them. */
export function mayQuote(statements: readonly StatementAnalysis[]): boolean {
  return statements.some((statement) => statement.touchesTagged);
}

/** What was running. */
export type Speaker = {
  /** What the client wrote. */
  readonly text: string;
  readonly statements: readonly StatementAnalysis[];
};

/**
 * Severity and SQLSTATE stay, and the position and the names of objects that the server gives itself; DETAIL, CONTEXT and inner queries go, and
 * messages that may quote values. Of what code raises (RAISE, other languages) every field is its author's choice: none but severity and SQLSTATE stays.
 */
export function scrubbed(fields: ErrorFields, kind: "error" | "notice", speaker: Speaker): ErrorFields {
  const { S, V, C, M, P, W, s, t, c, d, n, F, L, R, D, H } = fields;
  const sqlstate = C ?? "";
  const raised = isRaised(fields, speaker);
  // Only what is found while the client's own text is read has a position in it: it quotes that text, and names of the catalog. What a function
  // meets that is called then (a check of a literal's domain) has a context.
  const read = !raised && P !== undefined && (W === undefined || ofDocument.test(W));
  const told = read || (!raised && isHarmless(sqlstate, M ?? "", speaker.text));
  const kept: Record<string, string | undefined> = {
    S,
    V,
    C,
    M: told ? M : `${kind} ${sqlstate} of a statement over protected columns; its text is withheld`,
    ...(read && sqlstate.startsWith("42") ? { D, H } : {}),
    ...(raised ? {} : { P, s, t, c, d, n, F, L, R }),
  };
  return Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Does code speak, and not the server? Every field may then hold whatever it was given. */
function isRaised({ F, R }: ErrorFields, { statements }: Speaker): boolean {
  if (F === undefined || R === "exec_stmt_raise" || /^(plpy_|plperl|pltcl|plv8)/.test(F)) return true;
  // What extensions and other languages say cannot be told from what the server says.
  return statements.some(({ facts }) =>
    facts.functions.some(({ kind, language }) => kind !== "builtin" && language !== "sql" && language !== "plpgsql"),
  );
}

function isHarmless(sqlstate: string, message: string, text: string): boolean {
  const kind = sqlstate.slice(0, 2);
  if (stateOnly.has(kind) || alone.has(sqlstate)) return true;
  if (!namesOnly.has(kind) || sqlstate === "42883" || foreignQuotes.test(message)) return false;
  const written = text.toLowerCase();
  const words = [...message.matchAll(/"([^"]*)"|\d+/g)].map(([whole, quoted]) => quoted ?? whole);
  return words.every((word) => written.includes(word.toLowerCase()));
}
