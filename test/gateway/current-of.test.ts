// WHERE CURRENT OF a cursor: which row that is may tell the order of a protected column, whenever the cursor was opened and whatever names it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import * as wire from "../support/wire.ts";

const server = await startServer({ auth: "trust" });
const direct = new pg.Client(server.url("postgres", "shop"));
direct.on("error", () => undefined);
await direct.connect();
after(() => direct.end());
await direct.query(`
  CREATE TABLE people (id int PRIMARY KEY, mail text UNIQUE, note text);
  INSERT INTO people VALUES (1, 'zoe', ''), (2, 'ann', '');
  GRANT SELECT, UPDATE ON people TO app`);
const gate = await startGate({
  policy: fileURLToPath(new URL("../../rego", import.meta.url)),
  data: { classification: { shop: { "public.people.mail": ["pii"] } }, masks: { pii: { mask: "redact" } }, grants: {} },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});

const overId = "DECLARE c CURSOR FOR SELECT id FROM people";
const overMail = "DECLARE c CURSOR FOR SELECT mail FROM people WHERE mail IS NOT NULL";
const change = "UPDATE people SET note = 'x' WHERE CURRENT OF c RETURNING id";

const login = async (subject: string): Promise<wire.Wire> =>
  wire.Wire.login(gate.postgres, "agent", "shop", await gate.token({ subject }));
const shape = async (client: wire.Wire, sql: string): Promise<string> => wire.shape(await client.query(sql));
async function send(client: wire.Wire, ...messages: Buffer[]): Promise<string> {
  client.send(...messages, wire.sync());
  return wire.shape(await client.until());
}

test("another subject's cursor of the name does not count", async () => {
  const [one, other] = [await login("agent:one"), await login("agent:other")];
  for (const sql of ["BEGIN", overId, "FETCH 1 FROM c"]) await one.query(sql);
  assert.equal(await shape(one, change), "T D C ZT");
  for (const sql of ["BEGIN", overMail, "FETCH 1 FROM c"]) await other.query(sql);
  assert.equal(await shape(other, change), "E:42501 ZE");
  await one.query("ROLLBACK");
  for (const client of [one, other]) client.end();
});

for (const [name, text] of [
  ["in WITH", `WITH u AS (${change}) SELECT * FROM u`],
  ["in COPY", `COPY (${change}) TO STDOUT`],
] as const)
  test(`${name} it is the same`, async () => {
    const client = await login("agent:a");
    for (const sql of ["BEGIN", overMail, "FETCH 1 FROM c"]) await client.query(sql);
    assert.equal(await shape(client, text), "E:42501 ZE");
    client.end();
  });

test("a prepared statement runs where the cursor of the name stands then", async () => {
  const client = await login("agent:b");
  for (const sql of ["BEGIN", overId, "FETCH 1 FROM c", `PREPARE p AS ${change}`]) await client.query(sql);
  assert.equal(await shape(client, "EXECUTE p"), "T D C ZT");
  for (const sql of ["CLOSE c", overMail, "FETCH 1 FROM c"]) await client.query(sql);
  assert.equal(await shape(client, "EXECUTE p"), "E:42501 ZE");
  await client.query("ROLLBACK");
  client.end();
});

test("so does what was parsed", async () => {
  const client = await login("agent:c");
  for (const sql of ["BEGIN", overId, "FETCH 1 FROM c"]) await client.query(sql);
  assert.equal(await send(client, wire.parse("s", change), wire.bind("", "s"), wire.execute("")), "1 2 D C ZT");
  for (const sql of ["CLOSE c", overMail, "FETCH 1 FROM c"]) await client.query(sql);
  assert.equal(await send(client, wire.bind("", "s"), wire.execute("")), "E:42501 ZE");
  client.end();
});

test("so does what was bound", async () => {
  const client = await login("agent:d");
  for (const sql of ["BEGIN", overId, "FETCH 1 FROM c"]) await client.query(sql);
  assert.equal(await send(client, wire.parse("s", change), wire.bind("bound", "s")), "1 2 ZT");
  for (const sql of ["CLOSE c", overMail, "FETCH 1 FROM c"]) await client.query(sql);
  assert.equal(await send(client, wire.execute("bound")), "E:42501 ZE");
  await client.query("ROLLBACK");
  client.end();
});
