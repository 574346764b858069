// What a session is made of: who its token says it is, what is known of it from the start, and a connection to the server with its settings.
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type { SessionContext } from "../../core/command.ts";
import type { Identity } from "../../core/facts.ts";
import { RegateError } from "../../errors.ts";
import type { ShimOptions, ShimResource } from "../shim.ts";
import { badSetting, isUtf8Name } from "./settings.ts";
import { startupSettings } from "./options.ts";
import type { Startup } from "./startup.ts";
import { connectUpstream, type Upstream, type UpstreamTarget } from "./upstream.ts";

export type Accepted = Extract<Startup, { kind: "session" }>;

/** Settings that a client may not bring along: they change who it is on the server, or load code there. */
const refusedSettings = new Set([
  "role",
  "session_authorization",
  "session_preload_libraries",
  "local_preload_libraries",
  "jit_provider",
]);

/** @throws RegateError TOKEN_*, RESOURCE_UNKNOWN */
export async function authenticate(
  accepted: Accepted,
  options: ShimOptions,
): Promise<{ identity: Identity; resource: ShimResource }> {
  const name = accepted.parameters.get("database") ?? accepted.parameters.get("user") ?? "";
  const identity = await options.verifier.verify(accepted.token, name);
  const resource = options.resources.get(name);
  if (resource === undefined) throw new RegateError("RESOURCE_UNKNOWN", { detail: name });
  return { identity, resource };
}

export function contextOf(accepted: Accepted, identity: Identity, resource: ShimResource): SessionContext {
  const peer = accepted.socket as Socket;
  const usage = { commands: 0, rows: 0, bytes: 0, cost: 0 };
  return {
    identity,
    resource: resource.facts,
    usage,
    sequence: 0,
    facts: {
      id: randomUUID(),
      protocol: "postgres",
      client: {
        address: `${peer.remoteAddress ?? ""}:${peer.remotePort ?? 0}`,
        application: accepted.parameters.get("application_name") ?? "",
      },
      tls: accepted.tls,
      started_at: new Date().toISOString(),
      in_transaction: false,
      usage,
      taint: [],
    },
  };
}

/**
 * Opens the upstream side with the client's own settings, as far as they are harmless.
 * @throws RegateError UPSTREAM_*, CLIENT_ENCODING, STANDARD_CONFORMING_STRINGS, SETTING_CHANGES_MEANING, STARTUP_SETTING
 */
export async function openUpstream(accepted: Accepted, target: UpstreamTarget): Promise<Upstream> {
  const parameters = new Map<string, string>();
  for (const [name, value] of accepted.parameters) {
    if (name === "user" || name === "database") continue;
    if (name === "options") {
      for (const setting of startupSettings(value)) checkSetting(setting.name, setting.value);
      parameters.set(name, value);
      continue;
    }
    checkSetting(name, value);
    parameters.set(name, value);
  }
  // Comes after the options, and so wins over them and over ALTER ROLE … SET. SQL_ASCII is what psql asks for in the C locale.
  parameters.set("client_encoding", "UTF8");
  const upstream = await connectUpstream(target, { parameters });
  const encoding = upstream.parameters.get("client_encoding") ?? "";
  const strings = upstream.parameters.get("standard_conforming_strings") ?? "";
  if (isUtf8Name(encoding) && strings === "on") return upstream;
  upstream.socket.destroy();
  throw isUtf8Name(encoding)
    ? new RegateError("STANDARD_CONFORMING_STRINGS", {
        detail: `The session would start with ${strings || "an unknown value"}.`,
      })
    : new RegateError("CLIENT_ENCODING", { detail: `The session would start with ${encoding || "an unknown value"}.` });
}

function checkSetting(given: string, value: string): void {
  const name = given.toLowerCase();
  if (refusedSettings.has(name)) throw new RegateError("STARTUP_SETTING", { detail: name });
  if (name === "client_encoding" && ["sql_ascii", "sqlascii"].includes(value.toLowerCase())) return;
  const bad = badSetting(name, value);
  if (bad !== undefined) throw bad;
}
