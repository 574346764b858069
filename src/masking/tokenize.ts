// tokenize: a keyed permutation (FF1) that keeps form and type, so that whoever has the key can turn a token back into its value.
import { RegateError } from "../errors.ts";
import { jsonCell, jsonText, shapeOf, valueEnd } from "./column.ts";
import { MOST_DIGITS, readDecimal, readNumeric, writeDecimal, writeNumeric } from "./decimal.ts";
import type { Mask, MaskedColumn, MaskKind } from "./mask.ts";
import { nothing } from "./mask.ts";
import { MOST_CHARACTERS, Permutation } from "./permute.ts";
import { redaction } from "./redact.ts";
import { Scratch } from "./scratch.ts";

/** Names of keys are names of files, too. */
const keyName = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const MOST_TWEAK = 256;

export const tokenizeMask: MaskKind = {
  parameters: ["key", "tweak"],
  check: ({ key, tweak }) => {
    if (typeof key !== "string" || !keyName.test(key))
      return "key: expected the name of a key (small letters, digits, - and _)";
    if (tweak !== undefined && !(typeof tweak === "string" && tweak !== "" && tweak.length <= MOST_TWEAK))
      return `tweak: expected a text of at most ${MOST_TWEAK} characters`;
    return undefined;
  },
  keys: ({ key }) => [key as string],
  plan: ({ key, tweak }, column, { tokenKey }) => {
    const secret = tokenKey?.(key as string);
    if (secret === undefined) throw missing(key as string);
    const from = (tweak as string | undefined) ?? column.name;
    // Of several columns in one output nobody could say whose token it is.
    if (from === undefined) return redaction(column);
    return cells(new Permutation(secret, from, "forward"), column);
  },
};

export function missing(name: string): RegateError {
  return new RegateError("MASK_KEY_MISSING", {
    detail: `The key ${name} is not in data_dir/keys/tokenize.`,
  });
}

/**
 * The value of a token, in the text form of its type; null for what is no token.
 * `tweak`: the mask's, or where it has none the column's name (schema.table.column). `key`: the version that made the token.
 */
export function detokenize(token: string, key: Buffer, tweak: string, column = { typeOid: 25 }): string | null {
  const mask = cells(new Permutation(key, tweak, "backward"), { ...column, format: 0 }, nothing);
  const bytes = Buffer.from(token, "utf8");
  return mask(bytes, 0, bytes.length)?.toString("utf8") ?? null;
}

const integers = new Map<number, { readonly bytes: 2 | 4 | 8; readonly most: bigint }>([
  [21, { bytes: 2, most: 32_767n }],
  [23, { bytes: 4, most: 2_147_483_647n }],
  [20, { bytes: 8, most: 9_223_372_036_854_775_807n }],
]);
const NUMERIC = 1700;

/** `other`: in place of what has no token. */
function cells(permutation: Permutation, column: MaskedColumn, other: Mask = redaction(column)): Mask {
  if (column.format !== 0 && column.format !== 1) return nothing;
  const integer = integers.get(column.typeOid);
  if (integer !== undefined)
    return column.format === 1
      ? binaryInteger(permutation, integer.bytes, integer.most)
      : textInteger(permutation, integer.most);
  if (column.typeOid === NUMERIC) return numeric(permutation, column.format === 1);
  const hidden = other.constant ?? null;
  const shape = shapeOf(column);
  const scratch = new Scratch();
  const text = (source: Buffer, start: number, end: number, whole: number): Buffer | null => {
    const target = scratch.of(whole - start);
    if (!permutation.text(source, start, end, target)) return null;
    if (end < whole) target.fill(0x20, end - start);
    return target;
  };
  switch (shape?.kind) {
    case "plain":
      return (source, start, end) => text(source, start, valueEnd(source, start, end, shape), end) ?? hidden;
    case "json":
      return (source, start, end) => {
        const { version } = shape;
        const value = jsonText(source, start, end, version);
        if (value !== undefined) {
          const bytes = Buffer.from(value, "utf8");
          const token = text(bytes, 0, bytes.length, bytes.length);
          return token === null ? hidden : jsonCell(token.toString("latin1"), version);
        }
        if (version && source[start] !== 1) return hidden;
        const number = decimalToken(permutation, source.toString("latin1", version ? start + 1 : start, end).trim());
        return number === undefined ? hidden : Buffer.from(`${version ? "\x01" : ""}${number}`, "latin1");
      };
    case "uuid":
      return (source, start, end) => {
        const hex = shape.binary
          ? source.toString("hex", start, end)
          : source.toString("latin1", start, end).replaceAll("-", "");
        if (!/^[0-9a-fA-F]{32}$/.test(hex)) return null;
        const token = permutation.hexadecimal(hex);
        return shape.binary ? Buffer.from(token, "hex") : Buffer.from(dashed(token), "latin1");
      };
    default:
      return other;
  }
}

const dashed = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

/** The magnitude is permuted, the sign stays. */
function signed(permutation: Permutation, value: bigint, most: bigint): bigint | undefined {
  const permuted = permutation.magnitude(value < 0n ? -value : value, most);
  return permuted === undefined || value >= 0n ? permuted : -permuted;
}

function textInteger(permutation: Permutation, most: bigint): Mask {
  return (source, start, end) => {
    const text = source.toString("latin1", start, end);
    if (!/^-?\d{1,19}$/.test(text)) return null;
    const token = signed(permutation, BigInt(text), most);
    return token === undefined ? null : Buffer.from(String(token), "latin1");
  };
}

function binaryInteger(permutation: Permutation, bytes: 2 | 4 | 8, most: bigint): Mask {
  const target = Buffer.alloc(bytes);
  return (source, start, end) => {
    if (end - start !== bytes) return null;
    const value = bytes === 8 ? source.readBigInt64BE(start) : BigInt(source.readIntBE(start, bytes));
    const token = signed(permutation, value, most);
    if (token === undefined) return null;
    if (bytes === 8) target.writeBigInt64BE(token, 0);
    else target.writeIntBE(Number(token), 0, bytes);
    return target;
  };
}

/** All digits of the number are permuted as one, whichever side of the point they stand on. */
function decimalToken(permutation: Permutation, text: string): string | undefined {
  const value = readDecimal(text);
  if (value === undefined || value.digits.length > MOST_CHARACTERS || value.digits === "") return undefined;
  const token = permutation.magnitude(BigInt(value.digits), undefined);
  return token === undefined ? undefined : writeDecimal({ ...value, digits: String(token) });
}

function numeric(permutation: Permutation, binary: boolean): Mask {
  if (!binary)
    return (source, start, end) => {
      if (end - start > MOST_DIGITS) return null;
      const token = decimalToken(permutation, source.toString("latin1", start, end));
      return token === undefined ? null : Buffer.from(token, "latin1");
    };
  return (source, start, end) => {
    const value = readNumeric(source, start, end);
    if (value === undefined || value.digits.length > MOST_CHARACTERS || value.digits === "") return null;
    const token = permutation.magnitude(BigInt(value.digits), undefined);
    return token === undefined ? null : writeNumeric({ ...value, digits: String(token) });
  };
}
