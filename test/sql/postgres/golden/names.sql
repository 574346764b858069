-- names that read like one thing and mean another
SELECT U&"\0073sn" FROM hr.employees
SELECT "ssn" FROM "hr"."employees"
SELECT U&"d\0061t\+000061" FROM (SELECT ssn AS data FROM hr.employees) s
SELECT U&"!0073sn" UESCAPE '!' FROM hr.employees
SELECT SSN FROM HR.Employees
SELECT "SSN" FROM hr.employees
SELECT ssn FROM postgres.hr.employees
SELECT hr.employees.ssn FROM hr.employees
SELECT employees.ssn FROM hr.employees
SELECT hr.employees.ssn FROM hr.employees AS employees
SELECT e.ssn FROM hr.employees, LATERAL (SELECT employees.ssn) e
SELECT "Straße", "a""b", " " FROM "Größe"
SELECT g."Straße" AS "a""b" FROM "Größe" g
SELECT größe.id FROM "Größe"
SELECT U&"Stra\00DFe" FROM U&"Gr\00F6\00DFe"
SELECT "user", "date", mailboxes.count FROM mailboxes
SELECT user FROM mailboxes
SELECT a_very_long_alias_that_goes_on_and_on_past_the_limit_of_sixty_three_bytes.ssn FROM hr.employees AS a_very_long_alias_that_goes_on_and_on_past_the_limit_of_sixty_three_characters
SELECT s.a_very_long_alias_that_goes_on_and_on_past_the_limit_of_sixty_three FROM (SELECT ssn AS a_very_long_alias_that_goes_on_and_on_past_the_limit_of_sixty_three_bytes FROM hr.employees) s
SELECT ssn/**/FROM/*x*/hr.employees--'
SELECT $$ssn$$, $x$ssn$x$, E'\x73sn', U&'\0073sn' FROM hr.employees
SELECT 'hr.employees'::regclass, 'hr.employees'::regclass::oid, 'secret_of'::regproc
SELECT customers.email FROM app.customers
SELECT public.customers.email FROM app.customers, public.customers
SELECT customers.* FROM public.customers, app.customers AS customers2
SELECT lower FROM (SELECT ssn AS lower FROM hr.employees) s
SELECT s.lower, lower(s) FROM (SELECT ssn AS lower FROM hr.employees) s
SELECT count, "count" FROM (SELECT ssn AS count FROM hr.employees) s
SELECT s FROM (SELECT ssn AS s FROM hr.employees) s
SELECT s.s FROM (SELECT ssn AS s FROM hr.employees) s
SELECT t FROM (SELECT ssn AS s FROM hr.employees) t
SELECT current_date FROM (SELECT ssn AS "current_date" FROM hr.employees) s
SELECT "current_user", current_user FROM (SELECT ssn AS "current_user" FROM hr.employees) s
SELECT tableoid FROM (SELECT ssn AS tableoid FROM hr.employees) s
SELECT c.xmin FROM (SELECT ssn AS xmin FROM hr.employees) c
SELECT a.b.c FROM hr.employees a
SELECT pg_catalog.lower(ssn), pg_catalog."substring"(ssn, 1, 1) FROM hr.employees
SELECT ssn OPERATOR(pg_catalog.||) 'x' FROM hr.employees
SELECT pg_catalog.int4(salary), text(ssn), pg_catalog.date(ssn), bool(1) FROM hr.employees
SELECT left(ssn => 'x', n => 1), make_interval(days => length(ssn)) FROM hr.employees
