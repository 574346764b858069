-- views and inheritance
SELECT * FROM v_customers
SELECT contact_lower FROM v_customers WHERE contact = 'x'
SELECT * FROM v_contacts
SELECT top, n FROM v_totals
SELECT name FROM v_union
SELECT ssn FROM m_employees
SELECT name FROM people
SELECT name, diagnosis FROM patients
SELECT payload FROM events
SELECT payload FROM events_2025
SELECT name FROM customers TABLESAMPLE system (10)
DROP VIEW v_filtered
DROP VIEW IF EXISTS v_window, v_barrier CASCADE
DROP MATERIALIZED VIEW m_employees
ALTER VIEW v_filtered RENAME TO v_other
ALTER VIEW v_filtered RENAME COLUMN name TO label
ALTER VIEW v_filtered ALTER name SET DEFAULT 'x'
ALTER VIEW v_filtered SET SCHEMA app
COMMENT ON VIEW v_filtered IS 'some'
GRANT SELECT ON v_filtered TO public
CREATE OR REPLACE VIEW v_filtered AS SELECT id, name FROM hr.employees
CREATE INDEX ON m_employees (salary)
