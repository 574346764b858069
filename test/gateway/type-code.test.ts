// Code of users behind types (defaults and checks of domains, casts that nobody writes) shows no protected column, whatever reaches it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import { bind, cells, errorFields, execute, parse, sync, Wire } from "../support/wire.ts";

const server = await startServer();
const owner = new pg.Client(server.url("postgres", "shop"));
await owner.connect();
await owner.query(`
  CREATE TABLE people (id int PRIMARY KEY, ssn text, name text);
  INSERT INTO people VALUES (1, '478-11-2233', 'Ann');
  CREATE FUNCTION hidden() RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM public.people WHERE id = 1';
  CREATE DOMAIN given AS text DEFAULT hidden();
  CREATE DOMAIN longer AS int CHECK (VALUE > length(hidden()));
  CREATE TYPE pair AS (x int, y longer);
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE FUNCTION mood_json(mood) RETURNS json LANGUAGE sql STABLE AS 'SELECT to_json(public.hidden())';
  CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood);
  CREATE TYPE place AS (street text);
  CREATE FUNCTION place_text(place) RETURNS text LANGUAGE sql STABLE AS 'SELECT public.hidden()';
  CREATE CAST (place AS text) WITH FUNCTION place_text(place);
  CREATE TABLE notes (id int PRIMARY KEY, v given, w text);
  GRANT SELECT, INSERT, UPDATE ON people, notes TO app`);
const { rows } = await owner.query("SELECT 'longer'::regtype::oid::int AS longer, 'pair'::regtype::oid::int AS pair");
await owner.end();
const gate = await startGate({
  policy: fileURLToPath(new URL("../../rego", import.meta.url)),
  data: {
    classification: { shop: { "public.people.ssn": ["pii"] } },
    masks: { pii: { mask: "redact" } },
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const client = await Wire.login(gate.postgres, "agent", "shop", await gate.token());
const SERVERS_OWN = /^23|^22/;

for (const sql of [
  "INSERT INTO notes (id) VALUES (7) RETURNING v",
  "INSERT INTO notes (id, v) VALUES (8, DEFAULT) RETURNING v",
  "SELECT to_json('ok'::mood)",
  "SELECT jsonb_build_object('a', m) FROM (VALUES ('ok'::mood)) x(m)",
  "SELECT row_to_json(x) FROM (SELECT 'ok'::mood AS m) x",
  "SELECT ROW('a')::place || 'x'",
  "SELECT '(1,8)'::pair",
  "SELECT ROW(1, 8)::pair",
  `SELECT jsonb_populate_record(NULL::pair, '{"y": 8}')`,
  `SELECT * FROM jsonb_to_record('{"n": 8}') AS x(n longer)`,
  "PREPARE q(longer) AS SELECT $1",
  // The input functions of whatever type they are given.
  "SELECT record_in('(1,8)', 'pair'::regtype, -1)",
  "SELECT array_in('{8}', 'longer'::regtype, -1)",
  "SELECT domain_in('8', 'longer'::regtype, -1) IS NULL",
]) {
  test(`${sql} is not run`, async () => {
    const messages = await client.query(sql);
    const error = messages.find(({ type }) => type === "E");
    assert.ok(error !== undefined, "it is refused");
    // Neither the function's own answer nor the check's.
    assert.doesNotMatch(errorFields(error).C ?? "", SERVERS_OWN);
    assert.ok(!Buffer.concat(messages.map(({ body }) => body)).includes("478-11-2233"));
  });
}

test("a parameter that is declared to be of a checked type is not bound", async () => {
  for (const [type, value] of [
    [rows[0].longer, "8"],
    [rows[0].pair, "(1,8)"],
  ] as const) {
    client.send(parse("", "SELECT $1", [type]), bind("", "", [value]), execute(""), sync());
    const error = (await client.until("Z")).find(({ type: kind }) => kind === "E");
    assert.ok(error !== undefined);
    assert.doesNotMatch(errorFields(error).C ?? "", SERVERS_OWN);
  }
});

test("what runs none of it works beside", async () => {
  for (const [sql, first] of [
    ["INSERT INTO notes VALUES (1, 'given', 'w') RETURNING v", "given"],
    ["SELECT json_build_object('a', name) FROM people", '{"a" : "Ann"}'],
    ["SELECT 'ok'::mood", "ok"],
    ["SELECT name || 'x' FROM people LIMIT 1", "Annx"],
    [`SELECT n FROM jsonb_to_record('{"n": 8}') AS x(n int)`, "8"],
  ] as const) {
    const messages = await client.query(sql);
    const row = messages.find(({ type }) => type === "D");
    assert.ok(row !== undefined, `${sql}: ${messages.map(({ body }) => body.toString()).join()}`);
    assert.equal(cells(row)[0], first, sql);
  }
  client.end();
});
