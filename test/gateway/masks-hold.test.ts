// Masks that stand in a prepared statement, a portal or a cursor, after the policy came to ask for others.
import assert from "node:assert/strict";
import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { bundleOf, scratch } from "../support/policies/build.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ auth: "trust" });
const direct = new pg.Client(server.url("postgres", "shop"));
direct.on("error", () => undefined);
await direct.connect();
after(() => direct.end());
await direct.query("CREATE TABLE lines (id int PRIMARY KEY, phone text); GRANT SELECT ON lines TO app");
await direct.query("INSERT INTO lines VALUES (1, '0123456789'), (2, '9876543210'), (3, '5550001111')");

const policy = fileURLToPath(new URL("../../rego", import.meta.url));
const bundle = (phone: object, grants: object = {}): Promise<string> =>
  bundleOf(policy, { classification: { shop: { "public.lines.phone": ["tail"] } }, masks: { tail: phone }, grants });
const tail = { mask: "partial", keep_last: 3 };
const live = join(scratch(), "live.tar.gz");
copyFileSync(await bundle(tail), live);
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  config: { policy: { bundle: live } },
});

/** Until new statements are judged by it. */
async function swap(next: Promise<string>, shown: string | undefined): Promise<void> {
  copyFileSync(await next, `${live}.new`);
  renameSync(`${live}.new`, live);
  const probe = await session();
  for (let tried = 0; ; tried++) {
    const seen = await probe.query("SELECT phone || '' AS p FROM lines WHERE id = 1").then(
      ({ rows }) => rows[0].p as string,
      () => undefined,
    );
    if (seen === shown) break;
    assert.ok(tried < 200, `the policy was not swapped in: ${seen}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await probe.end();
}

async function session(): Promise<pg.Client> {
  const client = new pg.Client(await gate.url("shop", { subject: "agent:a" }));
  client.on("error", () => undefined);
  await client.connect();
  after(() => client.end());
  return client;
}

const text = "SELECT phone || '' AS p FROM lines ORDER BY id";
const named = { name: "named", text };

async function prepared(): Promise<pg.Client> {
  const client = await session();
  await client.query(`PREPARE p AS ${text}`);
  assert.equal((await client.query("EXECUTE p")).rows[0].p, "*******789");
  assert.equal((await client.query(named)).rows[0].p, "*******789");
  await client.query("BEGIN");
  await client.query(`DECLARE c CURSOR WITH HOLD FOR ${text}`);
  assert.equal((await client.query("FETCH 1 FROM c")).rows[0].p, "*******789");
  await client.query("COMMIT");
  return client;
}

describe("what was prepared with masks of an earlier policy", () => {
  const gone: readonly [string, object, object, string | undefined][] = [
    ["of another mask", { mask: "partial", keep_last: 2 }, {}, "********89"],
    ["of a mask that is refused", { mask: "null", on_derived: "refuse" }, {}, undefined],
  ];
  for (const [name, mask, grants, shown] of gone)
    test(`is not known any more under one ${name}`, async () => {
      await swap(bundle(tail), "*******789");
      const client = await prepared();
      await swap(bundle(mask, grants), shown);
      await assert.rejects(client.query("EXECUTE p"), { code: "26000" });
      await assert.rejects(client.query(named), { code: "26000" });
      await assert.rejects(client.query("FETCH 1 FROM c"), { code: "34000" });
      assert.equal((await client.query("SELECT 1 AS one")).rows[0].one, 1);
      if (shown === undefined) return;
      // Under another name it is prepared anew.
      assert.equal((await client.query({ ...named, name: "anew" })).rows[0].p, shown);
    });

  test("goes on under one that asks for the same", async () => {
    await swap(bundle(tail), "*******789");
    const client = await prepared();
    await swap(bundle({ mask: "partial", keep_last: 2 }), "********89");
    await swap(bundle(tail, { other: ["nobody"] }), "*******789");
    assert.equal((await client.query("EXECUTE p")).rows[0].p, "*******789");
    assert.equal((await client.query(named)).rows[0].p, "*******789");
    assert.equal((await client.query("FETCH 1 FROM c")).rows[0].p, "*******210");
  });
});
