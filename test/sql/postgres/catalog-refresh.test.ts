// Reading what has changed gives the same as reading the whole, whoever changed it and in whatever order transactions end.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import pg from "pg";
import { type Catalog, catalogOf } from "../../../src/sql/postgres/catalog.ts";
import { readStore } from "../../../src/sql/postgres/catalog-read.ts";
import { CATALOG_QUERIES } from "../../../src/sql/postgres/catalog-rows.ts";
import { type CatalogStore, PART_NAMES } from "../../../src/sql/postgres/catalog-store.ts";
import { PREPARE_CHECK, unchanged } from "../../../src/sql/postgres/catalog-versions.ts";
import { startServer } from "../../support/server.ts";
import { ddlSetup, randomDdl, randomNumbers } from "./ddl.ts";
import { queryOf } from "./support.ts";

const server = await startServer({ setup: () => [] });
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: server.url("postgres", "postgres") });
  client.on("error", () => undefined);
  await client.connect();
  after(() => client.end());
  return client;
};
const reader = await connect();
const writers = [await connect(), await connect(), await connect()];
const query = queryOf(reader);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const steps = Number(process.env.STEPS ?? 100);
const tags = { "s1.a.p": ["pii"], s2: ["low"], "s1.b": ["b"] };

/** Everything that a catalog says of relations, with tags. */
function render(catalog: Catalog, store: CatalogStore): string {
  const lines: string[] = [];
  for (const oid of [...store.owners("relations")].sort((a, b) => a - b)) {
    if (oid < 16384) continue;
    const relation = catalog.relationByOid(oid)!;
    lines.push(`${relation.qualified} ${relation.kind} ${relation.definition ?? ""}`);
    for (const { attnum, name, type, source, value } of relation.columns)
      lines.push(
        `  ${attnum} ${name} ${type} ${source.tags} ${value.derivation} ${value.sources.map((one) => `${one.relation.oid}.${one.attnum}`)}`,
      );
    lines.push(
      `  ${relation.children.map((one) => one.oid)} ${relation.parents.map((one) => one.oid)} ${relation.attached.map((one) => one.use.name)}`,
    );
  }
  return lines.join("\n");
}

/** All rows; where those of the other have a text that is locked away, without it. */
function partsOf(store: CatalogStore, other?: CatalogStore): object {
  const parts = PART_NAMES.map((name) => {
    const away = new Set(
      other === undefined || CATALOG_QUERIES[name].of === "database"
        ? []
        : [...store.lockedAway(name), ...other.lockedAway(name)],
    );
    return [name, [...store.rows(name)].map((row) => (away.has(Number(row[0])) ? row[0] : row))];
  });
  return Object.fromEntries(parts);
}

describe("what has changed", () => {
  test(`is all that has: seed ${seed}`, { timeout: 600_000 }, async (context) => {
    await reader.query(PREPARE_CHECK);
    await writers[0]!.query(ddlSetup);
    const random = randomNumbers(seed);
    let reading = await readStore(query);
    const open = new Set<number>();
    const done: string[] = [];
    let accepted = 0;
    let compared = 0;
    for (let step = 0; step < steps; step++) {
      const at = Math.floor(random() * writers.length);
      const writer = writers[at]!;
      let sql = randomDdl(random);
      const coin = random();
      if (open.has(at) && coin < 0.4) {
        sql = coin < 0.3 ? "COMMIT" : "ROLLBACK";
        open.delete(at);
      } else if (!open.has(at) && coin < 0.2) {
        await writer.query("BEGIN; SET LOCAL lock_timeout = '50ms'; SAVEPOINT s");
        open.add(at);
      }
      done.push(`${at}: ${sql}`);
      try {
        await writer.query("SET lock_timeout = '50ms'");
        await writer.query(sql);
        accepted++;
        if (open.has(at)) await writer.query("SAVEPOINT s");
      } catch {
        if (open.has(at)) await writer.query("ROLLBACK TO SAVEPOINT s");
      }
      const { same } = await unchanged(query, reading.versions, reading.store.owners("relations"), "all");
      const refreshed = await readStore(query, reading);
      const whole = await readStore(query);
      const told = `seed ${seed}, step ${step}:\n${done.slice(-12).join("\n")}`;
      if (whole.store.incomplete || refreshed.store.incomplete) {
        // A text that is locked away now may be known from before.
        assert.deepEqual(partsOf(refreshed.store, whole.store), partsOf(whole.store, refreshed.store), told);
      } else {
        if (refreshed.store.digest !== whole.store.digest)
          assert.deepEqual(partsOf(refreshed.store), partsOf(whole.store), told);
        assert.equal(refreshed.store.digest, whole.store.digest, told);
        if (same) assert.equal(whole.store.digest, reading.store.digest, `said to be unchanged: ${told}`);
        const [left, right] = [refreshed.store, whole.store].map((store) => catalogOf(store, tags)) as [
          Catalog,
          Catalog,
        ];
        assert.equal(render(left, refreshed.store), render(right, whole.store), told);
        assert.equal(left.version, right.version);
        compared++;
      }
      reading = refreshed;
    }
    for (const at of open) await writers[at]!.query("ROLLBACK");
    context.diagnostic(`${accepted} of ${steps} statements were accepted, ${compared} catalogs compared in full`);
    assert.ok(accepted > steps / 8, "too few statements were accepted to tell");
  });

  test("may have been begun before the catalog was read, and be committed after it", async () => {
    const [first, second] = writers as [pg.Client, pg.Client];
    await first.query("CREATE TABLE begun (p text)");
    await first.query("BEGIN; ALTER TABLE begun RENAME p TO q");
    // A later transaction that has ended: the snapshot reaches beyond the one that is still open.
    await second.query("CREATE TABLE ended ()");
    const reading = await readStore(query);
    await first.query("COMMIT");
    const refreshed = await readStore(query, reading);
    assert.equal(refreshed.store.digest, (await readStore(query)).store.digest);
    assert.notEqual(refreshed.store.digest, reading.store.digest);
    await first.query("DROP TABLE begun, ended");
  });

  test("reaches what is written down with the names of others", async () => {
    const writer = writers[0]!;
    await writer.query(`
      CREATE SCHEMA named; CREATE TYPE named.kind AS ENUM ('a'); CREATE TYPE named.pair AS (x int, y text);
      CREATE TABLE named.t (id int, p text, k named.kind); CREATE UNIQUE INDEX t_id ON named.t (id);
      CREATE FUNCTION named.f(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n;
      CREATE FUNCTION named.g(n named.pair) RETURNS int LANGUAGE sql RETURN named.f((n).x) + (SELECT count(*) FROM named.t);
      CREATE VIEW named.v AS SELECT id, p, named.f(id) AS f, k, ROW(1, 'x')::named.pair AS pair FROM named.t;
      CREATE VIEW named.w AS SELECT * FROM named.v;
      CREATE TABLE named.u (id int DEFAULT named.f(1) CHECK (named.f(id) > 0));
      CREATE RULE r AS ON DELETE TO named.u DO ALSO SELECT p FROM named.t;
      CREATE FUNCTION named.tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER tr BEFORE INSERT ON named.u FOR EACH ROW EXECUTE FUNCTION named.tr();
      CREATE OPERATOR named.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
      CREATE VIEW named.o AS SELECT id OPERATOR(named.===) 1 AS same FROM named.u`);
    let reading = await readStore(query);
    for (const sql of [
      "ALTER TABLE named.t RENAME COLUMN p TO q",
      "ALTER TABLE named.t RENAME TO t2",
      "ALTER FUNCTION named.f(int) RENAME TO f2",
      "ALTER TYPE named.kind RENAME TO kind2",
      "ALTER TYPE named.pair ADD ATTRIBUTE z int",
      "ALTER TYPE named.pair RENAME TO pair2",
      "ALTER INDEX named.t_id RENAME TO t2_id",
      "ALTER FUNCTION named.tr() RENAME TO tr2",
      "ALTER OPERATOR named.=== (int, int) SET SCHEMA public",
      "ALTER VIEW named.v RENAME COLUMN f TO g",
      "ALTER EXTENSION plpgsql ADD FUNCTION named.f2(int)",
      "ALTER EXTENSION plpgsql DROP FUNCTION named.f2(int)",
      "ALTER SCHEMA named RENAME TO named2",
      "DROP TRIGGER tr ON named2.u",
      "DROP RULE r ON named2.u",
      "DROP INDEX named2.t2_id",
      "DROP SCHEMA named2 CASCADE",
    ]) {
      await writer.query(sql);
      const { same } = await unchanged(query, reading.versions, reading.store.owners("relations"), "users");
      reading = await readStore(query, reading);
      const whole = await readStore(query);
      assert.deepEqual(partsOf(reading.store), partsOf(whole.store), sql);
      assert.equal(same, false, sql);
    }
  });

  test("is seen within the transaction that makes it, and not after it was undone", async () => {
    const writer = writers[1]!;
    const own = queryOf(writer);
    const before = await readStore(query);
    await writer.query("BEGIN; CREATE TABLE public.mine (id int, p text); SET LOCAL search_path = pg_catalog, pg_temp");
    const first = (await readStore(own, before, "within a transaction")).store;
    assert.equal(first.digest, (await readStore(own, undefined, "within a transaction")).store.digest);
    assert.notEqual(first.digest, before.store.digest);
    await writer.query("SAVEPOINT s; ALTER TABLE public.mine RENAME COLUMN p TO q; DROP VIEW IF EXISTS s1.v");
    const second = (await readStore(own, before, "within a transaction")).store;
    assert.equal(second.digest, (await readStore(own, undefined, "within a transaction")).store.digest);
    assert.notEqual(second.digest, first.digest);
    await writer.query("ROLLBACK TO s");
    assert.equal((await readStore(own, before, "within a transaction")).store.digest, first.digest);
    await writer.query("ROLLBACK");
    assert.equal((await readStore(query, before)).store, before.store);
  });
});
