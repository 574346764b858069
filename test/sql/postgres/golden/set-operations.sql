-- set operations
SELECT email FROM customers UNION SELECT ssn FROM hr.employees
SELECT email FROM customers UNION ALL SELECT 'x' ORDER BY email LIMIT 4
SELECT email, 1 FROM customers EXCEPT SELECT ssn, id FROM hr.employees
SELECT email FROM customers INTERSECT SELECT email FROM hr.employees
SELECT e FROM (SELECT email AS e FROM customers UNION ALL SELECT email FROM hr.employees) s WHERE e LIKE 'a%'
(SELECT name FROM customers ORDER BY email LIMIT 1) UNION ALL (SELECT title FROM hr.employees)
SELECT 1 UNION SELECT 2 UNION ALL SELECT id FROM orders
