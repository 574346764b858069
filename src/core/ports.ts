// What core needs from the outside: interfaces that policy/, audit/, identity/ and state/ implement.
import type { Decision } from "./decision.ts";
import type { Identity, Input } from "./facts.ts";

/** Decides. Never throws: a failure is a block whose reason carries its code. A promise only when the input is too large to be judged inline. */
export interface Policy {
  /** The revision of the bundle in force. Changes when a bundle is swapped in. */
  readonly revision: string;
  readonly mode: "enforce" | "observe";
  /** The bundle's data at `data.<path>`, for the catalog's tags (`classification`). */
  data(path: string): unknown;
  /** Called after each swap. Returns the function that ends it. */
  onChange(listener: () => void): () => void;
  /** Does a rule read this path of input ("command.parameters.values", "command.statements.estimate")? True where it is not known. */
  reads(path: string): boolean;
  evaluate(input: Input): Decision | Promise<Decision>;
}

/** A record that was handed to the log. `durable` becomes true once it would survive what `audit.durability` promises. */
export interface Ticket {
  readonly durable: boolean;
  /** Calls back once durable (undefined), or with the error if the log failed. At once if it is known already. */
  settled(callback: (error: Error | undefined) => void): void;
}

/** The decision log. `append` is synchronous and cheap; flushes are grouped. */
export interface AuditLog {
  /** Undefined when the log works; else what is wrong (a full disk): then nothing may be permitted. */
  readonly failure: Error | undefined;
  /** `line` is one JSON document without a newline. */
  append(line: string): Ticket;
  /** The same for a record that nothing waits for (an outcome): it causes no flush of its own, and follows within a moment. */
  later(line: string): void;
}

/** What a held command is, for those who decide on it. All JSON. */
export type ApprovalRequest = {
  readonly id: string;
  readonly decision_id: string;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly requester: Identity;
  readonly resource: string;
  readonly text: string;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
  readonly approvers: readonly string[];
  readonly count: number;
  /** Digest of identity, resource, statement, parameters, catalog version and policy revision. */
  readonly binding: string;
};
export type ApprovalState = "pending" | "approved" | "denied" | "expired" | "canceled";
export type ApprovalEntry = ApprovalRequest & {
  readonly state: ApprovalState;
  readonly decided_by: readonly string[];
  readonly decided_at: string | null;
  readonly comment: string | null;
};

/** Holds commands until somebody decides. */
export interface Approvals {
  /** `onSettled` is called once, with the final state. The result's `cancel` ends the wait from the requester's side. */
  request(request: ApprovalRequest, onSettled: (entry: ApprovalEntry) => void): { cancel(): void };
  list(): readonly ApprovalEntry[];
  /** @throws RegateError APPROVAL_UNKNOWN, APPROVAL_NOT_ALLOWED (the requester, its actors, or somebody who is not named as approver) */
  decide(id: string, verdict: "approve" | "deny", approver: Identity, comment?: string): ApprovalEntry;
}

/** Checks a password that is a token. `resource` is the database name that the client asked for. */
export interface TokenVerifier {
  /** @throws RegateError TOKEN_*, RESOURCE_UNKNOWN */
  verify(token: string, resource: string): Promise<Identity>;
  /** Undefined while the identity may go on; else the code that ends it (expired, revoked). Cheap: asked before every command. */
  check(identity: Identity, nowSeconds: number): "TOKEN_EXPIRED" | "TOKEN_REVOKED" | undefined;
}

/** Checks a token without a resource in view, for those who speak with the gate itself. `covers`: does it reach this resource? */
export interface TokenReader {
  /** @throws RegateError TOKEN_* */
  identify(token: string): Promise<Identity>;
  covers(identity: Identity, resource: string): boolean;
}

/** The tokens that were revoked before their end. */
export interface Revocations {
  /** Set while it cannot be known what is revoked: then nobody new is let in. */
  readonly failure: Error | undefined;
  revoked(tokenId: string): boolean;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}
