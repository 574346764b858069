-- delete, truncate, merge
DELETE FROM orders
DELETE FROM orders WHERE id = 7
DELETE FROM orders o USING customers c WHERE o.customer_id = c.id AND c.email = 'x' RETURNING o.id, c.email
DELETE FROM customers WHERE id = 1
DELETE FROM ruled WHERE id = 1
DELETE FROM orders WHERE id = 1 AND EXISTS (SELECT 1 FROM hr.employees WHERE ssn = 'x')
WITH d AS (DELETE FROM orders RETURNING id) SELECT 1
TRUNCATE orders, order_items
TRUNCATE customers CASCADE
MERGE INTO people p USING customers c ON p.id = c.id WHEN MATCHED AND c.city = 'x' THEN UPDATE SET name = c.email WHEN NOT MATCHED THEN INSERT (id, name) VALUES (c.id, c.phone) RETURNING merge_action(), p.name
MERGE INTO people p USING customers c ON p.id = c.id WHEN MATCHED THEN DELETE
MERGE INTO people p USING (VALUES (1)) v(id) ON p.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'x')
