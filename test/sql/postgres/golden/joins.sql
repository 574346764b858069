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
