// Switches each guard off in turn, in a copy of the sources, and expects a test to fail: node tools/guards.ts [PART OF A GUARD OR FILE…]
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fits, readGuards } from "../test/support/guards.ts";
import { CACHE } from "./setup.ts";
import { fail, ROOT } from "./run.ts";

const COPIED = ["src", "test", "rego", "bundles", "tools", "package.json", "tsconfig.json"];
/** Each runs a server and a test process. */
const WORKERS = 2;
/** What does not end does not pass: a client that waits for ever notices, too. On a busy machine, run those said to be ENDLESS again alone. */
const TIMEOUT_MS = 180_000;
const WHOLE_TIMEOUT_MS = 1_800_000;

const wanted = process.argv.slice(2);
const guards = readGuards(ROOT).filter(
  ({ guard, file, list }) => wanted.length === 0 || wanted.some((part) => `${guard} ${file} ${list}`.includes(part)),
);
if (guards.length === 0) fail(`No guard in test/guards has ${wanted.join(" or ")} in its name or file.`);

const stale = guards.filter((guard) => !fits(ROOT, guard));
for (const { guard, file, list } of stale)
  console.error(`${list}: "${guard}": its text does not occur exactly once in ${file}`);
if (stale.length > 0) fail(`${stale.length} entries of test/guards do not fit the sources.`, "Correct `from` in them.");

const folders = Array.from({ length: WORKERS }, (_, at) => copy(`guards-${process.pid}-${at}`));
const tests = [...new Set(guards.flatMap((guard) => guard.tests))].sort();
console.log(`${guards.length} guards; first, all of their ${tests.length} test files with every guard on`);
const whole = await runTests(folders[0]!, tests, WHOLE_TIMEOUT_MS);
if (!whole.passed) fail(`The tests fail before any guard is off:\n${whole.output.slice(-4000)}`);

const survivors: string[] = [];
const queue = [...guards];
await Promise.all(
  folders.map(async (folder) => {
    for (let guard = queue.shift(); guard !== undefined; guard = queue.shift()) {
      const path = join(folder, guard.file);
      const source = readFileSync(path, "utf8");
      writeFileSync(
        path,
        source.replace(guard.from, () => guard.to),
      );
      const began = Date.now();
      const { passed, killed } = await runTests(folder, guard.tests);
      writeFileSync(path, source);
      if (passed) survivors.push(`${guard.guard} (${guard.file})`);
      const result = passed ? "SURVIVED" : killed ? "ENDLESS " : "noticed ";
      console.log(`${result} ${guard.guard} (${basename(guard.file)}), ${((Date.now() - began) / 1000).toFixed(0)} s`);
    }
  }),
);
for (const folder of folders) rmSync(folder, { recursive: true, force: true });
for (const survivor of survivors) console.error(`no test notices that this is off: ${survivor}`);
console.log(`${guards.length - survivors.length} passed, ${survivors.length} failed`);
process.exitCode = survivors.length === 0 ? 0 : 1;

function copy(name: string): string {
  const folder = join(CACHE, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of COPIED) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  symlinkSync(CACHE, join(folder, ".cache"));
  return folder;
}

function runTests(
  folder: string,
  files: readonly string[],
  timeoutMs = TIMEOUT_MS,
): Promise<{ passed: boolean; killed: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--test", ...files], { cwd: folder, detached: true });
    // The runner and the files' processes: with a guard off, one may turn for ever.
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      process.kill(-child.pid!, "SIGKILL");
    }, timeoutMs);
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ passed: code === 0, killed, output });
    });
  });
}
