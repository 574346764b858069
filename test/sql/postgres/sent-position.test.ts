// Positions in a rewritten text, told in the text as it came.
import assert from "node:assert/strict";
import { test } from "node:test";
import { originalPosition } from "../../../src/sql/postgres/sent-position.ts";

test("what the client wrote is found, and what was put in is not", () => {
  const original = "SELECT é, a FROM tü x, u";
  const edits = [
    { start: 24, end: 25, text: "(SELECT 'ö') AS u" },
    { start: 17, end: 20, text: "(SELECT €)" },
  ];
  const sent = "SELECT é, a FROM (SELECT €) x, (SELECT 'ö') AS u";
  const at = (part: string): number | undefined =>
    originalPosition(original, sent, edits, [...sent.slice(0, sent.indexOf(part))].length + 1);
  assert.equal(at("SELECT é"), 1);
  assert.equal(at("a FROM"), original.indexOf("a FROM") + 1);
  assert.equal(at("x,"), original.indexOf("x,") + 1);
  assert.equal(at("(SELECT €"), undefined);
  assert.equal(at("€"), undefined);
  assert.equal(at("'ö'"), undefined);
});
