// The PostgreSQL shim: lets clients in, finds their sessions for cancel requests, and ends them in order.
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { errorText, RegateError } from "../../errors.ts";
import { isLoopback } from "../../loopback.ts";
import { ready as parserReady } from "../../sql/postgres/parser.ts";
import type { Shim, ShimOptions } from "../shim.ts";
import { admit } from "./admit.ts";
import { storedColumn } from "./catalogs.ts";
import { Door } from "./door.ts";
import { sharedParts } from "./resources.ts";
import { Sessions } from "./sessions.ts";
import { acceptStartup } from "./startup.ts";

/** @throws RegateError PORT_IN_USE, CONFIG_INVALID */
export async function startPostgres(options: ShimOptions): Promise<Shim> {
  const { host, log, limits, allowPlaintext } = options;
  await parserReady();
  const shared = sharedParts(options);
  const forget = options.pipeline.policy.onChange(() => {
    for (const { catalogs } of shared.values()) catalogs.invalidate();
  });
  const sessions = new Sessions();
  const tls = options.tls === undefined ? undefined : createSecureContext(options.tls);

  const enter = async (socket: Socket): Promise<boolean> => {
    const plain = allowPlaintext === "always" || (allowPlaintext === "loopback" && isLoopback(socket.remoteAddress));
    const startup = await acceptStartup(socket, { tls, allowPlaintext: plain, timeoutMs: limits.startupTimeoutMs });
    if (startup.kind === "session") await admit(startup, { options, shared, sessions });
    else if (startup.kind === "cancel") {
      sessions.cancel(startup);
      startup.socket.end();
    }
    return startup.kind === "session";
  };
  const door = new Door(limits.connections, (socket) =>
    enter(socket).catch((thrown: unknown) => {
      const code = thrown instanceof RegateError ? thrown.code : "INTERNAL";
      log.warn({ code, detail: errorText(thrown), address: socket.remoteAddress }, "startup refused");
      socket.end();
      return false;
    }),
  );
  const port = await door.open(host, options.port);

  return {
    address: `${host}:${port}`,
    get sessions() {
      return sessions.size;
    },
    get checks() {
      const all = [...shared.values()];
      return {
        disagreements: summed(all.map(({ disagreements }) => disagreements.counts)),
        plans: summed(all.map(({ planChecks }) => planChecks.counts)),
      };
    },
    column: async (resource, name) => {
      const { catalogs } = shared.get(resource) ?? {};
      // A tag that was given or taken away since would decide otherwise.
      catalogs?.invalidate();
      return catalogs === undefined ? undefined : storedColumn(await catalogs.refresh(), name);
    },
    close: async (graceMs) => {
      forget();
      const closed = door.close();
      for (const session of sessions) session.drain();
      const timer = setTimeout(() => {
        for (const session of sessions) session.fatal(new RegateError("SHUTTING_DOWN"));
        door.clear();
      }, graceMs);
      await closed;
      clearTimeout(timer);
      for (const { catalogs, planner, planChecks } of shared.values()) {
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
