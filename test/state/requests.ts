// Approval requests and identities for tests.
import type { Identity } from "../../src/core/facts.ts";
import type { ApprovalRequest } from "../../src/core/ports.ts";
import { kindOf } from "../../src/identity/subject.ts";

export function someone(subject: string, more: Partial<Identity> = {}): Identity {
  return {
    subject,
    kind: kindOf(subject) ?? "human",
    issuer: "regate",
    actors: [],
    groups: [],
    scopes: [],
    token: { id: "t", issued_at: 0, expires_at: 2_000_000_000 },
    claims: { resources: ["*"] },
    ...more,
  };
}

let number = 0;
export function request(more: Partial<ApprovalRequest> = {}, now = Date.now()): ApprovalRequest {
  number++;
  return {
    id: `a-${number}`,
    decision_id: `d-${number}`,
    requested_at: new Date(now).toISOString(),
    expires_at: new Date(now + 60_000).toISOString(),
    requester: someone("agent:bot"),
    resource: "shop",
    text: "DELETE FROM orders WHERE id = 7",
    reasons: [{ code: "delete-production", message: "Deletes need approval" }],
    approvers: ["group:dba"],
    count: 1,
    binding: "secret binding",
    ...more,
  };
}
