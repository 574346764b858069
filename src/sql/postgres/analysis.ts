// What the analysis of one text says: the facts for the policy, and the effects that the session must follow.
import type { CommandFacts, StatementFacts } from "../../core/facts.ts";

/** How the server will resolve names at this moment, and what the session has prepared. */
export type NameScope = {
  /** The effective schemas in lookup order, as `current_schemas(true)` gives them: `["pg_temp_3", "pg_catalog", "public"]`. */
  readonly searchPath: readonly string[];
  readonly user: string;
  /** What this name may stand for now. Empty: unknown. Several: any of them. */
  prepared(name: string): readonly StatementAnalysis[];
  cursor(name: string): readonly StatementAnalysis[];
};

/** What the session's state may become if the statement succeeds. */
export type Effects = {
  /** May change search_path, role or any other setting (also opaque code, which might call set_config). */
  readonly settings: boolean;
  readonly transaction: "begin" | "commit" | "rollback" | "savepoint" | undefined;
  /** DDL, or opaque code that might run it: the catalog may be stale afterwards. */
  readonly catalog: boolean;
  /** May create or drop temporary objects. */
  readonly temp: boolean;
  readonly prepares?: { readonly name: string; readonly statement: StatementAnalysis };
  /** A name, or `*` for all. */
  readonly deallocates?: string;
  readonly declares?: { readonly name: string; readonly statement: StatementAnalysis };
  readonly closesCursor?: string;
  readonly discards?: boolean;
};

export type StatementAnalysis = {
  readonly facts: StatementFacts;
  readonly returnsRows: boolean;
  /** Are facts.outputs exactly the columns that the server will describe? False where only the server knows (CALL, unknown names). */
  readonly outputsKnown: boolean;
  readonly copy: "in" | "out" | undefined;
  /** A relation in its closure has tagged columns, or the statement is opaque while the catalog has tags. */
  readonly touchesTagged: boolean;
  readonly effects: Effects;
};

/** Where a statement is in the text: bytes. */
export type Location = { readonly start: number; readonly length: number };

export type Analysis = {
  readonly command: Pick<CommandFacts, "text" | "normalized" | "fingerprint" | "statements">;
  readonly statements: readonly StatementAnalysis[];
  /** One for each statement. No part of the facts: these are the same for texts that differ in a literal's length. */
  readonly locations: readonly Location[];
  /** A relation or function was not in the catalog: refresh it once and analyse again. */
  readonly unresolved: boolean;
};

/** A field of the server's RowDescription. */
export type DescribedField = {
  readonly name: string;
  readonly tableOid: number;
  readonly attribute: number;
  readonly typeOid: number;
};
export type Confirmation = { readonly ok: true } | { readonly ok: false; readonly why: string };
