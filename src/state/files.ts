// Files that several processes share: lines that are appended whole, and files that appear whole.
import {
  closeSync,
  fsyncSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";

/** Appends one line with one write. A torn line that a crash left is closed first, so that it spoils only itself. */
export function appendLine(file: number, line: string): void {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  const torn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
  const bytes = Buffer.from(`${torn ? "\n" : ""}${line}\n`, "utf8");
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Opens for {@link appendLine}, readable by the owner alone. */
export function openAppend(path: string): number {
  return openSync(path, "a+", 0o600);
}

/** Puts a file in the place of whatever has its name: whole, and on the disk. */
export function replaceFile(path: string, text: string): void {
  const draft = join(dirname(path), `.${randomUUID()}`);
  writeDraft(draft, text);
  renameSync(draft, path);
  syncFolder(dirname(path));
}

/** Makes a file if there is none of its name: whole, and on the disk. False if there was one. */
export function createFile(path: string, text: string): boolean {
  const draft = join(dirname(path), `.${randomUUID()}`);
  writeDraft(draft, text);
  try {
    linkSync(draft, path);
    syncFolder(dirname(path));
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  } finally {
    unlinkSync(draft);
  }
}

function writeDraft(draft: string, text: string): void {
  const file = openSync(draft, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(dir: string): void {
  const folder = openSync(dir, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The JSON documents of a file of lines; what is no JSON (a torn line) is left out. */
export function parseLines(text: string): unknown[] {
  const documents: unknown[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    try {
      documents.push(JSON.parse(line));
    } catch {
      // Torn by a crash while it was written.
    }
  }
  return documents;
}
