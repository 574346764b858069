// Does a column that the facts do not name decide anything that can be seen? Asks a real server: runs a statement, changes every other column, runs it again.
import type pg from "pg";
import { type Analysis, analyze } from "../../../src/sql/postgres/analyze.ts";
import type { Catalog } from "../../../src/sql/postgres/catalog.ts";
import { SCOPE } from "./support.ts";

/** Rows enough that filters, orders and groups have something to decide, and a look at everything that a statement may have written. */
export const INFLUENCE_SQL = `
INSERT INTO public.customers (name, email, phone, city, home, tags, extra) VALUES
  ('Bea', 'bea@example.org', '111', 'Paris', ('Rue 1', 'Paris', '75'), '{a,b}', '{"a": "x", "b": {"d": 1}}'), ('Cy', NULL, '222', 'Paris', NULL, '{c}', '{"a": 2}');
INSERT INTO hr.employees VALUES (2, 'Cleo', 'clerk', 'ada@example.org', '987-65-4321', 50, 1), (3, 'Dan', 'clerk', NULL, NULL, 100, 2);
INSERT INTO public.orders VALUES (2, 1, '2020-01-01', 'x', 20), (3, 2, '2021-01-01', '987-65-4321', 5);
INSERT INTO public.order_items VALUES (1, 1, 2, 3), (2, 2, 1, 4);
INSERT INTO app.log (note) VALUES ('first'), ('x');
INSERT INTO public.people VALUES (1, 'Pat');
INSERT INTO public.patients VALUES (2, 'Quin', 'flu');
INSERT INTO public.events VALUES (1, '2025-05-05', 'login');
INSERT INTO public.stamped (id, note, feeling) VALUES (9, 'x', 'ok');
INSERT INTO public.ruled VALUES (1, 'r');
INSERT INTO public."Odd Name" VALUES (1, 'odd@example.org', 's');
INSERT INTO hr.payroll SELECT 2, 'GB82WEST12345698765432', 1, false, '2021-03-03', '{4}', '[2021-01-01,2022-01-01)', '{"a": 7}', '\\x03', '<r><a>2</a></r>', 'sad', ARRAY[('s', 'c', 'z')::public.address];
CREATE SCHEMA influence;
CREATE FUNCTION influence.tables(except_columns text[]) RETURNS TABLE (relation text, content text) LANGUAGE plpgsql SET search_path = public AS $$
DECLARE r record; columns text;
BEGIN
  FOR r IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND n.nspname IN ('public', 'hr', 'app') ORDER BY 1 LOOP
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
      WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND NOT (r.oid::regclass::text || '.' || quote_ident(attname)) = ANY (except_columns);
    relation := r.oid::regclass::text;
    EXECUTE format('SELECT string_agg(t::text, E''\\n'' ORDER BY t::text) FROM (SELECT %s FROM ONLY %s) t', columns, relation) INTO content;
    RETURN NEXT;
  END LOOP;
END $$;
`;

/** `relation` and `name` as SQL has them; `key`: schema, table and column as facts have them. */
type Cell = {
  readonly key: string;
  readonly relation: string;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
};

/** Other values, by type: another one, one that casts to nearly anything and is empty-ish, none. */
const OTHERS: { readonly [type: string]: readonly [string, string] } = {
  text: ["'m' || coalesce(%, '')", "#::text"],
  "character varying": ["left('m' || %, 20)", "#::text"],
  integer: ["% + 7", "0"],
  numeric: ["% + 7", "0"],
  bigint: ["% + 7", "0"],
  date: ["% + 400", "'1999-01-01'"],
  "timestamp with time zone": ["% + interval '400 days'", "'1999-01-01'::timestamptz + # * interval '1 day'"],
  boolean: ["NOT %", "true"],
  "text[]": ["ARRAY['m'] || %", "'{}'"],
  "integer[]": ["ARRAY[7] || %", "'{}'"],
  jsonb: [`jsonb_build_object('a', 'm', 'ssn', %)`, "'{}'"],
  bytea: ["'\\x6d' || %", "''"],
  xml: ["'<r><a>7</a></r>'", "'<r/>'"],
  daterange: ["'[2000-01-01,2000-02-01)'", "'empty'"],
  mood: ["CASE WHEN % = 'happy' THEN 'sad' ELSE 'happy' END::public.mood", "'sad'"],
  positive: ["% + 7", "1"],
  address: ["ROW('m', (%).city, 'z')::public.address", "ROW('', '', '')::public.address"],
  "address[]": ["ARRAY[ROW('m', 'm', 'z')::public.address] || %", "'{}'"],
};
const SAME_ROWS = [
  ["public.people", "public.patients"],
  ["public.events", "public.events_2025"],
] as const;
const ROW_NUMBER = "((ctid::text::point)[1])::int";
export const VARIANTS = ["another", "plain", "none"] as const;
const STATEMENT_TIMEOUT = "57014";
type Variant = (typeof VARIANTS)[number];

export type Miss = {
  readonly text: string;
  readonly variant: Variant;
  readonly columns: readonly string[];
  readonly before: string;
  readonly after: string;
};

export class Influence {
  readonly #client: pg.Client;
  readonly #catalog: Catalog;
  #cells: readonly Cell[] = [];
  #notices: string[] = [];
  #timedOut = false;

  constructor(client: pg.Client, catalog: Catalog) {
    this.#client = client;
    this.#catalog = catalog;
    client.on("notice", (notice) => this.#notices.push(String(notice.message)));
    (client as unknown as { connection: NodeJS.EventEmitter }).connection.on("copyData", (message: { chunk: Buffer }) =>
      this.#notices.push(message.chunk.toString()),
    );
  }

  /** Keys are left alone: they hold rows together, and which exist is not a secret that facts keep. */
  async start(): Promise<void> {
    const { rows } = await this.#client.query({
      text: `SELECT n.nspname || '.' || c.relname || '.' || a.attname, c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, NULL), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        WHERE c.relkind IN ('r') AND n.nspname IN ('public', 'hr', 'app')
          AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f') AND a.attnum = ANY (k.conkey)) ORDER BY c.oid, a.attnum`,
      rowMode: "array",
    });
    this.#cells = (rows as [string, string, string, string, boolean][]).map(([key, relation, name, type, notNull]) => ({
      key,
      relation,
      name,
      type,
      notNull,
    }));
  }

  /** Undefined: nothing that the facts leave out decides anything, or the statement cannot be asked about. */
  async miss(text: string): Promise<Miss | undefined | "not asked"> {
    const analysis = analyze(text, this.#catalog, SCOPE, { normalized: false, fingerprint: false });
    if (!canBeAsked(text, analysis)) return "not asked";
    this.#timedOut = false;
    const named = this.#named(analysis);
    const others = this.#cells.filter((cell) => !named.has(cell.key));
    for (const variant of VARIANTS) {
      const changed = others.filter((cell) => variant !== "none" || !cell.notNull);
      const before = await this.#observe(text, changed, undefined);
      const after = await this.#observe(text, changed, variant);
      if (this.#timedOut) return "not asked";
      if (before === after) continue;
      // What differs from one run to the next tells nothing.
      if (before !== (await this.#observe(text, changed, undefined))) return "not asked";
      const columns: string[] = [];
      // The first few are enough to look for the reason.
      for (const cell of changed)
        if (
          columns.length < 3 &&
          (await this.#observe(text, [cell], undefined)) !== (await this.#observe(text, [cell], variant))
        )
          columns.push(cell.key);
      return { text, variant, columns, before, after };
    }
    return undefined;
  }

  /** Columns that the facts name, and those that are theirs by generation, inheritance or partitioning. */
  #named(analysis: Analysis): ReadonlySet<string> {
    const named = new Set<string>();
    for (const { facts } of analysis.statements)
      for (const { schema, table, column } of facts.columns) {
        named.add(`${schema}.${table}.${column}`);
        for (const [one, other] of SAME_ROWS) {
          if (`${schema}.${table}` === one) named.add(`${other}.${column}`);
          if (`${schema}.${table}` === other) named.add(`${one}.${column}`);
        }
        if (table === "mailboxes" && column === "mail_domain") named.add("public.mailboxes.mail");
      }
    return named;
  }

  /** Everything that can be seen of one run, with these cells changed (`variant`) or written as they are; nothing of it stays. */
  async #observe(text: string, cells: readonly Cell[], variant: Variant | undefined): Promise<string> {
    this.#notices = [];
    const client = this.#client;
    const byRelation = Map.groupBy(cells, (cell) => cell.relation);
    const changes = [...byRelation].map(
      ([relation, list]) =>
        `UPDATE ONLY ${relation} SET ${list.map((cell) => `${cell.name} = ${otherValue(cell, variant)}`).join(", ")}`,
    );
    await client.query(
      [
        "BEGIN",
        "SET LOCAL session_replication_role = replica",
        "SET LOCAL statement_timeout = '500ms'",
        ...changes,
        "SET LOCAL session_replication_role = origin",
        "SAVEPOINT asked",
      ].join(";\n"),
    );
    const seen: unknown[] = [];
    try {
      const parameters = [...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]));
      const values =
        parameters.length === 0 ? {} : { values: Array.from({ length: Math.max(...parameters) }, () => "1") };
      const result = (await client.query({
        text,
        rowMode: "array",
        types: { getTypeParser: () => (value: string) => value } as never,
        ...values,
      })) as unknown as pg.QueryArrayResult;
      // Without ORDER BY the order is the plan's, which may read an index of more columns.
      const rows = result.rows.map((row) => JSON.stringify(row));
      seen.push(result.command, result.rowCount, / order by /i.test(text) ? rows : rows.sort());
      seen.push(
        (
          await client.query({
            text: "SELECT * FROM influence.tables($1)",
            values: [cells.map((cell) => `${cell.relation}.${cell.name}`)],
            rowMode: "array",
          })
        ).rows,
      );
    } catch (thrown) {
      // Details quote whole rows: the gate passes none of them on where anything tagged is touched.
      const { code, message } = thrown as { code: string; message: string };
      if (code === STATEMENT_TIMEOUT) this.#timedOut = true;
      seen.push(code, message);
    }
    await client.query("ROLLBACK");
    return JSON.stringify([seen, this.#notices], null, 1);
  }
}

function otherValue(cell: Cell, variant: Variant | undefined): string {
  if (variant === undefined) return cell.name;
  if (variant === "none") return "NULL";
  const other = OTHERS[cell.type];
  if (other === undefined) throw new Error(`no other value of the type ${cell.type}`);
  return other[variant === "another" ? 0 : 1].replaceAll("%", cell.name).replaceAll("#", ROW_NUMBER);
}

/** What is opaque says of itself that it may depend on anything; what acts outside of its transaction is not run. */
function canBeAsked(text: string, { statements, unresolved }: Analysis): boolean {
  const statement = statements[0];
  if (statements.length !== 1 || unresolved || statement === undefined) return false;
  const { facts, outputsKnown, copy } = statement;
  if (!["read", "write", "ddl"].includes(facts.class) || facts.external.length > 0 || copy === "in") return false;
  // It shows how long things took, which may be the same twice by chance.
  if (/^EXPLAIN\b.*\bANALY[SZ]E\b/i.test(text)) return false;
  if (/TABLESAMPLE(?!.*REPEATABLE)/.test(text)) return false;
  if (/database|tablespace|system|subscription|extension|server|function|rename/.test(facts.verb)) return false;
  return (
    outputsKnown &&
    !facts.functions.some((use) => use.opaque) &&
    !facts.outputs.some((output) => output.derivation === "opaque")
  );
}
