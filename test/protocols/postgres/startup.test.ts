// What may happen before a session: every order of requests, slow and broken clients, and psql itself.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { RegateError } from "../../../src/errors.ts";
import { STARTUP, TRANSACTION } from "../../../src/protocols/postgres/codes.ts";
import { decodeError } from "../../../src/protocols/postgres/decode.ts";
import * as encode from "../../../src/protocols/postgres/encode.ts";
import { acceptStartup, type Startup, type StartupOptions } from "../../../src/protocols/postgres/startup.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { naive } from "./naive.ts";
import { createAuthority } from "./server.ts";

type Session = Extract<Startup, { kind: "session" }>;
const folder = temporaryFolder("startup");
const authority = createAuthority(join(folder, "certificates"));
const certificate = authority.issue("gate", "localhost", "DNS:localhost");
const tls: SecureContext = createSecureContext({
  cert: readFileSync(certificate.cert),
  key: readFileSync(certificate.key),
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let options: StartupOptions;
let server: Server;
let port: number;
/** What became of each connection, in the order of accepting. */
const outcomes: Promise<Startup | RegateError>[] = [];
const plain: StartupOptions = { allowPlaintext: true, timeoutMs: 2000 };
const secured: StartupOptions = { tls, allowPlaintext: false, timeoutMs: 2000 };

before(async () => {
  server = createServer((socket) => {
    outcomes.push(acceptStartup(socket, options).catch((error: RegateError) => error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
after(() => server.close());

class Client {
  readonly socket: Socket;
  got: Buffer = Buffer.alloc(0);
  closed = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const one of this.#wake.splice(0)) one();
    };
    socket.on("data", (chunk: Buffer) => {
      this.got = Buffer.concat([this.got, chunk]);
      wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      wake();
    });
  }
  static plain(): Client {
    return new Client(connect({ port, host: "127.0.0.1", noDelay: true }));
  }
  async until(enough: () => boolean): Promise<void> {
    while (!enough() && !this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
  async bytes(count: number): Promise<Buffer> {
    await this.until(() => this.got.length >= count);
    assert.ok(this.got.length >= count, `closed after ${this.got.length} bytes`);
    const bytes = this.got.subarray(0, count);
    this.got = this.got.subarray(count);
    return bytes;
  }
  async message(): Promise<{ type: string; body: Buffer }> {
    const header = await this.bytes(5);
    return { type: String.fromCharCode(header[0]!), body: await this.bytes(header.readInt32BE(1) - 4) };
  }
  /** The FATAL error that ends it. */
  async refusal(): Promise<Readonly<Record<string, string>>> {
    const { type, body } = await this.message();
    assert.equal(type, "E");
    await this.until(() => false);
    assert.equal(this.got.length, 0, "nothing follows the error");
    const fields = decodeError(body);
    assert.equal(fields.S, "FATAL");
    return fields;
  }
  async askedForPassword(): Promise<void> {
    const { type, body } = await this.message();
    assert.deepEqual([type, body.readInt32BE(0)], ["R", 3]);
  }
}

async function outcome(): Promise<Startup | RegateError> {
  for (let tries = 0; outcomes.length === 0; tries++) {
    assert.ok(tries < 200, "nothing was accepted");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return outcomes.shift()!;
}

async function session(): Promise<Session> {
  const got = await outcome();
  assert.ok(!(got instanceof RegateError), String(got));
  assert.equal(got.kind, "session");
  return got as Session;
}

async function refused(code: string): Promise<RegateError> {
  const got = await outcome();
  assert.ok(got instanceof RegateError, JSON.stringify(got));
  assert.equal(got.code, code, `${got.code}: ${got.detail}`);
  return got;
}

const parameters: [string, string][] = [
  ["user", "me"],
  ["database", "shop"],
  ["application_name", "t\u00ebst"],
];
const startup = (minor = 0, given = parameters): Buffer => encode.encodeStartup(minor, given);

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

describe("without TLS", () => {
  before(() => {
    options = plain;
  });
  it("takes startup packet, password and what follows, cut anywhere", async () => {
    const all = Buffer.concat([startup(), encode.encodePassword("t\u00f6ken")]);
    for (let cut = 1; cut < all.length; cut += 3) {
      const client = Client.plain();
      client.socket.write(all.subarray(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 2));
      client.socket.write(Buffer.concat([all.subarray(cut), Buffer.from("leftover")]));
      await client.askedForPassword();
      const got = await session();
      assert.deepEqual([...got.parameters], parameters);
      assert.deepEqual([got.token, got.tls, got.minor, got.leftover.toString()], ["t\u00f6ken", false, 0, "leftover"]);
      assert.equal(client.got.length, 0);
      got.socket.destroy();
    }
  });
  it("hands the socket over without losing a byte", async () => {
    const client = Client.plain();
    client.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    const got = await session();
    client.socket.write(Buffer.alloc(300_000, "x"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    let count = got.leftover.length;
    const whole = new Promise<void>((resolve) => {
      got.socket.on("data", (chunk: Buffer) => {
        count += chunk.length;
        if (count === 300_000) resolve();
      });
    });
    got.socket.resume();
    await whole;
    got.socket.destroy();
  });
  it("declines TLS and GSSAPI, once each, and goes on", async () => {
    const client = Client.plain();
    client.socket.write(encode.encodeSslRequest());
    assert.equal((await client.bytes(1)).toString(), "N");
    client.socket.write(naive().int32(STARTUP.gss).packet());
    assert.equal((await client.bytes(1)).toString(), "N");
    client.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    (await session()).socket.destroy();
    const twice = Client.plain();
    twice.socket.write(encode.encodeSslRequest());
    await twice.bytes(1);
    twice.socket.write(encode.encodeSslRequest());
    assert.equal((await twice.refusal()).C, "08P01");
    await refused("PROTOCOL_VIOLATION");
  });
  it("lets the database default to the user", async () => {
    const client = Client.plain();
    client.socket.write(Buffer.concat([startup(0, [["user", "shop"]]), encode.encodePassword("t")]));
    const got = await session();
    assert.equal(got.parameters.get("database"), "shop");
    got.socket.destroy();
  });
  for (const [minor, options_, agreed, listed] of [
    [2, [], 2, undefined],
    [1, [], 0, []],
    [9999, [], 2, []],
    [0, ["_pq_.x", "_pq_.y"], 0, ["_pq_.x", "_pq_.y"]],
    [2, ["_pq_.x"], 2, ["_pq_.x"]],
  ] as const) {
    it(`agrees on 3.${agreed} with who asks for 3.${minor} and ${options_.length} options`, async () => {
      const client = Client.plain();
      client.socket.write(startup(minor, [...parameters, ...options_.map((name): [string, string] => [name, "1"])]));
      if (listed !== undefined) {
        const { type, body } = await client.message();
        const expected = listed.reduce(
          (bytes, name) => bytes.string(name),
          naive().int16(3).int16(agreed).int32(listed.length),
        );
        assert.equal(type, "v");
        assert.deepEqual(body, expected.body);
      }
      await client.askedForPassword();
      client.socket.write(encode.encodePassword("t"));
      const got = await session();
      assert.equal(got.minor, agreed);
      assert.deepEqual([...got.parameters], parameters);
      got.socket.destroy();
    });
  }
  it("takes a cancel request with a key of 4 to 256 bytes, and answers nothing", async () => {
    for (const bytes of [4, 32, 256]) {
      const client = Client.plain();
      client.socket.write(encode.encodeCancelRequest(4_000_000_000, Buffer.alloc(bytes, 7)));
      const got = await outcome();
      assert.ok(!(got instanceof RegateError) && got.kind === "cancel");
      assert.deepEqual([got.pid, got.secret], [4_000_000_000, Buffer.alloc(bytes, 7)]);
      got.socket.end();
      await client.until(() => false);
      assert.equal(client.got.length, 0);
    }
    for (const bytes of [0, 3, 257]) {
      const client = Client.plain();
      client.socket.write(encode.encodeCancelRequest(1, Buffer.alloc(bytes)));
      await client.refusal();
      await refused("PROTOCOL_VIOLATION");
    }
  });
  it("refuses replication, but not its absence", async () => {
    for (const value of ["database", "true", "1", "on", "yes", "", "maybe"]) {
      const client = Client.plain();
      client.socket.write(startup(0, [...parameters, ["replication", value]]));
      assert.equal((await client.refusal()).R, "REPLICATION_REFUSED");
      await refused("REPLICATION_REFUSED");
    }
    for (const value of ["false", "F", "no", "off", "0"]) {
      const client = Client.plain();
      client.socket.write(
        Buffer.concat([startup(0, [...parameters, ["replication", value]]), encode.encodePassword("t")]),
      );
      const got = await session();
      assert.equal(got.parameters.has("replication"), false);
      got.socket.destroy();
    }
  });
  const garbage: [string, Buffer][] = [
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a TLS handshake where none is offered", Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1])],
    ["a length of zero", Buffer.from([0, 0, 0, 0])],
    ["a length below a version", Buffer.from([0, 0, 0, 7])],
    ["a length above 10,000", Buffer.from([0, 0, 0x27, 0x15])],
    ["a length of 4 GiB", Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ["protocol 2", naive().int16(2).int16(0).string("").packet()],
    ["protocol 4", naive().int16(4).int16(0).string("user").string("me").int8(0).packet()],
    ["parameters without an end", naive().int32(0x30000).string("user").string("me").packet()],
    ["a parameter without a value", naive().int32(0x30000).string("user").packet()],
    [
      "bytes behind the end of the parameters",
      naive().int32(0x30000).string("user").string("me").int8(0).int8(0).packet(),
    ],
    ["parameters that are not UTF-8", naive().int32(0x30000).string("user").raw([0xff, 0]).int8(0).packet()],
    ["no user", startup(0, [["database", "shop"]])],
    ["an SSLRequest with something in it", naive().int32(STARTUP.ssl).int32(0).packet()],
    ["a packet stuffed behind SSLRequest", Buffer.concat([encode.encodeSslRequest(), startup()])],
    ["a packet stuffed behind GSSENCRequest", Buffer.concat([naive().int32(STARTUP.gss).packet(), startup()])],
    ["a query in the place of the password", Buffer.concat([startup(), encode.encodeQuery("SELECT 1")])],
    ["a password above 64 KiB", Buffer.concat([startup(), Buffer.from([0x70, 0, 1, 0, 1])])],
    ["a password without its end", Buffer.concat([startup(), naive().text("secret").message("p")])],
    ["a password with a NUL inside", Buffer.concat([startup(), naive().string("a").string("b").message("p")])],
    ["a password that is not UTF-8", Buffer.concat([startup(), naive().raw([0xff, 0]).message("p")])],
  ];
  for (const [name, bytes] of garbage) {
    it(`refuses ${name}, and says so`, async () => {
      const client = Client.plain();
      client.socket.write(bytes);
      const error = await refused("PROTOCOL_VIOLATION");
      assert.ok(!(error.detail ?? "").includes("secret"));
      await client.until(() => false);
      assert.match(client.got.toString("latin1"), /FATAL.*08P01/s);
    });
  }
  it("answers a client that goes away with nothing", async () => {
    for (const bytes of [
      Buffer.alloc(0),
      startup().subarray(0, 5),
      startup(),
      Buffer.concat([startup(), encode.encodeTerminate()]),
    ]) {
      const client = Client.plain();
      client.socket.end(bytes);
      assert.deepEqual(await outcome(), { kind: "closed" });
    }
    const client = Client.plain();
    client.socket.write(startup());
    await client.askedForPassword();
    client.socket.resetAndDestroy();
    assert.deepEqual(await outcome(), { kind: "closed" });
  });
});

describe("with TLS", () => {
  before(() => {
    options = secured;
  });
  it("asks for the password only over TLS", async () => {
    const bare = Client.plain();
    bare.socket.write(startup());
    const fields = await bare.refusal();
    assert.deepEqual([fields.C, fields.R], ["28000", "TLS_REQUIRED"]);
    await refused("TLS_REQUIRED");
    const client = Client.plain();
    client.socket.write(encode.encodeSslRequest());
    assert.equal((await client.bytes(1)).toString(), "S");
    const secure = await encrypt(client);
    secure.socket.write(startup());
    await secure.askedForPassword();
    secure.socket.write(Buffer.concat([encode.encodePassword("t"), Buffer.from("more")]));
    const got = await session();
    assert.deepEqual([got.tls, got.token, got.leftover.toString()], [true, "t", "more"]);
    assert.equal((got.socket as TLSSocket).remoteAddress, "127.0.0.1");
    got.socket.destroy();
  });
  it("takes a direct handshake that names the protocol, and no other", async () => {
    const secure = await encrypt(Client.plain());
    assert.equal((secure.socket as TLSSocket).alpnProtocol, "postgresql");
    secure.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    const got = await session();
    assert.equal(got.tls, true);
    got.socket.destroy();
    const nameless = await encrypt(Client.plain(), []);
    await nameless.refusal();
    await refused("PROTOCOL_VIOLATION");
    await assert.rejects(encrypt(Client.plain(), ["http/1.1"]));
    await refused("PROTOCOL_VIOLATION");
  });
  it("refuses bytes that were there before the handshake", async () => {
    const client = Client.plain();
    client.socket.write(Buffer.concat([encode.encodeSslRequest(), startup()]));
    await client.refusal();
    await refused("PROTOCOL_VIOLATION");
  });
  it("refuses a second SSLRequest and a handshake within TLS", async () => {
    for (const bytes of [encode.encodeSslRequest(), Buffer.from([0x16, 3, 1, 0, 0])]) {
      const client = Client.plain();
      client.socket.write(encode.encodeSslRequest());
      await client.bytes(1);
      const secure = await encrypt(client);
      secure.socket.write(bytes);
      await secure.refusal();
      await refused("PROTOCOL_VIOLATION");
    }
  });
  it("reports a handshake that fails, and a client that leaves in it", async () => {
    const client = Client.plain();
    client.socket.write(encode.encodeSslRequest());
    await client.bytes(1);
    client.socket.write("this is no handshake at all");
    assert.match((await refused("PROTOCOL_VIOLATION")).detail ?? "", /TLS handshake failed/);
    const leaver = Client.plain();
    leaver.socket.write(encode.encodeSslRequest());
    await leaver.bytes(1);
    leaver.socket.destroy();
    await refused("PROTOCOL_VIOLATION");
  });
  it("ends a session whose TLS breaks later", async () => {
    // Somebody in between puts bytes on the wire.
    let inward: Socket | undefined;
    const between = createServer((outward) => {
      inward = connect(port, "127.0.0.1");
      outward.pipe(inward).pipe(outward);
      for (const socket of [outward, inward]) socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
    const client = new Client(connect((between.address() as AddressInfo).port, "127.0.0.1"));
    client.socket.write(encode.encodeSslRequest());
    await client.bytes(1);
    const secure = await encrypt(client);
    secure.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    const got = await session();
    const closed = new Promise<void>((resolve) => got.socket.once("close", () => resolve()));
    got.socket.resume();
    inward?.write(Buffer.from("\x17\x03\x03\x00\x20a record that nobody has sealed!", "latin1"));
    await closed;
    secure.socket.destroy();
    between.close();
  });
});

describe("time", () => {
  it("ends a startup that does not finish, wherever it stopped, and says so", async () => {
    options = { ...secured, allowPlaintext: true, timeoutMs: 150 };
    for (const bytes of [Buffer.alloc(0), startup().subarray(0, 6), startup()]) {
      const client = Client.plain();
      client.socket.write(bytes);
      await client.until(() => false);
      assert.match(client.got.toString("latin1"), /STARTUP_TIMEOUT/);
      await refused("STARTUP_TIMEOUT");
    }
    const client = Client.plain();
    client.socket.write(encode.encodeSslRequest());
    await client.until(() => false);
    assert.equal(client.got.toString(), "S");
    await refused("STARTUP_TIMEOUT");
  });
  it("ends one that drips, and holds up nobody meanwhile", async () => {
    options = { ...plain, timeoutMs: 400 };
    const slow = Client.plain();
    const drip = setInterval(() => slow.socket.write(startup().subarray(0, 1)), 20);
    const silent = Array.from({ length: 50 }, () => Client.plain());
    await new Promise((resolve) => setTimeout(resolve, 100));
    const held = outcomes.splice(0);
    const from = performance.now();
    const quick = Client.plain();
    quick.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    (await session()).socket.destroy();
    assert.ok(performance.now() - from < 200);
    for (const result of await Promise.all(held)) assert.ok(result instanceof RegateError);
    clearInterval(drip);
    for (const client of [slow, ...silent]) await client.until(() => false);
  });
  it("leaves no memory behind refused startups", async () => {
    options = plain;
    const round = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) {
        const client = Client.plain();
        client.socket.write(Buffer.concat([startup(), naive().text("no end").message("p")]));
        await client.until(() => false);
        await outcome();
      }
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    await round(200);
    const early = await round(400);
    const late = await round(400);
    assert.ok(late - early < 4 * 1024 * 1024, `${late - early} bytes more`);
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
        ["-w", "-X", `host=localhost hostaddr=127.0.0.1 port=${port} user=me dbname=shop ${connection}`, "-c", ""],
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
      options = options_;
      const run = psql(`sslmode=${sslmode} sslrootcert=${authority.ca}`, "the token");
      const got = await session();
      assert.deepEqual(
        [got.tls, got.token, got.parameters.get("user"), got.parameters.get("database")],
        [encrypted, "the token", "me", "shop"],
      );
      greet(got);
      assert.deepEqual(await run, { status: 0, output: "" });
    });
  }
  it("leaves when it has no password", async () => {
    options = plain;
    const { status, output } = await psql("sslmode=disable");
    assert.equal(status, 2);
    assert.match(output, /no password supplied/);
    assert.deepEqual(await outcome(), { kind: "closed" });
  });
  it("shows why it was refused", async () => {
    options = secured;
    const { output } = await psql("sslmode=disable", "t");
    assert.match(output, /FATAL: {2}A token may travel only over TLS/);
    await refused("TLS_REQUIRED");
  });
});
