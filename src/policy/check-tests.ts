// Runs a policy's own tests, with its data put together as a bundle would have them.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { opa, type Ran } from "./opa.ts";
import { readSource } from "./source.ts";

/** @throws RegateError POLICY_SOURCE, OPA_MISSING */
export async function testPolicy(folders: readonly string[], flags: readonly string[]): Promise<Ran> {
  const source = await readSource(folders);
  const folder = await mkdtemp(join(tmpdir(), "regate-policy-"));
  try {
    const data = join(folder, "data.json");
    await writeFile(data, JSON.stringify(source.data));
    return await opa(["test", "--fail-on-empty", ...flags, ...source.rules.values(), ...source.tests.values(), data]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
