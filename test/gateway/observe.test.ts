// Mode observe decides and records, says so everywhere, and enforces nothing.
import assert from "node:assert/strict";
import { it } from "node:test";
import { cells, errorOf, types, WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  config: { policy: { mode: "observe" } },
});
const client = await WireClient.open(Number(gate.postgres.split(":").at(-1)), await gate.token());

it("lets everything pass, and records what would have been decided", async () => {
  assert.equal(types(await client.run("BEGIN")), "C Z");
  assert.equal(types(await client.run("DELETE FROM order_items")), "C Z");
  assert.equal(types(await client.run("ROLLBACK")), "C Z");
  const [row] = (await client.run("SELECT email FROM customers WHERE id = 1")).filter((reply) => reply.type === "D");
  assert.match(cells(row!)[0] ?? "", /@/);
  assert.equal(types(await client.run("SELECT upper(email) FROM customers WHERE id = 1")), "T D C Z");
  const syntax = await client.run("SELEC 1");
  assert.equal(errorOf(syntax.find((reply) => reply.type === "E")!).F, "scan.l");
  assert.equal(types(await client.run(`SELECT 1 /*${" ".repeat(2 << 20)}*/`)), "T D C Z");
  const decisions = gate.records().filter((line) => line.path === "regate/decision");
  assert.ok(decisions.every((line) => line.custom.mode === "observe"));
  const would = decisions.filter((line) => line.input.stage === "command").map((line) => line.result.action);
  assert.deepEqual(would, ["allow", "block", "allow", "mask", "mask", "block", "block"]);
  client.end();
});

it("says so in /healthz", async () => {
  const health = (await (await fetch(`http://${gate.http}/healthz`)).json()) as { mode: string };
  assert.equal(health.mode, "observe");
});
