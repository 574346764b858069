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
      return (source, start, end) =>
        jsonCell(hmac.digest(source, version ? start + 1 : start, end).toString("hex"), version);
    }
    case "bytea": {
      const { binary } = shape;
      return (source, start, end) => {
        const bytes = byteaBytes(source, start, end, binary);
        return byteaCell(hmac.digest(bytes, 0, bytes.length), binary);
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
    const digest = hmac.digest(source, start, valueEnd(source, start, end, column));
    target.write(digest.toString("hex"), 0, length, "latin1");
    return target;
  };
}

/** RFC 9562, version 8 (a form of one's own), so that it is never taken for a random one. Both formats hash the 16 bytes. */
function uuidCell(hmac: Hmac, source: Buffer, start: number, end: number, binary: boolean): Buffer | null {
  const bytes = binary
    ? source.subarray(start, end)
    : Buffer.from(source.subarray(start, end).toString("latin1").replaceAll("-", ""), "hex");
  if (bytes.length !== 16) return null;
  const id = hmac.digest(bytes, 0, 16).subarray(0, 16);
  id[6] = (id[6]! & 0x0f) | 0x80;
  id[8] = (id[8]! & 0x3f) | 0x80;
  if (binary) return id;
  const hex = id.toString("hex");
  return Buffer.from(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
    "latin1",
  );
}

/** HMAC-SHA-256 (RFC 2104) by two one-shot hashes, which cost a fifth of an Hmac object. */
class Hmac {
  #inner: Buffer;
  readonly #outer = Buffer.alloc(96);

  constructor(key: Buffer) {
    const block = Buffer.alloc(64);
    (key.length > 64 ? (hash("sha256", key, "buffer") as unknown as Buffer) : key).copy(block);
    this.#inner = Buffer.alloc(1024);
    for (let i = 0; i < 64; i++) {
      this.#inner[i] = block[i]! ^ 0x36;
      this.#outer[i] = block[i]! ^ 0x5c;
    }
  }

  digest(source: Buffer, start: number, end: number): Buffer {
    const length = end - start;
    if (64 + length > this.#inner.length) {
      const larger = Buffer.alloc(Math.max(64 + length, this.#inner.length * 2));
      this.#inner.copy(larger, 0, 0, 64);
      this.#inner = larger;
    }
    source.copy(this.#inner, 64, start, end);
    (hash("sha256", this.#inner.subarray(0, 64 + length), "buffer") as unknown as Buffer).copy(this.#outer, 64);
    return hash("sha256", this.#outer, "buffer") as unknown as Buffer;
  }
}
