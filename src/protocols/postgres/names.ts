// How the server resolves names and reads texts in this session, learned from the server and asked again when it may have changed.
import { RegateError } from "../../errors.ts";
import type { SchemaSet, StatementAnalysis } from "../../sql/postgres/analyze.ts";
import { effectivePath, parseSearchPath } from "../../sql/postgres/search-path.ts";
import { decidesMeaning, MEANING_SETTINGS } from "../../sql/postgres/meaning-settings.ts";
import { badSetting } from "./settings.ts";

/** Everything at once. It takes a snapshot, so it must not come before a SET TRANSACTION or a LOCK of the same transaction. */
const full = `SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true))::pg_catalog.text, current_user::pg_catalog.text,
  session_user::pg_catalog.text, pg_catalog.current_setting('search_path'), pg_catalog.pg_current_xact_id_if_assigned() IS NULL,
  ${MEANING_SETTINGS.map((name) => `pg_catalog.current_setting('${name}', true)`).join(", ")}`;
/** What needs no snapshot. Without one no code has run, so that nothing else can have changed than plain SETs change. */
const light = ["SHOW search_path", "SHOW role", "SHOW session_authorization"] as const;

export class Names {
  searchPath: readonly string[] = ["pg_catalog", "public"];
  /** The setting: `["$user", "public"]`. */
  path: readonly string[] = [];
  user = "";
  temporary: string | undefined;
  /** The server must be asked before a command that names anything is judged. */
  dirty = true;
  /** The digest of the schemas that the path was told for: others may exist by now, or be open to others. */
  rights = "";
  /** A statement of the open transaction changed them: its end may change them back. */
  changedInTransaction = false;
  /** Has the transaction written nothing so far, as the server said last? Then it has changed no catalog either. */
  unwritten = false;
  /** What was told without a snapshot: which of its schemas there are is not said. */
  shown: { readonly path: readonly string[]; readonly user: string } | undefined;
  /** What held before the open transaction changed it, if it was known. */
  before: { readonly path: readonly string[]; readonly user: string } | undefined;
  #snapshot = false;

  /** A statement ran, to its end or in part. */
  completed(statement: StatementAnalysis): void {
    if (mayChangeNames(statement)) {
      if (!this.changedInTransaction) this.before = this.dirty ? undefined : { path: this.path, user: this.user };
      this.dirty = true;
      this.shown = undefined;
      this.changedInTransaction = true;
    }
    const { transaction } = statement.effects;
    if (transaction === undefined && statement.facts.class !== "session") this.#snapshot = true;
    if (transaction === undefined || transaction === "begin") return;
    if (transaction !== "savepoint") this.transactionEnded();
    else if (this.changedInTransaction) this.dirty = true;
  }

  /** An error undoes what the transaction changed. */
  failed(): void {
    if (this.changedInTransaction) this.dirty = true;
  }

  /** Its end takes back what it changed, or a part of it (SET LOCAL). Another may begin at once: COMMIT AND CHAIN, or behind it in the same text. */
  transactionEnded(): void {
    if (this.changedInTransaction) this.dirty = true;
    this.changedInTransaction = false;
    this.before = undefined;
    this.#snapshot = false;
  }

  /** What to ask, now. `early`: what is to be judged takes no snapshot first. */
  questions(inTransaction: boolean, early: boolean): readonly string[] {
    return inTransaction && early && !this.#snapshot ? light : [full];
  }

  /**
   * Takes in the answer. What was shown without a snapshot still wants {@link resolve}.
   * @returns an error for a setting under which nothing can be judged
   * @throws RegateError CATALOG_UNAVAILABLE
   */
  learn(rows: readonly (readonly (string | null)[])[], rights: string): RegateError | undefined {
    const [first, second, third] = rows;
    if (rows.length === 1 && first?.length === 5 + MEANING_SETTINGS.length) {
      for (const [at, name] of MEANING_SETTINGS.entries()) {
        const error = badSetting(name, first[5 + at] ?? null);
        if (error !== undefined) return error;
      }
      const schemas = JSON.parse(first[0] ?? "[]") as string[];
      this.unwritten = first[4] === "t";
      const temporary = schemas.find((schema) => /^pg_temp_\d+$/.test(schema));
      this.#set(listOf(first[3]), schemas, first[1] ?? "", temporary, rights);
    } else if (rows.length === 3) {
      const role = second?.[0] ?? "none";
      this.shown = { path: listOf(first?.[0]), user: role === "none" ? (third?.[0] ?? "") : role };
    } else throw new RegateError("CATALOG_UNAVAILABLE", { detail: "The server did not say how names resolve." });
    return undefined;
  }

  /** Makes a path of what was shown, with the schemas that its role may use. */
  resolve(usable: SchemaSet, rights: string): void {
    if (this.shown === undefined) return;
    const { path, user } = this.shown;
    this.#set(path, effectivePath(path, user, this.temporary, usable), user, this.temporary, rights);
  }

  #set(
    path: readonly string[],
    effective: readonly string[],
    user: string,
    temporary: string | undefined,
    rights: string,
  ): void {
    this.path = path;
    this.searchPath = effective;
    this.user = user;
    this.temporary = temporary;
    this.rights = rights;
    this.shown = undefined;
    this.dirty = false;
  }

  /** The server tells of a setting by itself: search_path since PostgreSQL 18. */
  told(name: string, value: string): void {
    const path = name === "search_path" ? parseSearchPath(value) : undefined;
    if (name === "search_path" && path?.join("\0") !== this.path.join("\0")) this.dirty = true;
    if (name === "session_authorization" && value !== this.user) this.dirty = true;
  }
}

/** @throws RegateError CATALOG_UNAVAILABLE */
function listOf(setting: string | null | undefined): readonly string[] {
  const list = parseSearchPath(setting ?? "");
  if (list === undefined) throw new RegateError("CATALOG_UNAVAILABLE", { detail: `search_path is ${setting}` });
  return list;
}

/** May names mean something else after this statement, or the whole? Settings that are known not to matter (DateStyle, …) do not count. */
function mayChangeNames(statement: StatementAnalysis): boolean {
  const { effects, facts } = statement;
  // DDL makes and drops schemas, GRANT opens and closes them, and a first temporary table makes the session's own.
  if (effects.opaque || effects.catalog || effects.temp) return true;
  if (!effects.settings) return false;
  return facts.settings.length === 0 || facts.settings.some(({ name }) => decidesMeaning(name));
}

/** May it change what later texts of the session mean in any way: names, the catalog, prepared statements, cursors? */
export function changesMeaning(statement: StatementAnalysis): boolean {
  const { effects } = statement;
  return (
    mayChangeNames(statement) ||
    effects.prepares !== undefined ||
    effects.declares !== undefined ||
    effects.deallocates !== undefined ||
    effects.closesCursor !== undefined
  );
}

/** Does it mean the same whatever names stand for? */
export function namesNothing(statement: StatementAnalysis): boolean {
  const { facts } = statement;
  return (
    (facts.class === "transaction" || facts.class === "session") &&
    facts.relations.length === 0 &&
    facts.functions.length === 0 &&
    facts.outputs.every(({ sources }) => sources.length === 0)
  );
}

/** Does this text begin with what takes no snapshot, and wants none taken? */
export function beginsEarly(statements: readonly StatementAnalysis[]): boolean {
  for (const { facts } of statements) {
    if (facts.verb === "lock" || facts.settings.some(({ name }) => name.startsWith("transaction"))) return true;
    if (facts.class !== "session" && facts.class !== "transaction") return false;
  }
  return false;
}
