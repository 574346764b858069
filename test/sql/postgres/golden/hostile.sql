-- what no client sends by accident
SELECT
SELECT FROM hr.employees
SELECT * FROM
SELECT 'unterminated
SELECT 1; ; SELECT ssn FROM hr.employees;
/* nothing */
SELECT ((((((((((((((((((((ssn)))))))))))))))))))) FROM hr.employees
SELECT NOT NOT NOT NOT ssn IS NULL FROM hr.employees
SELECT 1 + + + - - length(ssn) FROM hr.employees
SELECT x.* FROM x
SELECT ssn FROM hr.employees, hr.payroll, hr.employees
SELECT ssn FROM hr.employees a, hr.employees b
SELECT a.*, a.* FROM hr.employees a
SELECT (SELECT (SELECT (SELECT ssn))) FROM hr.employees
SELECT * FROM hr.employees a NATURAL JOIN hr.employees b NATURAL JOIN hr.employees c
SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM hr.employees) a) b) c
SELECT $1, $2, $1 FROM hr.employees WHERE ssn = $3
SELECT * FROM hr.employees WHERE ssn = $65535
WITH RECURSIVE r AS (SELECT * FROM r) SELECT * FROM r
WITH a AS (SELECT * FROM b), b AS (SELECT ssn FROM hr.employees) SELECT * FROM a
WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a
SELECT * FROM hr.employees AS e(a, b, c, d, e, f, g, h, i, j)
SELECT ssn FROM hr.employees LIMIT NULL OFFSET NULL
SELECT ssn FROM hr.employees ORDER BY 99
SELECT ssn FROM hr.employees ORDER BY -1, 'x', NULL
SELECT * FROM hr.employees JOIN hr.payroll USING (nothing)
INSERT INTO hr.employees VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9)
INSERT INTO hr.employees (id, id) VALUES (1, 1)
INSERT INTO hr.employees (nothing) VALUES (1)
UPDATE hr.employees SET nothing = 1
UPDATE hr.employees SET id = 1, id = 2
UPDATE nothing SET x = (SELECT ssn FROM hr.employees LIMIT 1)
DELETE FROM pg_class
UPDATE pg_authid SET rolpassword = 'x'
INSERT INTO pg_statistic SELECT * FROM pg_statistic
DELETE FROM v_totals
TRUNCATE nothing
EXPLAIN EXPLAIN SELECT 1
PREPARE p AS PREPARE q AS SELECT 1
COPY (COPY hr.employees TO STDOUT) TO STDOUT
SELECT 1 WHERE CURRENT OF c
SELECT DEFAULT
SELECT ssn INTO STRICT x FROM hr.employees
CREATE TABLE pg_catalog.evil (x int)
CREATE FUNCTION pg_catalog.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM hr.employees'
SELECT * FROM hr.employees FOR UPDATE OF nothing
SELECT E'\000' FROM hr.employees
SELECT '\x' || ssn FROM hr.employees
