// Reading the decision log from its end, and on as it grows, over any cut of its segments.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { endOfLog, linesAfter, linesBefore } from "../../src/audit/read.ts";
import { temporaryFolder } from "../support/folder.ts";

const root = temporaryFolder("read");
let made = 0;
const logOf = (...segments: string[]): string => {
  const dir = join(root, String(made++));
  mkdirSync(dir);
  for (const [at, text] of segments.entries())
    writeFileSync(join(dir, `decisions-${String(at + 1).padStart(6, "0")}.jsonl`), text);
  return dir;
};
const before = (dir: string): string[] => [...linesBefore(dir, endOfLog(dir))];

test("lines come newest first, over all segments", () => {
  assert.deepEqual(before(logOf("a\nb\n", "c\n", "d\ne\n")), ["e", "d", "c", "b", "a"]);
});

test("an empty log has no lines, and one without segments neither", () => {
  assert.deepEqual(before(logOf("")), []);
  assert.deepEqual(before(logOf()), []);
});

test("what is not a whole line yet is left out", () => {
  assert.deepEqual(before(logOf("a\nb\nhal")), ["b", "a"]);
  assert.deepEqual(before(logOf("hal")), []);
});

test("lines longer than what is read at once stay whole, also where characters have several bytes", () => {
  const lines = [
    "é".repeat(300_000),
    "short",
    "€".repeat(200_001),
    "x".repeat(262_144),
    "y".repeat(262_143),
    "",
  ].filter((line) => line !== "");
  assert.deepEqual(before(logOf(`${lines.join("\n")}\n`)), [...lines].reverse());
});

test("lines of every length around the portions are found", () => {
  const lines = Array.from({ length: 40 }, (_, at) => `${at}:${"z".repeat((at * 7919) % 100_000)}`);
  assert.deepEqual(
    before(logOf(`${lines.slice(0, 25).join("\n")}\n`, `${lines.slice(25).join("\n")}\n`)),
    [...lines].reverse(),
  );
});

test("a missing folder is a clear error", () => {
  assert.throws(() => endOfLog(join(root, "none")), { code: "DATA_DIR" });
});

test("following gives each line once, whole, and goes on in the next segment", () => {
  const dir = logOf("old\n");
  const file = join(dir, "decisions-000001.jsonl");
  let position = endOfLog(dir);
  const next = (): string[] => {
    const read = linesAfter(dir, position);
    position = read.position;
    return read.lines;
  };
  assert.deepEqual(next(), []);
  appendFileSync(file, "a\nb\nha");
  assert.deepEqual(next(), ["a", "b"]);
  assert.deepEqual(next(), []);
  appendFileSync(file, "lf\n");
  assert.deepEqual(next(), ["half"]);
  appendFileSync(file, "last\n");
  writeFileSync(join(dir, "decisions-000002.jsonl"), "c\n");
  assert.deepEqual([...next(), ...next(), ...next()], ["last", "c"]);
});

test("following a line longer than a portion waits for all of it", () => {
  const dir = logOf("");
  const long = "w".repeat(9_000_000);
  writeFileSync(join(dir, "decisions-000001.jsonl"), `${long}\n`);
  assert.deepEqual(linesAfter(dir, { number: 1, offset: 0 }).lines, [long]);
});
