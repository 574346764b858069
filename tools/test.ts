// Runs the tests: node tools/test.ts [PART OF A PATH…]. All of them by default, after the set-up that the end-to-end tests need.
import { globSync } from "node:fs";
import { ROOT, fail, run } from "./run.ts";
import { setup } from "./setup.ts";

const parts = process.argv.slice(2);
const files = globSync("test/**/*.test.ts", { cwd: ROOT })
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .sort();
if (files.length === 0)
  fail(`No test file has ${parts.join(" or ")} in its path.`, "Their names: find test -name '*.test.ts'");
if (files.some((file) => file.startsWith("test/e2e/"))) setup();

console.log(`running ${files.length} test files`);
// Two at a time: several of them start a PostgreSQL of their own.
const code = run(process.execPath, [
  "--test",
  "--test-concurrency=2",
  "--test-timeout=300000",
  "--test-reporter=spec",
  ...files,
]);
if (code !== 0) console.error("some tests failed; one file alone: make test ONLY=test/…");
process.exitCode = code;
