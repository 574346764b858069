// The journal of approvals: one line for each change, rewritten from time to time to what is still remembered.
import { closeSync, fstatSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ApprovalEntry } from "../core/ports.ts";
import { errorText, RegateError } from "../errors.ts";
import { appendLine, openAppend, parseLines, replaceFile } from "./files.ts";

const LARGEST = 64 << 20;

/** Belongs to one process: the gate that holds the data folder. */
export class Journal {
  readonly #path: string;
  readonly #largest: number;
  #rewriteAt: number;
  #file: number | undefined;
  #entries: ApprovalEntry[];

  /** @throws RegateError DATA_DIR */
  constructor(path: string, largest = LARGEST) {
    this.#path = path;
    this.#largest = largest;
    this.#rewriteAt = largest;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#file = openAppend(path);
      const latest = new Map<string, ApprovalEntry>();
      for (const line of parseLines(readFileSync(path, "utf8"))) {
        const entry = line as ApprovalEntry;
        if (typeof entry?.id !== "string" || typeof entry.state !== "string") continue;
        // A map keeps the place of what it had: deleted first, the order is that of the latest changes.
        latest.delete(entry.id);
        latest.set(entry.id, entry);
      }
      this.#entries = [...latest.values()];
    } catch (cause) {
      throw new RegateError("DATA_DIR", { detail: `${path}: ${errorText(cause)}`, cause });
    }
  }

  /** What it held when it was opened, in the order of the last changes. */
  entries(): readonly ApprovalEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  /** `all` gives what is to stay when the file has grown too large. */
  write(entry: ApprovalEntry, all: () => readonly ApprovalEntry[]): void {
    if (this.#file === undefined) throw new RegateError("DATA_DIR", { detail: `${this.#path}: closed` });
    appendLine(this.#file, JSON.stringify(entry));
    if (fstatSync(this.#file).size <= this.#rewriteAt) return;
    replaceFile(
      this.#path,
      all()
        .map((kept) => `${JSON.stringify(kept)}\n`)
        .join(""),
    );
    closeSync(this.#file);
    this.#file = undefined;
    this.#file = openAppend(this.#path);
    // What stays may itself be large: rewritten at twice its size, each line costs two writes at most.
    this.#rewriteAt = Math.max(this.#largest, 2 * fstatSync(this.#file).size);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
