import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { table } from "../../src/demo/client.ts";
import { temporaryFolder } from "../support/folder.ts";
import { readRecords } from "../support/gate.ts";

const folder = temporaryFolder("demo");
const main = join(import.meta.dirname, "..", "..", "src", "demo", "main.ts");

async function demo(env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: { ...process.env, CI: "true", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output };
}

const SHOWN = [
  /1 {2}ALLOWED[\s\S]*delivered[\s\S]*2 {2}MASKED/,
  /2 {2}MASKED[\s\S]*Ada Abara +\| \[redacted\][\s\S]*3 {2}MASKED JOIN/,
  /MASKED JOIN[\s\S]*\| \[redacted\] \|[\s\S]*4 {2}SUBSTITUTED/,
  /SUBSTITUTED[\s\S]*NOTICE: .*public\.cards\.number[\s\S]*\d +\| +\d+[\s\S]*5 {2}BLOCKED/,
  /WITH A WAY OUT[\s\S]*ERROR: [\s\S]*Try: SELECT title, count\(\*\), NULL AS avg FROM employees GROUP BY title[\s\S]*6 {2}BLOCKED/,
  /6 {2}BLOCKED[\s\S]*ERROR: .*\n[\s\S]*HINT: [\s\S]*HELD/,
  /HELD[\s\S]*NOTICE: .*approval[\s\S]*human:alice approves[\s\S]*DELETE 1/,
];

test("the session shows the four actions, finds them in the log, and ends by itself", async () => {
  const { code, output } = await demo();
  assert.equal(code, 0, output);
  for (const pattern of SHOWN) assert.match(output, pattern);
  assert.doesNotMatch(output, /example\.com/);
  const actions = readRecords(join(folder, ".regate"))
    .filter((line) => line.path === "regate/decision" && line.input.stage === "command")
    .map((line) => line.result.action);
  assert.deepEqual(actions, ["allow", "mask", "mask", "mask", "block", "block", "require_approval"]);
});

test("it can be run again, and without psql", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const program of ["sh", "ps"]) symlinkSync(`/bin/${program}`, join(bin, program));
  const { code, output } = await demo({ PATH: bin });
  assert.equal(code, 0, output);
  assert.match(output, /built-in client/);
  for (const pattern of SHOWN) assert.match(output, pattern);
  assert.ok(readdirSync(join(folder, ".regate")).includes("postgres"));
});

test("the built-in client prints tables as psql does", () => {
  assert.equal(
    table(
      ["id", "name"],
      [
        ["1", "a"],
        ["22", null],
      ],
    ),
    " id | name \n----+------\n  1 | a\n 22 | \n(2 rows)\n",
  );
});
