// Runs the tests that need a server on every supported PostgreSQL: node tools/matrix.ts [PART OF A PATH…]
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT, run } from "./run.ts";
import { fetchServer } from "./servers.ts";
import { setup } from "./setup.ts";

const SUPPORTED = ["14", "15", "16", "17", "18"];
const only = process.env.PG?.split(",") ?? SUPPORTED;
const parts = process.argv.slice(2);
// Tests that start a server by one of these modules run on the one that REGATE_TEST_PG names; the tools' test stays with the distribution's
// own, since pg_dump refuses a newer server.
const files = globSync("test/**/*.test.ts", { cwd: ROOT })
  .filter(
    (file) =>
      file !== "test/e2e/tools.test.ts" &&
      /\/(server|gate|twice|support)\.ts"/.test(readFileSync(join(ROOT, file), "utf8")),
  )
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) fail(`No server test has ${parts.join(" or ")} in its path.`);
if (files.some((file) => file.startsWith("test/e2e/"))) setup();

const results: string[] = [];
for (const major of only) {
  const bin = fetchServer(major);
  console.log(`\n== PostgreSQL ${major}: ${files.length} test files ==`);
  const code = run(
    process.execPath,
    ["--test", "--test-concurrency=2", "--test-timeout=300000", "--test-reporter=spec", ...files],
    { env: { ...process.env, REGATE_TEST_PG: bin } },
  );
  results.push(`PostgreSQL ${major}: ${code === 0 ? "passed" : "FAILED"}`);
  if (code !== 0) process.exitCode = 1;
}
console.log(`\n${results.join("\n")}`);
const failed = results.filter((line) => line.endsWith("FAILED")).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
