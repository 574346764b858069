// A column keeps the tags that came to it by partitioning, inheritance, generation or its schema, whatever cuts it off, within a transaction, too.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ auth: "trust" });
const direct = new pg.Client(server.url("app", "shop"));
direct.on("error", () => undefined);
await direct.connect();
after(() => direct.end());
await direct.query(`
  CREATE SCHEMA closed;
  CREATE TABLE parted (id int, payload text) PARTITION BY RANGE (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
  CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
  CREATE TABLE other (id int, payload text) PARTITION BY RANGE (id);
  CREATE TABLE parent (id int, secret text);
  CREATE TABLE child (extra text) INHERITS (parent);
  CREATE TABLE made (id int, secret text, up text GENERATED ALWAYS AS (upper(secret)) STORED, again text GENERATED ALWAYS AS (lower(secret)) STORED);
  CREATE TABLE closed.kept (id int, secret text);
  CREATE TABLE filled (id int, payload text);
  INSERT INTO parted VALUES (1, 'S3CRET'), (11, 'S3CRET');
  INSERT INTO child VALUES (1, 'S3CRET', 'x');
  INSERT INTO made VALUES (1, 'S3CRET');
  INSERT INTO closed.kept VALUES (1, 'S3CRET');
`);
const gate = await startGate({
  policy: "mask_tagged",
  data: {
    classification: {
      shop: {
        "public.parted.payload": ["pii"],
        "public.parent.secret": ["pii"],
        "public.made.secret": ["pii"],
        closed: ["pii"],
      },
    },
    masks: { pii: { mask: "null" } },
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const client = new pg.Client(await gate.url("shop"));
client.on("error", () => undefined);
await client.connect();
after(() => client.end());
await client.query("SELECT id FROM parted");

/** The cell is there, masked. */
async function masked(text: string): Promise<void> {
  const asked = () => client.query({ text, rowMode: "array" });
  // What was judged before a change past the gate was seen is to be sent again.
  const { rows } = await asked().catch((error: pg.DatabaseError) =>
    error.code === "40001" ? asked() : Promise.reject(error),
  );
  assert.deepEqual(rows, [[null]]);
}

const cuts: readonly (readonly [what: string, cut: string, read: string])[] = [
  ["a child", "ALTER TABLE child NO INHERIT parent", "SELECT secret FROM child"],
  ["a generated column", "ALTER TABLE made ALTER up DROP EXPRESSION", "SELECT up FROM made"],
  ["a partition", "ALTER TABLE parted DETACH PARTITION parted_1", "SELECT payload FROM parted_1"],
  ["a table of a schema", "ALTER TABLE closed.kept SET SCHEMA public", "SELECT secret FROM public.kept"],
];

describe("what is cut off from a protected column", () => {
  for (const [what, cut, read] of cuts) {
    it(`stays protected within the transaction: ${what}`, async () => {
      await client.query("BEGIN");
      await client.query(cut);
      await masked(read);
      await client.query("ROLLBACK");
    });
    it(`stays protected: ${what}`, async () => {
      await client.query(cut);
      await masked(read);
    });
  }

  it("stays protected where it is attached elsewhere, and takes its tags there", async () => {
    await client.query("ALTER TABLE other ATTACH PARTITION parted_1 FOR VALUES FROM (0) TO (10)");
    await masked("SELECT payload FROM other");
  });

  it("stays protected under another name", async () => {
    await client.query("ALTER TABLE child RENAME secret TO known; ALTER TABLE child RENAME TO renamed");
    await masked("SELECT known FROM renamed");
  });

  it("stays protected where it is cut past the gate", async () => {
    await direct.query("ALTER TABLE made ALTER again DROP EXPRESSION; ALTER TABLE parted DETACH PARTITION parted_2");
    await masked("SELECT again FROM made");
    await masked("SELECT payload FROM parted_2");
  });

  it("stays protected where it was attached in a transaction only", async () => {
    await client.query("BEGIN");
    await client.query("CREATE TABLE brief PARTITION OF parted FOR VALUES FROM (20) TO (30)");
    await client.query("INSERT INTO parted VALUES (21, 'S3CRET')");
    await client.query("ALTER TABLE parted DETACH PARTITION brief");
    await masked("SELECT payload FROM brief");
    // Somebody else's reading, which does not see it yet.
    await direct.query("CREATE TABLE meanwhile (id int)");
    const beside = new pg.Client(await gate.url("shop"));
    await beside.connect();
    await beside.query("SELECT id FROM meanwhile");
    await beside.end();
    await client.query("COMMIT");
    await masked("SELECT payload FROM brief");
    await client.query("CREATE TABLE afterwards (id int)");
    await masked("SELECT payload FROM brief");
  });
});

describe("what had no tags", () => {
  it("gets none", async () => {
    await client.query("INSERT INTO filled VALUES (1, 'open')");
    assert.deepEqual((await client.query("SELECT payload FROM filled")).rows, [{ payload: "open" }]);
    assert.deepEqual((await client.query("SELECT extra, id FROM renamed")).rows, [{ extra: "x", id: 1 }]);
  });
});
