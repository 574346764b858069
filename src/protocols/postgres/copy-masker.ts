// Masks what COPY … TO STDOUT sends: rows are cut out of the stream, however it is split, and rewritten.
import { RegateError } from "../../errors.ts";
import type { CopyFormat } from "../../sql/postgres/copy-out.ts";
import { BACKEND } from "./codes.ts";
import { BinaryRows } from "./copy-binary.ts";
import { CsvCells } from "./copy-csv.ts";
import { type CopyRows, malformed } from "./copy-format.ts";
import { CopyLines } from "./copy-lines.ts";
import { TextCells } from "./copy-text.ts";
import type { RowPlan, RowWriter } from "./rows.ts";

const EMPTY = Buffer.alloc(0);

export class CopyMasker {
  readonly #rows: CopyRows;
  readonly #rowBytes: number;
  /** The beginning of a row whose end has not come. */
  #kept: Buffer = EMPTY;
  #keptBytes = 0;

  /** `names` of the columns, `plan` with an entry for each; a row of more than `rowBytes` is refused. */
  constructor(format: CopyFormat, names: readonly string[], plan: RowPlan, rowBytes: number) {
    this.#rowBytes = rowBytes;
    if (format.format === "binary") this.#rows = new BinaryRows(plan);
    else {
      const form = format.format === "csv" ? new CsvCells(format, names) : new TextCells(format);
      this.#rows = new CopyLines(form, format.header, names, plan);
    }
  }

  /**
   * Takes the content source[start, end) of one CopyData, and appends a CopyData with the rows that are whole now, if there are any. On an
   * error nothing is appended.
   * @throws RegateError UPSTREAM_PROTOCOL (not the rows that were described), ROW_TOO_LARGE
   */
  push(source: Buffer, start: number, end: number, out: RowWriter): { readonly rows: number; readonly masked: number } {
    const counts = { rows: 0, masked: 0 };
    const begun = out.begin(BACKEND.copyData);
    const body = out.length;
    try {
      if (this.#keptBytes === 0) this.#keep(source, this.#whole(source, start, end, out, counts), end);
      else {
        this.#keep(source, start, end);
        const kept = this.#kept;
        const keptBytes = this.#keptBytes;
        const at = this.#whole(kept, 0, keptBytes, out, counts);
        if (at > 0) {
          this.#keptBytes = 0;
          this.#keep(Buffer.from(kept.subarray(at, keptBytes)), 0, keptBytes - at);
        }
      }
      if (this.#keptBytes > this.#rowBytes)
        throw new RegateError("ROW_TOO_LARGE", { detail: `The limit is ${this.#rowBytes} bytes.` });
    } catch (thrown) {
      out.undo(begun);
      throw thrown;
    }
    if (out.length === body) out.undo(begun);
    else out.end(begun);
    return counts;
  }

  /** The server says that this was all. @throws RegateError UPSTREAM_PROTOCOL within a row */
  done(): void {
    if (this.#keptBytes > 0 || !this.#rows.endable) throw malformed("COPY ended within a row.");
  }

  /** Appends the rows that are whole; where the rest begins. */
  #whole(source: Buffer, start: number, end: number, out: RowWriter, counts: { rows: number; masked: number }): number {
    let at = start;
    while (at < end) {
      const next = this.#rows.cut(source, at, end);
      if (next < 0) break;
      const row = this.#rows.rewrite(source, at, next, out);
      if (row.data) counts.rows++;
      counts.masked += row.masked;
      at = next;
    }
    return at;
  }

  #keep(source: Buffer, start: number, end: number): void {
    const size = end - start;
    if (this.#keptBytes + size > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(2 * this.#kept.length, this.#keptBytes + size, 1024));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    source.copy(this.#kept, this.#keptBytes, start, end);
    this.#keptBytes += size;
    if (this.#keptBytes === 0) this.#kept = EMPTY;
  }
}
