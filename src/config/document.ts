// Reads a YAML file into plain values, and tells on which line a key stands. The only importer of `yaml`.
import { readFileSync } from "node:fs";
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { errorText, RegateError } from "../errors.ts";

/** The keys that lead to a value: names in maps, indexes in lists. */
export type Path = readonly (string | number)[];

/** `lineOf` gives the line (from 1) of the key or item at a path, or of its nearest parent. */
export type ConfigDocument = { readonly value: unknown; lineOf(path: Path): number | undefined };

const largest = 1 << 20;

/**
 * @throws RegateError CONFIG_UNREADABLE when there is no such file or it cannot be read; CONFIG_INVALID when it is not YAML
 */
export function readDocument(path: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, version: "1.2", uniqueKeys: true });
  // A warning is a tag or a directive that would be ignored: nothing in this file is ignored.
  const defects = [...document.errors, ...document.warnings];
  if (defects.length > 0) {
    const shown = defects.map((defect) => `${path}:${lines.linePos(defect.pos[0]).line}: ${firstLine(defect.message)}`);
    throw new RegateError("CONFIG_INVALID", { detail: shown.join("\n"), hint: "Correct the YAML." });
  }
  return { value: toValue(document, path), lineOf: (at) => lineOf(document, lines, at) };
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new RegateError("CONFIG_UNREADABLE", {
      detail: missing ? `There is no file ${path}.` : `${path}: ${errorText(error)}`,
      hint: missing
        ? "Name it with --config FILE, write a regate.yaml (docs/configuration.md), or try regate serve --demo."
        : "Make the file readable for the user that runs the gate.",
      cause: error,
    });
  }
  if (bytes.length > largest) {
    throw new RegateError("CONFIG_UNREADABLE", {
      detail: `${path} has ${bytes.length} bytes; at most ${largest} are read.`,
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new RegateError("CONFIG_INVALID", {
      detail: `${path} is not UTF-8 text.`,
      hint: "Save the file as UTF-8.",
      cause: error,
    });
  }
}

function toValue(document: Document.Parsed, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // Aliases that multiply ("billion laughs").
    throw new RegateError("CONFIG_INVALID", {
      detail: `${path}: ${firstLine(errorText(error))}`,
      hint: "Write the values out, or use fewer aliases.",
      cause: error,
    });
  }
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) break;
      offset = (pair.key as { range?: [number, number, number] }).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!.replace(/ at line \d+, column \d+:?$/, "");
}
