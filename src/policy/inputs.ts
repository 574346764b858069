// What a policy reads of input: the projection that is sent into WASM, its digest for the cache key, and `reads`.
import { hash } from "node:crypto";
import type { Input } from "../core/facts.ts";

/** Parts of input that are one unchanging object over many calls: their projection is digested once. */
const STABLE = ["identity", "resource", "command", "result"] as const;
/** Parts that are small or change with each call: projected each time. */
const FRESH = ["version", "stage", "session"] as const;

/** A tree of what is read: `undefined` is all of it, a list names the members, in a fixed order. */
type Node = readonly { readonly name: string; readonly label: string; readonly inner: Node }[] | undefined;

/**
 * The paths of input that the entrypoint depends on, as `opa deps` names them. What is not named is neither sent nor in the key,
 * so a decision is a function of its key by construction, whatever the policy does.
 */
export class InputPaths {
  readonly #paths: readonly (readonly string[])[] | undefined;
  readonly #stable: readonly {
    readonly name: (typeof STABLE)[number];
    readonly node: Node;
    /** The members that lead to the only part that is read, and what is read of that. */
    readonly spine: readonly string[];
    readonly below: Node;
    readonly digests: WeakMap<object, string>;
  }[];
  readonly #fresh: readonly { readonly name: (typeof FRESH)[number]; readonly node: Node }[];

  /** @param paths "command.statements", …; undefined (or a path "") means all of input. */
  constructor(paths: readonly string[] | undefined) {
    const split = paths?.map((path) => (path === "" ? [] : path.split(".")));
    this.#paths = split === undefined || split.some((path) => path.length === 0) ? undefined : split;
    this.#stable = STABLE.filter((name) => this.reads(name)).map((name) => ({
      name,
      ...spineOf(this.#node([name])),
      digests: new WeakMap(),
    }));
    this.#fresh = FRESH.filter((name) => this.reads(name)).map((name) => ({ name, node: this.#node([name]) }));
  }

  /** Is this path, a part of it, or what it is a part of read? */
  reads(path: string): boolean {
    if (this.#paths === undefined) return true;
    const asked = path.split(".");
    return this.#paths.some((known) => {
      const shared = Math.min(known.length, asked.length);
      for (let i = 0; i < shared; i++) if (known[i] !== asked[i]) return false;
      return true;
    });
  }

  /** Equal keys: the policy would be asked the very same but for the id. */
  key(input: Input): string {
    let key = "";
    for (const { name, node } of this.#fresh) key += `${project(input[name], node)}|`;
    for (const { name, spine, below, digests } of this.#stable) {
      // Commands come and go; the list of statements in them is one object for all texts of a shape.
      let part: unknown = input[name];
      for (const member of spine) part = (part as { readonly [member: string]: unknown } | undefined)?.[member];
      if (part === undefined) {
        key += "-";
        continue;
      }
      if (typeof part !== "object" || part === null) {
        key += `${project(part, below)}|`;
        continue;
      }
      let digest = digests.get(part);
      if (digest === undefined) {
        digest = hash("sha256", project(part, below), "base64");
        digests.set(part, digest);
      }
      key += digest;
    }
    return key;
  }

  /** The document that is sent into WASM: the id, and what is read. */
  document(input: Input): string {
    let text = `{"id":${JSON.stringify(input.id)}`;
    for (const { name, node } of this.#fresh) text += `,"${name}":${project(input[name], node)}`;
    for (const { name, node } of this.#stable) {
      if (input[name] !== undefined) text += `,"${name}":${project(input[name], node)}`;
    }
    return `${text}}`;
  }

  #node(prefix: readonly string[]): Node {
    if (this.#paths === undefined) return undefined;
    const below = this.#paths.filter((path) => prefix.every((segment, i) => i >= path.length || path[i] === segment));
    if (below.some((path) => path.length <= prefix.length)) return undefined;
    const names = [...new Set(below.map((path) => path[prefix.length]!))].sort();
    return names.map((name) => ({ name, label: `${JSON.stringify(name)}:`, inner: this.#node([...prefix, name]) }));
  }
}

/** As long as only one member is read, the way leads on. */
function spineOf(node: Node): { node: Node; spine: readonly string[]; below: Node } {
  const spine: string[] = [];
  let below = node;
  while (below?.length === 1) {
    spine.push(below[0]!.name);
    below = below[0]!.inner;
  }
  return { node, spine, below };
}

/** The JSON text of the part of `value` that the tree names. */
function project(value: unknown, node: Node): string {
  if (typeof value === "boolean") return value ? "true" : "false";
  // A path that leads into a list or a scalar is not one that this tree can follow: all of it.
  if (node === undefined || typeof value !== "object" || value === null || Array.isArray(value)) {
    return JSON.stringify(value) ?? "null";
  }
  let text = "";
  for (const { name, label, inner } of node) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    text += text === "" ? label : `,${label}`;
    text += project(member, inner);
  }
  return `{${text}}`;
}
