-- what generated statements found: whole rows and columns beside items of which only the server knows the columns
SELECT employees FROM hr.employees, unnest($1) u
SELECT row(u.*) FROM hr.employees e, LATERAL unnest((SELECT $1 FROM customers c WHERE c.email = e.ssn)) u
SELECT s FROM (SELECT u.* FROM hr.employees e, LATERAL unnest((SELECT $1 FROM customers c WHERE c.email = e.ssn)) u) s
SELECT 1 FROM hr.employees e NATURAL JOIN unnest($1) u
SELECT d FROM hr.employees e, ROWS FROM (json_array_elements('[]'), upper($1 || e.ssn)) d
-- what decides the rows of a common table expression or a view that a sub-select reads
WITH w AS (SELECT 1 FROM hr.employees WHERE ssn = 'x') SELECT (SELECT count(*) FROM w)
WITH w AS (DELETE FROM hr.employees WHERE ssn = 'x' RETURNING 1) SELECT EXISTS (SELECT FROM w)
SELECT (SELECT count(*) FROM v_customers)
-- rows and arrays of rows, field by field
SELECT (CASE WHEN e.name = 'x' THEN e END).title FROM hr.employees e
SELECT (coalesce(e, NULL)).title, (ARRAY[e, e])[e.id].title, (ARRAY(SELECT c FROM customers c WHERE c.id = e.id))[1].name FROM hr.employees e
SELECT u.title FROM (SELECT array_agg(e ORDER BY e.salary) AS list FROM hr.employees e) s, unnest(s.list) u
SELECT (SELECT e FROM hr.employees e WHERE e.ssn = 'x').title
SELECT u, (u).id FROM hr.employees e JOIN app.customers a USING (id) AS u
-- columns of functions
SELECT o, coalesce FROM json_to_record('{}') AS o(name text), coalesce('x', 'y')
SELECT x.id FROM customers c, nullif(c.id, 1) AS x(id)
-- other names for the columns of a row are its FROM item's alone: what is made of it has the names of its type
SELECT (e).ssn, ssn(e), (e).*, e.ssn FROM hr.employees e(ssn, b, c, d, id)
SELECT (CASE WHEN true THEN e END).ssn, (s.e).ssn FROM hr.employees e(ssn, b, c, d, id), LATERAL (SELECT e) s
SELECT greeting(c) FROM customers c(email, name, id)
SELECT (CASE WHEN true THEN f END).email, f.email FROM find(1) f(email, name, id)
-- the type of a set operation's column
(SELECT id, NULL FROM hr.employees) EXCEPT (SELECT NULL, true)
-- the columns of SEARCH and CYCLE are no part of * below the query that WITH belongs to
WITH RECURSIVE r(a, b) AS (SELECT id, ssn FROM hr.employees UNION SELECT a, b FROM r) SEARCH DEPTH FIRST BY b SET s CYCLE a SET c USING p SELECT *, (SELECT count(s.*) FROM (SELECT * FROM r) s), (SELECT max(s) FROM r) FROM r
WITH RECURSIVE r(a, b) AS (SELECT id, ssn FROM hr.employees UNION SELECT a, b FROM r) SEARCH DEPTH FIRST BY b SET s CYCLE a SET c USING p, q AS (SELECT * FROM r), v AS (SELECT r.*, r.s FROM r) SELECT q.*, v.*, w.* FROM q, v, (SELECT r.* FROM r) w
-- columns that only the server knows may stand between the others: positions tell nothing
SELECT s.b, s.c FROM (SELECT u.*, e.ssn, e.id FROM unnest($1) u, hr.employees e) s(a, b, c)
SELECT u.*, e.ssn, e.id FROM unnest($1) u, hr.employees e UNION ALL SELECT 1, 2, 3
SELECT (row(u.*, e.ssn, e.id)).f3 FROM unnest($1) u, hr.employees e
INSERT INTO app.log (id, note) SELECT u.*, e.ssn FROM unnest($1) u, hr.employees e
SELECT v.column2 FROM unnest($1) u, hr.employees e, LATERAL (VALUES (u.*, e.ssn, e.id)) v
SELECT d, (row(d.*)).f1 FROM current_date WITH ORDINALITY d
(VALUES ('x')) UNION SELECT phone FROM customers
SELECT * FROM orders JOIN (SELECT total::numeric AS total, id::int AS id FROM orders) o USING (total, id)
SELECT * FROM products JOIN orders ON true JOIN (SELECT sku FROM products) p USING (sku)
