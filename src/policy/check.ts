// Checks a policy as its author has it: opa's own checks, and that no file, rule or datum is silently without effect.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { input } from "../core/facts.ts";
import { errorText, RegateError } from "../errors.ts";
import { buildBundle, parseAll, staged } from "./build.ts";
import { REFUSED_BUILTINS } from "./builtins.ts";
import { isObject, type JsonObject } from "./bundle.ts";
import { type Dependencies, dependencies } from "./dependencies.ts";
import { dataDefects, READ_BY_THE_GATE } from "./data.ts";
import type { MaskDefect } from "./masks.ts";
import { opa } from "./opa.ts";
import { readSource, type Source } from "./source.ts";

export type Finding = { readonly place: string; readonly message: string };
export type Report = {
  readonly rules: number;
  readonly tests: number;
  readonly defects: readonly Finding[];
  readonly warnings: readonly Finding[];
};

/** The sets that main.rego gathers from each policy. */
const VERDICTS: ReadonlySet<string> = new Set([
  "allow",
  "block",
  "require_approval",
  "mask",
  "substitute",
  "detect",
  "channels",
]);

/** `maskDefect`: tells what is wrong with a mask of data.masks. @throws RegateError POLICY_SOURCE (what is no policy at all), OPA_MISSING */
export async function checkPolicy(folders: readonly string[], maskDefect: MaskDefect): Promise<Report> {
  const source = await readSource(folders);
  if (source.rules.size === 0)
    throw new RegateError("POLICY_SOURCE", { detail: `${folders.join(", ")}: no .rego file` });
  const defects: Finding[] = [];
  const warnings: Finding[] = [];
  defects.push(...dataDefects(source.data, maskDefect));
  await checkFormat(source, defects);
  // Without types there is nothing further to look at.
  if (await checkTypes(source, defects)) {
    await staged(source, async (folder) => {
      const modules = [...source.rules.keys()].sort().map((name) => source.rules.get(name)!);
      const parsed = (await parseAll(folder, source)).map((module, i) => describe(module, modules[i]!));
      const reached = await dependencies(folder);
      checkCalls(parsed, defects);
      checkReach(parsed, reached, defects);
      checkData(reached, source.data, defects);
      if (reached.inputs.includes("")) {
        warnings.push({
          place: "data.regate.decision",
          message:
            "it depends on all of input, so every fact is gathered and no decision is kept; refer to input by fixed paths",
        });
      }
      if (defects.length === 0) await checkBuild(folders, defects);
    });
  }
  return { rules: source.rules.size, tests: source.tests.size, defects, warnings };
}

async function checkFormat(source: Source, defects: Finding[]): Promise<void> {
  const ran = await opa(["fmt", "--list", ...source.rules.values(), ...source.tests.values()]);
  for (const file of ran.stdout.split("\n").filter((line) => line !== "")) {
    defects.push({ place: file, message: "not formatted: opa fmt -w" });
  }
}

async function checkTypes(source: Source, defects: Finding[]): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "regate-schema-"));
  try {
    await writeFile(join(folder, "input.json"), JSON.stringify(input.json));
    const ran = await opa([
      "check",
      "--strict",
      "--schema",
      folder,
      ...source.rules.values(),
      ...source.tests.values(),
    ]);
    for (const line of ran.stderr.split("\n")) {
      // "1 error occurred: FILE:LINE: what", or a line for each below a first one that counts them.
      const match = /^(?:\d+ errors? occurred: ?)?(\S+\.rego(?::\d+)?): (.*)$/.exec(line.trim());
      if (match !== null) defects.push({ place: match[1]!, message: match[2]! });
    }
    if (ran.code !== 0 && defects.length === 0) defects.push({ place: "opa check", message: ran.stderr.trim() });
    return ran.code === 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Module = {
  readonly file: string;
  readonly package: string;
  readonly rules: readonly string[];
  readonly calls: readonly string[];
};

function describe(module: unknown, file: string): Module {
  const { package: named, rules = [] } = module as {
    package: { path: Term[] };
    rules?: { head: { ref?: Term[]; name?: string } }[];
  };
  const calls = new Set<string>();
  gatherCalls(rules, calls);
  return {
    file,
    package: named.path.map((term) => String(term.value)).join("."),
    rules: [...new Set(rules.map(({ head }) => String(head.ref?.[0]?.value ?? head.name)))],
    calls: [...calls],
  };
}

type Term = { readonly value: unknown };

/** Names of builtins appear as references whose first term is their name; in expressions and in terms of type call alike. */
function gatherCalls(node: unknown, calls: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) gatherCalls(item, calls);
  } else if (isObject(node)) {
    if (node.type === "ref" && Array.isArray(node.value))
      calls.add(node.value.map((term) => String(term?.value)).join("."));
    for (const member of Object.values(node)) gatherCalls(member, calls);
  }
}

function checkCalls(modules: readonly Module[], defects: Finding[]): void {
  for (const { file, calls } of modules) {
    for (const [name, remedy] of REFUSED_BUILTINS) {
      if (calls.includes(name)) defects.push({ place: file, message: `${name} is refused. ${remedy}` });
    }
  }
}

function checkReach(modules: readonly Module[], reached: Dependencies, defects: Finding[]): void {
  const used = (path: string): boolean => reached.rules.some((rule) => rule === path || path.startsWith(`${rule}.`));
  for (const { file, package: named, rules } of modules) {
    // A library may offer more than is asked of it.
    if (named.startsWith("data.lib.")) continue;
    if (!rules.some((rule) => used(`${named}.${rule}`))) {
      defects.push({
        place: file,
        message: `unused: data.regate.decision does not reach ${named}. Name it in main.rego, or remove it`,
      });
      continue;
    }
    for (const rule of rules) {
      const path = `${named}.${rule}`;
      if (!used(path))
        defects.push({ place: file, message: `unused rule: data.regate.decision does not reach ${path}` });
      else if (named.startsWith("data.policies.") && !rule.startsWith("_") && !VERDICTS.has(rule)) {
        defects.push({
          place: file,
          message: `${path} is no verdict (${[...VERDICTS].join(", ")}), so nothing heeds it. A helper's name starts with _`,
        });
      }
    }
  }
}

function checkData(reached: Dependencies, data: JsonObject, defects: Finding[]): void {
  const read = new Set([...READ_BY_THE_GATE, ...reached.data.map((path) => path.split(".")[0])]);
  for (const section of Object.keys(data)) {
    if (read.has("") || read.has(section)) continue;
    const known = [...read].sort().join(", ");
    defects.push({
      place: `data.${section}`,
      message: `unused: no rule that decides reads it, nor does the gate; they read ${known}`,
    });
  }
  for (const path of reached.data) {
    let value: unknown = data;
    for (const segment of path.split("."))
      value = isObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
    if (value === undefined) {
      defects.push({
        place: `data.${path}`,
        message: "it is read, but no rule and no data.json has it, so what reads it never holds",
      });
    }
  }
}

/** What only shows in the WASM: builtins that the gate does not have. */
async function checkBuild(folders: readonly string[], defects: Finding[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "regate-policy-"));
  try {
    await buildBundle(folders[0]!, folders.slice(1), join(folder, "bundle.tar.gz"));
  } catch (error) {
    const detail = error instanceof RegateError ? [error.message, error.detail, error.hint] : [errorText(error)];
    defects.push({ place: "build", message: detail.filter((part) => part !== undefined).join(": ") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
