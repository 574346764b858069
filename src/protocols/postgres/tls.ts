// TLS on both sides of the gate, and the channel binding of a server's certificate.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isIP, type Socket } from "node:net";
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import { errorText, RegateError } from "../../errors.ts";
import type { UpstreamTarget } from "./target.ts";

/** The protocol's name in ALPN (PostgreSQL 17). */
export const ALPN = "postgresql";

/** The server's side of a handshake on an accepted socket. "secure" says that it is done; "close" without it, that it failed. */
export function acceptTls(socket: Socket, secureContext: SecureContext): TLSSocket {
  const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [ALPN] });
  // Node tells a socket that no tls.Server owns of a broken record by this event alone, and would leave it open.
  secure.on("_tlsError", (error: Error) => {
    if (!secure.destroyed) secure.destroy(error);
  });
  secure.disableRenegotiation();
  return secure;
}

/**
 * The client's side of a handshake on a connected socket, checked as `sslmode` says.
 * @throws RegateError UPSTREAM_TLS
 */
export function connectTls(socket: Socket, target: UpstreamTarget): Promise<TLSSocket> {
  const { sslmode, host } = target;
  const verified = target.sslrootcert !== undefined;
  const options: ConnectionOptions = {
    socket,
    secureContext: contextFor(target),
    ALPNProtocols: [ALPN],
    rejectUnauthorized: verified,
    checkServerIdentity: (_name, certificate) =>
      sslmode === "verify-full" ? checkServerIdentity(host, certificate) : undefined,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  return new Promise((resolve, reject) => {
    const secure = connect(options);
    const onError = (error: Error): void => {
      secure.destroy();
      reject(failed(`${errorText(error)} (sslmode=${sslmode})`, error));
    };
    const onClose = (): void => reject(failed("the server closed the connection during the handshake"));
    secure.once("error", onError).once("close", onClose);
    secure.once("secureConnect", () => {
      secure.off("error", onError).off("close", onClose).on("error", ignore);
      // Without ALPN a direct connection could be one to a server of another protocol that was led here.
      if (target.sslnegotiation === "direct" && secure.alpnProtocol !== ALPN) {
        secure.destroy();
        reject(failed(`the server did not confirm the protocol "${ALPN}" (ALPN)`));
      } else resolve(secure);
    });
  });
}

const contexts = new WeakMap<UpstreamTarget, { readonly stamp: string; readonly context: SecureContext }>();

/** One context a target, made anew when one of its files has changed. */
function contextFor(target: UpstreamTarget): SecureContext {
  const files = [target.sslrootcert === "system" ? undefined : target.sslrootcert, target.sslcert, target.sslkey];
  const stamp = files
    .map((path) => (path === undefined ? "" : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? "none")))
    .join();
  const known = contexts.get(target);
  if (known?.stamp === stamp) return known.context;
  const [ca, cert, key] = files.map((path) => (path === undefined ? undefined : read(path)));
  try {
    const context = createSecureContext({
      minVersion: "TLSv1.2",
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    contexts.set(target, { stamp, context });
    return context;
  } catch (error) {
    throw failed(`${files.filter((path) => path !== undefined).join(", ")}: ${errorText(error)}`, error);
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw failed(errorText(error), error);
  }
}

const pssOid = Buffer.from("06092a864886f70d01010a", "hex");
const sha2Oid = Buffer.from("06096086480165030402", "hex");
const sha2 = new Map([
  [1, "sha256"],
  [2, "sha384"],
  [3, "sha512"],
  [4, "sha224"],
]);

/**
 * The channel binding "tls-server-end-point" (RFC 5929, section 4.1): the certificate's digest, by the hash of its own signature, SHA-256 in
 * the place of MD5 and SHA-1. Undefined where the signature has no hash of its own (Ed25519): then there is no binding.
 */
export function serverEndPoint(certificate: Buffer): Buffer | undefined {
  const algorithm = (new X509Certificate(certificate).signatureAlgorithm ?? "").toLowerCase();
  let hash = /(?:sha-?(?:1|224|256|384|512)|md5)(?!\d)/.exec(algorithm)?.[0].replace("-", "");
  if (algorithm === "rsassapss") {
    // The hash stands in the parameters of the outer signatureAlgorithm: SEQUENCE { [0] { SEQUENCE { OID … ; SHA-1 if it is left out.
    const at = certificate.lastIndexOf(pssOid) + pssOid.length;
    const parameters = certificate.subarray(at, at + 24);
    const found = parameters.indexOf(sha2Oid);
    hash = found < 0 ? "sha1" : sha2.get(parameters[found + sha2Oid.length] ?? 0);
  }
  if (hash === undefined) return undefined;
  return createHash(hash === "sha1" || hash === "md5" ? "sha256" : hash)
    .update(certificate)
    .digest();
}

function failed(what: string, cause?: unknown): RegateError {
  return new RegateError("UPSTREAM_TLS", { detail: what, cause });
}

function ignore(): void {}
