// What the generated statements are made over: the rich schema and more of its difficult corners, with a few rows in each table.
import { schemaSql } from "../schema.ts";

export const wideSql = `
${schemaSql}
CREATE SCHEMA lab;
CREATE TYPE lab.point3 AS (x int, y int, label text);
CREATE TYPE lab.pair AS (first lab.point3, second text);
CREATE DOMAIN public.handle AS text;
CREATE DOMAIN lab.spot AS lab.point3;
CREATE TYPE lab.span AS RANGE (subtype = float8);
CREATE TABLE public.shapes (
  id int PRIMARY KEY, name text, corner lab.point3, corners lab.point3[], deep lab.pair, spot lab.spot, span int4range, wide lab.span,
  feel public.mood, feels public.mood[], handle public.handle, rank public.positive, doc json, docb jsonb, amount numeric,
  twice numeric GENERATED ALWAYS AS (amount * 2) STORED, shout text GENERATED ALWAYS AS (upper(name)) STORED, matrix int[][], score float8,
  day date, stay interval, flag bool, note xml, raw bytea);
CREATE TABLE public.shape (shape text, name text, id int);
CREATE TABLE public.c (c text, id int, email text);
CREATE TABLE public.t (s text, t int, customers text);
CREATE TABLE lab.orders (id int, total text, customer_id int, lab text);
CREATE TABLE lab.lab (lab int, orders text);
CREATE TABLE lab."Ünï ""q""" ("a b" text, "É" int, "x.y" text, "select" jsonb);
CREATE TABLE public.vehicles (id int, plate text);
CREATE TABLE public.cars (doors int) INHERITS (public.vehicles);
CREATE TABLE public.taxis (driver text) INHERITS (public.cars);
CREATE TABLE lab.readings (region text, at date, reading int) PARTITION BY LIST (region);
CREATE TABLE lab.readings_n PARTITION OF lab.readings FOR VALUES IN ('n') PARTITION BY RANGE (at);
CREATE TABLE lab.readings_n1 PARTITION OF lab.readings_n DEFAULT;
CREATE TABLE lab.readings_x PARTITION OF lab.readings DEFAULT;
CREATE TABLE lab.ledger (id int PRIMARY KEY, kind text, amount int, memo text, meta jsonb, tags text[]);
CREATE VIEW lab.v_deep AS SELECT w.contact AS who, w.total, l.lab FROM public.v_contacts w LEFT JOIN lab.orders l ON l.customer_id = 1;
CREATE VIEW lab.v_cte AS WITH a AS (SELECT id, email FROM public.customers), b AS (SELECT a.id AS k, a.email FROM a WHERE a.email IS NOT NULL) SELECT b.k, b.email, x.n FROM b, LATERAL (SELECT count(*) AS n FROM public.orders o WHERE o.customer_id = b.k) x;
CREATE VIEW lab.v_tree AS WITH RECURSIVE r(id, boss, path) AS (SELECT e.id, e.manager_id, e.name FROM hr.employees e UNION ALL SELECT e.id, r.boss, r.path || e.name FROM r JOIN hr.employees e ON e.manager_id = r.id WHERE r.boss IS NOT NULL) SELECT id, boss, path FROM r;
CREATE VIEW lab.v_join AS SELECT * FROM public.shape JOIN public.c USING (id) LEFT JOIN lab.lab ON lab.lab = id;
CREATE VIEW lab.v_rows AS SELECT s.corner, (s.corner).label, s.corners[1] AS one, s AS shape, u.x FROM public.shapes s LEFT JOIN LATERAL unnest(s.corners) u ON true;
CREATE VIEW lab.v_window AS SELECT id, sum(total) OVER w AS running, rank() OVER w AS place FROM public.orders WINDOW w AS (PARTITION BY customer_id ORDER BY placed_at);
CREATE VIEW lab.v_const AS SELECT 1 AS one, 'x'::text AS two, email FROM public.c;
CREATE VIEW lab.v_all AS TABLE lab.v_deep UNION ALL SELECT two, one::numeric, email FROM lab.v_const;
CREATE VIEW lab.name AS SELECT id AS name, name AS id FROM public.people;
CREATE MATERIALIZED VIEW lab.m_deep AS SELECT * FROM lab.v_deep;
CREATE FUNCTION public.status(c public.customers) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT c.city';
CREATE FUNCTION public.plate(o public.orders) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT o.customer_id';
CREATE FUNCTION public.name(s public.shapes) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION lab.points(n int) RETURNS SETOF lab.point3 LANGUAGE sql STABLE AS 'SELECT (1, n, ''p'')::lab.point3';
CREATE FUNCTION lab.table_of(n int) RETURNS TABLE (k int, v text) LANGUAGE sql STABLE AS 'SELECT id, name FROM public.people WHERE id > n';
CREATE FUNCTION lab.anything(n int) RETURNS SETOF record LANGUAGE sql STABLE AS 'SELECT n, ''a''::text';
CREATE FUNCTION lab.same(a anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT a';
TRUNCATE public.customers, public.orders, hr.employees CASCADE;
INSERT INTO public.customers (id, name, email, phone, city, created_at, home, tags, extra) VALUES
  (1, 'Ada', 'ada@a.org', '111', 'London', '2024-01-01', ('s', 'London', 'z'), '{a,b}', '{"a": 1, "b": {"c": [1, 2]}}'),
  (2, 'Bo', 'bo@b.org', NULL, NULL, '2025-02-02', NULL, '{}', '[1, 2]'), (3, 'Cy', NULL, '333', 'Paris', NULL, ('t', NULL, 'y'), NULL, NULL);
INSERT INTO public.orders VALUES (1, 1, '2025-01-01', 'open', 10), (2, 1, '2025-01-02', 'paid', 20), (3, 2, '2025-01-03', 'open', 30);
INSERT INTO public.products VALUES (1, 'k', 'Key', 3), (2, 'l', 'Lock', 4);
INSERT INTO public.order_items VALUES (1, 1, 2, 3), (1, 2, 1, 4), (2, 1, 5, 3);
INSERT INTO hr.employees VALUES (1, 'Bob', 'boss', 'bob@a.org', '123', 100, NULL), (2, 'Ada', 'dev', 'ada@a.org', '456', 50, 1), (3, 'Eve', NULL, NULL, '789', 70, 1);
INSERT INTO app.log (note) VALUES ('one'), ('two');
INSERT INTO app.customers VALUES (1, 'A'), (2, 'B');
INSERT INTO public.people VALUES (1, 'P'), (2, 'Ada');
INSERT INTO public.patients VALUES (3, 'Q', 'flu');
INSERT INTO public.events VALUES (1, '2025-03-03', 'p'), (2, '2025-04-04', 'q');
INSERT INTO public."Odd Name" VALUES (1, 'o@o.org', 's'), (2, 'o2@o.org', 't');
INSERT INTO public.stamped VALUES (1, 'n', 'ok'), (2, 'm', 'sad');
INSERT INTO public.shapes (id, name, corner, corners, deep, spot, span, wide, feel, feels, handle, rank, doc, docb, amount, matrix, score, day, stay, flag, note, raw) VALUES
  (1, 'sq', (1, 2, 'a'), ARRAY[(3, 4, 'b'), (5, 6, 'c')]::lab.point3[], ((7, 8, 'd'), 'e'), (1, 1, 'z'), '[1,5)', '[1,2)', 'ok', '{sad,ok}', 'h1', 1, '{"a": "x"}', '{"a": "y", "b": [1, 2]}', 5, '{{1,2},{3,4}}', 1.5, '2025-05-05', '1 day', true, '<a>1</a>', 'r'),
  (2, 'ci', NULL, '{}', NULL, NULL, '[2,3)', NULL, 'sad', NULL, 'h2', 2, '[1]', '{"a": null}', 6, NULL, 2.5, '2024-05-05', '2 days', false, '<b/>', 's');
INSERT INTO public.shape VALUES ('sh', 'Ada', 1), ('st', 'n2', 2);
INSERT INTO public.c VALUES ('cc', 1, 'c@c.org'), ('cd', 2, 'ada@a.org');
INSERT INTO public.t VALUES ('ts', 1, 'tc'), ('tt', 2, 'td');
INSERT INTO lab.orders VALUES (1, 'x', 1, 'l1'), (2, 'y', 1, 'l2');
INSERT INTO lab.lab VALUES (1, 'o1'), (2, 'o2');
INSERT INTO lab."Ünï ""q""" VALUES ('u1', 1, 'v1', '{"k": 1}'), ('u2', 2, 'v2', '[]');
INSERT INTO public.vehicles VALUES (1, 'v');
INSERT INTO public.cars VALUES (2, 'w', 4);
INSERT INTO public.taxis VALUES (3, 'x', 5, 'Tom');
INSERT INTO lab.readings VALUES ('n', '2025-01-01', 5), ('s', '2025-02-01', 6);
INSERT INTO lab.ledger VALUES (1, 'in', 5, 'm', '{"a": 1}', '{p,q}'), (2, 'out', 6, NULL, NULL, NULL);
REFRESH MATERIALIZED VIEW public.m_employees;
REFRESH MATERIALIZED VIEW lab.m_deep;
`;
