-- What must be unique
INSERT INTO customers (name, email) VALUES ('a', 'b')
INSERT INTO customers (name, phone) VALUES ('a', 'b')
INSERT INTO customers DEFAULT VALUES
UPDATE customers SET email = 'x' WHERE id = 1
UPDATE customers SET phone = 'x' WHERE id = 1
MERGE INTO customers c USING (VALUES (1, 'a')) v(id, email) ON c.id = v.id WHEN MATCHED THEN UPDATE SET email = v.email
INSERT INTO customers (id, email) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET email = excluded.email
COPY customers (name, email) FROM STDIN
UPDATE v_customers SET contact = 'x' WHERE id = 1
