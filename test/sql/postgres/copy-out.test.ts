// What a COPY will send, read from its text: options as the server reads them, and the query behind it.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type CopyFormat, copyOut } from "../../../src/sql/postgres/copy-out.ts";
import { ready } from "../../../src/sql/postgres/parser.ts";

before(ready);

const text: CopyFormat = { format: "text", delimiter: 9, null: Buffer.from("\\N"), header: false };
const csv: CopyFormat = {
  format: "csv",
  delimiter: 44,
  null: Buffer.from(""),
  header: false,
  quote: 34,
  escape: 34,
  forceQuote: [],
};

test("options", () => {
  const known: readonly (readonly [string, CopyFormat])[] = [
    ["", text],
    ["(FORMAT text, HEADER 0)", text],
    ["(FORMAT 'binary')", { format: "binary" }],
    ["BINARY", { format: "binary" }],
    ["(HEADER)", { ...text, header: true }],
    ["(DELIMITER 5, NULL 7)", { ...text, delimiter: 53, null: Buffer.from("7") } as CopyFormat],
    ["DELIMITERS '|' WITH NULL AS 'a\\\\'", { ...text, delimiter: 124, null: Buffer.from("a\\\\") } as CopyFormat],
    ["CSV", csv],
    ["(FORMAT csv, HEADER 1, FREEZE false, ENCODING 'utf-8')", { ...csv, header: true }],
    ["(FORMAT csv, HEADER ON, QUOTE '''')", { ...csv, header: true, quote: 39, escape: 39 } as CopyFormat],
    ["(FORMAT csv, ESCAPE E'\\\\', FORCE_QUOTE *)", { ...csv, escape: 92, forceQuote: ["*"] } as CopyFormat],
    ['CSV FORCE QUOTE b, "C d"', { ...csv, forceQuote: ["b", "C d"] } as CopyFormat],
  ];
  for (const [options, expected] of known)
    assert.deepEqual(copyOut(`COPY t TO STDOUT ${options}`, 0, []).format, expected, options);
  for (const options of [
    "(FORMAT 'CSV')",
    "(FORMAT 'json')",
    "(FRESH)",
    "(FORMAT csv, FORMAT csv)",
    "(ENCODING 'latin1')",
    "(DELIMITER 'ab')",
    "(DELIMITER 'ü')",
    "(DELIMITER)",
    "(HEADER match)",
    "(HEADER 2)",
    "(NULL 'a\\')",
    "(NULL '\\\\\\')",
    "(QUOTE 'x')",
    "(FORMAT csv, QUOTE E'\\n')",
    "(FORMAT csv, ESCAPE E'\\r')",
  ])
    assert.ok("impossible" in copyOut(`COPY t TO STDOUT ${options}`, 0, []).format, options);
});

test("the query stands where it stands in the text", () => {
  const queries: readonly (readonly [string, string])[] = [
    ["COPY(SELECT 1)TO STDOUT", "     SELECT 1"],
    [
      "COPY /* ü ( */ (SELECT ')', \"(\" FROM (SELECT 2) x -- )\n) TO STDOUT (FORMAT csv)",
      `                ${"SELECT ')', \"(\" FROM (SELECT 2) x -- )\n"}`,
    ],
    ["COPY ((VALUES ($$)$$))) TO STDOUT", "      (VALUES ($$)$$))"],
    ['COPY "a""b".t ("C d", e) TO STDOUT', 'SELECT "C d", "e" FROM ONLY "a""b"."t"'],
    ["COPY t TO STDOUT", 'SELECT "x", "y" FROM ONLY "t"'],
  ];
  for (const [copy, expected] of queries) assert.equal(copyOut(copy, 0, ["x", "y"]).query, expected);
  const before = "SELECT 'é(';";
  assert.equal(copyOut(`${before}COPY (TABLE t) TO STDOUT`, 1, []).query, `${" ".repeat(before.length + 6)}TABLE t`);
});

test("what stands before it must not change what it means", () => {
  const query = (prefix: string): unknown => copyOut(`${prefix}; COPY t TO STDOUT`, 1, []).query;
  for (const prefix of [
    "SELECT 1",
    "DELETE FROM t",
    "BEGIN",
    "START TRANSACTION",
    "SET datestyle = 'ISO'",
    "COPY t TO STDOUT",
  ])
    assert.equal(typeof query(prefix), "string", prefix);
  for (const prefix of [
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "COMMIT",
    "ROLLBACK",
    "SET search_path = x",
    "SET LOCAL search_path TO DEFAULT",
    "SET ROLE x",
    "RESET ALL",
    "SET TRANSACTION READ ONLY",
    "DISCARD ALL",
    "CREATE TABLE x ()",
    "LOCK t",
    "DO $$ $$",
    "CALL x()",
    "EXECUTE x",
  ])
    assert.notEqual(typeof query(prefix), "string", prefix);
});
