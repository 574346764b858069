// Servers that lie, stall or leave while the gate logs in, and somebody in between.
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { RegateError } from "../../../src/errors.ts";
import { parseTarget } from "../../../src/protocols/postgres/target.ts";
import { connectUpstream } from "../../../src/protocols/postgres/upstream.ts";
import { naive } from "./naive.ts";
import { freePort } from "./server.ts";

let server: Server;
let port: number;
/** What the server does with each connection, and everything that it got. */
let act: (socket: Socket, got: () => Buffer) => void = () => undefined;
let got = Buffer.alloc(0);
let connections = 0;
const sockets = new Set<Socket>();

before(async () => {
  server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => undefined);
    let mine = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      mine = Buffer.concat([mine, chunk]);
      got = Buffer.concat([got, chunk]);
      act(socket, () => {
        const taken = mine;
        mine = Buffer.alloc(0);
        return taken;
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
after(() => server.close());
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  got = Buffer.alloc(0);
  connections = 0;
});

const ok = naive().int32(0).message("R");
const ready = naive().text("I").message("Z");
const key = naive().int32(7).int32(8).message("K");
const sasl = naive().int32(10).string("SCRAM-SHA-256").int8(0).message("R");
const refusal = naive()
  .text("S")
  .string("FATAL")
  .text("C")
  .string("28000")
  .text("M")
  .string("go away")
  .int8(0)
  .message("E");

/** Answers the nth write of the client with the nth of these. */
function script(...answers: readonly (Buffer | ((sent: Buffer) => Buffer))[]): void {
  const turns = new WeakMap<Socket, number>();
  act = (socket, taken) => {
    const turn = turns.get(socket) ?? 0;
    turns.set(socket, turn + 1);
    const answer = answers[turn];
    const sent = taken();
    if (answer !== undefined) socket.write(typeof answer === "function" ? answer(sent) : answer);
  };
}

async function failure(query = "sslmode=disable", where = port): Promise<RegateError> {
  const target = parseTarget(`postgres://app:topsecret@127.0.0.1:${where}/shop?${query}`);
  const error = await connectUpstream(target, { parameters: new Map() }).then(
    () => assert.fail("it should have failed"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RegateError, String(error));
  assert.doesNotMatch(inspect(error, { depth: 9 }), /topsecret/);
  for (const socket of sockets) if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
  return error;
}

describe("a server that cannot be reached", () => {
  it("is named, with the reason", async () => {
    const error = await failure("", await freePort());
    assert.equal(error.code, "UPSTREAM_UNREACHABLE");
    assert.match(error.detail ?? "", /127\.0\.0\.1:\d+\/shop: .*ECONNREFUSED/);
    const target = parseTarget("postgres://app:topsecret@no-such-host.invalid/shop");
    await assert.rejects(connectUpstream(target, { parameters: new Map() }), { code: "UPSTREAM_UNREACHABLE" });
    const missing = parseTarget("postgres://app@/shop?host=/nowhere");
    await assert.rejects(connectUpstream(missing, { parameters: new Map() }), { code: "UPSTREAM_UNREACHABLE" });
  });
  for (const [name, query, answers] of [
    ["at once", "sslmode=disable", []],
    ["before TLS is agreed", "sslmode=require", []],
    ["in the TLS handshake", "sslmode=require", [Buffer.from("S")]],
    ["after the login has begun", "sslmode=disable", [sasl]],
    ["before it is ready", "sslmode=disable", [Buffer.concat([ok, key])]],
    ["within a message", "sslmode=disable", [ok.subarray(0, 3)]],
  ] as const) {
    it(`times out when it stalls ${name}`, async () => {
      script(...answers);
      const from = performance.now();
      const error = await failure(`${query}&connect_timeout=1`);
      assert.equal(error.code, "UPSTREAM_UNREACHABLE");
      assert.match(error.detail ?? "", /within 1 s/);
      assert.ok(performance.now() - from < 2500);
    });
  }
  it("is reported when it leaves", async () => {
    act = (socket) => socket.end();
    assert.match((await failure()).detail ?? "", /closed the connection/);
    act = (socket) => socket.resetAndDestroy();
    assert.equal((await failure()).code, "UPSTREAM_UNREACHABLE");
  });
  it("is unreachable, not hostile, while it starts or is full", async () => {
    for (const code of ["57P03", "53300"]) {
      script(naive().text("C").string(code).text("M").string("not now").int8(0).message("E"));
      const error = await failure();
      assert.equal(error.code, "UPSTREAM_UNREACHABLE");
      assert.match(error.detail ?? "", new RegExp(`${code} not now`));
    }
  });
});

describe("the answer to the request for TLS", () => {
  for (const [name, answer] of [
    ["S with bytes behind it", Buffer.from("Sx")],
    ["N with a message behind it", Buffer.concat([Buffer.from("N"), ok, ready])],
    ["an error text that nobody has authenticated", refusal],
    ["a message", ok],
  ] as const) {
    it(`is not ${name}`, async () => {
      script(answer);
      const error = await failure("sslmode=require");
      assert.equal(error.code, "UPSTREAM_TLS");
      assert.doesNotMatch(error.detail ?? "", /go away/);
      assert.ok(!got.includes("app"), "nothing but the request was sent");
    });
  }
  it("of N ends the login where TLS is required, before a name or password is sent", async () => {
    script(Buffer.from("N"));
    for (const query of ["sslmode=require", "sslmode=verify-full&sslrootcert=system"]) {
      assert.match((await failure(query)).detail ?? "", /does not offer TLS/);
    }
    assert.ok(!got.includes("app") && !got.includes("topsecret"));
  });
});

describe("a server that lies", () => {
  it("asks for the password in clear without getting it where channel binding is required", async () => {
    script(naive().int32(3).message("R"));
    assert.equal((await failure("sslmode=disable&channel_binding=require")).code, "UPSTREAM_AUTH");
    assert.ok(!got.includes("topsecret"));
  });
  it("skips its proof", async () => {
    const first = (sent: Buffer): Buffer => {
      const nonce = /r=(.*)$/s.exec(sent.toString("latin1"))?.[1] ?? "";
      return naive().int32(11).text(`r=${nonce}more,s=AAAAAAAAAAAAAAAAAAAAAA==,i=4096`).message("R");
    };
    script(sasl, first, Buffer.concat([ok, key, ready]));
    assert.match((await failure()).detail ?? "", /skipped its own proof/);
    script(sasl, Buffer.concat([ok, key, ready]));
    assert.match((await failure()).detail ?? "", /skipped its own proof/);
    script(
      sasl,
      first,
      Buffer.concat([
        naive()
          .int32(12)
          .text(`v=${"A".repeat(43)}=`)
          .message("R"),
        ok,
        key,
        ready,
      ]),
    );
    assert.match((await failure()).detail ?? "", /could not prove/);
  });
  for (const [name, code, ...answers] of [
    ["is ready without an authentication", "UPSTREAM_PROTOCOL", Buffer.concat([key, ready])],
    ["asks again after it has granted", "UPSTREAM_PROTOCOL", Buffer.concat([ok, naive().int32(3).message("R")])],
    ["turns from SCRAM to the clear password", "UPSTREAM_PROTOCOL", sasl, naive().int32(3).message("R")],
    ["begins SCRAM twice", "UPSTREAM_PROTOCOL", sasl, sasl],
    [
      "goes on with SCRAM that has not begun",
      "UPSTREAM_PROTOCOL",
      naive().int32(11).text("r=x,s=AAAA,i=4096").message("R"),
    ],
    ["ends SCRAM that has not begun", "UPSTREAM_PROTOCOL", naive().int32(12).text("v=AAAA").message("R")],
    ["wants Kerberos", "UPSTREAM_AUTH", naive().int32(7).message("R")],
    ["offers no known SASL", "UPSTREAM_AUTH", naive().int32(10).string("OAUTHBEARER").int8(0).message("R")],
    ["sends a row during the login", "UPSTREAM_PROTOCOL", Buffer.concat([ok, naive().int16(0).message("D")])],
    ["sends an unknown message", "UPSTREAM_PROTOCOL", naive().message("!")],
    ["announces a message of 2 GiB", "UPSTREAM_PROTOCOL", Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff])],
    ["announces a length of zero", "UPSTREAM_PROTOCOL", Buffer.from([0x52, 0, 0, 0, 0])],
    ["wants a newer protocol", "UPSTREAM_PROTOCOL", naive().int32(0x30009).int32(0).message("v")],
    ["refuses", "UPSTREAM_AUTH", refusal],
  ] as const) {
    it(`${name}: ${code}`, async () => {
      script(...answers);
      assert.equal((await failure()).code, code);
      assert.equal(connections, 1);
      assert.ok(!got.includes("topsecret"));
    });
  }
});

describe("a server's odd but honest ways", () => {
  it("are taken: notices, no key, bytes after it is ready, everything byte by byte", async () => {
    const notice = naive().text("M").string("hello").int8(0).message("N");
    const all = Buffer.concat([
      notice,
      ok,
      naive().string("a").string("1").message("S"),
      naive().string("a").string("2").message("S"),
      ready,
      notice,
    ]);
    act = (socket) => {
      socket.setNoDelay(true);
      let at = 0;
      const drip = setInterval(() => {
        if (at === all.length) clearInterval(drip);
        else socket.write(all.subarray(at, ++at));
      }, 1);
    };
    const upstream = await connectUpstream(parseTarget(`postgres://app@127.0.0.1:${port}/shop?sslmode=disable`), {
      parameters: new Map(),
    });
    assert.deepEqual(upstream.notices, [notice]);
    assert.deepEqual([...upstream.parameters], [["a", "2"]]);
    let rest = upstream.initial;
    upstream.socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
    });
    upstream.socket.resume();
    while (rest.length < notice.length) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(rest, notice);
    upstream.socket.destroy();
  });
  it("survive a cancel request that nobody answers", async () => {
    script(Buffer.concat([ok, key, ready]));
    const target = parseTarget(`postgres://app@127.0.0.1:${port}/shop?sslmode=disable&connect_timeout=1`);
    const upstream = await connectUpstream(target, { parameters: new Map() });
    await upstream.cancel();
    assert.equal(connections, 2);
    assert.ok(got.includes(naive().int32(80877102).int32(7).int32(8).packet()));
    upstream.socket.destroy();
  });
});
