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
-- Below its query, no star stands for what SEARCH and CYCLE append, whatever it is joined with; the whole row has it.
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT a4 FROM (SELECT * FROM t JOIN customers c USING (id)) y(a1, a2, a3, a4)
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT a4 FROM (SELECT * FROM t NATURAL JOIN customers c) y(a1, a2, a3, a4)
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT a3 FROM (SELECT (t).*, c.email FROM t JOIN customers c USING (id)) y(a1, a2, a3)
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT y.* FROM (SELECT (x).*, x.*, x.a4, email FROM t AS x(a1, a2, a3, a4), customers) y
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT y.* FROM (SELECT j.* FROM (t CROSS JOIN customers c) j) y
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT y.* FROM (SELECT j.* FROM (t CROSS JOIN customers c) j(a1, a2, a3, a4)) y
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT y.* FROM (SELECT ROW(t.*, email) AS r FROM t, customers) y
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT (y.r).* FROM (SELECT t AS r FROM t) y
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT * FROM t JOIN customers USING (id)
WITH RECURSIVE t(id, n) AS (SELECT 1, 1 UNION ALL SELECT id, n + 1 FROM t WHERE n < 1) SEARCH DEPTH FIRST BY n SET ord CYCLE n SET looped USING way SELECT y.* FROM (SELECT * FROM t JOIN (SELECT false AS looped, email FROM customers) e USING (looped)) y
WITH RECURSIVE t(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM t WHERE id < 1) SEARCH DEPTH FIRST BY id SET ord INSERT INTO app.log (id, note) SELECT t.*, email FROM t, customers RETURNING note
