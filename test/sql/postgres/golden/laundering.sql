-- a protected column under another name, in another shape, through another relation
SELECT a FROM (SELECT ssn AS a FROM hr.employees) s
SELECT b FROM (SELECT a AS b FROM (SELECT ssn AS a FROM hr.employees) s) t
SELECT name FROM (SELECT ssn, id FROM hr.employees) AS s(name, ssn)
SELECT ssn FROM (SELECT id AS ssn, ssn AS id FROM hr.employees) s
SELECT x.id FROM hr.employees AS x(a, b, c, d, id)
SELECT email FROM hr.employees AS customers(id, name, title, ssn, email)
SELECT j.a FROM (hr.employees e CROSS JOIN orders o) AS j(z, y, x, w, a)
SELECT j.ssn FROM (hr.employees e JOIN orders o ON true) AS j
SELECT column1 FROM (VALUES ((SELECT ssn FROM hr.employees LIMIT 1))) v
SELECT k FROM (VALUES (1, 'x'), (2, (SELECT max(ssn) FROM hr.employees))) v(i, k)
SELECT 'x' UNION ALL SELECT ssn FROM hr.employees
SELECT name FROM customers UNION SELECT ssn FROM hr.employees ORDER BY 1
SELECT n FROM (SELECT name AS n FROM customers UNION ALL (SELECT title FROM hr.employees UNION SELECT ssn FROM hr.employees)) u
SELECT ssn FROM hr.employees EXCEPT SELECT 'x'
SELECT 'x' EXCEPT SELECT ssn FROM hr.employees
WITH orders AS (SELECT ssn AS status FROM hr.employees) SELECT status FROM orders
WITH orders AS (SELECT ssn AS status FROM hr.employees) SELECT status FROM public.orders
WITH a AS (WITH b AS (SELECT ssn FROM hr.employees) SELECT * FROM b) SELECT * FROM a
WITH b AS (SELECT 1 AS ssn), a AS (WITH b AS (SELECT ssn FROM hr.employees) SELECT * FROM b) SELECT a.ssn, b.ssn FROM a, b
WITH a AS (SELECT ssn FROM hr.employees), b AS (SELECT * FROM a) SELECT (SELECT ssn FROM b LIMIT 1)
WITH RECURSIVE r(a, b, c) AS (SELECT ''::text, ''::text, ssn FROM hr.employees UNION ALL SELECT b, c, '' FROM r WHERE c <> '') SELECT a FROM r
WITH RECURSIVE r AS (SELECT id, ssn::text AS s FROM hr.employees UNION SELECT id - 1, s FROM r WHERE id > 0) SELECT max(s) FROM r
WITH x AS (UPDATE orders SET status = e.ssn FROM hr.employees e RETURNING status) SELECT * FROM x
WITH x AS (INSERT INTO app.log (note) SELECT ssn FROM hr.employees RETURNING *), y AS (SELECT note FROM x) SELECT note FROM y
SELECT e FROM hr.employees e
SELECT e::text FROM hr.employees e
SELECT e.*::text FROM hr.employees e
SELECT (e).ssn FROM hr.employees e
SELECT ((e.*)::hr.employees).ssn FROM hr.employees e
SELECT ssn(e) FROM hr.employees e
SELECT employees.ssn(e) FROM hr.employees e
SELECT (SELECT e) FROM hr.employees e
SELECT (SELECT (e).ssn) FROM hr.employees e
SELECT (s.e).ssn FROM (SELECT e FROM hr.employees e) s
SELECT ((SELECT e FROM hr.employees e LIMIT 1)).ssn
SELECT (array_agg(e))[1] FROM hr.employees e
SELECT ((array_agg(e))[1]).ssn FROM hr.employees e
SELECT (unnest(array_agg(e))).ssn FROM hr.employees e
SELECT u.ssn FROM (SELECT array_agg(e) AS es FROM hr.employees e) s, unnest(s.es) u
SELECT ROW(e.*), ROW(e), ROW(e.id, e.ssn) FROM hr.employees e
SELECT (ROW(id, ssn)).f2 FROM hr.employees
SELECT (r).f2 FROM (SELECT ROW(id, ssn) AS r FROM hr.employees) s
SELECT to_jsonb(e) -> 'ssn', to_json(e) ->> 'name', to_jsonb(e) - 'ssn' FROM hr.employees e
SELECT row_to_json(e), json_agg(e), jsonb_agg(e.*) FROM hr.employees e GROUP BY e.id
SELECT json_object_agg(id, ssn), jsonb_build_object('a', ssn), json_build_array(e) FROM hr.employees e GROUP BY e.*
SELECT k.key, k.value FROM hr.employees e, jsonb_each_text(to_jsonb(e)) k
SELECT r.ssn FROM hr.employees e, jsonb_populate_record(NULL::hr.employees, to_jsonb(e)) r
SELECT r.x FROM hr.employees e, jsonb_to_record(to_jsonb(e)) AS r(x text, ssn text)
SELECT xmlforest(e), xmlelement(name a, e.ssn), xmlconcat(xmlelement(name b, e)) FROM hr.employees e
SELECT xmlagg(xmlelement(name a, ssn) ORDER BY salary) FROM hr.employees
SELECT JSON_ARRAYAGG(ssn ORDER BY id), JSON_OBJECTAGG(id : ssn) FROM hr.employees
SELECT JSON_OBJECT('a' : ssn, 'b' : VALUE name), JSON_ARRAY(e), JSON_SCALAR(ssn), JSON_SERIALIZE(to_json(e)) FROM hr.employees e
SELECT JSON_QUERY(to_jsonb(e), '$.ssn'), JSON_VALUE(to_jsonb(e), '$.x' DEFAULT e.ssn ON EMPTY) FROM hr.employees e
SELECT JSON_VALUE(extra, '$.a ? (@ == $s)' PASSING (SELECT max(ssn) FROM hr.employees) AS s) FROM customers
SELECT jsonb_path_query(extra, '$.a[*] ? (@ == $s)', jsonb_build_object('s', phone)) FROM customers
SELECT format('%s', ssn), concat(ssn, 'x'), concat_ws(',', VARIADIC ARRAY[ssn, name]), quote_literal(ssn), quote_nullable(e) FROM hr.employees e
SELECT overlay(ssn PLACING 'x' FROM 1), translate(ssn, '1', '2'), reverse(ssn), split_part(ssn, '-', 1), left(ssn, 3), trim(both '1' from ssn) FROM hr.employees
SELECT regexp_replace(ssn, '.', 'x'), regexp_matches(ssn, '(.)'), substring(ssn from '..') FROM hr.employees
-- since 15
SELECT regexp_count(ssn, '1'), regexp_like(ssn, '1') FROM hr.employees
SELECT string_to_array(ssn, '-'), (string_to_array(ssn, '-'))[1], array_to_string(ARRAY[ssn], '') FROM hr.employees
SELECT encode(ssn::bytea, 'hex'), convert_to(ssn, 'UTF8'), ssn::bytea, ssn::varchar(3), ssn::char, ssn::name FROM hr.employees
SELECT to_tsvector(ssn), ts_headline(ssn, to_tsquery('x')), ssn::tsvector FROM hr.employees
SELECT min(ssn), max(e.ssn || ''), string_agg(ssn, ','), array_agg(ssn), concatenated(ssn) FROM hr.employees e
-- since 16
SELECT any_value(ssn) FROM hr.employees
SELECT lag(ssn) OVER (), lead(ssn, 2, 'x') OVER (ORDER BY id), nth_value(ssn, 2) OVER (), max(ssn) OVER (PARTITION BY id) FROM hr.employees
SELECT label FROM v_renamed
SELECT band FROM v_case
SELECT doc ->> 'ssn' FROM v_json
SELECT * FROM v_using
SELECT * FROM v_nested
SELECT number FROM v_sub
SELECT path FROM v_chain
SELECT v FROM v_renamed v
SELECT (v).label, label(v) FROM v_renamed v
SELECT * FROM (TABLE v_renamed) s
SELECT secret_of(1), any_of('hr.employees')
SELECT who, pay FROM top_earners(10)
SELECT (top_earners(10)).pay
SELECT doubled(length(ssn)) FROM hr.employees
SELECT tableoid::regclass, ctid, xmin, cmax FROM hr.employees
SELECT p.name FROM people p WHERE p.tableoid = 'patients'::regclass
SELECT * FROM ONLY patients
SELECT mail_domain FROM mailboxes
SELECT m.date, m.user, m.count, user, date(now()) FROM mailboxes m
SELECT count(m), count FROM mailboxes m GROUP BY count
SELECT date(m), count(m.*) FROM mailboxes m GROUP BY m.*
SELECT (home).street, (c.home).zip, ((c).home).city, (customers.c).x FROM customers c
SELECT (history[1]).city, history FROM hr.payroll
SELECT h.city FROM hr.payroll p, unnest(p.history) h
SELECT lower(period), upper_inf(period), period && '[2020-01-01,2020-02-01)', since <@ period FROM hr.payroll
SELECT points[1:2], array_length(points, 1), points || 4, 2 = ANY (points), unnest(points) FROM hr.payroll
SELECT note -> 'a', note #>> '{a,b}', note @> '{"a": {}}', note ? 'a', jsonb_pretty(note), note['a']['b'] FROM hr.payroll
SELECT xpath('//a/text()', doc), doc::text, xmlexists('//a' PASSING doc), x.a FROM hr.payroll, XMLTABLE('/r' PASSING doc COLUMNS a int PATH 'a') x
SELECT get_byte(badge, 0), encode(badge, 'base64'), badge || 'x'::bytea FROM hr.payroll
SELECT grade + 1, -grade, grade::text, grade::int::bit(8), NOT active, age(since), since + 1, extract(year from since), feeling::text, feeling > 'sad' FROM hr.payroll
