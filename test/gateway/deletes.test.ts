// Every way to say DELETE that the shipped policy blocks: none takes effect, and each leaves a record.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cells, errorOf, extended as x, frame, refusal, WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const port = Number(gate.postgres.split(":").at(-1));
const token = await gate.token();
const rows = async () => {
  const client = await WireClient.open(port, token);
  const replies = await client.run("SELECT count(*) FROM orders");
  client.end();
  return Number(cells(replies.find((reply) => reply.type === "D")!)[0]);
};

const texts: { readonly [name: string]: readonly string[] } = {
  plain: ["DELETE FROM orders"],
  "behind 2 MiB of comment": [`/*${" ".repeat(2 << 20)}*/ DELETE FROM orders`],
  "in a code block": ["DO $$ BEGIN DELETE FROM orders; END $$"],
  "in a CTE": ["WITH x AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM x"],
  "under EXPLAIN ANALYZE": ["EXPLAIN ANALYZE DELETE FROM orders"],
  "prepared and executed": ["PREPARE p AS DELETE FROM orders", "EXECUTE p"],
  "prepared and executed in one text": ["PREPARE q AS DELETE FROM orders; EXECUTE q"],
  "with a WHERE that is always true": [
    "DELETE FROM orders WHERE true",
    "DELETE FROM orders WHERE id = id",
    "DELETE FROM orders WHERE id > 0",
  ],
  truncated: ["TRUNCATE orders CASCADE"],
  merged: ["MERGE INTO orders USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE"],
  "behind a harmless statement": ["SELECT 1; DELETE FROM orders"],
  "in another case, quoted, with comments": ['dElEtE/**/FROM/**/"orders"', "DELETE FROM ONLY public.orders"],
  "as a schema change": [
    "CREATE RULE r AS ON SELECT TO customers DO INSTEAD SELECT 1",
    "CREATE TABLE t AS WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x",
  ],
  "copied out": ["COPY (DELETE FROM orders RETURNING id) TO STDOUT"],
  "through a function that takes SQL": [
    "SELECT query_to_xml('DELETE FROM orders', true, true, '')",
    "SELECT pg_catalog.query_to_xml_and_xmlschema('DELETE FROM orders RETURNING 1', true, true, '')",
  ],
};

const blocks = (): number =>
  gate.records().filter((line) => line.path === "regate/decision" && line.result.action === "block").length;

describe("DELETE", () => {
  for (const [name, commands] of Object.entries(texts)) {
    it(`${name}, in a simple query`, async () => {
      const before = await rows();
      const blocked = blocks();
      const client = await WireClient.open(port, token);
      let refused = 0;
      for (const sql of commands) refused += (await client.run(sql)).filter((reply) => reply.type === "E").length;
      assert.ok(refused > 0);
      assert.equal((await client.run("SELECT 1")).at(-1)!.body.toString(), "I");
      client.end();
      assert.equal(await rows(), before);
      assert.ok(blocks() > blocked);
    });

    it(`${name}, in the extended protocol`, async () => {
      const before = await rows();
      const blocked = blocks();
      const client = await WireClient.open(port, token);
      for (const sql of commands) {
        client.socket.write(
          Buffer.concat([x.parse("", sql), x.bind("", ""), x.describePortal(""), x.execute(""), x.sync()]),
        );
        await client.until("Z");
      }
      assert.equal((await client.run("SELECT 1")).at(-1)!.body.toString(), "I");
      client.end();
      assert.equal(await rows(), before);
      assert.ok(blocks() > blocked);
    });
  }

  it("through temporary views on top of each other", async () => {
    const client = await WireClient.open(port, token);
    for (const [view, below] of [
      ["near", "orders"],
      ["far", "near"],
      ["further", "far"],
    ])
      await client.run(`CREATE TEMP VIEW ${view} AS SELECT * FROM ${below}`);
    for (const sql of [
      "DELETE FROM near",
      "DELETE FROM far",
      "WITH gone AS (DELETE FROM further RETURNING id) SELECT count(*) FROM gone",
      "UPDATE further SET status = status",
      "MERGE INTO far USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET status = 'x'",
    ])
      assert.match(refusal(await client.run(sql)).M ?? "", /must fix which ones/, sql);
    client.end();
  });

  it("through the function-call message", async () => {
    const before = await rows();
    const blocked = blocks();
    const client = await WireClient.open(port, token);
    const oid = Number(
      cells(
        (await client.run("SELECT 'pg_catalog.query_to_xml(text,bool,bool,text)'::regprocedure::oid")).find(
          (reply) => reply.type === "D",
        )!,
      )[0],
    );
    const text = Buffer.from("DELETE FROM orders");
    const argument = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(oid);
    client.socket.write(
      frame(
        "F",
        Buffer.concat([
          head,
          Buffer.from([0, 0, 0, 4]),
          argument(text),
          argument(Buffer.from("t")),
          argument(Buffer.from("t")),
          argument(Buffer.from("")),
          Buffer.from([0, 0]),
        ]),
      ),
    );
    const replies = await client.until("Z");
    assert.match(errorOf(replies.find((reply) => reply.type === "E")!).M ?? "", /blocked by policy/);
    client.end();
    assert.equal(await rows(), before);
    assert.ok(blocks() > blocked);
  });
});
