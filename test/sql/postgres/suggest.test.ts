// A statement that would pass is found by taking out what does not, and is always tried itself.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ready } from "../../../src/sql/postgres/parser.ts";
import { positionOf } from "../../../src/sql/postgres/position.ts";
import { suggest } from "../../../src/sql/postgres/suggest.ts";

before(ready);
const acts = (text: string): boolean => /sets/.test(text);
const withoutSsn = (text: string): boolean => !/ssn/.test(text.replaceAll(/NULL AS ssn/g, ""));

describe("a statement that would pass", () => {
  for (const [text, expected] of [
    ["SELECT id, upper(ssn) FROM p", "SELECT id, NULL AS upper FROM p"],
    ["SELECT id, ssn::text FROM p", "SELECT id, NULL AS ssn FROM p"],
    ["SELECT id, length(ssn) AS n FROM p", "SELECT id, NULL AS n FROM p"],
    ["SELECT id FROM p WHERE ssn = '1' AND id > 3 AND length(ssn) > 2", "SELECT id FROM p WHERE id > 3"],
    ["SELECT id FROM p WHERE ssn LIKE '1%'", "SELECT id FROM p"],
    ["SELECT id FROM p ORDER BY ssn, id DESC LIMIT 3", "SELECT id FROM p ORDER BY id DESC LIMIT 3"],
    ["SELECT id, count(*) FROM p GROUP BY id, ssn", "SELECT id, count(*) FROM p GROUP BY id"],
    ["SELECT id FROM p GROUP BY id HAVING max(ssn) > '3'", "SELECT id FROM p GROUP BY id"],
    [
      "WITH q AS (SELECT 1) SELECT ssn || 'x' AS y, id FROM p, q",
      "WITH q AS (SELECT 1) SELECT NULL AS y, id FROM p, q",
    ],
    ["SELECT id, ssn || $1 AS x FROM p WHERE id = $2", undefined],
    ["SELECT id, ssn || $2 AS x FROM p WHERE id = $1", "SELECT id, NULL AS x FROM p WHERE id = $1"],
    ["SELECT a.id FROM p a JOIN p b ON a.ssn = b.ssn", undefined],
    ["SELECT left(ssn, 2), upper(ssn) AS u FROM p WHERE id = 1", undefined],
    ["SELECT id, sets(ssn) FROM p", undefined],
    ["SELECT id, sets('x'), upper(ssn) FROM p", "SELECT id, sets('x'), NULL AS upper FROM p"],
    ["SELECT id FROM p WHERE sets(ssn) AND id > 3", undefined],
    ["SELECT ssn FROM p UNION SELECT 'x'", undefined],
    ["DELETE FROM p WHERE ssn = '1'", undefined],
    ["SELECT ssn; SELECT 1", undefined],
    ["SELECT ssn FROM", undefined],
    ["SELECT p.ssn.*, id FROM p", undefined],
    ["SELECT ssn AS s, id, count(*) FROM p GROUP BY ssn, id", "SELECT NULL AS s, id, count(*) FROM p GROUP BY id"],
    ["SELECT id, count(*) FROM p GROUP BY CUBE (id, ssn)", undefined],
    ["SELECT id, count(*) FROM p GROUP BY GROUPING SETS ((id), (ssn))", undefined],
    ["SELECT left(ssn, 2) FROM p ORDER BY id FETCH FIRST 3 ROWS WITH TIES", undefined],
    ["SELECT left(ssn, 2) FROM p, JSON_TABLE('[1]', '$[*]' COLUMNS (a int PATH '$')) j", undefined],
    ["SELECT left(ssn, 2), JSON_OBJECT('a': 1) FROM p", undefined],
  ] as const)
    it(text, () => assert.equal(suggest(text, withoutSsn, acts), expected));

  it("is not named unless it passes as a whole", () => {
    const tried: string[] = [];
    const found = suggest(
      "SELECT id, ssn || 'x' AS y FROM p",
      (text) => {
        tried.push(text);
        return text === "SELECT id FROM p";
      },
      acts,
    );
    assert.equal(found, undefined);
    assert.ok(tried.includes("SELECT id FROM p"), tried.join("\n"));
  });

  it("is not looked for in statements of many parts", () => {
    const text = `SELECT ${Array.from({ length: 30 }, (_, at) => `ssn || '${at}'`).join(", ")} FROM p`;
    assert.equal(
      suggest(text, () => assert.fail("asked"), acts),
      undefined,
    );
  });
});

describe("the position of a refused column", () => {
  for (const [text, statement, column, expected] of [
    ["SELECT id, upper(ssn) FROM p", 0, "ssn", 18],
    ["SELECT 'ä€😀', p.ssn FROM p", 0, "ssn", 15],
    ["SELECT 1;  SELECT ssn FROM p", 1, "ssn", 19],
    ["SELECT * FROM p", 0, "ssn", 8],
    ["SELECT 1;\n  DELETE FROM p", 1, undefined, 13],
    ["SELECT 1", 3, "ssn", undefined],
  ] as const)
    it(`${text} ${statement}`, () => assert.equal(positionOf(text, statement, column), expected));
});
