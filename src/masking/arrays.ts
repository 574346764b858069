// Arrays of types that can be masked: element by element, in the text form (array_out) and in the binary form (array_send).
import type { Mask, MaskedColumn } from "./mask.ts";
import { constant, nothing } from "./mask.ts";
import { Growing } from "./scratch.ts";

/** The element's type by the array's, for the built-in types that have a masked form. */
const elements = new Map([
  [1009, 25],
  [1015, 1043],
  [1014, 1042],
  [1003, 19],
  [199, 114],
  [3807, 3802],
  [143, 142],
  [1001, 17],
  [2951, 2950],
  [1005, 21],
  [1007, 23],
  [1016, 20],
  [1231, 1700],
  [1021, 700],
  [1022, 701],
  [1182, 1082],
  [1183, 1083],
  [1270, 1266],
  [1115, 1114],
  [1185, 1184],
]);

/** The column of an array's elements; undefined for what is no array that can be masked. Its type modifier is that of the elements. */
export function elementOf(column: MaskedColumn): MaskedColumn | undefined {
  const typeOid = elements.get(column.typeOid);
  return typeOid === undefined || (column.format !== 0 && column.format !== 1) ? undefined : { ...column, typeOid };
}

/** Each element masked; an array of one element where the mask gives the same for all, so that their number is not told. */
export function arrayMask(inner: Mask, element: MaskedColumn): Mask {
  if (inner.constant === null) return nothing;
  const written = new Growing();
  if (inner.constant !== undefined) {
    const cell = inner.constant;
    if (element.format === 0) {
      written.byte(OPEN);
      writeElement(written, cell);
      written.byte(CLOSE);
    } else {
      for (const value of [1, 0, element.typeOid, 1, 1, cell.length]) written.int32(value);
      written.copy(cell, 0, cell.length);
    }
    return constant(Buffer.from(written.bytes));
  }
  return element.format === 0 ? textArray(inner, written) : binaryArray(inner, element.typeOid, written);
}

const MOST_DIMENSIONS = 6;

function binaryArray(inner: Mask, typeOid: number, written: Growing): Mask {
  return (source, start, end) => {
    if (end - start < 12) return null;
    const dimensions = source.readInt32BE(start);
    if (dimensions < 0 || dimensions > MOST_DIMENSIONS || source.readInt32BE(start + 8) !== typeOid) return null;
    let at = start + 12 + dimensions * 8;
    if (at > end) return null;
    written.length = 0;
    written.copy(source, start, at);
    let count = dimensions === 0 ? 0 : 1;
    for (let i = 0; i < dimensions; i++) count *= source.readInt32BE(start + 12 + i * 8);
    let nulls = 0;
    for (; count > 0; count--) {
      if (at + 4 > end) return null;
      const size = source.readInt32BE(at);
      const next = at + 4 + Math.max(size, 0);
      if (size < -1 || next > end) return null;
      const cell = size < 0 ? null : inner(source, at + 4, next);
      if (cell === null) {
        nulls = 1;
        written.int32(-1);
      } else {
        written.int32(cell.length);
        written.copy(cell, 0, cell.length);
      }
      at = next;
    }
    written.setInt32(nulls, 4);
    return at === end && count === 0 ? written.bytes : null;
  };
}

const [OPEN, CLOSE, COMMA, QUOTE, BACKSLASH] = [0x7b, 0x7d, 0x2c, 0x22, 0x5c];

/** Braces and commas (and bounds, as in [0:1]={a,b}) stay; what stands between them is an element. NULL for what array_out does not write. */
function textArray(inner: Mask, written: Growing): Mask {
  const element = new Growing();
  return (source, start, end) => {
    written.length = 0;
    let at = start;
    if (source[at] === 0x5b) {
      const equals = source.indexOf(0x3d, at);
      if (equals < 0 || equals >= end || !/^[[\]:\d-]+$/.test(source.toString("latin1", at, equals))) return null;
      written.copy(source, at, equals + 1);
      at = equals + 1;
    }
    let depth = 0;
    /** True where an element or an opening brace may stand. */
    let open = true;
    for (; at < end; at++) {
      const byte = source[at]!;
      if (byte === OPEN && open) {
        if (++depth > MOST_DIMENSIONS) return null;
        written.byte(byte);
      } else if (byte === CLOSE && depth > 0 && source[at - 1] !== COMMA) {
        depth--;
        open = false;
        written.byte(byte);
        if (depth === 0) return at + 1 === end ? written.bytes : null;
      } else if (byte === COMMA && !open && depth > 0) {
        open = true;
        written.byte(byte);
      } else {
        if (!open || depth === 0 || byte === COMMA) return null;
        const next = readElement(source, at, end, element);
        if (next < 0) return null;
        const bytes = element.bytes;
        const missing = byte !== QUOTE && bytes.length === 4 && bytes.toString("latin1").toUpperCase() === "NULL";
        writeElement(written, missing ? null : inner(bytes, 0, bytes.length));
        open = false;
        at = next - 1;
      }
    }
    return null;
  };
}

/** Reads one element, without its quotes and backslashes; gives what is behind it, or -1. */
function readElement(source: Buffer, start: number, end: number, element: Growing): number {
  element.length = 0;
  const quoted = source[start] === QUOTE;
  let at = quoted ? start + 1 : start;
  for (; at < end; at++) {
    let byte = source[at]!;
    if (byte === BACKSLASH) {
      if (++at >= end) return -1;
      byte = source[at]!;
    } else if (quoted ? byte === QUOTE : byte === COMMA || byte === CLOSE) return quoted ? at + 1 : at;
    else if (!quoted && (byte === QUOTE || byte === OPEN)) return -1;
    element.byte(byte);
  }
  return -1;
}

function writeElement(written: Growing, cell: Buffer | null): void {
  if (cell === null) {
    written.copy(NULL, 0, 4);
    return;
  }
  if (!needsQuotes(cell)) {
    written.copy(cell, 0, cell.length);
    return;
  }
  written.byte(QUOTE);
  for (const byte of cell) {
    if (byte === QUOTE || byte === BACKSLASH) written.byte(BACKSLASH);
    written.byte(byte);
  }
  written.byte(QUOTE);
}

const NULL = Buffer.from("NULL", "latin1");

/** By the rules of array_out. */
function needsQuotes(cell: Buffer): boolean {
  if (cell.length === 0 || (cell.length === 4 && cell.toString("latin1").toUpperCase() === "NULL")) return true;
  for (const byte of cell)
    if (
      byte === OPEN ||
      byte === CLOSE ||
      byte === COMMA ||
      byte === QUOTE ||
      byte === BACKSLASH ||
      byte === 0x20 ||
      (byte >= 0x09 && byte <= 0x0d)
    )
      return true;
  return false;
}
