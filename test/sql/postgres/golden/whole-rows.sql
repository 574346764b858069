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
-- A field tells which of several rows it is of.
SELECT (greatest(a, b)).total FROM v_contacts a, v_contacts b WHERE a.total = 10 AND b.total = 40
SELECT (least(a, b)).id FROM (SELECT email, id FROM customers) a, (SELECT email, id FROM customers) b
SELECT (greatest(ARRAY[a], ARRAY[b]))[1].total FROM v_contacts a, v_contacts b
SELECT (coalesce(greatest(a, b), a)).total FROM v_contacts a, v_contacts b
SELECT (CASE WHEN a.contact > b.contact THEN a ELSE b END).total FROM v_contacts a, v_contacts b
SELECT (coalesce(CASE WHEN a.contact > 'b' THEN a END, b)).total FROM v_contacts a, v_contacts b
SELECT (nullif(a, b)).total FROM v_contacts a, v_contacts b
SELECT (array_agg(a ORDER BY a))[1].total FROM v_contacts a
SELECT (array_agg(DISTINCT a))[1].total FROM v_contacts a
SELECT (first_value(a) OVER (ORDER BY a.contact, a.total)).total FROM v_contacts a
SELECT (SELECT a FROM v_contacts a ORDER BY a DESC LIMIT 1).total
SELECT (ARRAY(SELECT a FROM v_contacts a ORDER BY a.contact, a.total))[1].total
-- A record becomes a parameter's row by place, whatever its fields are called; a row of the type has its names.
SELECT greeting(x) FROM (SELECT id, name AS n, email AS zzz, phone AS p, city AS email, created_at, home, tags, extra FROM customers) x
SELECT x.greeting FROM (SELECT id, name AS n, email AS zzz, phone AS p, city AS email, created_at, home, tags, extra FROM customers) x
SELECT greeting(ROW(id, city, name, phone, email, created_at, home, tags, extra)) FROM customers
SELECT greeting(c) FROM customers AS c(a, b, d, email)
