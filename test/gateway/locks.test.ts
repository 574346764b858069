// Somebody's open transaction with locks holds up nobody else's session.
import assert from "node:assert/strict";
import { it } from "node:test";
import pg from "pg";
import { cells, types, WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const port = Number(gate.postgres.split(":").at(-1));

it("goes on while tables that views read are locked, masked as before", async () => {
  const owner = new pg.Client(server.url("postgres", "shop"));
  await owner.connect();
  await owner.query("BEGIN; LOCK customers IN ACCESS EXCLUSIVE MODE");
  const client = await WireClient.open(port, await gate.token());
  const started = performance.now();
  assert.equal(types(await client.run("SELECT id FROM orders WHERE id = 1")), "T D C Z");
  assert.equal(types(await client.run("SELECT ssn FROM employees WHERE id = 1")), "T D C Z");
  assert.ok(performance.now() - started < 5000);
  await owner.query("COMMIT");
  await owner.end();
  // Once the lock is gone, views are known again.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const replies = await client.run("SELECT name, email FROM customer_contacts WHERE id = 1");
  assert.equal(cells(replies.find((reply) => reply.type === "D")!)[1], "[redacted]");
  client.end();
});
