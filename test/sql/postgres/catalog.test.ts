// The catalog: what is read from a real server, how names are found in it, where tags come from, and that it stays small and fast.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { RegateError } from "../../../src/errors.ts";
import { loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { classification } from "./schema.ts";
import { startRich } from "./support.ts";

const rich = await startRich();
const { catalog, query, client } = rich;
const PATH = ["pg_catalog", "public"];

const oidOf = async (name: string): Promise<number> => Number((await query(`SELECT '${name}'::regclass::oid`))[0]![0]);

describe("names", () => {
  test("are found along the path, the first schema first", () => {
    assert.equal(catalog.resolveRelation(undefined, "customers", PATH)?.qualified, "public.customers");
    assert.equal(catalog.resolveRelation(undefined, "customers", ["app", "public"])?.qualified, "app.customers");
    assert.equal(catalog.resolveRelation("app", "customers", PATH)?.qualified, "app.customers");
    assert.equal(catalog.resolveRelation(undefined, "pg_class", PATH)?.qualified, "pg_catalog.pg_class");
    assert.equal(catalog.resolveRelation(undefined, "employees", PATH), undefined);
    assert.equal(catalog.resolveRelation(undefined, "CUSTOMERS", PATH), undefined);
  });

  test("pg_temp is the session's own temporary schema", async () => {
    await client.query("CREATE TEMP TABLE customers (only_mine int)");
    const [row] = await query("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()");
    const mine = row![0]!;
    const anew = await rich.load();
    assert.deepEqual(
      anew.resolveRelation("pg_temp", "customers", [mine, ...PATH])?.columns.map((column) => column.name),
      ["only_mine"],
    );
    assert.equal(anew.resolveRelation(undefined, "customers", [mine, ...PATH])?.qualified, "pg_temp.customers");
    assert.equal(anew.resolveRelation("pg_temp", "customers", PATH), undefined, "another session's");
    await client.query("DROP TABLE pg_temp.customers");
  });

  test("columns are the server's: numbers, types, none that was dropped", async () => {
    await client.query("CREATE TABLE dropped (a int, b text, c date); ALTER TABLE dropped DROP COLUMN b");
    const relation = (await rich.load()).resolveRelation("public", "dropped", PATH)!;
    assert.deepEqual(
      relation.columns.map(({ attnum, name, type }) => [attnum, name, type]),
      [
        [1, "a", 23],
        [3, "c", 1082],
      ],
    );
    await client.query("DROP TABLE dropped");
  });

  test("an origin of the server is a column with its tags", async () => {
    const customers = await oidOf("public.customers");
    assert.deepEqual(catalog.columnByOrigin(customers, 3), {
      schema: "public",
      table: "customers",
      column: "email",
      tags: ["pii"],
    });
    assert.deepEqual(catalog.columnByOrigin(customers, 0)?.tags, ["pii"], "the whole row");
    assert.deepEqual(catalog.columnByOrigin(customers, -1)?.tags, [], "a system column");
    assert.equal(catalog.columnByOrigin(customers, 99), undefined);
    assert.equal(catalog.columnByOrigin(4_000_000_000, 1), undefined);
  });
});

describe("tags", () => {
  const tags = (schema: string, relation: string, column: string): readonly string[] =>
    catalog.resolveRelation(schema, relation, [])!.column(column)!.source.tags;

  test("of a column", () => assert.deepEqual(tags("hr", "employees", "ssn"), ["pii", "secret_number"]));
  test("flow through views", () => {
    assert.deepEqual(tags("public", "v_contacts", "contact"), ["pii"]);
    assert.deepEqual(tags("public", "v_contacts", "total"), []);
    assert.deepEqual(tags("public", "v_customers", "contact_lower"), ["computed", "pii"]);
    assert.deepEqual(tags("public", "v_totals", "top"), ["computed", "pii"]);
    assert.deepEqual(tags("public", "v_union", "name"), ["computed", "pii", "secret_number"]);
    assert.deepEqual(tags("public", "m_employees", "salary"), ["salary"]);
    assert.deepEqual(tags("public", "v_row", "whole"), ["computed", "pii"]);
  });
  test("flow from a partition to its table, and from a child to the parent through which its rows are read", () => {
    assert.deepEqual(tags("public", "events", "payload"), ["pii"]);
    assert.deepEqual(tags("public", "people", "name"), ["health"]);
    assert.deepEqual(tags("public", "people", "id"), []);
  });
  test("flow from a parent to its partitions and children", async () => {
    const other = await loadCatalog(query, { "public.events.payload": ["x"], "public.people": ["y"] });
    assert.deepEqual(other.resolveRelation("public", "events_2025", [])!.column("payload")!.source.tags, ["x"]);
    assert.deepEqual(other.resolveRelation("public", "patients", [])!.tags, ["y"]);
  });
  test("of a table and of a schema reach every column", async () => {
    const other = await loadCatalog(query, { hr: ["staff"], "hr.employees": ["person"] });
    assert.deepEqual(other.resolveRelation("hr", "employees", [])!.column("id")!.source.tags, ["person", "staff"]);
  });
  test("of TOAST storage are those of its table", async () => {
    const [row] = await query(
      "SELECT relname FROM pg_class WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'hr.employees'::regclass)",
    );
    assert.deepEqual(tags("pg_toast", row![0]!, "chunk_data"), ["pii", "salary", "secret_number"]);
  });
  test("built in: the server's own secrets, with or without a classification", async () => {
    const bare = await loadCatalog(query, undefined);
    assert.equal(bare.hasTags, false);
    assert.deepEqual(bare.resolveRelation("pg_catalog", "pg_authid", [])!.column("rolpassword")!.source.tags, [
      "secret",
    ]);
    assert.deepEqual(bare.resolveRelation("pg_catalog", "pg_authid", [])!.column("rolname")!.source.tags, []);
    assert.deepEqual(bare.resolveRelation("pg_catalog", "pg_hba_file_rules", [])!.column("address")!.source.tags, [
      "secret",
    ]);
  });
  test("that name nothing are reported; that are not of the form are refused", async () => {
    const other = await loadCatalog(query, {
      ...classification,
      "public.customers.emial": ["pii"],
      nowhere: ["x"],
      "public.gone.x": ["x"],
    });
    assert.deepEqual(other.unmatched, ["public.customers.emial", "nowhere", "public.gone.x"]);
    for (const wrong of [
      { "a.b.c.d": ["x"] },
      { "a.b": "x" },
      { 'a."b': ["x"] },
      ["x"],
      "x",
      { "a..b": ["x"] },
      { "a.b": ["x", "masked"] },
      { "a.b": ["x", "computed"] },
    ]) {
      await assert.rejects(
        loadCatalog(query, wrong),
        (error: RegateError) => error.code === "CATALOG_UNAVAILABLE" && /classification/.test(error.detail!),
      );
    }
  });
});

describe("the version", () => {
  test("is the same for the same content and changes with the catalog and with the tags", async () => {
    const first = (await rich.load()).version;
    assert.equal((await rich.load()).version, first);
    assert.notEqual((await loadCatalog(query, {})).version, first);
    await client.query("ALTER TABLE app.log RENAME COLUMN note TO remark");
    assert.notEqual((await rich.load()).version, first);
    await client.query("ALTER TABLE app.log RENAME COLUMN remark TO note");
    assert.equal((await rich.load()).version, first);
  });
});

describe("a server that does not answer", () => {
  test("is an error with its own code, and leaves no transaction open", async () => {
    const asked: string[] = [];
    const failing = async (sql: string) => {
      asked.push(sql);
      if (sql.includes("pg_proc")) throw new Error("the connection broke");
      return query(sql);
    };
    await assert.rejects(
      loadCatalog(failing, {}),
      (error: RegateError) => error.code === "CATALOG_UNAVAILABLE" && error.detail === "the connection broke",
    );
    assert.equal(asked.at(-1), "COMMIT");
  });
});

/** Of what is still reachable. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

test("thousands of tables load in seconds and little memory", async () => {
  await client.query("CREATE SCHEMA many");
  await client.query(`DO $$ BEGIN FOR i IN 1..2500 LOOP EXECUTE format('CREATE TABLE many.t%s (id int PRIMARY KEY, %s)', i,
    (SELECT string_agg(format('column_%s text', n), ', ') FROM generate_series(1, 19) n)); IF i % 250 = 0 THEN COMMIT; END IF; END LOOP; END $$`);
  const before = heapUsed();
  const start = performance.now();
  const large = await rich.load();
  const took = performance.now() - start;
  const grown = (heapUsed() - before) / 1e6;
  assert.ok(large.resolveRelation("many", "t2500", [])!.columns.length === 20);
  // The goal is 10,000 of them in 5 s and 100 MB; a quarter is enough to see a load that grows faster than its size.
  assert.ok(took < 2_500, `took ${took} ms`);
  assert.ok(grown < 25, `grew by ${grown} MB`);
});

describe("what hangs together", () => {
  test("a column that is generated from a tagged one carries its tags", async () => {
    await client.query(`
      CREATE TABLE public.contacts (id int PRIMARY KEY, email text, city text, folded text GENERATED ALWAYS AS (lower(email)) STORED,
        both_of text GENERATED ALWAYS AS (city || id) STORED)`);
    const contacts = (
      await loadCatalog(query, { ...classification, "public.contacts.email": ["pii"] })
    ).resolveRelation(undefined, "contacts", PATH)!;
    assert.deepEqual(contacts.column("folded")!.source.tags, ["computed", "pii"]);
    assert.deepEqual(contacts.column("both_of")!.source.tags, []);
    assert.deepEqual(
      [...contacts.generated],
      [
        [4, [2]],
        [5, [1, 3]],
      ],
    );
    await client.query("DROP TABLE public.contacts");
  });

  test("what is computed is said to be, through several views, unless the classification names it with the same tags", async () => {
    await client.query(`
      CREATE TABLE public.pay (id int PRIMARY KEY, amount numeric, cents numeric GENERATED ALWAYS AS (amount * 100) STORED);
      CREATE VIEW public.pay_scaled AS SELECT id, amount, amount * 1000 AS scaled, cents FROM public.pay;
      CREATE MATERIALIZED VIEW public.pay_kept AS SELECT amount AS bare, scaled AS kept, max(cents) AS most FROM public.pay_scaled GROUP BY 1, 2`);
    const tagsWith = async (more: object) => {
      const loaded = await loadCatalog(query, { "public.pay.amount": ["pay"], ...more });
      return (table: string) =>
        Object.fromEntries(
          loaded.resolveRelation("public", table, [])!.columns.map(({ name, source }) => [name, source.tags.join(" ")]),
        );
    };
    const tags = await tagsWith({});
    assert.deepEqual(tags("pay"), { id: "", amount: "pay", cents: "computed pay" });
    assert.deepEqual(tags("pay_scaled"), { id: "", amount: "pay", scaled: "computed pay", cents: "computed pay" });
    assert.deepEqual(tags("pay_kept"), { bare: "pay", kept: "computed pay", most: "computed pay" });
    const relation = (await loadCatalog(query, { "public.pay.amount": ["pay"] })).resolveRelation("public", "pay", []);
    assert.deepEqual(relation!.tags, ["pay"]);

    const named = await tagsWith({ "public.pay.cents": ["pay"], "public.pay_scaled.scaled": ["other"] });
    assert.deepEqual(named("pay"), { id: "", amount: "pay", cents: "pay" });
    assert.equal(named("pay_scaled").scaled, "computed other pay", "another tag has another mask");
    assert.equal((await tagsWith({ "public.pay": ["pay"] }))("pay").cents, "computed pay", "its table is not itself");
    await client.query("DROP TABLE public.pay CASCADE");
  });

  test("a column that a function generates carries the tags of what it reads", async () => {
    await client.query(`
      CREATE FUNCTION public.plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
      CREATE FUNCTION public.phone_of(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT phone FROM public.customers WHERE id = $1';
      CREATE FUNCTION public.built(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'DECLARE found text; BEGIN EXECUTE $1 INTO found; RETURN found; END';
      CREATE TABLE public.made (id int PRIMARY KEY, city text, harmless text GENERATED ALWAYS AS (plain(city)) STORED,
        reading text GENERATED ALWAYS AS (phone_of(id)) STORED, unseen text GENERATED ALWAYS AS (built(city)) STORED);
      CREATE FUNCTION public.twice(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT reading FROM public.made WHERE id = $1';
      CREATE TABLE public.made_again (id int PRIMARY KEY, again text GENERATED ALWAYS AS (twice(id)) STORED);
      CREATE TABLE public.itself (id int PRIMARY KEY, city text);
      CREATE FUNCTION public.own(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT city FROM public.itself WHERE id = $1';
      ALTER TABLE public.itself ADD recurring text GENERATED ALWAYS AS (own(id)) STORED`);
    const tagsWith = async (more: object) => {
      const loaded = await loadCatalog(query, {
        "public.customers.phone": ["pii"],
        "hr.employees.salary": ["pay"],
        ...more,
      });
      return (table: string, column: string) =>
        loaded.resolveRelation("public", table, [])!.column(column)!.source.tags;
    };
    const tags = await tagsWith({});
    assert.deepEqual(tags("made", "harmless"), []);
    assert.deepEqual(tags("made", "reading"), ["computed", "pii"]);
    assert.deepEqual(tags("made_again", "again"), ["computed", "pii"]);
    const everything = ["computed", "pay", "pii", "secret"];
    assert.deepEqual(tags("made", "unseen"), everything);
    assert.deepEqual(tags("itself", "recurring"), everything);
    assert.deepEqual((await tagsWith({ "public.made.unseen": ["pii"] }))("made", "unseen"), ["pii"]);
    const bare = await loadCatalog(query, {});
    assert.deepEqual(
      bare.resolveRelation("public", "made", [])!.column("unseen")!.source.tags,
      [],
      "nothing is tagged",
    );
    await client.query(`DROP TABLE public.made, public.made_again, public.itself;
      DROP FUNCTION public.plain, public.phone_of, public.built, public.twice, public.own`);
  });

  test("what a child generates is read through its parent", async (context) => {
    if (catalog.serverVersion < 160_000)
      return context.skip("before version 16 a child generates what its parent does");
    await client.query(`
      CREATE TABLE public.parent (id int, amount numeric, label text GENERATED ALWAYS AS (id::text) STORED);
      CREATE TABLE public.child (label text GENERATED ALWAYS AS (amount::text) STORED) INHERITS (public.parent)`);
    const parent = (await loadCatalog(query, { "public.parent.amount": ["pay"] })).resolveRelation(
      "public",
      "parent",
      [],
    )!;
    assert.deepEqual(parent.column("label")!.source.tags, ["computed", "pay"]);
    await client.query("DROP TABLE public.parent CASCADE");
  });

  test("foreign keys, keys of partitioning and indexes lead to their tables", () => {
    const of = (name: string) => catalog.resolveRelation(undefined, name, ["hr", ...PATH])!;
    assert.deepEqual(
      of("customers").referring.map((each) => each.name),
      ["orders"],
    );
    assert.deepEqual(
      of("employees").referring.map((each) => each.name),
      ["employees"],
    );
    assert.deepEqual(of("events").partitionKey, [2]);
    assert.deepEqual(of("customers").partitionKey, []);
    assert.equal(of("customers_pkey").indexed, of("customers"));
  });
});
