// What the three forms of COPY's rows have in common for those who rewrite them.
import { RegateError } from "../../errors.ts";
import type { CellMask, RowWriter } from "./rows.ts";

/** Rows of one form. A row is cut out of the stream first, and then rewritten as a whole. */
export type CopyRows = {
  /**
   * Where the row that begins at `start` ends (behind its last byte), or -1 if that has not come. Asked again with more bytes behind the same
   * row, it goes on where it was.
   */
  cut(source: Buffer, start: number, end: number): number;
  /**
   * Appends the row with its masks applied. `data` is false for what is no row: headers and trailers.
   * @throws RegateError UPSTREAM_PROTOCOL if it is not what the plan was made for
   */
  rewrite(
    source: Buffer,
    start: number,
    end: number,
    out: RowWriter,
  ): { readonly masked: number; readonly data: boolean };
  /** May the stream end behind the last whole row? */
  readonly endable: boolean;
};

/** A row that is no data. */
export const NO_DATA = Object.freeze({ masked: 0, data: false });

export function masked(mask: CellMask, source: Buffer, start: number, end: number): Buffer | null {
  return mask.constant === undefined ? mask(source, start, end) : mask.constant;
}

export function sameBytes(source: Buffer, start: number, end: number, other: Buffer): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (source[start + i] !== other[i]) return false;
  return true;
}

export function malformed(detail = "A row of COPY does not have the form that the server described."): RegateError {
  return new RegateError("UPSTREAM_PROTOCOL", { detail });
}
