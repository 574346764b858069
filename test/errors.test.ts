// Every error code is explained in docs/errors.md and used in src, and neither knows one more.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ERRORS, type ErrorCode, type ErrorSpec, errorText, RegateError } from "../src/errors.ts";

const root = join(import.meta.dirname, "..");
const codes = Object.keys(ERRORS) as ErrorCode[];

type Row = { readonly code: string; readonly sqlstate: string; readonly when: string; readonly remedy: string };
const rows: Row[] = [];
for (const line of readFileSync(join(root, "docs/errors.md"), "utf8").split("\n")) {
  const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
  const code = /^`([A-Z][A-Z0-9_]+)`$/.exec(cells[1] ?? "")?.[1];
  if (code !== undefined) rows.push({ code, sqlstate: cells[2] ?? "", when: cells[3] ?? "", remedy: cells[4] ?? "" });
}

const sources = globSync("src/**/*.ts", { cwd: root })
  .filter((file) => file !== join("src", "errors.ts"))
  .map((file) => readFileSync(join(root, file), "utf8").replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, ""));

describe("docs/errors.md", () => {
  test("explains each code once, in the order of the list", () =>
    assert.deepEqual(
      rows.map(({ code }) => code),
      codes,
    ));
  for (const { code, sqlstate, when, remedy } of rows) {
    test(`says of ${code} its SQLSTATE, when it comes, and what to do`, () => {
      assert.equal(sqlstate, (ERRORS as { [name: string]: ErrorSpec })[code]?.sqlstate);
      assert.ok(when.length > 15, when);
      assert.ok(remedy.length > 10, remedy);
    });
  }
});

describe("the list", () => {
  for (const code of codes) {
    test(`${code} is used, has a SQLSTATE and a sentence`, () => {
      const { sqlstate, message } = ERRORS[code];
      assert.match(sqlstate, /^[0-9A-Z]{5}$/);
      assert.match(message, /^[A-Za-z].*[^.]$/);
      assert.ok(
        sources.some((source) => new RegExp(`"${code}"|\\b${code}:|ERRORS\\.${code}\\b`).test(source)),
        "nothing in src uses it",
      );
    });
  }
});

describe("a RegateError", () => {
  test("takes message, SQLSTATE and hint from the list", () => {
    const { message, sqlstate, hint } = ERRORS.TOKEN_EXPIRED;
    const error = new RegateError("TOKEN_EXPIRED");
    assert.deepEqual(
      [error.code, error.message, error.sqlstate, error.hint, error.detail],
      ["TOKEN_EXPIRED", message, sqlstate, hint, undefined],
    );
  });
  test("lets detail, hint, message and cause be said", () => {
    const cause = new Error("why");
    const error = new RegateError("DATA_DIR", { detail: "d", hint: "h", message: "m", cause });
    assert.deepEqual([error.message, error.detail, error.hint, error.cause], ["m", "d", "h", cause]);
  });
});

test("anything that was thrown has a text", () => {
  assert.deepEqual([new Error("a"), "b", { code: 1 }, undefined, Symbol("c")].map(errorText), [
    "a",
    "b",
    '{"code":1}',
    "undefined",
    "Symbol(c)",
  ]);
});
