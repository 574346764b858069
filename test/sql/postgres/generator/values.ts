// Runs a statement, changes one column of one table, and runs it again: what changes depends on that column, and the facts must say so.
import type { StatementAnalysis } from "../../../../src/sql/postgres/analyze.ts";
import type { Choices } from "./choices.ts";
import type { Miss } from "./oracles.ts";
import type { ServerLineage } from "./server-lineage.ts";
import type { ServerSide } from "./server-side.ts";
import type { Field, Table, World } from "./world.ts";
import { quoted } from "./world.ts";

/** Another value for each, and values that functions stumble over. */
const CHANGES: Readonly<Record<string, readonly [other: string, ...nasty: string[]]>> = {
  text: ["$ || 'x'", "''", "repeat('%', 300)", "'{'"],
  int: ["$ + 1000", "2147483647", "0", "-2147483648"],
  bigint: ["$ + 1000", "9223372036854775807"],
  numeric: ["$ + 1000", "'NaN'"],
  "numeric(10,2)": ["$ + 1000"],
  float8: ["$ + 1000", "'NaN'", "'infinity'"],
  bool: ["NOT $"],
  date: ["$ + 1", "'infinity'"],
  timestamptz: ["$ + interval '1 day'", "'infinity'", "'-infinity'"],
  jsonb: ["jsonb_build_object('a', $)", "'null'", "'[]'"],
  "text[]": ["array_append($, 'x')", "'{}'", "'[5:6]={a,NULL}'"],
  "int[]": ["array_append($, 7)", "'{}'"],
  mood: ["CASE $ WHEN 'ok' THEN 'sad'::public.mood ELSE 'ok' END"],
};
/** Generated columns are made of these: what changes them, changes those. */
const FEEDING = new Set(["public.shapes.amount", "public.shapes.name", "public.mailboxes.mail"]);
/** Partitions and what inherits: read through their parents, whose columns the facts name. */
const PARTS = /^((readings|events)_.*|patients|cars|taxis)$/;
const SETTINGS = [
  "session_replication_role = replica",
  "debug_print_parse = off",
  "client_min_messages = warning",
  "statement_timeout = '300ms'",
  "enable_indexscan = off",
  "enable_indexonlyscan = off",
  "enable_bitmapscan = off",
];

type Rows = readonly (readonly (string | null)[])[];
export type Tried = { changes: number; totals: number; views: number };

export class Values {
  readonly #server: ServerSide;
  readonly #tables = new Map<string, Table>();

  constructor(server: ServerSide, world: World) {
    this.#server = server;
    for (const table of world.tables) {
      if (table.kind === "r" && !PARTS.test(table.name)) this.#tables.set(`${table.schema}.${table.name}`, table);
    }
  }

  async judge(
    text: string,
    analysis: StatementAnalysis,
    lineage: ServerLineage,
    choices: Choices,
    tried: Tried,
  ): Promise<Miss[]> {
    // What is cut off among equals depends on the plan, and so on the size of rows.
    if (/random\(|JSON_TABLE|LIMIT|FETCH|OFFSET|DISTINCT ON|array_agg|string_agg|json/i.test(text)) return [];
    const tables = analysis.facts.relations.flatMap(({ schema, name }) => this.#tables.get(`${schema}.${name}`) ?? []);
    if (tables.length === 0) return [];
    const table = choices.pick(tables);
    const field = choices.pick(table.fields.filter((each) => each.type in CHANGES));
    const qualified = `${table.schema}.${table.name}.${field?.name}`;
    if (field === undefined || FEEDING.has(qualified)) return [];
    const [other, ...nasty] = CHANGES[field.type]!;
    const client = this.#server.client;
    await client.query(`BEGIN; ${SETTINGS.map((setting) => `SET LOCAL ${setting};`).join(" ")} SAVEPOINT before`);
    try {
      // Rows move when they are updated, so they are updated both times.
      const before = await this.#after(table, field, "$", text);
      if (!("rows" in before)) return [];
      tried.changes++;
      const misses = this.#compare(analysis, field, table, before.rows, await this.#after(table, field, other, text));
      if (lineage.deciding.size > 0 || analysis.facts.outputs.some((output) => !output.total)) return misses;
      tried.totals++;
      for (const value of nasty) {
        const then = await this.#after(table, field, value, text);
        if ("failed" in then) misses.push({ kind: "total", detail: `${qualified} = ${value}: ${then.failed}` });
      }
      return misses;
    } finally {
      await client.query("ROLLBACK");
    }
  }

  #compare(analysis: StatementAnalysis, field: Field, table: Table, before: Rows, after: Answer): Miss[] {
    const isIt = (source: { schema: string; table: string; column: string }): boolean =>
      source.schema === table.schema && source.table === table.name && source.column === field.name;
    const where = `${table.schema}.${table.name}.${field.name}`;
    const uses = analysis.facts.columns.find(isIt)?.uses ?? [];
    if ("updateFailed" in after) return [];
    if ("failed" in after)
      return uses.length > 0
        ? []
        : [{ kind: "value", detail: `${where} makes it fail (${after.failed}), and is not used` }];
    const decides = uses.some((use) => use !== "output" && !use.startsWith("write_"));
    if (decides) return [];
    if (before.length !== after.rows.length)
      return [{ kind: "value", detail: `${where} decides how many rows there are` }];
    return analysis.facts.outputs.flatMap((output, at) => {
      const column = (rows: Rows): string =>
        rows
          .map((row) => JSON.stringify(row[at]))
          .sort()
          .join();
      const changed = column(before) !== column(after.rows);
      return changed && !output.sources.some(isIt)
        ? [{ kind: "value", detail: `output ${at + 1} depends on ${where}` }]
        : [];
    });
  }

  /** The rows of the statement after a column has been set for all rows of a table; everything is undone. */
  async #after(table: Table, field: Field, value: string, text: string): Promise<Answer> {
    const { client } = this.#server;
    const name = quoted(field.name);
    try {
      await client.query(
        `UPDATE ONLY ${quoted(table.schema)}.${quoted(table.name)} SET ${name} = ${value.replaceAll("$", () => name)}`,
      );
    } catch {
      await client.query("ROLLBACK TO before");
      return { updateFailed: true };
    }
    try {
      const { rows } = await client.query({ text, rowMode: "array", types: asText as never });
      return { rows: rows as Rows };
    } catch (thrown) {
      return { failed: (thrown as Error).message };
    } finally {
      await client.query("ROLLBACK TO before");
    }
  }
}

const asText = { getTypeParser: () => (value: string) => value };
type Answer = { rows: Rows } | { failed: string } | { updateFailed: true };
