// What is computed of a protected column tells no other part of it than the column's own mask does, through a gate and on a real server.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ auth: "trust" });
const direct = new pg.Client(server.url("postgres", "shop"));
direct.on("error", () => undefined);
await direct.connect();
await direct.query(`
  CREATE TABLE pay (id int PRIMARY KEY, sal numeric, thousands numeric GENERATED ALWAYS AS (sal * 1000) STORED, ph text,
    backwards text GENERATED ALWAYS AS (reverse(ph)) STORED, tail text GENERATED ALWAYS AS (right(ph, 4)) STORED, open text);
  INSERT INTO pay (id, sal, ph, open) VALUES (1, 123.4, '123499', 'o');
  CREATE VIEW scaled AS SELECT id, sal AS bare, sal * 1000 AS k, reverse(ph) AS r FROM pay;
  CREATE VIEW summed AS SELECT id, sum(sal * 1000) AS k, max(reverse(ph)) AS r FROM pay GROUP BY id;
  CREATE VIEW above AS SELECT id, k AS z FROM scaled;
  CREATE MATERIALIZED VIEW kept AS SELECT id, sal * 1000 AS k, reverse(ph) AS r, ph FROM pay;
  CREATE TABLE coded (id int PRIMARY KEY, mail text, w text GENERATED ALWAYS AS (CASE WHEN mail > 'b' THEN 'y' END) STORED,
    other text, v text GENERATED ALWAYS AS (nullif(other, 'x')) STORED);
  INSERT INTO coded VALUES (1, 'a'), (2, 'c');
  CREATE TABLE mails (id int PRIMARY KEY, mail text, other text);
  INSERT INTO mails VALUES (1, 'ann@example.org', 'bob@example.org');
  CREATE VIEW told AS SELECT id, nullif(ph, '123498') AS x, CASE WHEN mail > 'a' THEN 'y' END AS y FROM pay JOIN mails USING (id);
  CREATE FUNCTION phone_of(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ph FROM public.pay WHERE id = $1';
  CREATE TABLE copied (id int PRIMARY KEY, g text GENERATED ALWAYS AS (phone_of(id)) STORED);
  INSERT INTO copied VALUES (1);
  GRANT SELECT ON ALL TABLES IN SCHEMA public TO app;
  GRANT UPDATE ON pay, coded TO app`);
after(() => direct.end());
const gate = await startGate({
  policy: fileURLToPath(new URL("../../rego", import.meta.url)),
  data: {
    classification: {
      shop: {
        "public.pay.sal": ["per"],
        "public.pay.ph": ["tail"],
        "public.pay.tail": ["tail"],
        "public.mails.mail": ["mail"],
        "public.coded.mail": ["tail"],
        "public.coded.other": ["end"],
        "public.mails.other": ["end"],
      },
    },
    masks: {
      per: { mask: "truncate", step: 100 },
      tail: { mask: "partial", keep_last: 2, lookup: true },
      mail: { mask: "email", on_derived: "mask" },
      end: { mask: "partial", keep_last: 4, on_derived: "mask" },
    },
    grants: { per: ["payroll"], tail: ["payroll"] },
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  config: {
    resources: {
      shop: {
        kind: "postgres",
        url: `${server.url("app", "shop")}?sslmode=disable`,
        environment: "production",
        plan_check: { rate: 1 },
      },
    },
  },
});

async function session(groups: string[] = []): Promise<pg.Client> {
  const client = new pg.Client(await gate.url("shop", { groups }));
  await client.connect();
  client.on("error", () => undefined);
  after(() => client.end());
  return client;
}
const client = await session();

async function row(text: string, by = client): Promise<unknown[] | undefined> {
  return (await by.query<unknown[]>({ text, rowMode: "array" })).rows[0];
}

describe("what is computed of a protected column is NULL", () => {
  it("where it is generated, unless the classification names it", async () => {
    assert.deepEqual(await row("SELECT sal, thousands, ph, backwards, tail, open FROM pay"), [
      "100",
      null,
      "****99",
      null,
      "**99",
      "o",
    ]);
    assert.deepEqual(await row("SELECT thousands + 0, upper(backwards) FROM pay"), [null, null]);
  });

  it("in views, through several of them, and in materialized ones", async () => {
    assert.deepEqual(await row("SELECT bare, k, r FROM scaled"), ["100", null, null]);
    assert.deepEqual(await row("SELECT k + 0, bare + 0 FROM scaled"), [null, "100"]);
    assert.deepEqual(await row("SELECT k, r FROM summed"), [null, null]);
    assert.deepEqual(await row("SELECT z, z + 0 FROM above"), [null, null]);
    assert.deepEqual(await row("SELECT k, r, ph FROM kept"), [null, null, "****99"]);
    assert.deepEqual(await row("SELECT k + 0 FROM kept"), [null]);
  });

  it("so that it does not tell by being NULL or not what the value is", async () => {
    assert.deepEqual(await row("SELECT x FROM told"), [null]);
    assert.deepEqual(await row("SELECT count(x), bool_and(x IS NULL) FROM told"), ["0", true]);
    assert.equal(await row("SELECT id FROM told WHERE x IS NOT NULL"), undefined);
    const { rows } = await client.query("SELECT w FROM coded UNION ALL SELECT w FROM coded");
    assert.deepEqual(rows, [{ w: null }, { w: null }, { w: null }, { w: null }]);
    assert.deepEqual(await row("SELECT count(w), count(*), count(mail) FROM coded"), ["0", "2", "2"]);
    assert.equal(await row("SELECT id FROM coded WHERE w IS NOT NULL"), undefined);
    assert.deepEqual(await row("SELECT count(y) FROM told"), [null]);
    // Where the statement would see the real values it is refused.
    assert.deepEqual(await row("SELECT id FROM coded WHERE other IS NULL ORDER BY id"), [1]);
    for (const text of ["UPDATE coded SET id = id WHERE w IS NULL", "SELECT id FROM coded WHERE v IS NULL"])
      await assert.rejects(row(text), ({ detail }: pg.DatabaseError) => {
        assert.match(detail ?? "", /protected-use/);
        return true;
      });
  });

  it("beside the bare column, in one output", async () => {
    assert.deepEqual(await row("SELECT k FROM kept UNION ALL SELECT sal FROM pay WHERE false"), [null]);
  });

  it("when it is written into the bare column", async () => {
    await assert.rejects(row("UPDATE pay SET ph = backwards WHERE id = 1"), ({ detail }: pg.DatabaseError) => {
      assert.match(detail ?? "", /protected-write/);
      return true;
    });
  });

  it("by a function that reads another table", async () => {
    assert.deepEqual(await row("SELECT g FROM copied"), [null]);
  });

  it("and is not looked up by, unless the classification names it", async () => {
    assert.deepEqual(await row("SELECT id FROM pay WHERE ph = '123499'"), [1]);
    assert.deepEqual(await row("SELECT id FROM pay WHERE tail = '3499'"), [1]);
    assert.equal(await row("SELECT id FROM pay WHERE backwards = '994321'"), undefined);
  });

  it("and the server's plans agree with what is said of the rewritten texts", async () => {
    type Checks = { disagreements: { plans: number }; plans: { checked: number } };
    let checks: Checks | undefined;
    for (let waited = 0; (checks?.plans.checked ?? 0) < 5; waited += 25) {
      assert.ok(waited < 10_000, JSON.stringify(checks));
      checks = ((await (await fetch(`http://${gate.http}/healthz`)).json()) as { checks: Checks }).checks;
      await new Promise((done) => setTimeout(done, 25));
    }
    assert.equal(checks?.disagreements.plans, 0);
  });

  it("but not for whoever may see the column", async () => {
    const cleared = await session(["payroll"]);
    assert.deepEqual(await row("SELECT thousands, backwards FROM pay", cleared), ["123400.0", "994321"]);
    assert.deepEqual(await row("SELECT k, r FROM kept", cleared), ["123400.0", "994321"]);
    assert.deepEqual(await row("SELECT g FROM copied", cleared), ["123499"]);
  });
});

it("what shows one of several columns keeps of none what another's mask keeps", async () => {
  const shown = async (text: string): Promise<unknown[]> =>
    (await client.query<unknown[]>({ text, rowMode: "array" })).rows;
  assert.deepEqual(await shown("SELECT mail FROM mails UNION ALL SELECT other FROM mails"), [
    ["[redacted]"],
    ["[redacted]"],
  ]);
  assert.deepEqual(await shown("SELECT other FROM mails UNION ALL SELECT other FROM mails"), [
    ["***********.org"],
    ["***********.org"],
  ]);
});
