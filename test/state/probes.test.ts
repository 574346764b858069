// What was tried is counted once, for each subject and column, for a day, and never beyond what is remembered.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProbeCounts, UNCOUNTED } from "../../src/state/probes.ts";

test("the same value counts once, another subject's or column's apart", () => {
  const probes = new ProbeCounts();
  assert.equal(probes.count("ana", "email", ["a", "b", "a"]), 2);
  assert.equal(probes.count("ana", "email", ["a"]), 1, "counting remembers nothing");
  probes.note("ana", "email", ["a", "b"]);
  assert.equal(probes.count("ana", "email", ["b"]), 2);
  assert.equal(probes.count("ana", "email", ["c"]), 3);
  assert.equal(probes.count("ana", "email", []), 2);
  assert.equal(probes.count("ana", "phone", ["a"]), 1);
  assert.equal(probes.count("bob", "email", ["a"]), 1);
});

test("a day begins with none", () => {
  let now = Date.parse("2026-01-01T23:59:59Z");
  const probes = new ProbeCounts(() => now);
  probes.note("ana", "email", ["a", "b"]);
  assert.equal(probes.count("ana", "email", ["c"]), 3);
  now += 1000;
  assert.equal(probes.count("ana", "email", ["c"]), 1);
});

test("where no more is remembered no budget is kept", () => {
  const probes = new ProbeCounts(() => 0, 3);
  probes.note("ana", "email", ["a", "b"]);
  probes.note("bob", "email", ["a", "b", "c"]);
  assert.equal(probes.count("ana", "email", ["a"]), 2);
  assert.equal(probes.count("ana", "email", ["c"]), UNCOUNTED);
  assert.equal(probes.count("eve", "email", ["c"]), UNCOUNTED);
});

test("one subject has a share of it only", () => {
  const probes = new ProbeCounts();
  probes.note(
    "ana",
    "email",
    Array.from({ length: 10_001 }, (_, i) => `${i}`),
  );
  assert.equal(probes.count("ana", "email", ["x"]), UNCOUNTED);
  assert.equal(probes.count("ana", "email", ["0"]), 10_000);
  assert.equal(probes.count("bob", "email", ["x"]), 1);
});
