// The cells of COPY in format text: backslash escapes, one row a line.
import type { CopyFormat } from "../../sql/postgres/copy-out.ts";
import { malformed, sameBytes } from "./copy-format.ts";
import type { CellForm } from "./copy-lines.ts";
import type { RowWriter } from "./rows.ts";

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
/** What stands behind the backslash for a control character (CopyAttributeOutText), and back. */
const LETTERS = new Map(
  [..."bfnrtv"].map((letter) => [letter.charCodeAt(0), "\b\f\n\r\t\v".charCodeAt("bfnrtv".indexOf(letter))]),
);
const CONTROLS = new Map([...LETTERS].map(([letter, control]) => [control, letter]));

type TextFormat = Extract<CopyFormat, { format: "text" }>;

export class TextCells implements CellForm {
  readonly null: Buffer;
  value = Buffer.allocUnsafe(256);
  length = 0;
  readonly #delimiter: number;
  /**
   * Might a value look like NULL? Then what looks like NULL is masked as that value: who chooses what stands for NULL could try values out.
   */
  readonly #ambiguous: boolean;
  /** How far the row that is being cut was read. */
  #seen = 0;

  constructor(format: TextFormat) {
    this.null = format.null;
    this.#delimiter = format.delimiter;
    this.#ambiguous = isValue(format.null, format.delimiter);
  }

  cut(source: Buffer, start: number, end: number): number {
    const at = source.subarray(0, end).indexOf(NEWLINE, start + this.#seen);
    this.#seen = at < 0 ? end - start : 0;
    return at < 0 ? -1 : at + 1;
  }

  read(source: Buffer, at: number, last: number, final: boolean, wanted: boolean): number {
    const delimiter = this.#delimiter;
    let to = at;
    while (to < last && source[to] !== delimiter) to += source[to] === BACKSLASH ? 2 : 1;
    if (to > last || (to === last) !== final) throw malformed();
    if (wanted) this.#unescape(source, at, to);
    return to;
  }

  #unescape(source: Buffer, from: number, to: number): void {
    if (to - from > this.value.length) this.value = Buffer.allocUnsafe(2 * (to - from));
    const value = this.value;
    let length = 0;
    for (let at = from; at < to; at++) {
      let byte = source[at]!;
      if (byte === BACKSLASH && at + 1 < to) {
        byte = source[++at]!;
        byte = LETTERS.get(byte) ?? byte;
      }
      value[length++] = byte;
    }
    this.length = length;
  }

  isNull(source: Buffer, start: number, end: number): boolean {
    return !this.#ambiguous && sameBytes(source, start, end, this.null);
  }

  write(cell: Buffer, _column: number, out: RowWriter): void {
    const delimiter = this.#delimiter;
    let written = 0;
    for (let at = 0; at < cell.length; at++) {
      const byte = cell[at]!;
      const escaped = CONTROLS.get(byte) ?? (byte === BACKSLASH || byte === delimiter ? byte : undefined);
      if (escaped === undefined) continue;
      out.copy(cell, written, at);
      out.byte(BACKSLASH);
      out.byte(escaped);
      written = at + 1;
    }
    out.copy(cell, written, cell.length);
  }
}

/** Would the server write a value in this way? */
function isValue(shown: Buffer, delimiter: number): boolean {
  for (let at = 0; at < shown.length; at++) {
    const byte = shown[at]!;
    if (byte === BACKSLASH) {
      const escaped = shown[++at];
      if (escaped === undefined || !(LETTERS.has(escaped) || escaped === BACKSLASH || escaped === delimiter))
        return false;
    } else if (byte === delimiter || CONTROLS.has(byte)) return false;
  }
  return true;
}
