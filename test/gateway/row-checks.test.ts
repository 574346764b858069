// Checks, foreign keys and policies over protected columns, asked through a gate: they tell nothing, and the ordinary ones stop nobody.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const setup = `
CREATE SCHEMA hr;
GRANT USAGE ON SCHEMA hr TO app;
CREATE TABLE hr.employees (id int PRIMARY KEY, title text, ssn text, low int, high int, CHECK (title <> 'probe' OR ssn < '2'), CHECK (low <= high));
INSERT INTO hr.employees VALUES (1, 'a', '1', 1, 2), (2, 'b', '3', 1, 2);
CREATE TABLE hr.badges (number text PRIMARY KEY, note text);
CREATE TABLE hr.doors (id int PRIMARY KEY, employee int REFERENCES hr.employees, badge text REFERENCES hr.badges);
INSERT INTO hr.badges VALUES ('b1', 'x');
CREATE TABLE hr.notes (id int PRIMARY KEY, tenant int, owner text, body text, secret text);
INSERT INTO hr.notes VALUES (1, 1, 'app', 'x', 'c'), (2, 2, 'app', 'y', 'a');
CREATE TABLE hr.members (tenant int PRIMARY KEY, name text);
INSERT INTO hr.members VALUES (1, 'app');
ALTER TABLE hr.notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON hr.notes USING (tenant = current_setting('own.tenant', true)::int OR owner = current_user
  OR EXISTS (SELECT FROM hr.members m WHERE m.tenant = notes.tenant AND m.name = current_user));
CREATE TABLE hr.secrets (id int PRIMARY KEY, secret text, open text);
INSERT INTO hr.secrets VALUES (1, 'c', 'n'), (2, 'a', 'n');
ALTER TABLE hr.secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON hr.secrets USING (secret > 'b' OR open = 'y');
CREATE TABLE hr.kept (LIKE hr.secrets);
ALTER TABLE hr.kept ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON hr.kept USING (secret > 'b');
INSERT INTO hr.kept VALUES (1, 'c', 'n');
CREATE TABLE hr.own (LIKE hr.secrets);
ALTER TABLE hr.own ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON hr.own USING (secret > 'b');
ALTER TABLE hr.own OWNER TO app;
GRANT ALL ON ALL TABLES IN SCHEMA hr TO app;
`;
const server = await startServer();
const admin = new pg.Client({ connectionString: server.url("postgres", "shop") });
await admin.connect();
await admin.query(setup);
await admin.end();

const gate = await startGate({
  policy: new URL("../../rego", import.meta.url).pathname,
  data: {
    classification: {
      shop: {
        "hr.employees.ssn": ["pii"],
        "hr.badges.number": ["pii"],
        "hr.notes.secret": ["pii"],
        "hr.secrets.secret": ["pii"],
        "hr.kept.secret": ["health"],
        "hr.own.secret": ["pii"],
      },
    },
    masks: { pii: { mask: "redact" }, health: { mask: "hash" } },
    grants: {},
  },
  resources: {},
  config: {
    resources: { shop: { kind: "postgres", url: `${server.url("app", "shop")}?sslmode=disable`, environment: "test" } },
  },
});
const client = new pg.Client({ connectionString: await gate.url("shop") });
client.on("error", () => undefined);
after(() => client.end());
await client.connect();

async function refused(text: string): Promise<string> {
  const error = await client.query(text).then(
    () => assert.fail(`${text} ran`),
    (thrown: pg.DatabaseError) => thrown,
  );
  assert.match(error.code ?? "", /^(42501|0A000|RG)/, `${error.code}: ${error.message}`);
  return `${error.message} ${error.detail} ${error.hint}`;
}

describe("what the server asks of protected values by itself", () => {
  for (const text of [
    "UPDATE hr.employees SET title = 'probe' WHERE id = 1",
    "INSERT INTO hr.employees (id, title) VALUES (2, 'x') ON CONFLICT (id) DO UPDATE SET title = 'probe'",
    "INSERT INTO hr.doors (id, badge) VALUES (1, 'b1')",
  ])
    test(`is refused: ${text}`, async () => {
      assert.match(await refused(text), /ssn|number/);
    });

  for (const text of [
    "SELECT id FROM hr.secrets",
    "SELECT count(*) FROM hr.secrets",
    "EXPLAIN SELECT id FROM hr.secrets",
  ])
    test(`is refused, with the policy as the reason: ${text}`, async () => {
      assert.match(await refused(text), /row-level security/);
    });

  test("is refused where the mask is none of SQL", async () => {
    assert.match(await refused("SELECT id FROM hr.kept"), /hr\.kept\.secret/);
  });
});

describe("what it asks of others stops nobody", () => {
  for (const text of [
    "UPDATE hr.employees SET high = 5 WHERE id = 1",
    "INSERT INTO hr.employees (id, title, ssn) VALUES (9, 'probe', '1')",
    "INSERT INTO hr.doors (id, employee) VALUES (1, 1)",
    "UPDATE hr.doors SET employee = 2 WHERE id = 1",
    "DELETE FROM hr.employees WHERE id = 9",
    "SELECT id, body, secret FROM hr.notes ORDER BY id",
    "SELECT count(*), max(length(secret)) FROM hr.notes",
    "UPDATE hr.notes SET body = 'z' WHERE id = 1",
    "INSERT INTO hr.notes VALUES (5, 1, 'app', 'b', 's')",
    "DELETE FROM hr.notes WHERE id = 5",
    "SELECT id, secret FROM hr.own",
  ])
    test(text, async () => {
      await client.query(text);
    });
});
