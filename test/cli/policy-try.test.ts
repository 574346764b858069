// regate policy try: what it prints of a text, that it agrees with the running gate, and that it leaves no trace.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import pg from "pg";
import { startDemo } from "../../src/demo/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type LogLine, startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import { type Ended, main, regate, until } from "./regate.ts";

const server = await startServer();
const folder = temporaryFolder("try");
writeFileSync(
  join(folder, "regate.yaml"),
  `data_dir: data\ntls: {allow_plaintext: loopback}\nresources: {shop: {url: "${server.url("app", "shop")}"}}\n`,
);
const tried = (...args: string[]): Promise<Ended> => regate(["policy", "try", ...args], { cwd: folder });
const json = async (...args: string[]): Promise<any> => JSON.parse((await tried("--json", ...args)).stdout);

describe("for people", () => {
  test("facts by statement, and the decision with its masks by column name", async () => {
    const { code, stdout, stderr } = await tried("SELECT name, email AS contact FROM customers WHERE id = 7");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^1 {2}SELECT name, email AS contact FROM customers WHERE id = 7\n {3}select · read\n/);
    assert.match(stdout, /^ {3}relations {2}public\.customers {2}table {2}select {2}\[pii\]$/m);
    assert.match(stdout, /^ +public\.customers\.email {2}output {2}\[pii\]$/m);
    assert.match(stdout, /^ +2 {2}contact {2}text {2}direct {2}← public\.customers\.email \[pii\]$/m);
    assert.match(stdout, /^decision {2}mask {2}for agent:bot on shop/m);
    assert.match(stdout, /^ +masks +contact {2}redact/m);
  });

  test("what a statement writes, calls, locks and sets, and whether it fixes its rows", async () => {
    const { stdout } = await tried(
      "UPDATE products SET title = upper(sku); SET LOCAL work_mem = '1MB'; SELECT nextval('x') FROM nowhere",
    );
    assert.match(stdout, /^ {3}update · write · rows not fixed$/m);
    assert.match(stdout, /^ {3}writes {5}public\.products\.title {2}column {2}← public\.products\.sku$/m);
    assert.match(stdout, /^ {3}functions {2}pg_catalog\.upper {2}builtin {2}(total|pure) {2}immutable$/m);
    assert.match(stdout, /^ {3}settings {3}work_mem {2}= 1MB {2}local$/m);
    assert.match(stdout, /^ {3}relations {2}\.?nowhere {2}unknown/m);
  });

  test("a refusal ends with 4 and says what would be allowed", async () => {
    const { code, stdout } = await tried("DELETE FROM orders");
    assert.equal(code, 4);
    assert.match(stdout, /^decision {2}block .*\n {3}unscoped-write .*\(statement 1\)\n {5}hint: Add a WHERE/m);
  });

  test("what needs an approval ends with 5 and says whose", async () => {
    const { code, stdout } = await tried("DELETE FROM orders WHERE id = 7");
    assert.equal(code, 5);
    assert.match(stdout, /^ {3}approval {3}1 of group:dba/m);
  });

  test("a syntax error has its line and a caret below its place", async () => {
    const { code, stdout } = await tried("SELECT 'häß',\n\tid FORM orders");
    assert.equal(code, 4);
    assert.match(
      stdout,
      /^error {2}syntax error at or near "orders" \(TEXT_UNPARSEABLE\)\n {3}LINE 2: {2}id FORM orders\n {20}\^\n/,
    );
  });

  test("names cannot steer the terminal", async () => {
    const { stdout } = await tried('SELECT id AS "\u001b[2J\u202e" FROM orders');
    assert.ok(!stdout.includes("\u001b") && !stdout.includes("\u202e"));
    assert.match(stdout, /\\u\{1b\}\[2J/);
  });

  test("--estimate asks for rows and cost", async () => {
    const { stdout } = await tried("--estimate", "SELECT id FROM orders");
    assert.match(stdout, /^ {3}select · read · estimated 600 rows, cost \d+(\.\d+)?$/m);
  });

  test("--facts leaves the policy out", async () => {
    const { code, stdout } = await tried("--facts", "DELETE FROM orders");
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /decision/);
  });
});

describe("for programs", () => {
  test("the text comes from an argument, a file or standard input", async () => {
    writeFileSync(join(folder, "some.sql"), "SELECT 1 AS one");
    const child = spawn(process.execPath, [main, "policy", "try", "--json", "-"], { cwd: folder });
    child.stdin.end("SELECT 1 AS one");
    let piped = "";
    for await (const chunk of child.stdout) piped += chunk;
    const texts = [await json("SELECT 1 AS one"), await json("--file", "some.sql"), JSON.parse(piped)];
    for (const { input, decision } of texts) {
      assert.deepEqual([input.command.text, decision.action], ["SELECT 1 AS one", "allow"]);
      assert.equal(input.command.statements[0].outputs[0].name, "one");
    }
  });

  test("a text that cannot be judged is a block with its code and place", async () => {
    const { decision, error, input } = await json("SELEC 1");
    assert.deepEqual([decision.action, decision.reasons[0].code], ["block", "TEXT_UNPARSEABLE"]);
    assert.deepEqual([error.code, error.position], ["TEXT_UNPARSEABLE", 1]);
    assert.deepEqual(input.command.statements, []);
  });

  test("parameters are counted, and the text is then judged as bound", async () => {
    const { input } = await json("SELECT id FROM orders WHERE id = $2 AND status = $1 AND 'x' <> '$9'");
    assert.deepEqual([input.command.message, input.command.parameters.count], ["bind", 2]);
  });

  test("identity, search path, role and transaction are as they are said to be", async () => {
    const as = ["--as", "human:eve", "--group", "dba", "--scope", "ddl", "--actor", "agent:bot"];
    const { input } = await json(...as, "--in-transaction", "--search-path", "pg_catalog", "SELECT id FROM customers");
    const { subject, kind, groups, scopes, actors } = input.identity;
    assert.deepEqual([subject, kind, groups, scopes, actors], ["human:eve", "human", ["dba"], ["ddl"], ["agent:bot"]]);
    assert.equal(input.session.in_transaction, true);
    assert.equal(input.command.statements[0].relations[0].kind, "unknown");
    const { code, stderr } = await tried("--role", "nobody of that name", "SELECT 1");
    assert.equal(code, 1);
    assert.match(stderr, /role "nobody of that name" does not exist/);
  });
});

test("facts and decisions are those of the running gate", async () => {
  const gate = await startGate({ policy: "default", resources: { shop: server.url("app", "shop") } });
  const client = new pg.Client({ connectionString: await gate.url() });
  await client.connect();
  const texts = [
    "SELECT name, email FROM customers ORDER BY id",
    "SELECT * FROM customer_contacts",
    "SELECT max(email) FROM customers",
    "DELETE FROM orders",
    "SELECT 1; SELECT city FROM customers LIMIT 2",
    "CREATE TABLE t (a int)",
    "SET search_path = public; SELECT id FROM orders",
    "EXPLAIN SELECT ssn FROM employees",
    "SELECT id FROM no_such_table",
    "SELEC 1",
  ];
  for (const text of texts) {
    await client.query(text).catch(() => undefined);
    const recorded = (): LogLine | undefined => gate.records().findLast((line) => line.input?.command?.text === text);
    // A refusal may be told before its record is on disk.
    await until(
      () => recorded() !== undefined,
      () => `no record of ${text}`,
    );
    const record = recorded()!;
    const { input, decision } = await json(text);
    assert.deepEqual(input.command, { ...record.input.command, ...pick(input.command) }, text);
    const { id: _, ...expected } = record.result;
    const { id: __, ...got } = decision;
    if (record.input.command.statements.length > 0)
      assert.deepEqual({ approval: null, ...got }, { approval: null, ...expected }, text);
    else assert.deepEqual([got.action, got.reasons[0].code], [expected.action, expected.reasons[0].code]);
  }
  await client.end();
  await gate.close();

  // The gate makes these only where a rule reads them.
  function pick({ normalized, fingerprint }: { normalized: string; fingerprint: string }): object {
    return { normalized, fingerprint };
  }
});

test("nothing is run, and nothing is written", async () => {
  const place = temporaryFolder("untouched");
  mkdirSync(place, { recursive: true });
  writeFileSync(
    join(place, "regate.yaml"),
    `data_dir: data\ntls: {allow_plaintext: loopback}\nresources: {shop: {url: "${server.url("app", "shop")}"}}\n`,
  );
  const texts = ["SELECT pg_advisory_lock(7)", "CREATE TABLE made (a int)", "UPDATE orders SET status = 'tried'"];
  await regate(["policy", "try", texts.join("; ")], { cwd: place });
  const client = new pg.Client({ connectionString: server.url("postgres", "shop") });
  await client.connect();
  const { rows } = await client.query(
    "SELECT to_regclass('made') AS made, (SELECT count(*)::int FROM orders WHERE status = 'tried') AS updated",
  );
  await client.end();
  assert.deepEqual(rows, [{ made: null, updated: 0 }]);
  assert.ok(!existsSync(join(place, "data")), readdirSync(place).join(" "));
});

test("--demo asks the demo that runs in this folder, or starts it for the moment", async () => {
  const place = temporaryFolder("demo");
  const text = "SELECT email FROM customers";
  const alone = await regate(["policy", "try", "--demo", text], { cwd: place });
  assert.match(alone.stderr, /^creating a PostgreSQL/);
  const demo = await startDemo({ dataDir: join(place, ".regate"), say: () => undefined });
  const beside = await regate(["policy", "try", "--demo", text], { cwd: place }).finally(() => demo.stop());
  assert.deepEqual(beside, { code: 0, stdout: alone.stdout, stderr: "" });
  assert.match(beside.stdout, /^decision {2}mask/m);
});

describe("misuse", () => {
  const cases: [string, string[], RegExp][] = [
    ["no text", [], /the SQL is missing/],
    ["two texts", ["SELECT 1", "SELECT 2"], /one word too many/],
    ["a text and a file", ["--file", "x", "SELECT 1"], /not both/],
    ["a file that is not there", ["--file", "none.sql"], /none\.sql/],
    ["a resource that is not there", ["--resource", "shop2", "SELECT 1"], /no resource shop2[\s\S]*There are: shop/],
    ["a subject of no kind", ["--as", "bob", "SELECT 1"], /kind: expected/],
  ];
  for (const [name, args, said] of cases) {
    test(`${name}: 2`, async () => {
      const { code, stderr } = await tried(...args);
      assert.equal(code, 2);
      assert.match(stderr, said);
    });
  }

  test("a bundle that is not there: 3", async () => {
    const { code, stderr } = await tried("--bundle", "none.tar.gz", "SELECT 1");
    assert.equal(code, 3);
    assert.match(stderr, /BUNDLE_UNREADABLE/);
  });

  test("a database that does not answer: 1", async () => {
    const place = temporaryFolder("away");
    writeFileSync(
      join(place, "regate.yaml"),
      'tls: {allow_plaintext: loopback}\nresources: {away: {url: "postgres://app@127.0.0.1:1/x"}}\n',
    );
    const { code, stderr } = await regate(["policy", "try", "SELECT 1"], { cwd: place });
    assert.equal(code, 1);
    assert.match(stderr, /UPSTREAM_UNREACHABLE/);
  });
});
