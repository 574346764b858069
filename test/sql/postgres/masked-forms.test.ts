// Only the gate's own sub-selects count as masked: not what looks like one, and none of a table that is another by now.
import assert from "node:assert/strict";
import test from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { type Catalog, loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import type { MaskedForms } from "../../../src/sql/postgres/masked-forms.ts";
import { hold, retold } from "../../../src/sql/postgres/held.ts";
import { substitute } from "../../../src/sql/postgres/substitute.ts";
import { rewritten } from "./substitute-support.ts";
import { describe, SCOPE, startRich } from "./support.ts";
import { statementsOf } from "./corpora/read.ts";

const tpch = statementsOf("tpch", 18).map(({ text }) => text);
const tags = {
  ...Object.fromEntries(
    ["person", "other"].flatMap((table) =>
      ["name", "mail", "born"].map((column) => [`public.${table}.${column}`, ["pii"]]),
    ),
  ),
  ...Object.fromEntries(
    ["c_name", "c_address", "c_phone", "c_acctbal"].map((column) => [`public.customer.${column}`, ["pii"]]),
  ),
};
const { client, query, load, catalog } = await startRich(
  `CREATE TABLE public.person (id int PRIMARY KEY, name varchar(20), mail text, born date, state varchar(8) COLLATE "C");
   CREATE TABLE public.other (id int PRIMARY KEY, name varchar(20), mail text, born date, state varchar(8) COLLATE "C");
   CREATE TABLE public.plain (id int PRIMARY KEY, name varchar(20), mail text, born date, state varchar(8) COLLATE "C");
   ${tpch.filter((text) => /^create (table|view)/i.test(text)).join(";\n")}`,
  tags,
);
const LIST = [
  { schema: "public", table: "person", column: "name", mask: "partial", keep_first: 1 },
  { schema: "public", table: "person", column: "mail", mask: "redact" },
  { schema: "public", table: "person", column: "born", mask: "truncate", to: "year" },
];
const TEXT = "SELECT upper(p.name), p.state FROM person p WHERE p.mail > 'm' AND p.born < '2000-01-01'";
const made = rewritten(catalog, TEXT, new Map([[0, LIST]]));

/** The real columns that the facts name by their own tags. */
function real(text: string, masked: MaskedForms | "none" = made.masked, where: Catalog = catalog): string[] {
  const facts = analyze(text, where, SCOPE, masked === "none" ? {} : { masked }).command.statements[0]!;
  const sources = [...facts.columns, ...facts.outputs.flatMap((output) => output.sources)];
  return [
    ...new Set(sources.filter(({ tags }) => tags.includes("pii")).map(({ table, column }) => `${table}.${column}`)),
  ].sort();
}

test("the form itself, whatever stands around it", () => {
  assert.deepEqual(real(made.text), []);
  assert.deepEqual(real(made.text.replaceAll(/\s+/g, " ")), []);
  assert.deepEqual(real(made.text.replace("upper(p.name)", "/* a */ lower(p.name) || 'x'")), []);
  assert.deepEqual(real(`SELECT * FROM (${made.text}) x`), []);
});

test("without the forms it is a use of the real columns", () => {
  assert.deepEqual(real(made.text, "none"), ["person.born", "person.mail", "person.name"]);
});

test("nothing that differs in any part", () => {
  for (const [from, to] of [
    ['left("t"."name", 1)', 'left("t"."name", 9)'],
    [", 1)", ", 2)"],
    ["'[redacted]'", "'[redactee]'"],
    ['"t"."mail" IS NULL', '"t"."mail" IS NOT NULL'],
    ["'*'", "'+'"],
    ['"t"."id"', '"t"."mail"'],
    ['"t"."id"', '("t"."id")::int4'],
    ['"public"."person" AS "t"', '"public"."person" AS "t" WHERE "t"."mail" > \'m\''],
    ['"public"."person" AS "t"', '"public"."person" AS "t" ORDER BY "t"."mail" LIMIT 1'],
    ['"public"."person" AS "t"', '"public"."person" AS "t" GROUP BY 1, 2, 3, 4, 5'],
    ['"public"."person" AS "t"', '"public"."person" AS "t", "public"."plain"'],
    ['"public"."person" AS "t"', '"public"."person" AS "t" ("id", "mail", "name")'],
    ['"public"."person" AS "t"', '"public"."other" AS "t"'],
    ['"public"."person" AS "t"', '"person" AS "t"'],
    ['(SELECT "t"', 'LATERAL (SELECT "t"'],
    ['(SELECT "t"', '(SELECT DISTINCT "t"'],
    ['AS "name"', 'AS "name", "t"."mail" AS "more"'],
  ] as const) {
    if (!made.text.includes(from)) continue;
    const text = made.text.replace(from, to);
    assert.notEqual(text, made.text);
    assert.notDeepEqual(real(text), [], text);
  }
  assert.ok(made.text.includes("'[redacted]'") && made.text.includes('"t"."id"') && made.text.includes('(SELECT "t"'));
});

test("a common table expression does not take the place of its table", () => {
  const shadowed = `WITH person AS (SELECT * FROM other) ${made.text}`;
  assert.deepEqual(real(shadowed), []);
  // Its own use of the other table is seen.
  assert.deepEqual(real(`WITH person AS (SELECT * FROM other) SELECT upper(name) FROM person`), ["other.name"]);
});

test("a text with and one without forms share no facts", () => {
  const text = made.text.replace("upper(p.name)", "upper(p.name) || '!'");
  assert.deepEqual(real(text), []);
  assert.notDeepEqual(real(text, "none"), []);
  assert.deepEqual(real(text), []);
});

test("a table that has been changed, renamed or exchanged is not the one that the form was made for", async () => {
  const after = async (...changes: readonly string[]): Promise<readonly string[]> => {
    await client.query("BEGIN; SET LOCAL search_path = pg_catalog, public");
    try {
      for (const change of changes) await client.query(change);
      return real(made.text, made.masked, await loadCatalog(query, tags, "within a transaction"));
    } finally {
      await client.query("ROLLBACK");
    }
  };
  assert.deepEqual(await after("CREATE TABLE public.unrelated (a int)"), []);
  assert.notDeepEqual(await after("ALTER TABLE person ADD COLUMN more text"), []);
  assert.notDeepEqual(await after("ALTER TABLE person ALTER COLUMN name TYPE varchar(30)"), []);
  assert.notDeepEqual(
    await after("ALTER TABLE person DROP COLUMN state", "ALTER TABLE person ADD COLUMN state varchar(8)"),
    [],
  );
  assert.notDeepEqual(
    await after(
      "ALTER TABLE person RENAME TO kept",
      "ALTER TABLE other RENAME TO person",
      "ALTER TABLE kept RENAME TO other",
    ),
    [],
  );
});

test("a cursor on masked columns stays so in the words of a later catalog", async () => {
  const statement = made.analysis.statements[0]!;
  const told = retold(hold(statement, catalog, SCOPE), await load());
  const columns = told!.analysis.facts.columns.filter(({ column }) => column === "mail");
  assert.deepEqual(
    columns.map(({ tags }) => tags),
    [["masked"]],
  );
});

test("the queries of TPC-H over customers are rewritten, described as derived, and run", async () => {
  const masks: { readonly [column: string]: { readonly mask: string; readonly [parameter: string]: unknown } } = {
    c_name: { mask: "partial", keep_first: 2 },
    c_address: { mask: "redact" },
    c_phone: { mask: "partial", keep_last: 4 },
    c_acctbal: { mask: "truncate", step: 1000 },
  };
  const list = Object.entries(masks).map(([column, mask]) => ({
    schema: "public",
    table: "customer",
    column,
    ...mask,
  }));
  let count = 0;
  for (const text of tpch.filter((each) => /^(select|with)\b/i.test(each))) {
    const { relations } = analyze(text, catalog, SCOPE).command.statements[0]!;
    const result = substitute(text, catalog, SCOPE, new Map([[0, list]]));
    if (!relations.some(({ name }) => name === "customer")) {
      assert.ok("impossible" in result, text);
      continue;
    }
    if ("impossible" in result) assert.fail(`${text}: ${result.impossible}`);
    const facts = result.analysis.command.statements[0]!;
    assert.deepEqual(
      facts.columns.filter(({ tags }) => tags.includes("pii")),
      [],
      text,
    );
    const [before, now] = [await describe(client, text), await describe(client, result.text)];
    assert.deepEqual(
      now!.map(({ name, typeOid }) => [name, typeOid]),
      before!.map(({ name, typeOid }) => [name, typeOid]),
    );
    await client.query(result.text);
    count++;
  }
  assert.equal(count, 8);
});
