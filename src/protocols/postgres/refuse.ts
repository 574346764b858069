// Refusals and notices as the protocol's own messages.
import type { Missing } from "../../core/command.ts";
import type { Decision } from "../../core/decision.ts";
import type { Refusal } from "../../core/enforce.ts";
import { ERRORS } from "../../errors.ts";
import { encodeError, encodeNotice } from "./message.ts";

/** An ErrorResponse of severity ERROR: the session goes on. */
export function errorMessage(refusal: Refusal): Buffer {
  return encodeError(fields("ERROR", refusal));
}

/** An ErrorResponse of severity FATAL: the last message of a session. */
export function fatalMessage(refusal: Refusal): Buffer {
  return encodeError(fields("FATAL", refusal));
}

/** Tells the client at once that a human is asked, and where. */
export function approvalNotice(id: string, expiresAt: string, decision: Decision, url: string): Buffer {
  const why = decision.reasons.map((reason) => reason.message).join("; ");
  return encodeNotice({
    S: "NOTICE",
    V: "NOTICE",
    C: "00000",
    M: `approval ${id} is needed${why === "" ? "" : `: ${why}`}; waiting for it until ${expiresAt}`,
    D: `Who may approve: ${decision.approval?.approvers.join(", ") ?? "nobody is named"}. See ${url}`,
    H: `regate approvals approve ${id}`,
  });
}

/** What a policy refuses and the server would not have run either, since there is no such name: that is what helps. */
export function missed(refusal: Refusal, missing: Missing | undefined): Refusal {
  if (missing === undefined || refusal.sqlstate !== ERRORS.POLICY_BLOCKED.sqlstate) return refusal;
  return { ...refusal, ...missing, code: "NAME_UNKNOWN", hint: ERRORS.NAME_UNKNOWN.hint };
}

function fields(severity: "ERROR" | "FATAL", refusal: Refusal): Record<string, string> {
  return {
    S: severity,
    V: severity,
    C: refusal.sqlstate,
    M: refusal.message,
    ...(refusal.detail === undefined ? {} : { D: refusal.detail }),
    ...(refusal.hint === undefined ? {} : { H: refusal.hint }),
    ...(refusal.position === undefined ? {} : { P: String(refusal.position) }),
    R: refusal.code,
  };
}
