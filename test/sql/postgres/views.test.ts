// Views whose columns the server computes though nobody asks for them: what is in them counts as used.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const FAILING = "1 / (CASE WHEN secret = 'x' THEN 0 ELSE 1 END)";
const rich = await startRich(`
CREATE TABLE t (id int PRIMARY KEY, secret text);
CREATE VIEW simple AS SELECT id, ${FAILING} AS n FROM t;
CREATE VIEW limited AS SELECT id, ${FAILING} AS n FROM t LIMIT 10;
CREATE VIEW plain_union AS SELECT id, ${FAILING} AS n FROM t UNION ALL SELECT 0, 0 UNION ALL SELECT 1, 1;
CREATE VIEW total_union AS SELECT id, lower(secret) AS n FROM t UNION ALL SELECT 0, 'x' ORDER BY 1;
CREATE VIEW sorted_union AS SELECT id, ${FAILING} AS n FROM t UNION ALL SELECT 0, 0 ORDER BY 1;
CREATE VIEW sorted_arm AS (SELECT id, ${FAILING} AS n FROM t UNION ALL SELECT 0, 0 ORDER BY 1) UNION ALL SELECT 1, 1;
CREATE VIEW mixed_union AS SELECT id, ${FAILING} AS n FROM t UNION ALL (SELECT 1, 1 EXCEPT SELECT 0, 0);
CREATE VIEW wider_union AS SELECT id, ${FAILING} AS n FROM t UNION ALL SELECT 0, 0::bigint;
CREATE VIEW is_volatile AS SELECT id, CASE WHEN random() >= 0 THEN ${FAILING} END AS n FROM t;
CREATE VIEW is_set AS SELECT id, ${FAILING} + generate_series(1, 2) AS n FROM t;
CREATE VIEW grouped AS SELECT 1 AS id, ${FAILING.replace("secret", "max(secret)")} AS n FROM t;
CREATE VIEW above_limited AS SELECT id FROM limited;
CREATE TABLE other (id int PRIMARY KEY);
CREATE FUNCTION locks() RETURNS int LANGUAGE sql AS 'SELECT id FROM limited FOR UPDATE';
CREATE VIEW above AS SELECT id FROM sorted_union;
`);
const uses = (text: string): readonly string[] =>
  analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false }).statements[0]!.facts.columns.flatMap(
    ({ table, column, uses }) => (table === "t" && column === "secret" ? uses : []),
  );

describe("what nobody asks for counts as used", () => {
  for (const view of ["sorted_union", "sorted_arm", "mixed_union", "wider_union", "is_volatile", "is_set", "above"])
    test(view, () => {
      for (const text of [`SELECT id FROM ${view}`, `SELECT count(*) FROM ${view}`])
        assert.ok(uses(text).includes("expression"), text);
    });
});

describe("so it does where rows are marked, and copied in full", () => {
  const MARKING: readonly ((view: string) => string)[] = [
    (view) => `SELECT id FROM ${view} FOR UPDATE`,
    (view) => `SELECT o.id FROM other o, ${view} v WHERE o.id = v.id FOR UPDATE OF o`,
    (view) => `UPDATE other SET id = v.id FROM ${view} v`,
    (view) => `DELETE FROM other USING ${view} v WHERE v.id = other.id`,
    (view) => `MERGE INTO other o USING ${view} v ON v.id = o.id WHEN MATCHED THEN DELETE`,
  ];
  for (const marking of MARKING)
    test(marking("…"), () => {
      for (const view of ["limited", "plain_union", "grouped", "above_limited"])
        assert.ok(uses(marking(view)).includes("expression"), view);
      assert.deepEqual(uses(marking("simple")), []);
    });
  test("in a function", () => {
    assert.ok(uses("SELECT locks()").includes("expression"));
  });
});

describe("what the server leaves out does not", () => {
  for (const view of ["simple", "limited", "plain_union", "total_union", "grouped", "above_limited"])
    test(view, () => {
      assert.deepEqual(uses(`SELECT id FROM ${view}`), []);
    });
});
