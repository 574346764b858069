// From a token's verified claims to an identity, and back: every member checked, nothing assumed.
import type { JWTPayload } from "jose";
import type { Identity } from "../core/facts.ts";
import { isKind, isName, isScope, kindOf } from "./subject.ts";

/** Longest delegation chain that is followed. */
const CHAIN = 16;
const MEMBERS = 256;

/** Members that become fields of the identity; `resources` stays in its claims, for {@link resourcesOf} and for policies. */
const mapped = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "kind", "groups", "scope", "act"]);

/** The identity, or what is wrong with the claims. Times and signature were checked before. */
export function identityOf(issuer: string, payload: JWTPayload): Identity | string {
  const { sub, jti, iat, exp, kind, groups, scope, act, resources } = payload;
  if (!isName(sub)) return "sub: not a subject";
  if (!isName(jti)) return "jti: missing";
  if (!Number.isSafeInteger(iat)) return "iat: missing";
  if (!Number.isSafeInteger(exp)) return "exp: missing";
  const said = kind ?? kindOf(sub);
  if (!isKind(said)) return "kind: expected agent, human or service";
  const prefix = kindOf(sub);
  if (prefix !== undefined && prefix !== said) return "kind: not what the subject says";
  if (!isNames(resources)) return "resources: expected a list of names";
  if (groups !== undefined && !isNames(groups)) return "groups: expected a list of names";
  const scopes = scopesOf(scope);
  if (scopes === undefined) return "scope: expected words with a space between";
  const actors = actorsOf(act);
  if (actors === undefined) return "act: expected a chain of actors";
  return {
    subject: sub,
    kind: said,
    issuer,
    actors,
    groups: groups ?? [],
    scopes,
    token: { id: jti, issued_at: iat as number, expires_at: exp as number },
    claims: Object.fromEntries(Object.entries(payload).filter(([name]) => !mapped.has(name))),
  };
}

/** The resources that a token covers; "*" is all. */
export function resourcesOf(identity: Identity): readonly string[] {
  const { resources } = identity.claims;
  return isNames(resources) ? resources : [];
}

/** RFC 8693, section 4.1: the innermost `act` is the oldest; the first actor of the list is the current one. */
export function actClaim(actors: readonly string[]): { sub: string; act?: object } | undefined {
  return actors.reduceRight<{ sub: string; act?: object } | undefined>(
    (act, sub) => (act === undefined ? { sub } : { sub, act }),
    undefined,
  );
}

function actorsOf(act: unknown): string[] | undefined {
  const actors: string[] = [];
  for (let link = act; link !== undefined; link = (link as { act?: unknown }).act) {
    if (
      typeof link !== "object" ||
      link === null ||
      !isName((link as { sub?: unknown }).sub) ||
      actors.length === CHAIN
    )
      return undefined;
    actors.push((link as { sub: string }).sub);
  }
  return actors;
}

function scopesOf(scope: unknown): string[] | undefined {
  if (scope === undefined || scope === "") return [];
  if (typeof scope !== "string") return undefined;
  const scopes = scope.split(" ");
  return scopes.length <= MEMBERS && scopes.every(isScope) ? scopes : undefined;
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MEMBERS && value.every(isName);
}
