-- Looked up
SELECT id, name FROM customers WHERE email = 'a@b.c'
SELECT id FROM customers c WHERE c.city = 'x' AND ('a' = c.email AND c.phone = $1::text)
SELECT x.id FROM (SELECT id, email FROM customers) x WHERE x.email = $1
WITH x AS (SELECT id FROM customers WHERE email = 'a') SELECT count(*) FROM x
SELECT email FROM customers WHERE email = 'a' AND id > 5 ORDER BY id
EXPLAIN SELECT id FROM customers WHERE email = 'a'
-- Otherwise used
SELECT id FROM customers WHERE email = 'a' OR id = 5
SELECT id FROM customers WHERE email <> 'a'
SELECT id FROM customers WHERE email = name
SELECT id FROM customers WHERE email = lower('A')
SELECT id FROM customers WHERE email IN ('a', 'b')
SELECT id FROM customers WHERE lower(email) = 'a'
SELECT id FROM customers WHERE email = 'a' AND email > 'b'
SELECT EXISTS (SELECT 1 FROM customers WHERE email = 'a')
SELECT lower(email) FROM customers WHERE email = 'a'
SELECT id FROM customers GROUP BY id HAVING max(email) = 'a'
SELECT c.id FROM customers c JOIN orders o ON c.email = 'a'
UPDATE customers SET name = 'x' WHERE email = 'a' AND id = 1
INSERT INTO app.log (note) SELECT name FROM customers WHERE email = 'a'
