// The parser: what it refuses, with which code, and that no text can harm it for the next one.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { RegateError } from "../../../src/errors.ts";
import { fingerprint, normalize, parse, ready } from "../../../src/sql/postgres/parser.ts";

before(() => ready());

const codeOf = (text: string, options = {}): string => {
  try {
    parse(text, options);
    return "parsed";
  } catch (thrown) {
    assert.ok(thrown instanceof RegateError, String(thrown));
    return thrown.code;
  }
};

describe("texts", () => {
  test("nothing, blanks and comments are no statements", () => {
    for (const text of ["", ";", " ;; ", "-- x", "/* a /* b */ */"]) assert.deepEqual(parse(text).stmts, [], text);
  });

  test("offsets are bytes", () => {
    const text = "select 'é'; select 2";
    const [first, second] = parse(text).stmts!;
    assert.equal(Buffer.from(text).toString("utf8", 0, first!.stmt_len), "select 'é'");
    assert.equal(Buffer.from(text).toString("utf8", second!.stmt_location).trim(), "select 2");
  });

  test("a syntax error carries the parser's message and position, and the parser goes on", () => {
    assert.throws(
      () => parse("select é frm from"),
      (error: RegateError) => {
        assert.equal(error.code, "TEXT_UNPARSEABLE");
        assert.equal(error.sqlstate, "42601");
        assert.equal(error.message, "syntax error at end of input");
        assert.equal(error.position, 18);
        return true;
      },
    );
    assert.equal(parse("select 1").stmts!.length, 1);
  });

  test("NUL and lone surrogates are refused, for the parser would read something else than the server", () => {
    assert.equal(codeOf("select 1\0; drop table x"), "TEXT_NOT_UTF8");
    assert.equal(codeOf("select '\ud800'"), "TEXT_NOT_UTF8");
    assert.equal(codeOf("select '😀'"), "parsed");
  });

  test("the limit counts bytes", () => {
    assert.equal(codeOf("select 'aaaa'", { maxBytes: 13 }), "parsed");
    assert.equal(codeOf("select 'aaaaa'", { maxBytes: 13 }), "TEXT_TOO_LONG");
    assert.equal(codeOf("select 'éé'", { maxBytes: 13 }), "parsed");
    assert.equal(codeOf("select 'ééé'", { maxBytes: 13 }), "TEXT_TOO_LONG");
    assert.equal(codeOf(`${" ".repeat(2 * 1024 * 1024)}DELETE FROM orders`), "TEXT_TOO_LONG");
  });

  test("normalized and fingerprint are for people", () => {
    assert.equal(normalize("select 'secret', 1"), "select $1, $2");
    assert.equal(fingerprint("select 1"), fingerprint("select  2"));
    assert.equal(normalize(""), "");
  });
});

describe("complexity", () => {
  const chains: readonly (readonly [name: string, text: string])[] = [
    ["a chain of additions", `select ${"1+".repeat(20_000)}1`],
    ["a chain of negations", `select ${"not ".repeat(20_000)}true`],
    ["a chain of unions", `select 1 ${"union select 1 ".repeat(20_000)}`],
    ["a chain of casts", `select x${"::int".repeat(20_000)}`],
    ["a chain of concatenations in a function's argument", `select f(${"'a'||".repeat(20_000)}'b')`],
    ["parentheses", `select ${"(".repeat(20_000)}1${")".repeat(20_000)}`],
    ["brackets", `select ${"array[".repeat(20_000)}1${"]".repeat(20_000)}`],
    ["subselects", `select ${"(select ".repeat(5_000)}1${")".repeat(5_000)}`],
  ];
  for (const [name, text] of chains) {
    test(`${name}: refused before it can harm the parser`, () => assert.equal(codeOf(text), "TEXT_TOO_COMPLEX"));
  }

  test("long lists are not complex", () => {
    assert.equal(
      codeOf(
        `insert into t values ${Array.from({ length: 20_000 }, (_, i) => `(${i}, '2020-01-01', -1.5)`).join(", ")}`,
      ),
      "parsed",
    );
    assert.equal(
      codeOf(`select * from t where ${Array.from({ length: 8_000 }, (_, i) => `id = ${i}`).join(" or ")}`),
      "parsed",
    );
    assert.equal(
      codeOf(
        `select '${"+(".repeat(50_000)}', $$${"[-".repeat(50_000)}$$ /* ${"((".repeat(9_000)} */ -- ${"((".repeat(9_000)}`,
      ),
      "parsed",
    );
    assert.equal(codeOf(`select E'${"\\'(".repeat(20_000)}'`), "parsed");
  });

  test("texts that overflow the parser's stack are refused, and it is replaced", async () => {
    // Each comma ends a chain, so this is not counted beforehand. About forty of these end an instance for good.
    const text = `select 1, 1 ${"union select 1, 1 ".repeat(50_000)}`;
    for (let round = 0; round < 45; round++) {
      assert.equal(codeOf(text), "TEXT_TOO_COMPLEX");
      // A new instance is made meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.equal(codeOf("select 1"), "parsed");
  });
});
