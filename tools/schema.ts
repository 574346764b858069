// Writes rego/schema/input.json from the facts' definition in core; with --check, says whether it is up to date.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { input } from "../src/core/facts.ts";

const file = fileURLToPath(new URL("../rego/schema/input.json", import.meta.url));
const text = `${JSON.stringify({ $schema: "http://json-schema.org/draft-07/schema#", title: "input", ...input.json }, null, 2)}\n`;

if (process.argv.includes("--check")) {
  let present = "";
  try {
    present = readFileSync(file, "utf8");
  } catch {
    // There is none, so it differs.
  }
  if (present !== text) {
    console.error(`${file} differs from src/core/facts.ts. Run: node tools/schema.ts`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${file}`);
}
