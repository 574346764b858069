// What the entrypoint depends on, as `opa deps` tells: the facts that it reads, the rules that it reaches.
import { RegateError } from "../errors.ts";
import { isObject } from "./bundle.ts";
import { opa } from "./opa.ts";

export type Dependencies = {
  /** Paths of input, sorted, none within another; [""] means all of it. */
  readonly inputs: readonly string[];
  /** Paths of base data ("grants"), sorted. */
  readonly data: readonly string[];
  /** Rules that it reaches ("data.policies.reads.allow"). */
  readonly rules: readonly string[];
};

type Term = { readonly type: string; readonly value: unknown };

/**
 * @param folder where the .rego files are
 * @throws RegateError POLICY_SOURCE
 */
export async function dependencies(folder: string): Promise<Dependencies> {
  const ran = await opa(["deps", "--format", "json", "--bundle", folder, "data.regate.decision"]);
  if (ran.code !== 0) throw new RegateError("POLICY_SOURCE", { detail: ran.stderr.trim() || ran.stdout.trim() });
  const found = JSON.parse(ran.stdout) as {
    base?: readonly (readonly Term[])[];
    virtual?: readonly (readonly Term[])[];
  };
  const base = found.base ?? [];
  return {
    inputs: shortest(base.filter((ref) => ref[0]!.value === "input").map((ref) => members(ref))),
    data: shortest(base.filter((ref) => ref[0]!.value === "data").map((ref) => members(ref))),
    rules: [...new Set((found.virtual ?? []).map((ref) => ["data", members(ref)].join(".")))].sort(),
  };
}

/** "a.b" of input.a.b; it ends where a member is not a plain name, so that the whole above is meant. */
function members(ref: readonly Term[]): string {
  const path: string[] = [];
  for (const term of ref.slice(1)) {
    if (term.type !== "string" || !/^[^.]+$/.test(String(term.value))) break;
    path.push(String(term.value));
  }
  return path.join(".");
}

function shortest(paths: readonly string[]): string[] {
  if (paths.includes("")) return [""];
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => path.startsWith(`${other}.`))).sort();
}

/**
 * Is `input.id` used only as the value of a member "id", which is the echo? Otherwise a decision may depend on it and can't be kept.
 * @param modules parsed .rego files (`opa parse --format json`)
 */
export function echoesOnly(modules: readonly unknown[]): boolean {
  let uses = 0;
  let echoes = 0;
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(walk);
      return;
    }
    if (!isObject(node)) return;
    if (node.type === "ref" && Array.isArray(node.value)) {
      const [head, ...rest] = node.value;
      if (head?.value !== "input") walk(head);
      else if (mayBeId(rest[0])) uses++;
      walk(rest);
      return;
    }
    // The whole of input, given to something.
    if (node.type === "var" && node.value === "input") uses++;
    if (node.type === "object" && Array.isArray(node.value)) {
      for (const [key, value] of node.value) if (key?.value === "id" && isId(value)) echoes++;
    }
    for (const [name, member] of Object.entries(node)) if (name !== "annotations") walk(member);
  };
  modules.forEach(walk);
  return uses === echoes;
}

function isId(term: unknown): boolean {
  if (!isObject(term) || term.type !== "ref" || !Array.isArray(term.value)) return false;
  return term.value.length === 2 && term.value[0]?.value === "input" && term.value[1]?.value === "id";
}

/** input.id, input[x], or a reference that is input alone. */
function mayBeId(member: unknown): boolean {
  return !isObject(member) || member.type !== "string" || member.value === "id";
}
