// Cursors and portals of every kind show what a SELECT through the gate shows, and never the real value.
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import * as wire from "../support/wire.ts";

const server = await startServer();
const direct = new pg.Client(server.url("postgres", "shop"));
await direct.connect();
await direct.query(`
  CREATE TABLE kept (id int PRIMARY KEY, code uuid, secret text, day date);
  INSERT INTO kept SELECT i, ('0195d3a4-7b1c-7000-8000-00000000000' || i)::uuid, 'topsecret' || i, '1987-11-23'::date + i FROM generate_series(1, 6) i;
  GRANT ALL ON kept TO app;
`);
await direct.end();
const gate = await startGate({
  policy: "mask_tagged",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  data: {
    masks: {
      hashed: { mask: "hash" },
      parted: { mask: "partial", keep_last: 1 },
      cut: { mask: "truncate", to: "year" },
    },
    classification: {
      shop: { "public.kept.code": ["hashed"], "public.kept.secret": ["parted"], "public.kept.day": ["cut"] },
    },
  },
});
const client = await wire.Wire.login(gate.postgres, "agent", "shop", await gate.token());
const all = "SELECT id, code, secret, day FROM kept ORDER BY id";

const rowsOf = (messages: readonly wire.WireMessage[]): string[] => {
  const failed = messages.find((one) => one.type === "E");
  assert.deepEqual(failed === undefined ? undefined : wire.errorFields(failed), undefined);
  return messages.filter((one) => one.type === "D").map((one) => one.body.toString("hex"));
};
const run = async (sql: string): Promise<string[]> => rowsOf(await client.query(sql));
const send = async (...messages: Buffer[]): Promise<string[]> => {
  client.send(...messages, wire.sync());
  return rowsOf(await client.until());
};

const shown = await run(all);
const binary = await send(
  wire.parse("", all),
  wire.bind("", "", [], [], [1]),
  wire.describe("P", ""),
  wire.execute(""),
);

test("what a SELECT shows is masked, in both formats", () => {
  assert.equal(shown.length, 6);
  assert.equal(binary.length, 6);
  for (const row of [...shown, ...binary]) {
    assert.ok(!Buffer.from(row, "hex").includes("topsecret"));
    assert.ok(Buffer.from(row, "hex").includes("*********"));
  }
});

test("a scrollable cursor, moved and read in every direction", async () => {
  await run("BEGIN");
  await run(`DECLARE c SCROLL CURSOR FOR ${all}`);
  assert.deepEqual(await run("FETCH FIRST FROM c"), shown.slice(0, 1));
  assert.deepEqual(await run("MOVE 2 FROM c"), []);
  assert.deepEqual(await run("FETCH 2 FROM c"), shown.slice(3, 5));
  assert.deepEqual(await run("FETCH BACKWARD ALL FROM c"), shown.slice(0, 4).reverse());
  assert.deepEqual(await run("FETCH ABSOLUTE -1 IN c"), shown.slice(5));
  assert.deepEqual(await run("FETCH RELATIVE 0 c"), shown.slice(5));
  assert.deepEqual(await run("MOVE ABSOLUTE 0 IN c; FETCH 1 c; CLOSE c"), shown.slice(0, 1));
  await run("COMMIT");
});

test("one WITH HOLD, after its transaction, also for messages", async () => {
  await run(`DECLARE h CURSOR WITH HOLD FOR ${all}`);
  assert.deepEqual(await run("FETCH 2 FROM h"), shown.slice(0, 2));
  assert.deepEqual(await send(wire.execute("h", 1)), shown.slice(2, 3));
  assert.deepEqual(await send(wire.describe("P", "h"), wire.execute("h", 1)), shown.slice(3, 4));
  const fetching = [wire.parse("", "FETCH 1 FROM h"), wire.bind("", "", [], [], [1]), wire.execute("")];
  assert.deepEqual(await send(...fetching), binary.slice(4, 5));
  await run("CLOSE h");
});

test("a binary cursor", async () => {
  await run("BEGIN");
  await run(`DECLARE b BINARY CURSOR FOR ${all}`);
  assert.deepEqual(await run("FETCH 2 FROM b"), binary.slice(0, 2));
  // Messages ask for a format of their own.
  assert.deepEqual(await send(wire.execute("b", 2)), shown.slice(2, 4));
  assert.deepEqual(await send(wire.parse("", "FETCH ALL FROM b"), wire.bind("", ""), wire.execute("")), shown.slice(4));
  await run("COMMIT");
});

test("a portal that is read in parts, and by SQL between them", async () => {
  await run("BEGIN");
  assert.deepEqual(
    await send(wire.parse("s", all), wire.bind("p", "s", [], [], [1]), wire.execute("p", 2)),
    binary.slice(0, 2),
  );
  assert.deepEqual(await send(wire.execute("p", 1), wire.execute("p", 1)), binary.slice(2, 4));
  assert.deepEqual(await run("FETCH 1 FROM p"), shown.slice(4, 5));
  assert.deepEqual(await send(wire.execute("p")), binary.slice(5));
  await run("COMMIT");
});

test("what a change returns, in parts", async () => {
  await run("BEGIN");
  const returning = "UPDATE kept SET id = id WHERE true RETURNING id, code, secret, day";
  const [first, ...others] = await send(wire.parse("", returning), wire.bind("u", ""), wire.execute("u", 1));
  const rest = await send(wire.execute("u"));
  assert.deepEqual(others, []);
  assert.deepEqual([first, ...rest].sort(), [...shown].sort());
  await run("ROLLBACK");
});

test("the rows of a cursor that is closed, changed through, or gone stay masked", async () => {
  await run("BEGIN");
  await run("DECLARE u CURSOR FOR SELECT id, code, secret, day FROM kept WHERE id = 1 FOR UPDATE");
  await run("FETCH 1 FROM u");
  assert.deepEqual(
    await run("UPDATE kept SET id = 1 WHERE CURRENT OF u RETURNING id, code, secret, day"),
    shown.slice(0, 1),
  );
  await run("CLOSE u");
  const gone = await client.query("FETCH 1 FROM u");
  assert.match(wire.shape(gone), /^E:34000 ZE$/);
  await client.query("ROLLBACK");
  client.end();
});
