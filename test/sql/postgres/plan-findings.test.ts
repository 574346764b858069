// The facts against what the server's plans name: every golden statement agrees, and facts that are doctored do not.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { StatementFacts } from "../../../src/core/facts.ts";
import { mayBePlanned } from "../../../src/protocols/postgres/estimate.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { parameterCount } from "../../../src/sql/postgres/parameters.ts";
import { type PlanNode, readPlans } from "../../../src/sql/postgres/plan.ts";
import { type Derived, planFindings } from "../../../src/sql/postgres/plan-findings.ts";
import { substitute } from "../../../src/sql/postgres/substitute.ts";
import { replacementsFor } from "./substitute-support.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich();
await rich.client.query("SET plan_cache_mode = force_generic_plan; SET row_security = off");

async function planOf(text: string): Promise<readonly PlanNode[]> {
  const count = parameterCount(text);
  await rich.query("DEALLOCATE ALL");
  await rich.query(`PREPARE one AS ${text}`);
  const values = count === 0 ? "" : `(${new Array(count).fill("NULL").join(", ")})`;
  return readPlans((await rich.query(`EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE one${values}`))[0]![0]!);
}

function derivedOf(text: string): Derived | undefined {
  try {
    const { statements, unresolved } = analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false });
    return statements.length === 1 && !unresolved && mayBePlanned(statements[0]!.facts)
      ? { ...statements[0]!, text }
      : undefined;
  } catch {
    return undefined;
  }
}

describe("agree with every plan of", () => {
  let planned = 0;
  const folders = ["golden", "corpora"].map((name) => new URL(`./${name}/`, import.meta.url));
  for (const folder of folders) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".sql"))) {
      test(file, async () => {
        const disagreements: string[] = [];
        for (const text of readFileSync(new URL(file, folder), "utf8").split("\n")) {
          if (text === "" || text.startsWith("--")) continue;
          const derived = derivedOf(text);
          if (derived === undefined) continue;
          const plans = await planOf(text).catch(() => undefined);
          if (plans === undefined) continue;
          planned++;
          const findings = planFindings(plans, derived, rich.catalog);
          if (findings.length > 0) disagreements.push(`${text}\n    ${findings.join("\n    ")}`);
        }
        assert.deepEqual(disagreements, []);
      });
    }
  }
  test("and most have one", () => assert.ok(planned > 400, String(planned)));
});

describe("of a text that the gate rewrote", () => {
  const masks = { contact: { mask: "partial", keep_last: 2 }, contact_lower: { mask: "redact" } };
  const texts = [
    "SELECT upper(contact) FROM v_customers",
    "SELECT contact, contact_lower || 'x' FROM v_customers v WHERE contact LIKE 'a%' ORDER BY contact_lower",
    "SELECT upper(contact), total FROM v_contacts",
  ];
  const derivedOfRewritten = (text: string): Derived => {
    const made = substitute(text, rich.catalog, SCOPE, replacementsFor(rich.catalog, text, masks));
    assert.ok("text" in made, JSON.stringify(made));
    return { ...made.analysis.statements[0]!, text: made.text };
  };
  for (const text of texts)
    test(`agree with what is behind a masked column of a view: ${text}`, async () => {
      const derived = derivedOfRewritten(text);
      assert.ok(derived.facts.columns.some(({ table, tags }) => table.startsWith("v_") && tags.includes("masked")));
      assert.deepEqual(planFindings(await planOf(derived.text), derived, rich.catalog), []);
    });

  test("notice what is not behind it", async () => {
    const derived = derivedOfRewritten(texts[0]!);
    const [output] = derived.facts.outputs;
    const sources = [{ schema: "public", table: "v_customers", column: "name", tags: ["masked"] }];
    const doctored = { ...derived, facts: { ...derived.facts, outputs: [{ ...output!, sources }] } };
    assert.deepEqual(planFindings(await planOf(derived.text), doctored, rich.catalog), [
      "output 1 shows public.customers.email, which is not among its sources",
    ]);
  });
});

describe("notice facts that lack", () => {
  const without = (change: (facts: StatementFacts) => Partial<StatementFacts>) => (derived: Derived) => ({
    ...derived,
    facts: { ...derived.facts, ...change(derived.facts) },
  });
  const cases: [string, string, (derived: Derived) => Derived, RegExp][] = [
    [
      "a relation",
      "SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id",
      without(({ relations }) => ({ relations: relations.filter(({ name }) => name !== "orders") })),
      /^it reads public\.orders,/,
    ],
    [
      "what is behind a view",
      "SELECT contact FROM v_customers",
      without(({ relations }) => ({ relations: relations.filter(({ name }) => name === "v_customers") })),
      /^it reads public\.customers,/,
    ],
    [
      "the table of a partition",
      "SELECT payload FROM events",
      without(() => ({ relations: [] })),
      /^it reads public\.events_2025,/,
    ],
    [
      "an access",
      "UPDATE orders SET status = 'x' WHERE id = 1",
      without(({ relations }) => ({ relations: relations.map((one) => ({ ...one, access: ["select"] })) })),
      /^it has update on public\.orders,/,
    ],
    [
      "a function",
      "SELECT * FROM generate_series(1, 3) g",
      without(() => ({ functions: [] })),
      /^it calls pg_catalog\.generate_series,/,
    ],
    [
      "a column that filters",
      "SELECT name FROM customers WHERE email = 'x'",
      without(({ columns }) => ({ columns: columns.filter(({ column }) => column !== "email") })),
      /^it is decided by public\.customers\.email,/,
    ],
    [
      "a column that joins",
      "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id",
      without(({ columns }) => ({ columns: columns.filter(({ column }) => column !== "customer_id") })),
      /^it is decided by public\.orders\.customer_id,/,
    ],
    [
      "a source of an output",
      "SELECT name, lower(email) FROM customers",
      without(({ outputs }) => ({ outputs: outputs.map((one, at) => (at === 1 ? { ...one, sources: [] } : one)) })),
      /^output 2 shows public\.customers\.email,/,
    ],
    [
      "an output",
      "SELECT name FROM customers",
      without(({ outputs }) => ({ outputs: [...outputs, ...outputs] })),
      /^it shows 1 columns, the facts list 2/,
    ],
  ];
  for (const [name, text, doctored, said] of cases) {
    test(name, async () => {
      const derived = derivedOf(text)!;
      const plans = await planOf(text);
      assert.deepEqual(planFindings(plans, derived, rich.catalog), []);
      const findings = planFindings(plans, doctored(derived), rich.catalog);
      assert.ok(
        findings.some((one) => said.test(one)),
        findings.join("; "),
      );
    });
  }

  test("a relation, but no column, where the text gives columns other names", async () => {
    const text = "SELECT x.id FROM hr.employees AS x(a, b, c, d, id)";
    const derived = derivedOf(text)!;
    const none = { ...derived, facts: { ...derived.facts, relations: [] } };
    assert.deepEqual(planFindings(await planOf(text), derived, rich.catalog), []);
    assert.deepEqual(planFindings(await planOf(text), none, rich.catalog), [
      "it reads hr.employees, which the facts do not list",
    ]);
  });

  test("nothing, where they say that something cannot be told", async () => {
    const text = "SELECT name FROM customers";
    const derived = derivedOf(text)!;
    const use = { schema: "public", name: "f", language: "c", volatility: "volatile", kind: "known" } as const;
    const opaque = { ...use, effect: "unknown", opaque: true, reads: [] } as const;
    const facts = { ...derived.facts, relations: [], functions: [opaque] };
    assert.deepEqual(planFindings(await planOf(text), { ...derived, facts }, rich.catalog), []);
  });
});
