// A gate in this process, before servers that a test started: with a policy by name, tokens, and the records that it wrote.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { checkConfig } from "../../src/config.ts";
import { type Gateway, startGateway } from "../../src/gateway.ts";
import { issueToken, type TokenRequest } from "../../src/identity/issue.ts";
import { type Level, logger } from "../../src/log.ts";
import { temporaryFolder } from "./folder.ts";
import { bundleOf } from "./policies/build.ts";

export type GateOptions = {
  /** "default": the one that ships; else a folder of test/support/policies or an absolute path of a policy's folder. */
  readonly policy?: string;
  /** Over the policy's own data. */
  readonly data?: { readonly [section: string]: object };
  /** name → postgres://… */
  readonly resources: { readonly [name: string]: string };
  /** Merged over the test's configuration, section by section, in the words of regate.yaml. */
  readonly config?: { readonly [section: string]: unknown };
  readonly dataDir?: string;
};

/** A line of the decision log. Loosely typed: a test says what it expects to find. */
export type LogLine = { readonly decision_id: string; readonly path: string; readonly [member: string]: any };

export type TestGate = Gateway & {
  readonly dataDir: string;
  /** Of agent:bot for every resource, an hour, unless said otherwise. */
  token(request?: Partial<TokenRequest>): Promise<string>;
  /** postgres://…, with a token of agent:bot as the password. */
  url(resource?: string, request?: Partial<TokenRequest>): Promise<string>;
  /** Everything in the decision log, in the order written. */
  records(): LogLine[];
};

/** The configuration that `startGate` uses, for tests that start the gate as a process. */
export async function gateConfig(
  options: GateOptions & { readonly dataDir: string },
): Promise<{ [section: string]: unknown }> {
  const bundle = options.policy === "default" ? undefined : await bundleOf(options.policy ?? "allow_all", options.data);
  const config: { [section: string]: unknown } = {
    data_dir: options.dataDir,
    listen: { postgres: "127.0.0.1:0", http: "127.0.0.1:0" },
    tls: { allow_plaintext: "loopback" },
    ...(bundle === undefined ? {} : { policy: { bundle } }),
    resources: Object.fromEntries(
      Object.entries(options.resources).map(([name, url]) => [
        name,
        { kind: "postgres", url, environment: "production" },
      ]),
    ),
  };
  for (const [section, value] of Object.entries(options.config ?? {})) {
    config[section] =
      typeof value === "object" && value !== null && section in config
        ? { ...(config[section] as object), ...value }
        : value;
  }
  return config;
}

/** Ends with the test file, unless closed before. */
export async function startGate(options: GateOptions): Promise<TestGate> {
  const dataDir = options.dataDir ?? join(temporaryFolder("gate"), "data");
  const config = checkConfig(await gateConfig({ ...options, dataDir }), "the test's configuration");
  const gateway = await startGateway(config, logger((process.env.REGATE_TEST_LOG as Level | undefined) ?? "fatal"));
  let closed: Promise<void> | undefined;
  const close = (graceMs = 500): Promise<void> => (closed ??= gateway.close(graceMs));
  after(() => close());
  const token = async (request: Partial<TokenRequest> = {}): Promise<string> => {
    return (await issueToken({ subject: "agent:bot", resources: ["*"], ttlSeconds: 3600, ...request }, { dataDir }))
      .token;
  };
  return {
    postgres: gateway.postgres,
    http: gateway.http,
    dataDir,
    close,
    token,
    url: async (resource = Object.keys(options.resources)[0]!, request = {}) =>
      `postgres://agent:${await token(request)}@${gateway.postgres}/${resource}`,
    records: () => readRecords(dataDir),
  };
}

export function readRecords(dataDir: string): LogLine[] {
  const folder = join(dataDir, "audit");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1))
    .map((line) => JSON.parse(line) as LogLine);
}
