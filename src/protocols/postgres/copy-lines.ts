// Rows of COPY that are lines, in format text and csv: one walk over their cells, whatever form these have.
import { isSame } from "../../masking/index.ts";
import { type CopyRows, malformed, masked, NO_DATA } from "./copy-format.ts";
import type { RowPlan, RowWriter } from "./rows.ts";

/** How one form writes its cells. */
export type CellForm = {
  /** What stands for NULL. */
  readonly null: Buffer;
  /** The value of the cell that was read last as it is `wanted`: value[0, length). Good until the next is read. */
  readonly value: Buffer;
  readonly length: number;
  /** @see CopyRows.cut */
  cut(source: Buffer, start: number, end: number): number;
  /**
   * Where the cell at `at` ends: at the delimiter or, the `final` one, at `last`, the line's end.
   * @throws RegateError UPSTREAM_PROTOCOL if it ends otherwise
   */
  read(source: Buffer, at: number, last: number, final: boolean, wanted: boolean): number;
  /** Is the cell source[start, end) to be taken for NULL, and not for a value? */
  isNull(source: Buffer, start: number, end: number): boolean;
  /** Appends a value of the column as the server would write it: how the real one was written would tell what is in it. */
  write(value: Buffer, column: number, out: RowWriter): void;
};

export class CopyLines implements CopyRows {
  readonly endable = true;
  readonly #form: CellForm;
  readonly #names: readonly string[];
  readonly #plan: RowPlan;
  /** Is a header line to come? */
  #header: boolean;

  constructor(form: CellForm, header: boolean, names: readonly string[], plan: RowPlan) {
    this.#form = form;
    this.#header = header;
    this.#names = names;
    this.#plan = plan;
  }

  cut(source: Buffer, start: number, end: number): number {
    return this.#form.cut(source, start, end);
  }

  rewrite(source: Buffer, start: number, end: number, out: RowWriter): { masked: number; data: boolean } {
    if (this.#header) {
      this.#checkHeader(source, start, end - 1);
      this.#header = false;
      out.copy(source, start, end);
      return NO_DATA;
    }
    const form = this.#form;
    const plan = this.#plan;
    const last = end - 1;
    let cells = 0;
    let copied = start;
    let at = start;
    for (let i = 0; i < plan.length; i++) {
      const mask = plan[i];
      const to = form.read(source, at, last, i === plan.length - 1, mask !== undefined);
      if (mask !== undefined && !form.isNull(source, at, to)) {
        const cell = masked(mask, form.value, 0, form.length);
        // What a mask left as it was goes out with what is around it.
        if (cell === null || !isSame(cell, form.value, 0, form.length)) {
          out.copy(source, copied, at);
          if (cell === null) out.copy(form.null, 0, form.null.length);
          else form.write(cell, i, out);
          copied = to;
          cells++;
        }
      }
      at = to + 1;
    }
    out.copy(source, copied, end);
    return { masked: cells, data: true };
  }

  /** The header line tells the names of the columns: another line in its place may be a row. */
  #checkHeader(source: Buffer, start: number, last: number): void {
    let at = start;
    const found = this.#names.map((_, i) => {
      const to = this.#form.read(source, at, last, i === this.#names.length - 1, true);
      at = to + 1;
      return Buffer.from(this.#form.value.subarray(0, this.#form.length));
    });
    if (this.#names.some((name, i) => !Buffer.from(name).equals(found[i]!)))
      throw malformed("The header line of COPY does not name the columns that the server described.");
  }
}
