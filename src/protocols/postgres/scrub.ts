// Errors and notices of the server without values: what a statement over protected columns may say when it fails.
import type { StatementAnalysis } from "../../sql/postgres/analyze.ts";
import { encodeError, encodeNotice, type ErrorFields } from "./message.ts";

/**
 * Classes of SQLSTATE whose messages name objects, constraints and states only (errcodes.txt): connection, features, transactions, constraints,
 * statement and cursor names, syntax and access, resources, prerequisites, intervention, system. Data exceptions (22) and what code raises (P0) quote values.
 */
const namesOnly = new Set([
  "08",
  "0A",
  "0B",
  "0L",
  "0P",
  "23",
  "24",
  "25",
  "26",
  "28",
  "2B",
  "2D",
  "34",
  "3B",
  "3D",
  "3F",
  "40",
  "42",
  "53",
  "54",
  "55",
  "57",
  "58",
]);

/** Are values that this statement works on protected? Then its errors may quote them. */
export function mayQuote(statements: readonly StatementAnalysis[]): boolean {
  return statements.some((statement) => statement.touchesTagged);
}

/** Severity, SQLSTATE, position and the names of objects stay; DETAIL, CONTEXT and inner queries go, and messages that quote values. */
export function scrubbed(fields: ErrorFields, kind: "error" | "notice"): Buffer {
  const { S, V, C, M, P, s, t, c, d, n, F, L, R, H } = fields;
  const sqlstate = C ?? "";
  const safe = namesOnly.has(sqlstate.slice(0, 2));
  const kept: Record<string, string | undefined> = {
    S,
    V,
    C,
    M: safe ? M : `${kind} ${sqlstate} of a statement over protected columns; its text is withheld`,
    H: sqlstate.startsWith("42") ? H : undefined,
    P,
    s,
    t,
    c,
    d,
    n,
    F,
    L,
    R,
  };
  const present = Object.fromEntries(
    Object.entries(kept).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return kind === "error" ? encodeError(present) : encodeNotice(present);
}
