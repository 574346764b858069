// Numbers cut towards zero: to a multiple of a step, or to their first significant digits.
import { type Decimal, readDecimal, readNumeric, scaleOf, writeDecimal, writeNumeric } from "./decimal.ts";
import type { Mask, MaskedColumn } from "./mask.ts";
import { nothing } from "./mask.ts";
import { Scratch } from "./scratch.ts";

export type Cut = { readonly step: number } | { readonly digits: number };

const integers = new Map([
  [21, 2],
  [23, 4],
  [20, 8],
]);
const NUMERIC = 1700;
const FLOAT4 = 700;
const FLOAT8 = 701;

export const isNumber = ({ typeOid }: MaskedColumn): boolean =>
  integers.has(typeOid) || typeOid === NUMERIC || typeOid === FLOAT4 || typeOid === FLOAT8;

export function cutNumbers(column: MaskedColumn, cut: Cut): Mask {
  const bytes = integers.get(column.typeOid);
  // A step of one leaves every integer as it is.
  if (bytes !== undefined && "step" in cut && cut.step === 1) return nothing;
  if (bytes !== undefined) return column.format === 1 ? binaryInteger(bytes, cut) : textInteger(cut);
  if (column.typeOid === NUMERIC) return numeric(column, cut);
  return (column.format === 1 ? binaryFloat : textFloat)(column.typeOid === FLOAT4 ? 4 : 8, cut);
}

/** For integers that a double holds exactly. */
function cutSafe(value: number, cut: Cut): number {
  if ("step" in cut) return value - (value % cut.step);
  let power = 1;
  const limit = 10 ** cut.digits;
  for (let rest = Math.abs(value); rest >= limit; rest = Math.floor(rest / 10)) power *= 10;
  return value - (value % power);
}

function cutBig(value: bigint, cut: Cut): bigint {
  if ("step" in cut) return value - (value % BigInt(cut.step));
  const length = String(value < 0n ? -value : value).length;
  return length <= cut.digits ? value : value - (value % 10n ** BigInt(length - cut.digits));
}

function binaryInteger(bytes: number, cut: Cut): Mask {
  const target = Buffer.alloc(bytes);
  return (source, start, end) => {
    if (end - start !== bytes) return null;
    if (bytes === 8) {
      const high = source.readInt32BE(start);
      if (high >= -0x200000 && high < 0x200000) {
        const value = cutSafe(high * 2 ** 32 + source.readUInt32BE(start + 4), cut);
        target.writeInt32BE(Math.floor(value / 2 ** 32), 0);
        target.writeUInt32BE(value - Math.floor(value / 2 ** 32) * 2 ** 32, 4);
      } else target.writeBigInt64BE(cutBig(source.readBigInt64BE(start), cut), 0);
    } else target.writeIntBE(cutSafe(source.readIntBE(start, bytes), cut), 0, bytes);
    return target;
  };
}

function textInteger(cut: Cut): Mask {
  const scratch = new Scratch();
  return (source, start, end) => {
    const negative = source[start] === 0x2d;
    const first = negative ? start + 1 : start;
    const count = end - first;
    if (count < 1 || count > 19) return null;
    let value = 0;
    for (let i = first; i < end; i++) {
      const digit = source[i]! - 0x30;
      if (digit < 0 || digit > 9) return null;
      value = value * 10 + digit;
    }
    if (count > 15) {
      const text = String(cutBig(BigInt(source.toString("latin1", start, end)), cut));
      const target = scratch.of(text.length);
      target.write(text, 0, "latin1");
      return target;
    }
    let rest = cutSafe(value, cut);
    let length = rest === 0 ? 1 : 0;
    for (let left = rest; left > 0; left = Math.floor(left / 10)) length++;
    const signed = negative && rest > 0 ? 1 : 0;
    const target = scratch.of(length + signed);
    for (let at = length + signed - 1; at >= signed; at--) {
      target[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    if (signed === 1) target[0] = 0x2d;
    return target;
  };
}

/** `scale`: digits after the point of what is given, where the column says how many; else as few as the value takes. */
export function cutDecimal(value: Decimal, cut: Cut, scale: number | undefined): Decimal {
  const { negative } = value;
  let { digits } = value;
  if ("digits" in cut) {
    if (digits.length > cut.digits) digits = digits.slice(0, cut.digits).padEnd(digits.length, "0");
  } else {
    const whole = digits.slice(0, Math.max(digits.length - value.scale, 0));
    const cutWhole = whole === "" ? 0n : cutBig(BigInt(whole), cut);
    digits = cutWhole === 0n ? "" : `${cutWhole}${"0".repeat(value.scale)}`;
  }
  // The number of digits after the point must not tell what was cut off.
  let shown = value.scale;
  if (scale !== undefined) {
    digits =
      shown <= scale ? digits + (digits === "" ? "" : "0".repeat(scale - shown)) : digits.slice(0, scale - shown);
    shown = scale;
  } else {
    while (shown > 0 && (digits === "" || digits.endsWith("0"))) {
      digits = digits.slice(0, -1);
      shown--;
    }
  }
  return { negative, digits, scale: shown };
}

/** What is not finite stays: it has no digits to hide. */
const endless = new Set(["NaN", "Infinity", "-Infinity"]);

function numeric(column: MaskedColumn, cut: Cut): Mask {
  const scale = scaleOf(column.modifier);
  if (column.format === 1)
    return (source, start, end) => {
      const value = readNumeric(source, start, end);
      if (value !== undefined) return writeNumeric(cutDecimal(value, cut, scale));
      // NaN and the infinities have no digits.
      const sign = end - start === 8 && source.readUInt16BE(start) === 0 ? source.readUInt16BE(start + 4) : 0;
      return sign >= 0xc000 ? source.subarray(start, end) : null;
    };
  return (source, start, end) => {
    const text = source.toString("latin1", start, end);
    const value = readDecimal(text);
    if (value !== undefined) return Buffer.from(writeDecimal(cutDecimal(value, cut, scale)), "latin1");
    return endless.has(text) ? source.subarray(start, end) : null;
  };
}

/** A JSON number, cut; undefined for another document. */
export function jsonNumber(text: string, cut: Cut): string | undefined {
  const value = readDecimal(text);
  return value === undefined ? undefined : writeDecimal(cutDecimal(value, cut, undefined));
}

/** As many digits as a type always keeps: whatever `extra_float_digits` from 0 on makes of a number, these are the same. */
const SURE_DIGITS = { 4: 6, 8: 15 } as const;
type FloatBytes = keyof typeof SURE_DIGITS;

/** By its sure digits, rounded as the server rounds to numeric. Undefined: rounded, it leaves the type. */
function cutFloat(value: number, bytes: FloatBytes, cut: Cut): number | undefined {
  const decimal = readDecimal(rounded(value, SURE_DIGITS[bytes]))!;
  // Never minus zero, whose sign would tell.
  const result = Number(writeDecimal(cutDecimal(decimal, cut, undefined))) + 0;
  return Number.isFinite(result) ? result : undefined;
}

/** As C's %.*g rounds: what is exactly in the middle goes to the even digit, which JavaScript rounds up. */
function rounded(value: number, digits: number): string {
  const up = value.toExponential(digits - 1);
  const last = up.indexOf("e") - 1;
  if (Number(up[last]) % 2 === 0 || !/5e/.test(value.toExponential(digits))) return up;
  const exact = value.toExponential(MOST_FRACTION);
  const next = exact.indexOf(".") + digits;
  if (!/^50*e/.test(exact.slice(next))) return up;
  return `${up.slice(0, last)}${Number(up[last]) - 1}${up.slice(last + 1)}`;
}
const MOST_FRACTION = 100;

function textFloat(bytes: FloatBytes, cut: Cut): Mask {
  return (source, start, end) => {
    const text = source.toString("latin1", start, end);
    if (endless.has(text)) return source.subarray(start, end);
    if (!/^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(text)) return null;
    const value = bytes === 4 ? Math.fround(Number(text)) : Number(text);
    // The server's text at 15 digits may be beyond the largest number.
    const result = Number.isFinite(value) ? cutFloat(value, bytes, cut) : undefined;
    return result === undefined ? null : Buffer.from(String(result), "latin1");
  };
}

function binaryFloat(bytes: FloatBytes, cut: Cut): Mask {
  const target = Buffer.alloc(bytes);
  return (source, start, end) => {
    if (end - start !== bytes) return null;
    const value = bytes === 4 ? source.readFloatBE(start) : source.readDoubleBE(start);
    if (!Number.isFinite(value)) return source.subarray(start, end);
    const result = cutFloat(value, bytes, cut);
    if (result === undefined) return null;
    if (bytes === 4) target.writeFloatBE(result, 0);
    else target.writeDoubleBE(result, 0);
    return target;
  };
}
