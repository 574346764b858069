// Wires everything: configuration in, a running gate out. The only file that knows every folder.
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openAuditLog } from "./audit/index.ts";
import type { Config } from "./config.ts";
import type { Resource } from "./core/facts.ts";
import { type DetokenizeParts, runDetokenize } from "./core/detokenize.ts";
import { Pipeline } from "./core/pipeline.ts";
import { errorText, RegateError } from "./errors.ts";
import { startHttp } from "./http/index.ts";
import { openVerifier } from "./identity/index.ts";
import { maskKey } from "./identity/keys.ts";
import { TokenKeys } from "./identity/token-keys.ts";
import type { Logger } from "./log.ts";
import { checkKeys, checkMaskSpec, detokenize } from "./masking/index.ts";
import { openPolicy } from "./policy/index.ts";
import { startPostgres } from "./protocols/postgres/index.ts";
import type { ShimResource } from "./protocols/shim.ts";
import { JsonStore } from "./state/json-store.ts";
import { Reproductions } from "./state/reproductions.ts";
import { openState } from "./state/index.ts";

/** A running gate. */
export interface Gateway {
  /** host:port, as bound. */
  readonly postgres: string;
  readonly http: string;
  /** Drains and ends everything: running commands get `graceMs` to end. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts the gate. What fails ends what was started before it.
 * @throws RegateError CONFIG_INVALID, KEY_UNREADABLE, MASK_KEY_MISSING, BUNDLE_*, PORT_IN_USE, DATA_DIR
 */
export async function startGateway(config: Config, log: Logger): Promise<Gateway> {
  const opened: (() => Promise<void> | void)[] = [];
  const unwind = async (): Promise<void> => {
    for (const close of opened.reverse()) await close();
  };
  try {
    makeDataDir(config.data_dir);
    const audit = await openAuditLog({
      dir: join(config.data_dir, "audit"),
      durability: config.audit.durability,
      segmentBytes: config.audit.segment_bytes,
      onNotice: (notice) => log.warn({}, notice),
      onState: (failure) => {
        if (failure === undefined) log.info({}, "the decision log works again");
        else
          log.error(
            { code: "AUDIT_UNAVAILABLE", detail: failure.message },
            "the decision log failed: commands are refused until it works",
          );
      },
    });
    opened.push(() => audit.close());
    const tokenKeys = new TokenKeys(config.data_dir);
    const tokenKey = (name: string): Buffer | undefined => tokenKeys.current(name);
    const policy = await openPolicy({
      bundle: config.policy.bundle,
      mode: config.policy.mode,
      watch: true,
      maskDefect: (spec) => {
        const defect = checkMaskSpec(spec);
        if (defect === undefined) checkKeys(spec, { tokenKey });
        return defect;
      },
      onError: (error) =>
        log.error(
          { code: error.code, detail: error.detail },
          "the changed policy bundle was refused; the old one stays",
        ),
    });
    opened.push(() => policy.close());
    let revision = policy.revision;
    policy.onChange(() => {
      log.info({ from: revision, to: policy.revision }, "another policy bundle is in force");
      revision = policy.revision;
    });
    if (policy.mode === "observe")
      log.warn({ mode: "observe" }, "policy.mode is observe: decisions are recorded, nothing is enforced");
    const state = await openState({
      dir: join(config.data_dir, "state"),
      onError: (error) => log.error({ detail: errorText(error) }, "the gate's state could not be read or written"),
    });
    opened.push(() => state.close());
    const verifier = await openVerifier({
      dataDir: config.data_dir,
      resources: Object.keys(config.resources),
      revocations: state.revocations,
    });
    const pipeline = new Pipeline({
      policy,
      audit,
      verifier,
      approvals: state.approvals,
      probes: state.probes,
      clock: { now: () => Date.now() },
      labels: { id: randomUUID(), app: "regate" },
      approvalTimeoutMs: config.approvals.timeout,
    });
    const resources = resourcesOf(config);
    const detokenizing: DetokenizeParts = {
      pipeline,
      resources,
      covers: (identity, resource) => verifier.covers(identity, resource),
      column: async (resource, name) => shim?.column(resource, name),
      key: (name, version) => tokenKeys.version(name, version),
      detokenize,
    };
    const httpListen = hostPort(config.listen.http);
    const http = await startHttp({
      ...httpListen,
      verifier,
      approvals: state.approvals,
      detokenize: (identity, address, request) => runDetokenize(detokenizing, identity, address, request),
      log,
      health: () => ({
        status: audit.failure === undefined ? "ok" : "failing",
        mode: policy.mode,
        policy: { revision: policy.revision },
        audit: audit.failure === undefined ? "ok" : audit.failure.message,
        sessions: shim?.sessions ?? 0,
        checks: shim?.checks,
      }),
    });
    opened.push(() => http.close());
    const shim = await startPostgres({
      ...hostPort(config.listen.postgres),
      resources,
      pipeline,
      verifier,
      log,
      tls:
        config.tls.cert === undefined || config.tls.key === undefined
          ? undefined
          : { cert: readPem(config.tls.cert), key: readPem(config.tls.key) },
      allowPlaintext: config.tls.allow_plaintext,
      limits: {
        commandBytes: config.limits.command_bytes,
        messageBytes: config.limits.message_bytes,
        rowBytes: config.limits.row_bytes,
        startupTimeoutMs: config.limits.startup_timeout,
        connections: config.limits.connections,
      },
      bindings: new JsonStore(join(config.data_dir, "state", "bindings")),
      reproductions: new Reproductions(join(config.data_dir, "disagreements")),
      maskKey: await maskKey(config.data_dir),
      tokenKey,
      approvalUrl: (id) => `http://${http.address}/v1/approvals/${id}`,
    });
    return {
      postgres: shim.address,
      http: http.address,
      close: async (graceMs = 10_000) => {
        await shim.close(graceMs);
        await unwind();
      },
    };
  } catch (thrown) {
    await unwind();
    throw thrown;
  }
}

function makeDataDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new RegateError("DATA_DIR", {
      detail: `${dir}: ${(cause as Error).message}`,
      hint: "Set data_dir to a folder that the gate may write to.",
      cause,
    });
  }
}

/** The databases of a configuration, with the facts that a policy sees of them. @throws RegateError CONFIG_INVALID */
export function resourcesOf(config: Config): Map<string, ShimResource> {
  const resources = new Map<string, ShimResource>();
  for (const [name, resource] of Object.entries(config.resources)) {
    const { kind, url, environment, labels, catalog_check: catalogCheck, plan_check: planCheck } = resource;
    if (kind !== "postgres")
      throw new RegateError("CONFIG_INVALID", {
        detail: `resources.${name}.kind: ${kind} has no shim yet`,
        hint: "Use kind: postgres.",
      });
    const facts: Resource = { name, kind, database: databaseOf(url), environment, labels };
    resources.set(name, { facts, url, catalogCheck, planCheck });
  }
  return resources;
}

function databaseOf(url: string): string {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).pathname.slice(1)) : "";
}

/** "127.0.0.1:6432" or "[::1]:6432". */
function hostPort(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(at + 1)) };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new RegateError("KEY_UNREADABLE", { detail: `${path}: ${(cause as Error).message}`, cause });
  }
}
