// Statements over protected columns, rewritten to see them masked: by construct, on two databases whose protected cells differ.
import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import test from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { substitute } from "../../../src/sql/postgres/substitute.ts";
import {
  assertConfirmed,
  assertMasked,
  assertSame,
  outcome,
  replacementsFor,
  rewritten,
  startTwins,
} from "./substitute-support.ts";
import { SCOPE } from "./support.ts";

const SETUP = `
CREATE SCHEMA hr;
CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN public.code AS varchar(12) CHECK (VALUE <> '[redacted]');
CREATE TABLE public.person (
  id int PRIMARY KEY, name varchar(20) NOT NULL, email text UNIQUE, phone char(12), salary numeric(10,2), born date, city text,
  feeling public.mood, tags text[], extra jsonb, secret public.code, "Odd ""Name" text);
CREATE TABLE public.orders (id int PRIMARY KEY, person_id int REFERENCES public.person, total numeric, placed timestamptz);
CREATE TABLE hr.person (id int PRIMARY KEY, label text);
CREATE TABLE public.papers (id int PRIMARY KEY, name text, doc json);
CREATE TABLE public.copies (id int, value text);
CREATE TABLE public.animal (id int PRIMARY KEY, name text);
CREATE TABLE public.dog (breed text) INHERITS (public.animal);
CREATE TABLE public.event (id int, at date, payload text) PARTITION BY RANGE (at);
CREATE TABLE public.event_2025 PARTITION OF public.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE public.generated (id int, mail text, host text GENERATED ALWAYS AS (split_part(mail, '@', 2)) STORED, city text);
CREATE VIEW public.contacts AS SELECT id, name, email AS contact, lower(email) AS lowered, city FROM public.person WHERE city IS NOT NULL;
CREATE VIEW public.rich AS SELECT id, city FROM public.person WHERE salary > 1000;
CREATE VIEW public.richer (n, total) AS SELECT p.name, sum(o.total) FROM public.rich r JOIN public.orders o ON o.person_id = r.id JOIN public.person p ON p.id = r.id GROUP BY p.id;
CREATE VIEW public.standing AS SELECT id, rank() OVER (ORDER BY salary) AS place, tableoid::regclass AS kept_in FROM public.person ORDER BY name, id;
CREATE VIEW public.of_rich AS SELECT o.id FROM public.orders o WHERE EXISTS (SELECT 1 FROM public.person p WHERE p.id = o.person_id AND p.salary > 5);
CREATE VIEW public.namesakes AS SELECT x.id, y.city FROM public.person x JOIN public.person y USING (name) WHERE x.id < y.id;
CREATE VIEW public.firsts AS SELECT DISTINCT ON (city) city, id FROM public.person ORDER BY city, salary, id LIMIT 5;
CREATE MATERIALIZED VIEW public.rich_kept AS SELECT id FROM public.person WHERE salary > 1000;
CREATE FUNCTION public.greeting(p public.person) RETURNS text LANGUAGE sql AS 'SELECT p.email';
CREATE FUNCTION public.mail_of(n int) RETURNS text LANGUAGE sql STABLE AS 'SELECT upper(email) FROM public.person WHERE id = n';
INSERT INTO public.person SELECT n, 'name ' || n, 'user' || n || '@example.com', '555-010' || n, 1000 * n, date '1980-01-31' + 400 * n,
  CASE n % 3 WHEN 0 THEN 'Oslo' WHEN 1 THEN 'Bergen' END, 'ok', ARRAY['a' || n, 'b'], '{"a": 1}', 'code' || n, 'odd' || n FROM generate_series(1, 9) n;
INSERT INTO public.orders SELECT n, n % 9 + 1, 10 * n, '2025-01-01 10:00+00'::timestamptz + n * interval '1 day' FROM generate_series(1, 30) n;
INSERT INTO hr.person SELECT n, 'label' || n FROM generate_series(1, 3) n;
INSERT INTO public.animal VALUES (1, 'cat');
INSERT INTO public.dog VALUES (2, 'rex', 'collie');
INSERT INTO public.event VALUES (1, '2025-05-05', 'payload');
INSERT INTO public.generated (id, mail, city) VALUES (1, 'x@example.org', 'Oslo');
`;
const DIFFER = `
UPDATE public.person SET name = 'other' || id, email = id || 'x@example.com', phone = '666-' || id, salary = 1000 * (id % 4) + 500,
  born = '1970-05-05', feeling = 'sad', tags = '{x,y,z}', extra = '[1,2]', secret = 'zzz', "Odd ""Name" = 'even';
UPDATE public.animal SET name = 'puma'; UPDATE public.dog SET name = 'bello';
UPDATE public.event SET payload = 'other'; UPDATE public.generated SET mail = 'y@example.net';`;
const TAGS = {
  ...Object.fromEntries(
    ["name", "email", "phone", "salary", "born", "feeling", "tags", "extra", "secret", 'Odd "Name'].map((column) => [
      `public.person."${column.replaceAll('"', '""')}"`,
      ["pii"],
    ]),
  ),
  "public.animal.name": ["pii"],
  "public.papers.name": ["pii"],
  "public.event.payload": ["pii"],
  "public.generated.mail": ["pii"],
};
const twins = await startTwins(SETUP, DIFFER, TAGS);
const { catalog } = twins;

/** What each statement needs beside SELECT is shown by its name. */
const PASSING: { readonly [construct: string]: readonly string[] } = {
  expressions: [
    "SELECT upper(name), length(email), salary * 2, born + 1, feeling::text, secret || 'x', \"Odd \"\"Name\" || 'y' FROM person",
    "SELECT id, name, city FROM person WHERE name LIKE 'n%' OR email > 'm' ORDER BY name, id",
    "SELECT coalesce(phone, 'none'), nullif(name, 'x'), CASE WHEN salary > 2000 THEN 'rich' ELSE 'poor' END, (1 / (salary::int + 1)) FROM person",
    "SELECT extra->>'a', tags[1], cardinality(tags), extra @> '{}' FROM person ORDER BY id",
  ],
  aliases: [
    "SELECT p.name || 'x', p.id FROM person p",
    "SELECT person.name || 'x' FROM person",
    "SELECT a || 'x', b FROM person AS p (a, b)",
    "SELECT p.one, p.two || '!' FROM public.person p (one, two) WHERE p.two > 'a'",
    "SELECT public.person.name || 'x', public.person.city FROM public.person WHERE public.person.salary > 1",
    "SELECT public.person.*, upper(name) FROM public.person",
    'SELECT "P".name || 1 FROM "public"."person" AS "P"',
    'SELECT U&"p\\0065rson".name || \'x\' FROM U&"p\\0065rson"',
    "SELECT x.name || 'x' FROM person /* a -- comment */ AS -- another\n x",
  ],
  stars: [
    "SELECT *, upper(name) FROM person",
    "SELECT p.*, o.*, upper(p.name) FROM person p JOIN orders o ON o.person_id = p.id ORDER BY o.id",
    "SELECT upper(name), count(*) OVER (PARTITION BY name), p FROM person p",
    "SELECT (p).name || 'x', to_jsonb(p), p IS NULL, row(p.*) FROM person p",
    "TABLE person ORDER BY name",
    "SELECT id FROM (TABLE ONLY person ORDER BY salary) x",
    "TABLE animal UNION ALL SELECT 0, max(name) FROM animal ORDER BY 1, 2",
    "(TABLE animal UNION (TABLE ONLY public.animal EXCEPT TABLE animal)) ORDER BY 1",
  ],
  joins: [
    "SELECT o.id, p.name FROM orders o LEFT JOIN person p ON p.id = o.person_id AND p.salary > 10 ORDER BY o.id",
    "SELECT x.id FROM person x JOIN person y USING (email) ORDER BY 1",
    "SELECT id FROM person NATURAL JOIN (SELECT id, name FROM person) z ORDER BY id",
    "SELECT p.id, l.total FROM person p, LATERAL (SELECT max(total) AS total FROM orders WHERE person_id = p.id AND p.name > '') l ORDER BY 1",
    "SELECT p.id, t FROM person p CROSS JOIN LATERAL unnest(p.tags) t ORDER BY 1, 2",
    "SELECT count(*) FROM person p FULL JOIN orders o ON o.id = p.salary",
    "SELECT a.id, b.label FROM public.person a, hr.person b WHERE a.id = b.id AND a.name <> b.label",
  ],
  "sub-selects and WITH": [
    "SELECT id FROM orders WHERE person_id IN (SELECT id FROM person WHERE salary > 10) ORDER BY 1",
    "SELECT (SELECT upper(name) FROM person p WHERE p.id = o.person_id) FROM orders o ORDER BY o.id",
    "SELECT EXISTS (SELECT FROM person WHERE email LIKE '%x%'), ARRAY(SELECT salary FROM person ORDER BY id)",
    "WITH x AS (SELECT name, salary FROM person) SELECT upper(name), sum(salary) FROM x GROUP BY 1",
    "WITH person AS (SELECT 1 AS id) SELECT id FROM person UNION ALL SELECT length(name) FROM public.person",
    "WITH RECURSIVE r AS (SELECT id, name::text FROM person WHERE id = 1 UNION ALL SELECT p.id, p.name || r.name FROM person p JOIN r ON p.id = r.id + 1) SELECT id, length(name) FROM r ORDER BY 1",
    "WITH a AS MATERIALIZED (SELECT max(born) AS m FROM person), b AS NOT MATERIALIZED (SELECT m FROM a) SELECT extract(year FROM m) FROM b",
    "SELECT name FROM person WHERE id < 3 UNION SELECT city FROM person EXCEPT (SELECT email FROM person INTERSECT SELECT 'x') ORDER BY 1",
  ],
  "aggregates and windows": [
    "SELECT name, count(*), max(email), sum(salary), string_agg(phone, ',' ORDER BY salary) FROM person GROUP BY name HAVING min(salary) > 0 ORDER BY name",
    "SELECT city, avg(salary), percentile_cont(0.5) WITHIN GROUP (ORDER BY salary::float8) FROM person GROUP BY GROUPING SETS ((city), ()) ORDER BY city",
    "SELECT id, rank() OVER w, lag(name) OVER w FROM person WINDOW w AS (PARTITION BY born ORDER BY salary, id) ORDER BY id",
    "SELECT DISTINCT ON (name) name, city FROM person ORDER BY name, salary, id",
    "SELECT DISTINCT email, salary FROM person",
    "SELECT id FROM person ORDER BY salary DESC, id FETCH FIRST 3 ROWS WITH TIES",
  ],
  "system columns": [
    "SELECT tableoid::regclass, upper(name) FROM person WHERE ctid IS NOT NULL ORDER BY id",
    "SELECT p.tableoid, o.*, upper(p.name) FROM person p JOIN orders o ON o.person_id = p.id WHERE p.xmin IS NOT NULL ORDER BY o.id",
    "SELECT public.person.tableoid, public.person.name || 'x' FROM public.person",
    "SELECT tableoid::regclass, count(*), max(upper(name)) FROM animal GROUP BY 1 ORDER BY 1",
    "SELECT tableoid::regclass, upper(payload) FROM event",
    "SELECT x.* FROM (SELECT tableoid AS t, cmin IS NULL, upper(b) FROM person p (a, b)) x",
    "SELECT o.tableoid, (SELECT upper(name) FROM person p WHERE p.id = o.person_id AND p.tableoid <> o.tableoid) FROM orders o ORDER BY o.id",
  ],
  "groups by a key": [
    "SELECT p.*, count(o.id) FROM person p LEFT JOIN orders o ON o.person_id = p.id GROUP BY p.id ORDER BY p.id",
    "SELECT id, name, upper(email), max(salary) FROM person GROUP BY id HAVING salary > 0 OR salary IS NULL ORDER BY born, id",
    "SELECT p.id AS key, p.city, sum(o.total) AS total FROM public.person p JOIN orders o ON o.person_id = p.id AND p.name > '' GROUP BY 1 ORDER BY total, key",
    "SELECT public.person.city, count(*) FROM public.person GROUP BY public.person.id, upper(public.person.name) ORDER BY public.person.id",
    "SELECT a.name, b.name, count(*) FROM person a JOIN person b ON b.id = a.id + 1 GROUP BY a.id, b.id ORDER BY a.id",
    "SELECT key, one, count(*) FROM person AS p (key, one) GROUP BY key ORDER BY key",
    "SELECT id, city FROM person GROUP BY ((id)) ORDER BY id",
    "SELECT id, rank() OVER w FROM person WHERE email > '' GROUP BY id WINDOW w AS (PARTITION BY city ORDER BY name, id) ORDER BY id",
    "SELECT p.id, (SELECT count(*) FROM orders o WHERE o.person_id = p.id AND p.city > '') FROM person p GROUP BY p.id ORDER BY 1",
    "SELECT id, (SELECT max(o.total) || name FROM orders o) FROM person GROUP BY id HAVING EXISTS (SELECT * FROM orders WHERE length(city) > 1) ORDER BY 1",
    "SELECT p.id, (SELECT d.doc FROM papers d WHERE d.id = p.id) FROM papers p WHERE name > '' GROUP BY p.id ORDER BY 1",
    "SELECT id, city FROM person WHERE email > '' GROUP BY id UNION ALL SELECT 0, 'x' UNION SELECT id, name FROM person GROUP BY id ORDER BY 1, 2",
  ],
  samples: [
    "SELECT count(*), max(name) FROM person TABLESAMPLE system (100)",
    "SELECT p.id, p.name || 'x' FROM ONLY (person) AS p TABLESAMPLE pg_catalog.bernoulli (100) REPEATABLE (3) ORDER BY 1",
  ],
  "inheritance and partitions": [
    "SELECT upper(name) FROM animal ORDER BY id",
    "SELECT upper(name) FROM ONLY animal",
    "SELECT name || breed FROM dog",
    "SELECT animal.* FROM animal * WHERE name > ''",
    "SELECT upper(payload) FROM event",
    "SELECT upper(payload), at FROM event_2025 e WHERE e.payload > ''",
  ],
  views: [
    "SELECT upper(contact), lowered || 'x', city FROM contacts ORDER BY id",
    "SELECT c.city FROM contacts c WHERE c.contact > 'a' ORDER BY c.id",
  ],
  "views that are built on masked columns": [
    "SELECT id, city FROM rich ORDER BY id",
    "SELECT r.key FROM public.rich AS r (key) JOIN orders o ON o.person_id = r.key GROUP BY 1 ORDER BY 1",
    "SELECT upper(n), count(*) FROM richer GROUP BY 1",
    "SELECT * FROM standing ORDER BY id",
    "SELECT count(*) FROM standing",
    "SELECT id FROM of_rich ORDER BY id",
    "SELECT n.*, f.id FROM namesakes n JOIN firsts f ON f.city = n.city ORDER BY 1, 2, 3",
    "TABLE richer",
  ],
  writes: [
    "INSERT INTO copies SELECT id, name || email FROM person RETURNING *",
    "WITH moved AS (INSERT INTO copies SELECT id, upper(name) FROM person RETURNING value) SELECT count(DISTINCT value), min(value) FROM moved",
    "UPDATE orders o SET total = p.salary FROM person p WHERE p.id = o.person_id AND p.name > '' RETURNING o.id, o.total",
    "UPDATE orders SET (total, placed) = (SELECT salary, born FROM person WHERE id = 1), person_id = (SELECT id FROM person ORDER BY name, id LIMIT 1) RETURNING total",
    "DELETE FROM orders USING person p WHERE p.id = person_id AND p.salary > 1000 RETURNING orders.id",
    "MERGE INTO copies c USING person p ON c.id = p.id WHEN NOT MATCHED THEN INSERT VALUES (p.id, p.email || 'x')",
    "CREATE TABLE made AS SELECT id, upper(name) AS n FROM person",
    "CREATE MATERIALIZED VIEW made AS SELECT id, upper(name) AS n FROM person WITH NO DATA",
    "SELECT id, upper(name) INTO TEMPORARY made FROM person",
  ],
  utilities: [
    "EXPLAIN (COSTS OFF) SELECT id FROM person WHERE upper(name) = 'X'",
    "PREPARE p1 AS SELECT upper(name) FROM person WHERE email = $1",
    "DECLARE c1 CURSOR FOR SELECT id, upper(name) FROM person ORDER BY salary, id",
  ],
  locks: [
    "SELECT id, upper(name) FROM person FOR UPDATE",
    "SELECT o.id, upper(p.name) FROM orders o JOIN person p ON p.id = o.person_id ORDER BY 1 FOR SHARE OF p SKIP LOCKED",
  ],
  "several statements": [
    "SELECT 1; SELECT upper(name) FROM person /* é */; SELECT 'é', max(salary) FROM person -- end",
    "SELECT 'ü' AS ü, upper(name) FROM person WHERE name <> 'ß'",
  ],
};
const MASKS = {
  name: { mask: "partial", keep_first: 0 },
  email: { mask: "email" },
  salary: { mask: "truncate", step: 100000 },
  born: { mask: "null" },
};
/** Those of MASKS that tell something keep it out of what is compared: lengths and domains of the cells above are not the same. */
const NOTHING_TOLD = {
  name: { mask: "redact" },
  email: { mask: "redact" },
  salary: { mask: "null" },
  born: { mask: "null" },
};

for (const [construct, texts] of Object.entries(PASSING)) {
  test(`rewritten: ${construct}`, async () => {
    for (const text of texts) {
      const result = rewritten(catalog, text, replacementsFor(catalog, text, NOTHING_TOLD));
      assertMasked(result, text);
      await assertConfirmed(twins, result, text);
      const shown = await assertSame(twins, result.text, text);
      assert.ok(Array.isArray(shown), `${text}: ${JSON.stringify(shown)}`);
      const other = rewritten(catalog, text, replacementsFor(catalog, text, MASKS));
      assertMasked(other, text);
      assert.ok(Array.isArray(await outcomeOf(other.text)), text);
    }
  });
}

async function outcomeOf(text: string): Promise<unknown> {
  await twins.left.query("BEGIN");
  const shown = await outcome(twins.left, text);
  await twins.left.query("ROLLBACK; DEALLOCATE ALL");
  return shown;
}

test("rewritten: COPY … TO STDOUT", async () => {
  for (const text of [
    "COPY person TO STDOUT",
    'COPY public.person ("Odd ""Name", id, email) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE (email))',
    "COPY (SELECT id, upper(name) FROM person ORDER BY salary, id) TO STDOUT",
    "COPY generated TO STDOUT WITH DELIMITER ';'",
    "COPY animal (name) TO STDOUT",
  ]) {
    const result = rewritten(catalog, text, replacementsFor(catalog, text, NOTHING_TOLD));
    assertMasked(result, text);
    const copied: string[] = [];
    for (const client of [twins.left, twins.right]) {
      const rows: string[] = [];
      const { connection } = client as unknown as { connection: EventEmitter };
      const keep = ({ chunk }: { chunk: Buffer }): void => void rows.push(chunk.toString());
      connection.on("copyData", keep);
      await client.query(result.text);
      connection.off("copyData", keep);
      copied.push(rows.join(""));
    }
    assert.equal(copied[0], copied[1], text);
    assert.match(copied[0]!, /\[redacted\]/i, text);
  }
});

test("parameters keep their numbers and types", async () => {
  const text =
    "SELECT upper(name) FROM person WHERE salary > $2 AND name = $1 AND born < $3 AND feeling = $4 AND secret = $5";
  const result = rewritten(catalog, text, replacementsFor(catalog, text, MASKS));
  const types = async (name: string, statement: string): Promise<unknown> => {
    await twins.left.query(`PREPARE ${name} AS ${statement}`);
    const known = "SELECT parameter_types::text FROM pg_prepared_statements WHERE name = $1";
    return (await twins.left.query(known, [name])).rows[0].parameter_types;
  };
  assert.equal(await types("rewritten", result.text), await types("original", text));
});

test("names are found as the server finds them", () => {
  const path = { ...SCOPE, searchPath: ["pg_catalog", "hr", "public"] };
  const masks = replacementsFor(catalog, "SELECT upper(name) FROM public.person", NOTHING_TOLD);
  // hr.person comes first, of which nothing is masked.
  assert.ok("impossible" in substitute("SELECT upper(label) FROM person", catalog, path, masks));
  assert.ok(!("impossible" in substitute("SELECT upper(name) FROM public.person", catalog, path, masks)));
});

test("a view's definition stands only where the server's own names come first", () => {
  const masks = replacementsFor(catalog, "SELECT id FROM rich", NOTHING_TOLD);
  const path = { ...SCOPE, searchPath: ["public", "pg_catalog"] };
  const result = substitute("SELECT id FROM rich", catalog, path, masks);
  assert.match("impossible" in result ? result.impossible : "rewritten", /another schema before pg_catalog/);
  assert.match(rewritten(catalog, "SELECT id FROM rich", masks).text, /OFFSET 0\) AS "rich"$/);
});

test("what a policy says is quoted", async () => {
  const text = "SELECT upper(name) FROM person WHERE id = 1";
  const replacement = { schema: "public", table: "person", column: "name", mask: "partial", keep_first: 1, char: "'" };
  const result = rewritten(catalog, text, new Map([[0, [replacement]]]));
  assert.deepEqual(await outcomeOf(result.text), [["SELECT", 1, [[`N${"'".repeat(5)}`]]]]);
});

test("beside a primary key in GROUP BY other columns of its table divide no group", () => {
  const grouped = (text: string): boolean =>
    analyze(text, catalog, SCOPE).command.statements[0]!.columns.some(
      ({ column, uses }) => column === "name" && uses.includes("group"),
    );
  assert.equal(
    grouped("SELECT p.name, count(*) FROM person p JOIN orders o ON o.person_id = p.id GROUP BY p.id, p.name"),
    false,
  );
  assert.equal(grouped("SELECT count(*) FROM person GROUP BY name"), true);
  assert.equal(grouped("SELECT count(*) FROM person a JOIN person b ON true GROUP BY a.id, b.name"), true);
  assert.equal(grouped("SELECT p.name, p.id AS key, count(*) FROM person p GROUP BY key, 1"), false);
  assert.equal(grouped("SELECT count(*) FROM person a JOIN person b ON true GROUP BY a.id, a.name"), false);
  assert.equal(grouped("SELECT count(*) FROM person GROUP BY id, upper(name)"), true);
  assert.equal(grouped("SELECT count(*) FROM animal GROUP BY id, name"), true);
  assert.equal(grouped("SELECT count(*) FROM person GROUP BY GROUPING SETS ((id), (name))"), true);
  // The key of another row.
  const one = "SELECT id, name FROM person WHERE id = 1";
  assert.equal(grouped(`SELECT count(*) FROM person p, (${one}) d GROUP BY d.id, p.name`), true);
  assert.equal(grouped(`SELECT count(*) FROM person p, (${one}) d GROUP BY p.id, d.name`), true);
  assert.equal(grouped(`WITH d AS (${one}) SELECT count(*) FROM person p, d GROUP BY d.id, p.name`), true);
  assert.equal(grouped(`SELECT d.id AS key, count(*) FROM person p, (${one}) d GROUP BY key, p.name`), true);
  assert.equal(grouped(`SELECT d.id, count(*) FROM person p, (${one}) d GROUP BY 1, p.name`), true);
  assert.equal(grouped(`SELECT (SELECT count(*) FROM person p GROUP BY o.id, p.name) FROM person o`), true);
  const from = "FROM (SELECT) z, person p, (SELECT id FROM person) d";
  assert.equal(grouped(`SELECT z.*, p.id, d.*, count(*) ${from} GROUP BY 2, p.id, p.name`), false);
  assert.equal(grouped(`SELECT z.*, p.id, d.*, count(*) ${from} GROUP BY 2, p.name`), true);
});

test("tables of one name with aliases are rewritten", () => {
  const text = "SELECT upper(p.name) FROM public.person p JOIN hr.person ON p.id = hr.person.id";
  assert.ok(!("impossible" in substitute(text, catalog, SCOPE, replacementsFor(catalog, text, NOTHING_TOLD))));
});

test("what cannot be rewritten says why", () => {
  for (const [text, why] of [
    ["UPDATE person SET city = name", /changes public\.person and uses its column name/],
    ["UPDATE person t SET city = t.name FROM person p WHERE p.id = t.id AND p.name > ''", /changes public\.person/],
    ["DELETE FROM person WHERE name = 'x'", /changes public\.person/],
    ["SELECT greeting(p) FROM person p", /passed to the function greeting/],
    ["SELECT p.greeting FROM person p", /passed to the function greeting/],
    ["SELECT id, doc, max(name) FROM papers GROUP BY id", /column doc, by which nothing can be grouped/],
    ["SELECT mail_of(1)", /read through public\.mail_of/],
    ["SELECT id FROM rich_kept", /public\.rich_kept is built on masked columns/],
    ["SELECT ctid, *, upper(name) FROM person", /system column ctid of public\.person beside its whole row or \*/],
    ["SELECT p.ctid, p.*, upper(name) FROM person p", /beside its whole row or \*/],
    ["SELECT ctid, p, upper(name) FROM person p", /beside its whole row or \*/],
    ["SELECT p.xmin, upper(p.name) FROM person p NATURAL JOIN hr.person", /beside a NATURAL join/],
    ["SELECT j.* FROM (person p JOIN orders o ON p.ctid = o.ctid AND upper(p.name) > '') j", /the alias of a join/],
    ["SELECT ctid, upper(name) FROM person FOR UPDATE", /and locks rows/],
    [
      "SELECT upper(public.person.name) FROM public.person JOIN hr.person ON public.person.id = hr.person.id",
      /called person: give each of them an alias/,
    ],
    ["SELECT upper(public.person.name) FROM hr.person, public.person", /called person/],
    [
      "SELECT public.person.name || 'x' FROM public.person, LATERAL (SELECT public.person.id FROM hr.person) x",
      /schema/,
    ],
  ] as const) {
    const result = substitute(text, catalog, SCOPE, replacementsFor(catalog, text, NOTHING_TOLD));
    assert.match("impossible" in result ? result.impossible : "rewritten", why, text);
  }
});

test("a view whose column is protected by itself does not give way to its definition where that column is used", async () => {
  for (const key of ["public.rich.city", "public.rich"]) {
    const tagged = await twins.load({ ...TAGS, [key]: ["place"] });
    for (const text of [
      "SELECT city FROM rich",
      "SELECT * FROM rich",
      "TABLE rich",
      "SELECT r FROM rich r",
      "WITH x AS (SELECT * FROM rich) SELECT city FROM x",
      "SELECT id FROM rich WHERE city > 'a'",
    ]) {
      const result = substitute(text, tagged, SCOPE, replacementsFor(tagged, text, NOTHING_TOLD));
      assert.match("impossible" in result ? result.impossible : text, /of public\.rich is protected by itself/, key);
    }
  }
  const tagged = await twins.load({ ...TAGS, "public.rich.city": ["place"] });
  for (const text of ["SELECT id FROM rich", "SELECT n, total FROM richer"])
    assertMasked(rewritten(tagged, text, replacementsFor(tagged, text, NOTHING_TOLD)), text);
  // Behind a view that is built on it, too; and a tag that its column has from there is none of its own.
  const deep = await twins.load({ ...TAGS, "public.rich.id": ["place"] });
  const text = "SELECT n FROM richer";
  const result = substitute(text, deep, SCOPE, replacementsFor(deep, text, NOTHING_TOLD));
  assert.match("impossible" in result ? result.impossible : text, /of public\.rich is protected by itself/);
  const same = await twins.load({ ...TAGS, "public.richer.n": ["pii"] });
  assertMasked(rewritten(same, text, replacementsFor(same, text, NOTHING_TOLD)), text);
});

test("the same text is rewritten once, and analysed apart from the same text without forms", () => {
  const text = "SELECT upper(name) FROM person WHERE id = 1";
  const replacements = replacementsFor(catalog, text, NOTHING_TOLD);
  const first = rewritten(catalog, text, replacements);
  const second = rewritten(catalog, text, replacements);
  assert.equal(first.masked, second.masked);
  assert.equal(first.analysis.command.statements, second.analysis.command.statements);
  const plain = analyze(first.text, catalog, SCOPE);
  assert.ok(plain.command.statements[0]!.columns.some(({ tags }) => tags.includes("pii")));
  const again = analyze(first.text, catalog, SCOPE, { masked: first.masked });
  assert.ok(!again.command.statements[0]!.columns.some(({ tags }) => tags.includes("pii")));
});
