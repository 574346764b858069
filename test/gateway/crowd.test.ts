// Silent, slow and refused clients cost others nothing.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, it } from "node:test";
import { WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  config: { limits: { startup_timeout: "60s" } },
});
const port = Number(gate.postgres.split(":").at(-1));
const token = await gate.token();

/** Median milliseconds of a login and ten queries. */
async function pace(): Promise<number> {
  const figures: number[] = [];
  for (let i = 0; i < 9; i++) {
    const started = performance.now();
    const client = await WireClient.open(port, token);
    for (let j = 0; j < 10; j++) await client.run("SELECT id FROM orders WHERE id = 1");
    client.end();
    figures.push(performance.now() - started);
  }
  return figures.sort((a, b) => a - b)[4]!;
}

it("500 silent connections and one that sends a byte a second do not hold up another", {
  timeout: 120_000,
}, async () => {
  await pace();
  const alone = await pace();
  const idle: Socket[] = [];
  for (let i = 0; i < 500; i++) {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    idle.push(socket);
  }
  const slow = connect({ port, host: "127.0.0.1" });
  slow.on("error", () => undefined);
  const drip = setInterval(() => slow.write(Buffer.from([0])), 1000);
  after(() => {
    clearInterval(drip);
    slow.destroy();
    for (const socket of idle) socket.destroy();
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const crowded = await pace();
  assert.ok(crowded < alone * 5 + 50, `${alone.toFixed(1)} ms alone, ${crowded.toFixed(1)} ms in the crowd`);
  clearInterval(drip);
  slow.destroy();
  for (const socket of idle) socket.destroy();
});

it("1,000 refused logins leave memory flat", { timeout: 120_000 }, async () => {
  const refuse = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await assert.rejects(WireClient.open(port, `${token}x`), /token was refused/);
  };
  await refuse(300);
  globalThis.gc?.();
  const before = process.memoryUsage();
  await refuse(1000);
  globalThis.gc?.();
  const grown = process.memoryUsage().rss - before.rss;
  assert.ok(grown < 48 * 1024 * 1024, `${(grown / 1024 / 1024).toFixed(0)} MiB more`);
});

it("clients that leave without a word leave nothing behind, wherever they were", async () => {
  const sessions = async (): Promise<number> =>
    ((await (await fetch(`http://${gate.http}/healthz`)).json()) as { sessions: number }).sessions;
  const before = await sessions();
  for (const text of [undefined, "SELECT 1", "BEGIN", "SELECT pg_sleep(0.2)"]) {
    const client = await WireClient.open(port, token);
    if (text !== undefined) client.query(text);
    if (text !== undefined && !text.includes("sleep")) await client.until("Z");
    client.socket.end();
  }
  const deadline = Date.now() + 10_000;
  while ((await sessions()) > before && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await sessions(), before);
});
