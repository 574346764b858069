// Random DDL over few names, so that steps meet each other's objects. What the server refuses is part of it.

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomDdl(random: () => number): string {
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const table = (): string => `${one(["s1", "s2"])}.${one(["a", "b", "c", '"Odd ""x"""'])}`;
  const view = (): string => `${one(["s1", "s2"])}.${one(["v", "w", "x"])}`;
  const column = (): string => one(["id", "p", "q", "r"]);
  const type = (): string =>
    one(["int", "text", "s1.mood", "s2.pair", "s1.small", "text[]", "s2.pair[]", "numeric(8,2)"]);
  const name = (): string => one(["a", "b", "c", '"Odd ""x"""']);
  const func = (): string => `${one(["s1", "s2"])}.${one(["f", "g"])}`;
  return one<() => string>([
    () => `CREATE TABLE ${table()} (id int PRIMARY KEY, p ${type()}, q ${type()})`,
    () => `CREATE TABLE ${table()} (id int, p text) PARTITION BY RANGE (id)`,
    () => `CREATE TABLE ${table()} PARTITION OF ${table()} FOR VALUES FROM (${one([0, 10, 20])}) TO (30)`,
    () => `CREATE TABLE ${table()} (r int) INHERITS (${table()})`,
    () => `CREATE TABLE ${table()} AS SELECT 1 AS id, 'x'::text AS p`,
    () => `CREATE TEMP TABLE ${name()} (id int, p text)`,
    () => `DROP TABLE ${table()} CASCADE`,
    () => `DROP TABLE IF EXISTS pg_temp.${name()}`,
    () => `ALTER TABLE ${table()} RENAME TO ${name()}`,
    () => `ALTER TABLE ${table()} RENAME COLUMN ${column()} TO ${column()}`,
    () => `ALTER TABLE ${table()} SET SCHEMA ${one(["s1", "s2"])}`,
    () => `ALTER TABLE ${table()} ADD COLUMN ${column()} ${type()}`,
    () => `ALTER TABLE ${table()} ADD COLUMN g text GENERATED ALWAYS AS (p::text || id) STORED`,
    () => `ALTER TABLE ${table()} DROP COLUMN ${column()} CASCADE`,
    () => `ALTER TABLE ${table()} ALTER COLUMN ${column()} TYPE ${type()} USING NULL`,
    () => `ALTER TABLE ${table()} ALTER COLUMN ${column()} SET DEFAULT s1.f(1)`,
    () => `ALTER TABLE ${table()} ALTER COLUMN ${column()} DROP DEFAULT`,
    () => `ALTER TABLE ${table()} INHERIT ${table()}`,
    () => `ALTER TABLE ${table()} NO INHERIT ${table()}`,
    () => `ALTER TABLE ${table()} DETACH PARTITION ${table()}`,
    () => `ALTER TABLE ${table()} ATTACH PARTITION ${table()} FOR VALUES FROM (100) TO (200)`,
    () => `ALTER TABLE ${table()} ADD CONSTRAINT k CHECK (s2.f(1) > 0)`,
    () => `ALTER TABLE ${table()} ADD CONSTRAINT u UNIQUE (id)`,
    () => `ALTER TABLE ${table()} ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES ${table()} ON DELETE CASCADE`,
    () => `ALTER TABLE ${table()} DROP CONSTRAINT ${one(["k", "u", "fk"])} CASCADE`,
    () => `CREATE UNIQUE INDEX ${one(["i", "j"])} ON ${table()} (${column()})`,
    () => `CREATE UNIQUE INDEX ${one(["i", "j"])} ON ${table()} (s1.f(id))`,
    () => `DROP INDEX ${one(["s1", "s2"])}.${one(["i", "j"])}`,
    () => `ALTER INDEX ${one(["s1", "s2"])}.${one(["i", "j"])} RENAME TO ${one(["i", "j"])}`,
    () => `CREATE OR REPLACE VIEW ${view()} AS SELECT t.id, t.p FROM ${table()} t JOIN ${table()} u USING (id)`,
    () => `CREATE VIEW ${view()} AS SELECT * FROM ${one([table(), view()])}`,
    () => `CREATE VIEW ${view()} AS SELECT ${func()}(1) AS id, ROW(1, 'x')::s2.pair AS p, 'ok'::s1.mood AS q`,
    () => `CREATE MATERIALIZED VIEW ${view()} AS SELECT * FROM ${table()}`,
    () => `DROP VIEW ${view()} CASCADE`,
    () => `DROP MATERIALIZED VIEW ${view()} CASCADE`,
    () => `ALTER VIEW ${view()} RENAME TO ${one(["v", "w", "x"])}`,
    () =>
      `CREATE OR REPLACE FUNCTION ${func()}(n int) RETURNS int LANGUAGE ${one(["sql", "plpgsql"])} IMMUTABLE AS 'BEGIN RETURN 1; END'`,
    () => `CREATE OR REPLACE FUNCTION ${func()}(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n + ${one([1, 2])}`,
    () =>
      `CREATE FUNCTION ${func()}(n ${table()}) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT id FROM ${table()}; END`,
    () => `DROP FUNCTION ${func()} CASCADE`,
    () => `ALTER FUNCTION ${func()}(int) RENAME TO ${one(["f", "g"])}`,
    () => `ALTER FUNCTION ${func()}(int) ${one(["SECURITY DEFINER", "STABLE", "OWNER TO helper", "STRICT"])}`,
    () => `ALTER ROLE helper RENAME TO helper_2`,
    () => `ALTER ROLE helper_2 RENAME TO helper`,
    () =>
      `CREATE TRIGGER ${one(["t1", "t2"])} BEFORE INSERT ON ${table()} FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION s1.trig()`,
    () => `DROP TRIGGER ${one(["t1", "t2"])} ON ${table()}`,
    () => `ALTER TABLE ${table()} ${one(["DISABLE", "ENABLE"])} TRIGGER USER`,
    () => `CREATE OR REPLACE RULE rl AS ON DELETE TO ${table()} DO ALSO SELECT 1 FROM ${table()}`,
    () => `DROP RULE rl ON ${table()}`,
    () => `CREATE POLICY po ON ${table()} USING (s1.f(1) = 1)`,
    () => `DROP POLICY po ON ${table()}`,
    () => `ALTER TYPE ${one(["s1.mood", "s2.pair", "s1.small"])} SET SCHEMA ${one(["s1", "s2"])}`,
    () => `ALTER TYPE s1.mood RENAME TO spirit`,
    () => `ALTER TYPE s1.spirit RENAME TO mood`,
    () => `ALTER TYPE s2.pair ADD ATTRIBUTE ${column()} int`,
    () => `ALTER TYPE s2.pair DROP ATTRIBUTE ${column()}`,
    () => `CREATE DOMAIN s1.small AS int CHECK (s1.f(VALUE) > 0)`,
    () => `ALTER DOMAIN s1.small DROP CONSTRAINT small_check`,
    () => `CREATE TYPE s1.span AS RANGE (subtype = int)`,
    () => `DROP TYPE ${one(["s1.span", "s1.small", "s2.pair"])} CASCADE`,
    () => `CREATE TYPE s2.pair AS (x int, y text)`,
    () => `CREATE OPERATOR s1.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = s1.cmp)`,
    () => `DROP OPERATOR s1.=== (int, int)`,
    () => `CREATE CAST (s2.pair AS int) WITH FUNCTION s1.first(s2.pair)`,
    () => `DROP CAST (s2.pair AS int)`,
    () => `ALTER SCHEMA s2 RENAME TO s3`,
    () => `ALTER SCHEMA s3 RENAME TO s2`,
    () => `CREATE SCHEMA ${one(["s4", "s5"])} CREATE TABLE t (id int)`,
    () => `DROP SCHEMA ${one(["s4", "s5"])} CASCADE`,
    () => `CREATE SEQUENCE s1.${one(["n", "m"])}`,
    () => `DROP SEQUENCE s1.${one(["n", "m"])} CASCADE`,
    () => `CREATE AGGREGATE s1.agg (int) (SFUNC = s1.add, STYPE = int)`,
    () => `DROP AGGREGATE s1.agg (int)`,
    () => `CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION s1.event()`,
    () => `DROP EVENT TRIGGER et`,
    () => `VACUUM FREEZE pg_catalog.${one(["pg_class", "pg_attribute", "pg_proc"])}`,
    () => `VACUUM FULL pg_catalog.${one(["pg_class", "pg_trigger", "pg_proc"])}`,
    () => `TRUNCATE ${table()}`,
    () => `ANALYZE ${table()}`,
  ])();
}

export const ddlSetup = `
CREATE SCHEMA s1; CREATE SCHEMA s2; CREATE ROLE helper;
CREATE TYPE s1.mood AS ENUM ('sad', 'ok');
CREATE TYPE s2.pair AS (x int, y text);
CREATE FUNCTION s1.f(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n';
CREATE FUNCTION s2.f(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n';
CREATE FUNCTION s1.add(n int, m int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + m';
CREATE FUNCTION s1.cmp(n int, m int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n = m';
CREATE FUNCTION s1.first(n s2.pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION s1.trig() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION s1.event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE s1.a (id int PRIMARY KEY, p text, q text);
CREATE TABLE s1.b (id int PRIMARY KEY, p text, q text);
CREATE TABLE s2.a (id int PRIMARY KEY, p text, q text);
CREATE VIEW s1.v AS SELECT t.id, t.p FROM s1.a t JOIN s1.b u USING (id);
`;
