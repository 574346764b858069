// `locks` against the server: each statement runs in a transaction that is undone, and pg_locks says what it holds.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StatementFacts } from "../../../src/core/facts.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { schemaSql } from "./schema.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`${schemaSql}
CREATE SEQUENCE public.counted;
CREATE INDEX orders_status ON orders (status);
CREATE VIEW public.v_products AS SELECT id, title FROM products;
CREATE MATERIALIZED VIEW public.m_products AS SELECT id FROM products;
CREATE UNIQUE INDEX m_products_id ON m_products (id);
CREATE TABLE public.events_2027 (id int NOT NULL, at date NOT NULL, payload text);
CREATE TABLE public.loners (id int NOT NULL, name text);
CREATE POLICY p ON products USING (true);
ALTER TABLE products ADD CONSTRAINT positive_price CHECK (price > 0) NOT VALID;
CREATE FUNCTION public.touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touched();
`);
const factsOf = (text: string): StatementFacts => analyze(text, rich.catalog, SCOPE).statements[0]!.facts;

const STRONG = ["share update exclusive", "share", "share row exclusive", "exclusive", "access exclusive"];
const strongest = (modes: readonly (readonly [name: string, mode: string])[]): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const [name, mode] of modes)
    if (STRONG.includes(mode) && STRONG.indexOf(mode) > STRONG.indexOf(found[name] ?? "")) found[name] = mode;
  return found;
};

/** Of what was there before: `ShareRowExclusiveLock` → `share row exclusive`. Indexes and partitions count where they are named. */
async function held(text: string, named: ReadonlySet<string>): Promise<Record<string, string>> {
  await rich.client.query("BEGIN");
  try {
    const { rows: partitions } = await rich.client.query("SELECT oid::text FROM pg_class WHERE relispartition");
    await rich.client.query(text);
    const { rows } = await rich.client.query(
      "SELECT relation::text, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'",
    );
    return strongest(
      rows.flatMap(({ relation: oid, mode }) => {
        const relation = rich.catalog.relationByOid(Number(oid));
        if (relation === undefined || relation.schema.startsWith("pg_")) return [];
        const left = relation.kind === "index" || partitions.some((partition) => partition.oid === oid);
        if (left && !named.has(relation.qualified)) return [];
        return [
          [
            relation.qualified,
            mode
              .replace(/Lock$/, "")
              .replace(/([a-z])([A-Z])/g, "$1 $2")
              .toLowerCase(),
          ],
        ];
      }),
    );
  } finally {
    await rich.client.query("ROLLBACK");
  }
}

const texts: readonly string[] = [
  ...[
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
  ].map((mode) => `LOCK TABLE products IN ${mode} MODE`),
  "LOCK products, loners",
  "LOCK TABLE people",
  "LOCK TABLE ONLY people",
  "LOCK TABLE v_contacts IN EXCLUSIVE MODE",
  "TRUNCATE products",
  "TRUNCATE customers CASCADE",
  "TRUNCATE people",
  "CREATE INDEX ON products (title)",
  "CREATE UNIQUE INDEX ON products (sku, title) WHERE price > 1",
  "CREATE STATISTICS s ON sku, title FROM products",
  "CREATE TRIGGER t BEFORE UPDATE ON products FOR EACH ROW WHEN (NEW.title IS NULL) EXECUTE FUNCTION touched()",
  "CREATE RULE r AS ON INSERT TO loners DO ALSO INSERT INTO app.log (note) VALUES (NEW.name)",
  "CREATE POLICY q ON products USING (title = 'x')",
  "ALTER POLICY p ON products USING (title = 'x')",
  "CREATE TABLE t (id int REFERENCES products, name text)",
  "CREATE TABLE t (id int, FOREIGN KEY (id) REFERENCES products (id))",
  "CREATE TABLE t (LIKE products INCLUDING DEFAULTS)",
  "CREATE TABLE t () INHERITS (people)",
  "CREATE TABLE t PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
  "CREATE TABLE t AS SELECT * FROM products",
  "CREATE OR REPLACE VIEW v_products AS SELECT id, title FROM products",
  "ALTER TABLE products ADD COLUMN more int",
  "ALTER TABLE products ADD COLUMN more int DEFAULT 5 CHECK (more > 1)",
  "ALTER TABLE products DROP COLUMN title CASCADE",
  "ALTER TABLE products ALTER COLUMN sku TYPE varchar(50)",
  "ALTER TABLE products ALTER COLUMN sku SET STATISTICS 50",
  "ALTER TABLE products ALTER COLUMN sku SET NOT NULL",
  "ALTER TABLE products ALTER COLUMN sku SET DEFAULT 'x'",
  "ALTER TABLE products ADD CHECK (price > 1)",
  "ALTER TABLE products ADD CHECK (price > 1) NOT VALID",
  "ALTER TABLE products ADD FOREIGN KEY (id) REFERENCES customers",
  "ALTER TABLE products ADD UNIQUE (sku)",
  "ALTER TABLE products VALIDATE CONSTRAINT positive_price",
  "ALTER TABLE products SET (fillfactor = 70)",
  "ALTER TABLE products SET (fillfactor = 70, user_catalog_table = true)",
  "ALTER TABLE products DISABLE TRIGGER ALL",
  "ALTER TABLE products ENABLE ROW LEVEL SECURITY",
  "ALTER TABLE products CLUSTER ON products_pkey",
  "ALTER TABLE products OWNER TO postgres",
  "ALTER TABLE products SET SCHEMA app",
  "ALTER TABLE products RENAME TO goods",
  "ALTER TABLE products RENAME COLUMN sku TO code",
  "ALTER TABLE people ADD COLUMN more int",
  "ALTER TABLE loners INHERIT people",
  "ALTER TABLE patients NO INHERIT people",
  "ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
  "ALTER TABLE events DETACH PARTITION events_2025",
  "ALTER VIEW v_products RENAME TO v_goods",
  "ALTER VIEW v_products SET (security_barrier = true)",
  "ALTER INDEX orders_status RENAME TO by_status",
  "ALTER INDEX orders_status SET (fillfactor = 70)",
  "ALTER SEQUENCE counted RESTART WITH 5",
  "DROP TABLE products CASCADE",
  "DROP TABLE order_items",
  "DROP VIEW v_products",
  "DROP INDEX orders_status",
  "DROP SEQUENCE counted",
  "DROP TRIGGER touched ON products",
  "DROP POLICY p ON products",
  "COMMENT ON TABLE products IS 'x'",
  "COMMENT ON COLUMN products.title IS 'x'",
  "COMMENT ON TRIGGER touched ON products IS 'x'",
  "GRANT SELECT ON products TO PUBLIC",
  "GRANT SELECT (title) ON products TO PUBLIC",
  "CREATE PUBLICATION pub FOR TABLE products",
  "ANALYZE products",
  "ANALYZE people",
  "CLUSTER products USING products_pkey",
  "REINDEX TABLE products",
  "REINDEX INDEX orders_status",
  "REFRESH MATERIALIZED VIEW m_products",
  "REFRESH MATERIALIZED VIEW CONCURRENTLY m_products",
  "SELECT * FROM products FOR UPDATE",
  "INSERT INTO products (id) VALUES (99)",
  "UPDATE products SET title = 'x' WHERE id = 1",
];

describe("tables are locked as the server locks them", () => {
  for (const text of texts) {
    test(text, async () => {
      const facts = factsOf(text);
      const said = facts.locks
        .filter((lock) => lock.level === "relation")
        .map((lock) => [`${lock.schema}.${lock.name}`, lock.mode] as const);
      assert.deepEqual(strongest(said), await held(text, new Set(said.map(([name]) => name))));
    });
  }
});

/** These cannot run in a transaction; the modes are those of the chapter on explicit locking. */
const documented: readonly (readonly [text: string, mode: string])[] = [
  ["VACUUM products", "share update exclusive"],
  ["VACUUM (FULL) products", "access exclusive"],
  ["VACUUM (FULL off, ANALYZE) products", "share update exclusive"],
  ["CREATE INDEX CONCURRENTLY ON products (title)", "share update exclusive"],
  ["REINDEX TABLE CONCURRENTLY products", "share update exclusive"],
];
describe("outside of transactions, as documented", () => {
  for (const [text, mode] of documented)
    test(text, () =>
      assert.deepEqual(factsOf(text).locks, [{ level: "relation", schema: "public", name: "products", mode }]),
    );
});

describe("rows are locked", () => {
  const rows = (text: string): string[] =>
    factsOf(text)
      .locks.filter((lock) => lock.level === "row")
      .map((lock) => `${lock.name} ${lock.mode}`);
  const cases: readonly (readonly [text: string, ...locks: string[]])[] = [
    ["SELECT * FROM products FOR UPDATE", "products for update"],
    ["SELECT * FROM products FOR NO KEY UPDATE", "products for no key update"],
    ["SELECT * FROM products FOR SHARE", "products for share"],
    ["SELECT * FROM products FOR KEY SHARE NOWAIT", "products for key share"],
    ["SELECT * FROM products p, orders o FOR UPDATE OF o FOR SHARE OF p", "orders for update", "products for share"],
    ["SELECT * FROM products p JOIN orders o ON true FOR UPDATE", "products for update", "orders for update"],
    ["SELECT * FROM (SELECT id FROM products) s FOR UPDATE", "products for update"],
    ["SELECT * FROM (SELECT id FROM products) s, orders o FOR UPDATE OF s", "products for update"],
    ["SELECT * FROM v_contacts FOR UPDATE", "customers for update", "orders for update"],
    ["SELECT * FROM people FOR UPDATE", "people for update", "patients for update"],
    ["SELECT * FROM ONLY people FOR UPDATE", "people for update"],
    ["WITH p AS (SELECT id FROM products) SELECT * FROM p, orders FOR UPDATE", "orders for update"],
    ["SELECT * FROM orders WHERE id IN (SELECT id FROM products FOR UPDATE)", "products for update"],
    ["DELETE FROM orders WHERE id = 1"],
  ];
  for (const [text, ...expected] of cases) {
    test(text, async () => {
      assert.deepEqual(rows(text).sort(), expected.sort());
      await rich.client.query(`PREPARE locking AS ${text}`);
      await rich.client.query("DEALLOCATE locking");
    });
  }
});

test("advisory locks are named by their constant key", () => {
  const locks = (text: string) => factsOf(text).locks.map(({ level, name, mode }) => `${level} ${name} ${mode}`);
  assert.deepEqual(locks("SELECT pg_advisory_lock(42)"), ["advisory 42 exclusive"]);
  assert.deepEqual(locks("SELECT pg_try_advisory_xact_lock_shared(1, 2)"), ["advisory 1,2 shared"]);
  assert.deepEqual(locks("SELECT pg_advisory_lock(id) FROM products"), ["advisory  exclusive"]);
  assert.deepEqual(locks("SELECT pg_advisory_unlock(42)"), []);
});
