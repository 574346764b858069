// What the server computes of a changed row, over protected columns that it keeps, asked through a gate: its errors tell nothing.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const admin = new pg.Client({ connectionString: server.url("postgres", "shop") });
admin.on("error", () => undefined);
after(() => admin.end());
await admin.connect();
await admin.query(`
CREATE TABLE indexed (id int PRIMARY KEY, secret int, open int, name text);
INSERT INTO indexed VALUES (1, 5, 1, 'a');
CREATE INDEX ON indexed ((100 / (secret - open)));
CREATE TABLE made (id int PRIMARY KEY, secret int, open int, g int GENERATED ALWAYS AS (100 / (secret - open)) STORED);
INSERT INTO made VALUES (1, 5, 1);
CREATE TABLE pairs (id int PRIMARY KEY, secret text, open text, UNIQUE (secret, open));
INSERT INTO pairs VALUES (1, 'c', 'x'), (2, 'c', 'y');
CREATE TABLE partial (id int PRIMARY KEY, secret text, open text);
CREATE UNIQUE INDEX ON partial (open) WHERE secret > '5';
INSERT INTO partial VALUES (1, '6', 'x'), (2, '7', 'y');
CREATE TABLE sized (id int PRIMARY KEY, secret text, open text, other int);
CREATE INDEX ON sized (open) WHERE secret > '5';
INSERT INTO sized VALUES (1, '6', 'x'), (2, '4', 'y');
CREATE TABLE spans (id int PRIMARY KEY, secret text, span int4range, EXCLUDE USING gist (span WITH &&) WHERE (secret > '5'));
INSERT INTO spans VALUES (1, '6', '[1,5)'), (2, '7', '[10,15)');
CREATE TABLE parted (id int PRIMARY KEY, secret text, open text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted (CHECK (open <> 'probe' OR secret < '2')) FOR VALUES FROM (0) TO (100);
INSERT INTO parted VALUES (1, '6', 'x');
CREATE TABLE placed (id int, secret int, open int) PARTITION BY RANGE (open, secret);
CREATE TABLE placed_1 PARTITION OF placed FOR VALUES FROM (1, 1) TO (5, 5);
INSERT INTO placed VALUES (1, 6, 3);
GRANT ALL ON ALL TABLES IN SCHEMA public TO app;`);

const protectedTables = ["indexed", "made", "pairs", "partial", "sized", "spans", "parted", "placed"];
const gate = await startGate({
  policy: new URL("../../rego", import.meta.url).pathname,
  data: {
    classification: { shop: Object.fromEntries(protectedTables.map((name) => [`public.${name}.secret`, ["pii"]])) },
    masks: { pii: { mask: "redact" } },
    grants: {},
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const client = new pg.Client({ connectionString: await gate.url("shop") });
client.on("error", () => undefined);
after(() => client.end());
await client.connect();

/** The server fails, and by that tells of the protected value. */
const TELLING: readonly (readonly [text: string, sqlstate: string])[] = [
  ["UPDATE indexed SET open = 5 WHERE id = 1", "22012"],
  ["INSERT INTO indexed (id, secret) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET open = 5", "22012"],
  ["UPDATE made SET open = 5 WHERE id = 1", "22012"],
  ["UPDATE pairs SET open = 'y' WHERE id = 1", "23505"],
  ["UPDATE partial SET open = 'y' WHERE id = 1", "23505"],
  [
    "UPDATE sized SET open = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i) WHERE id = 1",
    "54000",
  ],
  ["UPDATE spans SET span = '[10,15)' WHERE id = 1", "23P01"],
  ["UPDATE parted SET open = 'probe' WHERE id = 1", "23514"],
  ["UPDATE parted_1 SET open = 'probe' WHERE id = 1", "23514"],
  ["UPDATE placed SET open = 5 WHERE id = 1", "23514"],
  ["UPDATE placed_1 SET open = 5 WHERE id = 1", "23514"],
];

describe("what tells of a protected value that is kept is refused", () => {
  for (const [text, sqlstate] of TELLING)
    test(text, async () => {
      await assert.rejects(admin.query(text), { code: sqlstate });
      await assert.rejects(client.query(text), { code: "42501", detail: /secret/ });
    });
});

describe("what does not, runs", () => {
  for (const text of [
    "UPDATE indexed SET name = 'x' WHERE id = 1",
    "UPDATE indexed SET open = 7, secret = 8 WHERE id = 1",
    "INSERT INTO indexed (id, secret, open) VALUES (2, 3, 4)",
    "UPDATE sized SET other = 5 WHERE id = 1",
    "UPDATE parted SET id = 2 WHERE id = 1",
  ])
    test(text, async () => {
      await client.query(text);
    });
});
