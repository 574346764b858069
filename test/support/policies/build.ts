// Builds the tests' own policies into bundles, once a process.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBundle } from "../../../src/policy/build.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
let folder: string | undefined;
const built = new Map<string, Promise<string>>();

/** A folder that is removed when the process ends. */
export function scratch(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "regate-test-policy-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return mkdtempSync(join(folder, "x-"));
}

/**
 * The bundle of a policy of this folder ("allow_all", "mask_tagged") or of a folder elsewhere (an absolute path), with these data over its own.
 * @returns the path of the file
 */
export function bundleOf(name: string, data: { readonly [section: string]: object } = {}): Promise<string> {
  const key = `${name} ${JSON.stringify(data)}`;
  let bundle = built.get(key);
  if (bundle === undefined) {
    const at = scratch();
    mkdirSync(join(at, "data"));
    writeFileSync(join(at, "data", "data.json"), JSON.stringify(data));
    const out = join(at, "bundle.tar.gz");
    bundle = buildBundle(name.startsWith("/") ? name : join(here, name), [at], out).then(() => out);
    built.set(key, bundle);
  }
  return bundle;
}
