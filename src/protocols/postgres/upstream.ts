// Connects to the PostgreSQL server behind the gate: TLS, authentication, and what the server says before it is ready.
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { RegateError } from "../../errors.ts";
import { BACKEND } from "./codes.ts";
import { type Address, Conversation, type Encryption, nameOf, unreachable } from "./conversation.ts";
import * as decode from "./decode.ts";
import type { ErrorFields } from "./encode.ts";
import {
  encodeCancelRequest,
  encodePassword,
  encodeSaslInitialResponse,
  encodeSaslResponse,
  encodeStartup,
} from "./encode.ts";
import { type ChannelBinding, type SaltedPassword, ScramClient } from "./scram.ts";
import type { UpstreamTarget } from "./target.ts";
import { serverEndPoint } from "./tls.ts";

export { parseTarget, type SslMode, type UpstreamTarget } from "./target.ts";

/** Parameters go to the server as they are, over the target's own; `user` and `database` are the target's. */
export type UpstreamStartup = {
  readonly parameters: ReadonlyMap<string, string>;
  /** Default 0. With 2 the server may give a longer cancel key; older servers agree on 0. */
  readonly protocolMinor?: 0 | 2;
};

/** A server that is ready for its first query. The socket is paused; it has one listener, which ignores errors ("close" follows each). */
export type Upstream = {
  readonly socket: Socket | TLSSocket;
  readonly tls: boolean;
  readonly protocolMinor: number;
  /** The last ParameterStatus of each name. */
  readonly parameters: Map<string, string>;
  readonly pid: number;
  readonly secret: Buffer;
  /** What the server sent after ReadyForQuery. */
  readonly initial: Buffer;
  /** The byte of ReadyForQuery: I, T or E. */
  readonly transactionStatus: number;
  /** NoticeResponse frames, whole. */
  readonly notices: readonly Buffer[];
  /**
   * Asks the server, over a connection of its own secured like this one, to cancel what runs. Ends when the server has taken note. Never
   * throws: a cancel request is no promise in PostgreSQL either.
   */
  cancel(): Promise<void>;
};

/** RFC 7677 asks for so many; only who cannot be listened to may go below. */
const leastIterations = 4096;
const salted = new WeakMap<UpstreamTarget, SaltedPassword>();

/**
 * Which connections to try in turn, as libpq does. The second is tried when TLS failed, or the server refused before it had asked for a
 * password (pg_hba.conf may allow one kind only).
 */
const attempts: Readonly<Record<UpstreamTarget["sslmode"], readonly Encryption[]>> = {
  disable: ["plain"],
  allow: ["plain", "tls"],
  prefer: ["tls-or-plain", "plain"],
  require: ["tls"],
  "verify-ca": ["tls"],
  "verify-full": ["tls"],
};

/**
 * @throws RegateError UPSTREAM_UNREACHABLE, UPSTREAM_TLS, UPSTREAM_AUTH, UPSTREAM_PROTOCOL; where the server itself refused, `cause` is its
 *   {@link ErrorFields}. No error holds the password.
 */
export async function connectUpstream(target: UpstreamTarget, startup: UpstreamStartup): Promise<Upstream> {
  const limit = deadline(target);
  const tries = target.host.startsWith("/") ? attempts.disable : attempts[target.sslmode];
  try {
    let first: RegateError | undefined;
    for (const encryption of tries) {
      const login = new Login(target, startup);
      try {
        return await login.run(encryption, limit.signal);
      } catch (error) {
        if (!(error instanceof RegateError)) throw error;
        if (limit.signal.aborted || !login.mayRetry(error) || encryption === tries.at(-1)) {
          // The plain second try of "prefer" meets what the first has met: say the first.
          throw first !== undefined && first.code === error.code && error.code === "UPSTREAM_UNREACHABLE"
            ? first
            : joined(first, error);
        }
        first = error;
      }
    }
    throw first;
  } finally {
    limit.clear();
  }
}

/** A signal that is raised once the target's time is over. */
function deadline(target: UpstreamTarget): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const seconds = target.connectTimeoutMs / 1000;
  const timer = setTimeout(
    () => controller.abort(unreachable(target, `no connection within ${seconds} s`)),
    target.connectTimeoutMs,
  );
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

function joined(first: RegateError | undefined, second: RegateError): RegateError {
  if (first === undefined) return second;
  const detail = `${second.detail ?? second.message}; before that, with other encryption: ${first.detail ?? first.message}`;
  return new RegateError(second.code, {
    detail,
    cause: second.cause,
    ...(second.hint === undefined ? {} : { hint: second.hint }),
  });
}

/** One try to log in. */
class Login {
  readonly #target: UpstreamTarget;
  readonly #startup: UpstreamStartup;
  #conversation!: Conversation;
  #scram: ScramClient | undefined;
  #passwordAsked = false;
  #authenticated = false;

  constructor(target: UpstreamTarget, startup: UpstreamStartup) {
    this.#target = target;
    this.#startup = startup;
  }

  mayRetry(error: RegateError): boolean {
    return (
      error.code === "UPSTREAM_TLS" || (error.code === "UPSTREAM_AUTH" && !this.#passwordAsked && !this.#authenticated)
    );
  }

  async run(encryption: Encryption, signal: AbortSignal): Promise<Upstream> {
    const conversation = await Conversation.open(this.#target, encryption, signal);
    this.#conversation = conversation;
    try {
      return await this.#talk();
    } catch (error) {
      conversation.destroy();
      throw error;
    }
  }

  async #talk(): Promise<Upstream> {
    const conversation = this.#conversation;
    const target = this.#target;
    const asked = this.#startup.protocolMinor ?? 0;
    const given = new Map([...target.parameters, ...this.#startup.parameters]);
    given.delete("user");
    given.delete("database");
    conversation.send(encodeStartup(asked, [["user", target.user], ["database", target.database], ...given]));

    const parameters = new Map<string, string>();
    const notices: Buffer[] = [];
    let protocolMinor: number = asked;
    let key: { readonly pid: number; readonly secret: Buffer } = { pid: 0, secret: Buffer.alloc(4) };
    for (;;) {
      const { type, body, raw } = await conversation.next();
      switch (type) {
        case BACKEND.authentication:
          await this.#authenticate(decode.decodeAuthentication(body));
          break;
        case BACKEND.negotiateProtocolVersion:
          protocolMinor = decode.decodeNegotiateProtocolVersion(body).minor;
          if (protocolMinor > asked)
            throw broken(target, `it wants protocol 3.${protocolMinor} where 3.${asked} was asked for`);
          break;
        case BACKEND.errorResponse:
          throw this.#refused(decode.decodeError(body));
        case BACKEND.noticeResponse:
          notices.push(Buffer.from(raw));
          break;
        case BACKEND.parameterStatus: {
          const { name, value } = decode.decodeParameterStatus(body);
          parameters.set(name, value);
          break;
        }
        case BACKEND.backendKeyData:
          key = decode.decodeBackendKeyData(body);
          break;
        case BACKEND.readyForQuery: {
          if (!this.#authenticated) throw broken(target, "it is ready without an authentication");
          const transactionStatus = decode.decodeReadyForQuery(body);
          const { tls } = conversation;
          const { socket, initial } = conversation.release();
          const cancel = (): Promise<void> => sendCancel(target, socket, tls, key.pid, key.secret);
          return { socket, tls, protocolMinor, parameters, ...key, initial, transactionStatus, notices, cancel };
        }
        default:
          throw broken(target, `a message of type 0x${type.toString(16)} came during the login`);
      }
    }
  }

  async #authenticate(request: decode.Authentication): Promise<void> {
    const conversation = this.#conversation;
    if (this.#authenticated) throw broken(this.#target, "it asks for an authentication after it has granted one");
    switch (request.kind) {
      case "ok":
        if (this.#scram !== undefined && !this.#scram.verified)
          throw this.#auth("the server skipped its own proof (SCRAM)");
        if (this.#target.channelBinding === "require" && this.#scram?.mechanism !== "SCRAM-SHA-256-PLUS") {
          throw this.#auth("channel_binding=require, but the server authenticated without channel binding");
        }
        this.#authenticated = true;
        return;
      case "cleartext":
        this.#refuseUnbound();
        conversation.send(encodePassword(this.#password()));
        return;
      case "md5": {
        this.#refuseUnbound();
        const inner = md5(this.#password(), this.#target.user);
        conversation.send(encodePassword(`md5${md5(inner, request.salt)}`));
        return;
      }
      case "sasl": {
        if (this.#scram !== undefined) throw broken(this.#target, "it begins SASL twice");
        this.#scram = this.#choose(request.mechanisms);
        conversation.send(encodeSaslInitialResponse(this.#scram.mechanism, this.#scram.first()));
        return;
      }
      case "sasl-continue": {
        if (this.#scram === undefined) throw broken(this.#target, "it goes on with SASL before it has begun");
        const final = await this.#scram.final(request.data);
        conversation.send(encodeSaslResponse(final));
        return;
      }
      case "sasl-final":
        if (this.#scram === undefined) throw broken(this.#target, "it ends SASL before it has begun");
        this.#scram.verify(request.data);
        if (this.#scram.salted !== undefined) salted.set(this.#target, this.#scram.salted);
        return;
      case "other":
        throw this.#auth(
          `the server wants authentication method ${request.method}, which the gate does not have (password, MD5 and SCRAM it has)`,
        );
    }
  }

  /** With channel_binding=require the password goes nowhere but into SCRAM-SHA-256-PLUS. */
  #refuseUnbound(): void {
    this.#passwordAsked = true;
    if (this.#scram !== undefined) throw broken(this.#target, "it changes the method of authentication");
    if (this.#target.channelBinding === "require")
      throw this.#auth("channel_binding=require, but the server asks for another authentication");
  }

  #password(): string {
    this.#passwordAsked = true;
    const { password } = this.#target;
    if (password === undefined) throw this.#auth("the server asks for a password, and the URL has none");
    return password;
  }

  #choose(mechanisms: readonly string[]): ScramClient {
    const { channelBinding } = this.#target;
    const password = this.#password();
    const conversation = this.#conversation;
    let channel: ChannelBinding = { flag: "n" };
    if (conversation.tls && channelBinding !== "disable") {
      if (!mechanisms.includes("SCRAM-SHA-256-PLUS")) channel = { flag: "y" };
      else {
        const binding = serverEndPoint((conversation.socket as TLSSocket).getPeerCertificate().raw);
        if (binding !== undefined) channel = { flag: "p", binding };
      }
    }
    if (channelBinding === "require" && channel.flag !== "p") {
      throw this.#auth(
        conversation.tls
          ? "channel_binding=require, but the server or its certificate offers none"
          : "channel_binding=require, but the connection has no TLS",
      );
    }
    if (channel.flag !== "p" && !mechanisms.includes("SCRAM-SHA-256")) {
      throw this.#auth(`the server offers ${mechanisms.join(", ")} only, and the gate has SCRAM-SHA-256`);
    }
    const guarded = conversation.tls || this.#target.host.startsWith("/");
    return new ScramClient({
      password,
      channel,
      leastIterations: guarded ? 1 : leastIterations,
      known: salted.get(this.#target),
    });
  }

  /** What the server itself says, with its fields as the cause. */
  #refused(fields: ErrorFields): RegateError {
    const sqlstate = fields.C ?? "";
    // Starting up, shutting down, or full: it is not the gate that is refused.
    const busy = sqlstate.startsWith("57P") || sqlstate.startsWith("53");
    const detail = `${nameOf(this.#target)}: ${sqlstate} ${fields.M ?? ""}`;
    return new RegateError(busy ? "UPSTREAM_UNREACHABLE" : "UPSTREAM_AUTH", { detail, cause: fields });
  }

  #auth(what: string): RegateError {
    return new RegateError("UPSTREAM_AUTH", { detail: `${nameOf(this.#target)}: ${what}` });
  }
}

async function sendCancel(
  target: UpstreamTarget,
  session: Socket,
  tls: boolean,
  pid: number,
  secret: Buffer,
): Promise<void> {
  const limit = deadline(target);
  try {
    // A name may have several addresses: the request must reach the very server of the session.
    const { remoteAddress, remotePort } = session;
    const address: Address =
      remoteAddress === undefined || remotePort === undefined ? target : { host: remoteAddress, port: remotePort };
    const conversation = await Conversation.open(target, tls ? "tls" : "plain", limit.signal, address);
    conversation.send(encodeCancelRequest(pid, secret));
    await conversation.closed();
    conversation.destroy();
  } catch {
    // As with any client: a request that does not arrive cancels nothing.
  } finally {
    limit.clear();
  }
}

function md5(text: string, salt: string | Buffer): string {
  return createHash("md5").update(text).update(salt).digest("hex");
}

function broken(target: UpstreamTarget, what: string): RegateError {
  return new RegateError("UPSTREAM_PROTOCOL", { detail: `${nameOf(target)}: ${what}` });
}
