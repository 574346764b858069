// Finds and runs `opa` of the pinned version: from REGATE_OPA, the PATH, or (in a checkout) the Go tool. Only authoring needs it, never the gate.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorText, RegateError } from "../errors.ts";

/** The version whose WASM, formatting and dependencies are relied on; tools/go.mod pins the same. */
export const OPA_VERSION = "1.22.2";

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

let found: Promise<string> | undefined;

/**
 * Runs opa. Its exit code is the caller's to judge.
 * @throws RegateError OPA_MISSING
 */
export async function opa(args: readonly string[], options: { cwd?: string } = {}): Promise<Ran> {
  found ??= findOpa();
  return run(await found, args, options.cwd);
}

/** The path of the program. @throws RegateError OPA_MISSING */
export async function findOpa(): Promise<string> {
  const tried: string[] = [];
  for (const candidate of [process.env.REGATE_OPA, "opa"]) {
    if (candidate === undefined || candidate === "") continue;
    const version = await versionOf(candidate);
    if (version === OPA_VERSION) return candidate;
    tried.push(`${candidate}: ${version ?? "not found"}`);
  }
  const tools = join(dirname(fileURLToPath(import.meta.url)), "../../tools");
  if (existsSync(join(tools, "go.mod"))) {
    // Builds it the first time; afterwards it is only looked up.
    const built = await run("go", ["tool", "-n", "opa"], tools);
    const program = built.stdout.trim().split("\n").at(-1) ?? "";
    if (built.code === 0 && (await versionOf(program)) === OPA_VERSION) return program;
    tried.push(`go tool opa: ${(built.stderr || built.stdout).trim()}`);
  }
  throw new RegateError("OPA_MISSING", { detail: `version ${OPA_VERSION} is needed; ${tried.join("; ")}` });
}

async function versionOf(program: string): Promise<string | undefined> {
  const { code, stdout } = await run(program, ["version"]);
  return code === 0 ? /^Version: (\S+)$/m.exec(stdout)?.[1] : undefined;
}

function run(program: string, args: readonly string[], cwd?: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, maxBuffer: 64 << 20, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
      else resolve({ code: 127, stdout, stderr: stderr === "" ? errorText(error) : stderr });
    });
  });
}
