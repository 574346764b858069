// The PostgreSQL shim: accepts connections, logs them in, and keeps the keys by which a cancel request finds its session.
import { timingSafeEqual } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { refusalFromError } from "../../core/enforce.ts";
import { errorText, RegateError } from "../../errors.ts";
import { isLoopback } from "../../loopback.ts";
import { ready as parserReady } from "../../sql/postgres/parser.ts";
import type { Shim, ShimOptions } from "../shim.ts";
import type { BindingStore } from "./bindings.ts";
import { Catalogs, storedColumn } from "./catalogs.ts";
import { type Accepted, authenticate, type CancelKey, contextOf, newCancelKey, openUpstream } from "./login.ts";
import { encodeAuthenticationOk, encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery } from "./message.ts";
import { Disagreements } from "./disagreements.ts";
import { Estimates } from "./estimate.ts";
import { PlanChecks } from "./plan-checks.ts";
import { Planner } from "./planner.ts";
import { fatalMessage } from "./refuse.ts";
import { Session } from "./session.ts";
import { acceptStartup } from "./startup.ts";
import { startupCommand } from "./startup-settings.ts";
import { parseTarget, type UpstreamTarget } from "./upstream.ts";

/** Connections that may wait for their login at the same time, at least. */
const waitingLimit = 1000;

type Upstreams = {
  readonly target: UpstreamTarget;
  readonly catalogs: Catalogs;
  readonly planner: Planner;
  readonly estimates: Estimates;
  readonly disagreements: Disagreements;
  readonly planChecks: PlanChecks;
};

/** @throws RegateError PORT_IN_USE, CONFIG_INVALID */
export async function startPostgres(options: ShimOptions): Promise<Shim> {
  const { pipeline, log } = options;
  await parserReady();
  const upstreams = new Map<string, Upstreams>();
  for (const [name, resource] of options.resources) {
    const target = parseTarget(resource.url);
    const classification = (): unknown =>
      (pipeline.policy.data("classification") as Record<string, unknown> | undefined)?.[name] ?? {};
    const planner = new Planner(target);
    const catalogs = new Catalogs(target, {
      resource: name,
      classification,
      bindings: options.bindings as BindingStore,
      log,
      check: resource.catalogCheck,
    });
    const { rate, on_mismatch: on } = resource.planCheck;
    const disagreements = new Disagreements({
      resource: name,
      on,
      store: (report) => options.reproductions.write(report),
      log,
    });
    const planChecks = new PlanChecks(rate, planner, disagreements, () => {
      catalogs.invalidate();
      return catalogs.refresh();
    });
    const estimates = new Estimates(planner);
    upstreams.set(name, { target, planner, catalogs, estimates, disagreements, planChecks });
  }
  const forget = pipeline.policy.onChange(() => {
    for (const { catalogs } of upstreams.values()) catalogs.invalidate();
  });
  const keys = new Map<number, { key: CancelKey; session: Session }>();
  const sockets = new Set<Socket>();
  const waiting = new Set<Socket>();
  const secureContext = options.tls === undefined ? undefined : createSecureContext(options.tls);

  const accept = async (socket: Socket): Promise<void> => {
    const startup = await acceptStartup(socket, {
      tls: secureContext,
      allowPlaintext:
        options.allowPlaintext === "always" ||
        (options.allowPlaintext === "loopback" && isLoopback(socket.remoteAddress)),
      timeoutMs: options.limits.startupTimeoutMs,
    });
    if (startup.kind === "closed") return;
    if (startup.kind === "cancel") {
      const found = keys.get(startup.pid);
      const secret = found?.key.secret;
      if (
        found !== undefined &&
        secret !== undefined &&
        secret.length === startup.secret.length &&
        timingSafeEqual(secret, startup.secret)
      )
        found.session.cancel();
      startup.socket.end();
      return;
    }
    await login(startup);
    waiting.delete(socket);
  };

  const login = async (startup: Accepted): Promise<void> => {
    const client = startup.socket;
    try {
      if (keys.size >= options.limits.connections) throw new RegateError("TOO_MANY_CONNECTIONS");
      const { identity, resource } = await authenticate(startup, options);
      const { target, catalogs, estimates, disagreements, planChecks } = upstreams.get(resource.facts.name)!;
      const context = contextOf(startup, identity, resource);
      let verdict = await pipeline.connect(context);
      const brought = startupCommand(startup.parameters);
      if (verdict.kind === "permit" && brought !== undefined) verdict = await pipeline.judge(context, brought);
      if (verdict.kind !== "permit") {
        const refusal =
          verdict.kind === "refuse"
            ? verdict.refusal
            : refusalFromError(
                new RegateError("POLICY_BLOCKED"),
                verdict.kind === "hold" ? verdict.held.decisionId : undefined,
              );
        client.end(fatalMessage(refusal));
        return;
      }
      const upstream = await openUpstream(startup, target);
      await Promise.all([
        catalogs.fresh ?? catalogs.refresh(),
        new Promise<void>((resolve, reject) =>
          verdict.permit.ticket.settled((error) =>
            error === undefined ? resolve() : reject(new RegateError("AUDIT_UNAVAILABLE", { cause: error })),
          ),
        ),
      ]).catch((error: unknown) => {
        upstream.socket.destroy();
        throw error;
      });
      if (upstream.socket.destroyed) throw new RegateError("UPSTREAM_LOST");
      if (client.destroyed) {
        upstream.socket.destroy();
        return;
      }
      let key = newCancelKey(startup.minor);
      while (keys.has(key.pid)) key = newCancelKey(startup.minor);
      const session = new Session({
        client,
        upstream,
        context,
        options,
        catalogs,
        estimates,
        disagreements,
        planChecks,
        onEnd: () => {
          keys.delete(key.pid);
          log.info({ session: context.facts.id }, "session ended");
        },
      });
      keys.set(key.pid, { key, session });
      log.info(
        {
          session: context.facts.id,
          subject: identity.subject,
          resource: resource.facts.name,
          address: context.facts.client.address,
        },
        "session started",
      );
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
    } catch (thrown) {
      const error =
        thrown instanceof RegateError
          ? thrown
          : new RegateError("INTERNAL", { detail: errorText(thrown), cause: thrown });
      log.warn({ code: error.code, detail: error.detail, address: (client as Socket).remoteAddress }, "login refused");
      client.end(fatalMessage(shownToClient(error)));
    }
  };

  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    // Who has not logged in yet takes nobody's place: of those that wait, the oldest makes room.
    waiting.add(socket);
    socket.on("close", () => waiting.delete(socket));
    if (waiting.size > Math.max(waitingLimit, options.limits.connections)) waiting.values().next().value?.destroy();
    accept(socket).catch((thrown: unknown) => {
      log.warn(
        {
          code: thrown instanceof RegateError ? thrown.code : "INTERNAL",
          detail: errorText(thrown),
          address: socket.remoteAddress,
        },
        "startup refused",
      );
      socket.end();
    });
  });
  await listen(server, options.host, options.port);
  const bound = server.address() as { address: string; port: number };

  return {
    address: `${options.host}:${bound.port}`,
    get sessions() {
      return keys.size;
    },
    get checks() {
      return {
        disagreements: summed([...upstreams.values()].map(({ disagreements }) => disagreements.counts)),
        plans: summed([...upstreams.values()].map(({ planChecks }) => planChecks.counts)),
      };
    },
    column: async (resource, name) => {
      const { catalogs } = upstreams.get(resource) ?? {};
      // A tag that was given or taken away since would decide otherwise.
      catalogs?.invalidate();
      return catalogs === undefined ? undefined : storedColumn(await catalogs.refresh(), name);
    },
    close: async (graceMs) => {
      forget();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const { session } of keys.values()) session.drain();
      const timer = setTimeout(() => {
        for (const { session } of keys.values()) session.fatal(new RegateError("SHUTTING_DOWN"));
        for (const socket of sockets) socket.destroySoon();
      }, graceMs);
      // Those that are not logged in yet have nothing to lose.
      const inSession = new Set([...keys.values()].map(({ session }) => session.parts.client));
      for (const socket of sockets) if (!inSession.has(socket)) socket.destroy();
      await closed;
      clearTimeout(timer);
      for (const { catalogs, planner, planChecks } of upstreams.values()) {
        planChecks.close();
        catalogs.close();
        planner.close();
      }
    },
  };
}

/** Of objects with the same members. */
function summed<T extends { readonly [name: string]: number }>(counts: readonly T[]): T {
  const sum: { [name: string]: number } = {};
  for (const one of counts) for (const [name, count] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + count;
  return sum as T;
}

/** One message for every token that is refused: which part was wrong is for the operator, not for who tries tokens. */
function shownToClient(error: RegateError): ReturnType<typeof refusalFromError> {
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

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new RegateError("PORT_IN_USE", { detail: `${host}:${port}`, cause: error })
          : new RegateError("CONFIG_INVALID", { detail: `listen ${host}:${port}: ${error.message}`, cause: error }),
      ),
    );
    server.listen(port, host, () => resolve());
  });
}
