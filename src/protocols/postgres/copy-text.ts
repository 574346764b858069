// Rows of COPY in format text: backslash escapes, one row a line.
import type { CopyFormat } from "../../sql/postgres/copy-out.ts";
import { checkHeader, type CopyRows, malformed, masked, NO_DATA, sameBytes } from "./copy-format.ts";
import { isSame } from "../../masking/index.ts";
import type { RowPlan, RowWriter } from "./rows.ts";

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
/** What stands behind the backslash for a control character (CopyAttributeOutText), and back. */
const LETTERS = new Map(
  [..."bfnrtv"].map((letter) => [letter.charCodeAt(0), "\b\f\n\r\t\v".charCodeAt("bfnrtv".indexOf(letter))]),
);
const CONTROLS = new Map([...LETTERS].map(([letter, control]) => [control, letter]));

type TextFormat = Extract<CopyFormat, { format: "text" }>;

export class TextRows implements CopyRows {
  readonly endable = true;
  readonly #format: TextFormat;
  readonly #names: readonly string[];
  readonly #plan: RowPlan;
  /**
   * Might a value look like NULL? Then what looks like NULL is masked as that value: who chooses what stands for NULL could try values out.
   */
  readonly #ambiguous: boolean;
  #header: boolean;
  #seen = 0;
  #cell = Buffer.allocUnsafe(256);

  constructor(format: TextFormat, names: readonly string[], plan: RowPlan) {
    this.#format = format;
    this.#names = names;
    this.#plan = plan;
    this.#header = format.header;
    this.#ambiguous = isValue(format.null, format.delimiter);
  }

  cut(source: Buffer, start: number, end: number): number {
    const at = source.subarray(0, end).indexOf(NEWLINE, start + this.#seen);
    this.#seen = at < 0 ? end - start : 0;
    return at < 0 ? -1 : at + 1;
  }

  rewrite(source: Buffer, start: number, end: number, out: RowWriter): { masked: number; data: boolean } {
    if (this.#header) return this.#headerLine(source, start, end, out);
    const { delimiter, null: nothing } = this.#format;
    const plan = this.#plan;
    const last = end - 1;
    let cells = 0;
    let copied = start;
    let at = start;
    for (let i = 0; i < plan.length; i++) {
      const to = this.#cellEnd(source, at, last, i === plan.length - 1);
      const mask = plan[i];
      if (mask !== undefined && (this.#ambiguous || !sameBytes(source, at, to, nothing))) {
        const length = this.#unescape(source, at, to);
        const cell = masked(mask, this.#cell, 0, length);
        // What a mask left as it was goes out with what is around it.
        if (cell === null || !isSame(cell, this.#cell, 0, length)) {
          out.copy(source, copied, at);
          if (cell === null) out.copy(nothing, 0, nothing.length);
          else writeEscaped(cell, delimiter, out);
          copied = to;
          cells++;
        }
      }
      at = to + 1;
    }
    out.copy(source, copied, end);
    return { masked: cells, data: true };
  }

  #headerLine(source: Buffer, start: number, end: number, out: RowWriter): { masked: number; data: boolean } {
    checkHeader(this.#names, start, (at, final) => {
      const to = this.#cellEnd(source, at, end - 1, final);
      const length = this.#unescape(source, at, to);
      return { to, value: this.#cell.subarray(0, length) };
    });
    this.#header = false;
    out.copy(source, start, end);
    return NO_DATA;
  }

  /** Where the cell at `at` ends: at the delimiter or, the last one, at the line's end. */
  #cellEnd(source: Buffer, at: number, last: number, final: boolean): number {
    const { delimiter } = this.#format;
    let to = at;
    while (to < last && source[to] !== delimiter) to += source[to] === BACKSLASH ? 2 : 1;
    if (to > last || (to === last) !== final) throw malformed();
    return to;
  }

  /** The value into #cell; its length. */
  #unescape(source: Buffer, from: number, to: number): number {
    if (to - from > this.#cell.length) this.#cell = Buffer.allocUnsafe(2 * (to - from));
    const cell = this.#cell;
    let length = 0;
    for (let at = from; at < to; at++) {
      let byte = source[at]!;
      if (byte === BACKSLASH && at + 1 < to) {
        byte = source[++at]!;
        byte = LETTERS.get(byte) ?? byte;
      }
      cell[length++] = byte;
    }
    return length;
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

function writeEscaped(cell: Buffer, delimiter: number, out: RowWriter): void {
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
