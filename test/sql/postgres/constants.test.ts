// Constants that are written with casts: what the facts say of them is what the server makes of them, or that it is not known.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StatementFacts } from "../../../src/core/facts.ts";
import { analyze, type StatementAnalysis } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const { client, catalog, query } = await startRich(
  `CREATE SCHEMA shadow; CREATE DOMAIN shadow.text AS varchar(3); CREATE SEQUENCE counted`,
  {},
);

const analysed = (text: string, scope: Partial<typeof SCOPE> = {}): StatementAnalysis =>
  analyze(text, catalog, { ...SCOPE, ...scope }).statements[0]!;
const settingOf = (text: string): StatementFacts["settings"][number] => analysed(text).facts.settings[0]!;

/** What the server makes of an expression; undefined: it fails. */
async function made(expression: string): Promise<string | null | undefined> {
  try {
    return (await query(`SELECT (${expression})::text`))[0]![0] as string | null;
  } catch {
    return undefined;
  }
}

const texts: readonly (readonly [expression: string, known: boolean])[] = [
  ["'a, b'", true],
  ["'a, b'::text", true],
  ["'a, b'::varchar", true],
  ["CAST('a, b' AS pg_catalog.text)::character varying", true],
  ["5::text", true],
  ["'a, b'::varchar(3)", false],
  ["'a, b'::varchar(3)::text", false],
  ["'a, b'::char(3)", false],
  ["'a b  '::bpchar", false],
  ["'a, b'::\"char\"", false],
  ["'a, b'::name", false],
  ["'a, b'::text COLLATE \"C\"", false],
  ["B'101'::text", false],
  ["1e3::text", false],
  ["'07'::int::text", false],
  ["'{a}'::text[]::text", false],
];

describe("a text", () => {
  for (const [expression, known] of texts)
    test(expression, async () => {
      const { value } = settingOf(`SELECT set_config('app.x', ${expression}, false)`);
      assert.equal(value, known ? await made(expression) : null);
      const name = expression.replaceAll("a, b", "app.xyz");
      assert.equal(settingOf(`SELECT set_config(${name}, '', false)`).name, known ? await made(name) : "*");
    });

  test("of a type that stands before the server's", () => {
    const { facts, effects } = analysed("SELECT set_config('search_path', 'app,public'::text, false)", {
      searchPath: ["shadow", "pg_catalog", "public"],
    });
    assert.equal(facts.settings[0]!.value, null);
    assert.equal(effects.path, undefined);
  });

  test("is a path only where all of the call is known", () => {
    const path = (args: string): readonly string[] | undefined =>
      analysed(`SELECT set_config(${args})`).effects.path?.schemas;
    assert.deepEqual(path("'search_path'::text, 'app, public'::text, 'tr'::bool"), ["app", "public"]);
    assert.equal(path("'search_path', 'app,public'::varchar(3), false"), undefined);
    assert.equal(path("'search_path', 'app', '1'::\"char\"::int::bool"), undefined);
    assert.equal(path("'search_path', 'app', $1"), undefined);
  });

  test("names a row of pg_settings", () => {
    const name = (where: string): string =>
      settingOf(`SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = ${where}`).name;
    assert.equal(name("'search_path.x'::text"), "search_path.x");
    assert.equal(name("'search_path.x'::varchar(11)"), "*");
  });
});

describe("a truth value", () => {
  const words = "t tr tru true y ye yes on 1 T YeS f fa fal fals false n no of off 0 o 2 x truex";
  for (const word of [...words.split(" "), " t ", "\tyes\n", "\u00a0t", ""])
    for (const written of [`'${word}'`, `'${word}'::bool`, `'${word}'::text::bool`])
      test(JSON.stringify(written), async () => {
        const { facts, effects } = analysed(`SELECT set_config('search_path', 'app', ${written})`);
        const server = await made(`${written}::bool`);
        assert.equal(effects.path?.local, server === undefined ? undefined : server === "true");
        assert.equal(facts.settings[0]!.local, server === "true");
      });
  for (const written of ["true", "FALSE", "1::bool", "NULL", "NULL::bool"])
    test(written, async () => {
      const { effects } = analysed(`SELECT set_config('search_path', 'app', ${written})`);
      assert.equal(effects.path?.local, (await made(written)) === "true");
    });
});

describe("a limit", () => {
  const limits: readonly (readonly [written: string, limit: number | null])[] = [
    ["5", 5],
    ["5::bigint", 5],
    ["'5'", 5],
    ["'5'::bigint", 5],
    ["'5'::text::int", 5],
    ["5::smallint::int8", 5],
    ["2.5", 3],
    ["'1'::\"char\"::int", null],
    ["'-1'::oid::bigint", null],
    ["2.5::int", null],
    ["'55'::varchar(1)::int", null],
    ["16777219::float4::int", null],
    ["NULL::int", null],
  ];
  for (const [written, limit] of limits)
    test(written, async () => {
      assert.equal(analysed(`SELECT 1 LIMIT ${written}`).facts.limit, limit);
      const rows = await client.query(`SELECT 1 FROM generate_series(1, 100) LIMIT ${written}`);
      assert.ok(limit === null || rows.rowCount! <= limit);
    });
});

test("names of sequences and keys of locks are read through the casts that tools write", () => {
  const { facts } = analysed("SELECT pg_advisory_lock('7'::bigint), pg_advisory_lock('1'::\"char\"::int, 2)");
  assert.deepEqual(
    facts.locks.map(({ name }) => name),
    ["7", ""],
  );
  const counted = (name: string): readonly string[] =>
    analysed(`SELECT nextval(${name})`).facts.writes.map(({ table }) => table ?? "");
  assert.deepEqual(counted("'counted'::regclass"), ["counted"]);
  assert.deepEqual(counted("'counted'::text::regclass"), ["counted"]);
  assert.deepEqual(counted("'countedx'::varchar(7)::regclass"), [""]);
});
