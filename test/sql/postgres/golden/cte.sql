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
WITH RECURSIVE r AS (SELECT id, ssn FROM hr.employees WHERE id = 1 UNION ALL SELECT e.id, e.ssn FROM r JOIN hr.employees e ON e.id = r.id + 1) CYCLE ssn SET looped USING way SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 0 AS id, 'a guess' AS ssn UNION ALL SELECT e.id, e.ssn FROM r JOIN hr.employees e ON e.id = r.id + 1) CYCLE ssn SET looped USING way SELECT id FROM r
WITH RECURSIVE r AS (SELECT id, ssn FROM hr.employees WHERE id = 1 UNION ALL SELECT e.id, e.ssn FROM r JOIN hr.employees e ON e.id = r.id + 1) SEARCH BREADTH FIRST BY ssn SET ordered CYCLE id SET looped USING way SELECT id FROM r
