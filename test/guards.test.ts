// The lists of guards fit the sources: each text that is switched off occurs exactly once, and the tests that must notice are there.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");
type Guard = {
  readonly guard: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly tests: readonly string[];
};

for (const list of globSync("test/guards/*.json", { cwd: root }).sort())
  test(list, () => {
    const names = new Set<string>();
    for (const { guard, file, from, to, tests } of JSON.parse(readFileSync(join(root, list), "utf8")) as Guard[]) {
      assert.equal(readFileSync(join(root, file), "utf8").split(from).length, 2, `"${guard}" in ${file}`);
      assert.notEqual(from, to, guard);
      assert.ok(!names.has(guard), `twice: ${guard}`);
      names.add(guard);
      assert.ok(tests.length > 0, guard);
      for (const each of tests) assert.ok(existsSync(join(root, each)), `"${guard}": ${each}`);
    }
  });
