-- session and transaction
BEGIN; SAVEPOINT a; ROLLBACK TO a; RELEASE a; COMMIT
START TRANSACTION READ ONLY; ROLLBACK; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'
SET search_path TO app, public; SELECT * FROM customers
SET search_path TO 'app, public'; SELECT * FROM customers
SET LOCAL statement_timeout = '1s'
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SET ROLE admin; SELECT * FROM customers
SET SESSION AUTHORIZATION DEFAULT; RESET ALL; RESET search_path; SET TIME ZONE 'UTC'
SHOW search_path; SHOW ALL
DISCARD ALL; DISCARD TEMP
LISTEN x; NOTIFY x, 'payload'; UNLISTEN *; SET CONSTRAINTS ALL DEFERRED; LOCK TABLE customers IN SHARE MODE
DEALLOCATE ALL
SET LOCAL work_mem TO DEFAULT
SELECT set_config(name, 'view', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
SELECT set_config(name, 'view', false) FROM pg_settings WHERE name <> 'restrict_nonsystem_relation_kind'
