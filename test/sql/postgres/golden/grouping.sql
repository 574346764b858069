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
-- In GROUP BY an output goes before a column of a query around, and a column of the query itself before an output.
SELECT (SELECT array_agg(n ORDER BY n) FROM (SELECT ssn AS grp, count(*) AS n FROM hr.employees GROUP BY grp) q) FROM (SELECT 1 AS grp) z
SELECT n FROM (SELECT 1 AS grp) z, LATERAL (SELECT ssn AS grp, count(*) AS n FROM hr.employees GROUP BY GROUPING SETS (grp)) q
SELECT n FROM (SELECT 1 AS grp) z, LATERAL (SELECT ssn AS x, count(*) AS n FROM hr.employees GROUP BY x, grp) q
SELECT count(*) AS n, title AS ssn FROM hr.employees GROUP BY ssn, title
