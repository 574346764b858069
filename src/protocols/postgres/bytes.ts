// A queue of bytes between a socket and a reader that needs them in one piece: amortised O(n), no copy where one chunk suffices.

const EMPTY = Buffer.alloc(0);
const LEAST = 1024;

/** Views that {@link take} returns are valid until the next {@link push}. */
export class ByteQueue {
  #bytes: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** False while `#bytes` is a chunk that belongs to whoever pushed it. */
  #own = true;

  get size(): number {
    return this.#end - this.#start;
  }

  byteAt(offset: number): number {
    return this.#bytes[this.#start + offset]!;
  }

  uint32At(offset: number): number {
    return this.#bytes.readUInt32BE(this.#start + offset);
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const size = this.size;
    if (size === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#own = false;
      return;
    }
    const needed = size + chunk.length;
    if (!this.#own || this.#end + chunk.length > this.#bytes.length) {
      // Moving to the front is only worth it when as much has been consumed as is moved; else double.
      if (this.#own && needed <= this.#bytes.length && this.#start >= size)
        this.#bytes.copyWithin(0, this.#start, this.#end);
      else this.#move(Math.max(LEAST, needed > this.#bytes.length || !this.#own ? 2 * needed : this.#bytes.length));
      this.#start = 0;
      this.#end = size;
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** The first `count` bytes, which must be there. */
  take(count: number): Buffer {
    const from = this.#start;
    this.#start += count;
    const taken = this.#bytes.subarray(from, this.#start);
    if (this.#start === this.#end) {
      this.#bytes = EMPTY;
      this.#start = 0;
      this.#end = 0;
      this.#own = true;
    }
    return taken;
  }

  /** Keeps what is left in memory of its own, so that a chunk's memory may be reused. */
  retain(): void {
    if (this.#own) return;
    const size = this.size;
    this.#move(Math.max(LEAST, size));
    this.#start = 0;
    this.#end = size;
  }

  #move(capacity: number): void {
    const moved = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(moved, 0, this.#start, this.#end);
    this.#bytes = moved;
    this.#own = true;
  }
}
