// A connection to a server as a dialogue: send, and wait for the next message. For logging in, not for relaying.
import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { errorText, RegateError } from "../../errors.ts";
import { ByteQueue } from "./bytes.ts";
import { encodeSslRequest } from "./encode.ts";
import { type FrameLimits, frameBytes, HEADER_BYTES, type Message, serverLimits } from "./frame.ts";
import type { UpstreamTarget } from "./target.ts";
import { connectTls } from "./tls.ts";

/** No message of a login is near this size. */
const limits: FrameLimits = serverLimits(1024 * 1024);

/** Where to connect: the target, or the very address of an earlier connection. */
export type Address = { readonly host: string; readonly port: number };
/** What "tls-or-plain" leaves to the server, "tls" insists on. */
export type Encryption = "plain" | "tls" | "tls-or-plain";

export class Conversation {
  socket: Socket | TLSSocket;
  tls = false;
  readonly #queue = new ByteQueue();
  #failure: RegateError | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  /**
   * Connects, with TLS as asked. Ends with `signal`, whose reason must be a RegateError.
   * @throws RegateError UPSTREAM_UNREACHABLE, UPSTREAM_TLS
   */
  static async open(
    target: UpstreamTarget,
    encryption: Encryption,
    signal: AbortSignal,
    address: Address = target,
  ): Promise<Conversation> {
    signal.throwIfAborted();
    const local = address.host.startsWith("/");
    const socket = local
      ? connect({ path: `${address.host}/.s.PGSQL.${address.port}` })
      : connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true });
    const conversation = new Conversation(socket);
    const abort = (): void => {
      conversation.#fail(signal.reason as RegateError);
      conversation.socket.destroy();
      socket.destroy();
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", abort));
    try {
      await conversation.#connected(socket, target);
      if (encryption !== "plain" && !local) await conversation.#encrypt(target, encryption);
      return conversation;
    } catch (error) {
      conversation.socket.destroy();
      socket.destroy();
      throw signal.aborted ? signal.reason : error;
    }
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** The next message; its views are valid until the next call. @throws RegateError UPSTREAM_UNREACHABLE, UPSTREAM_PROTOCOL */
  async next(): Promise<Message> {
    const queue = this.#queue;
    for (;;) {
      if (queue.size >= HEADER_BYTES) {
        const total = frameBytes(queue.byteAt(0), queue.uint32At(1), limits);
        if (queue.size >= total) {
          const raw = queue.take(total);
          return { type: raw[0]!, body: raw.subarray(HEADER_BYTES), raw };
        }
      }
      await this.#more();
    }
  }

  /** Waits until the server has closed the connection. */
  async closed(): Promise<void> {
    while (this.#failure === undefined) {
      this.#queue.take(this.#queue.size);
      await this.#more().catch(() => undefined);
    }
  }

  /** Hands the socket over, paused, with what came after the last message. */
  release(): { readonly socket: Socket | TLSSocket; readonly initial: Buffer } {
    this.#detach();
    const rest: Buffer[] = [Buffer.from(this.#queue.take(this.#queue.size))];
    for (let more = this.socket.read() as Buffer | null; more !== null; more = this.socket.read()) rest.push(more);
    return { socket: this.socket, initial: Buffer.concat(rest) };
  }

  destroy(): void {
    this.socket.destroy();
  }

  #connected(socket: Socket, target: UpstreamTarget): Promise<void> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(this.#failure ?? unreachable(target, describe(error), error));
      const onClose = (): void => reject(this.#failure ?? unreachable(target, "the connection was closed"));
      socket.once("error", onError).once("close", onClose);
      socket.once("connect", () => {
        socket.off("error", onError).off("close", onClose).on("error", ignore);
        this.#attach(target);
        resolve();
      });
    });
  }

  /** The reply to SSLRequest is one byte, and nothing may stand behind it: it would not have been encrypted (CVE-2021-23222). */
  async #encrypt(target: UpstreamTarget, encryption: Encryption): Promise<void> {
    if (target.sslnegotiation !== "direct") {
      this.send(encodeSslRequest());
      while (this.#queue.size === 0) await this.#more();
      const reply = this.#queue.byteAt(0);
      if (this.#queue.size > 1 || (reply !== 0x53 && reply !== 0x4e)) {
        // An error text here is unauthenticated, and not shown (CVE-2024-10977).
        throw new RegateError("UPSTREAM_TLS", {
          detail: "The server answered the request for TLS with neither S nor N alone.",
        });
      }
      this.#queue.take(1);
      if (reply === 0x4e) {
        if (encryption === "tls-or-plain") return;
        throw new RegateError("UPSTREAM_TLS", {
          detail: `The server does not offer TLS, which sslmode=${target.sslmode} needs.`,
          hint: "Switch ssl on in the server, or choose another sslmode.",
        });
      }
    }
    this.#detach();
    this.socket = await connectTls(this.socket as Socket, target);
    this.tls = true;
    this.#attach(target);
  }

  #attach(target: UpstreamTarget): void {
    this.#target = target;
    this.socket
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("close", this.#onEnd)
      .on("error", this.#onError)
      .resume();
  }

  #detach(): void {
    this.socket.pause();
    this.socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd).off("error", this.#onError);
  }

  #target: UpstreamTarget | undefined;

  readonly #onData = (chunk: Buffer): void => {
    this.#queue.push(chunk);
    this.#wake?.();
  };
  readonly #onEnd = (): void => this.#fail(unreachable(this.#target!, "the server closed the connection"));
  readonly #onError = (error: Error): void => this.#fail(unreachable(this.#target!, describe(error), error));

  #fail(error: RegateError): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  #more(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        this.#wake = undefined;
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
    });
  }
}

/** How the operator knows the server: never with its credential. */
export function nameOf(target: UpstreamTarget): string {
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${host}:${target.port}/${target.database}`;
}

export function unreachable(target: UpstreamTarget, why: string, cause?: unknown): RegateError {
  return new RegateError("UPSTREAM_UNREACHABLE", { detail: `${nameOf(target)}: ${why}`, cause });
}

/** A name with several addresses gives one error for each. */
function describe(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(errorText).join("; ") : error.message;
}

function ignore(): void {}
