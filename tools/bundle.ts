// Builds rego/ into bundles/default.tar.gz; with --check, says whether the one that is there has the same content.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { buildBundle } from "../src/policy/build.ts";

const rules = fileURLToPath(new URL("../rego", import.meta.url));
const out = fileURLToPath(new URL("../bundles/default.tar.gz", import.meta.url));

if (process.argv.includes("--check")) {
  const folder = mkdtempSync(join(tmpdir(), "regate-bundle-"));
  try {
    const fresh = join(folder, "default.tar.gz");
    await buildBundle(rules, [], fresh);
    // Compared unpacked: how zlib compresses differs from one processor to the next.
    if (!gunzipSync(readFileSync(fresh)).equals(gunzipSync(readFileSync(out)))) {
      console.error(`${out} differs from what rego/ builds. Run: make bundle`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else {
  const { bytes, revision, dependencies } = await buildBundle(rules, [], out);
  console.log(`wrote ${out} (${bytes} bytes, revision ${revision})`);
  console.log(`it reads input.${dependencies.inputs.join(", input.")}`);
}
