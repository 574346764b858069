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
