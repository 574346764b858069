// Reads a socket into one buffer that is used again, where the runtime allows it: no stream events and no allocation per read.
import { Socket } from "node:net";

const size = 64 * 1024;

export type Channel = {
  /** The socket to write to, pause and listen to from now on: it may be another than the one given. */
  readonly socket: Socket;
  /** The buffer of the last chunk is still being written somewhere: the next read takes a new one. */
  keep(): void;
};

type WithHandle = { _handle: object | null };

/**
 * `onChunk` gets views that are good until it returns, unless it called `keep`.
 * The socket must be paused, without listeners and with nothing buffered; a TLS socket keeps its own reads, each with a buffer of its own.
 */
export function openChannel(given: Socket, onChunk: (chunk: Buffer) => void): Channel {
  const handle = (given as unknown as WithHandle)._handle;
  // The handle of a plain TCP or Unix socket can be taken over; a TLS socket's is the runtime's own affair.
  if (given.constructor !== Socket || handle === null) {
    given.on("data", onChunk);
    return { socket: given, keep: () => undefined };
  }
  let buffer = Buffer.allocUnsafeSlow(size);
  let taken = false;
  (given as unknown as WithHandle)._handle = null;
  const socket = new Socket({
    handle,
    // A client that has sent everything still wants its answers.
    allowHalfOpen: true,
    readable: true,
    writable: true,
    onread: {
      buffer: () => {
        if (taken) {
          buffer = Buffer.allocUnsafeSlow(size);
          taken = false;
        }
        return buffer;
      },
      callback: (bytes: number, from: Uint8Array) => {
        onChunk(Buffer.from(from.buffer, from.byteOffset, bytes));
        return true;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  // Its owner counts connections by the socket that it accepted.
  socket.on("close", () => given.destroy());
  return {
    socket,
    keep: () => {
      taken = true;
    },
  };
}
