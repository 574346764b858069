// A refusal says where, and names a statement that passes: it is sent, and passes.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { setTimeout } from "node:timers/promises";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const rego = fileURLToPath(new URL("../../rego", import.meta.url));
const server = await startServer();
const gate = await startGate({
  policy: rego,
  data: {
    classification: { shop: { "public.employees.ssn": ["ssn"], "public.employees.email": ["pii"] } },
    masks: { ssn: { mask: "hash", on_derived: "refuse" }, pii: { mask: "redact" } },
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const client = new pg.Client(await gate.url());
client.on("error", () => undefined);
await client.connect();
after(() => client.end());

async function refused(sql: string | { text: string; values: unknown[] }): Promise<pg.DatabaseError> {
  try {
    await client.query(sql);
  } catch (error) {
    return error as pg.DatabaseError;
  }
  return assert.fail(`passed: ${JSON.stringify(sql)}`);
}

describe("a refusal", () => {
  for (const [sql, where, instead] of [
    [
      "SELECT id, left(ssn, 3) AS area FROM employees ORDER BY id",
      "ssn",
      "SELECT id, NULL AS area FROM employees ORDER BY id",
    ],
    ["SELECT id FROM employees WHERE ssn = '1' AND id > 2", "ssn", "SELECT id FROM employees WHERE id > 2"],
    ["SELECT count(*) FROM employees GROUP BY ssn, title", "ssn", "SELECT count(*) FROM employees GROUP BY title"],
    [
      "SELECT upper(email), e.ssn || '!' AS x FROM employees e",
      "e.ssn",
      "SELECT upper(email), NULL AS x FROM employees AS e",
    ],
  ] as const)
    it(`of ${sql}`, async () => {
      const error = await refused(sql);
      assert.equal(Number(error.position), sql.indexOf(where) + 1);
      const [, statement] = /Try: (.+)$/.exec(error.hint ?? "") ?? [];
      assert.equal(statement, instead);
      await client.query(statement!);
    });

  it("of a prepared statement does, too", async () => {
    const error = await refused({ text: "SELECT id, left(ssn, 3) AS x FROM employees WHERE id = $1", values: [1] });
    assert.match(error.hint ?? "", /Try: SELECT id, NULL AS x FROM employees WHERE id = \$1$/);
  });

  it("names no statement where there is none that passes, and still says where", async () => {
    const error = await refused("DELETE FROM employees WHERE ssn = '1'");
    assert.doesNotMatch(error.hint ?? "", /Try:/);
    assert.equal(Number(error.position), "DELETE FROM employees WHERE ".length + 1);
  });

  for (const text of [
    "SELECT id, set_config('role', 'postgres', true) FROM employees",
    "SELECT id, pg_read_file('x') FROM employees",
    "SELECT left(ssn, 3) FROM employees",
  ])
    it(`names none that does not do what it was for: ${text}`, async () => {
      assert.doesNotMatch((await refused(text)).hint ?? "", /Try:/);
    });

  it("names none that would have to be rewritten, and cannot be", async () => {
    const error = await refused(
      "SELECT ctid, upper(email), left(ssn, 2) FROM employees NATURAL JOIN (SELECT 1 AS one) x",
    );
    assert.doesNotMatch(error.hint ?? "", /Try:/);
  });

  it("is recorded as it is, without what was tried", async () => {
    const text = "SELECT left(ssn, 4) FROM employees";
    await refused(text);
    const decisions = (): string[] =>
      gate
        .records()
        .filter(({ path, input }) => path === "regate/decision" && input.stage === "command")
        .map(({ input }) => input.command.text as string);
    while (!decisions().includes(text)) await setTimeout(10);
    assert.ok(!decisions().some((each) => each.includes("NULL AS left")), decisions().join("\n"));
  });
});
