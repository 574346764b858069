// The gate's own keys, in data_dir/keys: the pair that signs tokens, and the secret of keyed masks.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { errorText, RegateError } from "../errors.ts";
import { readOrCreate } from "./files.ts";

/** The one algorithm of the gate's own tokens (RFC 8037: Ed25519). */
export const ALGORITHM = "EdDSA";

export type SigningKeys = {
  /** Signs new tokens. */
  readonly signing: { readonly kid: string; readonly key: CryptoKey };
  /** Verify tokens, by `kid`. */
  readonly verifying: ReadonlyMap<string, CryptoKey>;
};

export const SIGNING_FILE = "issuer.json";
export const MASK_FILE = "mask.key";
export const MASK_BYTES = 32;

/**
 * The issuer's keys: a JWK set of private keys, the first of which signs; made on first use.
 * @throws RegateError KEY_UNREADABLE
 */
export async function signingKeys(dataDir: string): Promise<SigningKeys> {
  const dir = join(dataDir, "keys");
  const bytes = await readOrCreate(dir, SIGNING_FILE, createSigning);
  try {
    const { keys } = JSON.parse(bytes.toString("utf8")) as { keys: JWK[] };
    const verifying = new Map<string, CryptoKey>();
    let signing: SigningKeys["signing"] | undefined;
    for (const jwk of keys) {
      if (jwk.kty !== "OKP" || jwk.crv !== "Ed25519" || typeof jwk.kid !== "string" || typeof jwk.d !== "string") {
        throw new Error("not a set of Ed25519 keys with kid");
      }
      if (verifying.has(jwk.kid)) throw new Error(`kid ${jwk.kid} stands twice`);
      const { d: _secret, ...open } = jwk;
      signing ??= { kid: jwk.kid, key: await imported(jwk) };
      verifying.set(jwk.kid, await imported(open));
    }
    if (signing === undefined) throw new Error("no key in it");
    return { signing, verifying };
  } catch (cause) {
    throw damaged(join(dir, SIGNING_FILE), cause);
  }
}

/**
 * The secret of keyed masks, made on first use: while it stays, equal values stay equal under `hash`.
 * @throws RegateError KEY_UNREADABLE
 */
export async function maskKey(dataDir: string): Promise<Buffer> {
  const dir = join(dataDir, "keys");
  const key = await readOrCreate(dir, MASK_FILE, () => randomBytes(MASK_BYTES));
  if (key.length !== MASK_BYTES)
    throw damaged(join(dir, MASK_FILE), new Error(`${key.length} bytes instead of ${MASK_BYTES}`));
  return key;
}

/** A private key for the set that signs tokens. */
export async function newSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { ...jwk, kid, alg: ALGORITHM, use: "sig" };
}

async function createSigning(): Promise<Buffer> {
  return Buffer.from(`${JSON.stringify({ keys: [await newSigningKey()] }, undefined, 2)}\n`, "utf8");
}

async function imported(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK({ ...jwk, ext: false }, ALGORITHM);
  if (key instanceof Uint8Array) throw new Error("not a key pair");
  return key;
}

function damaged(path: string, cause: unknown): RegateError {
  return new RegateError("KEY_UNREADABLE", {
    detail: `${path}: ${errorText(cause)}`,
    hint: "Restore it from a backup, or delete it: a new one is made, and what the old one made is no longer valid.",
    cause,
  });
}
