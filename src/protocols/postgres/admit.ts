// From a startup to a running session: its token, the policy's word on it, its own connection to the server, and the greeting.
import type { Socket } from "node:net";
import type { SessionContext } from "../../core/command.ts";
import { type Refusal, refusalFromError } from "../../core/enforce.ts";
import type { Verdict } from "../../core/pipeline.ts";
import { asRegateError, RegateError } from "../../errors.ts";
import type { ShimOptions } from "../shim.ts";
import { type Accepted, authenticate, contextOf, openUpstream } from "./login.ts";
import { encodeAuthenticationOk, encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery } from "./message.ts";
import { fatalMessage } from "./refuse.ts";
import type { Shared } from "./resources.ts";
import { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { broughtSettings, startupCommand } from "./startup-settings.ts";
import type { Upstream } from "./upstream.ts";

export type Admission = {
  readonly options: ShimOptions;
  readonly shared: ReadonlyMap<string, Shared>;
  readonly sessions: Sessions;
};

/** Starts the session, or tells the client why there is none. */
export async function admit(startup: Accepted, admission: Admission): Promise<void> {
  const client = startup.socket;
  try {
    const refusal = await tried(startup, admission);
    if (refusal !== undefined) client.end(fatalMessage(refusal));
  } catch (thrown) {
    const error = asRegateError(thrown);
    const { log } = admission.options;
    log.warn({ code: error.code, detail: error.detail, address: (client as Socket).remoteAddress }, "login refused");
    client.end(fatalMessage(shownToClient(error)));
  }
}

/** What the policy says against it, if anything. @throws RegateError */
async function tried(startup: Accepted, { options, shared, sessions }: Admission): Promise<Refusal | undefined> {
  if (sessions.size >= options.limits.connections) throw new RegateError("TOO_MANY_CONNECTIONS");
  const { identity, resource } = await authenticate(startup, options);
  const parts = shared.get(resource.facts.name)!;
  const context = contextOf(startup, identity, resource);
  const verdict = await judged(startup, { context, options, parts });
  if (verdict.kind !== "permit") return refusalOf(verdict);
  const upstream = await openUpstream(startup, parts.target);
  await Promise.all([parts.catalogs.fresh ?? parts.catalogs.refresh(), recorded(verdict)]).catch((error: unknown) => {
    upstream.socket.destroy();
    throw error;
  });
  if (upstream.socket.destroyed) throw new RegateError("UPSTREAM_LOST");
  if (startup.socket.destroyed) upstream.socket.destroy();
  else begin(startup, { context, upstream, parts, options, sessions });
  return undefined;
}

type Known = { readonly context: SessionContext; readonly options: ShimOptions; readonly parts: Shared };
type Permitted = Extract<Verdict, { kind: "permit" }>;

/** The connection, and the settings that it brings along. */
async function judged({ parameters }: Accepted, { context, options, parts }: Known): Promise<Verdict> {
  const { pipeline } = options;
  const verdict = await pipeline.connect(context);
  const brought = broughtSettings(parameters);
  if (verdict.kind !== "permit" || brought.length === 0) return verdict;
  const catalog = parts.catalogs.fresh ?? (await parts.catalogs.refresh());
  return pipeline.judge(context, startupCommand(brought, catalog));
}

/** Nobody is asked about a connection: one that would have to wait for an approval is refused. */
function refusalOf(verdict: Exclude<Verdict, Permitted>): Refusal {
  if (verdict.kind === "refuse") return verdict.refusal;
  const decisionId = verdict.kind === "hold" ? verdict.held.decisionId : undefined;
  return refusalFromError(new RegateError("POLICY_BLOCKED"), decisionId);
}

/** @throws RegateError AUDIT_UNAVAILABLE */
function recorded({ permit }: Permitted): Promise<void> {
  return new Promise((resolve, reject) =>
    permit.ticket.settled((error) =>
      error === undefined ? resolve() : reject(new RegateError("AUDIT_UNAVAILABLE", { cause: error })),
    ),
  );
}

type Ready = Known & { readonly upstream: Upstream; readonly sessions: Sessions };

function begin(startup: Accepted, { context, upstream, parts, options, sessions }: Ready): void {
  const client = startup.socket;
  const { log } = options;
  const { identity, resource, facts } = context;
  const { catalogs, estimates, disagreements, planChecks } = parts;
  const { key, session } = sessions.add(startup.minor, (ended) => {
    const onEnd = (): void => {
      ended();
      log.info({ session: facts.id }, "session ended");
    };
    return new Session({ client, upstream, context, options, catalogs, estimates, disagreements, planChecks, onEnd });
  });
  const { subject } = identity;
  log.info({ session: facts.id, subject, resource: resource.name, address: facts.client.address }, "session started");
  client.write(
    Buffer.concat([
      encodeAuthenticationOk(),
      ...[...upstream.parameters].map(([name, value]) => encodeParameterStatus(name, value)),
      encodeBackendKeyData(key.pid, key.secret),
      ...upstream.notices,
      encodeReadyForQuery(upstream.transactionStatus),
    ]),
  );
  session.start(startup.leftover);
}

/** One message for every token that is refused: which part was wrong is for the operator, not for who tries tokens. */
function shownToClient(error: RegateError): Refusal {
  if (!error.code.startsWith("TOKEN_") && error.code !== "RESOURCE_UNKNOWN")
    return refusalFromError(error, undefined, true);
  return {
    code: "TOKEN_INVALID",
    sqlstate: "28P01",
    message: "The token was refused",
    detail: undefined,
    hint: "Ask for a new token: regate token issue.",
    decisionId: undefined,
    fatal: true,
  };
}
