-- a value that is not shown, but that decides an error, a count of rows, an order or a choice
SELECT 1 / (ssn = '123-45-6789')::int FROM hr.employees
SELECT id FROM hr.employees WHERE 1 / (CASE WHEN ssn LIKE '1%' THEN 0 ELSE 1 END) = 1
SELECT CAST(ssn AS int) FROM hr.employees
SELECT id FROM hr.employees WHERE CASE WHEN salary > 100 THEN 'x'::int = 1 ELSE true END
SELECT ssn::date IS NULL FROM hr.employees
SELECT count(*) FROM hr.employees WHERE ssn LIKE '1%'
SELECT count(*) FROM hr.employees WHERE substr(ssn, 1, 1) BETWEEN '0' AND '4'
SELECT count(*) FROM hr.employees WHERE ascii(ssn) & 1 = 1
SELECT id FROM hr.employees WHERE ssn ~ '^[0-4]'
SELECT id FROM hr.employees WHERE ssn SIMILAR TO '1%'
SELECT id FROM hr.employees WHERE ssn IN ('1', '2') OR salary = ANY (ARRAY[1, 2])
SELECT id FROM hr.employees WHERE (ssn, salary) > ('1', 2)
SELECT id FROM hr.employees e WHERE e = ROW(1, 'Bob', 'boss', 'b', '1', 100, NULL)::hr.employees
SELECT id FROM hr.employees e WHERE e IS NOT NULL
SELECT a.id FROM hr.employees a, hr.employees b WHERE a > b
SELECT id FROM hr.employees WHERE ssn IS DISTINCT FROM 'x'
SELECT id FROM hr.employees WHERE (ssn = 'x') IS TRUE
SELECT id FROM hr.employees WHERE NOT ssn = 'x' AND true
SELECT id FROM hr.employees ORDER BY ssn
SELECT id FROM hr.employees ORDER BY (SELECT e.ssn FROM hr.employees e WHERE e.id = employees.id)
SELECT id FROM hr.employees ORDER BY CASE WHEN ssn > '5' THEN id ELSE -id END LIMIT 1
SELECT id FROM hr.employees ORDER BY ssn USING <
SELECT id AS ssn FROM hr.employees ORDER BY ssn
SELECT id AS ssn FROM hr.employees GROUP BY ssn, id
SELECT id AS ssn FROM hr.employees ORDER BY ssn || ''
SELECT DISTINCT ON (ssn) id FROM hr.employees
SELECT DISTINCT ON (salary > 100) id FROM hr.employees ORDER BY salary > 100, id
SELECT count(*) FROM (SELECT DISTINCT ssn FROM hr.employees) s
SELECT count(*) FROM hr.employees GROUP BY ssn
SELECT count(*) FROM hr.employees GROUP BY left(ssn, 1) HAVING min(salary) > 10
SELECT count(*) FROM hr.employees GROUP BY ROLLUP (ssn)
SELECT count(DISTINCT ssn) FROM hr.employees
SELECT count(*) FILTER (WHERE ssn = 'x') FROM hr.employees
SELECT array_agg(id ORDER BY ssn) FROM hr.employees
SELECT string_agg(DISTINCT name, ',') FILTER (WHERE salary > 10) FROM hr.employees
SELECT first_value(id) OVER (ORDER BY ssn) FROM hr.employees
SELECT rank() OVER w FROM hr.employees WINDOW w AS (PARTITION BY salary > 10 ORDER BY id)
SELECT ntile(salary::int) OVER (ORDER BY id) FROM hr.employees
SELECT sum(1) OVER (ORDER BY id ROWS BETWEEN (SELECT max(salary)::int FROM hr.employees) PRECEDING AND CURRENT ROW) FROM orders
SELECT mode() WITHIN GROUP (ORDER BY ssn) FROM hr.employees
SELECT rank('5') WITHIN GROUP (ORDER BY ssn) FROM hr.employees
SELECT id FROM orders LIMIT (SELECT salary::int FROM hr.employees WHERE id = 1)
SELECT id FROM orders OFFSET (SELECT count(*) FROM hr.employees WHERE ssn = 'x')
SELECT id FROM orders FETCH FIRST (SELECT length(ssn) FROM hr.employees LIMIT 1) ROWS ONLY
SELECT id FROM orders TABLESAMPLE bernoulli ((SELECT salary::int % 100 FROM hr.employees LIMIT 1))
SELECT id FROM orders TABLESAMPLE system (50) REPEATABLE ((SELECT max(salary) FROM hr.employees))
SELECT (SELECT count(*) FROM (SELECT 100 AS x) before, orders TABLESAMPLE bernoulli (x)) FROM (SELECT salary AS x FROM hr.employees) z
SELECT (SELECT count(*) FROM (SELECT 100 AS x) before CROSS JOIN orders TABLESAMPLE system (100) REPEATABLE (x)) FROM (SELECT salary AS x FROM hr.employees) z
SELECT g FROM generate_series(1, (SELECT salary::int FROM hr.employees LIMIT 1)) g
SELECT e.id FROM hr.employees e, generate_series(1, length(e.ssn))
SELECT generate_series(1, length(ssn)) FROM hr.employees
SELECT e.id FROM hr.employees e, regexp_split_to_table(e.ssn, '') s
SELECT e.id FROM hr.employees e CROSS JOIN LATERAL (SELECT 1 WHERE e.salary > 10) s
SELECT o.id FROM orders o WHERE EXISTS (SELECT FROM hr.employees e WHERE e.ssn = o.status)
SELECT o.id FROM orders o WHERE o.status NOT IN (SELECT ssn FROM hr.employees)
SELECT o.id FROM orders o WHERE o.total > ALL (SELECT salary FROM hr.employees)
SELECT o.id FROM orders o WHERE (o.id, o.status) = (SELECT id, ssn FROM hr.employees LIMIT 1)
SELECT o.id FROM orders o JOIN hr.employees e ON o.status = e.ssn
SELECT o.id FROM orders o LEFT JOIN hr.employees e ON e.salary > 5
SELECT o.id FROM orders o JOIN (SELECT ssn AS status FROM hr.employees) e USING (status)
SELECT o.id FROM orders o NATURAL JOIN (SELECT ssn AS status FROM hr.employees) e
SELECT id FROM orders EXCEPT SELECT id FROM hr.employees WHERE ssn = 'x'
SELECT id FROM orders INTERSECT ALL SELECT salary::int FROM hr.employees
SELECT 1 FROM hr.employees UNION SELECT length(ssn) FROM hr.employees
WITH s AS (SELECT ssn FROM hr.employees) SELECT 1 FROM s WHERE ssn = 'x'
WITH s AS MATERIALIZED (SELECT id, 1 / (salary - 100) FROM hr.employees) SELECT id FROM s
WITH s AS (SELECT ssn FROM hr.employees) SELECT EXISTS (SELECT FROM s)
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT length(ssn) FROM hr.employees LIMIT 1)) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 1 AS n, (SELECT max(ssn) FROM hr.employees) AS s UNION ALL SELECT n + 1, s FROM r WHERE substr(s, n, 1) <> '') SELECT n FROM r
SELECT nullif(1, length(ssn)) FROM hr.employees
SELECT coalesce(nullif(ssn, 'x') IS NULL, false) FROM hr.employees
SELECT greatest(salary, 0), least(0, length(ssn)) FROM hr.employees
SELECT CASE ssn WHEN '1' THEN 'a' END FROM hr.employees
SELECT CASE WHEN false THEN ssn END FROM hr.employees
SELECT pg_sleep(CASE WHEN ssn LIKE '1%' THEN 0 ELSE 0 END) FROM hr.employees
SELECT repeat('x', length(ssn)), lpad('', salary::int) FROM hr.employees
SELECT (ARRAY['a', 'b', 'c'])[length(ssn) % 3 + 1] FROM hr.employees
SELECT ('{"a": 1}'::jsonb) -> ssn, ('{1,2}'::int[])[salary::int] FROM hr.employees
SELECT tags[(SELECT salary::int FROM hr.employees LIMIT 1)] FROM customers
SELECT width_bucket(salary, 0, 100, 10), sign(salary - 50) FROM hr.employees
SELECT hashtext(ssn), md5(ssn), sha256(ssn::bytea), pg_column_size(ssn), ssn COLLATE "C" > 'a' FROM hr.employees
SELECT id FROM hr.employees WHERE greatest(ssn, '5') = '5' OR ssn::int = 5
SELECT sum(salary) OVER (PARTITION BY id), JSON_ARRAYAGG(ssn) OVER (PARTITION BY id) FROM hr.employees
SELECT similarity FROM (SELECT ssn <-> 'x' AS similarity FROM hr.employees) s
SELECT pg_typeof(ssn), pg_collation_for(ssn) FROM hr.employees
SELECT 1 FROM hr.employees WHERE ssn IS NOT NULL AND 'x' = current_setting(ssn)
SELECT id FROM v_filtered
SELECT count(*) FROM v_barrier WHERE 1 / (id - 1) > 0
SELECT place FROM v_window
-- a part that is put into a stored value: whether it fits
UPDATE customers SET extra['a']['b'] = '1' WHERE id = 1
UPDATE hr.payroll SET points[1][1] = 5 WHERE iban = 'x'
UPDATE hr.payroll SET note['list'][-5] = '1', history[2].city = 'x' WHERE iban = 'x'
INSERT INTO hr.payroll (iban, points[1]) VALUES ('x', 5)
INSERT INTO hr.payroll (iban, points[1]) VALUES ('x', 5) ON CONFLICT (iban) DO UPDATE SET points[2] = 6
