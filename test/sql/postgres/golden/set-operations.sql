-- set operations
SELECT email FROM customers UNION SELECT ssn FROM hr.employees
SELECT email FROM customers UNION ALL SELECT 'x' ORDER BY email LIMIT 4
SELECT email, 1 FROM customers EXCEPT SELECT ssn, id FROM hr.employees
SELECT email FROM customers INTERSECT SELECT email FROM hr.employees
SELECT e FROM (SELECT email AS e FROM customers UNION ALL SELECT email FROM hr.employees) s WHERE e LIKE 'a%'
(SELECT name FROM customers ORDER BY email LIMIT 1) UNION ALL (SELECT title FROM hr.employees)
SELECT 1 UNION SELECT 2 UNION ALL SELECT id FROM orders
SELECT phone FROM customers UNION ALL SELECT email FROM customers
SELECT email, id FROM customers UNION ALL SELECT phone, id FROM customers UNION ALL SELECT ssn, id FROM hr.employees
SELECT email FROM customers UNION ALL SELECT 'guess'
SELECT email FROM customers UNION ALL SELECT NULL
SELECT email FROM customers UNION ALL SELECT name FROM customers
SELECT email FROM customers UNION ALL SELECT lower(phone) FROM customers
SELECT email FROM customers UNION ALL SELECT phone::varchar(3) FROM customers
SELECT email FROM customers UNION ALL SELECT name::name FROM people
SELECT salary FROM hr.employees UNION ALL SELECT total FROM orders
SELECT salary FROM hr.employees UNION ALL SELECT grade FROM hr.payroll
SELECT home FROM customers UNION ALL SELECT home FROM customers
(SELECT email FROM customers UNION ALL SELECT phone FROM customers) UNION SELECT ssn FROM hr.employees
SELECT e || 'x' FROM (SELECT email AS e FROM customers UNION ALL SELECT ssn FROM hr.employees) u
SELECT e::varchar FROM (SELECT email AS e FROM customers UNION ALL SELECT ssn FROM hr.employees) u
SELECT e FROM (SELECT email AS e FROM customers UNION ALL SELECT ssn FROM hr.employees LIMIT 3) u
SELECT (SELECT u.e LIMIT 1) FROM (SELECT email AS e FROM customers UNION ALL SELECT ssn FROM hr.employees) u
SELECT max(e) FROM (SELECT email AS e FROM customers UNION ALL SELECT ssn FROM hr.employees) u
SELECT email::varchar::text, email::text::varchar(2)::text, email::bpchar, email::name, phone::"char" FROM customers
