-- statements about statements
EXPLAIN SELECT email FROM customers WHERE phone = 'x'
EXPLAIN ANALYZE DELETE FROM orders
EXPLAIN (ANALYZE false, VERBOSE) DELETE FROM orders
EXPLAIN (ANALYZE) UPDATE orders SET status = 'x' WHERE id = 1
PREPARE p AS DELETE FROM orders WHERE id = $1; EXECUTE p(1)
PREPARE q(int) AS SELECT email FROM customers WHERE id = $1; EXPLAIN ANALYZE EXECUTE q(1); EXECUTE q(2); DEALLOCATE q; EXECUTE q(3)
EXECUTE unknown_statement(1)
DECLARE cur CURSOR FOR SELECT email FROM customers; FETCH 5 FROM cur; MOVE cur; CLOSE cur
FETCH ALL FROM unknown_cursor
CREATE TABLE copy AS SELECT ssn FROM hr.employees
SELECT ssn INTO TEMP copy FROM hr.employees
CREATE MATERIALIZED VIEW mv AS SELECT email FROM customers
