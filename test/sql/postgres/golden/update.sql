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
-- A row that a sub-select gives is one value, of all that is in it.
UPDATE app.log SET (note) = (SELECT x FROM (SELECT 1 AS a, email FROM customers WHERE id = 1) x) WHERE id = 1 RETURNING note
INSERT INTO app.log (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (note) = (SELECT x FROM (SELECT 1 AS a, email FROM customers WHERE id = 1) x)
MERGE INTO app.log l USING (VALUES (1)) v(id) ON l.id = v.id WHEN MATCHED THEN UPDATE SET (note) = (SELECT x FROM (SELECT 1 AS a, email FROM customers WHERE id = 1) x)
-- A star stands for its columns in ROW and VALUES.
UPDATE app.log SET (id, note) = ROW(x.*) FROM (SELECT 1 AS a, email FROM customers) x
MERGE INTO app.log l USING (SELECT 1 AS a, email FROM customers) x ON l.id = x.a WHEN NOT MATCHED THEN INSERT (id, note) VALUES (x.*)
