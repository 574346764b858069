// Rows of COPY in format csv: quoted where needed, and then over several lines where the value is.
import type { CopyFormat } from "../../sql/postgres/copy-out.ts";
import { checkHeader, type CopyRows, malformed, masked, NO_DATA, sameBytes } from "./copy-format.ts";
import { isSame } from "../../masking/index.ts";
import type { RowPlan, RowWriter } from "./rows.ts";

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const END_OF_DATA = Buffer.from("\\.");

type CsvFormat = Extract<CopyFormat, { format: "csv" }>;

export class CsvRows implements CopyRows {
  readonly endable = true;
  readonly #format: CsvFormat;
  readonly #names: readonly string[];
  readonly #plan: RowPlan;
  /** By column: is every value quoted? */
  readonly #forced: readonly boolean[];
  #header: boolean;
  #seen = 0;
  #quoted = false;
  #cell = Buffer.allocUnsafe(256);
  #length = 0;

  constructor(format: CsvFormat, names: readonly string[], plan: RowPlan) {
    this.#format = format;
    this.#names = names;
    this.#plan = plan;
    this.#header = format.header;
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

  rewrite(source: Buffer, start: number, end: number, out: RowWriter): { masked: number; data: boolean } {
    if (this.#header) return this.#headerLine(source, start, end, out);
    const { null: nothing, quote } = this.#format;
    const plan = this.#plan;
    const last = end - 1;
    let cells = 0;
    let copied = start;
    let at = start;
    for (let i = 0; i < plan.length; i++) {
      const mask = plan[i];
      const to = this.#read(source, at, last, i === plan.length - 1, mask !== undefined);
      if (mask !== undefined && (source[at] === quote || !sameBytes(source, at, to, nothing))) {
        const cell = masked(mask, this.#cell, 0, this.#length);
        // What a mask left as it was goes out with what is around it.
        if (cell === null || !isSame(cell, this.#cell, 0, this.#length)) {
          out.copy(source, copied, at);
          if (cell === null) out.copy(nothing, 0, nothing.length);
          else this.#write(cell, i, out);
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
      const to = this.#read(source, at, end - 1, final, true);
      return { to, value: this.#cell.subarray(0, this.#length) };
    });
    this.#header = false;
    out.copy(source, start, end);
    return NO_DATA;
  }

  /** Where the cell at `at` ends: at the delimiter or, the last one, at the line's end. Its value goes into #cell where it is `kept`. */
  #read(source: Buffer, at: number, last: number, final: boolean, kept: boolean): number {
    const { delimiter, quote, escape: escaper } = this.#format;
    if (kept && last - at > this.#cell.length) this.#cell = Buffer.allocUnsafe(2 * (last - at));
    const cell = this.#cell;
    let length = 0;
    let to = at;
    if (source[at] === quote && at < last) {
      for (to++; ; to++) {
        if (to >= last) throw malformed();
        let byte = source[to]!;
        const next = source[to + 1];
        if (byte === escaper && to + 1 < last && (next === quote || next === escaper)) byte = source[++to]!;
        else if (byte === quote) break;
        if (kept) cell[length++] = byte;
      }
      to++;
    } else {
      for (; to < last && source[to] !== delimiter; to++) {
        const byte = source[to]!;
        // The server quotes what has one of these.
        if (byte === quote || byte === RETURN || byte === NEWLINE) throw malformed();
        if (kept) cell[length++] = byte;
      }
    }
    this.#length = length;
    if (final ? to !== last : to >= last || source[to] !== delimiter) throw malformed();
    return to;
  }

  /** Quoted as the server would quote the masked value: quotes of the real one would tell what is in it. */
  #write(cell: Buffer, column: number, out: RowWriter): void {
    const { delimiter, quote, escape: escaper, null: nothing } = this.#format;
    let quotes = this.#forced[column] === true || sameBytes(cell, 0, cell.length, nothing);
    quotes ||= this.#plan.length === 1 && cell.equals(END_OF_DATA);
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
