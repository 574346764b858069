// Who calls: the bearer token (RFC 6750) of every request but /healthz.
import type { Identity } from "../core/facts.ts";
import type { TokenReader } from "../core/ports.ts";
import { RegateError } from "../errors.ts";

/** @throws RegateError TOKEN_* */
export async function authenticate(header: string | undefined, verifier: TokenReader): Promise<Identity> {
  const match = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header ?? "");
  if (match === null)
    throw new RegateError("TOKEN_INVALID", {
      detail: header === undefined ? "no Authorization header" : "not a bearer token",
    });
  return verifier.identify(match[1]!);
}
