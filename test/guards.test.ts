// The lists of guards fit the sources: each text that is switched off occurs exactly once, and the tests that must notice are there.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fits, readGuards } from "./support/guards.ts";

const root = join(import.meta.dirname, "..");

for (const [list, guards] of Map.groupBy(readGuards(root), (each) => each.list))
  test(list, () => {
    const names = new Set<string>();
    for (const each of guards) {
      const { guard, file, from, to, tests } = each;
      assert.ok(fits(root, each), `"${guard}" in ${file}`);
      assert.notEqual(from, to, guard);
      assert.ok(!names.has(guard), `twice: ${guard}`);
      names.add(guard);
      assert.ok(tests.length > 0, guard);
      for (const each of tests) assert.ok(existsSync(join(root, each)), `"${guard}": ${each}`);
    }
  });
