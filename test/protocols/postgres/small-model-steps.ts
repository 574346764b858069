// The alphabet of the small model: the schema, what a session may do, what changes the catalog, and who looks at the end.
import { callOf, extended as x, frame } from "./wire-client.ts";

/** Everything that is protected has this in it. It is never shown. */
export const SECRET = "SECRET";
export const MASKED = "[redacted]";

/** The same names in both schemas, one of them protected; the role may not use the schema that is not. */
export const schema = `
CREATE SCHEMA a;

CREATE SCHEMA b;

CREATE TABLE a.t AS SELECT 'open-a' || i AS v FROM generate_series(1, 3) i;

CREATE TABLE b.t AS SELECT 'SECRET-b' || i AS v FROM generate_series(1, 3) i;

CREATE VIEW a.w AS SELECT v FROM a.t;

CREATE VIEW b.w AS SELECT v FROM b.t;

SET check_function_bodies = off;

CREATE FUNCTION a.f() RETURNS text LANGUAGE sql STABLE AS 'SELECT min(v) FROM t';

CREATE FUNCTION b.f() RETURNS text LANGUAGE sql STABLE AS 'SELECT min(v) FROM b.t';

CREATE FUNCTION a.g() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT max(v) FROM a.t); END';

CREATE FUNCTION b.g() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT max(v) FROM t); END';

GRANT ALL ON ALL TABLES IN SCHEMA a, b TO PUBLIC;

GRANT USAGE ON SCHEMA b TO PUBLIC;

`;
export const role = `
CREATE ROLE r;

GRANT r TO app;

ALTER ROLE app SET search_path = a;

`;
export const undo = `DROP SCHEMA IF EXISTS a CASCADE; DROP SCHEMA IF EXISTS b CASCADE; DROP SCHEMA IF EXISTS z CASCADE; ${schema}`;

export type Step = {
  readonly name: string;
  /** Messages of the client; or what another connection does meanwhile. */
  readonly send?: readonly Buffer[];
  readonly other?: string;
  /** It leaves traces beyond the session. */
  readonly lasting?: boolean;
  /** It leaves what only a new session is without. */
  readonly fresh?: boolean;
  /** A function may go on to use what it found before: what either gives is protected. */
  readonly shadows?: boolean;
  /** Refusals of the gate that it may meet although the server would do it, with the reason. */
  readonly may?: readonly { readonly code: string; readonly why: string }[];
};

export const query = (sql: string): Buffer => frame("Q", `${sql}\0`);
const read =
  "SELECT t.v, upper(w.v) AS u, f() AS f, g() AS g FROM t, w WHERE right(t.v, 1) = right(w.v, 1) OR t.v = 'open-temp'";
export const reset = "ROLLBACK; RESET ROLE; RESET ALL; DEALLOCATE ALL; CLOSE ALL";
const simple = (name: string, sql: string, more: Partial<Step> = {}): Step => ({ name, send: [query(sql)], ...more });
/**
 * It was judged before a change was seen, and is to be sent again: a function call has no text that could be read again, and a transaction that
 * changed the catalog itself reads it anew when somebody else has changed it, too.
 */
const CHANGED = ["CATALOG_CHANGED", "CATALOG_MISMATCH"].map((code) => ({ code, why: "to be sent again" }));
const lasting = {
  lasting: true,
  fresh: true,
  may: CHANGED,
};
const fresh = { fresh: true };
const ends = {
  may: [
    {
      code: "not known",
      why: "what the end of a transaction brings back was not asked for before, and cannot be while it is failed",
    },
  ],
};
const closePortal = (name: string): Buffer => frame("C", `P${name}\0`);
/** What happens within the session. */
export const SESSION_STEPS: readonly Step[] = [
  simple("path a", "SET search_path = a"),
  simple("path b", "SET search_path = b"),
  simple("path a, b", "SET search_path = a, b"),
  simple("local b", "SET LOCAL search_path = b"),
  simple("config b", "SELECT set_config('search_path', 'b', false)"),
  simple("settings b", "UPDATE pg_settings SET setting = 'b' WHERE name = 'search_path'", {
    may: [{ code: "CATALOG_MISMATCH", why: "a rule makes an UPDATE give rows" }],
  }),
  simple("reset", "RESET search_path"),
  simple("discard", "DISCARD ALL"),
  simple("discard plans", "DISCARD PLANS"),
  simple("discard temp", "DISCARD TEMP", { may: CHANGED }),
  simple("discard sequences", "DISCARD SEQUENCES"),
  simple("role", "SET ROLE r"),
  simple("begin", "BEGIN"),
  simple("commit", "COMMIT"),
  simple("rollback", "ROLLBACK"),
  simple("commit and chain", "COMMIT AND CHAIN"),
  simple("rollback and chain", "ROLLBACK AND CHAIN"),
  simple("savepoint", "SAVEPOINT s"),
  simple("rollback to", "ROLLBACK TO s"),
  simple("error", "SELECT 1/0"),
  simple("prepare", `PREPARE s AS ${read}`),
  simple("execute", "EXECUTE s"),
  simple("deallocate", "DEALLOCATE s"),
  simple("declare", `DECLARE c CURSOR FOR ${read}`),
  simple("declare hold", `DECLARE c CURSOR WITH HOLD FOR ${read}`),
  simple("fetch", "FETCH 1 FROM c"),
  simple("close", "CLOSE c"),
  simple("temp", "CREATE TEMP TABLE t AS SELECT 'open-temp' AS v", { ...fresh, shadows: true }),
  simple("other temp", "CREATE TEMP TABLE other AS SELECT 1 AS i", fresh),
  simple("drop temp", "DROP TABLE pg_temp.t"),
  simple("text: path, read", `SET search_path = b; ${read}`),
  simple("text: local, read, commit, read", `BEGIN; SET LOCAL search_path = b; ${read}; COMMIT; ${read}`, {
    may: [
      {
        code: "NAME_UNKNOWN",
        why: "where a name is gone the text is refused whole; the server runs what stands before",
      },
    ],
  }),
  simple("text: rollback, read", `ROLLBACK; ${read}`, ends),
  simple("text: prepare, path, execute", `PREPARE s AS ${read}; SET search_path = b; EXECUTE s`),
  simple("do: path b", "DO $$ BEGIN PERFORM set_config('search_path', 'b', false); END $$", fresh),
  { name: "Parse s", send: [x.parse("s", read)] },
  { name: "Bind c s", send: [x.bind("c", "s")] },
  { name: "Execute c", send: [x.execute("c", 1)] },
  { name: "Execute c, Describe", send: [x.describePortal("c"), x.execute("c", 1)] },
  { name: "Close S s", send: [x.closeStatement("s")] },
  { name: "Close P c", send: [closePortal("c")] },
  { name: "Sync", send: [x.sync()] },
  { name: "Flush", send: [x.flush()] },
  { name: "set local a", send: [x.parse("", "SET LOCAL search_path = a"), x.bind("", ""), x.execute("")] },
  { name: "set b", send: [x.parse("", "SET search_path = b"), x.bind("", ""), x.execute("")] },
  { name: "select", send: [x.parse("", read), x.bind("", ""), x.execute("")] },
  {
    name: "rollback, select",
    send: ["ROLLBACK", read].flatMap((sql) => [x.parse("", sql), x.bind("", ""), x.execute("")]),
  },
  {
    name: "suspended config b",
    send: [
      x.parse("", "SELECT set_config('search_path', 'b', false) FROM generate_series(1, 2)"),
      x.bind("", ""),
      x.execute("", 1),
    ],
  },
  {
    name: "bind late: execute s",
    send: [x.parse("l", "EXECUTE s"), x.bind("l", "l")],
    may: [{ code: "STATEMENT_UNKNOWN", why: "what EXECUTE runs must be there when it is parsed" }],
  },
  { name: "execute late", send: [x.execute("l")] },
  { name: "function call", send: [callOf(2078, ["search_path", "b", "f"])], fresh: true, may: CHANGED },
];

/** What changes the catalog, here or elsewhere. */
export const CATALOG_STEPS: readonly Step[] = [
  simple(
    "swap columns here",
    "ALTER TABLE a.t RENAME v TO x; ALTER TABLE b.t RENAME v TO x; ALTER TABLE a.t RENAME x TO v; ALTER TABLE b.t RENAME x TO v",
    lasting,
  ),
  simple(
    "swap schemas here",
    "ALTER SCHEMA a RENAME TO z; ALTER SCHEMA b RENAME TO a; ALTER SCHEMA z RENAME TO b",
    lasting,
  ),
  simple("move tables here", "ALTER TABLE a.t RENAME TO gone; ALTER TABLE b.t SET SCHEMA a", lasting),
  simple(
    "swap functions here",
    "ALTER FUNCTION a.f() RENAME TO x; ALTER FUNCTION b.f() SET SCHEMA a; ALTER FUNCTION a.x() SET SCHEMA b; ALTER FUNCTION b.x() RENAME TO f",
    lasting,
  ),
  simple(
    "rename functions here",
    "ALTER FUNCTION a.f() RENAME TO x; ALTER FUNCTION a.g() RENAME TO f; ALTER FUNCTION a.x() RENAME TO g",
    lasting,
  ),
  simple(
    "replace function here",
    "CREATE OR REPLACE FUNCTION a.f() RETURNS text LANGUAGE sql STABLE AS 'SELECT max(v) FROM b.t'",
    lasting,
  ),
  simple("shadow here", "CREATE TABLE a.n AS SELECT 1 AS i; DROP TABLE a.t CASCADE", lasting),
  {
    name: "swap schemas elsewhere",
    other: "ALTER SCHEMA a RENAME TO z; ALTER SCHEMA b RENAME TO a; ALTER SCHEMA z RENAME TO b",
    ...lasting,
  },
  { name: "move tables elsewhere", other: "ALTER TABLE a.t RENAME TO gone; ALTER TABLE b.t SET SCHEMA a", ...lasting },
  { name: "rename elsewhere", other: "ALTER TABLE b.t RENAME v TO was; ALTER TABLE b.t RENAME TO was", ...lasting },
  {
    name: "swap functions elsewhere",
    other:
      "ALTER FUNCTION a.g() RENAME TO x; ALTER FUNCTION b.g() SET SCHEMA a; ALTER FUNCTION a.x() SET SCHEMA b; ALTER FUNCTION b.x() RENAME TO g",
    ...lasting,
  },
  {
    name: "replace function elsewhere",
    other:
      "CREATE OR REPLACE FUNCTION a.g() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT min(v) FROM b.t); END'",
    ...lasting,
  },
  { name: "drop elsewhere", other: "DROP TABLE a.t CASCADE", ...lasting },
  { name: "revoke elsewhere", other: "GRANT USAGE ON SCHEMA a TO PUBLIC", ...lasting },
];

/** Looks at everything that a sequence may have left: each is a command of its own. */
export const OBSERVERS: readonly Step[] = [
  { name: "(Sync)", send: [x.sync()] },
  simple("(read)", read),
  simple("(execute)", "EXECUTE s"),
  simple("(fetch)", "FETCH 1 FROM c"),
  { name: "(bind)", send: [x.bind("o", "s"), x.execute("o"), x.sync()] },
  { name: "(portal)", send: [x.execute("c", 1), x.sync()] },
  simple("(rollback)", "ROLLBACK"),
  simple("(execute again)", "EXECUTE s"),
  simple("(fetch again)", "FETCH 1 FROM c"),
  simple("(rollback, read)", `ROLLBACK; ${read}`, ends),
];

/** Few steps that change what a name means or hold on to what it meant: short enough to try one length more. */
export const CORE_STEPS: readonly Step[] = SESSION_STEPS.filter(({ name }) =>
  [
    "path b",
    "local b",
    "begin",
    "commit",
    "commit and chain",
    "rollback",
    "savepoint",
    "rollback to",
    "error",
    "prepare",
    "execute",
    "declare",
    "fetch",
    "temp",
    "discard temp",
    "Parse s",
    "Bind c s",
    "Execute c",
    "Sync",
    "Flush",
    "set local a",
    "set b",
  ].includes(name),
);
