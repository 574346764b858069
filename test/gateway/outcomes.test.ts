// The record says what became of a command: also where an error behind it, in the same segment, takes it back, and where a Parse alone has an effect.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import { bind, execute, flush, parse, query, shape, sync, terminate, Wire } from "../support/wire.ts";

const server = await startServer();
const owner = new pg.Client(server.url("postgres", "shop"));
owner.on("error", () => undefined);
await owner.connect();
await owner.query(`
  CREATE TABLE once (id int CONSTRAINT twice UNIQUE DEFERRABLE INITIALLY DEFERRED);
  INSERT INTO once VALUES (1);
  CREATE TABLE checked_values (n int);
  CREATE FUNCTION note(n int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.checked_values VALUES (n); RETURN true; END';
  CREATE DOMAIN noted AS int CHECK (note(VALUE));
  CREATE TYPE pair AS (a int, b noted);
  GRANT ALL ON ALL TABLES IN SCHEMA public TO app`);
const gate = await startGate({ resources: { shop: `${server.url("app", "shop")}?sslmode=disable` } });
after(() => owner.end());
const login = async (): Promise<Wire> => Wire.login(gate.postgres, "agent", "shop", await gate.token());
const run = (text: string): Buffer => Buffer.concat([parse("", text), bind("", ""), execute("")]);

/** Of the commands with these texts: the outcomes, in the order in which they were decided on. */
async function outcomes(...texts: string[]): Promise<string[]> {
  await sleep(150);
  const records = gate.records();
  const decided = records.filter(
    ({ path, input }) => path === "regate/decision" && texts.includes(input.command?.text),
  );
  return decided.map(({ decision_id }) => {
    const ends = records.filter((line) => line.path === "regate/outcome" && line.decision_id === decision_id);
    return ends
      .map(({ result }) => [result.status, result.tag, result.sqlstate].filter(Boolean).join(" "))
      .join(" and ");
  });
}

/** Sends the parts in one write; the shape of the answer, and what the log then says of these texts. */
async function sent(parts: readonly Buffer[], ...texts: string[]): Promise<{ answer: string; log: string[] }> {
  const client = await login();
  client.send(...parts);
  const answer = shape(await client.until("Z"));
  const log = await outcomes(...texts);
  client.end();
  return { answer, log };
}

test("a deferred constraint fails what had succeeded", async () => {
  const text = "INSERT INTO once VALUES (1) /* at Sync */";
  const { answer, log } = await sent([run(text), sync()], text);
  assert.equal(answer, "1 2 C E:23505 ZI");
  assert.deepEqual(log, ["error INSERT 0 1 23505"]);
});

test("an error takes back what ran before it in its segment", async () => {
  const texts = ["UPDATE orders SET status = 'a' WHERE id = 1", "SELECT 1/0"];
  const { log } = await sent([...texts.map(run), sync()], ...texts);
  assert.deepEqual(log, ["error UPDATE 1 22012", "error 22012"]);
});

test("a simple query that fails takes back what no Sync has ended", async () => {
  const texts = ["UPDATE orders SET status = 'b' WHERE id = 1", "SELECT 2/0"];
  const { log } = await sent([run(texts[0]!), query(texts[1]!)], ...texts);
  assert.deepEqual(log, ["error UPDATE 1 22012", "error 22012"]);
});

test("what was committed within the segment stays", async () => {
  const texts = ["UPDATE orders SET status = 'c' WHERE id = 1", "SELECT 3/0"];
  const { log } = await sent([run("BEGIN"), run(texts[0]!), run("COMMIT"), run(texts[1]!), sync()], ...texts);
  assert.deepEqual(log, ["ok UPDATE 1", "error 22012"]);
  assert.equal((await owner.query("SELECT status FROM orders WHERE id = 1")).rows[0].status, "c");
});

test("in a transaction of the client's own the statement has its own outcome", async () => {
  const texts = ["UPDATE orders SET status = 'd' WHERE id = 1", "SELECT 4/0"];
  const { answer, log } = await sent([run("BEGIN"), ...texts.map(run), sync()], ...texts);
  assert.match(answer, /ZE$/);
  assert.deepEqual(log, ["ok UPDATE 1", "error 22012"]);
});

test("a write that succeeds is ok once its segment has ended, and lost where nobody can tell", async () => {
  const text = "UPDATE orders SET status = 'e' WHERE id = 1";
  assert.deepEqual((await sent([run(text), run("SELECT 1"), sync()], text)).log, ["ok UPDATE 1"]);
  const open = "UPDATE orders SET status = 'f' WHERE id = 1";
  const client = await login();
  client.send(run(open), flush());
  await client.until("C");
  client.send(terminate());
  assert.deepEqual(await outcomes(open), ["lost UPDATE 1"]);
});

test("a literal that is checked while its text is parsed is on record before", async () => {
  const count = async (): Promise<string> => (await owner.query("SELECT count(*) FROM checked_values")).rows[0].count;
  const before = Number(await count());
  const text = "SELECT '(1,7)'::pair";
  const client = await login();
  client.send(parse("", text), sync());
  await client.until("Z");
  assert.equal(Number(await count()), before + 1);
  assert.deepEqual(await outcomes(text), ["ok"]);
  client.send(parse("", "SELECT 7"), sync());
  await client.until("Z");
  assert.deepEqual(await outcomes("SELECT 7"), [], "what cannot change anything is recorded when it runs");
  client.end();
});
