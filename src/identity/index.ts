// Checks the tokens that clients bring, by the keys of the issuers that the gate trusts.
import { errors, type JWTVerifyGetKey } from "jose";
import type { Identity } from "../core/facts.ts";
import type { Revocations, TokenReader, TokenVerifier } from "../core/ports.ts";
import { RegateError } from "../errors.ts";
import { resourcesOf } from "./claims.ts";
import { AUDIENCE, ISSUER } from "./issue.ts";
import { ALGORITHM, signingKeys } from "./keys.ts";
import { LEEWAY, type TrustedIssuer, verifyToken } from "./verify.ts";

export type VerifierOptions = {
  readonly dataDir: string;
  /** The names of all resources: what is none of them is RESOURCE_UNKNOWN. */
  readonly resources: Iterable<string>;
  readonly revocations: Revocations;
  /** Seconds since the epoch; the system's clock when not given. */
  readonly nowSeconds?: () => number;
};

/**
 * Opens the verifier of the gate's own tokens, and makes its key on first use.
 * @throws RegateError KEY_UNREADABLE
 */
export async function openVerifier(options: VerifierOptions): Promise<Verifier> {
  const { verifying } = await signingKeys(options.dataDir);
  const key: JWTVerifyGetKey = ({ kid }) => {
    const found = kid === undefined ? undefined : verifying.get(kid);
    if (found === undefined)
      throw new errors.JWKSNoMatchingKey("no key of this issuer has the kid that the token names");
    return found;
  };
  return new Verifier(new Map([[ISSUER, { audience: AUDIENCE, algorithms: [ALGORITHM], key }]]), options);
}

export class Verifier implements TokenVerifier, TokenReader {
  readonly #issuers: ReadonlyMap<string, TrustedIssuer>;
  readonly #resources: ReadonlySet<string>;
  readonly #revocations: Revocations;
  readonly #now: () => number;

  constructor(issuers: ReadonlyMap<string, TrustedIssuer>, options: Omit<VerifierOptions, "dataDir">) {
    this.#issuers = issuers;
    this.#resources = new Set(options.resources);
    this.#revocations = options.revocations;
    this.#now = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
  }

  /** @throws RegateError TOKEN_*, RESOURCE_UNKNOWN */
  async verify(token: string, resource: string): Promise<Identity> {
    const identity = await this.identify(token);
    if (!this.covers(identity, resource))
      throw new RegateError("TOKEN_WRONG_RESOURCE", {
        detail: `${identity.subject} asked for ${JSON.stringify(resource)}`,
      });
    if (!this.#resources.has(resource)) throw new RegateError("RESOURCE_UNKNOWN", { detail: JSON.stringify(resource) });
    return identity;
  }

  /** @throws RegateError TOKEN_* */
  async identify(token: string): Promise<Identity> {
    const identity = await verifyToken(token, this.#issuers, this.#now());
    const { failure } = this.#revocations;
    if (failure !== undefined)
      throw new RegateError("TOKEN_REVOKED", {
        message: "It cannot be known whether the token was revoked",
        detail: failure.message,
      });
    if (this.#revocations.revoked(identity.token.id))
      throw new RegateError("TOKEN_REVOKED", { detail: `token ${identity.token.id} of ${identity.subject}` });
    return identity;
  }

  covers(identity: Identity, resource: string): boolean {
    const resources = resourcesOf(identity);
    return resources.includes("*") || resources.includes(resource);
  }

  check(identity: Identity, nowSeconds: number): "TOKEN_EXPIRED" | "TOKEN_REVOKED" | undefined {
    if (nowSeconds >= identity.token.expires_at + LEEWAY) return "TOKEN_EXPIRED";
    return this.#revocations.revoked(identity.token.id) ? "TOKEN_REVOKED" : undefined;
  }

  close(): void {
    // Holds nothing open: keys were read once.
  }
}
