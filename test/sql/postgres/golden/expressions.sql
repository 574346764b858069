-- expressions
SELECT lower(email), upper(name) FROM customers
SELECT email || name FROM customers
SELECT email::text, email::varchar, phone::text, phone::varchar FROM customers
SELECT CASE WHEN email = 'a' THEN 1 ELSE 0 END FROM customers
SELECT coalesce(phone, email, 'none') FROM customers
SELECT nullif(email, ''), greatest(email, name), least(id, 1) FROM customers
SELECT email IS NULL, email IS NOT DISTINCT FROM 'x' FROM customers
SELECT email COLLATE "C" FROM customers
SELECT (home).city, home FROM customers
SELECT tags[1], tags[1:2], extra -> 'a' ->> 'b' FROM customers
SELECT ARRAY[id, 1], ROW(id, email), (ROW(id, email)).f2 FROM customers
SELECT name LIKE 'a%', name BETWEEN 'a' AND 'b', id IN (1, 2), name ~ 'x' FROM customers
SELECT extract(year FROM created_at), position('a' in email), substring(email from 1 for 2), overlay(name placing 'x' from 1) FROM customers
SELECT xmlelement(name a, c.email), xmlforest(c.id, c.name AS n), xmlserialize(content xmlelement(name b, ssn) AS text) FROM customers c, hr.employees
SELECT json_object('a': email), json_array(id, name), json_array(SELECT ssn FROM hr.employees) FROM customers
SELECT JSON_VALUE(extra, '$.a'), JSON_EXISTS(extra, '$.b'), extra IS JSON OBJECT FROM customers
SELECT date '2020-01-01', interval '1 day', 'sad'::mood, regclass 'public.customers'
SELECT -id, +id, id + 1, id * total FROM orders
-- Of numbers the type is the smallest that holds them.
SELECT 2147483647, 2147483648, -2147483648, -2147483649, - 2147483648, -(2147483648), 0 - 2147483648
SELECT 9223372036854775807, 9223372036854775808, -9223372036854775808, -9223372036854775809, 1., -1e3, 1e0
-- since 16
SELECT 0x7FFFFFFF, 0xFFFFFFFF, -0x80000000, -0xFFFFFFFFFF, 0x8000000000000000, -0X8000000000000000, -0o7777777777777, -0b1, 2_147_483_648, -2_147_483_648
