// A second, naive encoder, so that neither the encoders nor the decoders check themselves.

export class Naive {
  #bytes: number[] = [];

  int8(value: number): this {
    this.#bytes.push(value & 255);
    return this;
  }
  int16(value: number): this {
    return this.int8(value >> 8).int8(value);
  }
  int32(value: number): this {
    return this.int16(value >> 16).int16(value);
  }
  text(text: string): this {
    for (const byte of new TextEncoder().encode(text)) this.int8(byte);
    return this;
  }
  string(text: string): this {
    return this.text(text).int8(0);
  }
  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.int8(byte);
    return this;
  }
  get body(): Buffer {
    return Buffer.from(this.#bytes);
  }
  message(type: string): Buffer {
    return Buffer.concat([new Naive().text(type).int32(this.#bytes.length + 4).body, this.body]);
  }
  packet(): Buffer {
    return Buffer.concat([new Naive().int32(this.#bytes.length + 4).body, this.body]);
  }
}

export const naive = (): Naive => new Naive();
