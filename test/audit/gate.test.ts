// A gate whose disk is full: commands are refused with a clear error, sessions live on, and nothing is lost from the log.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import { smallDisk } from "./disk.ts";

const disk = smallDisk();
const server = await startServer();
const gate = await startGate({ resources: { shop: server.url("app", "shop") }, dataDir: join(disk.dir, "data") });
const direct = new pg.Client({ connectionString: server.url("app", "shop") });
direct.on("error", () => {});
await direct.connect();
after(() => direct.end());
after(() => disk.remove());
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: await gate.url() });
  // The gate ends before its clients do.
  client.on("error", () => {});
  await client.connect();
  after(() => client.end());
  return client;
};
const code = async (run: Promise<unknown>): Promise<string> => {
  try {
    await run;
    return "ran";
  } catch (error) {
    const { code: sqlstate, detail } = error as pg.DatabaseError;
    return `${sqlstate} ${/[A-Z]+_[A-Z_]+/.exec(detail ?? "")?.[0]}`;
  }
};
const status = async (id: number): Promise<string> =>
  (await direct.query("SELECT status FROM orders WHERE id = $1", [id])).rows[0].status;
const health = async (): Promise<{ audit: string }> =>
  (await fetch(`http://${gate.http}/healthz`)).json() as Promise<{ audit: string }>;

test("reads and writes are refused while the log cannot be written, and run again once it can", async () => {
  const [reader, writer] = [await connect(), await connect()];
  await writer.query("UPDATE orders SET status = 'one' WHERE id = 1");
  assert.equal(await status(1), "one");

  const makeRoom = disk.fill();
  // Until the first write fails the log does not know: that command is refused by its own record.
  const large = "x".repeat(20_000);
  for (let at = 0; at < 3; at++) {
    assert.equal(
      await code(writer.query(`UPDATE orders SET status = 'two' WHERE id = 1 /* ${large} */`)),
      "58030 AUDIT_UNAVAILABLE",
    );
    assert.equal(
      await code(reader.query(`SELECT status FROM orders WHERE id = 1 /* ${large} */`)),
      "58030 AUDIT_UNAVAILABLE",
    );
  }
  assert.equal(await status(1), "one");
  assert.match((await health()).audit, disk.error);

  makeRoom();
  for (let waited = 0; (await health()).audit !== "ok"; waited += 50) {
    assert.ok(waited < 10_000, "it never worked again");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(await code(writer.query("UPDATE orders SET status = 'three' WHERE id = 1")), "ran");
  assert.equal(await status(1), "three");
  assert.equal((await reader.query("SELECT status FROM orders WHERE id = 1")).rows[0].status, "three");

  const records = gate.records();
  const texts = records.map((record) => String(record.input?.command?.text ?? ""));
  assert.ok(
    texts.some((text) => text.startsWith("UPDATE orders SET status = 'two'")),
    "the command that was refused is recorded",
  );
  assert.ok(records.some((record) => record.path === "regate/log" && record.result.status === "failed"));
});

test("the sequence of every session has no gap", () => {
  const sequences = new Map<string, number[]>();
  for (const { custom } of gate.records()) {
    if (custom?.session === undefined) continue;
    sequences.set(custom.session, [...(sequences.get(custom.session) ?? []), custom.sequence]);
  }
  assert.ok(sequences.size >= 2);
  for (const [session, found] of sequences) {
    const sorted = found.toSorted((a, b) => a - b);
    assert.deepEqual(
      sorted,
      Array.from({ length: sorted.length }, (_, at) => at + 1),
      session,
    );
  }
});
