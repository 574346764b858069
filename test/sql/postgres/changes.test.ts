// What changing statements change and look up: which rows a WHERE fixes, and which keys a conflict asks about.
import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import type { StatementFacts } from "../../../src/core/facts.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { classification, schemaSql } from "./schema.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(
  `${schemaSql}
CREATE VIEW public.v_products AS SELECT id, title FROM products;
CREATE VIEW public.v_pairs AS SELECT q.id, p.title FROM products p, products q;
CREATE FUNCTION public.retitle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE products SET title = NEW.title; RETURN NEW; END';
CREATE FUNCTION public.twice(n int) RETURNS SETOF int LANGUAGE sql IMMUTABLE AS 'VALUES (n), (n + 1)';
CREATE OPERATOR public.!! (RIGHTARG = int, FUNCTION = public.twice);
CREATE TABLE public.accounts (id int PRIMARY KEY, iban text, owner text, folded text GENERATED ALWAYS AS (lower(iban)) STORED, slot int4range,
  note text, secret text, CONSTRAINT accounts_iban UNIQUE (iban) DEFERRABLE, CONSTRAINT accounts_pair UNIQUE (owner, note),
  CONSTRAINT accounts_slot EXCLUDE USING gist (slot WITH &&));
CREATE UNIQUE INDEX accounts_folded ON public.accounts (folded);
CREATE UNIQUE INDEX accounts_owner ON public.accounts (lower(owner)) WHERE note IS NULL;
CREATE VIEW public.v_accounts AS SELECT id, iban AS number FROM accounts;
CREATE UNIQUE INDEX events_payload ON public.events_2025 (payload);
CREATE TRIGGER retitle INSTEAD OF UPDATE ON public.v_pairs FOR EACH ROW EXECUTE FUNCTION public.retitle();
`,
  {
    ...classification,
    "public.accounts.iban": ["bank"],
    "public.accounts.folded": ["bank"],
    "public.accounts.secret": ["bank"],
  },
);

const facts = (text: string): StatementFacts => {
  const analysis = analyze(text, rich.catalog, SCOPE, {});
  assert.equal(analysis.unresolved, false, text);
  assert.equal(analysis.statements.length, 1, text);
  return analysis.statements[0]!.facts;
};

suite("a WHERE fixes the rows that change", () => {
  for (const text of [
    "UPDATE products SET title = 'x' WHERE id = 1",
    "UPDATE public.products SET title = 'x' WHERE public.products.id = 1",
    "UPDATE products p SET title = q.title FROM products q WHERE p.id = 1 AND q.id = 2",
    "UPDATE products p SET title = (q).title FROM products q WHERE p.id IN (1, 2) AND q.sku = p.sku",
    "UPDATE products p SET title = o.status FROM orders o WHERE p.id = ANY (ARRAY[1, 2]) AND o.id = 7",
    "UPDATE products SET title = status FROM orders WHERE products.id = 1",
    "UPDATE order_items SET quantity = 1 FROM products WHERE order_id = 1 AND product_id = 2",
    "UPDATE order_items i SET quantity = 1 FROM order_items j WHERE (i.order_id, i.product_id) = (1, 2)",
    "DELETE FROM products USING products q WHERE products.id = $1 AND q.id = $2",
    "WITH q AS (SELECT * FROM products WHERE id = 2) DELETE FROM products p USING q WHERE p.id = 1 AND q.id = 2",
    "UPDATE v_products SET title = 'x' WHERE id = 1",
    "UPDATE products SET title = 'x' WHERE id = 1 OR id = 2",
    "DELETE FROM products WHERE title > 'a' AND (id = 1 OR (id = 2 AND title = 'x') OR id IN (3, 4))",
  ])
    test(`of its own entry: ${text}`, async () => {
      assert.equal(facts(text).scoped, true);
      await rich.client.query(`PREPARE fixed AS ${text}`);
      await rich.client.query("DEALLOCATE fixed");
    });

  for (const text of [
    "UPDATE products SET title = 'x' WHERE id = 1 OR title = 'y'",
    "UPDATE products SET title = 'x' WHERE id = 1 OR true",
    "DELETE FROM products WHERE NOT (id = 1 OR id = 2)",
    "UPDATE products p SET title = 'x' FROM products q WHERE q.id = 1",
    "UPDATE products SET title = 'x' FROM products q WHERE q.id = 1",
    "UPDATE products p SET title = 'x' FROM products WHERE products.id = 1",
    "UPDATE products p SET title = 'x' FROM products WHERE public.products.id = 1",
    "UPDATE products p SET title = 'x' FROM (SELECT * FROM products) q WHERE q.id = 1",
    "UPDATE products p SET title = 'x' FROM (SELECT id AS other FROM products) q WHERE other = 1",
    "UPDATE products p SET title = 'x' FROM products q WHERE q.id = ANY (ARRAY[1])",
    "UPDATE products p SET title = 'x' FROM products q WHERE q.id IN (1)",
    "UPDATE products p SET title = 'x' FROM products q (other) WHERE other = 1",
    "UPDATE products p SET title = 'x' FROM products q JOIN products r USING (id) WHERE r.id = 1",
    "UPDATE order_items i SET quantity = 1 FROM order_items j WHERE (j.order_id, i.product_id) = (1, 2)",
    "WITH q AS (SELECT * FROM products) UPDATE products p SET title = 'x' FROM q WHERE q.id = 1",
    "WITH q AS (UPDATE products p SET title = 'x' FROM products q WHERE q.id = 1 RETURNING p.id) SELECT * FROM q",
    "COPY (UPDATE products p SET title = 'x' FROM products q WHERE q.id = 1 RETURNING p.id) TO STDOUT",
    "EXPLAIN ANALYZE UPDATE products p SET title = 'x' FROM products q WHERE q.id = 1",
    "DELETE FROM products USING products q WHERE q.id = 1",
    "DELETE FROM products p USING products q WHERE 1 = q.id",
    "DELETE FROM v_products v USING v_products w WHERE w.id = 1",
    "UPDATE v_pairs SET title = 'x' WHERE id = 1",
  ])
    test(`not of another entry: ${text}`, async () => {
      assert.equal(facts(text).scoped, false);
      if (/^(EXPLAIN|COPY)/.test(text)) return;
      await rich.client.query(`PREPARE fixed AS ${text}`);
      await rich.client.query("DEALLOCATE fixed");
    });

  test("the server changes every row where only another entry is fixed", async () => {
    await rich.client.query("INSERT INTO products SELECT n, 'sku', 'title' FROM generate_series(1, 30) n");
    const { rowCount } = await rich.client.query("UPDATE products p SET title = 'x' FROM products q WHERE q.id = 1");
    assert.equal(rowCount, 30);
  });
});

const insert = (value: string, more = "") =>
  `INSERT INTO products (id, title) VALUES (${value}, 'x')${more} ON CONFLICT (id) DO UPDATE SET title = excluded.title`;

suite("an upsert is bounded by the rows that it proposes", () => {
  for (const value of [
    "1",
    "$1",
    "length(gen_random_uuid()::text)",
    "extract(epoch FROM now())::int",
    "coalesce(int4('1'), 2)",
    "(SELECT count(generate_series) FROM generate_series(1, 30))",
    "cardinality(ARRAY(SELECT generate_series(1, 30)))",
    "nextval('numbers')",
    "positive(1)",
    "-(1 + 2)",
  ])
    test(`one row: ${value}`, () => assert.equal(facts(insert(value)).scoped, true));
  test("several rows", () => assert.equal(facts(insert("1", ", (2, 'y')")).scoped, true));

  for (const value of [
    "generate_series(1, 30)",
    "pg_catalog.generate_series(1, 30)",
    "unnest(ARRAY[1, 2])",
    "1 + unnest($1::int[])",
    "abs(generate_series(1, 30))::int",
    "twice(1)",
    "!! 1",
    "(jsonb_array_elements('[1, 2]'))::int",
  ])
    test(`a row for each of a set: ${value}`, () => assert.equal(facts(insert(value)).scoped, false));

  test("a function that the catalog does not have may return a set", () => {
    const analysis = analyze(insert("mystery(1)"), rich.catalog, SCOPE, {});
    assert.equal(analysis.statements[0]!.facts.scoped, false);
  });
  test("the server proposes a row for each of a set", async () => {
    assert.equal((await rich.client.query(insert("generate_series(1, 30)"))).rowCount, 30);
    assert.equal((await rich.client.query(insert("!! 1"))).rowCount, 2);
  });
});

const filters = (text: string): string[] =>
  facts(text)
    .columns.filter((column) => column.uses.includes("filter"))
    .map((column) => `${column.table}.${column.column}`)
    .sort();

suite("a conflict asks whether a row is there", () => {
  const named = (name: string) =>
    `INSERT INTO accounts (id, note) VALUES (1, 'x') ON CONFLICT ON CONSTRAINT ${name} DO NOTHING`;
  const all = ["folded", "iban", "id", "note", "owner", "secret", "slot"].map((name) => `accounts.${name}`);

  test("ON CONSTRAINT asks about the constraint's columns", async () => {
    assert.deepEqual(filters(named("accounts_pkey")), ["accounts.id"]);
    assert.deepEqual(filters(named("accounts_pair")), ["accounts.note", "accounts.owner"]);
    assert.deepEqual(filters(named("accounts_iban")), ["accounts.iban"]);
    assert.deepEqual(
      filters("INSERT INTO v_accounts (id, number) VALUES (1, 'x') ON CONFLICT ON CONSTRAINT accounts_pair DO NOTHING"),
      ["accounts.note", "accounts.owner"],
    );
    const update =
      "INSERT INTO customers (name, email) VALUES ('x', 'y') ON CONFLICT ON CONSTRAINT customers_email_key DO UPDATE SET name = 'z'";
    assert.deepEqual(filters(update), ["customers.email"]);
    await rich.client.query(update);
  });
  test("an exclusion is about its columns, a constraint that is not known about any", () => {
    assert.deepEqual(filters(named("accounts_slot")), ["accounts.slot"]);
    assert.deepEqual(filters(named("accounts_elsewhere")), all);
  });

  test("without a target, every tagged key that is given a value is asked", () => {
    assert.deepEqual(filters("INSERT INTO customers (name, email) VALUES ('x', 'y') ON CONFLICT DO NOTHING"), [
      "customers.email",
    ]);
    assert.deepEqual(filters("INSERT INTO customers VALUES (1, 'x', 'y') ON CONFLICT DO NOTHING"), ["customers.email"]);
    assert.deepEqual(
      filters("INSERT INTO customers (name, email) SELECT title, sku FROM products ON CONFLICT DO NOTHING"),
      ["customers.email"],
    );
    // Of the city the view asks only whether it is there.
    assert.deepEqual(filters("INSERT INTO v_customers (name, contact) VALUES ('x', 'y') ON CONFLICT DO NOTHING"), [
      "customers.email",
    ]);
  });
  test("a key of a partition is asked, too", () => {
    assert.deepEqual(filters("INSERT INTO events VALUES (1, '2025-02-02', 'x') ON CONFLICT DO NOTHING"), [
      "events.payload",
    ]);
    assert.deepEqual(filters("INSERT INTO events_2025 VALUES (1, '2025-02-02', 'x') ON CONFLICT DO NOTHING"), [
      "events_2025.payload",
    ]);
  });
  test("what is generated, or in an expression, counts", () => {
    assert.deepEqual(filters("INSERT INTO accounts (id) VALUES (1) ON CONFLICT DO NOTHING"), ["accounts.folded"]);
    // Of no key.
    assert.deepEqual(filters("INSERT INTO accounts (id, secret) VALUES (1, 'x') ON CONFLICT DO NOTHING"), [
      "accounts.folded",
    ]);
  });
  test("a plain key, and one that is given nothing, is not", () => {
    assert.deepEqual(filters("INSERT INTO products (id, title) VALUES (1, 'x') ON CONFLICT DO NOTHING"), []);
    assert.deepEqual(
      filters("INSERT INTO customers (id, name, phone) VALUES (1, 'x', 'y') ON CONFLICT DO NOTHING"),
      [],
    );
    assert.deepEqual(filters("INSERT INTO app.log DEFAULT VALUES ON CONFLICT DO NOTHING"), []);
    assert.deepEqual(filters("INSERT INTO customers DEFAULT VALUES ON CONFLICT DO NOTHING"), []);
  });
});
