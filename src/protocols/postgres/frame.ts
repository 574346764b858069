// Cuts a byte stream into messages, and refuses a header before any of its body is kept.
import type { ErrorCode } from "../../errors.ts";
import { RegateError } from "../../errors.ts";
import { ByteQueue } from "./bytes.ts";
import { BACKEND, FRONTEND } from "./codes.ts";

/** A type byte and a length that counts itself. */
export const HEADER_BYTES = 5;
/** What PostgreSQL itself accepts at most: for messages without data (PQ_SMALL_MESSAGE_LIMIT), and for any (PQ_LARGE_MESSAGE_LIMIT). */
export const SMALL_MESSAGE = 10_000;
export const LARGE_MESSAGE = 0x3fffffff;
/** The default for client messages that carry text or parameters. */
const DEFAULT_MESSAGE = 64 * 1024 * 1024;

/** The largest length word that each type may have; 0: there is no such message. `code` is what a breach is reported as. */
export type FrameLimits = { readonly code: ErrorCode; readonly peer: string; readonly largest: Int32Array };

function table(types: readonly number[], largest: number): Int32Array {
  const limits = new Int32Array(256);
  for (const type of types) limits[type] = largest;
  return limits;
}

/** Limits for what a client sends once it is logged in: `messageBytes` for texts and parameters, PostgreSQL's own for the others. */
export function clientLimits(messageBytes = DEFAULT_MESSAGE): FrameLimits {
  const largest = table(Object.values(FRONTEND), SMALL_MESSAGE);
  for (const type of [FRONTEND.query, FRONTEND.parse, FRONTEND.bind, FRONTEND.functionCall])
    largest[type] = messageBytes;
  largest[FRONTEND.copyData] = LARGE_MESSAGE;
  largest[FRONTEND.password] = 0;
  return { code: "PROTOCOL_VIOLATION", peer: "client", largest };
}

/** Limits for what a server sends. */
export function serverLimits(messageBytes = LARGE_MESSAGE): FrameLimits {
  return { code: "UPSTREAM_PROTOCOL", peer: "server", largest: table(Object.values(BACKEND), messageBytes) };
}

/**
 * The bytes of the whole message, header included.
 * @throws RegateError the limits' code
 */
export function frameBytes(type: number, length: number, limits: FrameLimits): number {
  const largest = limits.largest[type]!;
  if (length >= 4 && length <= largest) return length + 1;
  const shown =
    type > 0x20 && type < 0x7f ? `'${String.fromCharCode(type)}'` : `0x${type.toString(16).padStart(2, "0")}`;
  if (largest === 0)
    throw new RegateError(limits.code, { detail: `The ${limits.peer} sent a message of unknown type ${shown}.` });
  const bound = length < 4 ? "below 4" : `above ${largest}`;
  throw new RegateError(limits.code, {
    detail: `The ${limits.peer} sent a message ${shown} with length ${length}, ${bound}.`,
  });
}

/** `body` and `raw` (the whole message) are views, valid until the next `push`. */
export type Message = { readonly type: number; readonly body: Buffer; readonly raw: Buffer };
/** What is there of a message. `bytes` is a view, valid until the next `push`. */
export type Part = {
  readonly type: number;
  readonly total: number;
  readonly bytes: Buffer;
  readonly first: boolean;
  readonly last: boolean;
};

/**
 * Collects whole messages. A message that lies whole in a chunk is not copied. Memory stays below the limit of the largest message and
 * one chunk, and grows with what has come, not with what a header announces.
 */
export class MessageBuffer {
  readonly #limits: FrameLimits;
  readonly #queue = new ByteQueue();
  #rest = 0;
  #restTotal = 0;
  #restType = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  get pendingBytes(): number {
    return this.#queue.size;
  }

  /** The chunk's memory may be reused once `next` has returned undefined, or after {@link retain}. */
  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  /** Keeps what is pending in memory of its own: for one who stops before `next` has returned undefined. */
  retain(): void {
    this.#queue.retain();
  }

  /** The next whole message. @throws RegateError the limits' code */
  next(): Message | undefined {
    if (this.#rest !== 0) throw new TypeError("a message that was begun with part() is not at its end");
    const queue = this.#queue;
    const total = this.#header();
    if (total === 0 || queue.size < total) {
      queue.retain();
      return undefined;
    }
    const raw = queue.take(total);
    return { type: raw[0]!, body: raw.subarray(HEADER_BYTES), raw };
  }

  /** Of the next message what is here: for passing on large ones without collecting them. @throws RegateError the limits' code */
  part(): Part | undefined {
    const queue = this.#queue;
    const first = this.#rest === 0;
    if (first) {
      const total = this.#header();
      if (total === 0) {
        queue.retain();
        return undefined;
      }
      this.#rest = total;
      this.#restTotal = total;
      this.#restType = queue.byteAt(0);
    } else if (queue.size === 0) return undefined;
    const bytes = queue.take(Math.min(this.#rest, queue.size));
    this.#rest -= bytes.length;
    return { type: this.#restType, total: this.#restTotal, bytes, first, last: this.#rest === 0 };
  }

  /** Type and size of the message that comes next, as soon as its header is here. @throws RegateError the limits' code */
  peek(): { readonly type: number; readonly total: number } | undefined {
    const total = this.#rest === 0 ? this.#header() : 0;
    return total === 0 ? undefined : { type: this.#queue.byteAt(0), total };
  }

  /** All that is pending, taken out: for handing the stream to another reader. */
  drain(): Buffer {
    return this.#queue.take(this.#queue.size);
  }

  #header(): number {
    const queue = this.#queue;
    return queue.size < HEADER_BYTES ? 0 : frameBytes(queue.byteAt(0), queue.uint32At(1), this.#limits);
  }
}
