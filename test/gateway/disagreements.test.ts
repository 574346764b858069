// A gate whose catalog is made to lie: what the server describes and what it plans both notice, and what is needed to reproduce it is kept.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import pg from "pg";
import { Catalog } from "../../src/sql/postgres/catalog.ts";
import { startGate, type TestGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
const url = server.url("app", "shop");
const direct = new pg.Client({ connectionString: server.url("postgres", "shop") });
direct.on("error", () => undefined);
await direct.connect();
after(() => direct.end());
const resolve = Catalog.prototype.resolveRelation;

/** From now on the gate takes the name `customers` for the table of orders. */
function lie(): void {
  Catalog.prototype.resolveRelation = function (schema, name, searchPath) {
    return resolve.call(this, schema, schema === undefined && name === "customers" ? "orders" : name, searchPath);
  };
}
afterEach(() => {
  Catalog.prototype.resolveRelation = resolve;
});

async function gateWith(onMismatch: "alarm" | "refuse", rate = 1): Promise<TestGate> {
  const planCheck = { rate, on_mismatch: onMismatch };
  // Data that tag something: without any tag there is nothing to confirm.
  const data = { classification: { shop: { "public.employees.ssn": ["pii"] } } };
  return startGate({ data, resources: { shop: url }, config: { resources: { shop: { url, plan_check: planCheck } } } });
}

async function connected(gate: TestGate): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: await gate.url("shop") });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

type Checks = { disagreements: { descriptions: number; plans: number }; plans: { checked: number } };
async function health(gate: TestGate, until: (checks: Checks) => boolean): Promise<Checks> {
  for (let waited = 0; ; waited += 25) {
    const { checks } = (await (await fetch(`http://${gate.http}/healthz`)).json()) as { checks: Checks };
    if (until(checks)) return checks;
    assert.ok(waited < 10_000, JSON.stringify(checks));
    await new Promise((done) => setTimeout(done, 25));
  }
}
const kept = (gate: TestGate): { readonly path: string; readonly report: any }[] => {
  const folder = join(gate.dataDir, "disagreements");
  return readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return { path, report: JSON.parse(readFileSync(path, "utf8")) };
  });
};
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "ran",
    (error: pg.DatabaseError) => /[A-Z]+_MISMATCH/.exec(error.detail ?? "")?.[0] ?? String(error.code),
  );

describe("with true facts", () => {
  test("the plans of all that runs agree", async () => {
    const gate = await gateWith("refuse");
    const client = await connected(gate);
    const texts = [
      "SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = 'Paris'",
      "SELECT * FROM customer_contacts",
      "SELECT city, revenue FROM revenue_by_city ORDER BY revenue DESC LIMIT 3",
      "UPDATE orders SET status = 'seen' WHERE id IN (SELECT order_id FROM order_items WHERE product_id = 3)",
      "DELETE FROM orders WHERE id = 600",
    ];
    for (const text of texts) await client.query(text);
    await client.query({ text: "SELECT title FROM products WHERE price > $1 AND sku LIKE $2", values: [10, "A%"] });
    const checks = await health(gate, ({ plans }) => plans.checked === texts.length + 1);
    assert.deepEqual(checks.disagreements, { descriptions: 0, plans: 0 });
    assert.throws(() => kept(gate), /ENOENT/);
    await client.end();
    await gate.close();
  });

  test("nothing is asked at a rate of 0", async () => {
    const gate = await gateWith("alarm", 0);
    const client = await connected(gate);
    for (let i = 0; i < 20; i++) await client.query("SELECT title FROM products");
    const { rows } = await direct.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'regate' AND query LIKE 'EXPLAIN%'",
    );
    assert.equal(rows[0].n, 0);
    await client.end();
    await gate.close();
  });
});

describe("with facts of another table", () => {
  test("the server's description refuses a result, and keeps what reproduces it", async () => {
    const gate = await gateWith("alarm", 0);
    const client = await connected(gate);
    lie();
    assert.equal(await codeOf(client.query("SELECT id FROM customers WHERE id = 7")), "CATALOG_MISMATCH");
    const secret = { text: "SELECT id FROM customers WHERE id = 8 AND city <> $1", values: ["unseen"] };
    assert.equal(await codeOf(client.query(secret)), "CATALOG_MISMATCH");
    const { disagreements } = await health(gate, (checks) => checks.disagreements.descriptions === 2);
    assert.equal(disagreements.plans, 0);
    const files = kept(gate);
    const { path, report } = files.find((one) => one.report.command.text.endsWith("7"))!;
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(report.code, "CATALOG_MISMATCH");
    assert.deepEqual(report.findings, ["column 1 comes from public.customers.id, which was not derived"]);
    assert.equal(report.command.statements[0].relations[0].name, "orders");
    assert.equal(report.server.fields[0].name, "id");
    assert.ok(report.searchPath.includes("public") && report.user === "app" && report.serverVersion > 0);
    for (const one of files) assert.ok(!JSON.stringify(one.report).includes("unseen"), "a parameter was kept");
    await client.end();
    await gate.close();
  });

  test("the server's plan notices where a description says nothing", async () => {
    const gate = await gateWith("alarm");
    const client = await connected(gate);
    lie();
    assert.equal(await codeOf(client.query("SELECT count(*) FROM customers")), "ran");
    await health(gate, ({ disagreements }) => disagreements.plans === 1);
    const [{ path, report }] = kept(gate) as [ReturnType<typeof kept>[number]];
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(report.findings, ["it reads public.customers, which the facts do not list"]);
    assert.match(JSON.stringify(report.server.plans), /"Relation Name":"customers"/);
    // It is an alarm: the next one runs.
    assert.equal(await codeOf(client.query("SELECT count(*) FROM customers")), "ran");
    await client.end();
    await gate.close();
  });

  test("and refuses the same facts from then on, where that is asked for", async () => {
    const gate = await gateWith("refuse");
    const client = await connected(gate);
    lie();
    assert.equal(await codeOf(client.query("SELECT count(*) FROM customers WHERE id < 5")), "ran");
    await health(gate, ({ disagreements }) => disagreements.plans === 1);
    const text = "SELECT count(*) FROM customers WHERE id < 6";
    assert.equal(await codeOf(client.query(text)), "PLAN_MISMATCH");
    assert.equal(await codeOf(client.query({ text: text.replace("6", "$1"), values: [6] })), "PLAN_MISMATCH");
    assert.equal(await codeOf(client.query("SELECT count(*) FROM products")), "ran");
    const refused = gate.records().filter((line) => line.result?.reasons?.[0]?.code === "PLAN_MISMATCH");
    assert.ok(refused.length >= 1, "the refusal is on record");
    await client.end();
    await gate.close();
  });
});
