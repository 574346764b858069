// hash: a keyed digest (HMAC-SHA-256), so that equal values stay equal and joins work, and nobody without the key can try values out.
import { hash } from "node:crypto";
import type { Plain, Shape } from "./column.ts";
import { byteaBytes, byteaCell, fit, jsonCell, shapeOf, valueEnd } from "./column.ts";
import type { Mask, MaskKind } from "./mask.ts";
import { nothing } from "./mask.ts";

export const hashMask: MaskKind = {
  parameters: [],
  check: () => undefined,
  plan: (_, column, { key }) => plan(shapeOf(column), new Hmac(key)),
};

function plan(shape: Shape, hmac: Hmac): Mask {
  switch (shape?.kind) {
    case "plain":
      return plainHash(shape, hmac);
    case "json": {
      const { version } = shape;
      return (source, start, end) => jsonCell(hmac.hex(source, version ? start + 1 : start, end), version);
    }
    case "bytea": {
      const { binary } = shape;
      return (source, start, end) => {
        const bytes = byteaBytes(source, start, end, binary);
        return byteaCell(Buffer.from(hmac.hex(bytes, 0, bytes.length), "hex"), binary);
      };
    }
    case "uuid": {
      const { binary } = shape;
      return (source, start, end) => uuidCell(hmac, source, start, end, binary);
    }
    default:
      return nothing;
  }
}

/** 64 hexadecimal digits, or as many as the column takes. */
function plainHash(column: Plain, hmac: Hmac): Mask {
  const length = Math.min(64, column.characters ?? 64, column.bytes ?? 64);
  const cell = fit("", column);
  const target = cell.length >= length ? cell : Buffer.alloc(length);
  return (source, start, end) => {
    target.write(hmac.hex(source, start, valueEnd(source, start, end, column)), 0, length, "latin1");
    return target;
  };
}

/** RFC 9562, version 8 (a form of one's own), so that it is never taken for a random one. Both formats hash the 16 bytes. */
function uuidCell(hmac: Hmac, source: Buffer, start: number, end: number, binary: boolean): Buffer | null {
  const bytes = binary
    ? source.subarray(start, end)
    : Buffer.from(source.subarray(start, end).toString("latin1").replaceAll("-", ""), "hex");
  if (bytes.length !== 16) return null;
  const id = Buffer.from(hmac.hex(bytes, 0, 16).slice(0, 32), "hex");
  id[6] = (id[6]! & 0x0f) | 0x80;
  id[8] = (id[8]! & 0x3f) | 0x80;
  if (binary) return id;
  const hex = id.toString("hex");
  return Buffer.from(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
    "latin1",
  );
}

/** HMAC-SHA-256 (RFC 2104) by two one-shot hashes that give strings: a fraction of what an Hmac object or a Buffer each would cost. */
export class Hmac {
  #inner = Buffer.alloc(1024);
  readonly #outer = Buffer.alloc(96);

  constructor(key: Buffer) {
    const block = Buffer.alloc(64);
    if (key.length > 64) block.write(hash("sha256", key, "hex"), "hex");
    else key.copy(block);
    for (let i = 0; i < 64; i++) {
      this.#inner[i] = block[i]! ^ 0x36;
      this.#outer[i] = block[i]! ^ 0x5c;
    }
  }

  /** 64 hexadecimal digits. */
  hex(source: Buffer, start: number, end: number): string {
    const length = end - start;
    if (64 + length > this.#inner.length) {
      const larger = Buffer.alloc(Math.max(64 + length, this.#inner.length * 2));
      this.#inner.copy(larger, 0, 0, 64);
      this.#inner = larger;
    }
    source.copy(this.#inner, 64, start, end);
    this.#outer.write(hash("sha256", this.#inner.subarray(0, 64 + length), "binary"), 64, "binary");
    return hash("sha256", this.#outer, "hex");
  }
}
