// Checks a token from its outer form inward: size, issuer, algorithm and key, signature, times, audience, claims.
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Identity } from "../core/facts.ts";
import { errorText, RegateError } from "../errors.ts";
import { identityOf } from "./claims.ts";
import { TOKEN_BYTES } from "./issue.ts";

/** How far the issuer's clock and ours may be apart, in seconds. */
export const LEEWAY = 5;

/** Whose tokens are believed: pinned algorithms, the keys by `kid`, and the audience that they must name. */
export type TrustedIssuer = {
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly key: JWTVerifyGetKey;
};

/** @throws RegateError TOKEN_* */
export async function verifyToken(
  token: string,
  issuers: ReadonlyMap<string, TrustedIssuer>,
  nowSeconds: number,
): Promise<Identity> {
  if (token.length > TOKEN_BYTES)
    throw new RegateError("TOKEN_INVALID", { detail: `larger than ${TOKEN_BYTES} bytes` });
  const name = claimedIssuer(token);
  const issuer = issuers.get(name);
  if (issuer === undefined)
    throw new RegateError("TOKEN_WRONG_ISSUER", { detail: `issuer ${JSON.stringify(name.slice(0, 256))}` });
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, issuer.key, {
      algorithms: [...issuer.algorithms],
      issuer: name,
      audience: issuer.audience,
      clockTolerance: LEEWAY,
      currentDate: new Date(nowSeconds * 1000),
      requiredClaims: ["sub", "jti", "iat", "exp"],
    }));
  } catch (thrown) {
    throw refusal(thrown);
  }
  const identity = identityOf(name, payload);
  if (typeof identity === "string") throw new RegateError("TOKEN_INVALID", { detail: identity });
  if (identity.token.issued_at > nowSeconds + LEEWAY) {
    throw new RegateError("TOKEN_NOT_YET_VALID", {
      detail: `issued ${identity.token.issued_at - nowSeconds} s from now`,
    });
  }
  return identity;
}

/** Only chooses the keys: the signature is over it, too. */
function claimedIssuer(token: string): string {
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === "string") return iss;
  } catch {
    throw new RegateError("TOKEN_INVALID", { detail: "not a JWT" });
  }
  throw new RegateError("TOKEN_INVALID", { detail: "iss: missing" });
}

function refusal(thrown: unknown): RegateError {
  if (thrown instanceof RegateError) return thrown;
  if (thrown instanceof errors.JWTExpired)
    return new RegateError("TOKEN_EXPIRED", { detail: `exp ${String(thrown.payload.exp)}` });
  if (thrown instanceof errors.JWTClaimValidationFailed && thrown.reason === "check_failed") {
    if (thrown.claim === "aud") return new RegateError("TOKEN_WRONG_AUDIENCE");
    if (thrown.claim === "nbf")
      return new RegateError("TOKEN_NOT_YET_VALID", { detail: `nbf ${String(thrown.payload.nbf)}` });
  }
  // jose's messages name the claim or the step, never the token.
  return new RegateError("TOKEN_INVALID", { detail: errorText(thrown) });
}
