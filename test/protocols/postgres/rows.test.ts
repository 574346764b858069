// Masked rows, through the relay, however the server's bytes are cut: a proxy that hands them on in small pieces changes nothing.
import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { after, before, it } from "node:test";
import { type CellMask, RowWriter } from "../../../src/protocols/postgres/rows.ts";
import type { RegateError } from "../../../src/errors.ts";
import { allow, startTestGate, type TestGate } from "./gate.ts";
import { cells, frame, WireClient } from "./wire-client.ts";

let gate: TestGate;
let pieces = 1 << 20;
const proxy = createServer((client: Socket) => {
  const server = connect({ host: "127.0.0.1", port: gate.server.port });
  client.on("data", (chunk) => server.write(chunk));
  server.on("data", async (chunk: Buffer) => {
    server.pause();
    for (let at = 0; at < chunk.length; at += pieces) {
      client.write(chunk.subarray(at, at + pieces));
      // One turn of the loop each, so that the pieces arrive as pieces.
      await new Promise((resolve) => setImmediate(resolve));
    }
    server.resume();
  });
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on("close", () => other.destroy());
    one.on("error", () => other.destroy());
  }
});

before(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as { port: number };
  gate = await startTestGate(
    "CREATE TABLE people AS SELECT i AS id, 'secret ' || i AS name, repeat('ü', i) AS note FROM generate_series(1, 40) i;\n\n",
    { upstreamPort: port },
  );
  // The catalog is read before: it is large, and no result.
  const first = await WireClient.open(gate.port, "good");
  await first.run("SELECT id FROM people");
  first.end();
});
after(async () => {
  await gate.close();
  proxy.close();
});

it("gives the same rows from pieces of every size", { timeout: 120_000 }, async () => {
  gate.decide = () => ({ action: "mask", masks: [{ statement: 0, output: 1, mask: "redact", code: "m" }] });
  const expected = Array.from({ length: 40 }, (_, i) => [String(i + 1), "[redacted]", "ü".repeat(i + 1)]);
  for (const size of [1, 2, 3, 4, 5, 6, 7, 11, 64, 1000, 65536]) {
    pieces = size;
    const client = await WireClient.open(gate.port, "good");
    const rows = (await client.run("SELECT id, name, note FROM people ORDER BY id"))
      .filter((reply) => reply.type === "D")
      .map(cells);
    assert.deepEqual(rows, expected, `pieces of ${size}`);
    client.end();
  }
  gate.decide = allow;
});

it("refuses a row that is not of the described form", () => {
  const redact: CellMask = Object.assign(() => Buffer.from("x"), { constant: Buffer.from("x") });
  const row = (body: readonly number[]): Buffer => frame("D", Buffer.from(body));
  for (const body of [
    [0, 1],
    [0, 2, 0, 0, 0, 1, 65],
    [0, 1, 0, 0, 0, 9, 65],
    [0, 1, 255, 255, 255, 254],
    [0, 1, 0, 0, 0, 1, 65, 66],
  ]) {
    const bytes = row(body);
    assert.throws(
      () => new RowWriter().row(bytes, 0, bytes.length, [redact]),
      (thrown: RegateError) => thrown.code === "UPSTREAM_PROTOCOL",
      String(body),
    );
  }
  const writer = new RowWriter();
  const whole = row([0, 2, 0, 0, 0, 2, 65, 66, 255, 255, 255, 255]);
  assert.equal(writer.row(whole, 0, whole.length, [redact, redact]), 1);
  assert.deepEqual(writer.take(), row([0, 2, 0, 0, 0, 1, 120, 255, 255, 255, 255]));
});
