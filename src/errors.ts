// The one list of everything that Regate can refuse or fail with: stable codes, each explained in docs/errors.md.

/** How an error is presented: `sqlstate` on the PostgreSQL wire, `message` in general, `hint` says the remedy. */
export type ErrorSpec = { readonly sqlstate: string; readonly message: string; readonly hint?: string };

const spec = (sqlstate: string, message: string, hint?: string): ErrorSpec =>
  hint === undefined ? { sqlstate, message } : { sqlstate, message, hint };

/** Every code. A code is never reused for another meaning. */
export const ERRORS = {
  // protocol: what a client sent is not the protocol
  PROTOCOL_VIOLATION: spec("08P01", "The client broke the wire protocol"),
  STARTUP_TIMEOUT: spec("08006", "The client did not finish its startup in time"),
  TLS_REQUIRED: spec(
    "28000",
    "A token may travel only over TLS",
    "Connect with sslmode=require, or allow plaintext on loopback in the configuration (tls.allow_plaintext).",
  ),
  STARTUP_SETTING: spec(
    "42501",
    "The client may not bring this setting along",
    "Connect without it; SET ROLE is a command that the policy decides.",
  ),
  REPLICATION_REFUSED: spec("0A000", "Replication connections are refused"),
  // session: state in which the gate could not read what the client sends
  CLIENT_ENCODING: spec(
    "22023",
    "Only client_encoding UTF8 is possible through the gate",
    "Remove the setting of client_encoding, or set it to UTF8.",
  ),
  STANDARD_CONFORMING_STRINGS: spec(
    "22023",
    "standard_conforming_strings must stay on through the gate",
    "Remove the setting, and use E'…' for escapes.",
  ),
  SESSION_STATE_UNSURE: spec(
    "0A000",
    "An earlier statement of this pipeline may have changed what this one means",
    "Send a Sync behind the earlier statement, and wait for its end.",
  ),
  SETTING_CHANGES_MEANING: spec(
    "22023",
    "The setting would change what commands mean, behind the facts of the policy",
    "Leave it at its default.",
  ),
  NAME_UNKNOWN: spec("42704", "There is no such relation, column or function", "Check the name, and the search_path."),
  STATEMENT_UNKNOWN: spec("26000", "The prepared statement does not exist", "Prepare it first."),
  EXECUTE_UTILITY: spec(
    "0A000",
    "EXECUTE through the gate runs only SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE",
    "Send the prepared statement itself, or bind it by the protocol.",
  ),
  PORTAL_UNKNOWN: spec("34000", "The portal does not exist", "Bind it first."),
  TOO_MANY_STATEMENTS: spec("53400", "The session has too many prepared statements", "Close or DEALLOCATE some."),
  TOO_MANY_PORTALS: spec("53400", "The session has too many portals and cursors", "Close some."),
  // identity
  TOKEN_INVALID: spec("28P01", "The token was refused", "Ask for a new token: regate token issue."),
  TOKEN_EXPIRED: spec("28P01", "The token has expired", "Ask for a new token: regate token issue."),
  TOKEN_NOT_YET_VALID: spec("28P01", "The token is not valid yet", "Check the clocks of the issuer and the gate."),
  TOKEN_WRONG_AUDIENCE: spec("28P01", "The token is for another audience"),
  TOKEN_WRONG_ISSUER: spec("28P01", "The token is from an unknown issuer"),
  TOKEN_WRONG_RESOURCE: spec("28P01", "The token does not cover this resource"),
  TOKEN_REVOKED: spec("28P01", "The token was revoked"),
  TOKEN_REQUEST: spec("22023", "No such token can be issued"),
  RESOURCE_UNKNOWN: spec("28P01", "There is no such resource"),
  // facts
  TEXT_TOO_LONG: spec(
    "54000",
    "The command is longer than the gate judges",
    "Send it in parts, or use COPY for bulk data.",
  ),
  TEXT_NOT_UTF8: spec("22021", "The command is not valid UTF-8"),
  TEXT_UNPARSEABLE: spec("42601", "The command could not be parsed, so it was not sent"),
  TEXT_TOO_COMPLEX: spec(
    "54001",
    "The command is nested or chained too deeply to be judged",
    "Split it, or use an array or a VALUES list.",
  ),
  CATALOG_UNAVAILABLE: spec("57P03", "The catalog of the database could not be read, so nothing can be judged"),
  CATALOG_CHANGED: spec(
    "40001",
    "The catalog of the database has changed in a way that matters to this command, which was judged before that was known",
    "Send the command again: the catalog has been read anew.",
  ),
  CATALOG_MISMATCH: spec(
    "0A000",
    "The server describes this result otherwise than the gate derived",
    "Send the command again: the catalog has been read anew.",
  ),
  PLAN_MISMATCH: spec(
    "0A000",
    "The server's plan for statements of this kind names what the gate did not derive",
    "Report it with its file in the gate's data folder (disagreements); the operator may set plan_check.on_mismatch to alarm.",
  ),
  // policy
  POLICY_BLOCKED: spec("42501", "The policy does not allow this command"),
  POLICY_UNDEFINED: spec("42501", "The policy gave no decision"),
  POLICY_TRAP: spec("42501", "The policy failed while it was evaluated"),
  POLICY_SHAPE: spec("42501", "The policy gave a decision of the wrong form"),
  POLICY_ECHO: spec("42501", "The policy did not decide on this command"),
  POLICY_TIMEOUT: spec("42501", "The policy took too long"),
  INPUT_TOO_LARGE: spec("54000", "The facts of this command are larger than the policy may be asked about"),
  BUNDLE_UNREADABLE: spec("58030", "The policy bundle could not be read"),
  BUNDLE_INVALID: spec("58030", "The policy bundle is not usable"),
  BUNDLE_NO_ENTRYPOINT: spec("58030", "The policy bundle has no entrypoint regate/decision"),
  BUNDLE_BUILTIN: spec("58030", "The policy bundle needs a builtin that the gate does not have"),
  POLICY_SOURCE: spec("F0000", "The policy's sources cannot be built", "Check them with: regate policy check."),
  OPA_MISSING: spec(
    "F0000",
    "Working on policies needs opa, which was not found",
    "Install it (openpolicyagent.org) on the PATH, or name the program in REGATE_OPA; in a checkout Go builds it.",
  ),
  LIMIT_EXCEEDED: spec(
    "54000",
    "The result is larger than the policy allows",
    "Ask for less: add a LIMIT or a narrower WHERE.",
  ),
  // masking
  SUBSTITUTION_IMPOSSIBLE: spec(
    "42501",
    "A protected column cannot be replaced by its mask in this statement",
    "Do as the detail says; or select the column as it is, which masks it, or leave it out.",
  ),
  MASK_IMPOSSIBLE: spec("42501", "A protected column cannot be masked in this result"),
  MASK_KEY_MISSING: spec(
    "42501",
    "A key that a mask of the policy needs is missing",
    "The operator puts it into data_dir/keys/tokenize; docs/masks.md says how.",
  ),
  ROW_TOO_LARGE: spec("54000", "A row with a masked column is larger than the gate rewrites"),
  DETOKENIZE_UNKNOWN: spec(
    "F0000",
    "There is no such column with tokens",
    "Name it as schema.table.column; its tag must have the mask tokenize in data.masks.",
  ),
  DETOKENIZE_REFUSED: spec(
    "F0000",
    "These tokens may not be turned back",
    "Ask for a token of a group that the policy's data.grants names for the column's tag.",
  ),
  // approvals
  APPROVAL_DENIED: spec("42501", "The approval was denied"),
  APPROVAL_TIMEOUT: spec("42501", "Nobody approved in time", "Send the command again to ask anew."),
  APPROVAL_CANCELED: spec("57014", "The command was canceled while it waited for an approval"),
  APPROVAL_IN_TRANSACTION: spec(
    "42501",
    "The command needs an approval, which cannot be waited for inside a transaction",
  ),
  APPROVAL_STALE: spec(
    "42501",
    "The policy or the catalog changed while the command waited for its approval",
    "Send the command again to ask anew.",
  ),
  APPROVAL_UNKNOWN: spec("02000", "There is no such approval"),
  APPROVAL_NOT_ALLOWED: spec("42501", "You may not decide this approval"),
  APPROVAL_SETTLED: spec("55000", "The approval is no longer pending"),
  // audit
  AUDIT_UNAVAILABLE: spec(
    "58030",
    "The decision could not be recorded, so the command was not sent",
    "Ask the operator: the gate's log says what is wrong with its data folder.",
  ),
  // upstream
  UPSTREAM_UNREACHABLE: spec(
    "08001",
    "The database could not be reached",
    "Try again; the gate's log says what is wrong.",
  ),
  UPSTREAM_AUTH: spec("08004", "The database refused the gate"),
  UPSTREAM_TLS: spec("08001", "TLS with the database failed"),
  UPSTREAM_LOST: spec("08006", "The connection to the database was lost"),
  UPSTREAM_PROTOCOL: spec("08P01", "The database broke the wire protocol"),
  INTERNAL: spec("XX000", "The gate failed; the session was ended", "Please report it with the gate's log."),
  SHUTTING_DOWN: spec("57P01", "The gate is shutting down"),
  TOO_MANY_CONNECTIONS: spec("53300", "The gate has no connection left"),
  // HTTP API
  REQUEST_INVALID: spec("F0000", "The request is not understood", "The requests are described in docs/approvals.md."),
  NOT_FOUND: spec("F0000", "There is nothing at this address", "The addresses are listed in docs/approvals.md."),
  HOST_REFUSED: spec(
    "F0000",
    "The request names another host than this one",
    "Use the address that the gate listens on, such as http://127.0.0.1:6080.",
  ),
  API_UNREACHABLE: spec(
    "F0000",
    "The gate's HTTP API could not be reached",
    "Is the gate running? Name its address with --url.",
  ),
  // configuration and commands
  CONFIG_UNREADABLE: spec("F0000", "The configuration could not be read"),
  CONFIG_INVALID: spec("F0000", "The configuration is not valid"),
  KEY_UNREADABLE: spec("F0000", "A key could not be read"),
  PORT_IN_USE: spec(
    "F0000",
    "The address is already in use",
    "Choose another in listen, or end the program that holds it.",
  ),
  DATA_DIR: spec("F0000", "The data folder cannot be used"),
  USAGE: spec("F0000", "The command line is not understood", "See: regate --help."),
} as const satisfies Record<string, ErrorSpec>;

/** A stable code of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** What is thrown by everything in Regate. `detail` names the place; `hint` overrides the list's remedy. */
export class RegateError extends Error {
  override readonly name = "RegateError";
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly sqlstate: string;
  /** Where in the command's text, in characters from 1; undefined: nowhere in particular. */
  readonly position: number | undefined;

  constructor(
    code: ErrorCode,
    options: { detail?: string; hint?: string; message?: string; position?: number; cause?: unknown } = {},
  ) {
    super(options.message ?? ERRORS[code].message, options.cause === undefined ? undefined : { cause: options.cause });
    const listed: ErrorSpec = ERRORS[code];
    this.code = code;
    this.detail = options.detail;
    this.hint = options.hint ?? listed.hint;
    this.sqlstate = listed.sqlstate;
    this.position = options.position;
  }
}

/** The text of anything that was thrown (opa-wasm throws strings and bare objects). */
export function errorText(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  if (typeof thrown === "string") return thrown;
  return JSON.stringify(thrown) ?? String(thrown);
}

/** Itself, or INTERNAL for what nobody meant to throw. */
export function asRegateError(thrown: unknown): RegateError {
  if (thrown instanceof RegateError) return thrown;
  return new RegateError("INTERNAL", { detail: errorText(thrown), cause: thrown });
}
