// Statements that belong together and that no grammar of queries makes: whatever may carry a value away, or tell of one.
import type { Choices } from "../sql/postgres/generator/choices.ts";
import { type Making, written } from "../sql/postgres/generator/expressions.ts";
import { from } from "../sql/postgres/generator/from.ts";
import { EMPTY } from "../sql/postgres/generator/scope.ts";
import type { World } from "../sql/postgres/generator/world.ts";

/** `{type}` and the like stand for expressions over the one FROM clause that `{from}` stands for. */
const templates: readonly (readonly string[])[] = [
  // Places that are read back later.
  ["SELECT set_config('own.a', {text}, false) FROM {from}", "SHOW own.a", "SELECT current_setting('own.a', true)"],
  [
    "SELECT set_config('application_name', {text}, false) FROM {from}",
    "SHOW application_name",
    "RESET application_name",
  ],
  ["SELECT set_config('search_path', {text}, false) FROM {from}", "SHOW search_path", "RESET search_path"],
  [
    "SELECT set_config('timezone', {text}, false), set_config('datestyle', {text}, true) FROM {from}",
    "SHOW timezone",
    "RESET timezone",
  ],
  [
    "LISTEN told",
    "SELECT pg_notify('told', {text}) FROM {from}",
    "SELECT pg_notify({text}, 'x') FROM {from}",
    "UNLISTEN *",
  ],
  [
    "SELECT lo_from_bytea(424242, convert_to({text}, 'UTF8')) FROM {from}",
    "SELECT lo_get(424242)",
    "SELECT lo_unlink(424242)",
  ],
  [
    "BEGIN",
    "SELECT pg_advisory_xact_lock({int}) FROM {from}",
    "SELECT classid, objid, objsubid, mode FROM pg_locks WHERE locktype = 'advisory'",
    "SELECT pg_try_advisory_xact_lock({int}, 5) FROM {from}",
    "ROLLBACK",
  ],
  [
    "SELECT setval('own.counter', {int}) FROM {from}",
    "SELECT last_value FROM own.counter",
    "SELECT currval('own.counter')",
    "SELECT setval('own.counter', 1)",
  ],
  ["SELECT nextval('own.counter') FROM {from} WHERE {bool}", "SELECT lastval()", "SELECT setval('own.counter', 1)"],
  [
    "BEGIN",
    "COMMENT ON TABLE own.sink IS 'x'",
    "INSERT INTO own.sink (k, v) SELECT {int}, {text} FROM {from}",
    "SELECT * FROM own.sink",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "SELECT {text} AS v INTO TEMP kept FROM {from}",
    "SELECT v, length(v) FROM kept",
    "CREATE TEMP TABLE copied (LIKE kept)",
    "INSERT INTO copied TABLE kept",
    "TABLE copied",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE TABLE own.made AS SELECT {text} AS v, {int} AS n FROM {from}",
    "CREATE INDEX ON own.made (v)",
    "ANALYZE own.made",
    "SELECT most_common_vals, histogram_bounds, n_distinct FROM pg_stats WHERE tablename = 'made'",
    "SELECT v FROM own.made ORDER BY n",
    "EXPLAIN SELECT * FROM own.made WHERE v = 'a'",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "DECLARE c SCROLL CURSOR FOR SELECT {any}, {text} FROM {from} WHERE {bool}",
    "FETCH 1 FROM c",
    "MOVE LAST FROM c",
    "FETCH PRIOR FROM c",
    "FETCH ABSOLUTE 1 FROM c",
    "COMMIT",
  ],
  [
    "DECLARE c CURSOR WITH HOLD FOR SELECT {any}, {text} FROM {from} WHERE {bool}",
    "FETCH ALL FROM c",
    "SELECT name, statement FROM pg_cursors",
    "CLOSE c",
  ],
  // Writes that fail, or whose effect tells.
  [
    "BEGIN",
    "INSERT INTO own.strict (k, v, n) SELECT {int}, {text}, {int} FROM {from}",
    "SAVEPOINT s",
    "SELECT count(*) FROM own.strict",
    "COMMIT",
    "DELETE FROM own.strict",
  ],
  [
    "BEGIN",
    "INSERT INTO own.strict (k, v, n) VALUES (1, 'a', 1)",
    "UPDATE own.strict SET v = (SELECT {text} FROM {from} LIMIT 1) WHERE k = 1 RETURNING v, length(v)",
    "SET CONSTRAINTS ALL IMMEDIATE",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "UPDATE public.customers SET name = {text} WHERE id = 1 RETURNING *",
    "UPDATE public.customers SET email = name WHERE id = 1 RETURNING email, name",
    "SELECT id, name, email FROM customers ORDER BY id",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "UPDATE public.customers c SET email = 'new' WHERE c.id = 2 RETURNING c.email, c.phone, c",
    "SELECT email FROM customers WHERE id = 2",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "UPDATE hr.employees SET ssn = ssn || 'x', salary = salary * 2 WHERE id = 1 RETURNING id, ssn, salary",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "DELETE FROM public.customers WHERE id = 3 RETURNING *",
    "DELETE FROM customers WHERE id = 4 AND {bool} RETURNING id",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "DELETE FROM public.orders o USING public.customers c WHERE c.id = o.customer_id AND o.id = 1 RETURNING c.*, o.id",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "INSERT INTO customers (id, name, email) VALUES (1, 'x', 'y') ON CONFLICT (id) DO UPDATE SET name = customers.email || excluded.email RETURNING *",
    "SELECT name FROM customers WHERE id = 1",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "INSERT INTO customers (id, name, city) VALUES (1, 'x', 'y') ON CONFLICT DO NOTHING RETURNING id",
    "INSERT INTO hr.employees (id, name) VALUES (1, 'twice')",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "MERGE INTO lab.ledger l USING (SELECT {int}, {text} FROM {from}) AS s(k, v) ON l.id = s.k WHEN MATCHED THEN UPDATE SET kind = s.v WHEN NOT MATCHED THEN INSERT (id, kind) VALUES (s.k + 50, s.v)",
    "SELECT id, kind, memo FROM lab.ledger ORDER BY id",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "SELECT id FROM customers WHERE {bool} FOR UPDATE SKIP LOCKED",
    "SELECT c.id, c.email FROM customers c ORDER BY c.id FOR UPDATE",
    "ROLLBACK",
  ],
  // What the server asks by itself of rows that are read or changed.
  [
    "BEGIN",
    "UPDATE hr.employees SET title = 'probe' WHERE id = 1",
    "ROLLBACK",
    "BEGIN",
    "INSERT INTO hr.employees (id, title) VALUES (2, 'x') ON CONFLICT (id) DO UPDATE SET title = 'probe'",
    "ROLLBACK",
    "BEGIN",
    "MERGE INTO hr.employees e USING (VALUES (3)) v(i) ON e.id = v.i WHEN MATCHED THEN UPDATE SET title = 'probe'",
    "ROLLBACK",
  ],
  ["BEGIN", "INSERT INTO own.children VALUES (1, 'a')", "ROLLBACK"],
  [
    "SELECT id, open FROM own.guarded ORDER BY id",
    "SELECT count(*), {int} FROM own.guarded, {from}",
    "EXPLAIN SELECT id FROM own.guarded",
    "COPY own.guarded (id) TO STDOUT",
    "BEGIN",
    "UPDATE own.guarded SET open = 'n' WHERE id < 3",
    "DELETE FROM own.guarded",
    "ROLLBACK",
  ],
  [
    "EXPLAIN SELECT id FROM own.keeping",
    "EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT id FROM own.keeping",
    "PREPARE keeps AS WITH x AS MATERIALIZED (SELECT id, email FROM customers) SELECT id FROM x",
    "EXPLAIN EXECUTE keeps",
    "DEALLOCATE keeps",
  ],
  // Errors, notices, warnings.
  ["SELECT 1 / ({int} - 2) FROM {from}", "SELECT ({text})::int FROM {from}", "SELECT ({text})::date FROM {from}"],
  [
    "SELECT CASE WHEN {bool} THEN 1 / 0 END FROM {from}",
    "SELECT id FROM customers WHERE CASE WHEN {bool} THEN 1 / 0 = 1 END",
    "SELECT (ARRAY[1])[{int}] FROM {from}",
  ],
  ["SELECT own.shout({text}) FROM {from}", "SELECT own.pick(1)", "SELECT own.pick(id) FROM customers"],
  [
    "SELECT ({text})::xml FROM {from}",
    "SELECT ({text})::jsonb FROM {from}",
    "SELECT ({text} ~ {text}) FROM {from}",
    "SELECT to_number({text}, '999') FROM {from}",
  ],
  [
    "SELECT pg_sleep(0), {text} FROM {from} WHERE {bool}",
    "SELECT repeat({text}, {int}) FROM {from}",
    "SELECT lpad('a', {int}, 'b') FROM {from}",
  ],
  [
    "SELECT generate_series(1, {int}) FROM {from}",
    "SELECT id FROM customers LIMIT (SELECT {int} FROM {from} LIMIT 1)",
    "SELECT id FROM customers OFFSET (SELECT count(*) FROM {from} WHERE {bool})",
  ],
  ["SET client_min_messages = debug5", "SELECT {text} FROM {from} WHERE {bool}", "RESET client_min_messages"],
  // What the server knows of its values.
  [
    "SELECT attname, null_frac, avg_width, n_distinct, correlation FROM pg_stats WHERE tablename = 'customers'",
    "SELECT * FROM pg_stats WHERE schemaname = 'hr'",
    "SELECT starelid, stawidth FROM pg_statistic",
  ],
  [
    "SELECT relname, relpages, reltuples FROM pg_class WHERE relname IN ('customers', 'employees', 'shapes')",
    "SELECT pg_relation_size('customers'), pg_column_size(c.id) FROM customers c",
    "SELECT pg_column_size(c) FROM customers c",
  ],
  [
    "EXPLAIN SELECT {text} FROM {from} WHERE {bool} ORDER BY {int}",
    "EXPLAIN SELECT email FROM customers",
    "EXPLAIN (VERBOSE) SELECT * FROM customers c JOIN hr.employees e USING (id)",
    "EXPLAIN SELECT c FROM customers c ORDER BY name",
  ],
  [
    "EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT email, salary FROM customers JOIN hr.employees USING (id) ORDER BY name",
    "EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off, SERIALIZE) SELECT email FROM customers",
    "EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT DISTINCT city FROM customers",
  ],
  [
    "SELECT query FROM pg_stat_activity WHERE pid = 0",
    "SELECT pg_typeof({any}) FROM {from}",
    "SELECT ctid, xmin, tableoid::regclass, id FROM customers",
  ],
  // Definitions.
  [
    "BEGIN",
    "ALTER TABLE public.customers ADD CHECK (length(email) < 4)",
    "ROLLBACK",
    "BEGIN",
    "CREATE UNIQUE INDEX ON hr.employees (ssn)",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE INDEX ON customers ((1 / length(email)))",
    "ROLLBACK",
    "BEGIN",
    "ALTER TABLE hr.employees ALTER ssn TYPE int USING ssn::int",
    "SELECT ssn FROM hr.employees",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "ALTER TABLE customers RENAME email TO city2",
    "SELECT city2 FROM customers",
    "ALTER TABLE customers RENAME city2 TO email",
    "SELECT upper(email) FROM customers",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "ALTER TABLE customers ADD COLUMN copy text GENERATED ALWAYS AS (upper(email)) STORED",
    "SELECT copy FROM customers",
    "SELECT length(copy) FROM customers",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE TRIGGER t BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION stamp()",
    "UPDATE customers SET city = email WHERE id = 1 RETURNING city",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE RULE r AS ON UPDATE TO customers DO ALSO INSERT INTO own.sink (v) VALUES (OLD.email)",
    "UPDATE customers SET city = 'x' WHERE id = 1",
    "SELECT v FROM own.sink",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE TABLE own.child () INHERITS (hr.employees)",
    "INSERT INTO own.child SELECT * FROM hr.employees",
    "SELECT ssn FROM own.child",
    "SELECT upper(ssn) FROM own.child",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "ALTER TABLE customers DROP COLUMN city",
    "SELECT * FROM customers",
    "SELECT length(email) FROM customers",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE STATISTICS own.st ON email, city FROM customers",
    "ANALYZE customers",
    "SELECT * FROM pg_stats_ext WHERE statistics_name = 'st'",
    "ROLLBACK",
  ],
  ["BEGIN", "CREATE DOMAIN own.d AS text CHECK (VALUE > 'b')", "SELECT email::own.d FROM customers", "ROLLBACK"],
  [
    "BEGIN",
    "CREATE FUNCTION own.pass(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT t'",
    "SELECT own.pass(email) FROM customers",
    "SELECT own.pass({text}) FROM {from}",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE AGGREGATE own.agg(text) (SFUNC = joined, STYPE = text)",
    "SELECT own.agg({text}) FROM {from}",
    "SELECT concatenated(email) FROM customers",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE SCHEMA decoy CREATE TABLE customers (email text, ssn text)",
    "SET LOCAL search_path = decoy, public",
    "SELECT email FROM customers",
    "SELECT upper(email) FROM customers",
    "RESET search_path",
    "SELECT lower(email) FROM customers",
    "ROLLBACK",
  ],
  [
    "BEGIN",
    "CREATE TEMP TABLE customers (id int, email text)",
    "SELECT upper(email) FROM customers",
    "DROP TABLE pg_temp.customers",
    "SELECT upper(email) FROM customers",
    "ROLLBACK",
  ],
  // Ordinary uses that must stay possible, in places where masking may go wrong.
  [
    "SELECT e.name, e.ssn, e.salary, c.phone FROM hr.employees e LEFT JOIN customers c ON c.id = e.id ORDER BY e.id",
    "SELECT * FROM (SELECT email, phone FROM customers ORDER BY id LIMIT 2) x",
    "SELECT email FROM customers UNION ALL SELECT email FROM customers",
    "SELECT count(*), count(email), count(DISTINCT email) FROM customers",
  ],
  [
    "SELECT * FROM hr.payroll",
    "SELECT * FROM shapes ORDER BY id",
    "SELECT id, corner, corners, docb FROM shapes",
    "SELECT (corner).label, docb -> 'a', corners[1] FROM shapes",
    "SELECT mail, mail_domain FROM mailboxes",
  ],
  [
    "SELECT upper(email), length(phone), salary + 1, date_trunc('month', day) FROM customers, hr.employees, shapes",
    "SELECT email LIKE 'a%', phone > '5', salary BETWEEN 100 AND 120 FROM customers c JOIN hr.employees e ON e.id = c.id",
    "SELECT name FROM hr.employees ORDER BY salary, ssn",
    "SELECT salary, count(*) FROM hr.employees GROUP BY salary HAVING max(ssn) > '2'",
  ],
  [
    "SELECT max(email), min(phone), sum(salary), avg(salary) FROM customers, hr.employees",
    "SELECT name FROM customers WHERE email = 'ada'",
    "SELECT name FROM customers WHERE email = 'ada' OR phone = '1111'",
    "SELECT name FROM hr.employees WHERE ssn IN ('1', '22', '0')",
  ],
  [
    "SELECT a.name, b.name FROM hr.employees a JOIN hr.employees b ON a.ssn = b.ssn AND a.id < b.id",
    "SELECT rank() OVER (ORDER BY salary), name FROM hr.employees",
    "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM public.c d WHERE d.email = c.email)",
    "SELECT coalesce(email, 'none'), email IS NULL, email || '' FROM customers",
  ],
];

/** The statements of one. */
export function scenario(world: World, choices: Choices): string[] {
  const making: Making = { choices, world, depth: 2 };
  const over = from(making, EMPTY);
  const scope = { ...EMPTY, items: over.items };
  return choices
    .pick(templates)
    .map((template) =>
      written(making, template.replaceAll("{from}", "\u0000"), scope).replaceAll("\u0000", () => over.text),
    );
}
