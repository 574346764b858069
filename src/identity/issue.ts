// The gate's own issuer: makes the tokens that clients give as their password.
import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { RegateError } from "../errors.ts";
import { actClaim } from "./claims.ts";
import { ALGORITHM, signingKeys } from "./keys.ts";
import { isName, isScope, type Kind, kindOf } from "./subject.ts";

/** `iss` and `aud` of the gate's own tokens. */
export const ISSUER = "regate";
export const AUDIENCE = "regate";
/** Largest token that is looked at, in bytes. */
export const TOKEN_BYTES = 16_384;

export type TokenRequest = {
  /** "agent:bot", "human:alice", "service:ci"; the prefix tells the kind. */
  readonly subject: string;
  /** Names of resources; "*" is all. */
  readonly resources: readonly string[];
  readonly ttlSeconds: number;
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  /** Needed when the subject has no prefix. */
  readonly kind?: Kind;
  /** Who acts for the subject; the current actor first. */
  readonly actors?: readonly string[];
};

/** What may be known of a token; the token itself is kept nowhere. Times are seconds since the epoch. */
export type IssuedToken = {
  readonly id: string;
  readonly subject: string;
  readonly resources: readonly string[];
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly issued_at: number;
  readonly expires_at: number;
};

export type IssueOptions = {
  /** Where the gate's keys are: no running gate is needed. */
  readonly dataDir: string;
  /** identity.tokens.max_ttl; an hour when not given. */
  readonly maxTtlSeconds?: number;
  readonly nowSeconds?: number;
};

/** @throws RegateError TOKEN_REQUEST, KEY_UNREADABLE */
export async function issueToken(
  request: TokenRequest,
  options: IssueOptions,
): Promise<{ readonly token: string; readonly issued: IssuedToken }> {
  const kind = checkRequest(request, options.maxTtlSeconds ?? 3600);
  const { signing } = await signingKeys(options.dataDir);
  const now = options.nowSeconds ?? Math.floor(Date.now() / 1000);
  const { subject, resources, groups = [], scopes = [], actors = [] } = request;
  const issued: IssuedToken = {
    id: randomUUID(),
    subject,
    resources,
    groups,
    scopes,
    issued_at: now,
    expires_at: now + request.ttlSeconds,
  };
  const act = actClaim(actors);
  const token = await new SignJWT({
    kind,
    resources,
    ...(groups.length === 0 ? {} : { groups }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
    ...(act === undefined ? {} : { act }),
  })
    .setProtectedHeader({ alg: ALGORITHM, kid: signing.kid, typ: "JWT" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(subject)
    .setJti(issued.id)
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(issued.expires_at)
    .sign(signing.key);
  if (token.length > TOKEN_BYTES)
    throw refused(`it would be larger than ${TOKEN_BYTES} bytes`, "Name fewer groups and resources.");
  return { token, issued };
}

function checkRequest(request: TokenRequest, maxTtlSeconds: number): Kind {
  const { subject, resources, ttlSeconds, groups = [], scopes = [], actors = [] } = request;
  if (!isName(subject)) throw refused(`subject ${JSON.stringify(subject)} is not a name`);
  const prefix = kindOf(subject);
  const kind = request.kind ?? prefix;
  if (kind === undefined)
    throw refused(`subject ${subject} does not say what it is`, "Write agent:NAME, human:NAME or service:NAME.");
  if (prefix !== undefined && prefix !== kind) throw refused(`subject ${subject} is not of the kind ${kind}`);
  if (resources.length === 0) throw refused("no resource", "Name at least one resource, or * for all.");
  const names = [...resources, ...groups, ...actors];
  const bad = names.find((name) => !isName(name)) ?? scopes.find((scope) => !isScope(scope));
  if (bad !== undefined) throw refused(`${JSON.stringify(bad)} is not a name`);
  if ([resources, groups, scopes].some((list) => list.length > 256) || actors.length > 16)
    throw refused("more names than a token takes");
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1) throw refused("ttl is less than a second");
  if (ttlSeconds > maxTtlSeconds)
    throw refused(
      `ttl of ${ttlSeconds} s is more than max_ttl, ${maxTtlSeconds} s`,
      "Ask for a shorter one, or raise identity.tokens.max_ttl.",
    );
  return kind;
}

function refused(detail: string, hint?: string): RegateError {
  return new RegateError("TOKEN_REQUEST", { detail, ...(hint === undefined ? {} : { hint }) });
}
