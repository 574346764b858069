// Applies one mask to one cell, as the tests of masks do.
import { type MaskedColumn, type MaskOptions, type MaskRequest, planMask } from "../../src/masking/index.ts";

const key = Buffer.alloc(32, 7);
export const options: MaskOptions = { key, tokenKey: (name) => (name === "cards" ? key : undefined) };

/** The cell's masked bytes, between others that must not matter. */
export function bytesOf(request: MaskRequest, cell: Buffer, column: MaskedColumn): Buffer | null {
  const mask = planMask(request, column, options);
  const source = Buffer.concat([Buffer.from('{"9'), cell, Buffer.from('9",}')]);
  const given = mask.constant === undefined ? mask(source, 3, 3 + cell.length) : mask.constant;
  return given === null ? null : Buffer.from(given);
}

/** The same for a cell in text form. */
export function textOf(request: MaskRequest, cell: string, typeOid = 25, modifier = -1): string | null {
  return bytesOf(request, Buffer.from(cell), { typeOid, format: 0, modifier })?.toString() ?? null;
}
