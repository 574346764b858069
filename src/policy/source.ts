// A policy as its author has it: the rules of some folders, and their data put together.
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { errorText, RegateError } from "../errors.ts";
import { isObject, type JsonObject } from "./bundle.ts";

export type Source = {
  /** Path below its folder ("policies/reads.rego", always with /) → the file. Tests are apart. */
  readonly rules: ReadonlyMap<string, string>;
  readonly tests: ReadonlyMap<string, string>;
  readonly data: JsonObject;
  /** What of an earlier folder's data a later one replaced ("grants.pii"). */
  readonly replaced: readonly string[];
};

/**
 * Reads folders. In each, every .rego file counts, and its data are the data.json files below its `data/` (or below itself, if it has none):
 * classification/data.json is `data.classification`. A later folder replaces what an earlier one says for `data.<section>.<key>` as a whole.
 * @throws RegateError POLICY_SOURCE
 */
export async function readSource(folders: readonly string[]): Promise<Source> {
  const rules = new Map<string, string>();
  const tests = new Map<string, string>();
  const data: JsonObject = {};
  const replaced: string[] = [];
  for (const folder of folders) {
    const files = await list(folder);
    const dataRoot = files.some((file) => file.startsWith("data/")) ? "data/" : "";
    for (const file of files) {
      const path = join(folder, file);
      if (file.endsWith(".rego")) {
        const into = file.endsWith("_test.rego") ? tests : rules;
        const other = into.get(file);
        if (other !== undefined) throw refuse(`${other} and ${path} have the same place`);
        into.set(file, path);
      } else if (file.startsWith(dataRoot) && /\.(json|ya?ml)$/.test(file) && !file.startsWith("schema/")) {
        if (!/(^|\/)data\.json$/.test(file)) throw refuse(`${path}: data files are named data.json`);
        const section = file.slice(dataRoot.length).split("/").slice(0, -1);
        overlay(data, nest(section, await readJson(path), path), path, replaced);
      }
    }
  }
  return { rules, tests, data, replaced };
}

function nest(section: readonly string[], value: unknown, path: string): JsonObject {
  const nested = section.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  if (!isObject(nested)) throw refuse(`${path} is not an object`);
  return nested;
}

function overlay(data: JsonObject, from: JsonObject, path: string, replaced: string[]): void {
  for (const [section, value] of Object.entries(from)) {
    if (!isObject(value)) throw refuse(`${path}: data.${section} is not an object`);
    if (section === "__proto__") throw refuse(`${path} has a key __proto__`);
    if (!Object.hasOwn(data, section)) data[section] = {};
    const into = data[section] as JsonObject;
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__") throw refuse(`${path} has a key __proto__`);
      if (Object.hasOwn(into, key)) replaced.push(`${section}.${key}`);
      into[key] = item;
    }
  }
}

/** All files below a folder, sorted, without what is hidden. */
async function list(folder: string): Promise<string[]> {
  try {
    if (!(await stat(folder)).isDirectory()) throw new Error("not a folder");
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .filter((file) => !file.split("/").some((part) => part.startsWith(".")))
      .sort();
  } catch (error) {
    throw new RegateError("POLICY_SOURCE", { detail: `${folder}: ${errorText(error)}`, cause: error });
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw refuse(`${path}: ${errorText(error)}`);
  }
}

function refuse(detail: string): RegateError {
  return new RegateError("POLICY_SOURCE", { detail });
}
