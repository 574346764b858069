// Hostile texts through the gate: each gets a code of its own or the server's answer, in bounded time, and nobody else waits for it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import pg from "pg";
import { errorOf, types, WireClient } from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const columns = Array.from({ length: 1_600 }, (_, i) => `c${i} int`).join(", ");
const server = await startServer();
const owner = new pg.Client({ connectionString: server.url("postgres", "shop") });
await owner.connect();
await owner.query(`CREATE TABLE widest (${columns}); GRANT SELECT ON widest TO app`);
await owner.end();
const gate = await startGate({
  policy: "default",
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const open = async (): Promise<WireClient> =>
  WireClient.open(Number(gate.postgres.split(":").at(-1)), await gate.token());
const client = await open();

/** The code that the refusal names, or the messages that came. */
const answer = async (text: string, through = client): Promise<string> => {
  const replies = await through.run(text);
  const error = replies.find((reply) => reply.type === "E");
  if (error === undefined) return types(replies);
  const { C, D } = errorOf(error);
  return /^(?:.*\()?([A-Z_]{8,}|[a-z-]{4,})\b/.exec(D ?? "")?.[1] ?? C ?? "";
};

const cases: readonly (readonly [name: string, text: string, expected: string])[] = [
  ["a million parentheses", `SELECT ${"(".repeat(500_000)}1${")".repeat(500_000)}`, "TEXT_TOO_COMPLEX"],
  ["a chain of a hundred thousand additions", `SELECT ${"1+".repeat(100_000)}1`, "TEXT_TOO_COMPLEX"],
  ["unions beyond the parser's stack", `SELECT 1, 1 ${"UNION SELECT 1, 1 ".repeat(50_000)}`, "TEXT_TOO_COMPLEX"],
  ["a text of more than its limit", `SELECT '${"x".repeat(1 << 20)}'`, "TEXT_TOO_LONG"],
  [
    "a tree that no list makes small",
    `SELECT ${Array.from({ length: 40_000 }, (_, i) => `a${i}`).join(",")}`,
    "TEXT_TOO_COMPLEX",
  ],
  ["an identifier of a megabyte, which the server cuts", `SELECT 1 AS ${"x".repeat(1_000_000)}`, "N T D C Z"],
  [
    "a hundred thousand constants in a list",
    `SELECT id FROM orders WHERE id IN (${Array.from({ length: 100_000 }, (_, i) => i).join(",")}) LIMIT 1`,
    "T D C Z",
  ],
  ["1,600 columns", "SELECT * FROM widest", "T C Z"],
  [
    "two hundred common table expressions",
    `WITH ${Array.from({ length: 200 }, (_, i) => `x${i} AS (SELECT ${i === 0 ? "1 AS a" : `a FROM x${i - 1}`})`).join(", ")} SELECT a FROM x199`,
    "T D C Z",
  ],
];

describe("texts", () => {
  for (const [name, text, expected] of cases)
    test(name, async () => {
      assert.equal(await answer(text), expected);
      assert.equal(await answer("SELECT 1"), "T D C Z");
    });

  test("what doubles with each step is refused before it has grown", async () => {
    const views = Array.from(
      { length: 24 },
      (_, i) =>
        `x${i} AS (SELECT ${i === 0 ? "*" : `l.*, r.*`} FROM ${i === 0 ? "widest" : `x${i - 1} l, x${i - 1} r`})`,
    );
    assert.equal(await answer(`WITH ${views.join(", ")} SELECT 1 FROM x23`), "TEXT_TOO_COMPLEX");
  });

  test("invalid UTF-8 is refused, and the session goes on", async () => {
    client.send("Q", Buffer.from([...Buffer.from("SELECT '"), 0xff, ...Buffer.from("'\0")]));
    const replies = await client.until("Z");
    assert.match(errorOf(replies.find((reply) => reply.type === "E")!).D ?? "", /TEXT_NOT_UTF8/);
    assert.equal(await answer("SELECT 1"), "T D C Z");
  });

  test("65,535 parameters", async () => {
    const driver = new pg.Client({ connectionString: await gate.url() });
    await driver.connect();
    const list = Array.from({ length: 65_535 }, (_, i) => `$${i + 1}`).join(",");
    const { rows } = await driver.query(
      `SELECT id FROM orders WHERE id IN (${list}) ORDER BY id LIMIT 2`,
      Array.from({ length: 65_535 }, (_, i) => i),
    );
    assert.deepEqual(rows, [{ id: 1 }, { id: 2 }]);
    await driver.end();
  });
});

test("others are answered while long texts are judged", async () => {
  const other = await open();
  const long = `INSERT INTO notes (body) VALUES ${Array.from({ length: 60_000 }, (_, i) => `('note ${i}')`).join(",")}`;
  let answered = 0;
  let over = false;
  const judged = Promise.all(Array.from({ length: 4 }, async () => answer(long, await open()))).then(() => {
    over = true;
  });
  while (!over) {
    assert.equal(await answer("SELECT 1", other), "T D C Z");
    if (!over) answered++;
  }
  await judged;
  assert.ok(answered >= 20, String(answered));
  other.end();
});
