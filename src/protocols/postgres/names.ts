// How the server resolves names in this session: effective schemas and role, learned from the server and asked again when they may have changed.
import { RegateError } from "../../errors.ts";
import type { Analysis, StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";

/** Settings under which a name means something else. */
const nameSettings = new Set(["search_path", "role", "session_authorization", "schema", "names", "all"]);

/** Everything at once. It takes a snapshot, so it must not be the first statement of a transaction. */
const full =
  "SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true))::pg_catalog.text, current_user::pg_catalog.text, session_user::pg_catalog.text";
/** What needs no snapshot: SET TRANSACTION is still possible after it. */
const light = ["SHOW search_path", "SHOW role"] as const;

export class Names {
  searchPath: readonly string[] = ["pg_catalog", "public"];
  user = "";
  /** Changes whenever the above did: analyses made under another epoch do not hold. */
  epoch = 0;
  /** The server must be asked before the next command is judged. */
  dirty = true;
  #sessionUser = "";
  #temporary: string | undefined;
  /** A statement of the open transaction changed them: its end may change them back. */
  #changedInTransaction = false;
  #snapshot = false;

  /** A statement completed. */
  completed(statement: StatementAnalysis): void {
    if (mayChangeNames(statement) || statement.effects.temp) {
      this.dirty = true;
      this.#changedInTransaction = true;
    }
    const { transaction } = statement.effects;
    if (transaction === undefined && statement.facts.class !== "session") this.#snapshot = true;
    if (this.#changedInTransaction && transaction !== undefined && transaction !== "begin") this.dirty = true;
  }

  /** An error undoes what the transaction changed. */
  failed(): void {
    if (this.#changedInTransaction) this.dirty = true;
  }

  transactionEnded(): void {
    this.#changedInTransaction = false;
    this.#snapshot = false;
  }

  /** What to ask, now. */
  questions(inTransaction: boolean): readonly string[] {
    return inTransaction && !this.#snapshot ? light : [full];
  }

  /** Takes in the answer. False if it was not understood. */
  learn(rows: readonly (readonly (string | null)[])[]): boolean {
    let path: string[];
    let user: string;
    const first = rows[0];
    if (rows.length === 1 && first?.length === 3) {
      path = JSON.parse(first[0] ?? "[]") as string[];
      user = first[1] ?? "";
      this.#sessionUser = first[2] ?? "";
      this.#temporary = path.find((schema) => /^pg_temp_\d+$/.test(schema));
    } else if (rows.length === 2) {
      const role = rows[1]?.[0] ?? "none";
      user = role === "none" ? this.#sessionUser : role;
      const named = parseSearchPath(first?.[0] ?? "").map((schema) =>
        schema === "$user" ? user : schema === "pg_temp" ? (this.#temporary ?? schema) : schema,
      );
      path = [...new Set(named)];
      if (!path.includes("pg_catalog")) path.unshift("pg_catalog");
      if (this.#temporary !== undefined && !path.includes(this.#temporary)) path.unshift(this.#temporary);
    } else return false;
    if (user !== this.user || path.join("\0") !== this.searchPath.join("\0")) this.epoch++;
    this.searchPath = path;
    this.user = user;
    this.dirty = false;
    return true;
  }
}

/** May names mean something else after this statement? Settings that are known not to matter (DateStyle, …) do not count. */
export function mayChangeNames(statement: StatementAnalysis): boolean {
  if (!statement.effects.settings) return false;
  const { settings } = statement.facts;
  return settings.length === 0 || settings.some(({ name }) => nameSettings.has(name.toLowerCase()));
}

/** In one text, what follows a change of names would be judged under the old ones. */
export function unsureWithin(analysis: Analysis, catalog: Catalog | undefined): RegateError | undefined {
  const { statements } = analysis;
  const at = statements.findIndex(mayChangeNames);
  if (at < 0 || catalog?.hasTags === false) return undefined;
  const affected = statements
    .slice(at + 1)
    .some(({ facts }) => facts.class !== "session" && facts.class !== "transaction");
  return affected ? new RegateError("SESSION_STATE_UNSURE", { detail: `statement ${at + 1} of the text` }) : undefined;
}

/** Could this statement change how the server reads text (encoding, string syntax) without saying so in its text? */
export function mayChangeSettings(statement: StatementAnalysis): boolean {
  return statement.effects.settings && statement.facts.settings.length === 0;
}

/** The schemas of a search_path as SHOW prints it: `"$user", public, "a ""b"""`. */
export function parseSearchPath(text: string): string[] {
  const schemas: string[] = [];
  for (const match of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",\s]+))\s*(?:,|$)/g)) {
    const [, quoted, bare] = match;
    const schema = quoted !== undefined ? quoted.replaceAll('""', '"') : bare;
    if (schema !== undefined && schema !== "") schemas.push(schema);
  }
  return schemas;
}
