// The cells of COPY in format csv: quoted where needed, and then over several lines where the value is.
import type { CopyFormat } from "../../sql/postgres/copy-out.ts";
import { malformed, sameBytes } from "./copy-format.ts";
import type { CellForm } from "./copy-lines.ts";
import type { RowWriter } from "./rows.ts";

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const END_OF_DATA = Buffer.from("\\.");

type CsvFormat = Extract<CopyFormat, { format: "csv" }>;

export class CsvCells implements CellForm {
  readonly null: Buffer;
  value = Buffer.allocUnsafe(256);
  length = 0;
  readonly #format: CsvFormat;
  /** By column: is every value quoted? */
  readonly #forced: readonly boolean[];
  /** How far the row that is being cut was read, and whether that is within quotes. */
  #seen = 0;
  #quoted = false;

  constructor(format: CsvFormat, names: readonly string[]) {
    this.null = format.null;
    this.#format = format;
    const { forceQuote } = format;
    // Of several columns with one name the server takes the first.
    this.#forced = names.map(
      (name, i) => forceQuote[0] === "*" || (names.indexOf(name) === i && forceQuote.includes(name)),
    );
  }

  cut(source: Buffer, start: number, end: number): number {
    const { quote, escape: escaper } = this.#format;
    let at = start + this.#seen;
    let quoted = this.#quoted;
    for (; at < end; at++) {
      const byte = source[at];
      if (quoted && byte === escaper && escaper !== quote) {
        if (at + 1 === end) break;
        at++;
      } else if (byte === quote) quoted = !quoted;
      else if (byte === NEWLINE && !quoted) {
        this.#seen = 0;
        this.#quoted = false;
        return at + 1;
      }
    }
    this.#seen = at - start;
    this.#quoted = quoted;
    return -1;
  }

  read(source: Buffer, at: number, last: number, final: boolean, wanted: boolean): number {
    const { delimiter, quote, escape: escaper } = this.#format;
    if (wanted && last - at > this.value.length) this.value = Buffer.allocUnsafe(2 * (last - at));
    const value = this.value;
    let length = 0;
    let to = at;
    if (source[at] === quote && at < last) {
      for (to++; ; to++) {
        if (to >= last) throw malformed();
        let byte = source[to]!;
        const next = source[to + 1];
        if (byte === escaper && to + 1 < last && (next === quote || next === escaper)) byte = source[++to]!;
        else if (byte === quote) break;
        if (wanted) value[length++] = byte;
      }
      to++;
    } else {
      for (; to < last && source[to] !== delimiter; to++) {
        const byte = source[to]!;
        // The server quotes what has one of these.
        if (byte === quote || byte === RETURN || byte === NEWLINE) throw malformed();
        if (wanted) value[length++] = byte;
      }
    }
    this.length = length;
    if (final ? to !== last : to >= last || source[to] !== delimiter) throw malformed();
    return to;
  }

  isNull(source: Buffer, start: number, end: number): boolean {
    return source[start] !== this.#format.quote && sameBytes(source, start, end, this.null);
  }

  write(cell: Buffer, column: number, out: RowWriter): void {
    const { delimiter, quote, escape: escaper } = this.#format;
    let quotes = this.#forced[column] === true || sameBytes(cell, 0, cell.length, this.null);
    quotes ||= this.#forced.length === 1 && cell.equals(END_OF_DATA);
    for (let at = 0; !quotes && at < cell.length; at++) {
      const byte = cell[at];
      quotes = byte === delimiter || byte === quote || byte === NEWLINE || byte === RETURN;
    }
    if (!quotes) {
      out.copy(cell, 0, cell.length);
      return;
    }
    out.byte(quote);
    let written = 0;
    for (let at = 0; at < cell.length; at++) {
      if (cell[at] !== quote && cell[at] !== escaper) continue;
      out.copy(cell, written, at);
      out.byte(escaper);
      written = at;
    }
    out.copy(cell, written, cell.length);
    out.byte(quote);
  }
}
