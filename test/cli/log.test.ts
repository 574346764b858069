// regate log: the decision log as a table, as it grows, as its own lines, and through SQL.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { type Running, regate, start, until } from "./regate.ts";

const data = temporaryFolder("log");
const segment = join(data, "audit", "decisions-000001.jsonl");
mkdirSync(join(data, "audit"));

type Members = { readonly [name: string]: unknown };
const event = (path: string, id: string, result: Members, more: Members = {}): string =>
  JSON.stringify({
    decision_id: id,
    path: `regate/${path}`,
    timestamp: "2026-11-23T13:00:00.250Z",
    result,
    custom: { session: "s", sequence: 1 },
    ...more,
  });
const decision = (id: string, action: string, text: string, code = `code-${action}`): string =>
  event(
    "decision",
    id,
    { id, action, reasons: [{ code, message: "why" }], masks: [] },
    {
      input: { stage: "command", identity: { subject: "agent:bot" }, resource: { name: "shop" }, command: { text } },
    },
  );
const outcome = (id: string, rows: number, masked = 0): string =>
  event("outcome", id, { status: "ok", rows, masked_cells: masked, sqlstate: null });

const lines = [
  decision("d1", "allow", "SELECT 1"),
  decision("d2", "mask", "SELECT id,\n\t  email FROM customers"),
  outcome("d1", 1),
  outcome("d2", 5, 5),
  decision("d3", "block", "DELETE FROM orders -- \u001b[2J\u202e", "unscoped-write"),
  decision("d4", "require_approval", "DELETE FROM orders WHERE id = 7"),
  event("approval", "d4", { id: "a", state: "pending", decided_by: [] }),
  event("approval", "d4", { id: "a", state: "approved", decided_by: ["human:alice"] }),
  outcome("d4", 1),
  decision("d5", "allow", "SELECT 1/0"),
  event("outcome", "d5", { status: "error", rows: 0, sqlstate: "22012" }),
];
writeFileSync(segment, lines.map((line) => `${line}\n`).join(""));
const tail = (...more: string[]) => regate(["log", "tail", "--data-dir", data, ...more]);
/** Rows of a table, without their time, with single spaces. */
const rowsOf = (stdout: string): string[] =>
  stdout
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.slice(12).replace(/ +/g, " ").trim());

const all = [
  "agent:bot allow shop SELECT 1 code-allow 1",
  "agent:bot mask shop SELECT id, email FROM customers code-mask; 5 cells masked 5",
  "agent:bot block shop DELETE FROM orders -- \\u{1b}[2J\\u{202e} unscoped-write",
  "agent:bot require_approval shop DELETE FROM orders WHERE id = 7 code-require_approval; pending; approved by human:alice 1",
  "agent:bot allow shop SELECT 1/0 code-allow; error 22012",
];

describe("tail", () => {
  test("shows a decision with its approval and outcome as one row, and no control characters", async () => {
    const { code, stdout, stderr } = await tail();
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^TIME +SUBJECT +ACTION +RESOURCE +TEXT +REASON +ROWS\n/);
    assert.deepEqual(rowsOf(stdout), all);
    assert.match(stdout, /^\d\d:00:00\.250 /m);
  });

  test("-n takes the last decisions", async () => {
    assert.deepEqual(rowsOf((await tail("-n", "2")).stdout), all.slice(-2));
    assert.deepEqual(rowsOf((await tail("-n", "0")).stdout), []);
  });

  test("--json gives the log's own lines", async () => {
    assert.deepEqual(
      (await tail("--json", "-n", "3")).stdout,
      lines
        .slice(-3)
        .map((line) => `${line}\n`)
        .join(""),
    );
  });

  test("without a log it ends with 3", async () => {
    const { code, stdout, stderr } = await regate(["log", "tail", "--data-dir", join(data, "none")]);
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, /There is no decision log in .*none/);
  });
});

describe("query", () => {
  const query = (sql: string, ...more: string[]) => regate(["log", "query", "--data-dir", data, sql, ...more]);

  test("prints a table", async () => {
    const { code, stdout } = await query("SELECT action, count(*) AS n FROM decisions GROUP BY action ORDER BY action");
    assert.deepEqual(
      [code, stdout],
      [0, "action            n\nallow             2\nblock             1\nmask              1\nrequire_approval  1\n"],
    );
  });

  test("--json prints one object a line", async () => {
    const { stdout } = await query(
      "SELECT decision_id, text, rows FROM decisions JOIN outcomes USING (decision_id) ORDER BY 1 LIMIT 2",
      "--json",
    );
    assert.deepEqual(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
      [
        { decision_id: "d1", text: "SELECT 1", rows: 1 },
        { decision_id: "d2", text: "SELECT id,\n\t  email FROM customers", rows: 5 },
      ],
    );
  });

  test("says what DuckDB did not like, and ends with 2", async () => {
    const { code, stderr } = await query("SELECT nonsense FROM decisions");
    assert.equal(code, 2);
    assert.match(stderr, /nonsense/);
    assert.match(stderr, /DESCRIBE decisions/);
  });
});

describe("tail -f", () => {
  const running: Running[] = [];
  after(() => {
    for (const { child } of running) child.kill("SIGKILL");
  });
  const follow = (...more: string[]): Running => {
    const started = start(["log", "tail", "-f", "--data-dir", data, ...more]);
    running.push(started);
    return started;
  };

  test("goes on with what is decided: with its outcome where that comes soon, else the outcome follows", async () => {
    const table = follow("-n", "1");
    const json = follow("-n", "0", "--json");
    await until(
      () => table.stdout().includes("22012"),
      () => table.stderr(),
    );
    // The reader of JSON shows nothing until something is appended.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const quick = [decision("d6", "allow", "SELECT 6"), outcome("d6", 6)];
    appendFileSync(segment, `${quick.join("\n")}\n`);
    await until(
      () => table.stdout().includes("SELECT 6"),
      () => table.stdout(),
    );
    assert.equal(rowsOf(table.stdout()).at(-1), "agent:bot allow shop SELECT 6 code-allow 6");

    const held = decision("d7", "require_approval", "DELETE 7");
    appendFileSync(segment, `${held}\n`);
    await until(
      () => table.stdout().includes("DELETE 7"),
      () => table.stdout(),
    );
    const last = outcome("d7", 1);
    appendFileSync(segment, `${last}\n`);
    await until(
      () => table.stdout().split("DELETE 7").length === 3,
      () => table.stdout(),
    );
    assert.deepEqual(rowsOf(table.stdout()).slice(-2), [
      "agent:bot require_approval shop DELETE 7 code-require_approval",
      "agent:bot shop DELETE 7 1",
    ]);

    await until(
      () => json.stdout().includes(last),
      () => json.stdout(),
    );
    assert.equal(json.stdout(), [...quick, held, last].map((line) => `${line}\n`).join(""));
  });
});
