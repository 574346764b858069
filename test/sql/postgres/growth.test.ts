// Queries whose analysis could grow without bound: each is analysed or refused as too complex, in bounded time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { wideSql } from "./generator/schema.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(wideSql, {});
const times = (count: number, part: (at: number) => string, between: string): string =>
  Array.from({ length: count }, (_, at) => part(at)).join(between);
const nested = (depth: number, around: (inner: string, at: number) => string, innermost: string): string => {
  let text = innermost;
  for (let at = 0; at < depth; at++) text = around(text, at);
  return text;
};

/** Whether it is understood or refused; that it is neither slow nor a crash. */
const TEXTS: readonly (readonly [what: string, text: string, understood: boolean])[] = [
  ["1,600 columns", `SELECT ${times(1_600, (at) => `c.email AS e${at}`, ", ")} FROM customers c`, true],
  [
    "1,600 columns that each depend on everything",
    `SELECT ${times(1_600, () => "row_to_json(c)", ", ")} FROM customers c`,
    true,
  ],
  ["more columns than the server has", `SELECT ${times(1_700, () => "1", ", ")}`, false],
  ["300 joins", `SELECT t0.id FROM ${times(300, (at) => `customers t${at}`, " CROSS JOIN ")}`, true],
  ["all columns of 300 joins", `SELECT * FROM ${times(300, (at) => `customers t${at}`, " CROSS JOIN ")}`, false],
  ["200 natural joins", `SELECT 1 FROM ${times(200, (at) => `customers t${at}`, " NATURAL JOIN ")}`, true],
  [
    "300 sub-selects in FROM, one in the other",
    nested(300, (inner, at) => `SELECT * FROM (${inner}) s${at}`, "TABLE customers"),
    true,
  ],
  [
    "300 sub-selects as values, one in the other",
    nested(300, (inner) => `SELECT (${inner}) FROM customers c`, "SELECT c.email FROM customers c"),
    true,
  ],
  [
    "columns that double",
    `WITH a0 AS (SELECT 1 AS c)${times(40, (at) => `, a${at + 1} AS (SELECT x.*, y.* FROM a${at} x, a${at} y)`, "")} SELECT * FROM a40`,
    false,
  ],
  [
    "rows of rows that double",
    `WITH a0 AS (SELECT c FROM customers c)${times(200, (at) => `, a${at + 1} AS (SELECT row(x.c, y.c) AS c FROM a${at} x, a${at} y)`, "")} SELECT c FROM a200`,
    true,
  ],
  [
    "sums that double",
    `WITH a0 AS (SELECT id AS c FROM customers)${times(200, (at) => `, a${at + 1} AS (SELECT x.c + y.c AS c FROM a${at} x, a${at} y)`, "")} SELECT c FROM a200`,
    true,
  ],
  [
    "500 common table expressions",
    `WITH ${times(500, (at) => `a${at} AS (SELECT * FROM ${at === 0 ? "customers" : `a${at - 1}`})`, ", ")} SELECT * FROM a499`,
    true,
  ],
  [
    "recursions in recursions",
    nested(
      20,
      (inner, at) =>
        `WITH RECURSIVE r${at}(v) AS (SELECT email FROM customers UNION ALL (SELECT r${at}.v || q.v FROM r${at}, (${inner}) q(v))) SELECT v FROM r${at}`,
      "SELECT name FROM customers",
    ),
    false,
  ],
  ["400 set operations", times(400, () => "SELECT email FROM customers", " UNION ALL "), true],
  [
    "values of 2,000 rows with whole rows",
    `SELECT * FROM customers c, LATERAL (VALUES ${times(2_000, () => "(c, c.email)", ", ")}) v(a, b)`,
    true,
  ],
  [
    "grouping sets in grouping sets",
    `SELECT 1 FROM customers GROUP BY ${nested(200, (inner) => `GROUPING SETS (${inner}, ())`, "id")}`,
    true,
  ],
];

for (const [what, text, understood] of TEXTS) {
  test(`${what}: ${understood ? "facts" : "TEXT_TOO_COMPLEX"} in bounded time`, () => {
    // Its own time: others may run beside it.
    const start = process.cpuUsage();
    let code = "";
    try {
      analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false });
    } catch (thrown) {
      code = (thrown as { code?: string }).code ?? String(thrown);
    }
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    assert.equal(code, understood ? "" : "TEXT_TOO_COMPLEX");
    assert.ok(took < 2_500, `it took ${Math.round(took)} ms`);
  });
}
