// What a crash left at the end of a segment: whole lines stay, a torn one is moved to a file of its own.
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentName, syncFolder } from "./segment.ts";

/** Bytes that were cut off the end of a segment, and the file in which they are kept. */
export type Torn = { readonly segment: string; readonly bytes: number; readonly file: string };

const chunk = 64 * 1024;

/**
 * Cuts what follows the last whole record off the segment, after it was copied to a side file. Undefined when nothing was torn.
 * @throws NodeJS.ErrnoException
 */
export function cutTorn(dir: string, number: number): Torn | undefined {
  const segment = segmentName(number);
  const fd = openSync(join(dir, segment), "r+");
  try {
    const size = fstatSync(fd).size;
    const end = endOfRecords(fd, size);
    if (end === size) return undefined;
    const tail = readRange(fd, end, size);
    const file = join(dir, `torn-${segment.slice("decisions-".length, -".jsonl".length)}-${end}-${Date.now()}.part`);
    writeFileSync(file, tail, { mode: 0o600, flag: "wx", flush: true });
    syncFolder(dir);
    ftruncateSync(fd, end);
    fsyncSync(fd);
    return { segment, bytes: size - end, file };
  } finally {
    closeSync(fd);
  }
}

/** The offset after the last line that is a JSON document. A power failure may leave zeros as well as a half line. */
function endOfRecords(fd: number, size: number): number {
  let end = size;
  while (end > 0) {
    const last = lineBefore(fd, end);
    if (last.whole && isRecord(readRange(fd, last.start, end))) return end;
    end = last.start;
  }
  return 0;
}

/** Where the line that ends at `end` starts; `whole` when it ends with a newline. */
function lineBefore(fd: number, end: number): { readonly start: number; readonly whole: boolean } {
  const whole = readRange(fd, end - 1, end)[0] === 0x0a;
  let before = whole ? end - 1 : end;
  while (before > 0) {
    const from = Math.max(0, before - chunk);
    const found = readRange(fd, from, before).lastIndexOf(0x0a);
    if (found >= 0) return { start: from + found + 1, whole };
    before = from;
  }
  return { start: 0, whole };
}

function isRecord(line: Buffer): boolean {
  if (line[0] !== 0x7b) return false;
  try {
    JSON.parse(line.toString());
    return true;
  } catch {
    return false;
  }
}

function readRange(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  let read = 0;
  while (read < bytes.length) {
    const count = readSync(fd, bytes, read, bytes.length - read, from + read);
    if (count === 0) throw new Error("the segment became shorter while it was read");
    read += count;
  }
  return bytes;
}
