// Expressions that fail for some values only are not total; their neighbours, which never do, stay so.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const { catalog, query } = await startRich(`
  CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
  CREATE SCHEMA own;
  CREATE COLLATION own.nd (provider = icu, locale = 'und', deterministic = false);
  CREATE TABLE public.kept (id int PRIMARY KEY, word text, n int, since date, c text COLLATE "C", p text COLLATE "POSIX", n_d text COLLATE own.nd);
  CREATE VIEW own.v AS SELECT c AS t FROM kept;
  INSERT INTO kept VALUES (1, 'a', 1, '2025-01-01', 'c', 'p', 'n'), (2, 'flu', -1, '5874897-12-31', 'c', 'p', 'n');
`);

const isTotal = (text: string): boolean => analyze(text, catalog, SCOPE).statements[0]!.facts.outputs[0]!.total;

/** The server gives a value for the first row and fails for the second. */
function fails(expression: string, from = "kept"): void {
  test(expression, async () => {
    const text = `SELECT ${expression} FROM ${from}`;
    await query(`SELECT count(x) FROM (${text} WHERE kept.id = 1 OFFSET 0) s(x)`);
    await assert.rejects(query(`SELECT count(x) FROM (${text} WHERE kept.id = 2 OFFSET 0) s(x)`));
    assert.equal(isTotal(text), false);
  });
}

/** The server gives a value for both. */
function gives(expression: string, from = "kept"): void {
  test(expression, async () => {
    const text = `SELECT ${expression} FROM ${from}`;
    await query(`SELECT count(x) FROM (${text} OFFSET 0) s(x)`);
    assert.equal(isTotal(text), true);
  });
}

describe("arrays of domains have elements that meet its constraints", () => {
  fails("ARRAY[n]::public.positive[]");
  fails("coalesce(NULL::public.positive[], ARRAY[n])");
  fails("CASE WHEN id > 0 THEN ARRAY[n] ELSE NULL::public.positive[] END");
  gives("ARRAY[n]::bigint[]");
  gives("coalesce(NULL::bigint[], ARRAY[n])");
});

describe("arguments of anycompatible are converted", () => {
  fails("lag(since, 0, now()) OVER ()");
  fails("lead(since, 0, now()) OVER ()");
  fails("array_replace(ARRAY[since], now(), now())");
  gives("lag(since, 0, since) OVER ()");
  gives("lag(n, 0, 5::bigint) OVER ()");
  gives("lag(word, 0, 'x') OVER ()");
  gives("array_replace(ARRAY[since], since, '2025-05-05')");
});

describe("rows are compared field by field only where both are written as rows", () => {
  const two =
    "kept CROSS JOIN (SELECT 'flu'::text AS word, 1::bigint AS n OFFSET 0) b CROSS JOIN LATERAL (SELECT kept.word, kept.n OFFSET 0) a";
  for (const expression of [
    "a IS DISTINCT FROM b",
    "a IS NOT DISTINCT FROM b",
    "a IN (b)",
    "a IN (ROW('flu'::text, 1::bigint))",
    "a IS DISTINCT FROM ROW('flu'::text, 1::bigint)",
    "ROW(kept.word, kept.n) NOT IN (b)",
    "ROW(ROW(kept.word, kept.n)) = ROW(b)",
    "ROW(ROW(kept.word, kept.n), 1) IS DISTINCT FROM ROW(ROW('flu'::text, 1::bigint), 1)",
    "a BETWEEN b AND b",
  ])
    fails(expression, two);
  for (const expression of [
    "ROW(a.word, a.n) IS DISTINCT FROM ROW(b.word, b.n)",
    "(a.word, a.n) IN ((b.word, b.n), ('x', 5))",
    "(a.word, a.n) >= (b.word, 1)",
    "(a.word, a.n) BETWEEN (b.word, b.n) AND ROW('z', 9)",
  ])
    gives(expression, two);
});

describe("texts of different collations cannot be compared", () => {
  const other = `kept CROSS JOIN (SELECT 'a'::text COLLATE "C" AS x, 'b'::text COLLATE "POSIX" AS y, 'c'::text COLLATE "C" AS z,
    current_user AS u OFFSET 0) o CROSS JOIN (SELECT a.m FROM (SELECT 'a'::text COLLATE "C" AS m OFFSET 0) a
    UNION ALL SELECT b.m FROM (SELECT 'b'::text COLLATE "POSIX" AS m OFFSET 0) b LIMIT 1) o2
    CROSS JOIN LATERAL (VALUES (kept.c), (kept.p)) o3(v) CROSS JOIN own.v b JOIN (SELECT c AS k FROM kept) o4 ON true`;
  const reached = (expression: string): string => `CASE WHEN word = 'flu' THEN ${expression} END IS NOT NULL`;
  for (const expression of [
    "x < y",
    "lower(x || y)",
    "m < m",
    "greatest(x, y)",
    "x BETWEEN 'a' AND y",
    "x IN ('q', y)",
    "y = ANY (ARRAY[x])",
    "ROW(1, x) IS DISTINCT FROM ROW(1, y)",
    "nullif(x, y)",
    "CASE x WHEN y THEN 1 END",
    "u < y",
    "c = p",
    "c::varchar < upper(p)",
    "coalesce(c, p) < 'a'",
    "v < v",
    "b.t < p",
    "k < p",
    "starts_with(word COLLATE own.nd, word)",
    "starts_with(n_d, 'x')",
  ])
    fails(reached(expression), other);
  for (const expression of [
    "x < z",
    "x < word",
    "c < 'a'",
    "c < x",
    "u < c",
    "lower(x || word)",
    "x || y",
    "coalesce(c, p)",
    'c < (p COLLATE "C")',
    "n_d = word",
    "greatest(n_d, word)",
    "ROW(c, p) = ROW('a', 'b')",
    "x = 'a' AND y = 'b'",
    "length(c) < length(p)",
    "count(n_d) OVER ()",
  ])
    gives(reached(expression), other);
});
