-- whole rows
SELECT c FROM customers c
SELECT (c).email, (c).* FROM customers c
SELECT email(c), c.email FROM customers c
SELECT name(c) FROM customers c
SELECT c.greeting, greeting(c) FROM customers c
SELECT row_to_json(c) FROM customers c
SELECT c.*::text FROM customers c
SELECT to_jsonb(c) ->> 'email' FROM customers c
SELECT s.c FROM (SELECT c FROM customers c) s
SELECT (s.c).email FROM (SELECT c FROM customers c) s
SELECT (s).x FROM (SELECT email AS x FROM customers) s
SELECT count(c), count(c.*) FROM customers c
SELECT whole, id FROM v_row
SELECT (whole).email FROM v_row
