// What a mask is to those who apply it: a function over the bytes of one cell.

/**
 * Gives the bytes that take the place of source[start, end), or null for SQL NULL. SQL NULL itself is never handed to a mask.
 * The bytes are valid until the mask's next call: they live in a buffer that is used again. `constant`: the same for every cell.
 */
export type Mask = { (source: Buffer, start: number, end: number): Buffer | null; readonly constant?: Buffer | null };

/** A result column as the server described it: type OID, format (0 text, 1 binary) and type modifier (-1: none). */
export type MaskedColumn = {
  readonly typeOid: number;
  readonly format: number;
  readonly modifier?: number;
  /** The stored column (schema.table.column) that it shows, where it is a single one. */
  readonly name?: string;
};

export type MaskOptions = {
  /** The secret of `hash`, at least 16 bytes. */
  readonly key: Buffer;
  /**
   * The AES key (16, 24 or 32 bytes) of that name that `tokenize` encrypts with now; undefined where there is none.
   * @throws RegateError KEY_UNREADABLE
   */
  readonly tokenKey?: (name: string) => Buffer | undefined;
};

/** What a policy says: the mask's name and its parameters. A decision's members (`statement`, `output`, `code`) may stand among them. */
export type MaskRequest = { readonly mask: string } & { readonly [parameter: string]: unknown };

/** One mask. `check` says what is wrong with its parameters; `plan` is only called with parameters that passed. */
export type MaskKind = {
  readonly parameters: readonly string[];
  check(request: MaskRequest): string | undefined;
  /** The names of the keys that it needs. */
  keys?(request: MaskRequest): readonly string[];
  /** @throws RegateError MASK_KEY_MISSING, KEY_UNREADABLE */
  plan(request: MaskRequest, column: MaskedColumn, options: MaskOptions): Mask;
};

/** The mask that gives the same for every cell. */
export function constant(value: Buffer | null): Mask {
  return Object.assign(() => value, { constant: value });
}

/** Takes the place of what has no valid masked form. */
export const nothing: Mask = constant(null);
