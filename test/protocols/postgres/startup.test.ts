// What may happen before a session: every order of requests, slow and broken clients.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createSecureContext } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { RegateError } from "../../../src/errors.ts";
import { STARTUP } from "../../../src/protocols/postgres/codes.ts";
import * as encode from "../../../src/protocols/postgres/encode.ts";
import { naive } from "./naive.ts";
import { Acceptor, parameters, plain, startup } from "./startup-client.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const gate = new Acceptor();
before(() => gate.listen());
after(() => gate.close());

describe("without TLS", () => {
  before(() => {
    gate.options = plain;
  });
  it("takes startup packet, password and what follows, cut anywhere", async () => {
    const all = Buffer.concat([startup(), encode.encodePassword("t\u00f6ken")]);
    for (let cut = 1; cut < all.length; cut += 3) {
      const client = gate.client();
      client.socket.write(all.subarray(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 2));
      client.socket.write(Buffer.concat([all.subarray(cut), Buffer.from("leftover")]));
      await client.askedForPassword();
      const got = await gate.session();
      assert.deepEqual([...got.parameters], parameters);
      assert.deepEqual([got.token, got.tls, got.minor, got.leftover.toString()], ["t\u00f6ken", false, 0, "leftover"]);
      assert.equal(client.got.length, 0);
      got.socket.destroy();
    }
  });
  it("hands the socket over without losing a byte", async () => {
    const client = gate.client();
    client.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    const got = await gate.session();
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
    const client = gate.client();
    client.socket.write(encode.encodeSslRequest());
    assert.equal((await client.bytes(1)).toString(), "N");
    client.socket.write(naive().int32(STARTUP.gss).packet());
    assert.equal((await client.bytes(1)).toString(), "N");
    client.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    (await gate.session()).socket.destroy();
    const twice = gate.client();
    twice.socket.write(encode.encodeSslRequest());
    await twice.bytes(1);
    twice.socket.write(encode.encodeSslRequest());
    assert.equal((await twice.refusal()).C, "08P01");
    await gate.refused("PROTOCOL_VIOLATION");
  });
  it("lets the database default to the user", async () => {
    const client = gate.client();
    client.socket.write(Buffer.concat([startup(0, [["user", "shop"]]), encode.encodePassword("t")]));
    const got = await gate.session();
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
      const client = gate.client();
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
      const got = await gate.session();
      assert.equal(got.minor, agreed);
      assert.deepEqual([...got.parameters], parameters);
      got.socket.destroy();
    });
  }
  it("takes a cancel request with a key of 4 to 256 bytes, and answers nothing", async () => {
    for (const bytes of [4, 32, 256]) {
      const client = gate.client();
      client.socket.write(encode.encodeCancelRequest(4_000_000_000, Buffer.alloc(bytes, 7)));
      const got = await gate.outcome();
      assert.ok(!(got instanceof RegateError) && got.kind === "cancel");
      assert.deepEqual([got.pid, got.secret], [4_000_000_000, Buffer.alloc(bytes, 7)]);
      got.socket.end();
      await client.until(() => false);
      assert.equal(client.got.length, 0);
    }
    for (const bytes of [0, 3, 257]) {
      const client = gate.client();
      client.socket.write(encode.encodeCancelRequest(1, Buffer.alloc(bytes)));
      await client.refusal();
      await gate.refused("PROTOCOL_VIOLATION");
    }
  });
  it("refuses replication, but not its absence", async () => {
    for (const value of ["database", "true", "1", "on", "yes", "", "maybe"]) {
      const client = gate.client();
      client.socket.write(startup(0, [...parameters, ["replication", value]]));
      assert.equal((await client.refusal()).R, "REPLICATION_REFUSED");
      await gate.refused("REPLICATION_REFUSED");
    }
    for (const value of ["false", "F", "no", "off", "0"]) {
      const client = gate.client();
      client.socket.write(
        Buffer.concat([startup(0, [...parameters, ["replication", value]]), encode.encodePassword("t")]),
      );
      const got = await gate.session();
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
      const client = gate.client();
      client.socket.write(bytes);
      const error = await gate.refused("PROTOCOL_VIOLATION");
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
      const client = gate.client();
      client.socket.end(bytes);
      assert.deepEqual(await gate.outcome(), { kind: "closed" });
    }
    const client = gate.client();
    client.socket.write(startup());
    await client.askedForPassword();
    client.socket.resetAndDestroy();
    assert.deepEqual(await gate.outcome(), { kind: "closed" });
  });
});

describe("time", () => {
  it("ends a startup that does not finish, wherever it stopped, and says so", async () => {
    // No handshake comes so far that it would need a certificate.
    gate.options = { tls: createSecureContext(), allowPlaintext: true, timeoutMs: 150 };
    for (const bytes of [Buffer.alloc(0), startup().subarray(0, 6), startup()]) {
      const client = gate.client();
      client.socket.write(bytes);
      await client.until(() => false);
      assert.match(client.got.toString("latin1"), /STARTUP_TIMEOUT/);
      await gate.refused("STARTUP_TIMEOUT");
    }
    const client = gate.client();
    client.socket.write(encode.encodeSslRequest());
    await client.until(() => false);
    assert.equal(client.got.toString(), "S");
    await gate.refused("STARTUP_TIMEOUT");
  });
  it("ends one that drips, and holds up nobody meanwhile", async () => {
    gate.options = { ...plain, timeoutMs: 400 };
    const slow = gate.client();
    const drip = setInterval(() => slow.socket.write(startup().subarray(0, 1)), 20);
    const silent = Array.from({ length: 50 }, () => gate.client());
    await new Promise((resolve) => setTimeout(resolve, 100));
    const held = gate.outcomes.splice(0);
    const from = performance.now();
    const quick = gate.client();
    quick.socket.write(Buffer.concat([startup(), encode.encodePassword("t")]));
    (await gate.session()).socket.destroy();
    assert.ok(performance.now() - from < 200);
    for (const result of await Promise.all(held)) assert.ok(result instanceof RegateError);
    clearInterval(drip);
    for (const client of [slow, ...silent]) await client.until(() => false);
  });
  it("leaves no memory behind refused startups", async () => {
    gate.options = plain;
    const round = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) {
        const client = gate.client();
        client.socket.write(Buffer.concat([startup(), naive().text("no end").message("p")]));
        await client.until(() => false);
        await gate.outcome();
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
