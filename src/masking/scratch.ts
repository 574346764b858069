// Buffers that masks write their cells into, used again so that a cell costs no allocation.

/** One buffer for each length up to 256 bytes; longer ones are made anew. What it gives is valid until it is asked for the same length. */
export class Scratch {
  readonly #buffers: (Buffer | undefined)[] = new Array(257).fill(undefined);
  of(length: number): Buffer {
    if (length > 256) return Buffer.allocUnsafe(length);
    let buffer = this.#buffers[length];
    if (buffer === undefined) {
      buffer = Buffer.allocUnsafe(length);
      this.#buffers[length] = buffer;
    }
    return buffer;
  }
}

/** A cell that is put together from parts. */
export class Growing {
  #buffer = Buffer.allocUnsafe(1024);
  length = 0;

  #room(bytes: number): void {
    if (this.length + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.length + bytes));
    this.#buffer.copy(grown, 0, 0, this.length);
    this.#buffer = grown;
  }

  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.length++] = value;
  }

  int32(value: number): void {
    this.#room(4);
    this.length = this.#buffer.writeInt32BE(value, this.length);
  }

  copy(source: Buffer, start: number, end: number): void {
    this.#room(end - start);
    this.length += source.copy(this.#buffer, this.length, start, end);
  }

  /** Overwrites what was written. */
  setInt32(value: number, at: number): void {
    this.#buffer.writeInt32BE(value, at);
  }

  /** All that was written; valid until something is written again. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}
