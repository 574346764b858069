// Cutting a byte stream into messages: every cut of every message, bounds before bodies, and memory that follows what has come.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RegateError } from "../../../src/errors.ts";
import { BACKEND, FRONTEND } from "../../../src/protocols/postgres/codes.ts";
import {
  clientLimits,
  type FrameLimits,
  LARGE_MESSAGE,
  MessageBuffer,
  SMALL_MESSAGE,
  serverLimits,
} from "../../../src/protocols/postgres/frame.ts";

/** Naive: by string concatenation of characters. */
function frame(type: number, body: string): Buffer {
  const length = body.length + 4;
  const header = String.fromCharCode(type, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
  return Buffer.from(header + body, "latin1");
}

const clientFrames = [
  frame(FRONTEND.query, "SELECT 1\0"),
  frame(FRONTEND.parse, "name\0SELECT $1\0\0\x01\0\0\0\x17"),
  frame(FRONTEND.bind, "\0\0\0\0\0\0\0\0"),
  frame(FRONTEND.describe, "Sname\0"),
  frame(FRONTEND.execute, "\0\0\0\0\0"),
  frame(FRONTEND.close, "P\0"),
  frame(FRONTEND.functionCall, "\0\0\0\x01\0\0\0\0\0\0"),
  frame(FRONTEND.flush, ""),
  frame(FRONTEND.sync, ""),
  frame(FRONTEND.copyData, "x".repeat(300)),
  frame(FRONTEND.copyDone, ""),
  frame(FRONTEND.copyFail, "no\0"),
  frame(FRONTEND.terminate, ""),
];
const serverFrames = Object.values(BACKEND).map((type, i) => frame(type, "y".repeat(i * 3)));

const cases: [string, Buffer[], FrameLimits][] = [
  ["client", clientFrames, clientLimits()],
  ["server", serverFrames, serverLimits()],
];

function refusal(act: () => unknown): RegateError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof RegateError, String(error));
    return error;
  }
  return assert.fail("it should have been refused");
}

/** One reused buffer, overwritten after each push, as sockets with `onread` give it. */
function pushes(chunks: readonly Buffer[], push: (chunk: Buffer) => void): void {
  const reused = Buffer.alloc(1 << 16);
  for (const chunk of chunks) {
    chunk.copy(reused);
    push(reused.subarray(0, chunk.length));
    reused.fill(0xee);
  }
}

function collect(limits: FrameLimits, chunks: readonly Buffer[]): Buffer[] {
  const messages = new MessageBuffer(limits);
  const found: Buffer[] = [];
  pushes(chunks, (chunk) => {
    messages.push(chunk);
    for (let next = messages.next(); next !== undefined; next = messages.next()) {
      assert.equal(next.type, next.raw[0]);
      assert.deepEqual(next.body, next.raw.subarray(5));
      found.push(Buffer.from(next.raw));
    }
  });
  assert.equal(messages.pendingBytes, 0);
  return found;
}

function inParts(limits: FrameLimits, chunks: readonly Buffer[]): Buffer[] {
  const messages = new MessageBuffer(limits);
  const found: Buffer[] = [];
  let parts: Buffer[] = [];
  pushes(chunks, (chunk) => {
    messages.push(chunk);
    for (let part = messages.part(); part !== undefined; part = messages.part()) {
      assert.equal(part.first, parts.length === 0);
      parts.push(Buffer.from(part.bytes));
      if (!part.last) continue;
      found.push(Buffer.concat(parts));
      assert.equal(found.at(-1)?.length, part.total);
      assert.equal(found.at(-1)?.[0], part.type);
      parts = [];
    }
  });
  return found;
}

for (const [side, frames, limits] of cases) {
  describe(`messages of the ${side}`, () => {
    it("come out whole, however they are cut in two", () => {
      const all = Buffer.concat(frames);
      for (let cut = 0; cut <= all.length; cut++) {
        const chunks = [all.subarray(0, cut), all.subarray(cut)];
        assert.deepEqual(collect(limits, chunks), frames, `cut at ${cut}`);
        assert.deepEqual(inParts(limits, chunks), frames, `cut at ${cut}`);
      }
    });
    it("come out whole, however each with its neighbour is cut in three", () => {
      for (let i = 0; i < frames.length; i++) {
        const pair = [frames[i]!, frames[(i + 1) % frames.length]!];
        const all = Buffer.concat(pair).subarray(0, 64);
        const rest = Buffer.concat(pair).subarray(64);
        for (let first = 0; first <= all.length; first++) {
          for (let second = first; second <= all.length; second++) {
            const chunks = [
              all.subarray(0, first),
              all.subarray(first, second),
              Buffer.concat([all.subarray(second), rest]),
            ];
            assert.deepEqual(collect(limits, chunks), pair);
            assert.deepEqual(inParts(limits, chunks), pair);
          }
        }
      }
    });
    it("come out whole, byte by byte", () => {
      const bytes = [...Buffer.concat(frames)].map((byte) => Buffer.from([byte]));
      assert.deepEqual(collect(limits, bytes), frames);
      assert.deepEqual(inParts(limits, bytes), frames);
    });
    it("come out whole in chunks of any size", () => {
      const all = Buffer.concat([...frames, ...frames, ...frames]);
      for (let size = 1; size < 80; size++) {
        const chunks: Buffer[] = [];
        for (let at = 0; at < all.length; at += size) chunks.push(all.subarray(at, at + size));
        assert.deepEqual(Buffer.concat(collect(limits, chunks)), all);
      }
    });
    it("of an unknown type are refused by the header alone", () => {
      const known = new Set(frames.map((one) => one[0]));
      for (let type = 0; type < 256; type++) {
        const header = Buffer.from([type, 0, 0, 0, 4]);
        if (known.has(type)) assert.equal(collect(limits, [header]).length, 1);
        else {
          assert.equal(refusal(() => collect(limits, [header])).code, limits.code);
          assert.match(refusal(() => inParts(limits, [header])).detail ?? "", /unknown type/);
        }
      }
    });
    it("with a length below 4 or above the limit are refused by the header alone", () => {
      for (const one of frames) {
        const type = one[0]!;
        const largest = limits.largest[type]!;
        for (const length of [0, 1, 2, 3, largest + 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
          const header = Buffer.from([type, 0, 0, 0, 0]);
          header.writeUInt32BE(length, 1);
          assert.equal(refusal(() => collect(limits, [header])).code, limits.code);
        }
        const atLimit = Buffer.from([type, 0, 0, 0, 0]);
        atLimit.writeUInt32BE(largest, 1);
        const messages = new MessageBuffer(limits);
        messages.push(atLimit);
        assert.equal(messages.next(), undefined);
        assert.deepEqual(messages.peek(), { type, total: largest + 1 });
      }
    });
  });
}

describe("limits", () => {
  it("are PostgreSQL's own, but for texts and parameters, which the configuration bounds", () => {
    const { largest } = clientLimits(1000);
    assert.equal(largest[FRONTEND.query], 1000);
    assert.equal(largest[FRONTEND.bind], 1000);
    assert.equal(largest[FRONTEND.copyData], LARGE_MESSAGE);
    assert.equal(largest[FRONTEND.execute], SMALL_MESSAGE);
    assert.equal(largest[FRONTEND.password], 0);
  });
});

describe("memory", () => {
  it("follows what has come, not what a header announces", () => {
    const before = process.memoryUsage().arrayBuffers;
    const kept: MessageBuffer[] = [];
    for (let i = 0; i < 1000; i++) {
      const messages = new MessageBuffer(clientLimits());
      const header = Buffer.from([FRONTEND.copyData, 0, 0, 0, 0]);
      header.writeUInt32BE(LARGE_MESSAGE, 1);
      messages.push(header);
      assert.equal(messages.next(), undefined);
      messages.push(Buffer.from("some bytes"));
      assert.equal(messages.next(), undefined);
      kept.push(messages);
    }
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 16 * 1024 * 1024, `${grown} bytes for ${kept.length} announcements`);
  });
  it("is copied a bounded number of times for a message in many chunks", () => {
    const size = 32 * 1024 * 1024;
    const message = Buffer.alloc(size + 5, "q");
    message[0] = FRONTEND.query;
    message.writeUInt32BE(size + 4, 1);
    const time = (chunkBytes: number): number => {
      const messages = new MessageBuffer(clientLimits());
      const from = performance.now();
      let whole: Buffer | undefined;
      for (let at = 0; at < message.length; at += chunkBytes) {
        messages.push(message.subarray(at, at + chunkBytes));
        whole = messages.next()?.raw ?? whole;
      }
      assert.ok(whole?.equals(message));
      return performance.now() - from;
    };
    time(1 << 20);
    // Copying all for each chunk would take 32 GiB of copies: a minute, not a moment.
    assert.ok(time(1 << 14) < 3000);
  });
  it("is not kept once a large message is through", () => {
    const messages = new MessageBuffer(clientLimits());
    const large = frame(FRONTEND.query, "z".repeat(1 << 20));
    messages.push(large.subarray(0, 1000));
    assert.equal(messages.next(), undefined);
    messages.push(large.subarray(1000));
    assert.ok(messages.next()?.raw.equals(large));
    assert.equal(messages.pendingBytes, 0);
    assert.equal(messages.next(), undefined);
    assert.equal(messages.drain().length, 0);
  });
  it("that a chunk lent is kept after retain, when its reader stops in between", () => {
    const chunk = Buffer.concat(clientFrames.slice(0, 3));
    const messages = new MessageBuffer(clientLimits());
    messages.push(chunk);
    assert.ok(messages.next());
    messages.retain();
    chunk.fill(0);
    assert.deepEqual(messages.next()?.raw, clientFrames[1]);
    assert.deepEqual(messages.drain(), clientFrames[2]);
  });
});

describe("a message that is taken in parts", () => {
  it("must be taken to its end before the next whole one", () => {
    const messages = new MessageBuffer(clientLimits());
    const large = frame(FRONTEND.copyData, "d".repeat(100));
    messages.push(large.subarray(0, 50));
    assert.deepEqual(messages.part()?.bytes.length, 50);
    assert.equal(messages.part(), undefined);
    assert.throws(() => messages.next(), TypeError);
    messages.push(Buffer.concat([large.subarray(50), clientFrames[0]!]));
    assert.equal(messages.part()?.last, true);
    assert.deepEqual(messages.next()?.raw, clientFrames[0]);
  });
});
