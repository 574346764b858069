// Definitions, maintenance and COPY: which columns they use, at once or in what acts later, what they write, and which relations they reach.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StatementFacts } from "../../../src/core/facts.ts";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { flows } from "./render.ts";
import { schemaSql } from "./schema.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`${schemaSql}
CREATE TABLE public.contacts (id int PRIMARY KEY, email text, city text, folded text GENERATED ALWAYS AS (lower(email) || city) STORED);
CREATE TABLE public.events_2027 (id int NOT NULL, at date NOT NULL, payload text);
CREATE TABLE public.stored (id int, payload text) PARTITION BY LIST (lower(payload));
ALTER TABLE products ADD CONSTRAINT positive_price CHECK (price > 0) NOT VALID;
CREATE SEQUENCE public.counted;
CREATE TABLE public.spied (id int PRIMARY KEY, t text);
CREATE FUNCTION public.spy(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN t; END';
CREATE INDEX spied_t ON public.spied (spy(t));
CREATE TRIGGER stamp BEFORE UPDATE ON public.spied FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE INDEX contacts_lower ON public.contacts (lower(email), city);
CREATE TABLE public.clustered (id int PRIMARY KEY, t text UNIQUE);
ALTER TABLE public.clustered CLUSTER ON clustered_t_key;
CREATE DOMAIN public.tel AS text;
CREATE DOMAIN public.work_tel AS public.tel;
ALTER DOMAIN public.work_tel ADD CONSTRAINT later CHECK (VALUE <> 'y') NOT VALID;
CREATE TABLE public.called (id int, tel public.tel, work public.work_tel);
INSERT INTO public.called VALUES (1, 'a', 'b');
CREATE MATERIALIZED VIEW public.m_called AS SELECT tel FROM public.called;
CREATE DOMAIN public.zip AS text;
CREATE TABLE public.zipped (id int, zips public.zip[]);
CREATE TABLE public.loners (id int NOT NULL, name text);
`);
const factsOf = (text: string): StatementFacts => analyze(text, rich.catalog, SCOPE).statements[0]!.facts;
const uses = (text: string): Record<string, string> =>
  Object.fromEntries(factsOf(text).columns.map(({ table, column, uses }) => [`${table}.${column}`, uses.join(",")]));
const reached = (text: string): string[] =>
  factsOf(text).relations.map(
    ({ name, access, via }) => `${name}[${access.join()}]${via.length === 0 ? "" : ` via ${via.join(" > ")}`}`,
  );

/** In a transaction that is undone: is the text one that the server runs? */
async function runs(text: string): Promise<void> {
  await rich.client.query("BEGIN");
  try {
    await rich.client.query(text);
  } finally {
    await rich.client.query("ROLLBACK");
  }
}

const used: readonly (readonly [text: string, uses: Record<string, string>])[] = [
  ["CREATE INDEX ON customers (email)", { "customers.email": "" }],
  ["CREATE UNIQUE INDEX ON customers (phone) INCLUDE (name)", { "customers.phone": "distinct", "customers.name": "" }],
  [
    "CREATE INDEX ON customers (lower(email)) WHERE phone > 'x'",
    { "customers.email": "expression", "customers.phone": "filter" },
  ],
  [
    "CREATE STATISTICS s ON lower(email), city FROM customers",
    { "customers.email": "expression", "customers.city": "" },
  ],
  [
    "CREATE TRIGGER t BEFORE UPDATE OF city ON customers FOR EACH ROW WHEN (OLD.email < 'm') EXECUTE FUNCTION stamp()",
    { "customers.city": "", "customers.email": "filter" },
  ],
  ["CREATE POLICY p ON customers USING (email LIKE 'a%')", { "customers.email": "filter" }],
  [
    "CREATE RULE r AS ON UPDATE TO customers WHERE OLD.phone > 'm' DO ALSO INSERT INTO app.log (note) VALUES (OLD.email)",
    { "customers.phone": "filter", "log.note": "write_target", "customers.email": "write_source" },
  ],
  ["ALTER TABLE customers ADD CHECK (email < 'zz')", { "customers.email": "expression" }],
  ["ALTER TABLE customers ADD CHECK (email < 'm') NOT VALID", { "customers.email": "expression" }],
  ["ALTER TABLE customers ADD UNIQUE (phone)", { "customers.phone": "distinct" }],
  [
    "ALTER TABLE orders ALTER status SET NOT NULL, ALTER placed_at SET DEFAULT now()",
    { "orders.status": "expression", "orders.placed_at": "" },
  ],
  [
    "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id)",
    { "orders.customer_id": "join", "customers.id": "join" },
  ],
  ["ALTER TABLE orders ALTER status TYPE varchar(9)", { "orders.status": "write_source,write_target,expression" }],
  ["ALTER TABLE customers RENAME COLUMN email TO mail", { "customers.email": "" }],
  ["ALTER TABLE orders DROP COLUMN status", { "orders.status": "" }],
  [
    "ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    { "events.at": "expression", "events_2027.at": "expression" },
  ],
  [
    "CREATE TABLE t PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
    { "events.at": "expression" },
  ],
  [
    "CREATE TABLE t PARTITION OF stored FOR VALUES IN ('x')",
    { "stored.id": "expression", "stored.payload": "expression" },
  ],
  ["CREATE TABLE t (id int, x text CHECK (lower(x) > 'a') DEFAULT lower('X'))", {}],
  ["CLUSTER customers USING customers_email_key", { "customers.email": "sort" }],
  ["CLUSTER contacts USING contacts_lower", { "contacts.email": "sort", "contacts.city": "sort" }],
  ["CLUSTER contacts USING contacts_pkey", { "contacts.id": "sort" }],
  ["CLUSTER clustered", { "clustered.t": "sort" }],
  ["ALTER TABLE customers CLUSTER ON customers_email_key", { "customers.email": "sort" }],
  ["ALTER TABLE customers SET WITHOUT CLUSTER", {}],
  [
    "ALTER DOMAIN tel ADD CHECK (VALUE <> 'x')",
    { "called.tel": "filter", "called.work": "filter", "m_called.tel": "filter" },
  ],
  ["ALTER DOMAIN tel SET NOT NULL", { "called.tel": "filter", "called.work": "filter", "m_called.tel": "filter" }],
  ["ALTER DOMAIN work_tel ADD CONSTRAINT c CHECK (VALUE <> 'x') NOT VALID", { "called.work": "filter" }],
  ["ALTER DOMAIN work_tel VALIDATE CONSTRAINT later", { "called.work": "filter" }],
  ["ALTER DOMAIN tel DROP NOT NULL", {}],
  ["ALTER DOMAIN tel SET DEFAULT '0'", {}],
  ["ALTER DOMAIN positive ADD CHECK (VALUE < 9)", { "payroll.grade": "filter" }],
  ["GRANT SELECT (email) ON customers TO PUBLIC", { "customers.email": "" }],
  ["COMMENT ON COLUMN customers.email IS 'x'", { "customers.email": "" }],
  ["ANALYZE customers (email)", { "customers.email": "" }],
];
describe("columns in definitions are used as they will tell values", () => {
  for (const [text, expected] of used) {
    test(text, async () => {
      assert.deepEqual(uses(text), expected);
      await runs(text);
    });
  }
  test("no value in an array of a domain is told: the server refuses whatever it holds", async () => {
    await assert.rejects(runs("ALTER DOMAIN zip ADD CHECK (VALUE <> 'x')"), /cannot alter type "zip"/);
  });
  test("CLUSTER without a name is about every table that is marked", () =>
    assert.deepEqual(uses("CLUSTER"), { "clustered.t": "sort" }));
  test("a mark that is set is seen", async () => {
    await rich.client.query("ALTER TABLE clustered CLUSTER ON clustered_pkey");
    const anew = analyze("CLUSTER clustered", await rich.load(), SCOPE).statements[0]!.facts;
    assert.deepEqual(
      anew.columns.map(({ column }) => column),
      ["id"],
    );
    await rich.client.query("ALTER TABLE clustered CLUSTER ON clustered_t_key");
  });
  test("a constraint that is validated may be about any column", () =>
    assert.equal(uses("ALTER TABLE customers VALIDATE CONSTRAINT c")["customers.email"], "expression"));
});

describe("the expressions of indexes run when the server reads the rows by itself; triggers do not", () => {
  for (const text of [
    "ANALYZE spied",
    "VACUUM FULL spied",
    "REINDEX TABLE spied",
    "REINDEX INDEX spied_t",
    "CLUSTER spied USING spied_pkey",
    "ALTER TABLE spied ALTER t TYPE varchar",
  ])
    test(text, () =>
      assert.deepEqual(
        factsOf(text).functions.map((use) => use.name),
        ["spy"],
      ),
    );
});

const written: readonly (readonly [text: string, ...flows: string[]])[] = [
  [
    "CREATE TABLE t AS SELECT id, email AS mail FROM customers",
    "definition public.t.id <- customers.id",
    "definition public.t.mail <- customers.email",
  ],
  ["CREATE TEMP TABLE t (a) AS SELECT email FROM customers", "definition pg_temp.t.a <- customers.email"],
  ["SELECT email INTO t FROM customers", "definition public.t.email <- customers.email"],
  [
    "SELECT email INTO t FROM customers UNION SELECT ssn FROM hr.employees",
    "definition public.t.email <- customers.email, employees.ssn",
  ],
  ["CREATE VIEW v (a) AS SELECT email FROM customers", "definition public.v.a <- customers.email"],
  ["CREATE MATERIALIZED VIEW v AS SELECT max(email) AS m FROM customers", "definition public.v.m <- customers.email"],
  [
    "REFRESH MATERIALIZED VIEW m_employees",
    "public.m_employees.id <- employees.id",
    "public.m_employees.ssn <- employees.ssn",
    "public.m_employees.salary <- employees.salary",
  ],
  [
    "ALTER TABLE customers ADD more text GENERATED ALWAYS AS (lower(email)) STORED",
    "definition public.customers.more <- customers.email",
  ],
  ["ALTER TABLE loners ALTER name TYPE text USING name || id", "public.loners.name <- loners.id, loners.name"],
  [
    "INSERT INTO contacts (id, email) SELECT id, email FROM customers WHERE city = 'x'",
    "public.contacts.id <- customers.id",
    "public.contacts.email <- customers.email",
    "public.contacts.folded <- customers.email",
  ],
  [
    "UPDATE contacts SET city = 'x' WHERE id = 1",
    "public.contacts.city <- ",
    "public.contacts.folded <- contacts.email",
  ],
  ["UPDATE contacts SET id = 2 WHERE id = 1", "public.contacts.id <- "],
  [
    "MERGE INTO contacts c USING customers s ON c.id = s.id WHEN MATCHED THEN UPDATE SET city = s.name WHEN NOT MATCHED THEN INSERT (id, city) VALUES (s.id, s.city)",
    "public.contacts.city <- customers.city, customers.name",
    "public.contacts.folded <- contacts.email, customers.city, customers.name",
    "public.contacts.id <- customers.id",
  ],
  [
    "INSERT INTO loners (id, name) VALUES (1, (SELECT email FROM customers LIMIT 1))",
    "public.loners.id <- ",
    "public.loners.name <- customers.email",
  ],
  ["UPDATE pg_settings SET setting = 'x' WHERE name = 'app.x'", "pg_catalog.pg_settings.setting <- ", "setting  <- "],
  ["NOTIFY c, 'x'", "notification c <- "],
  ["SET app.x = 'y'", "setting app.x <- "],
  ["ALTER SEQUENCE counted RESTART WITH 9", "sequence public.counted <- "],
  ["COMMENT ON TABLE customers IS 'x'", "comment public.customers <- "],
  ["COMMENT ON COLUMN customers.email IS 'x'", "comment public.customers.email <- "],
  ["COMMENT ON FUNCTION public.peek(int) IS 'x'", "comment public.peek <- "],
];
describe("what definitions and changes write is a flow", () => {
  for (const [text, ...expected] of written) {
    test(text, async () => {
      assert.deepEqual(flows(factsOf(text).writes), expected);
      if (!text.startsWith("MERGE") || rich.catalog.serverVersion >= 150_000) await runs(text);
    });
  }
  for (const [text, ...expected] of [
    ["COPY customers (id, email) TO '/tmp/x'", "file /tmp/x <- customers.email, customers.id"],
    ["COPY (SELECT ssn FROM hr.employees) TO PROGRAM 'curl x'", "program curl x <- employees.ssn"],
    ["COPY customers (email) TO STDOUT"],
    ["COPY loners (name) FROM STDIN", "public.loners.name <- "],
    ["COPY loners (name) FROM '/etc/passwd'", "public.loners.name <- ?"],
    ["CREATE PUBLICATION p FOR TABLE customers (id, email)", "server  <- customers.email, customers.id"],
    ["CREATE PUBLICATION p FOR ALL TABLES", "server  <- ?"],
  ] as const)
    test(text, () => assert.deepEqual(flows(factsOf(text).writes), expected));

  test("a prepared statement's result becomes columns", () => {
    const [, made] = analyze(
      "PREPARE p AS SELECT email FROM customers; CREATE TABLE t AS EXECUTE p",
      rich.catalog,
      SCOPE,
    ).statements;
    assert.deepEqual(flows(made!.facts.writes), ["definition public.t.email <- customers.email"]);
    assert.deepEqual(made!.facts.outputs, []);
    assert.ok(made!.facts.relations.some(({ name, access }) => name === "t" && access.includes("create")));
  });
  test("EXPLAIN writes and locks nothing, EXPLAIN ANALYZE does", () => {
    const text = "SELECT pg_notify('c', email), pg_advisory_lock(1) FROM customers FOR UPDATE";
    for (const each of ["writes", "locks", "settings"] as const) assert.deepEqual(factsOf(`EXPLAIN ${text}`)[each], []);
    assert.equal(factsOf(`EXPLAIN ANALYZE ${text}`).locks.length, 2);
    assert.equal(factsOf(`EXPLAIN ANALYZE ${text}`).writes.length, 2);
  });
});

const relations: readonly (readonly [text: string, ...relations: string[]])[] = [
  [
    "TRUNCATE customers CASCADE",
    "customers[truncate]",
    "orders[truncate] via public.customers",
    "order_items[truncate] via public.customers > public.orders",
  ],
  ["TRUNCATE people", "people[truncate]", "patients[truncate] via public.people"],
  ["DROP TABLE order_items", "order_items[drop]"],
  ["DROP TABLE hr.employees CASCADE", "employees[drop]", "m_employees[drop] via hr.employees"],
  ["DROP SCHEMA hr CASCADE", "*[drop]"],
  ["VACUUM", "*[maintenance]"],
  ["REINDEX SCHEMA app", "*[maintenance]"],
  ["REINDEX INDEX orders_pkey", "orders_pkey[maintenance]", "orders[maintenance]"],
  ["DROP OWNED BY CURRENT_USER", "*[drop]"],
  ["GRANT SELECT ON ALL TABLES IN SCHEMA app TO PUBLIC", "*[grant]"],
  ["CREATE TABLE t (LIKE customers) INHERITS (people)", "t[create]", "people[ddl]", "customers[select]"],
  ["CREATE SEQUENCE s OWNED BY loners.id", "s[create]", "loners[ddl]"],
  [
    "CREATE SCHEMA fresh CREATE TABLE t (id int) CREATE VIEW w AS SELECT id FROM public.loners",
    "t[create]",
    "w[create]",
    "loners[select]",
  ],
  ["ALTER TABLE loners SET SCHEMA app", "loners[ddl]"],
  ["SECURITY LABEL ON TABLE loners IS 'x'", "loners[ddl]"],
];
describe("relations are those that are reached", () => {
  for (const [text, ...expected] of relations)
    test(text, () => {
      const said = reached(text);
      for (const each of expected) assert.ok(said.includes(each), `${each} in ${said.join("; ")}`);
      assert.ok(said.length === expected.length || text.includes("CASCADE"), said.join("; "));
    });
  test("elements of a new schema are made in it", () => {
    const made = factsOf("CREATE SCHEMA fresh CREATE TABLE t (id int)").relations[0]!;
    assert.deepEqual(
      [made.schema, made.name, factsOf("CREATE SCHEMA fresh CREATE TABLE t (id int)").class],
      ["fresh", "t", "ddl"],
    );
  });
});
