// Plan checks: bounded, aside, and told once; what disagrees is counted, stored and, where it is asked for, refused.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CommandFacts } from "../../../src/core/facts.ts";
import { commandFacts } from "../../../src/protocols/postgres/command-facts.ts";
import { Disagreements, type OnDisagreement } from "../../../src/protocols/postgres/disagreements.ts";
import { PlanChecks, type PlanSample } from "../../../src/protocols/postgres/plan-checks.ts";
import type { Planner, PlanQuestion } from "../../../src/protocols/postgres/planner.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import type { PlanNode } from "../../../src/sql/postgres/plan.ts";
import { SCOPE, startRich } from "../../sql/postgres/support.ts";

const rich = await startRich();
const scan = (name: string): PlanNode => ({
  "Node Type": "Seq Scan",
  Schema: "public",
  "Relation Name": name,
  Alias: name,
});

function sampleOf(text: string): PlanSample {
  const analysis = analyze(text, rich.catalog, SCOPE);
  const { searchPath, user } = SCOPE;
  const command = commandFacts(analysis, "query", []);
  return { command, statement: analysis.statements[0]!, catalog: rich.catalog, searchPath, user };
}

function checks(answer: (question: PlanQuestion) => Promise<readonly PlanNode[]>, on: OnDisagreement = "alarm") {
  const stored: any[] = [];
  const said: string[] = [];
  const log = {
    info: () => undefined,
    warn: (_: object, message: string) => void said.push(`warn: ${message}`),
    error: (fields: object, message: string) =>
      void said.push(`error: ${(fields as { code: string }).code}: ${message}`),
  };
  const store = (report: object): string => `file ${stored.push(report)}`;
  const disagreements = new Disagreements({ resource: "shop", on, store, log });
  const asked: PlanQuestion[] = [];
  const planner = {
    plans: (question: PlanQuestion) => {
      asked.push(question);
      return answer(question);
    },
  };
  const state = { catalog: rich.catalog };
  const made = new PlanChecks(1, planner as unknown as Planner, disagreements, async () => state.catalog);
  return { made, disagreements, stored, said, asked, state };
}

describe("a plan that names more than the facts", () => {
  test("is counted each time, told and stored once", async () => {
    const { made, disagreements, stored, said } = checks(async () => [scan("products")]);
    for (let i = 0; i < 3; i++) made.sample(sampleOf("SELECT name FROM customers WHERE id = 1"));
    await made.settled();
    assert.deepEqual(made.counts, { checked: 3, stale: 0, unplanned: 0, dropped: 0 });
    assert.deepEqual(disagreements.counts, { descriptions: 0, plans: 3 });
    assert.deepEqual(said, ["error: PLAN_MISMATCH: the server's plan names what the facts do not"]);
    assert.equal(stored.length, 1);
  });

  test("is stored with all that reproduces it", async () => {
    const { made, stored } = checks(async () => [scan("products")]);
    made.sample(sampleOf("SELECT name FROM customers WHERE id = 7"));
    await made.settled();
    const { at, command, ...rest } = stored[0];
    assert.match(at, /^\d{4}-/);
    assert.equal(command.text, "SELECT name FROM customers WHERE id = 7");
    assert.equal(command.statements[0].relations[0].name, "customers");
    assert.deepEqual(rest, {
      resource: "shop",
      code: "PLAN_MISMATCH",
      findings: ["it reads public.products, which the facts do not list"],
      statement: 0,
      searchPath: SCOPE.searchPath,
      user: SCOPE.user,
      catalogVersion: rich.catalog.version,
      serverVersion: rich.catalog.serverVersion,
      server: { plans: [scan("products")] },
    });
  });

  test("is refused from then on where that is asked for: whatever the text, by its facts", async () => {
    const other = (text: string): CommandFacts => sampleOf(text).command;
    for (const on of ["alarm", "refuse"] as const) {
      const { made, disagreements } = checks(async () => [scan("products")], on);
      assert.equal(disagreements.refuses(other("SELECT name FROM customers WHERE id = 2")), false);
      made.sample(sampleOf("SELECT name FROM customers WHERE id = 1"));
      await made.settled();
      assert.equal(disagreements.refuses(other("SELECT name FROM customers WHERE id = 2")), on === "refuse");
      assert.equal(disagreements.refuses(other("SELECT city FROM customers WHERE id = 2")), false);
    }
  });

  test("is no alarm where the catalog was changed meanwhile", async () => {
    const { made, disagreements, state } = checks(async () => [scan("products")]);
    await rich.client.query("CREATE TABLE made_meanwhile (a int)");
    state.catalog = await rich.load();
    made.sample(sampleOf("SELECT name FROM customers"));
    await made.settled();
    assert.deepEqual(made.counts, { checked: 1, stale: 1, unplanned: 0, dropped: 0 });
    assert.deepEqual(disagreements.counts, { descriptions: 0, plans: 0 });
  });
});

describe("the check is no load", () => {
  test("a queue that is full drops, and counts", async () => {
    let open: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const { made, asked } = checks(async () => {
      await gate;
      return [scan("customers")];
    });
    for (let i = 0; i < 100; i++) made.sample(sampleOf("SELECT name FROM customers"));
    assert.equal(asked.length, 1);
    open?.();
    await made.settled();
    const { checked, dropped } = made.counts;
    assert.ok(dropped > 0 && checked + dropped === 100, JSON.stringify(made.counts));
  });

  test("what the server has no plan for is counted, and the next one is asked", async () => {
    let turn = 0;
    const { made } = checks(async () => {
      if (turn++ === 0) throw new Error("a lock");
      return [scan("customers")];
    });
    for (let i = 0; i < 2; i++) made.sample(sampleOf("SELECT name FROM customers"));
    await made.settled();
    assert.deepEqual(made.counts, { checked: 1, stale: 0, unplanned: 1, dropped: 0 });
  });

  test("a rate of 0 is never due, one of 1 always", () => {
    const { made } = checks(async () => []);
    assert.ok(made.due);
    const never = new PlanChecks(0, {} as Planner, {} as Disagreements, async () => rich.catalog);
    assert.ok(!never.due);
  });

  for (const text of [
    "SET search_path = x",
    "SELECT 1; SELECT 2",
    "SELECT set_config('search_path', 'x', false)",
    "CREATE TABLE t AS SELECT 1 AS a",
    "SELECT label FROM no_such_table",
    "CALL cleanup()",
    "EXECUTE something",
  ]) {
    test(`${text} is not planned`, async () => {
      const { made, asked } = checks(async () => []);
      made.sample(sampleOf(text));
      await made.settled();
      assert.equal(asked.length, 0);
    });
  }
});
