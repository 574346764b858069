// /v1/approvals: who may see a held command, and decide on it.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { namedBy } from "../core/approvers.ts";
import type { Identity } from "../core/facts.ts";
import type { ApprovalEntry, Approvals, TokenReader } from "../core/ports.ts";
import { RegateError } from "../errors.ts";
import { authenticate } from "./authenticate.ts";

/** Lets its bearer see all approvals on the resources that the token covers. Deciding takes being named by the policy, too. */
export const APPROVE_SCOPE = "approve";

const states = ["pending", "approved", "denied", "expired", "canceled"];
const params = {
  type: "object",
  properties: { id: { type: "string", minLength: 1, maxLength: 128 } },
  required: ["id"],
};
const decision = {
  type: ["object", "null"],
  properties: { comment: { type: "string", maxLength: 1000 } },
  additionalProperties: false,
};
const query = { type: "object", properties: { state: { type: "string", enum: states } }, additionalProperties: false };

export type ApprovalLog = { info(fields: object, message: string): void };

export function approvalRoutes(
  app: FastifyInstance,
  verifier: TokenReader,
  approvals: Approvals,
  log: ApprovalLog,
): void {
  const callers = new WeakMap<FastifyRequest, Identity>();
  // Before the body is read: who is not known is not listened to.
  app.addHook("onRequest", async (request) => {
    callers.set(request, await authenticate(request.headers.authorization, verifier));
  });
  const callerOf = (request: FastifyRequest): Identity => {
    const identity = callers.get(request);
    if (identity === undefined) throw new RegateError("TOKEN_INVALID");
    return identity;
  };
  const seen = (identity: Identity, entry: ApprovalEntry): boolean =>
    verifier.covers(identity, entry.resource) && mayLook(identity, entry);
  const find = (identity: Identity, id: string): ApprovalEntry => {
    const entry = approvals.list().find((candidate) => candidate.id === id);
    if (entry === undefined || !seen(identity, entry)) throw new RegateError("APPROVAL_UNKNOWN", { detail: id });
    return entry;
  };

  app.get<{ Querystring: { state?: string } }>("/v1/approvals", { schema: { querystring: query } }, async (request) => {
    const identity = callerOf(request);
    const { state } = request.query;
    const entries = approvals
      .list()
      .filter((entry) => (state === undefined || entry.state === state) && seen(identity, entry));
    return { approvals: entries.map(shown) };
  });
  app.get<{ Params: { id: string } }>("/v1/approvals/:id", { schema: { params } }, async (request) =>
    shown(find(callerOf(request), request.params.id)),
  );
  for (const verdict of ["approve", "deny"] as const) {
    app.post<{ Params: { id: string }; Body: { comment?: string } | null }>(
      `/v1/approvals/:id/${verdict}`,
      { schema: { params, body: decision } },
      async (request) => {
        const identity = callerOf(request);
        const { id } = find(identity, request.params.id);
        const entry = approvals.decide(id, verdict, identity, request.body?.comment);
        log.info({ approval: id, verdict, by: identity.subject, state: entry.state }, "an approval was decided on");
        return shown(entry);
      },
    );
  }
}

/** Who asked, who is named as approver, and who has the scope. Whether one may decide is the state's to say. */
function mayLook(identity: Identity, entry: ApprovalEntry): boolean {
  if (identity.scopes.includes(APPROVE_SCOPE)) return true;
  if (identity.subject === entry.requester.subject && identity.issuer === entry.requester.issuer) return true;
  return namedBy(identity, entry.approvers) !== undefined;
}

/** Without what only binds it. */
function shown(entry: ApprovalEntry): Omit<ApprovalEntry, "binding"> {
  const { binding: _inner, ...rest } = entry;
  return rest;
}
