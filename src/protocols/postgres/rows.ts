// Rewrites DataRow messages whose columns are masked, straight from buffer to buffer.
import { RegateError } from "../../errors.ts";
import { isSame } from "../../masking/index.ts";

/** New bytes of a cell (its old ones are source[start, end)), or null for SQL NULL. `constant`: the same for every cell. */
export type CellMask = {
  (source: Buffer, start: number, end: number): Buffer | null;
  readonly constant?: Buffer | null;
};

/** One entry per column of the result: its mask, or undefined where it passes. */
export type RowPlan = readonly (CellMask | undefined)[];

/** Collects output in one growing buffer, so that a chunk of many rows becomes one write. */
export class RowWriter {
  #buffer = Buffer.allocUnsafe(65536);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes written since the last take; the caller owns them. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(Math.max(65536, Math.min(this.#length, 1 << 20)));
    this.#length = 0;
    return taken;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }

  /** Appends a part of another buffer. */
  copy(source: Buffer, start: number, end: number): void {
    const bytes = end - start;
    this.#room(bytes);
    // For a few bytes a loop beats the call into the runtime.
    if (bytes < 24) {
      const target = this.#buffer;
      let at = this.#length;
      for (let i = start; i < end; i++) target[at++] = source[i]!;
    } else source.copy(this.#buffer, this.#length, start, end);
    this.#length += bytes;
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#length++] = value;
  }

  /** Begins a message, whose length is not known yet. Gives what {@link end} and {@link undo} take. */
  begin(type: number): number {
    this.#room(5);
    this.#buffer[this.#length] = type;
    this.#length += 5;
    return this.#length - 5;
  }

  /** The message is complete. */
  end(begun: number): void {
    this.#buffer.writeInt32BE(this.#length - begun - 1, begun + 1);
  }

  /** Takes back everything since `begun`: what could not be completed must not leave. */
  undo(begun: number): void {
    this.#length = begun;
  }

  /**
   * Appends the DataRow at source[start, end) with the plan's masks applied. Returns the number of cells that were changed.
   * @throws RegateError UPSTREAM_PROTOCOL if the row is not what the plan was made for
   */
  row(source: Buffer, start: number, end: number, plan: RowPlan): number {
    if (end - start < 7 || source.readUInt16BE(start + 5) !== plan.length) throw malformed();
    const begun = this.#length;
    let masked = 0;
    let copied = start;
    let at = start + 7;
    for (let i = 0; i < plan.length; i++) {
      if (at + 4 > end) throw malformed();
      const size = source.readInt32BE(at);
      const next = at + 4 + Math.max(size, 0);
      if (next > end || size < -1) throw malformed();
      const mask = plan[i];
      if (mask !== undefined && size >= 0) {
        const cell = mask.constant === undefined ? mask(source, at + 4, next) : mask.constant;
        // What a mask left as it was goes out with what is around it.
        if (cell === null || !isSame(cell, source, at + 4, next)) {
          this.copy(source, copied, at);
          this.cell(cell);
          copied = next;
          masked++;
        }
      }
      at = next;
    }
    if (at !== end) throw malformed();
    this.copy(source, copied, end);
    this.#buffer.writeInt32BE(this.#length - begun - 1, begun + 1);
    return masked;
  }

  /** Appends a length, -1 for NULL, and the bytes. */
  cell(cell: Buffer | null): void {
    this.#room(4);
    this.#buffer.writeInt32BE(cell === null ? -1 : cell.length, this.#length);
    this.#length += 4;
    if (cell !== null) this.copy(cell, 0, cell.length);
  }
}

function malformed(): RegateError {
  return new RegateError("UPSTREAM_PROTOCOL", { detail: "A row does not have the form that the server described." });
}
