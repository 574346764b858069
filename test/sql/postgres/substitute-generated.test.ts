// Generated statements, rewritten: they run wherever the original does, and on two databases whose protected cells differ they show the same.
import assert from "node:assert/strict";
import test from "node:test";
import { substitute } from "../../../src/sql/postgres/substitute.ts";
import { wideSql } from "./generator/schema.ts";
import { statement } from "./generator/statement.ts";
import { readWorld } from "./generator/world.ts";
import { outcome, replacementsFor, startTwins } from "./substitute-support.ts";
import { describe, queryOf, SCOPE } from "./support.ts";

const SEED = Number(process.env.REGATE_TEST_SEED ?? 1);
const COUNT = Number(process.env.REGATE_TEST_COUNT ?? 300);
const SCHEMAS = ["public", "hr", "app", "lab"];

const twins = await startTwins(wideSql, "", {});
const { rows: columns } = await twins.left.query(
  `
  SELECT n.nspname AS schema, c.relname AS table, a.attname AS column, t.typcategory AS category, c.relkind AS kind
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
  WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition AND (a.attnum > 1 OR c.relkind IN ('v', 'm')) AND NOT a.attisdropped AND a.attgenerated = ''
  ORDER BY c.oid, a.attnum`,
  [SCHEMAS],
);
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const tags: { [column: string]: string[] } = {};
const masks: { [column: string]: { mask: string } } = {};
for (const [at, each] of columns.entries()) {
  // Which of a view's cells are NULL may differ with what it is computed of.
  if (!"rp".includes(each.kind)) masks[each.column] = { mask: "null" };
  if (at % 2 === 1 || !"rp".includes(each.kind)) continue;
  const name = quote(each.column);
  const other = each.category === "S" ? `${name} || 'x'` : each.category === "N" ? `${name} + 1` : "NULL";
  await twins.right.query(`UPDATE ${quote(each.schema)}.${quote(each.table)} SET ${name} = ${other}`).then(
    () => {
      tags[[each.schema, each.table, each.column].map(quote).join(".")] = ["pii"];
      masks[each.column] = { mask: masks[each.column]?.mask !== "null" && each.category === "S" ? "redact" : "null" };
    },
    // A check, a trigger or a key does not take it: then it stays as it is, and untagged.
    () => undefined,
  );
}
const catalog = await twins.load(tags);
const world = await readWorld(queryOf(twins.left));

/** What the server says of names and types: it refuses what it took before. */
const MEANING = /^42/;
/** Says something else each time. */
const TIME = /\b(now|random|clock_timestamp|age|current_\w+|localtime\w*)\b/i;
/** A row of a sub-select is of no table's type: the server says so where one is needed. */
const ROW_TYPE = /record/;

/** Some of what it took it refuses when it runs; and what GROUPING names must be written as in GROUP BY, sub-selects included. */
async function refusesToo(text: string, code: string | undefined): Promise<boolean> {
  if (code === "42803" && /\bGROUPING\(/.test(text)) return true;
  await twins.left.query("BEGIN");
  const shown = (await outcome(twins.left, text)) as { code?: string };
  await twins.left.query("ROLLBACK");
  return shown.code === code;
}

test(`generated statements from seed ${SEED}`, async () => {
  const counts = new Map<string, number>();
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const misses: string[] = [];
  for (let seed = SEED; seed < SEED + COUNT; seed++) {
    const { text } = statement(world, seed);
    const accepted = await describe(twins.left, text).then(
      () => true,
      () => false,
    );
    if (!accepted || /\$\d/.test(text)) continue;
    const replacements = replacementsFor(catalog, text, masks);
    if (replacements.size === 0) continue;
    const result = substitute(text, catalog, SCOPE, replacements);
    if ("impossible" in result) {
      count(result.impossible.replaceAll(/\b[\w"]+\.[\w" ü]+/gi, "T").replaceAll(/column \S+/g, "column C"));
      continue;
    }
    const shown: unknown[] = [];
    for (const client of [twins.left, twins.right]) {
      await client.query("BEGIN; SET LOCAL statement_timeout = '10s'");
      shown.push(await outcome(client, result.text));
      await client.query("ROLLBACK");
    }
    const facts = result.analysis.command.statements[0]!;
    const bare = facts.outputs.some(({ sources }) => sources.some((source) => source.tags.includes("pii")));
    const [left, right] = shown as { code?: string; message?: string }[];
    const refused = left!.code !== undefined && MEANING.test(left!.code) && !ROW_TYPE.test(left!.message ?? "");
    if (refused && !(await refusesToo(text, left!.code)))
      misses.push(`seed ${seed}: ${left!.code} ${left!.message}\n${text}`);
    else if (!refused && !bare && !TIME.test(text) && JSON.stringify(left) !== JSON.stringify(right)) {
      misses.push(`seed ${seed}: ${JSON.stringify(left)} and ${JSON.stringify(right)}\n${text}\n${result.text}`);
    } else count("rewritten");
  }
  console.log(
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([what, of]) => `${of} ${what}`)
      .join("\n"),
  );
  assert.deepEqual(misses.slice(0, 8), []);
  assert.ok((counts.get("rewritten") ?? 0) > COUNT / 6);
});
