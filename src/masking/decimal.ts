// Numbers of the type numeric in both formats, and what text and integers have in common with them: sign, digits, scale.

/** (-1)^negative × digits × 10^-scale; `digits` without leading zeros, "" for zero. */
export type Decimal = { readonly negative: boolean; readonly digits: string; readonly scale: number };

/** More digits than any number that people keep; numeric itself takes 147,455. */
export const MOST_DIGITS = 2000;

const plain = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Undefined for what is no finite number in digits. */
export function readDecimal(text: string): Decimal | undefined {
  if (text.length > MOST_DIGITS) return undefined;
  const match = plain.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  return decimal(match[1] === "-", match[2]! + fraction, fraction.length - Number(match[4] ?? 0));
}

function decimal(negative: boolean, digits: string, scale: number): Decimal {
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 48) start++;
  const significant = start === 0 ? digits : digits.slice(start);
  if (scale >= 0) return { negative, digits: significant, scale };
  return { negative, digits: significant === "" ? "" : significant + "0".repeat(-scale), scale: 0 };
}

/** As PostgreSQL writes a numeric. */
export function writeDecimal({ negative, digits, scale }: Decimal): string {
  const sign = negative && /[1-9]/.test(digits) ? "-" : "";
  if (scale === 0) return `${sign}${digits === "" ? "0" : digits}`;
  const padded = digits.padStart(scale + 1, "0");
  return `${sign}${padded.slice(0, padded.length - scale)}.${padded.slice(padded.length - scale)}`;
}

const NEGATIVE = 0x4000;
const HEADER_BYTES = 8;
/** Decimal digits in one digit of the binary form. */
const GROUP = 4;

/** The binary form: digits, weight, sign, scale (each int16), then digits of base 10,000. Undefined for NaN, infinities and what is none. */
export function readNumeric(source: Buffer, start: number, end: number): Decimal | undefined {
  if (end - start < HEADER_BYTES) return undefined;
  const count = source.readUInt16BE(start);
  const weight = source.readInt16BE(start + 2);
  const sign = source.readUInt16BE(start + 4);
  const scale = source.readUInt16BE(start + 6);
  if (end - start !== HEADER_BYTES + 2 * count || (sign !== 0 && sign !== NEGATIVE)) return undefined;
  if ((Math.abs(weight) + count) * GROUP + scale > MOST_DIGITS) return undefined;
  let digits = "";
  for (let i = 0; i < count; i++) {
    const group = source.readUInt16BE(start + HEADER_BYTES + 2 * i);
    if (group > 9999) return undefined;
    digits += String(group).padStart(GROUP, "0");
  }
  // Where the point is: after weight + 1 groups. Then as many digits as the scale says.
  const whole = (weight + 1) * GROUP;
  if (whole < 0) digits = "0".repeat(-whole) + digits;
  const length = Math.max(whole, 0) + scale;
  return decimal(sign === NEGATIVE, digits.padEnd(length, "0").slice(0, length), scale);
}

/** The binary form of a number. */
export function writeNumeric({ negative, digits, scale }: Decimal): Buffer {
  const fraction = Math.ceil(scale / GROUP) * GROUP;
  const aligned = digits + "0".repeat(fraction - scale);
  const padded = aligned.padStart(Math.ceil(aligned.length / GROUP) * GROUP, "0");
  const groups: number[] = [];
  for (let at = 0; at < padded.length; at += GROUP) groups.push(Number(padded.slice(at, at + GROUP)));
  let weight = groups.length - 1 - fraction / GROUP;
  while (groups[0] === 0) {
    groups.shift();
    weight--;
  }
  while (groups.at(-1) === 0) groups.pop();
  const cell = Buffer.alloc(HEADER_BYTES + 2 * groups.length);
  cell.writeUInt16BE(groups.length, 0);
  cell.writeInt16BE(groups.length === 0 ? 0 : weight, 2);
  cell.writeUInt16BE(negative && groups.length > 0 ? NEGATIVE : 0, 4);
  cell.writeUInt16BE(scale, 6);
  for (let i = 0; i < groups.length; i++) cell.writeUInt16BE(groups[i]!, HEADER_BYTES + 2 * i);
  return cell;
}

/** The scale that a modifier of numeric(p, s) says; undefined where it says none. A negative one shows no digits after the point. */
export function scaleOf(modifier: number | undefined): number | undefined {
  if (modifier === undefined || modifier < 4) return undefined;
  // Eleven bits, signed: numeric(p, s) takes scales from -1000 to 1000.
  const bits = (modifier - 4) & 0x7ff;
  return bits > 1023 ? 0 : bits;
}
