// Accepts a client: encryption requests, the startup packet and the password, up to but not including the authentication's outcome.
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import { refusalFromError } from "../../core/enforce.ts";
import { asRegateError, errorText, RegateError } from "../../errors.ts";
import { ByteQueue } from "./bytes.ts";
import { FRONTEND, STARTUP } from "./codes.ts";
import { decodePassword, decodeStartupParameters } from "./decode.ts";
import { encodeAuthenticationCleartextPassword, encodeNegotiateProtocolVersion } from "./encode.ts";
import { type FrameLimits, frameBytes, HEADER_BYTES } from "./frame.ts";
import { fatalMessage } from "./refuse.ts";
import { ALPN, acceptTls } from "./tls.ts";

/** PostgreSQL's own bound for what follows the length word (MAX_STARTUP_PACKET_LENGTH). */
const startupBytes = 10_000;
/** A token is a few kilobytes at most. */
const passwordBytes = 64 * 1024;
/** How long a refused client may take to read why. */
const lingerMs = 2_000;
const tlsHandshake = 0x16;

const passwordLimits: FrameLimits = { code: "PROTOCOL_VIOLATION", peer: "client", largest: new Int32Array(256) };
passwordLimits.largest[FRONTEND.password] = passwordBytes;
passwordLimits.largest[FRONTEND.terminate] = 4;

/** `allowPlaintext` is already resolved for this peer. `timeoutMs` bounds the whole startup. */
export type StartupOptions = {
  readonly tls?: SecureContext | undefined;
  readonly allowPlaintext: boolean;
  readonly timeoutMs: number;
};

/**
 * What a client wants. In all cases but "closed" the socket is paused and the caller's to end; it has one listener, which ignores errors
 * ("close" follows each).
 */
export type Startup =
  /** The peer left before it had said what it wants: a port check, or psql that goes to ask for the password. */
  | { readonly kind: "closed" }
  | { readonly kind: "cancel"; readonly socket: Socket | TLSSocket; readonly pid: number; readonly secret: Buffer }
  | {
      readonly kind: "session";
      readonly socket: Socket | TLSSocket;
      readonly tls: boolean;
      /** The minor version of protocol 3 that was agreed on. */
      readonly minor: 0 | 2;
      /** As sent, without `_pq_.` options and `replication`; `user` and `database` are always there. */
      readonly parameters: Map<string, string>;
      readonly token: string;
      /** What the client sent after its password. */
      readonly leftover: Buffer;
    };

/**
 * Nothing is asked of the event loop but one timer and the socket's own events: a client that is silent or slow holds up nobody.
 * @throws RegateError PROTOCOL_VIOLATION, STARTUP_TIMEOUT, TLS_REQUIRED, REPLICATION_REFUSED: already told to the client, socket closing
 */
export function acceptStartup(socket: Socket, options: StartupOptions): Promise<Startup> {
  return new Promise((resolve, reject) => {
    new Acceptance(socket, options, resolve, reject).begin();
  });
}

class Acceptance {
  #socket: Socket | TLSSocket;
  readonly #options: StartupOptions;
  readonly #resolve: (startup: Startup) => void;
  readonly #reject: (error: RegateError) => void;
  readonly #queue = new ByteQueue();
  readonly #asked = new Set<number>();
  readonly #timer: NodeJS.Timeout;
  #tls = false;
  #handshaking = false;
  #settled = false;
  #minor: 0 | 2 = 0;
  #parameters: Map<string, string> | undefined;

  constructor(
    socket: Socket,
    options: StartupOptions,
    resolve: (startup: Startup) => void,
    reject: (error: RegateError) => void,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => this.#fail(new RegateError("STARTUP_TIMEOUT")), options.timeoutMs);
  }

  begin(): void {
    this.#attach();
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#queue.push(chunk);
      while (!this.#settled && !this.#handshaking) {
        if (!(this.#parameters === undefined ? this.#packet() : this.#password())) return;
      }
    } catch (thrown) {
      this.#fail(asRegateError(thrown));
    }
  };

  readonly #onGone = (): void => {
    if (this.#settled) return;
    this.#leave();
    this.#socket.destroy();
    this.#resolve({ kind: "closed" });
  };

  #attach(): void {
    this.#socket
      .on("error", ignore)
      .on("data", this.#onData)
      .on("end", this.#onGone)
      .on("close", this.#onGone)
      .resume();
  }

  #detach(): void {
    this.#socket.pause();
    this.#socket.off("data", this.#onData).off("end", this.#onGone).off("close", this.#onGone);
  }

  #leave(): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#detach();
  }

  #fail(error: RegateError): void {
    if (this.#settled) return;
    this.#leave();
    const socket = this.#socket;
    if (this.#handshaking) socket.destroy();
    else {
      // What the client still sends is read away: closing with unread bytes would reset the connection before it has read the reason.
      socket.resume();
      socket.end(fatalMessage(refusalFromError(error, undefined, true)));
      const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
      socket.once("close", () => clearTimeout(timer));
    }
    this.#reject(error);
  }

  /** A packet without a type byte. False: more bytes are needed, or the handshake goes on elsewhere. */
  #packet(): boolean {
    const queue = this.#queue;
    if (queue.size === 0) return false;
    if (queue.byteAt(0) === tlsHandshake && !this.#tls && this.#asked.size === 0) return this.#direct();
    if (queue.size < 4) return false;
    const length = queue.uint32At(0);
    if (length < 8 || length > startupBytes + 4) {
      throw violation(`A startup packet has a length of ${length} bytes; this port speaks the PostgreSQL protocol.`);
    }
    if (queue.size < length) return false;
    const packet = queue.take(length);
    const code = packet.readUInt32BE(4);
    if (code === STARTUP.cancel) this.#cancel(packet);
    else if (code === STARTUP.ssl || code === STARTUP.gss) this.#encryption(code, length);
    else this.#startup(code, packet.subarray(8));
    return true;
  }

  #encryption(code: number, length: number): void {
    const name = code === STARTUP.ssl ? "SSLRequest" : "GSSENCRequest";
    if (length !== 8) throw violation(`${name} has a length of ${length} bytes.`);
    if (this.#tls || this.#asked.has(code)) throw violation(`${name} came a second time.`);
    this.#asked.add(code);
    // Bytes that were there before the handshake may have been slipped in by somebody in between (CVE-2021-23214).
    if (this.#queue.size > 0) throw violation(`The client sent unencrypted bytes after ${name}.`);
    if (code === STARTUP.gss || this.#options.tls === undefined) this.#socket.write("N");
    else {
      this.#socket.write("S");
      this.#handshake(this.#options.tls, false);
    }
  }

  /** A client that begins with the handshake itself (sslnegotiation=direct, PostgreSQL 17). */
  #direct(): boolean {
    if (this.#options.tls === undefined)
      throw violation("The client began a TLS handshake, but TLS is not offered here.");
    this.#handshake(this.#options.tls, true);
    return false;
  }

  #handshake(context: SecureContext, direct: boolean): void {
    this.#handshaking = true;
    this.#detach();
    if (direct) this.#socket.unshift(Buffer.from(this.#queue.take(this.#queue.size)));
    const secure = acceptTls(this.#socket, context);
    this.#socket = secure;
    let failure = "the connection was closed";
    const onError = (error: Error): void => {
      failure = errorText(error);
    };
    const onClose = (): void => this.#fail(violation(`The TLS handshake failed: ${failure}.`));
    secure.on("error", ignore).on("_tlsError", onError).on("close", onClose);
    secure.once("secure", () => {
      secure.off("_tlsError", onError).off("close", onClose);
      if (this.#settled) return;
      this.#handshaking = false;
      this.#tls = true;
      if (direct && secure.alpnProtocol !== ALPN) {
        this.#fail(violation(`A direct TLS connection must name the protocol "${ALPN}" (ALPN).`));
      } else this.#attach();
    });
  }

  #cancel(packet: Buffer): void {
    const bytes = packet.length - 12;
    if (bytes < 4 || bytes > 256) throw violation(`A CancelRequest has a key of ${bytes} bytes.`);
    this.#leave();
    const secret = Buffer.from(packet.subarray(12));
    this.#resolve({ kind: "cancel", socket: this.#socket, pid: packet.readUInt32BE(8), secret });
  }

  #startup(version: number, body: Buffer): void {
    const [major, minor] = [version >>> 16, version & 0xffff];
    if (major !== 3) throw violation(`Protocol version ${major}.${minor} is not supported: 3.0 to 3.2 are.`);
    const parameters = decodeStartupParameters(body);
    const unknown: string[] = [];
    for (const name of parameters.keys()) if (name.startsWith("_pq_.")) unknown.push(name);
    for (const name of unknown) parameters.delete(name);
    refuseReplication(parameters);
    const user = parameters.get("user") ?? "";
    if (user === "") throw violation("The startup packet names no user.");
    if ((parameters.get("database") ?? "") === "") parameters.set("database", user);
    if (!this.#tls && !this.#options.allowPlaintext) throw new RegateError("TLS_REQUIRED");
    // 3.1 was never in use.
    this.#minor = minor >= 2 ? 2 : 0;
    const ask = encodeAuthenticationCleartextPassword();
    const negotiate = minor !== this.#minor || unknown.length > 0;
    this.#socket.write(negotiate ? Buffer.concat([encodeNegotiateProtocolVersion(this.#minor, unknown), ask]) : ask);
    this.#parameters = parameters;
  }

  #password(): boolean {
    const queue = this.#queue;
    if (queue.size < HEADER_BYTES) return false;
    const type = queue.byteAt(0);
    const total = frameBytes(type, queue.uint32At(1), passwordLimits);
    if (queue.size < total) return false;
    if (type === FRONTEND.terminate) {
      this.#onGone();
      return false;
    }
    const token = decodePassword(queue.take(total).subarray(HEADER_BYTES));
    this.#leave();
    // The socket may have taken in more since it was paused.
    const rest: Buffer[] = [Buffer.from(queue.take(queue.size))];
    for (let more = this.#socket.read() as Buffer | null; more !== null; more = this.#socket.read()) rest.push(more);
    this.#resolve({
      kind: "session",
      socket: this.#socket,
      tls: this.#tls,
      minor: this.#minor,
      parameters: this.#parameters!,
      token,
      leftover: Buffer.concat(rest),
    });
    return false;
  }
}

/** A walsender takes commands that are no SQL, and streams everything: any value but a false one is refused. */
function refuseReplication(parameters: Map<string, string>): void {
  const value = parameters.get("replication")?.toLowerCase();
  parameters.delete("replication");
  if (value === undefined) return;
  // As parse_bool reads it: any unambiguous beginning.
  const no =
    value !== "" && ("false".startsWith(value) || "no".startsWith(value) || ["of", "off", "0"].includes(value));
  if (!no) throw new RegateError("REPLICATION_REFUSED");
}

function violation(detail: string): RegateError {
  return new RegateError("PROTOCOL_VIOLATION", { detail });
}

function ignore(): void {}
