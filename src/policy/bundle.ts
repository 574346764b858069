// Reads an OPA bundle (tar.gz with policy.wasm, data.json files and .manifest) into memory, bounded, refusing what is not whole.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { extract } from "tar-stream";
import { errorText, RegateError } from "../errors.ts";

/** The one entrypoint that a bundle must have. */
export const ENTRYPOINT = "regate/decision";

export type JsonObject = { [key: string]: unknown };

/** A bundle as it was read; nothing in it has run yet. */
export type Bundle = {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly data: JsonObject;
  /** The same as JSON text; as it was written where it is one file, so that no number loses digits. */
  readonly dataText: ArrayBuffer;
  /** The manifest's revision, or `sha256:…` of the content where the manifest has none. */
  readonly revision: string;
  /** sha256 (hex) of the bundle file's bytes: tells one file content from another whatever its revision says. */
  readonly digest: string;
  /** The paths of input that the entrypoint reads ("command.statements"), or undefined where the manifest does not say. */
  readonly inputs: readonly string[] | undefined;
  /** False where the policy uses input.id for more than echoing it. Undefined where the manifest does not say. */
  readonly echoOnly: boolean | undefined;
};

export type BundleLimits = { readonly compressedBytes: number; readonly bytes: number; readonly files: number };
export const BUNDLE_LIMITS: BundleLimits = { compressedBytes: 64 << 20, bytes: 256 << 20, files: 10_000 };

const unzip = promisify(gunzip);
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a bundle file.
 * @throws RegateError BUNDLE_UNREADABLE (the file, gzip or tar), BUNDLE_INVALID (its content), BUNDLE_NO_ENTRYPOINT
 */
export async function readBundle(path: string, limits: BundleLimits = BUNDLE_LIMITS): Promise<Bundle> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > limits.compressedBytes) throw new Error(`${size} bytes, more than ${limits.compressedBytes}`);
    bytes = await readFile(path);
  } catch (error) {
    throw new RegateError("BUNDLE_UNREADABLE", {
      detail: `${path}: ${errorText(error)}`,
      hint: "Build one with: regate policy build rego/ -o bundle.tar.gz, and name it in policy.bundle.",
      cause: error,
    });
  }
  return parseBundle(bytes, path, limits);
}

/** As {@link readBundle}, for bytes that are in memory; `where` names them in errors. */
export async function parseBundle(bytes: Uint8Array, where: string, limits = BUNDLE_LIMITS): Promise<Bundle> {
  const files = await unpack(bytes, where, limits);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const manifest = readManifest(files, where);
  const wasm = findWasm(files, manifest, where);
  const regate = isObject(manifest.metadata) ? manifest.metadata.regate : undefined;
  // What the manifest says about the policy counts only for the very policy that it was made for.
  const bound = isObject(regate) && regate.wasm === createHash("sha256").update(wasm).digest("hex");
  const inputs = bound ? regate.inputs : undefined;
  if (inputs !== undefined && !(Array.isArray(inputs) && inputs.every((path) => typeof path === "string"))) {
    throw invalid(where, ".manifest: metadata.regate.inputs is not a list of paths");
  }
  const revision = manifest.revision;
  const data = readData(files, where);
  return {
    wasm,
    data: data.value,
    dataText: data.text,
    revision: typeof revision === "string" && revision !== "" ? revision : `sha256:${digest}`,
    digest,
    inputs,
    echoOnly: bound && typeof regate.echo_only === "boolean" ? regate.echo_only : undefined,
  };
}

/** The files of a tar.gz by name, without a leading slash. @throws RegateError BUNDLE_UNREADABLE, BUNDLE_INVALID */
export async function unpack(
  bytes: Uint8Array,
  where: string,
  limits = BUNDLE_LIMITS,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  try {
    const tar = await unzip(bytes, { maxOutputLength: limits.bytes });
    const entries = extract();
    entries.end(tar);
    for await (const entry of entries) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      if (entry.header.type !== "file") continue;
      const name = entry.header.name.replace(/^(\.?\/)+/, "");
      if (files.has(name)) throw new Error(`${name} is in it twice`);
      if (files.size >= limits.files) throw new Error(`more than ${limits.files} files`);
      files.set(name, new Uint8Array(Buffer.concat(chunks)));
    }
  } catch (error) {
    throw new RegateError("BUNDLE_UNREADABLE", {
      detail: `${where}: ${errorText(error)}`,
      hint: "The file is not a whole tar.gz: build it again with regate policy build.",
      cause: error,
    });
  }
  return files;
}

function readManifest(files: Map<string, Uint8Array>, where: string): JsonObject {
  const file = files.get(".manifest");
  if (file === undefined) return {};
  const manifest = parseJson(file, ".manifest", where);
  if (!isObject(manifest)) throw invalid(where, ".manifest is not an object");
  return manifest;
}

/** The manifest may name several modules, each with its entrypoint; without it, policy.wasm is the one. */
function findWasm(
  files: Map<string, Uint8Array<ArrayBuffer>>,
  manifest: JsonObject,
  where: string,
): Uint8Array<ArrayBuffer> {
  let name = "policy.wasm";
  const modules = manifest.wasm;
  if (Array.isArray(modules)) {
    const module = modules.find((item) => isObject(item) && item.entrypoint === ENTRYPOINT);
    if (module === undefined) {
      const known = modules.map((item) => String(item?.entrypoint)).join(", ");
      throw new RegateError("BUNDLE_NO_ENTRYPOINT", { detail: `${where} has: ${known}`, hint: entrypointHint });
    }
    if (typeof module.module === "string") name = module.module.replace(/^\/+/, "");
  }
  const wasm = files.get(name);
  if (wasm === undefined) {
    throw invalid(
      where,
      `it has no ${name}`,
      "Build it for WASM: regate policy build, or opa build -t wasm -O 0 -e regate/decision.",
    );
  }
  return wasm;
}

export const entrypointHint =
  "The package regate must have a rule named decision, and the bundle must be built with -e regate/decision.";

/** data.json at the root is `data`, a/b/data.json is `data.a.b`. Two files that say the same thing are refused, as OPA does. */
function readData(
  files: Map<string, Uint8Array<ArrayBuffer>>,
  where: string,
): { value: JsonObject; text: ArrayBuffer } {
  const data: JsonObject = {};
  const named: Uint8Array<ArrayBuffer>[] = [];
  for (const name of [...files.keys()].sort()) {
    const path = name.split("/");
    const file = path.pop();
    if (file === "data.yaml" || file === "data.yml") throw invalid(where, `${name}: data must be JSON (data.json)`);
    if (file !== "data.json") continue;
    let value = parseJson(files.get(name)!, name, where);
    for (const segment of path.reverse()) value = { [segment]: value };
    if (!isObject(value)) throw invalid(where, `${name} is not an object`);
    merge(data, value, name, where);
    named.push(files.get(name)!);
  }
  const whole =
    named.length === 1 && files.has("data.json") ? named[0]! : new TextEncoder().encode(JSON.stringify(data));
  return { value: data, text: whole.slice().buffer };
}

function merge(into: JsonObject, from: JsonObject, name: string, where: string): void {
  for (const [key, value] of Object.entries(from)) {
    if (key === "__proto__") throw invalid(where, `${name} has a key __proto__`);
    const present = into[key];
    if (!Object.hasOwn(into, key)) into[key] = value;
    else if (isObject(present) && isObject(value)) merge(present, value, name, where);
    else throw invalid(where, `${name}: ${key} is said twice`);
  }
}

function parseJson(bytes: Uint8Array, name: string, where: string): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw invalid(where, `${name}: ${errorText(error)}`);
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function invalid(where: string, what: string, hint?: string): RegateError {
  return new RegateError("BUNDLE_INVALID", { detail: `${where}: ${what}`, ...(hint === undefined ? {} : { hint }) });
}
