// What a mask is to those who apply it: a function over the bytes of one cell.

/**
 * Gives the bytes that take the place of source[start, end), or null for SQL NULL. SQL NULL itself is never handed to a mask.
 * The bytes are valid until the mask's next call: they live in a buffer that is used again. `constant`: the same for every cell.
 */
export type Mask = { (source: Buffer, start: number, end: number): Buffer | null; readonly constant?: Buffer | null };

/** A result column as the server described it: type OID, format (0 text, 1 binary) and type modifier (-1: none). */
export type MaskedColumn = { readonly typeOid: number; readonly format: number; readonly modifier?: number };

/** `key`: the secret of keyed masks, at least 16 bytes. */
export type MaskOptions = { readonly key: Buffer };

/** What a policy says: the mask's name and its parameters. A decision's members (`statement`, `output`, `code`) may stand among them. */
export type MaskRequest = { readonly mask: string } & { readonly [parameter: string]: unknown };

/** One mask. `check` says what is wrong with its parameters; `plan` is only called with parameters that passed. */
export type MaskKind = {
  readonly parameters: readonly string[];
  check(request: MaskRequest): string | undefined;
  plan(request: MaskRequest, column: MaskedColumn, options: MaskOptions): Mask;
};

/** The mask that gives the same for every cell. */
export function constant(value: Buffer | null): Mask {
  return Object.assign(() => value, { constant: value });
}

/** Takes the place of what has no valid masked form. */
export const nothing: Mask = constant(null);
