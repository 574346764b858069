-- code, definitions, rights, maintenance
DO $$ BEGIN DELETE FROM orders; END $$
CALL cleanup()
LOAD 'evil'
CREATE TABLE t (id int PRIMARY KEY, c int REFERENCES customers, x text DEFAULT peek(1))
CREATE TEMP TABLE customers (id int); SELECT * FROM customers
CREATE VIEW nv AS SELECT email FROM customers
CREATE INDEX ON customers (lower(email)) WHERE phone IS NOT NULL
CREATE INDEX ON customers (peek(id))
ALTER TABLE customers ADD COLUMN x text, ALTER COLUMN name TYPE text USING lower(email)
ALTER TABLE customers RENAME TO clients; SELECT * FROM clients
DROP TABLE customers, orders CASCADE
DROP FUNCTION peek(int)
COMMENT ON COLUMN customers.email IS 'x'
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'
CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'evil', 'f'
CREATE RULE r AS ON INSERT TO people DO ALSO INSERT INTO app.log (note) SELECT ssn FROM hr.employees
CREATE TRIGGER t AFTER INSERT ON people EXECUTE FUNCTION stamp()
CREATE EXTENSION dblink
CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw
ALTER SYSTEM SET archive_command = 'evil'
GRANT SELECT ON customers TO PUBLIC
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM x
GRANT admin TO agent
CREATE ROLE x PASSWORD 'y'
ALTER ROLE x SET search_path = evil
VACUUM FULL customers
ANALYZE customers
REINDEX TABLE customers; CLUSTER customers; CHECKPOINT; REFRESH MATERIALIZED VIEW m_employees
