// Logging in to a real PostgreSQL by each of its methods, with and without TLS, and what goes wrong there.
import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { RegateError } from "../../../src/errors.ts";
import { BACKEND, TRANSACTION } from "../../../src/protocols/postgres/codes.ts";
import { OwnConnection } from "../../../src/protocols/postgres/connection.ts";
import { encodeQuery } from "../../../src/protocols/postgres/encode.ts";
import { MessageBuffer, serverLimits } from "../../../src/protocols/postgres/frame.ts";
import {
  connectUpstream,
  parseTarget,
  type Upstream,
  type UpstreamStartup,
} from "../../../src/protocols/postgres/upstream.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { createAuthority, type RealServer, startServer } from "./server.ts";

const folder = temporaryFolder("upstream");
const authority = createAuthority(join(folder, "certificates"));
const strange = createAuthority(join(folder, "strange"));
const certificate = authority.issue("server", "localhost", "DNS:localhost");
const client = authority.issue("client", "u_cert");
const odd = { nbsp: "a\u00a0b\u00adc\ufb01", emoji: "\u00aa\u{1f600}", umlaut: "p\u00e4ss w\u00f6rd" };
let server: RealServer;
/** 140000, 180004, … */
let version = 0;

/** What the server keeps of a password (older ones have no setting for the iterations). */
function verifier(password: string, iterations: number): string {
  const salt = Buffer.alloc(16, 3);
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const key = (name: string): Buffer => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${key("Server Key").toString("base64")}`;
}

before(async () => {
  const user = (name: string, password = "secret"): string => `CREATE ROLE ${name} LOGIN PASSWORD '${password}';`;
  server = await startServer(folder, {
    hba: `
      host      all u_trust 127.0.0.1/32 trust
      host      all u_plain 127.0.0.1/32 password
      host      all u_md5   127.0.0.1/32 md5
      hostssl   all u_cert  127.0.0.1/32 cert
      hostssl   all u_ssl   127.0.0.1/32 scram-sha-256
      hostnossl all u_nossl 127.0.0.1/32 scram-sha-256
      host      all u_ssl,u_nossl 127.0.0.1/32 reject
      host      all all     127.0.0.1/32 scram-sha-256`,
    configuration: `ssl = on\nssl_cert_file = '${certificate.cert}'\nssl_key_file = '${certificate.key}'\nssl_ca_file = '${authority.ca}'`,
    sql: `
      SET password_encryption = 'md5'; ${user("u_md5")} RESET password_encryption;
      ${["u_trust", "u_plain", "u_scram", "u_cert", "u_ssl", "u_nossl"].map((name) => user(name)).join("\n")}
      ${Object.entries(odd)
        .map(([name, password]) => user(`u_${name}`, password))
        .join("\n")}
      ${user("u_cheap", verifier("secret", 1))} ${user("u_dear", verifier("secret", 1_000_001))}`,
  });
  const own = await OwnConnection.open(parseTarget(`postgres://u_trust@127.0.0.1:${server.port}/postgres`));
  version = Number((await own.query("SHOW server_version_num"))[0]?.[0]);
  own.close();
});
after(() => server.stop());

const none: UpstreamStartup = { parameters: new Map() };

function open(user: string, query = "", startup = none, password = "secret"): Promise<Upstream> {
  const credential = `${user}:${encodeURIComponent(password)}`;
  return connectUpstream(parseTarget(`postgres://${credential}@localhost:${server.port}/postgres?${query}`), startup);
}

/** The first column of the first row. */
async function ask(upstream: Upstream, sql: string): Promise<string> {
  const messages = new MessageBuffer(serverLimits());
  messages.push(upstream.initial);
  return new Promise((resolve, reject) => {
    let value = "";
    upstream.socket.on("close", () => reject(new Error("closed")));
    upstream.socket.on("data", (chunk: Buffer) => {
      messages.push(chunk);
      for (let message = messages.next(); message !== undefined; message = messages.next()) {
        if (message.type === BACKEND.dataRow) value = message.body.subarray(6).toString();
        if (message.type === BACKEND.errorResponse) reject(new Error(message.body.toString()));
        if (message.type === BACKEND.readyForQuery) resolve(value);
      }
    });
    upstream.socket.resume();
    upstream.socket.write(encodeQuery(sql));
  });
}

async function login(
  user: string,
  query = "",
  startup = none,
  password = "secret",
): Promise<{ upstream: Upstream; who: string; tls: string }> {
  const upstream = await open(user, query, startup, password);
  const answer = await ask(upstream, "SELECT session_user || ' ' || ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  upstream.socket.destroy();
  const [who = "", tls = ""] = answer.split(" ");
  assert.equal(String(upstream.tls), tls, "what the server says of TLS");
  return { upstream, who, tls };
}

async function failure(promise: Promise<unknown>): Promise<RegateError> {
  const error = await promise.then(
    () => assert.fail("it should have failed"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RegateError, String(error));
  assert.ok(!inspect(error, { depth: 9 }).includes("secret"), "the password shows");
  return error;
}

describe("authentication", () => {
  for (const user of ["u_trust", "u_plain", "u_md5", "u_scram"]) {
    for (const sslmode of ["disable", "require"]) {
      it(`logs ${user} in with sslmode=${sslmode}`, async () => {
        const { who, tls } = await login(user, `sslmode=${sslmode}`);
        assert.deepEqual([who, tls], [user, String(sslmode === "require")]);
      });
    }
  }
  for (const user of ["u_plain", "u_md5", "u_scram"]) {
    it(`reports a wrong password of ${user}`, async () => {
      const error = await failure(open(user, "", none, "secret-but-wrong"));
      assert.equal(error.code, "UPSTREAM_AUTH");
      assert.match(error.detail ?? "", /28P01 password authentication failed for user/);
      assert.equal((error.cause as { C: string }).C, "28P01");
    });
  }
  it("reports a missing password, a missing database, a missing role", async () => {
    const without = parseTarget(`postgres://u_scram@localhost:${server.port}/postgres`);
    assert.match((await failure(connectUpstream(without, none))).detail ?? "", /the URL has none/);
    const nowhere = parseTarget(`postgres://u_trust@localhost:${server.port}/nowhere`);
    assert.match(
      (await failure(connectUpstream(nowhere, none))).detail ?? "",
      /3D000 database "nowhere" does not exist/,
    );
    assert.equal((await failure(open("nobody_at_all"))).code, "UPSTREAM_AUTH");
  });
  for (const [name, password] of Object.entries(odd)) {
    it(`prepares the password of u_${name} as the server did`, async () => {
      assert.equal((await login(`u_${name}`, "", none, password)).who, `u_${name}`);
    });
  }
  it("takes an equivalent form of a prepared password", async () => {
    assert.equal((await login("u_nbsp", "", none, "a bcfi")).who, "u_nbsp");
  });
  it("bounds the iterations of SCRAM in both directions", async () => {
    assert.match(
      (await failure(open("u_cheap", "sslmode=disable"))).detail ?? "",
      /1 iterations over an unprotected connection/,
    );
    assert.equal((await login("u_cheap", "sslmode=require")).who, "u_cheap");
    assert.match((await failure(open("u_dear"))).detail ?? "", /1000001 iterations, more than 1000000/);
  });
  it("derives a password once for several logins, and anew when it has changed", async () => {
    const target = parseTarget(`postgres://u_scram:secret@localhost:${server.port}/postgres`);
    for (let i = 0; i < 3; i++) (await connectUpstream(target, none)).socket.destroy();
    const wrong = await failure(
      connectUpstream(parseTarget(`postgres://u_scram:secre@localhost:${server.port}/postgres`), none),
    );
    assert.equal(wrong.code, "UPSTREAM_AUTH");
  });
  it("logs in over the Unix socket, whatever the sslmode", async () => {
    for (const sslmode of ["prefer", "require"]) {
      const url = `postgres://u_scram@/postgres?host=${encodeURIComponent(server.folder)}&port=${server.port}&sslmode=${sslmode}`;
      const upstream = await connectUpstream(parseTarget(url), none);
      assert.equal(upstream.tls, false);
      upstream.socket.destroy();
    }
  });
});

describe("TLS", () => {
  const ca = `sslrootcert=${encodeURIComponent(authority.ca)}`;
  const wrongCa = `sslrootcert=${encodeURIComponent(strange.ca)}`;
  it("prefers TLS without being told, and allow does without it", async () => {
    assert.equal((await login("u_scram")).tls, "true");
    assert.equal((await login("u_scram", "sslmode=allow")).tls, "false");
  });
  it("tries the other kind where pg_hba.conf allows one only", async () => {
    assert.equal((await login("u_nossl", "sslmode=prefer")).tls, "false");
    assert.equal((await login("u_ssl", "sslmode=allow")).tls, "true");
    assert.match((await failure(open("u_ssl", "sslmode=disable"))).detail ?? "", /no encryption/);
    assert.match((await failure(open("u_nossl", "sslmode=require"))).detail ?? "", /pg_hba.conf rejects/);
  });
  it("does not send a password a second time without TLS after it was wrong with it", async () => {
    const error = await failure(open("u_plain", "sslmode=prefer", none, "secret-but-wrong"));
    assert.doesNotMatch(error.detail ?? "", /before that/);
  });
  it("verifies the chain and the name", async () => {
    assert.equal((await login("u_scram", `sslmode=verify-full&${ca}`)).tls, "true");
    assert.equal((await login("u_scram", `sslmode=verify-ca&${ca}`)).tls, "true");
    assert.equal((await failure(open("u_scram", `sslmode=verify-ca&${wrongCa}`))).code, "UPSTREAM_TLS");
    assert.equal((await failure(open("u_scram", `sslmode=verify-full&${wrongCa}`))).code, "UPSTREAM_TLS");
    assert.equal((await failure(open("u_scram", "sslmode=verify-full&sslrootcert=system"))).code, "UPSTREAM_TLS");
  });
  it("checks the name with verify-full only", async () => {
    const byAddress = (mode: string): Promise<Upstream> =>
      connectUpstream(
        parseTarget(`postgres://u_scram:secret@127.0.0.1:${server.port}/postgres?sslmode=${mode}&${ca}`),
        none,
      );
    (await byAddress("verify-ca")).socket.destroy();
    const error = await failure(byAddress("verify-full"));
    assert.equal(error.code, "UPSTREAM_TLS");
    assert.match(error.detail ?? "", /127\.0\.0\.1/);
  });
  it("checks the chain with require where a root is given, as libpq does", async () => {
    assert.equal((await failure(open("u_scram", `sslmode=require&${wrongCa}`))).code, "UPSTREAM_TLS");
    assert.equal((await login("u_scram", `sslmode=require&${ca}`)).tls, "true");
  });
  it("shows its own certificate", async () => {
    const own = `sslcert=${encodeURIComponent(client.cert)}&sslkey=${encodeURIComponent(client.key)}`;
    assert.equal((await login("u_cert", `sslmode=verify-full&${ca}&${own}`)).who, "u_cert");
    assert.equal((await failure(open("u_cert", `sslmode=verify-full&${ca}`))).code, "UPSTREAM_AUTH");
  });
  it("begins with TLS at once where asked", async () => {
    if (version < 170_000) {
      const error = await failure(open("u_scram", `sslmode=verify-full&${ca}&sslnegotiation=direct`));
      assert.equal(error.code, "UPSTREAM_TLS");
      return;
    }
    assert.equal((await login("u_scram", `sslmode=verify-full&${ca}&sslnegotiation=direct`)).tls, "true");
  });
  it("names a file that cannot be read", async () => {
    const error = await failure(open("u_scram", "sslmode=require&sslrootcert=/nowhere/ca.crt"));
    assert.equal(error.code, "UPSTREAM_TLS");
    assert.match(error.detail ?? "", /\/nowhere\/ca\.crt/);
  });
});

describe("channel binding", () => {
  it("binds where the server offers it, and requires it where asked", async () => {
    assert.equal((await login("u_scram", "sslmode=require&channel_binding=require")).who, "u_scram");
    assert.equal((await login("u_scram", "sslmode=require&channel_binding=disable")).who, "u_scram");
  });
  for (const user of ["u_trust", "u_plain", "u_md5"]) {
    it(`refuses to log ${user} in without it where it is required`, async () => {
      const error = await failure(open(user, "sslmode=require&channel_binding=require"));
      assert.equal(error.code, "UPSTREAM_AUTH");
      assert.match(error.detail ?? "", /channel_binding=require/);
    });
  }
  for (const [name, algorithm, binds] of [
    ["RSA with SHA-512", ["rsa:2048", "-sha512"], true],
    ["RSA with SHA-1", ["rsa:2048", "-sha1"], true],
    [
      "RSA-PSS with SHA-384",
      ["rsa:2048", "-sha384", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"],
      true,
    ],
    ["ECDSA with SHA-384", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha384"], true],
    ["Ed25519, which has no digest", ["ed25519"], false],
  ] as const) {
    it(`binds to a certificate of ${name}`, async () => {
      const { ca, caKey } = createAuthority(join(folder, name.replaceAll(/\W/g, "-")), algorithm);
      const admin = `postgres://postgres@/postgres?host=${encodeURIComponent(server.folder)}&port=${server.port}`;
      const own = await OwnConnection.open(parseTarget(admin));
      await own.query("SET default_transaction_read_only = off");
      const change = async (cert: string, key: string): Promise<void> => {
        await own.query(`ALTER SYSTEM SET ssl_cert_file = '${cert}'`);
        await own.query(`ALTER SYSTEM SET ssl_key_file = '${key}'`);
        await own.query("SELECT pg_reload_conf(), pg_sleep(0.3)");
      };
      await change(ca, caKey);
      try {
        if (binds) await login("u_scram", "sslmode=require&channel_binding=require");
        else {
          await login("u_scram", "sslmode=require");
          assert.match(
            (await failure(open("u_scram", "sslmode=require&channel_binding=require"))).detail ?? "",
            /offers none/,
          );
        }
      } finally {
        await change(certificate.cert, certificate.key);
        own.close();
      }
    });
  }
  it("refuses to do without TLS where it is required", async () => {
    assert.match((await failure(open("u_scram", "sslmode=disable&channel_binding=require"))).detail ?? "", /no TLS/);
  });
});

describe("a session that is ready", () => {
  it("has parameters, key and status, and forwards settings over the URL's own", async () => {
    const parameters = new Map([
      ["application_name", "from the client"],
      ["user", "postgres"],
      ["database", "template1"],
      ["search_path", "pg_catalog"],
    ]);
    const { upstream, who } = await login("u_scram", "application_name=regate&options=-c%20work_mem%3D123kB", {
      parameters,
    });
    assert.equal(who, "u_scram");
    assert.equal(upstream.parameters.get("application_name"), "from the client");
    assert.equal(upstream.parameters.get("server_encoding"), "UTF8");
    assert.ok(upstream.pid > 0 && upstream.secret.length === 4);
    assert.equal(upstream.transactionStatus, TRANSACTION.idle);
    const other = await open("u_scram", "options=-c%20work_mem%3D123kB");
    assert.equal(await ask(other, "SHOW work_mem"), "123kB");
    other.socket.destroy();
  });
  it("has a longer key in protocol 3.2, where the server has that", async () => {
    const upstream = await open("u_scram", "", { parameters: new Map(), protocolMinor: 2 });
    assert.equal(upstream.protocolMinor, version < 180_000 ? 0 : 2);
    assert.equal(upstream.secret.length > 4, version >= 180_000);
    upstream.socket.destroy();
  });
  it("says what the server says of a setting that it refuses", async () => {
    const error = await failure(open("u_scram", "", { parameters: new Map([["no_such_setting", "1"]]) }));
    assert.equal((error.cause as { C: string }).C, "42704");
  });
  for (const sslmode of ["disable", "require"]) {
    for (const protocolMinor of [0, 2] as const) {
      it(`cancels what runs (sslmode=${sslmode}, 3.${protocolMinor})`, async () => {
        const upstream = await open("u_scram", `sslmode=${sslmode}`, { parameters: new Map(), protocolMinor });
        const slept = assert.rejects(ask(upstream, "SELECT pg_sleep(60)"), /57014/);
        await new Promise((resolve) => setTimeout(resolve, 100));
        await upstream.cancel();
        await slept;
        upstream.socket.destroy();
      });
    }
  }
});
