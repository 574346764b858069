// partial: the first and last characters stay, the ones between become another; all of them when the value is too short.
import { isUtf8 } from "node:buffer";
import type { Plain } from "./column.ts";
import { fit, jsonCell, jsonText, shapeOf, valueEnd } from "./column.ts";
import type { Mask, MaskKind, MaskRequest } from "./mask.ts";
import { nothing } from "./mask.ts";
import { REDACTED, redaction } from "./redact.ts";
import { Scratch } from "./scratch.ts";

type Parameters = { readonly first: number; readonly last: number; readonly char: string };

export const parametersOf = (request: MaskRequest): Parameters => ({
  first: (request.keep_first as number | undefined) ?? 0,
  last: (request.keep_last as number | undefined) ?? 0,
  char: (request.char as string | undefined) ?? "*",
});

export const partialMask: MaskKind = {
  parameters: ["keep_first", "keep_last", "char"],
  check: checkPartial,
  plan: (request, column) => {
    const parameters = parametersOf(request);
    const shape = shapeOf(column);
    if (shape?.kind === "plain")
      return shape.bytes === undefined ? partialBytes(parameters, shape) : boundedPartial(parameters, shape);
    if (shape?.kind !== "json") return nothing;
    const other = redaction(column).constant ?? null;
    return (source, start, end) => {
      const text = jsonText(source, start, end, shape.version);
      return text === undefined ? other : jsonCell(partialText(text, parameters), shape.version);
    };
  },
};

/** What is wrong with what is kept and put in place. */
export function checkPartial(request: MaskRequest): string | undefined {
  for (const name of ["keep_first", "keep_last"]) {
    const value = request[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0))
      return `${name}: expected a whole number from 0`;
  }
  const { char } = request;
  // One visible character: white space would vanish at the end of a character(n), a combining mark would join its neighbour.
  if (char !== undefined && !(typeof char === "string" && /^[^\p{C}\p{Z}\p{M}]$/u.test(char)))
    return "char: expected one visible character";
  return undefined;
}

/** By Unicode code points; they are never all in a list, since a text may have millions. */
export function partialText(text: string, { first, last, char }: Parameters): string {
  let count = 0;
  for (const _ of text) count++;
  if (first + last >= count) return char.repeat(count);
  const start = codeUnits(text, first);
  const end = codeUnits(text, count - last);
  return text.slice(0, start) + char.repeat(count - first - last) + text.slice(end);
}

/** Where the code point of that number begins. */
function codeUnits(text: string, points: number): number {
  let at = 0;
  for (let i = 0; i < points; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

/** The same, straight over UTF-8 bytes. */
function partialBytes({ first, last, char }: Parameters, column: Plain): Mask {
  const filler = Buffer.from(char, "utf8");
  const width = filler.length;
  const byte = filler[0]!;
  const broken = fit(REDACTED, column);
  const scratch = new Scratch();
  return (source, start, whole) => {
    const end = valueEnd(source, start, whole, column);
    let count = 0;
    for (let i = start; i < end; i++) if ((source[i]! & 0xc0) !== 0x80) count++;
    // Bytes that are no text (a SQL_ASCII database may send them) have no characters to keep.
    if (count !== end - start && !isUtf8(source.subarray(start, end))) return broken;
    const all = first + last >= count;
    const head = all ? start : forward(source, start, first);
    const tail = all ? end : backward(source, end, last);
    const middle = all ? count : count - first - last;
    const target = scratch.of(head - start + middle * width + (whole - tail));
    let at = 0;
    for (let i = start; i < head; i++) target[at++] = source[i]!;
    if (width === 1) for (let i = 0; i < middle; i++) target[at++] = byte;
    else for (let i = 0; i < middle; i++) for (let j = 0; j < width; j++) target[at++] = filler[j]!;
    for (let i = tail; i < whole; i++) target[at++] = source[i]!;
    return target;
  };
}

/** For the types whose length is counted in bytes, which a wide `char` could exceed. */
function boundedPartial(parameters: Parameters, column: Plain): Mask {
  const broken = fit(REDACTED, column);
  return (source, start, end) => {
    if (!isUtf8(source.subarray(start, end))) return broken;
    return fit(partialText(source.toString("utf8", start, end), parameters), column);
  };
}

/** The offset after `count` code points. */
function forward(source: Buffer, start: number, count: number): number {
  let at = start;
  for (let i = 0; i < count; i++) {
    at++;
    while ((source[at]! & 0xc0) === 0x80) at++;
  }
  return at;
}

/** The offset before the last `count` code points. */
function backward(source: Buffer, end: number, count: number): number {
  let at = end;
  for (let i = 0; i < count; i++) {
    at--;
    while ((source[at]! & 0xc0) === 0x80) at--;
  }
  return at;
}
