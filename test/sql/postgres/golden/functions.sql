-- functions
SELECT peek(1)
SELECT lower(name), lower(feeling) FROM stamped, people
SELECT feeling === 'x', note = 'x' FROM stamped
SELECT * FROM find(1)
SELECT f.email FROM find(1) f
SELECT * FROM pairs(1)
SELECT b FROM pairs(1) AS p(x, b)
SELECT * FROM generate_series(1, 3) AS g
SELECT g FROM generate_series(1, (SELECT max(id) FROM customers)) g
SELECT u.x, u.n FROM customers c, unnest(c.tags) WITH ORDINALITY AS u(x, n)
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS t(a, b)
SELECT * FROM customers c, jsonb_each_text(c.extra)
SELECT k.value FROM customers c, jsonb_array_elements(c.extra) k
SELECT * FROM jsonb_to_record('{"a":1}') AS r(a int, b text)
SELECT * FROM ROWS FROM (generate_series(1, 2), pairs(1)) AS t(a, b, c)
SELECT * FROM jsonb_populate_record(NULL::customers, '{"id": 1}')
SELECT x.* FROM customers c, XMLTABLE('/r' PASSING (c.name::xml) COLUMNS a text PATH 'a', n FOR ORDINALITY) x
SELECT jt.* FROM customers c, JSON_TABLE(c.extra, '$' COLUMNS (a int PATH '$.a', NESTED PATH '$.b' COLUMNS (d text PATH '$.d'))) jt
SELECT query_to_xml('select ssn from hr.employees', true, true, '')
SELECT pg_read_file('/etc/passwd'), pg_ls_dir('.')
SELECT lo_import('/etc/passwd'), lo_get(1)
SELECT set_config('search_path', 'evil', false)
SELECT nextval('numbers'), setval('numbers', 5), currval('numbers')
SELECT pg_sleep(0), random(), gen_random_uuid(), clock_timestamp()
SELECT pg_terminate_backend(1)
SELECT no_such_function(email) FROM customers
SELECT * FROM no_such_table
SELECT no_such_column FROM customers
SELECT c.no_such_column FROM customers c
