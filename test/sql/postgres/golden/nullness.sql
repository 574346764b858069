-- Only whether it is there
SELECT email IS NULL, phone IS NOT NULL FROM customers WHERE email IS NOT NULL
SELECT count(email) FROM customers HAVING count(phone) > 3
SELECT city, count(email), CASE WHEN phone IS NULL THEN name ELSE 'none' END FROM customers GROUP BY city, phone, name
SELECT count(email) FILTER (WHERE city = 'x'), count(phone) OVER (PARTITION BY city) FROM customers
SELECT x.missing FROM (SELECT email IS NULL AS missing FROM customers) x WHERE NOT x.missing ORDER BY x.missing
UPDATE customers SET city = 'x' WHERE phone IS NULL AND id = 1
-- More than that
SELECT count(DISTINCT email), count(lower(phone)) FROM customers
SELECT count(email) FILTER (WHERE email = 'x') FROM customers
SELECT CASE WHEN email IS NULL THEN phone ELSE email END FROM customers
SELECT coalesce(email, '') IS NULL, nullif(phone, 'x') IS NULL FROM customers
SELECT home IS NULL, customers IS NULL, count(customers) FROM customers
SELECT bool_and(email = 'x'), email IS NOT DISTINCT FROM phone FROM customers GROUP BY email, phone
SELECT EXISTS (SELECT 1 FROM customers WHERE email IS NULL)
INSERT INTO app.log (note) SELECT (email IS NULL)::text FROM customers
-- How many rows there are
SELECT id, unnest(string_to_array(email, 'a')) FROM customers
SELECT id, unnest(CASE WHEN email IS NULL THEN '{1}'::int[] END) FROM customers
