// What a server may send in one message is up to a gigabyte: whatever it is, the gate does not hold it.
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { errorFields, functionCall, query, shape, Wire, type WireMessage } from "../../support/wire.ts";
import { allow, startTestGate, type TestGate } from "./gate.ts";

let gate: TestGate;
before(async () => {
  gate = await startTestGate(
    `CREATE TABLE large AS SELECT 1 AS id, repeat('s', 9000) AS secret;

    CREATE FUNCTION large(int) RETURNS text LANGUAGE sql AS $$ SELECT repeat('secret', $1) $$;\n\n`,
    { limits: { rowBytes: 1 << 20 } },
  );
  // What is read and compiled once is no part of what a message takes.
  const client = await login();
  await client.query("SELECT id, secret FROM large");
  client.end();
});
after(() => gate.close());

/**
 * What came back, and by how much the heap and its buffers grew at most meanwhile. (The resident set tells less: threads that compile the parser
 * anew take hundreds of megabytes for some seconds, and its own memory grows by as much at once.)
 */
async function grown(work: () => Promise<WireMessage[]>): Promise<{ seen: WireMessage[]; mebibytes: number }> {
  const held = (): number => process.memoryUsage().heapTotal + process.memoryUsage().arrayBuffers;
  const begun = held();
  let most = begun;
  const watch = setInterval(() => {
    most = Math.max(most, held());
  }, 5);
  const seen = await work();
  clearInterval(watch);
  return { seen, mebibytes: (most - begun) / 2 ** 20 };
}
function login(): Promise<Wire> {
  return Wire.login(`127.0.0.1:${gate.port}`, "agent", "shop", "good");
}
async function asked(client: Wire, sql: string): Promise<WireMessage[]> {
  client.send(query(sql));
  return await client.until("Z", 1, 120_000);
}

it("refuses a row with a masked cell of hundreds of megabytes, and goes on", { timeout: 180_000 }, async () => {
  const client = await login();
  gate.decide = () => ({ action: "mask", masks: [{ statement: 0, output: 1, mask: "hash", code: "m" }] });
  const { seen, mebibytes } = await grown(() => asked(client, "SELECT id, repeat(secret, 20000) FROM large"));
  gate.decide = allow;
  assert.equal(shape(seen), "T E:54000 ZI");
  assert.equal(errorFields(seen[1]!).R, "ROW_TOO_LARGE");
  // Not how large it is: with what else is in the row that would tell how long the masked value is.
  assert.doesNotMatch(errorFields(seen[1]!).D ?? "", /It has/);
  assert.ok(mebibytes < 100, `${mebibytes} MiB more`);
  assert.equal(shape(await client.query("SELECT 1")), "T D C ZI");
  client.end();
});

it("cuts errors and notices that are longer than any text", { timeout: 180_000 }, async () => {
  const client = await login();
  for (const [sql, expected] of [
    ["SELECT repeat('ü', 80000000)::int", "E:22P02 ZI"],
    ["DO $$ BEGIN RAISE NOTICE '%', repeat('ü', 80000000); END $$", "N C ZI"],
    ["DO $$ BEGIN RAISE '%', repeat('ü', 80000000); END $$", "E:P0001 ZI"],
  ] as const) {
    const { seen, mebibytes } = await grown(() => asked(client, sql));
    assert.equal(shape(seen.filter(({ type }) => type !== "S")), expected);
    const told = errorFields(seen.find(({ type }) => type === "E" || type === "N")!);
    assert.match(told.M!, /^(invalid input syntax for type integer: ")?ü{1000,}… \(cut by the gate\)$/);
    assert.ok(mebibytes < 100, `${sql}: ${mebibytes} MiB more`);
  }
  assert.equal(shape(await client.query("SELECT 1")), "T D C ZI");
  client.end();
});

it("hands on the result of a function call as it comes", { timeout: 180_000 }, async () => {
  const client = await login();
  const rows = await client.query("SELECT 'large(int)'::regprocedure::oid::text");
  const oid = Number(rows.find(({ type }) => type === "D")!.body.toString("latin1", 6));
  let [bytes, last] = [0, Buffer.alloc(0)];
  client.socket.removeAllListeners("data");
  const done = new Promise<void>((resolve) =>
    client.socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      last = Buffer.concat([last, chunk]).subarray(-6);
      if (last.toString("latin1") === "Z\0\0\0\x05I") resolve();
    }),
  );
  const { mebibytes } = await grown(async () => {
    client.send(functionCall(oid, ["30000000"]));
    await done;
    return [];
  });
  assert.equal(bytes, 5 + 4 + 180_000_000 + 6);
  assert.ok(mebibytes < 100, `${mebibytes} MiB more`);
  client.end();
});
