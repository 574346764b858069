// The configuration: what regate.yaml may say, its defaults, and its check.
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConfigDocument } from "./config/document.ts";
import { readDocument } from "./config/document.ts";
import type { FieldValue, Shared } from "./config/fields.ts";
import {
  address,
  At,
  choice,
  count,
  duration,
  durationOr,
  hostOf,
  named,
  optional,
  path,
  section,
  share,
  size,
  text,
  unavailable,
  url,
} from "./config/fields.ts";
import { RegateError } from "./errors.ts";
import { isLoopback } from "./loopback.ts";

/** The bundle that ships: beside src/ in a checkout, beside dist/ in the package. */
const shippedBundle = fileURLToPath(new URL("../bundles/default.tar.gz", import.meta.url));

/** A client gives a resource's name as the database to connect to; PostgreSQL cuts names after 63 bytes. */
const resourceName = (name: string): string | undefined =>
  name !== "" && Buffer.byteLength(name) <= 63 && !/[\x00-\x1f\x7f]/.test(name)
    ? undefined
    : "a name has 1 to 63 bytes, and no control characters";
const labelName = (name: string): string | undefined => (name !== "" ? undefined : "a label needs a name");

/** Durations are milliseconds, sizes are bytes, paths are absolute. */
const shape = section({
  data_dir: path(".regate"),
  listen: section({
    postgres: address("127.0.0.1:6432"),
    mysql: optional(address("127.0.0.1:6306")),
    http: address("127.0.0.1:6080"),
  }),
  tls: section({
    cert: optional(path()),
    key: optional(path()),
    /** Where a token may travel without TLS. */
    allow_plaintext: choice(["never", "loopback", "always"], "never"),
  }),
  policy: section({
    bundle: path(shippedBundle),
    mode: choice(["enforce", "observe"], "enforce"),
    verification_key: unavailable("checking a bundle's signature"),
    candidate: unavailable("a candidate policy"),
  }),
  identity: section({
    issuers: unavailable("an external issuer"),
    tokens: section({
      ttl: duration("5m", { min: "1s", max: "30d" }),
      max_ttl: duration("1h", { min: "1s", max: "30d" }),
    }),
  }),
  resources: named(
    section({
      kind: choice(["postgres"], "postgres"),
      url: url("postgres", "postgresql"),
      environment: text("production"),
      labels: named(text(), labelName),
      /** When a change of the catalog that was made past the gate is looked for. */
      catalog_check: durationOr(["auto", "command"], "auto", { min: "10ms", max: "1h" }),
      /** Of the commands that ran, which share is held against the server's plan, and what a disagreement does. */
      plan_check: section({ rate: share(0.01), on_mismatch: choice(["alarm", "refuse"], "alarm") }),
    }),
    resourceName,
  ),
  approvals: section({
    timeout: duration("10m", { min: "1s", max: "7d" }),
    webhooks: unavailable("a webhook for approvals"),
  }),
  audit: section({
    durability: choice(["fsync", "write"], "fsync"),
    segment_bytes: size("64MiB", { min: "64KiB", max: "4GiB" }),
    sinks: unavailable("an audit sink"),
    recording: unavailable("session recording"),
  }),
  state: choice(["embedded"], "embedded"),
  limits: section({
    command_bytes: size("1MiB", { min: "1KiB", max: "64MiB" }),
    message_bytes: size("64MiB", { min: "64KiB", max: "1GiB" }),
    row_bytes: size("16MiB", { min: "64KiB", max: "1GiB" }),
    startup_timeout: duration("10s", { min: "100ms", max: "10m" }),
    connections: count(1000, { min: 1, max: 1_000_000 }),
  }),
});

/** The checked configuration, in the words of regate.yaml. `notices` say what an operator should know about it. */
export type Config = FieldValue<typeof shape> & { readonly notices: readonly string[] };

/** `offline`: for a command that never connects; resources' variables need not be set, and no file at all means the defaults. */
export type LoadOptions = { readonly offline?: boolean };

/**
 * Reads and checks a configuration file; without a path, `regate.yaml` in the working folder. Relative paths start at the file's folder.
 * @throws RegateError CONFIG_UNREADABLE, CONFIG_INVALID (every defect, each with its line)
 */
export function loadConfig(file: string | undefined, env: NodeJS.ProcessEnv, options: LoadOptions = {}): Config {
  const chosen = resolve(file ?? "regate.yaml");
  if (file === undefined && options.offline === true && !existsSync(chosen))
    return checked(undefined, "defaults", process.cwd(), env, true);
  const document = readDocument(chosen);
  return checked(document.value, file ?? "regate.yaml", dirname(chosen), env, options.offline === true, document);
}

/**
 * Checks a configuration that is an object already. `where` names it in errors; relative paths start at the working folder.
 * @throws RegateError CONFIG_INVALID
 */
export function checkConfig(value: unknown, where: string, env: NodeJS.ProcessEnv = process.env): Config {
  return checked(value, where, process.cwd(), env, false);
}

function checked(
  value: unknown,
  where: string,
  base: string,
  env: NodeJS.ProcessEnv,
  offline: boolean,
  document?: ConfigDocument,
): Config {
  const shared: Shared = { base, env, offline, defects: [], notices: [] };
  const root = new At([], shared);
  const config = shape(value, root);
  if (shared.defects.length === 0) checkTogether(config, root, offline);
  if (shared.defects.length > 0) throw invalid(where, shared, document);
  return Object.freeze({ ...config, notices: Object.freeze(shared.notices) });
}

/** What single keys cannot tell. */
function checkTogether(config: FieldValue<typeof shape>, root: At, offline: boolean): void {
  const { tls, identity, listen, limits, resources } = config;
  if ((tls.cert === undefined) !== (tls.key === undefined))
    root.child("tls").defect("cert and key belong together: give both");
  if (tls.cert === undefined && tls.allow_plaintext === "never" && !offline) {
    root
      .child("tls")
      .defect("nobody could connect: give cert and key, or set allow_plaintext: loopback for clients on this machine");
  }
  if (identity.tokens.ttl > identity.tokens.max_ttl)
    root.child("identity").child("tokens").child("ttl").defect("is longer than max_ttl");
  if (limits.command_bytes > limits.message_bytes)
    root.child("limits").child("command_bytes").defect("is more than message_bytes");
  if (Object.keys(resources).length === 0 && !offline)
    root.child("resources").defect('name at least one database, such as shop: {url: "postgres://…"}');
  if (tls.allow_plaintext === "always")
    root.child("tls").child("allow_plaintext").notice("tokens may travel unencrypted over the network");
  if (!isLoopback(hostOf(listen.http)))
    root.child("listen").child("http").notice("serves plain HTTP beyond this machine: put TLS in front of it");
  if (listen.mysql !== undefined)
    root.child("listen").child("mysql").notice("this version serves PostgreSQL only; nothing listens there");
  if (config.audit.durability === "write")
    root.child("audit").child("durability").notice("write: a power failure can lose the last records");
}

function invalid(where: string, shared: Shared, document: ConfigDocument | undefined): RegateError {
  const found = shared.defects.map((defect) => ({ ...defect, line: document?.lineOf(defect.path) }));
  found.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const lines = found.map(({ path: at, message, line }) => {
    return `${where}${line === undefined ? "" : `:${line}`}: ${at.length === 0 ? "" : `${at.join(".")}: `}${message}`;
  });
  return new RegateError("CONFIG_INVALID", {
    detail: lines.join("\n"),
    hint: "All keys are in docs/configuration.md; check with: regate config check.",
  });
}
