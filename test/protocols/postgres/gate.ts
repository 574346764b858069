// A shim in front of a real PostgreSQL with a policy that the test writes in TypeScript, and a log and approvals in memory.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Decision } from "../../../src/core/decision.ts";
import type { Input } from "../../../src/core/facts.ts";
import { Pipeline } from "../../../src/core/pipeline.ts";
import type {
  ApprovalEntry,
  ApprovalRequest,
  Approvals,
  AuditLog,
  Policy,
  TokenVerifier,
} from "../../../src/core/ports.ts";
import { type Embedded, startEmbedded } from "../../../src/demo/embedded.ts";
import { startPostgres } from "../../../src/protocols/postgres/index.ts";
import { RegateError } from "../../../src/errors.ts";
import { ProbeCounts } from "../../../src/state/probes.ts";
import type { Shim } from "../../../src/protocols/shim.ts";

export type TestGate = {
  readonly port: number;
  readonly server: Embedded;
  readonly lines: Record<string, any>[];
  readonly approvals: { pending: Map<string, (state: "approved" | "denied" | "expired") => void> };
  /** The policy from now on. */
  decide: (input: Input) => Partial<Decision>;
  /** Set to make the log fail. */
  logFailure: Error | undefined;
  /** Milliseconds that a record takes to become durable. */
  logDelayMs: number;
  expired: boolean;
  classification: unknown;
  changed(): void;
  close(): Promise<void>;
};

export const allow = (): Partial<Decision> => ({ action: "allow" });

/** Masks what depends on a protected column, refuses what is not known. */
export function maskProtected(input: Input) {
  const masks: object[] = [];
  for (const [statement, facts] of (input.command?.statements ?? []).entries()) {
    if (facts.class === "unknown")
      return { action: "block", reasons: [{ code: "unknown", message: "not known", hint: null }] } as never;
    if (["prepare", "declare"].includes(facts.verb) || facts.class === "ddl" || facts.class === "code") continue;
    for (const [output, { sources, derivation }] of facts.outputs.entries())
      if (derivation === "opaque" || sources.some(({ tags }) => tags.length > 0))
        masks.push({ statement, output, mask: "redact", code: "m" });
  }
  return (masks.length === 0 ? allow() : { action: "mask", masks }) as never;
}

export async function startTestGate(
  setup: string,
  options: {
    limits?: Partial<Parameters<typeof startPostgres>[0]["limits"]>;
    upstreamPort?: number;
    catalogCheck?: "command" | number;
    /** The server asks nobody for a password: for clients that know none. */
    trust?: boolean;
  } = {},
): Promise<TestGate> {
  const dir = mkdtempSync(join(tmpdir(), "regate-session-"));
  const access = join(dir, "access.conf");
  chmodSync(dir, 0o755);
  writeFileSync(access, "host all all 127.0.0.1/32 trust\n", { mode: 0o644 });
  const bin = process.env.REGATE_TEST_PG;
  const server = await startEmbedded({
    ...(bin === undefined ? {} : { bin }),
    dir: join(dir, "postgres"),
    ...(options.trust === true ? { settings: { hba_file: access } } : {}),
    setup: ({ app }) => [
      {
        database: "postgres",
        sql: `CREATE ROLE app LOGIN SUPERUSER PASSWORD '${app}';\n\nCREATE DATABASE shop OWNER app;\n\n`,
      },
      { database: "shop", sql: setup },
    ],
  });
  const listeners = new Set<() => void>();
  const bindings = new Map<string, object>();
  let shim: Shim;
  const gate: TestGate = {
    port: 0,
    server,
    lines: [],
    approvals: { pending: new Map() },
    decide: allow,
    logFailure: undefined,
    logDelayMs: 0,
    expired: false,
    classification: {},
    changed: () => {
      for (const listener of listeners) listener();
    },
    close: async () => {
      await shim.close(0);
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  const policy: Policy = {
    revision: "test",
    mode: "enforce",
    data: (path) => (path === "classification" ? { shop: gate.classification } : undefined),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reads: () => true,
    evaluate: (input) => ({
      id: input.id,
      action: "allow",
      reasons: [],
      masks: [],
      ...(input.stage === "connect" ? {} : gate.decide(input)),
    }),
  };
  const audit: AuditLog = {
    get failure() {
      return gate.logFailure;
    },
    later: (line) => void gate.lines.push(JSON.parse(line) as Record<string, any>),
    append: (line) => {
      gate.lines.push(JSON.parse(line) as Record<string, any>);
      let durable = gate.logDelayMs === 0;
      const waiting: ((error: Error | undefined) => void)[] = [];
      if (!durable) {
        setTimeout(() => {
          durable = gate.logFailure === undefined;
          for (const callback of waiting) callback(gate.logFailure);
        }, gate.logDelayMs);
      }
      return {
        get durable() {
          return durable;
        },
        settled: (callback) => void (durable ? callback(undefined) : waiting.push(callback)),
      };
    },
  };
  const approvals: Approvals = {
    request: (request: ApprovalRequest, onSettled) => {
      const settle = (state: ApprovalEntry["state"]): void => {
        if (!gate.approvals.pending.delete(request.id)) return;
        onSettled({ ...request, state, decided_by: ["human:alice"], decided_at: null, comment: null });
      };
      gate.approvals.pending.set(request.id, settle);
      return { cancel: () => settle("canceled") };
    },
    list: () => [],
    decide: () => {
      throw new Error("not used");
    },
  };
  const verifier: TokenVerifier = {
    verify: async (token) => {
      if (token !== "good") throw new RegateError("TOKEN_INVALID");
      return {
        subject: "agent:bot",
        kind: "agent",
        issuer: "regate",
        actors: [],
        groups: [],
        scopes: [],
        token: { id: "1", issued_at: 0, expires_at: 2 ** 40 },
        claims: {},
      };
    },
    check: () => (gate.expired ? "TOKEN_EXPIRED" : undefined),
  };
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  shim = await startPostgres({
    host: "127.0.0.1",
    port: 0,
    verifier,
    tls: undefined,
    allowPlaintext: "loopback",
    reproductions: { write: () => undefined },
    bindings: {
      read: (resource) => bindings.get(resource),
      write: (resource, bound) => void bindings.set(resource, bound),
    },
    maskKey: Buffer.alloc(32, 1),
    tokenKey: () => undefined,
    approvalUrl: (id) => `http://gate/${id}`,
    log: quiet,
    resources: new Map([
      [
        "shop",
        {
          planCheck: { rate: 0, on_mismatch: "alarm" },
          facts: { name: "shop", kind: "postgres", database: "shop", environment: "test", labels: {} },
          url: `${server.url("app", "shop").replace(`:${server.port}/`, `:${options.upstreamPort ?? server.port}/`)}?sslmode=disable`,
          catalogCheck: options.catalogCheck ?? "command",
        },
      ],
    ]),
    pipeline: new Pipeline({
      policy,
      audit,
      approvals,
      verifier,
      clock: { now: () => Date.now() },
      probes: new ProbeCounts(),
      labels: { id: "test" },
      approvalTimeoutMs: 60_000,
    }),
    limits: {
      commandBytes: 1 << 20,
      messageBytes: 64 << 20,
      rowBytes: 16 << 20,
      startupTimeoutMs: 5000,
      connections: 1000,
      ...options.limits,
    },
  });
  (gate as { port: number }).port = Number(shim.address.split(":").at(-1));
  return gate;
}
