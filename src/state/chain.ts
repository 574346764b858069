// Who may decide on what: nobody on a request of their own, in whatever spelling, and only who is named as approver.
import { namedBy } from "../core/approvers.ts";
import type { Identity } from "../core/facts.ts";
import type { ApprovalRequest } from "../core/ports.ts";

/** Two spellings that people take for the same name: composition, width, case and invisible characters make no difference. */
export function folded(name: string): string {
  return name
    .normalize("NFKC")
    .replace(/[\p{Cf}\p{Z}]/gu, "")
    .toLowerCase()
    .normalize("NFKC");
}

/** The subject of an identity and all who act for it. */
export function chain(identity: Identity): Set<string> {
  return new Set([identity.subject, ...identity.actors].map(folded));
}

/** Why an identity may not decide on a request; undefined when it may. `before`: who approved already. */
export function objection(request: ApprovalRequest, approver: Identity, before: readonly string[]): string | undefined {
  const approving = chain(approver);
  const asking = chain(request.requester);
  if (asking.has(folded(approver.subject))) return `${approver.subject} is who asked, or acts for who asked`;
  if ([...approving].some((name) => asking.has(name)))
    return `somebody who acts for ${approver.subject} has a part in the request`;
  if (namedBy(approver, request.approvers) === undefined) {
    return `${approver.subject} is none of ${request.approvers.length === 0 ? "the approvers: the policy names nobody" : request.approvers.join(", ")}`;
  }
  if (before.some((name) => approving.has(folded(name))))
    return `${approver.subject} has approved already, and ${request.count} different approvers are needed`;
  return undefined;
}
