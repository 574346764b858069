// Connection URLs: what libpq takes, and errors that never show a password.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { RegateError } from "../../../src/errors.ts";
import { parseTarget } from "../../../src/protocols/postgres/target.ts";

describe("a connection URL", () => {
  it("gives host, port, user, password and database", () => {
    const target = parseTarget(
      "postgres://app:s%40cret%2F@db.internal:6543/shop?application_name=gate&options=-c%20a%3Db",
    );
    const { host, port, user, password, database } = target;
    assert.deepEqual([host, port, user, password, database], ["db.internal", 6543, "app", "s@cret/", "shop"]);
    assert.deepEqual(
      [...target.parameters],
      [
        ["application_name", "gate"],
        ["options", "-c a=b"],
      ],
    );
  });
  it("has libpq's defaults, and a timeout", () => {
    const target = parseTarget("postgresql://app@");
    assert.deepEqual(
      [
        target.host,
        target.port,
        target.password,
        target.database,
        target.sslmode,
        target.channelBinding,
        target.sslnegotiation,
        target.connectTimeoutMs,
      ],
      ["localhost", 5432, undefined, "app", "prefer", "prefer", "postgres", 10_000],
    );
  });
  for (const [url, host, port] of [
    ["postgres://a@[::1]:99/d", "::1", 99],
    ["postgres://a@[fe80::1]/d", "fe80::1", 5432],
    ["postgres://a@%2Frun%2Fpostgresql/d", "/run/postgresql", 5432],
    ["postgres://a@/d?host=/run/postgresql&port=7", "/run/postgresql", 7],
    ["postgres:///d?user=a&host=h", "h", 5432],
    ["postgres://h/d?user=a", "h", 5432],
  ] as const) {
    it(`finds the host in ${url}`, () => {
      const target = parseTarget(url);
      assert.deepEqual([target.host, target.port, target.user, target.database], [host, port, "a", "d"]);
    });
  }
  it("may hold a password with an @, a # or a ?", () => {
    assert.equal(parseTarget("postgres://a:p@ss#w?rd@h/d").password, "p@ss#w?rd");
    assert.equal(parseTarget("postgres://a:p@ss#w?rd@h/d").host, "h");
  });
  it("takes what it leaves out from the environment, if there is one", () => {
    const env = { PGPASSWORD: "from the environment", PGSSLMODE: "require", PGPORT: "99", PGUSER: "other" };
    const target = parseTarget("postgres://a@h", env);
    assert.deepEqual(
      [target.user, target.password, target.sslmode, target.port],
      ["a", "from the environment", "require", 99],
    );
    assert.equal(parseTarget("postgres://a@h").password, undefined);
  });
  it("verifies in full with the system's roots, unless it is told less, which is refused", () => {
    assert.equal(parseTarget("postgres://a@h?sslrootcert=system").sslmode, "verify-full");
    assert.throws(() => parseTarget("postgres://a@h?sslrootcert=system&sslmode=require"), { code: "CONFIG_INVALID" });
  });
  for (const [url, expected] of [
    ["mysql://a:topsecret@h/d", /not the form/],
    ["a:topsecret@h/d", /not the form/],
    ["postgres://a:top/secret@h/d", /not the form|names no user/],
    ["postgres://a:topsecret%zz@h/d", /password is not percent-encoded/],
    ["postgres://a:topsecret%00@h/d", /password holds a NUL/],
    ["postgres://:topsecret@h/d", /names no user/],
    ["postgres://a:topsecret@h,i/d", /several hosts/],
    ["postgres://a:topsecret@h:99999/d", /port is not a number/],
    ["postgres://a:topsecret@h:0/d", /port is not a number/],
    ["postgres://a:topsecret@h/d?sslmode=maybe", /sslmode has an unknown value/],
    ["postgres://a:topsecret@h/d?sslmode=verify-full", /needs sslrootcert/],
    ["postgres://a:topsecret@h/d?sslmode=verify-ca", /needs sslrootcert/],
    ["postgres://a:topsecret@h/d?sslnegotiation=direct", /needs sslmode=require/],
    ["postgres://a:topsecret@h/d?sslcert=x", /sslcert and sslkey/],
    ["postgres://a:topsecret@h/d?channel_binding=yes", /channel_binding has an unknown value/],
    ["postgres://a:topsecret@h/d?connect_timeout=0", /connect_timeout/],
    ["postgres://a:topsecret@h/d?gssencmode=require", /gssencmode is not supported/],
    ["postgres://a:topsecret@h/d?target_session_attrs=any", /target_session_attrs is not supported/],
    ["postgres://a:topsecret@h/d?sslmode", /has no value/],
    ["", /not the form/],
  ] as const) {
    it(`is refused when it is ${url.replace("topsecret", "…") || "empty"}, without showing its password`, () => {
      assert.throws(
        () => parseTarget(url),
        (error: unknown) => {
          assert.ok(error instanceof RegateError && error.code === "CONFIG_INVALID", String(error));
          assert.match(error.detail ?? "", expected);
          assert.doesNotMatch(inspect([error.message, error.detail, error.hint, error.cause]), /secret/);
          return true;
        },
      );
    });
  }
});
