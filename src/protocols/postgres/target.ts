// Where a database is and how to log in to it, read from a connection URL as libpq reads it.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
import { RegateError } from "../../errors.ts";

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
const channelBindings = ["disable", "prefer", "require"] as const;
const negotiations = ["postgres", "direct"] as const;

export type SslMode = (typeof sslModes)[number];

/** `host` that starts with "/" is the folder of a Unix socket. */
export type UpstreamTarget = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** Without meaning for Unix sockets. With `sslrootcert`, "require" checks the certificate as "verify-ca" does (as in libpq). */
  readonly sslmode: SslMode;
  readonly sslnegotiation: (typeof negotiations)[number];
  /** Paths of PEM files; `sslrootcert` may be "system". */
  readonly sslrootcert: string | undefined;
  readonly sslcert: string | undefined;
  readonly sslkey: string | undefined;
  readonly channelBinding: (typeof channelBindings)[number];
  readonly connectTimeoutMs: number;
  /** Startup parameters that the URL asks for (application_name, options). */
  readonly parameters: ReadonlyMap<string, string>;
};

const defaultTimeoutSeconds = 10;
/** Which environment variable stands in for a parameter that the URL leaves out. */
const variables: Readonly<Record<string, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  dbname: "PGDATABASE",
  sslmode: "PGSSLMODE",
  sslnegotiation: "PGSSLNEGOTIATION",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  channel_binding: "PGCHANNELBINDING",
  connect_timeout: "PGCONNECT_TIMEOUT",
  application_name: "PGAPPNAME",
  options: "PGOPTIONS",
};
const form =
  /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^/]*))?@)?(\[[^\]/?@]*\]|[^:/?@[\]]*)(?::(\d*))?(?:\/([^?]*))?(?:\?(.*))?$/s;

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`; parts may be percent-encoded, and parts that the authority cannot hold
 * may be parameters (`?host=/run/postgresql`). What the URL leaves out is taken from `env` (PGPASSWORD, …), if one is given.
 * @throws RegateError CONFIG_INVALID, which never shows the URL: it holds a password
 */
export function parseTarget(url: string, env: Readonly<Record<string, string | undefined>> = {}): UpstreamTarget {
  const match = form.exec(url);
  if (match === null) {
    throw invalid(
      "it has not the form postgres://user:password@host:port/database",
      "Percent-encode what is special in its parts: / as %2F, @ as %40, : as %3A.",
    );
  }
  const given = new Map<string, string>();
  const [, user, password, host, port, database, query] = match;
  for (const [name, text] of Object.entries({
    user,
    password,
    port,
    dbname: database,
    host: host?.replace(/^\[(.*)\]$/, "$1"),
  })) {
    if (text !== undefined && text !== "") given.set(name, decoded(name, text));
  }
  for (const pair of query === undefined || query === "" ? [] : query.split("&")) readParameter(given, pair);
  for (const [name, variable] of Object.entries(variables)) {
    const value = env[variable];
    if (!given.has(name) && value !== undefined && value !== "") given.set(name, value);
  }
  return checked(given);
}

function readParameter(given: Map<string, string>, pair: string): void {
  const at = pair.indexOf("=");
  if (at < 0) throw invalid("one of its parameters has no value");
  const name = decoded("a parameter's name", pair.slice(0, at));
  const value = decoded(name, pair.slice(at + 1));
  // libpq takes this from JDBC's URLs.
  if (name === "ssl" && value === "true") given.set("sslmode", "require");
  else if (name === "gssencmode" && (value === "disable" || value === "prefer")) return;
  else if (Object.hasOwn(variables, name)) given.set(name, value);
  else throw invalid(`the parameter ${name} is not supported`, `Supported are: ${Object.keys(variables).join(", ")}.`);
}

function checked(given: ReadonlyMap<string, string>): UpstreamTarget {
  for (const [name, value] of given) if (value.includes("\0")) throw invalid(`${name} holds a NUL`);
  const user = given.get("user") ?? "";
  if (user === "") throw invalid("it names no user");
  const host = given.get("host") ?? "localhost";
  if (host.includes(",")) throw invalid("several hosts are not supported");
  const sslrootcert = given.get("sslrootcert");
  const sslcert = given.get("sslcert");
  const sslkey = given.get("sslkey");
  const sslmode = oneOf(given, "sslmode", sslModes, sslrootcert === "system" ? "verify-full" : "prefer");
  const sslnegotiation = oneOf(given, "sslnegotiation", negotiations, "postgres");
  if (sslrootcert === "system" && sslmode !== "verify-full")
    throw invalid("sslrootcert=system needs sslmode=verify-full");
  if (sslmode.startsWith("verify") && sslrootcert === undefined) {
    throw invalid(`sslmode=${sslmode} needs sslrootcert`, "Give the path of a PEM file, or system.");
  }
  if (sslnegotiation === "direct" && sslModes.indexOf(sslmode) < sslModes.indexOf("require")) {
    throw invalid("sslnegotiation=direct needs sslmode=require or above");
  }
  if ((sslcert === undefined) !== (sslkey === undefined)) throw invalid("sslcert and sslkey need each other");
  const parameters = new Map<string, string>();
  for (const name of ["application_name", "options"]) {
    const value = given.get(name);
    if (value !== undefined) parameters.set(name, value);
  }
  return Object.freeze({
    host,
    port: integer(given, "port", 5432, 65_535),
    user,
    password: given.get("password"),
    database: given.get("dbname") ?? user,
    sslmode,
    sslnegotiation,
    sslrootcert,
    sslcert,
    sslkey,
    channelBinding: oneOf(given, "channel_binding", channelBindings, "prefer"),
    connectTimeoutMs: 1000 * integer(given, "connect_timeout", defaultTimeoutSeconds, 3600),
    parameters,
  });
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`${name} is not percent-encoded as it should be`, "A % itself is written %25.");
  }
}

function oneOf<T extends string>(
  given: ReadonlyMap<string, string>,
  name: string,
  values: readonly T[],
  otherwise: T,
): T {
  const value = given.get(name);
  if (value === undefined) return otherwise;
  const found = values.find((known) => known === value);
  if (found === undefined) throw invalid(`${name} has an unknown value`, `Choose one of ${values.join(", ")}.`);
  return found;
}

function integer(given: ReadonlyMap<string, string>, name: string, otherwise: number, largest: number): number {
  const value = given.get(name);
  if (value === undefined) return otherwise;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > largest) throw invalid(`${name} is not a number from 1 to ${largest}`);
  return number;
}

function invalid(what: string, hint?: string): RegateError {
  return new RegateError("CONFIG_INVALID", {
    detail: `The URL of a database cannot be used: ${what}.`,
    ...(hint === undefined ? {} : { hint }),
  });
}
