// What an approval is bound to, and how long it may be waited for.
import type { SessionContext } from "./command.ts";
import type { Decision } from "./decision.ts";

/** What must not change between the question and the run: `key` is the command's own (statement, parameters, catalog version). */
export function bindingOf(session: SessionContext, key: string, revision: string): string {
  const { identity, resource } = session;
  return JSON.stringify([identity.issuer, identity.subject, identity.actors, resource.name, key, revision]);
}

/** Milliseconds until a held command expires: the policy's `ttl` ("30s", "10m", "1h"), at most the configured timeout. */
export function waitMilliseconds(approval: Decision["approval"], configured: number): number {
  const match = /^(\d{1,6})(s|m|h)$/.exec(approval?.ttl ?? "");
  if (match === null) return configured;
  const unit = match[2] === "s" ? 1000 : match[2] === "m" ? 60_000 : 3_600_000;
  return Math.min(Number(match[1]) * unit, configured);
}
