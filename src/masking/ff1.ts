// FF1 of NIST SP 800-38G: encryption of numeral strings onto themselves, over AES. The strings are given as the numbers of their halves.
import { type Cipheriv, createCipheriv } from "node:crypto";

const ROUNDS = 10;
const BLOCK = 16;

/** The least number of strings that a domain must have (SP 800-38G, revision 1): below it all of them could be tried out. */
export const DOMAIN_MIN = 1_000_000;

/** Halves below this are counted with in doubles: 256 times one is still exact. */
const NUMBER_LIMIT = 2 ** 45;

/** What is the same for all strings of one length. */
type Layout = {
  /** Numerals of the left and of the right half. */
  readonly left: number;
  readonly right: number;
  readonly leftSize: bigint;
  readonly rightSize: bigint;
  /** Bytes of the right half's number (b of the standard) and of what is added (d). */
  readonly bytes: number;
  readonly added: number;
  /** The cipher block chain after P and those blocks of Q that do not change. */
  readonly chain: Buffer;
  /** The blocks of Q that do, with the round and the half's number still to be written. */
  readonly last: Buffer;
  readonly small: boolean;
};

export class Ff1 {
  readonly radix: number;
  readonly #cipher: Cipheriv;
  readonly #tweak: Buffer;
  readonly #layouts: (Layout | undefined)[] = [];
  readonly #block = Buffer.alloc(BLOCK);
  readonly #sum: Buffer[] = [];
  /** The halves of the last small result. */
  left = 0;
  right = 0;

  /** `key`: 16, 24 or 32 bytes. `radix`: 2 to 65536. */
  constructor(key: Buffer, tweak: Buffer, radix: number) {
    this.radix = radix;
    this.#tweak = tweak;
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  }

  /** True where the halves of a string of so many numerals fit `runSmall`. */
  small(length: number): boolean {
    return this.#layout(length).small;
  }

  /** En- or decrypts a string of `length` numerals, given as the numbers of its halves, into `left` and `right`. */
  runSmall(length: number, left: number, right: number, encrypt: boolean): void {
    const layout = this.#layout(length);
    const leftSize = Number(layout.leftSize);
    const rightSize = Number(layout.rightSize);
    const { last, bytes } = layout;
    const end = last.length;
    let [a, b] = [left, right];
    for (let round = 0; round < ROUNDS; round++) {
      const i = encrypt ? round : ROUNDS - 1 - round;
      const size = i % 2 === 0 ? leftSize : rightSize;
      let rest = encrypt ? b : a;
      for (let at = end - 1; at >= end - bytes; at--) {
        last[at] = rest % 256;
        rest = Math.floor(rest / 256);
      }
      const y = this.#remainder(layout, i, size);
      if (encrypt) {
        const c = (a + y) % size;
        a = b;
        b = c;
      } else {
        const c = (b - y + size) % size;
        b = a;
        a = c;
      }
    }
    this.left = a;
    this.right = b;
  }

  /** The same for halves of any size. */
  run(length: number, left: bigint, right: bigint, encrypt: boolean): [left: bigint, right: bigint] {
    const layout = this.#layout(length);
    const { last, bytes, leftSize, rightSize } = layout;
    let [a, b] = [left, right];
    for (let round = 0; round < ROUNDS; round++) {
      const i = encrypt ? round : ROUNDS - 1 - round;
      const size = i % 2 === 0 ? leftSize : rightSize;
      last.write((encrypt ? b : a).toString(16).padStart(bytes * 2, "0"), last.length - bytes, "hex");
      const y = BigInt(`0x${this.#pseudorandom(layout, i).toString("hex")}`);
      if (encrypt) [a, b] = [b, (a + y) % size];
      else [a, b] = [(((b - y) % size) + size) % size, a];
    }
    return [a, b];
  }

  #encipher(block: Buffer): Buffer {
    return this.#cipher.update(block);
  }

  /** Chains on the blocks of `text`, from `chain`. */
  #chained(chain: Buffer, text: Buffer): Buffer {
    let state = chain;
    const block = this.#block;
    for (let at = 0; at < text.length; at += BLOCK) {
      for (let i = 0; i < BLOCK; i++) block[i] = state[i]! ^ text[at + i]!;
      state = this.#encipher(block);
    }
    return state;
  }

  /** S of the standard: as many pseudorandom bytes as are added. */
  #pseudorandom(layout: Layout, round: number): Buffer {
    layout.last[layout.last.length - layout.bytes - 1] = round;
    const first = this.#chained(layout.chain, layout.last);
    if (layout.added <= BLOCK) return first.subarray(0, layout.added);
    const parts = this.#sum;
    parts.length = 0;
    parts.push(first);
    for (let j = 1; parts.length * BLOCK < layout.added; j++) {
      const block = Buffer.from(first);
      block.writeUInt32BE((block.readUInt32BE(12) ^ j) >>> 0, 12);
      parts.push(this.#encipher(block));
    }
    return Buffer.concat(parts).subarray(0, layout.added);
  }

  /** S as a number, modulo `size`. */
  #remainder(layout: Layout, round: number, size: number): number {
    layout.last[layout.last.length - layout.bytes - 1] = round;
    const bytes = this.#chained(layout.chain, layout.last);
    let rest = 0;
    if (size < 2 ** 29)
      for (let i = 0; i < layout.added; i += 2) rest = (rest * 65536 + bytes[i]! * 256 + bytes[i + 1]!) % size;
    else for (let i = 0; i < layout.added; i++) rest = (rest * 256 + bytes[i]!) % size;
    return rest;
  }

  #layout(length: number): Layout {
    const known = this.#layouts[length];
    if (known !== undefined) return known;
    const made = this.#made(length);
    this.#layouts[length] = made;
    return made;
  }

  #made(length: number): Layout {
    const left = length >> 1;
    const right = length - left;
    const leftSize = BigInt(this.radix) ** BigInt(left);
    const rightSize = BigInt(this.radix) ** BigInt(right);
    const bytes = Math.ceil((rightSize - 1n).toString(2).length / 8);
    const added = 4 * Math.ceil(bytes / 4) + 4;
    const tweak = this.#tweak;
    const p = Buffer.alloc(BLOCK);
    p.set([1, 2, 1, this.radix >> 16, (this.radix >> 8) & 255, this.radix & 255, ROUNDS, left & 255]);
    p.writeUInt32BE(length, 8);
    p.writeUInt32BE(tweak.length, 12);
    const q = Buffer.alloc(Math.ceil((tweak.length + bytes + 1) / BLOCK) * BLOCK);
    tweak.copy(q);
    const changing = Math.floor((q.length - bytes - 1) / BLOCK) * BLOCK;
    const chain = Buffer.from(this.#chained(Buffer.alloc(BLOCK), Buffer.concat([p, q.subarray(0, changing)])));
    const small = rightSize < BigInt(NUMBER_LIMIT) && added <= BLOCK;
    return { left, right, leftSize, rightSize, bytes, added, chain, last: Buffer.from(q.subarray(changing)), small };
  }
}
