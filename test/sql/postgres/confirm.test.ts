// The server's description of a result against what was derived: count, origin, tags and type, each of which alone is a disagreement.
import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { analyze, confirm, type DescribedField } from "../../../src/sql/postgres/analyze.ts";
import { describe, SCOPE, startRich } from "./support.ts";

const rich = await startRich();
const text = "SELECT id, email, lower(name) AS small, count(*) OVER () AS n FROM customers";
const statement = analyze(text, rich.catalog, SCOPE).statements[0]!;
const fields = (await describe(rich.client, text))!;
const changed = (at: number, change: Partial<DescribedField>): readonly DescribedField[] =>
  fields.map((field, each) => (each === at ? { ...field, ...change } : field));
const why = (described: readonly DescribedField[]): string => {
  const verdict = confirm(statement, described, rich.catalog);
  return verdict.ok ? "ok" : verdict.why;
};

test("what the server says of the statement agrees", () => assert.equal(why(fields), "ok"));

suite("refused is", () => {
  const employees = rich.catalog.resolveRelation("hr", "employees", [])!;
  const cases: [string, readonly DescribedField[], RegExp][] = [
    ["a column more", [...fields, fields[0]!], /^the server describes 5 columns, 4 were derived$/],
    ["a column less", fields.slice(1), /^the server describes 3 columns, 4 were derived$/],
    ["another origin", changed(1, { attribute: 1, typeOid: 25 }), /^column 2 comes from public\.customers\.id,/],
    ["another table", changed(0, { tableOid: employees.oid }), /^column 1 comes from hr\.employees\.id,/],
    [
      "a table that the catalog does not have",
      changed(0, { tableOid: 4_000_000_000 }),
      /which the catalog does not have$/,
    ],
    ["an origin where none was derived", changed(3, { tableOid: employees.oid, attribute: 5 }), /^column 4 comes from/],
    ["another type of a column", changed(1, { typeOid: 23 }), /^column 2 is integer, derived was text$/],
    ["another type of an expression", changed(2, { typeOid: 17 }), /^column 3 is bytea, derived was text$/],
    ["another type of a window", changed(3, { typeOid: 23 }), /^column 4 is integer, derived was bigint$/],
    [
      "a type that the catalog does not have",
      changed(2, { typeOid: 4_000_000_000 }),
      /^column 3 is of type 4000000000,/,
    ],
  ];
  for (const [name, described, said] of cases) test(name, () => assert.match(why(described), said));
});

test("a domain is described by what it is made of", async () => {
  await rich.client.query("CREATE TABLE domains (a public.positive, b public.mood, c public.address, d text[])");
  const catalog = await rich.load();
  const select = "SELECT * FROM domains";
  const described = (await describe(rich.client, select))!;
  assert.deepEqual(confirm(analyze(select, catalog, SCOPE).statements[0]!, described, catalog), { ok: true });
});
