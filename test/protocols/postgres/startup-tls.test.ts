// TLS before a session: handshakes asked for and direct, broken ones, and psql with each sslmode.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, createSecureContext, type TLSSocket } from "node:tls";
import { TRANSACTION } from "../../../src/protocols/postgres/codes.ts";
import * as encode from "../../../src/protocols/postgres/encode.ts";
import type { StartupOptions } from "../../../src/protocols/postgres/startup.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { createAuthority } from "./server.ts";
import { Acceptor, Client, plain, type Session, startup } from "./startup-client.ts";

const folder = temporaryFolder("startup");
const authority = createAuthority(join(folder, "certificates"));
const certificate = authority.issue("gate", "localhost", "DNS:localhost");
const secured: StartupOptions = {
  tls: createSecureContext({ cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }),
  allowPlaintext: false,
  timeoutMs: 2000,
};

const gate = new Acceptor();
before(() => gate.listen());
after(() => gate.close());

async function encrypt(client: Client, alpn: string[] = ["postgresql"]): Promise<Client> {
  client.socket.removeAllListeners("data");
  const secure = connectTls({
    socket: client.socket,
    ca: readFileSync(authority.ca),
    servername: "localhost",
    ALPNProtocols: alpn,
  });
  await new Promise<void>((resolve, reject) => secure.once("secureConnect", resolve).once("error", reject));
  return new Client(secure);
}

describe("with TLS", () => {
  before(() => {
    gate.options = secured;
  });
  it("asks for the password only over TLS", async () => {
    const bare = gate.client();
    bare.socket.write(startup());
    const fields = await bare.refusal();
    assert.deepEqual([fields.C, fields.R], ["28000", "TLS_REQUIRED"]);
    await gate.refused("TLS_REQUIRED");
    const client = gate.client();
    client.socket.write(encode.encodeSslRequest());
    assert.equal((await client.bytes(1)).toString(), "S");
    const secure = await encrypt(client);
    secure.socket.write(startup());
    await secure.askedForPassword();
    secure.socket.write(Buffer.concat([encode.encodePassword("t"), Buffer.from("more")]));
    const got = await gate.session();
    assert.deepEqual([got.tls, got.token, got.leftover.toString()], [true, "t", "more"]);
    assert.equal((got.socket as TLSSocket).remoteAddress, "127.0.0.1");
    got.socket.destroy();
  });
  it("takes a direct handshake that names the protocol, and no other", async () => {
    const secure = await encrypt(gate.client());
    assert.equal((secure.socket as TLSSocket).alpnProtocol, "postgresql");
    secure.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    const got = await gate.session();
    assert.equal(got.tls, true);
    got.socket.destroy();
    const nameless = await encrypt(gate.client(), []);
    await nameless.refusal();
    await gate.refused("PROTOCOL_VIOLATION");
    await assert.rejects(encrypt(gate.client(), ["http/1.1"]));
    await gate.refused("PROTOCOL_VIOLATION");
  });
  it("refuses bytes that were there before the handshake", async () => {
    const client = gate.client();
    client.socket.write(Buffer.concat([encode.encodeSslRequest(), startup()]));
    await client.refusal();
    await gate.refused("PROTOCOL_VIOLATION");
  });
  it("refuses a second SSLRequest and a handshake within TLS", async () => {
    for (const bytes of [encode.encodeSslRequest(), Buffer.from([0x16, 3, 1, 0, 0])]) {
      const client = gate.client();
      client.socket.write(encode.encodeSslRequest());
      await client.bytes(1);
      const secure = await encrypt(client);
      secure.socket.write(bytes);
      await secure.refusal();
      await gate.refused("PROTOCOL_VIOLATION");
    }
  });
  it("reports a handshake that fails, and a client that leaves in it", async () => {
    const client = gate.client();
    client.socket.write(encode.encodeSslRequest());
    await client.bytes(1);
    client.socket.write("this is no handshake at all");
    assert.match((await gate.refused("PROTOCOL_VIOLATION")).detail ?? "", /TLS handshake failed/);
    const leaver = gate.client();
    leaver.socket.write(encode.encodeSslRequest());
    await leaver.bytes(1);
    leaver.socket.destroy();
    await gate.refused("PROTOCOL_VIOLATION");
  });
  it("ends a session whose TLS breaks later", async () => {
    // Somebody in between puts bytes on the wire.
    let inward: Socket | undefined;
    const between = createServer((outward) => {
      inward = connect(gate.port, "127.0.0.1");
      outward.pipe(inward).pipe(outward);
      for (const socket of [outward, inward]) socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
    const client = new Client(connect((between.address() as AddressInfo).port, "127.0.0.1"));
    client.socket.write(encode.encodeSslRequest());
    await client.bytes(1);
    const secure = await encrypt(client);
    secure.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    const got = await gate.session();
    const closed = new Promise<void>((resolve) => got.socket.once("close", () => resolve()));
    got.socket.resume();
    inward?.write(Buffer.from("\x17\x03\x03\x00\x20a record that nobody has sealed!", "latin1"));
    await closed;
    secure.socket.destroy();
    between.close();
  });
});

describe("psql", () => {
  type Run = { readonly status: number | null; readonly output: string };
  const psql = (connection: string, password?: string): Promise<Run> =>
    new Promise((resolve) => {
      const env = {
        PATH: process.env.PATH ?? "",
        HOME: folder,
        ...(password === undefined ? {} : { PGPASSWORD: password }),
      };
      const child = spawn(
        "psql",
        ["-w", "-X", `host=localhost hostaddr=127.0.0.1 port=${gate.port} user=me dbname=shop ${connection}`, "-c", ""],
        { env },
      );
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.on("close", (status) => resolve({ status, output }));
    });
  /** As much of a session as `psql -c ""` needs. */
  const greet = ({ socket }: Session): void => {
    const ready = encode.encodeReadyForQuery(TRANSACTION.idle);
    const hello = [
      encode.encodeAuthenticationOk(),
      encode.encodeParameterStatus("server_version", "18.0"),
      encode.encodeParameterStatus("client_encoding", "UTF8"),
    ];
    socket.write(Buffer.concat([...hello, encode.encodeBackendKeyData(1, Buffer.alloc(4)), ready]));
    socket.on("data", (chunk: Buffer) => {
      if (chunk[0] === 0x51) socket.write(Buffer.concat([Buffer.from([0x49, 0, 0, 0, 4]), ready]));
    });
    socket.on("end", () => socket.end());
    socket.resume();
  };
  for (const [sslmode, options_, encrypted] of [
    ["disable", { ...secured, allowPlaintext: true }, false],
    ["prefer", plain, false],
    ["prefer", secured, true],
    ["require", secured, true],
    ["verify-full", secured, true],
  ] as const) {
    it(`logs in with sslmode=${sslmode} where TLS is ${options_.tls === undefined ? "not offered" : "offered"}`, async () => {
      gate.options = options_;
      const run = psql(`sslmode=${sslmode} sslrootcert=${authority.ca}`, "the token");
      const got = await gate.session();
      assert.deepEqual(
        [got.tls, got.token, got.parameters.get("user"), got.parameters.get("database")],
        [encrypted, "the token", "me", "shop"],
      );
      greet(got);
      assert.deepEqual(await run, { status: 0, output: "" });
    });
  }
  it("leaves when it has no password", async () => {
    gate.options = plain;
    const { status, output } = await psql("sslmode=disable");
    assert.equal(status, 2);
    assert.match(output, /no password supplied/);
    assert.deepEqual(await gate.outcome(), { kind: "closed" });
  });
  it("shows why it was refused", async () => {
    gate.options = secured;
    const { output } = await psql("sslmode=disable", "t");
    assert.match(output, /FATAL: {2}A token may travel only over TLS/);
    await gate.refused("TLS_REQUIRED");
  });
});
