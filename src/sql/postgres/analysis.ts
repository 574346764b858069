// What the analysis of one text says: the facts for the policy, and the effects that the session must follow.
import type { Missing } from "../../core/command.ts";
import type { CommandFacts, Source, StatementFacts } from "../../core/facts.ts";
import type { Catalog } from "./catalog.ts";
import type { Held } from "./held.ts";
import type { Lookup } from "./lookups.ts";

/** How the server will resolve names at this moment, and what the session has prepared. */
export type NameScope = {
  /** What the session knows beyond the names themselves; without it no change of them within a text can be followed. */
  readonly session?: SessionNames;
  /** The effective schemas in lookup order, as `current_schemas(true)` gives them: `["pg_temp_3", "pg_catalog", "public"]`. */
  readonly searchPath: readonly string[];
  readonly user: string;
  /** What this name may stand for, analysed under this path: the server reads it anew at each EXECUTE. Empty: unknown. Several: any of them. */
  prepared(name: string, catalog: Catalog, at: ScopeNames): readonly StatementAnalysis[];
  /** A cursor is bound to what its names stood for at DECLARE; what functions in it do is looked up as they run. */
  cursor(name: string, catalog: Catalog, at: ScopeNames): readonly StatementAnalysis[];
};

/** How names resolve at one place of a text. */
export type ScopeNames = Pick<NameScope, "searchPath" | "user">;

/** What decides how names resolve after a change of the path, and when a transaction ends. */
export type SessionNames = {
  /** The setting itself, as a list: `["$user", "public"]`. */
  readonly path: readonly string[];
  /** The session's own temporary schema, once it has one. */
  readonly temporary: string | undefined;
  /** A transaction block is open: its end, or a ROLLBACK TO, brings names back that are not known here. */
  readonly restores: "nothing" | "names" | "names and catalog";
  /** What a ROLLBACK of the open transaction brings back, if that is known. */
  readonly before?: { readonly path: readonly string[]; readonly user: string } | undefined;
  /** The schemas that exist and that this role may use; undefined: to be asked for first. */
  usable(user: string): SchemaSet | undefined;
};
export type SchemaSet = { has(schema: string): boolean };

/** What the session's state may become if the statement succeeds. */
export type Effects = {
  /** May change search_path, role or any other setting (also opaque code, which might call set_config). */
  readonly settings: boolean;
  readonly transaction: "begin" | "commit" | "rollback" | "savepoint" | undefined;
  /** DDL, or opaque code that might run it: the catalog may be stale afterwards. */
  readonly catalog: boolean;
  /** May create or drop temporary objects. */
  readonly temp: boolean;
  /** Runs code that cannot be seen through: any setting, prepared statement and cursor may be another afterwards. */
  readonly opaque: boolean;
  /** Which row it changes is where a cursor stands, whatever that is when it runs (WHERE CURRENT OF). */
  readonly ofCursor?: boolean;
  /** SET search_path to constants: the list, names as the server keeps them. */
  readonly path?: { readonly schemas: readonly string[]; readonly local: boolean };
  /** SET ROLE to a name. */
  readonly role?: { readonly name: string; readonly local: boolean };
  readonly prepares?: { readonly name: string; readonly statement: StatementAnalysis; readonly held: Held };
  /** A name, or `*` for all. */
  readonly deallocates?: string;
  /** `hold`: it outlives its transaction. */
  readonly declares?: {
    readonly name: string;
    readonly statement: StatementAnalysis;
    readonly held: Held;
    readonly hold: boolean;
  };
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
  /** Columns that the server may hold on its way to the result, shown or not: EXPLAIN tells how wide they are. */
  readonly kept: readonly Source[];
  /** What its text, or its parameters, look up in tagged columns. What looks up otherwise (EXECUTE, FETCH) lists nothing. */
  readonly lookups?: readonly Lookup[] | undefined;
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
  /** The first such name, where the text has one. */
  readonly missing?: Missing | undefined;
};

/** A field of the server's RowDescription. */
export type DescribedField = {
  readonly name: string;
  readonly tableOid: number;
  readonly attribute: number;
  readonly typeOid: number;
};
export type Confirmation = { readonly ok: true } | { readonly ok: false; readonly why: string };
