// Builds dist/: the JavaScript that the npm package ships (Node does not strip types below node_modules).
import { chmodSync, cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, ROOT, run } from "./run.ts";

const dist = join(ROOT, "dist");
rmSync(dist, { recursive: true, force: true });
if (run("tsc", ["-p", "tsconfig.build.json"]) !== 0)
  fail("The build failed.", "Correct the errors above: make check shows them, too.");

// What the sources read at run time beside themselves.
for (const file of globSync("src/**/*.{json,html,css,sql}", { cwd: ROOT })) {
  cpSync(join(ROOT, file), join(dist, file.slice("src/".length)));
}

const main = join(dist, "cli", "main.js");
const text = readFileSync(main, "utf8");
if (!text.startsWith("#!")) writeFileSync(main, `#!/usr/bin/env node\n${text}`);
chmodSync(main, 0o755);
if (!existsSync(join(ROOT, "bundles", "default.tar.gz")))
  fail("bundles/default.tar.gz is missing, so the package would have no policy.", "make bundle");
console.log(`built ${globSync("dist/**/*.js", { cwd: ROOT }).length} files into dist/`);
