// Reversible permutations of texts, numbers and ranges by FF1, in which each character keeps its class and each number its digits.
import { DOMAIN_MIN, Ff1 } from "./ff1.ts";

/** The most letters and digits of one value. */
export const MOST_CHARACTERS = 128;

const DIGIT = 1;
const LOWER = 2;
const UPPER = 3;
/** By byte: its class; 0 for printable ASCII that stays as it is, 255 for what may be part of the secret and cannot be permuted. */
const classes = new Uint8Array(256).fill(255);
for (let byte = 0x20; byte < 0x7f; byte++)
  classes[byte] =
    byte >= 0x30 && byte <= 0x39
      ? DIGIT
      : byte >= 0x61 && byte <= 0x7a
        ? LOWER
        : byte >= 0x41 && byte <= 0x5a
          ? UPPER
          : 0;
const radixes = [0, 10, 26, 26];
const bases = [0, 0x30, 0x61, 0x41];

const above = (digits: number): bigint => 10n ** BigInt(digits);

/** `backward`: decrypts what was encrypted under the same key and tweak. */
export class Permutation {
  readonly #encrypt: boolean;
  readonly #digits: Ff1;
  readonly #letters: Ff1;
  readonly #bits: Ff1;
  readonly #nibbles: Ff1;

  constructor(key: Buffer, tweak: string, direction: "forward" | "backward") {
    this.#encrypt = direction === "forward";
    const bytes = Buffer.from(tweak, "utf8");
    this.#digits = new Ff1(key, bytes, 10);
    this.#letters = new Ff1(key, bytes, 26);
    this.#bits = new Ff1(key, bytes, 2);
    this.#nibbles = new Ff1(key, bytes, 16);
  }

  /**
   * Permutes the letters and digits of source[start, end) into target, as long. A text of digits only, or of letters of one case, is one string
   * of FF1; a mixed one is numbered among all of its pattern. False where that domain is too small, or a character is no printable ASCII.
   */
  text(source: Buffer, start: number, end: number, target: Buffer): boolean {
    let kinds = 0;
    let count = 0;
    for (let i = start; i < end; i++) {
      const kind = classes[source[i]!]!;
      if (kind === 255) return false;
      target[i - start] = source[i]!;
      if (kind === 0) continue;
      kinds |= 1 << kind;
      count++;
    }
    if (count === 0 || count > MOST_CHARACTERS) return false;
    if (kinds === 1 << DIGIT) return count >= 6 && this.#string(this.#digits, DIGIT, count, target, end - start);
    if (kinds === 1 << LOWER || kinds === 1 << UPPER)
      return (
        count >= 5 && this.#string(this.#letters, kinds === 1 << LOWER ? LOWER : UPPER, count, target, end - start)
      );
    return this.#mixed(target, end - start);
  }

  #string(ff1: Ff1, kind: number, count: number, target: Buffer, length: number): boolean {
    const radix = radixes[kind]!;
    const base = bases[kind]!;
    const half = count >> 1;
    if (ff1.small(count)) {
      let [left, right, seen] = [0, 0, 0];
      for (let i = 0; i < length; i++) {
        if (classes[target[i]!] === 0) continue;
        if (seen++ < half) left = left * radix + target[i]! - base;
        else right = right * radix + target[i]! - base;
      }
      ff1.runSmall(count, left, right, this.#encrypt);
      left = ff1.left;
      right = ff1.right;
      for (let i = length - 1; i >= 0; i--) {
        if (classes[target[i]!] === 0) continue;
        if (--seen >= half) {
          target[i] = base + (right % radix);
          right = Math.floor(right / radix);
        } else {
          target[i] = base + (left % radix);
          left = Math.floor(left / radix);
        }
      }
      return true;
    }
    const wide = BigInt(radix);
    let [left, right, seen] = [0n, 0n, 0];
    for (let i = 0; i < length; i++) {
      if (classes[target[i]!] === 0) continue;
      if (seen++ < half) left = left * wide + BigInt(target[i]! - base);
      else right = right * wide + BigInt(target[i]! - base);
    }
    [left, right] = ff1.run(count, left, right, this.#encrypt);
    for (let i = length - 1; i >= 0; i--) {
      if (classes[target[i]!] === 0) continue;
      if (--seen >= half) {
        target[i] = base + Number(right % wide);
        right /= wide;
      } else {
        target[i] = base + Number(left % wide);
        left /= wide;
      }
    }
    return true;
  }

  #mixed(target: Buffer, length: number): boolean {
    let size = 1n;
    let rank = 0n;
    for (let i = 0; i < length; i++) {
      const kind = classes[target[i]!]!;
      if (kind === 0) continue;
      const radix = BigInt(radixes[kind]!);
      size *= radix;
      rank = rank * radix + BigInt(target[i]! - bases[kind]!);
    }
    const permuted = this.within(rank, size);
    if (permuted === undefined) return false;
    rank = permuted;
    for (let i = length - 1; i >= 0; i--) {
      const kind = classes[target[i]!]!;
      if (kind === 0) continue;
      const radix = BigInt(radixes[kind]!);
      target[i] = bases[kind]! + Number(rank % radix);
      rank /= radix;
    }
    return true;
  }

  /**
   * Permutes the numbers below `size`: FF1 over the bits that they take, again and again until the number is below (cycle walking, less than two
   * turns on average). Undefined where there are too few of them.
   */
  within(value: bigint, size: bigint): bigint | undefined {
    if (size < BigInt(DOMAIN_MIN)) return undefined;
    const length = (size - 1n).toString(2).length;
    const right = length - (length >> 1);
    const small = length <= 52 && this.#bits.small(length);
    let permuted = value;
    do {
      if (small) {
        const power = 2 ** right;
        const number = Number(permuted);
        this.#bits.runSmall(length, Math.floor(number / power), number % power, this.#encrypt);
        permuted = BigInt(this.#bits.left * power + this.#bits.right);
      } else {
        const shift = BigInt(right);
        const [a, b] = this.#bits.run(length, permuted >> shift, permuted & ((1n << shift) - 1n), this.#encrypt);
        permuted = (a << shift) | b;
      }
    } while (permuted >= size);
    return permuted;
  }

  /** Permutes the whole numbers that have as many digits as this one and are at most `most`. `value`: from 0. */
  magnitude(value: bigint, most: bigint | undefined): bigint | undefined {
    const length = String(value).length;
    const least = length === 1 ? 0n : above(length - 1);
    if (most === undefined || most + 1n >= above(length)) return this.#leading(value, length, least);
    const permuted = value > most ? undefined : this.within(value - least, most + 1n - least);
    return permuted === undefined ? undefined : least + permuted;
  }

  /** As a string of digits, again until the first one is none of zero: nine times of ten at once. */
  #leading(value: bigint, length: number, least: bigint): bigint | undefined {
    if (above(length) - least < BigInt(DOMAIN_MIN)) return undefined;
    const half = length - (length >> 1);
    let permuted = value;
    if (this.#digits.small(length) && length <= 15) {
      const power = 10 ** half;
      let number = Number(permuted);
      const first = Number(least);
      do {
        this.#digits.runSmall(length, Math.floor(number / power), number % power, this.#encrypt);
        number = this.#digits.left * power + this.#digits.right;
      } while (number < first);
      return BigInt(number);
    }
    const power = above(half);
    do {
      const [a, b] = this.#digits.run(length, permuted / power, permuted % power, this.#encrypt);
      permuted = a * power + b;
    } while (permuted < least);
    return permuted;
  }

  /** Permutes 32 hexadecimal digits. */
  hexadecimal(digits: string): string {
    const half = digits.length >> 1;
    const [left, right] = this.#nibbles.run(
      digits.length,
      BigInt(`0x${digits.slice(0, half)}`),
      BigInt(`0x${digits.slice(half)}`),
      this.#encrypt,
    );
    return left.toString(16).padStart(half, "0") + right.toString(16).padStart(digits.length - half, "0");
  }
}
