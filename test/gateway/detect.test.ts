// detect over a whole database: what detectors find goes from every text of every result, tagged or not, and all else passes.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { cells, errorOf, extended as x, type Reply, types, WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const rego = fileURLToPath(new URL("../../rego", import.meta.url));
const server = await startServer();
const direct = new pg.Client(server.url("postgres", "shop"));
await direct.connect();
await direct.query(`
  CREATE TYPE note AS (at int, body text);
  CREATE TABLE tickets (id int PRIMARY KEY, body text, short varchar(12), doc jsonb, page xml, lines text[], one note, terms tsvector, paid bigint, ip inet);
  INSERT INTO tickets SELECT 1, b, 'ok', jsonb_build_object('text', b), xmlelement(name p, b), ARRAY[b, 'ok'], ROW(1, b)::note,
    to_tsvector('simple', b), 4111111111111111, '203.0.113.7' FROM (VALUES ('paid with 4111 1111 1111 1111 by ana@example.com')) v(b);
  CREATE FUNCTION opaque_body() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT body FROM tickets'; END $$;
  CREATE PROCEDURE handed(OUT said text) LANGUAGE plpgsql AS $$ BEGIN said := (SELECT body FROM tickets); END $$;
  GRANT SELECT ON tickets TO app; GRANT CREATE ON SCHEMA public TO app;
`);
const oid = Number((await direct.query("SELECT 'textcat'::regproc::oid AS oid")).rows[0].oid);
await direct.end();

const gate = await startGate({
  policy: rego,
  data: {
    detect: { shop: "all" },
    // No column is tagged but one, whose own mask counts.
    classification: { shop: { "public.tickets.short": ["pii"] } },
    rights: {
      ddl: { groups: ["dev"], scopes: [] },
      code: { groups: ["dev"], scopes: [] },
      functions: { groups: ["dev"], scopes: [] },
    },
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const port = Number(gate.postgres.split(":").at(-1));
const open = async (groups: readonly string[] = ["dev"]): Promise<WireClient> =>
  WireClient.open(port, await gate.token({ groups: [...groups] }));

const needle = /4111.?1111|ana@example/;
const rowsOf = (replies: readonly Reply[]): unknown => replies.filter(({ type }) => type === "D").map(cells);
const seen = (replies: readonly Reply[]): string => Buffer.concat(replies.map(({ body }) => body)).toString("latin1");

const searched = [
  "SELECT body FROM tickets",
  "SELECT body, short, doc, page, lines FROM tickets",
  "SELECT doc, one, terms FROM tickets",
  "SELECT t.body || '!' AS b FROM tickets t",
  "SELECT max(body) FROM tickets",
  "SELECT lower(body)::varchar(80), body::char(60), body::name FROM tickets",
  "SELECT to_json(body), to_jsonb(lines), array_agg(body) FROM tickets GROUP BY body, lines",
  "SELECT one, (one).body, ROW(body) FROM tickets",
  "SELECT to_tsvector('simple', body) FROM tickets",
  "SELECT opaque_body()",
  "SELECT * FROM opaque_body()",
  "CALL handed(NULL)",
  "SELECT 'ana@example.com'",
  "VALUES ('4111 1111 1111 1111')",
  "EXPLAIN SELECT id FROM tickets WHERE body = 'ana@example.com'",
];
describe("all texts of a database are searched", () => {
  for (const sql of searched) {
    it(sql, async () => {
      const client = await open();
      const simple = await client.run(sql);
      assert.ok(
        types(simple).includes("D"),
        errorOf(simple.find(({ type }) => type === "E") ?? simple[0]!).M ?? "no row",
      );
      assert.doesNotMatch(seen(simple), needle);
      for (const format of [0, 1]) {
        client.socket.write(
          Buffer.concat([
            x.parse("s", sql),
            x.bind("", "s", [], format),
            x.execute("", 1),
            x.execute(""),
            x.closeStatement("s"),
            x.sync(),
          ]),
        );
        const replies = await client.until("Z");
        assert.ok(types(replies).includes("D"));
        assert.doesNotMatch(seen(replies), needle);
      }
      client.end();
    });
  }

  it("what was copied into another table, and read through a cursor", async () => {
    const client = await open();
    await client.run("CREATE TABLE copied AS SELECT body AS b FROM tickets");
    await client.run("BEGIN");
    await client.run("DECLARE c CURSOR FOR SELECT b FROM copied");
    assert.deepEqual(rowsOf(await client.run("FETCH ALL FROM c")), [["paid with [card] by [email]"]]);
    await client.run("COMMIT");
    client.end();
  });
});

test("only what was found is replaced, numbers and addresses stay, and a column with a tag has its own mask", async () => {
  const client = await open();
  const replies = await client.run("SELECT id, body, short, lines, paid, ip, doc FROM tickets");
  assert.deepEqual(rowsOf(replies), [
    [
      "1",
      "paid with [card] by [email]",
      "[redacted]",
      '{"paid with [card] by [email]",ok}',
      "4111111111111111",
      "203.0.113.7",
      '{"text": "paid with [card] by [email]"}',
    ],
  ]);
  client.end();
});

test("what is copied out is searched", async () => {
  const client = await open();
  const copied = (replies: readonly Reply[]): string => seen(replies.filter(({ type }) => type === "d"));
  assert.equal(
    copied(await client.run("COPY tickets (id, body, paid, lines, short) TO STDOUT CSV")),
    '1,paid with [card] by [email],4111111111111111,"{""paid with [card] by [email]"",ok}",[redacted]\n',
  );
  const binary = copied(await client.run("COPY (SELECT body FROM tickets) TO STDOUT (FORMAT binary)"));
  assert.match(binary, /paid with \[card\] by \[email\]/);
  assert.doesNotMatch(binary, needle);
  assert.equal(copied(await client.run("COPY (SELECT 5, NULL) TO STDOUT")), "5\t\\N\n");
  client.end();
});

test("what has no description is refused: calls of functions", async () => {
  const client = await open();
  const call = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 2])]);
  call.writeInt32BE(oid, 0);
  client.send("F", Buffer.concat([call, Buffer.from([0, 0, 0, 1, 97, 0, 0, 0, 1, 98, 0, 0])]));
  const called = await client.until("Z");
  assert.equal(types(called).includes("V"), false);
  client.end();
});

test("whoever has the right sees texts as they are", async () => {
  const client = await open(["dba"]);
  assert.match(seen(await client.run("SELECT body FROM tickets")), needle);
  client.end();
});

test("the record tells how texts were searched, and how many cells were changed", async () => {
  const client = await open();
  await client.run("SELECT id, body, 'harmless' FROM tickets");
  client.end();
  await gate.close();
  const records = gate.records();
  const decision = records.filter(({ path }) => path === "regate/decision").at(-1)!;
  assert.deepEqual(decision.result.detect, { detectors: "all" });
  const outcome = records.find(
    ({ path, decision_id }) => path === "regate/outcome" && decision_id === decision.decision_id,
  )!;
  assert.equal(outcome.result.masked_cells, 1);
});

test("a database without any tag is searched, too", async () => {
  const untagged = await startGate({
    policy: rego,
    data: { detect: { shop: { detectors: ["card"], with: "redact" } }, classification: { shop: {} } },
    resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  });
  const client = await WireClient.open(Number(untagged.postgres.split(":").at(-1)), await untagged.token());
  const expected = [["paid with [redacted] by ana@example.com"]];
  assert.deepEqual(rowsOf(await client.run("SELECT body FROM tickets")), expected);
  client.socket.write(
    Buffer.concat([x.parse("", "SELECT body FROM tickets"), x.bind("", ""), x.execute(""), x.sync()]),
  );
  assert.deepEqual(rowsOf(await client.until("Z")), expected);
  await client.run("LISTEN told");
  const other = new pg.Client(server.url("postgres", "shop"));
  await other.connect();
  await other.query("NOTIFY told, 'paid with 4111 1111 1111 1111'");
  await other.end();
  assert.match(seen(await client.run("SELECT 1")), /paid with \[redacted\]/);
  client.end();
});

test("parameters that detect does not have are refused with the bundle", async () => {
  const started = startGate({
    policy: rego,
    data: { detect: { shop: { detectors: ["cards"] } } },
    resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  });
  await assert.rejects(started, {
    code: "BUNDLE_INVALID",
    detail: /data\.detect\.shop: mask detect: detectors: "cards" is unknown/,
  });
});

test("channels that are no list of names are refused with the bundle", async () => {
  const started = startGate({
    policy: rego,
    data: { notifications: { shop: "jobs" } },
    resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  });
  await assert.rejects(started, {
    code: "BUNDLE_INVALID",
    detail: /data\.notifications\.shop: expected a list of channels/,
  });
});
