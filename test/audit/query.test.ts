// SQL over the decision log: the views, what a query may not do, and logs that are empty, growing or damaged.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openAuditLog } from "../../src/audit/index.ts";
import { queryLog } from "../../src/audit/query.ts";
import type { SessionContext } from "../../src/core/command.ts";
import type { CommandFacts } from "../../src/core/facts.ts";
import { approvalLine, decisionLine, outcomeLine } from "../../src/core/record.ts";
import { RegateError } from "../../src/errors.ts";
import { temporaryFolder } from "../support/folder.ts";

const root = temporaryFolder("query");
let made = 0;
const folder = (): string => {
  const dir = join(root, String(made++));
  mkdirSync(dir);
  return dir;
};

const session = {
  identity: {
    subject: "agent:bot",
    kind: "agent",
    issuer: "regate",
    actors: ["human:ann"],
    groups: ["support"],
    scopes: [],
    token: { id: "t", issued_at: 1, expires_at: 2 },
    claims: {},
  },
  resource: { name: "shop", kind: "postgres", database: "shop", environment: "production", labels: {} },
  facts: {
    id: "s1",
    protocol: "postgres",
    client: { address: "127.0.0.1", application: "psql" },
    tls: false,
    started_at: "2026-11-23T13:00:00Z",
    in_transaction: false,
    usage: { commands: 0, rows: 0, bytes: 0, cost: 0 },
    taint: [],
  },
  sequence: 0,
} as unknown as SessionContext;
const header = { labels: { id: "gate" }, mode: "enforce" };
const source = (column: string) => ({ schema: "public", table: "customers", column, tags: ["pii"] });
const command = {
  text: "SELECT id, email\nFROM customers",
  normalized: "",
  fingerprint: "",
  message: "query",
  parameters: { count: 0, types: [] },
  statements: [
    {
      verb: "select",
      class: "read",
      relations: [{ schema: "public", name: "customers", kind: "table", access: ["select"], via: [], tags: [] }],
      columns: [{ schema: "public", table: "customers", column: "id", tags: [], uses: ["output"], operators: [] }],
      outputs: [{ name: "email", type: "text", derivation: "direct", total: true, sources: [source("email")] }],
    },
  ],
} as unknown as CommandFacts;
const time = Date.UTC(2026, 10, 23, 13, 0, 0, 250);
const decided = (sequence: number, action: "allow" | "mask" | "block", text = command.text): string =>
  decisionLine(header, {
    decisionId: `s1-${sequence}`,
    sequence,
    session,
    stage: "command",
    command: { ...command, text },
    decision: { id: `s1-${sequence}`, action, reasons: [{ code: `code-${action}`, message: "why" }], masks: [] },
    revision: "r1",
    time,
    evaluationNs: 1500,
  });
const ran = (sequence: number, of: string, rows: number): string =>
  outcomeLine(header, session, of, sequence, time, {
    status: "ok",
    rows,
    bytes: 9,
    masked_cells: 3,
    sqlstate: null,
    tag: "SELECT",
    duration_us: 70,
  });
const approved = (sequence: number, of: string): string =>
  approvalLine(header, session, of, sequence, time, {
    id: "a1",
    state: "approved",
    decided_by: ["human:alice"],
    comment: null,
  });

const write = (dir: string, number: number, lines: readonly string[]): void =>
  writeFileSync(
    join(dir, `decisions-${String(number).padStart(6, "0")}.jsonl`),
    lines.map((line) => `${line}\n`).join(""),
  );
const rows = async (dir: string, sql: string): Promise<unknown[][]> => {
  const all: unknown[][] = [];
  for await (const portion of (await queryLog(dir, sql)).rows) all.push(...portion.map((row) => [...row]));
  return all;
};
const refusal = async (dir: string, sql: string): Promise<RegateError> => {
  try {
    await rows(dir, sql);
  } catch (error) {
    assert.ok(error instanceof RegateError, String(error));
    return error;
  }
  throw new Error(`it ran: ${sql}`);
};

const filled = folder();
write(filled, 1, [decided(1, "mask"), ran(2, "s1-1", 5)]);
write(filled, 2, [
  decided(3, "block", "DELETE FROM orders"),
  decided(4, "allow"),
  approved(5, "s1-4"),
  ran(6, "s1-4", 1),
]);

test("decisions have who, what, where and why in columns of their own, over all segments", async () => {
  const sql = `SELECT timestamp, session, sequence, mode, subject, kind, actors, groups, resource, environment, text, verbs, classes,
    relations, columns, output_columns, action, reason, message, revision, client, evaluation_ns FROM decisions ORDER BY sequence`;
  const [first, second, third] = await rows(filled, sql);
  assert.deepEqual(first, [
    "2026-11-23 13:00:00.25",
    "s1",
    1,
    "enforce",
    "agent:bot",
    "agent",
    ["human:ann"],
    ["support"],
    "shop",
    "production",
    "SELECT id, email\nFROM customers",
    ["select"],
    ["read"],
    ["public.customers"],
    ["public.customers.id"],
    ["public.customers.email"],
    "mask",
    "code-mask",
    "why",
    "r1",
    "127.0.0.1",
    1500,
  ]);
  assert.deepEqual([second?.[10], third?.[16]], ["DELETE FROM orders", "allow"]);
});

test("outcomes and approvals join their decisions", async () => {
  const sql = `SELECT d.action, o.status, o.rows, o.masked_cells, a.state, a.decided_by FROM decisions d
    LEFT JOIN outcomes o USING (decision_id) LEFT JOIN approvals a USING (decision_id) ORDER BY d.sequence`;
  assert.deepEqual(await rows(filled, sql), [
    ["mask", "ok", 5, 3, null, null],
    ["block", null, null, null, null, null],
    ["allow", "ok", 1, 3, "approved", ["human:alice"]],
  ]);
});

test("events are the lines as they are, with JSON parsed", async () => {
  const [[input]] = (await rows(
    filled,
    "SELECT input FROM events WHERE decision_id = 's1-1' AND path = 'regate/decision'",
  )) as [[{ identity: unknown }]];
  assert.deepEqual(input.identity, JSON.parse(JSON.stringify(session.identity)));
});

test("a log without a segment has the same columns, and no rows", async () => {
  const empty = folder();
  assert.deepEqual(await rows(empty, "SELECT count(*) FROM decisions"), [[0]]);
  assert.deepEqual(await rows(empty, "DESCRIBE decisions"), await rows(filled, "DESCRIBE decisions"));
});

test("no log is a clear error", async () => {
  assert.equal((await refusal(join(root, "none"), "SELECT 1")).code, "DATA_DIR");
});

test("a log that is being written to can be queried", async () => {
  const dir = folder();
  const log = await openAuditLog({ dir, durability: "write", segmentBytes: 20_000 });
  for (let at = 0; at < 100; at++) log.append(decided(at, "allow"));
  await new Promise<void>((resolve) => log.append(decided(100, "allow")).settled(() => resolve()));
  assert.deepEqual(await rows(dir, "SELECT count(*) FROM decisions"), [[101]]);
  await log.close();
});

test("a torn line is left out, and said", async () => {
  const dir = folder();
  write(dir, 1, [decided(1, "allow")]);
  appendFileSync(join(dir, "decisions-000001.jsonl"), decided(2, "allow").slice(0, 90));
  const { rows: portions, damaged } = await queryLog(dir, "SELECT sequence FROM decisions");
  const found = [];
  for await (const portion of portions) found.push(...portion);
  assert.deepEqual([found, damaged], [[[1]], true]);
  assert.equal((await queryLog(filled, "SELECT 1")).damaged, false);
});

test("a line of megabytes is read", async () => {
  const dir = folder();
  write(dir, 1, [decided(1, "allow", "x".repeat(20_000_000))]);
  assert.deepEqual(await rows(dir, "SELECT length(text) FROM decisions"), [[20_000_000]]);
});

const forbidden: [string, RegExp][] = [
  ["COPY (SELECT 1) TO 'DIR/decisions-000001.jsonl'", /Permission|SELECT/],
  ["COPY (SELECT 1) TO 'DIR/new.csv'", /Permission|SELECT/],
  ["EXPORT DATABASE 'DIR/x'", /Permission|SELECT/],
  ["CREATE TABLE t (a int)", /takes a SELECT/],
  ["EXPLAIN ANALYZE COPY (SELECT 1) TO 'DIR/new.csv'", /Permission|SELECT/],
  ["SELECT 1; DROP VIEW decisions", /one statement/],
  ["", /one statement/],
  ["-- nothing", /one statement/],
  ["SELECT * FROM read_text('/etc/passwd')", /Permission/],
  ["SELECT * FROM read_text('DIR/lock.pid')", /Permission/],
  ["SELECT * FROM read_csv('https://example.org/x.csv')", /Permission/],
  ["SELECT * FROM '/etc/passwd'", /./],
  ["ATTACH 'DIR/x.db'", /Permission|SELECT/],
  ["INSTALL httpfs", /Permission|SELECT/],
  ["SET enable_external_access = true", /locked|SELECT/],
  ["SELECT $1", /parameters/],
  ["SELEC 1", /syntax error/],
];
for (const [sql, why] of forbidden) {
  test(`${sql === "" ? "nothing" : sql} is refused`, async () => {
    const before = readdirSync(filled);
    const error = await refusal(filled, sql.replace("DIR", filled));
    assert.equal(error.code, "USAGE");
    assert.match(error.detail ?? "", why);
    assert.deepEqual(readdirSync(filled), before);
    assert.deepEqual(await rows(filled, "SELECT count(*) FROM decisions"), [[3]]);
  });
}
