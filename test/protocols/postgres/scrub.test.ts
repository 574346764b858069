// What is left of an error of the server that may quote protected values.
import assert from "node:assert/strict";
import { test } from "node:test";
import { scrubbed } from "../../../src/protocols/postgres/scrub.ts";

const text = "SELECT (ssn || '(int,int)')::regoperator, ssn::regclass FROM people";
/** As the server says it while a statement runs: without a position. */
const said = (C: string, M: string) =>
  scrubbed({ S: "ERROR", V: "ERROR", C, M, F: "regproc.c", R: "x" }, "error", { text, statements: [] }).M;

test("a name that is a value goes, quoted or not; one that the client wrote stays", () => {
  // An operator is named without quotes: there is no telling where the name begins.
  assert.doesNotMatch(said("42883", "operator does not exist: +-+(int,int)") ?? "", /\+-\+/);
  assert.doesNotMatch(said("42P01", 'relation "123-45-6789" does not exist') ?? "", /123/);
  assert.equal(said("42P01", 'relation "people" does not exist'), 'relation "people" does not exist');
});
