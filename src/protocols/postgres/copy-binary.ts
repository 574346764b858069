// Rows of COPY in format binary: a signature, rows of counted cells, a trailer.
import { type CopyRows, malformed, masked, NO_DATA } from "./copy-format.ts";
import { isSame } from "../../masking/index.ts";
import type { RowPlan, RowWriter } from "./rows.ts";

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
/** Signature, flags, length of the header's extension. */
const HEADER_BYTES = SIGNATURE.length + 8;

export class BinaryRows implements CopyRows {
  readonly #plan: RowPlan;
  #part: "header" | "rows" | "ended" = "header";
  /** How far the row that is being cut was read: bytes, and cells. */
  #seen = 0;
  #cells = 0;

  constructor(plan: RowPlan) {
    this.#plan = plan;
  }

  get endable(): boolean {
    return this.#part === "ended";
  }

  cut(source: Buffer, start: number, end: number): number {
    if (this.#part === "header") return end - start < HEADER_BYTES ? -1 : start + HEADER_BYTES;
    if (end - start < 2) return -1;
    const count = source.readInt16BE(start);
    if (count === -1) return start + 2;
    if (count !== this.#plan.length) throw malformed();
    let at = start + Math.max(this.#seen, 2);
    let cells = this.#cells;
    while (cells < count && at + 4 <= end) {
      const size = source.readInt32BE(at);
      if (size < -1) throw malformed();
      const next = at + 4 + Math.max(size, 0);
      if (next > end) break;
      at = next;
      cells++;
    }
    const whole = cells === count;
    this.#seen = whole ? 0 : at - start;
    this.#cells = whole ? 0 : cells;
    return whole ? at : -1;
  }

  rewrite(source: Buffer, start: number, end: number, out: RowWriter): { masked: number; data: boolean } {
    if (this.#part !== "rows" || source.readInt16BE(start) === -1) {
      this.#frame(source, start);
      out.copy(source, start, end);
      return NO_DATA;
    }
    let cells = 0;
    let copied = start;
    let at = start + 2;
    for (const mask of this.#plan) {
      const size = source.readInt32BE(at);
      const next = at + 4 + Math.max(size, 0);
      if (mask !== undefined && size >= 0) {
        const cell = masked(mask, source, at + 4, next);
        // What a mask left as it was goes out with what is around it.
        if (cell === null || !isSame(cell, source, at + 4, next)) {
          out.copy(source, copied, at);
          out.cell(cell);
          copied = next;
          cells++;
        }
      }
      at = next;
    }
    out.copy(source, copied, end);
    return { masked: cells, data: true };
  }

  /** The signature or the trailer. Flags and an extension would mean rows of another form. */
  #frame(source: Buffer, start: number): void {
    if (this.#part === "header") {
      const fits = source.compare(SIGNATURE, 0, SIGNATURE.length, start, start + SIGNATURE.length) === 0;
      const flags = source.readInt32BE(start + SIGNATURE.length);
      const extension = source.readInt32BE(start + SIGNATURE.length + 4);
      if (!fits || flags !== 0 || extension !== 0) throw malformed();
      this.#part = "rows";
    } else if (this.#part === "rows") this.#part = "ended";
    else throw malformed();
  }
}
