// The columns of functions in FROM stand where the server has them: what is behind a star is counted by them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { describe, SCOPE, startRich } from "./support.ts";

const rich = await startRich();
await rich.client.query(`
  CREATE DOMAIN many AS address[];
  CREATE DOMAIN spot AS address;
  CREATE FUNCTION one_out(OUT r address) LANGUAGE sql AS 'SELECT NULL::address';
  CREATE FUNCTION one_spot(OUT r spot) LANGUAGE sql AS 'SELECT NULL::spot';
  CREATE FUNCTION one_plain(OUT r int) LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION one_table() RETURNS TABLE (r address) LANGUAGE sql AS 'SELECT NULL::address';
  CREATE FUNCTION one_column() RETURNS TABLE (r text) LANGUAGE sql AS 'SELECT NULL::text';
  CREATE FUNCTION same(x anyelement, OUT y anyelement) LANGUAGE sql AS 'SELECT x';
  CREATE FUNCTION first_of(x anyarray) RETURNS anynonarray LANGUAGE sql AS 'SELECT x[1]';
`);
const catalog = await rich.load();

const KNOWN = [
  "unnest(to_tsvector('simple', 'a'))",
  "unnest('a:1'::tsvector) u",
  "unnest('a:1'::tsvector) WITH ORDINALITY u",
  "unnest(ARRAY[1], 'a:1'::tsvector, ARRAY['x'])",
  "unnest(NULL::address[]) u",
  "unnest(NULL::many) u",
  "unnest(ARRAY[1], NULL::many)",
  "unnest(NULL::spot[])",
  "unnest(NULL::mood[]) u",
  "unnest('1 2'::int2vector)",
  "one_out() f",
  "one_spot()",
  "one_plain() f",
  "one_table()",
  "one_column() f",
  "ROWS FROM (one_table(), one_plain(), generate_series(1, 2))",
  "same(1) f",
  "same(NULL::address)",
  "same(NULL::spot)",
];
/** Only the server knows, or has it only since a later version. */
const UNSURE = [
  "first_of(NULL::many)",
  "first_of(NULL::address[])",
  "same(NULL::many)",
  "unnest('{[1,2)}'::int4multirange)",
];

const outputsOf = (item: string) => {
  const text = `SELECT * FROM ${item} CROSS JOIN hr.employees`;
  const statement = analyze(text, catalog, SCOPE).statements[0]!;
  return { text, known: statement.outputsKnown, names: statement.facts.outputs.map(({ name }) => name) };
};

for (const item of [...KNOWN, ...UNSURE])
  test(item, async (t) => {
    const { text, known, names } = outputsOf(item);
    if (KNOWN.includes(item)) assert.ok(known);
    if (!known) return;
    const fields = await describe(rich.client, text).catch((error: { code?: string }) => {
      if (error.code !== "42704") throw error;
      return undefined;
    });
    if (fields === undefined) t.skip("not on this server");
    else
      assert.deepEqual(
        names,
        fields.map(({ name }) => name),
      );
  });

test("a function of users by the name of the server's", async () => {
  await rich.client.query("CREATE FUNCTION unnest(address) RETURNS TABLE (a int, b int) LANGUAGE sql AS 'SELECT 1, 2'");
  const [statement] = analyze("SELECT * FROM unnest(NULL::address)", await rich.load(), SCOPE).statements;
  assert.deepEqual(
    statement!.facts.outputs.map(({ name }) => name),
    ["a", "b"],
  );
});
