// Reads the decision log from its end: the last lines first, then what is appended.
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { RegateError } from "../errors.ts";
import { listSegments, segmentName } from "./segment.ts";

/** After the last whole line that was read. */
export type Position = { readonly number: number; readonly offset: number };

const chunk = 256 * 1024;
const newline = 0x0a;

/** Where the log ends now. @throws RegateError DATA_DIR when there is no log */
export function endOfLog(dir: string): Position {
  const number = segmentsOf(dir).at(-1);
  if (number === undefined) return { number: 1, offset: 0 };
  return withSegment(dir, number, (fd) => {
    let to = fstatSync(fd).size;
    while (to > 0) {
      const from = Math.max(0, to - chunk);
      const found = read(fd, from, to).lastIndexOf(newline);
      if (found >= 0) return { number, offset: from + found + 1 };
      to = from;
    }
    return { number, offset: 0 };
  });
}

/** The lines before a position, newest first, as far back as they are asked for. */
export function* linesBefore(dir: string, end: Position): Generator<string> {
  for (const number of segmentsOf(dir).reverse()) {
    if (number > end.number) continue;
    const fd = openSync(join(dir, segmentName(number)), "r");
    try {
      let to = number === end.number ? end.offset : fstatSync(fd).size;
      // The beginning of the lines seen so far, which a chunk before it completes.
      let rest: Buffer = Buffer.alloc(0);
      while (to > 0) {
        const from = Math.max(0, to - chunk);
        const bytes = Buffer.concat([read(fd, from, to), rest]);
        const first = from === 0 ? 0 : bytes.indexOf(newline) + 1;
        if (from > 0 && first === 0) {
          rest = bytes;
          to = from;
          continue;
        }
        const lines = bytes.toString("utf8", first).split("\n");
        for (const line of lines.reverse()) if (line !== "") yield line;
        rest = bytes.subarray(0, first);
        to = from;
      }
    } finally {
      closeSync(fd);
    }
  }
}

/** The whole lines after a position, and the position after them. At most some megabytes at a time. */
export function linesAfter(dir: string, start: Position): { readonly lines: string[]; readonly position: Position } {
  const numbers = segmentsOf(dir);
  const later = numbers.find((number) => number > start.number);
  if (!numbers.includes(start.number))
    return { lines: [], position: later === undefined ? start : { number: later, offset: 0 } };
  return withSegment(dir, start.number, (fd) => {
    const { size } = fstatSync(fd);
    for (let limit = 4 * 1024 * 1024; ; limit *= 2) {
      const to = Math.min(size, start.offset + limit);
      const bytes = to <= start.offset ? Buffer.alloc(0) : read(fd, start.offset, to);
      const end = bytes.lastIndexOf(newline) + 1;
      // A line longer than what was read: read more.
      if (end === 0 && to < size) continue;
      if (end === 0 && later !== undefined) return { lines: [], position: { number: later, offset: 0 } };
      const lines = bytes.toString("utf8", 0, end).split("\n");
      return {
        lines: lines.filter((line) => line !== ""),
        position: { number: start.number, offset: start.offset + end },
      };
    }
  });
}

function segmentsOf(dir: string): number[] {
  if (existsSync(dir)) return listSegments(dir);
  throw new RegateError("DATA_DIR", {
    detail: `There is no decision log in ${dir}.`,
    hint: "Name the gate's folder by --data-dir, or its configuration by --config.",
  });
}

function withSegment<T>(dir: string, number: number, use: (fd: number) => T): T {
  const fd = openSync(join(dir, segmentName(number)), "r");
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** What the file has between two offsets: less when it became shorter meanwhile. */
function read(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(fd, bytes, length, bytes.length - length, from + length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}
