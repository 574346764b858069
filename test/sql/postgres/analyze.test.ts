// The state of names around a statement: what was prepared, declared, set and defined before it, and what the server says afterwards.
import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { RegateError } from "../../../src/errors.ts";
import {
  type Analysis,
  analyze,
  confirm,
  type NameScope,
  type StatementAnalysis,
} from "../../../src/sql/postgres/analyze.ts";
import { loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { classification } from "./schema.ts";
import { describe, SCOPE, startRich } from "./support.ts";

const rich = await startRich();
const { catalog, client, query } = rich;

const facts = (text: string, scope: Partial<NameScope> = {}, options = {}): Analysis =>
  analyze(text, catalog, { ...SCOPE, ...scope }, options);
const one = (text: string, scope: Partial<NameScope> = {}, options = {}): StatementAnalysis => {
  const analysis = facts(text, scope, options);
  assert.equal(analysis.statements.length, 1, text);
  return analysis.statements[0]!;
};
const tagsOf = (statement: StatementAnalysis): string[] =>
  [...new Set(statement.facts.outputs.flatMap((output) => output.sources.flatMap((source) => source.tags)))].sort();

suite("prepared statements and cursors of the session", () => {
  test("EXECUTE has the facts of what was prepared", () => {
    const prepared = [one("DELETE FROM orders WHERE id = $1 RETURNING total")];
    const statement = one("EXECUTE p(7)", { prepared: (name) => (name === "p" ? prepared : []) });
    assert.equal(statement.facts.verb, "execute");
    assert.equal(statement.facts.class, "write");
    assert.equal(statement.facts.scoped, true);
    assert.equal(statement.facts.outputs[0]!.name, "total");
    assert.ok(statement.returnsRows);
  });

  test("a name that may stand for several statements is all of them", () => {
    const prepared = [
      one("SELECT id FROM orders"),
      one("SELECT ssn FROM hr.employees"),
      one("DELETE FROM app.log RETURNING note"),
    ];
    const statement = one("EXECUTE p", { prepared: () => prepared });
    assert.equal(statement.facts.class, "write");
    assert.equal(statement.facts.scoped, false);
    assert.equal(statement.facts.outputs.length, 1);
    assert.equal(statement.facts.outputs[0]!.derivation, "opaque");
    assert.deepEqual(tagsOf(statement), ["pii", "secret_number"]);
    assert.ok(statement.touchesTagged);
    const uneven = one("EXECUTE p", {
      prepared: () => [one("SELECT id FROM orders"), one("SELECT 1, ssn FROM hr.employees")],
    });
    assert.equal(uneven.outputsKnown, false);
    assert.deepEqual(
      uneven.facts.outputs.map(({ name, sources }) => [name, sources.map(({ column }) => column)]),
      [["*", ["id", "ssn"]]],
    );
  });

  test("behind columns that only the server knows no output has a place of its own", () => {
    const unknown = "((NULL::customers[])[1]).*";
    const names = (text: string): string[] => {
      const { facts, outputsKnown } = one(text);
      assert.equal(outputsKnown, false);
      const last = facts.outputs.at(-1)!;
      assert.equal(last.derivation, "opaque");
      assert.ok(last.sources.some(({ column }) => column === "ssn"));
      return facts.outputs.map(({ name }) => name);
    };
    assert.deepEqual(names(`SELECT id, ${unknown}, ssn, ${unknown} FROM hr.employees`), ["id", "*"]);
    assert.deepEqual(names("SELECT id, x.*, ssn FROM unnest(NULL::customers[]) x, hr.employees"), ["id", "*"]);
    assert.deepEqual(names("SELECT * FROM hr.employees, unnest(NULL::customers[]) x"), ["*"]);
    assert.deepEqual(names(`SELECT id, ${unknown}, ssn FROM hr.employees UNION SELECT * FROM orders`), ["*"]);
  });

  test("an unknown name is unknown", () => {
    const statement = one("EXECUTE p");
    assert.equal(statement.facts.class, "unknown");
    assert.equal(statement.facts.scoped, false);
    assert.ok(statement.touchesTagged);
    assert.deepEqual(statement.effects, {
      settings: true,
      transaction: undefined,
      catalog: true,
      temp: true,
      opaque: true,
    });
  });

  test("parameters of EXECUTE are expressions of their own", () => {
    const statement = one("EXECUTE p(peek(1))", { prepared: () => [one("SELECT $1::text")] });
    assert.ok(statement.facts.functions.some((use) => use.name === "peek"));
    assert.ok(statement.facts.outputs[0]!.sources.some((source) => source.column === "ssn"));
    assert.ok(statement.facts.columns.some((column) => column.column === "ssn"));
    assert.ok(statement.touchesTagged);
  });

  const sets = "set_config('search_path', 'public', false)";
  for (const explained of [`EXECUTE p(${sets})`, `CREATE TABLE made AS EXECUTE p(${sets})`])
    test(`EXPLAIN computes what is passed: ${explained}`, () => {
      const statement = one(`EXPLAIN ${explained}`, { prepared: () => [one("DELETE FROM orders WHERE status = $1")] });
      assert.deepEqual(
        statement.facts.settings.map(({ name, value }) => [name, value]),
        [["search_path", "public"]],
      );
      assert.ok(statement.effects.settings);
      assert.equal(statement.facts.class, "read");
      assert.deepEqual(
        statement.facts.writes.map(({ target }) => target),
        ["setting"],
      );
    });

  for (const utility of [
    `EXECUTE p(${sets})`,
    "COMMIT",
    "SET search_path = public",
    "PREPARE q AS SELECT 1",
    "DISCARD ALL",
  ])
    test(`what only the protocol prepares may do anything when it is executed: ${utility}`, () => {
      const prepared = [one(utility, { prepared: () => [one("SELECT $1::text")] })];
      for (const text of ["EXECUTE q", "EXPLAIN EXECUTE q", "CREATE TABLE made AS EXECUTE q"]) {
        for (const candidates of [prepared, [one("SELECT 1"), ...prepared]]) {
          const { facts, effects } = one(text, { prepared: () => candidates });
          assert.equal(facts.class, "unknown", text);
          assert.ok(effects.opaque && effects.settings && effects.catalog, text);
        }
      }
    });
  test("EXPLAIN of what is not known may do anything", () => {
    const { facts, effects } = one("EXPLAIN EXECUTE q");
    assert.equal(facts.class, "unknown");
    assert.ok(effects.opaque);
  });

  test("what a text prepares and forgets holds for the rest of it only", () => {
    const { statements } = facts("DEALLOCATE ALL; EXECUTE p; PREPARE p AS SELECT 1; EXECUTE p", {
      prepared: () => [one("SELECT 2")],
    });
    assert.deepEqual(
      statements.map((statement) => statement.facts.class),
      ["session", "unknown", "read", "read"],
    );
    assert.equal(one("EXECUTE p").facts.class, "unknown");
  });

  test("preparing is judged as what is prepared, and gives its analysis to keep", () => {
    const statement = one("PREPARE p AS DELETE FROM orders");
    assert.equal(statement.facts.class, "write");
    assert.equal(statement.returnsRows, false);
    assert.equal(statement.effects.prepares?.name, "p");
    assert.equal(statement.effects.prepares?.statement.facts.verb, "delete");
    assert.equal(statement.effects.catalog, false);
  });
});

suite("names that may mean something else", () => {
  test("the path of the session decides", () => {
    assert.equal(
      one("SELECT * FROM customers", { searchPath: ["pg_catalog", "app"] }).facts.relations[0]!.schema,
      "app",
    );
    assert.equal(
      one("SELECT * FROM customers", { searchPath: ["app", "public", "pg_catalog"] }).facts.relations[0]!.schema,
      "app",
    );
  });

  test("a SET search_path within the text is followed", () => {
    const paths = facts(
      "SET LOCAL search_path = app; SELECT * FROM customers; SET search_path = public, app; SELECT * FROM customers",
    );
    assert.deepEqual(
      paths.statements.flatMap((statement) => statement.facts.relations.map((relation) => relation.schema)),
      ["app", "public"],
    );
  });

  test("what cannot be followed makes every name behind it unknown", () => {
    for (const before of [
      "SELECT set_config('search_' || 'path', 'app', false)",
      "SELECT set_config('search_path', 'app', false) FROM orders",
      "SELECT set_config('search_path', 'app', false) WHERE false",
      "SELECT set_config('search_path', 'app', false), set_config('role', 'x', false)",
      "SELECT set_config('application_name', 'x', false), query_to_xml('SELECT 1', true, true, '')",
      "RESET search_path",
      "RESET ALL",
      "DISCARD ALL",
      "SET ROLE NONE",
      "RESET ROLE",
      "SET SESSION AUTHORIZATION x",
      "DO $$ BEGIN EXECUTE 'SET ROLE x'; END $$",
      "DO $$ BEGIN SET LOCAL search_path = app; END $$",
      "BEGIN; SET search_path = app; SAVEPOINT a; SET search_path = public; ROLLBACK TO a",
      "BEGIN; SET search_path = app; PREPARE TRANSACTION 'x'",
      "CREATE TABLE other (id int)",
      "ALTER TABLE customers RENAME TO c2",
      "CREATE TEMP TABLE t (a int)",
      "COMMIT PREPARED 'x'",
    ]) {
      const statement = facts(`${before}; SELECT name FROM customers`).statements.at(-1)!;
      assert.equal(statement.facts.class, "unknown", before);
      assert.equal(statement.facts.outputs[0]!.derivation, "opaque", before);
      assert.ok(statement.touchesTagged, before);
    }
  });

  test("the end of a transaction brings back what it was, or keeps what was set", () => {
    const at = (text: string, session: Partial<NonNullable<NameScope["session"]>> = {}): string | undefined => {
      const last = facts(`${text}; SELECT * FROM customers`, {
        session: { ...SCOPE.session!, ...session },
      }).statements.at(-1)!;
      return last.facts.class === "read" ? last.facts.relations[0]!.schema : last.facts.class;
    };
    assert.equal(at("BEGIN; SET search_path = app; ROLLBACK"), "public");
    assert.equal(at("BEGIN; SET search_path = app; COMMIT"), "app");
    assert.equal(at("BEGIN; SET LOCAL search_path = app; COMMIT"), "public");
    assert.equal(at("BEGIN; SET search_path = app; SET LOCAL search_path = public; COMMIT"), "app");
    assert.equal(at("SET LOCAL search_path = app; ROLLBACK; BEGIN"), "public");
    assert.equal(at("BEGIN; SAVEPOINT a; ROLLBACK TO a"), "public");
    assert.equal(at("ROLLBACK", { restores: "names" }), "unknown");
    assert.equal(at("COMMIT", { restores: "names" }), "unknown");
    assert.equal(at("SET search_path = app; COMMIT", { restores: "names" }), "unknown");
    assert.equal(at("ROLLBACK TO a", { restores: "names" }), "unknown");
    assert.equal(at("ROLLBACK", { restores: "names and catalog" }), "unknown");
    assert.equal(at("SET search_path = app", { restores: "names and catalog" }), "app");
  });

  test("a path has the schemas that exist and that the role may use", () => {
    const path = (text: string, usable: (user: string) => readonly string[] | undefined): unknown => {
      const session = {
        ...SCOPE.session!,
        usable: (user: string) => {
          const schemas = usable(user);
          return schemas === undefined ? undefined : new Set(schemas);
        },
      };
      const last = facts(`${text}; SELECT * FROM customers`, { session }).statements.at(-1)!.facts;
      return last.class === "read" ? last.relations[0]!.schema : last.class;
    };
    assert.equal(
      path("SET search_path = nosuch, app, public", () => ["public"]),
      "public",
    );
    assert.equal(
      path("SET search_path = app, public", () => ["app", "public"]),
      "app",
    );
    assert.equal(
      path("SET search_path = app, public", () => undefined),
      "unknown",
    );
    assert.equal(
      path(`SET search_path = "$user", public; SET ROLE app`, () => ["app", "public"]),
      "app",
    );
    assert.equal(
      path("SET ROLE app; SET search_path = app, public", (user) => (user === "app" ? ["public"] : ["app"])),
      "public",
    );
    assert.equal(
      path("SELECT set_config('search_path', ' APP , public', true)", () => ["app", "public"]),
      "app",
    );
    assert.equal(
      path("SET search_path = 'app, public', public", () => ["app", "public"]),
      "public",
    );
  });

  test("EXECUTE reads what was prepared under the path that holds then; FETCH what held at DECLARE", () => {
    const { statements } = facts(
      "PREPARE p AS SELECT * FROM customers; DECLARE c CURSOR FOR SELECT * FROM customers; SET search_path = app; EXECUTE p; FETCH c",
    );
    assert.deepEqual(
      statements.slice(-2).map((statement) => statement.facts.relations[0]!.schema),
      ["app", "public"],
    );
  });

  test("settings that a parameter of EXECUTE makes are its own", () => {
    const statement = one("EXECUTE p(set_config('search_path', 'app', false))", { prepared: () => [one("SELECT 1")] });
    assert.ok(statement.effects.settings);
    assert.deepEqual(
      statement.facts.settings.map(({ name }) => name),
      ["search_path"],
    );
  });

  test("what changes no names does not", () => {
    for (const before of [
      "SET statement_timeout = '1s'",
      "BEGIN",
      "SELECT 1",
      "INSERT INTO app.log (note) VALUES ('x')",
      "SAVEPOINT a",
      "LISTEN x",
      "SELECT peek(1)",
      "CALL cleanup()",
      "DO $$ BEGIN END $$",
    ]) {
      assert.equal(facts(`${before}; SELECT name FROM customers`).statements.at(-1)!.facts.class, "read", before);
    }
  });

  test("the caller may say so, too", () => {
    assert.equal(one("SELECT name FROM customers", {}, { uncertain: true }).facts.class, "unknown");
    assert.equal(one("SELECT 1", {}, { uncertain: true }).facts.class, "read");
    assert.equal(one("COMMIT", {}, { uncertain: true }).facts.class, "transaction");
  });

  test("an unknown relation asks for a fresh catalog, which has it", async () => {
    assert.equal(facts("SELECT * FROM brand_new").unresolved, true);
    await client.query("CREATE TABLE brand_new (a int)");
    const anew = await loadCatalog(query, {});
    const analysis = analyze("SELECT * FROM brand_new", anew, SCOPE);
    assert.equal(analysis.unresolved, false);
    assert.equal(analysis.statements[0]!.facts.outputs[0]!.derivation, "direct");
    await client.query("DROP TABLE brand_new");
  });

  test("hostile names stay names", async () => {
    const name = `a"b.c;'\n--é`;
    const quoted = `"${name.replaceAll('"', '""')}"`;
    await client.query(`CREATE TABLE ${quoted} (${quoted} text)`);
    const anew = await loadCatalog(query, { [`public.${quoted}.${quoted}`]: ["odd"] });
    assert.deepEqual(anew.unmatched, []);
    const { facts: found } = analyze(`SELECT ${quoted} FROM ${quoted}`, anew, SCOPE).statements[0]!;
    assert.deepEqual(found.outputs[0]!.sources, [{ schema: "public", table: name, column: name, tags: ["odd"] }]);
    await client.query(`DROP TABLE ${quoted}`);
  });

  test("identifiers are cut at 63 bytes as the server cuts them", async () => {
    const long = "é".repeat(40);
    await client.query(`CREATE TABLE ${long} (id int)`);
    const anew = await rich.load();
    assert.equal(analyze(`SELECT id FROM ${long}`, anew, SCOPE).unresolved, false);
    await client.query(`DROP TABLE ${long}`);
  });
});

suite("bounds", () => {
  test("deep trees are refused with a code, not with a broken stack", () => {
    for (const text of [
      `select ${"- ".repeat(1_990)}1`,
      `select ${"(select ".repeat(900)}1${")".repeat(900)}`,
      `select ${"f(".repeat(950)}1${")".repeat(950)}`,
    ]) {
      try {
        facts(text);
      } catch (thrown) {
        assert.ok(thrown instanceof RegateError && thrown.code === "TEXT_TOO_COMPLEX", String(thrown));
      }
    }
    assert.equal(one("SELECT 1").facts.class, "read");
  });

  const nest = (depth: number, wrap: (inner: string) => string, inner: string): string => {
    let text = inner;
    for (let i = 0; i < depth; i++) text = wrap(text);
    return text;
  };
  const repeat = (count: number, make: (i: number) => string, separator: string): string =>
    Array.from({ length: count }, (_, i) => make(i)).join(separator);
  const growing: readonly (readonly [name: string, text: string])[] = [
    [
      "functions in FROM of functions in FROM",
      `select * from ${nest(60, (s) => `unnest(array(select x from ${s}))`, "generate_series(1, 2) x")} x`,
    ],
    [
      "recursion in recursion",
      nest(
        25,
        (s) =>
          `with recursive r as (select id, name from customers union all select r.id, r.name from r, (${s}) z) select * from r`,
        "select 1",
      ),
    ],
    ["doubling stars", nest(30, (s) => `select *, * from (${s}) z`, "select * from customers")],
    ["whole rows", `select ${repeat(1600, () => "wide", ",")} from wide`],
    ["whole rows compared", `select 1 from wide a, wide b where ${repeat(20_000, () => "a = b", " and ")}`],
    [
      "many tables",
      `select 1 from ${repeat(3_000, (i) => `orders o${i}`, ",")} where ${repeat(3_000, (i) => `o${i}.id = 1`, " and ")}`,
    ],
    [
      "many names to look for",
      `select 1 from ${repeat(3_000, (i) => `(select 1 as a${i}) o${i}`, ",")} where ${repeat(3_000, (i) => `a${i} = 1`, " and ")}`,
    ],
    [
      "many common table expressions",
      `with ${repeat(5_000, (i) => `x${i} as (select * from ${i === 0 ? "orders" : `x${i - 1}`})`, ",")} select * from x4999`,
    ],
    ["many joins", `select 1 from orders o0 ${repeat(600, (i) => `join orders o${i + 1} using (id)`, " ")}`],
    ["many statements", repeat(20_000, () => "select id from orders", ";")],
  ];
  for (const [name, text] of growing) {
    test(`${name}: answered or refused, soon`, async () => {
      await client.query(`CREATE TABLE IF NOT EXISTS wide (${repeat(1600, (i) => `c${i} text`, ",")})`);
      const anew = await loadCatalog(query, classification);
      const start = performance.now();
      try {
        analyze(text, anew, SCOPE, { normalized: false, fingerprint: false });
      } catch (thrown) {
        assert.ok(thrown instanceof RegateError && thrown.code === "TEXT_TOO_COMPLEX", String(thrown));
      }
      const took = performance.now() - start;
      assert.ok(took < 4_000, `took ${took} ms`);
    });
  }

  test("locations are bytes of the text", () => {
    const text = "SELECT 'é'; DELETE FROM orders ; SELECT 2";
    const pieces = facts(text).locations.map((location) =>
      Buffer.from(text)
        .toString("utf8", location.start, location.start + location.length)
        .trim(),
    );
    assert.deepEqual(pieces, ["SELECT 'é'", "DELETE FROM orders", "SELECT 2"]);
  });

  test("the normalized text and the fingerprint can be left out", () => {
    assert.equal(facts("SELECT 1").command.normalized, "SELECT $1");
    assert.notEqual(facts("SELECT 1").command.fingerprint, "");
    const without = facts("SELECT 1", {}, { normalized: false, fingerprint: false }).command;
    assert.deepEqual([without.normalized, without.fingerprint], ["", ""]);
  });
});

suite("the server's description", () => {
  const fieldsOf = async (text: string) => (await describe(client, text))!;

  test("confirms what was derived", async () => {
    const text = "SELECT email, lower(email), 1 FROM customers";
    assert.deepEqual(confirm(one(text), await fieldsOf(text), catalog), { ok: true });
  });

  test("another number of columns does not", async () => {
    const verdict = confirm(one("SELECT id FROM customers"), await fieldsOf("SELECT id, name FROM customers"), catalog);
    assert.deepEqual(verdict, { ok: false, why: "the server describes 2 columns, 1 were derived" });
  });

  test("another origin does not, tagged or not", async () => {
    const tagged = confirm(one("SELECT name FROM customers"), await fieldsOf("SELECT email FROM customers"), catalog);
    assert.match((tagged as { why: string }).why, /public\.customers\.email, which was not derived/);
    const plain = confirm(one("SELECT name FROM customers"), await fieldsOf("SELECT city FROM customers"), catalog);
    assert.equal(plain.ok, false);
  });

  test("an origin that the catalog does not have does not", async () => {
    await client.query("CREATE TABLE later (a int)");
    const verdict = confirm(one("SELECT 1"), await fieldsOf("SELECT a FROM later"), catalog);
    assert.match((verdict as { why: string }).why, /which the catalog does not have/);
    await client.query("DROP TABLE later");
  });

  test("swapped tables do not", async () => {
    const text = "SELECT name FROM people";
    const before = one(text);
    await client.query(
      "ALTER TABLE people RENAME TO p2; ALTER TABLE products RENAME TO people; ALTER TABLE people RENAME COLUMN title TO name",
    );
    assert.equal(confirm(before, await fieldsOf(text), catalog).ok, false);
    await client.query(
      "ALTER TABLE people RENAME COLUMN name TO title; ALTER TABLE people RENAME TO products; ALTER TABLE p2 RENAME TO people",
    );
  });

  test("where the columns are not known, an origin must still be among what is known", async () => {
    const fields = await fieldsOf("SELECT email FROM customers");
    assert.equal(confirm(one("EXECUTE unknown"), fields, catalog).ok, false);
    assert.equal(confirm(one("CALL cleanup()"), [], catalog).ok, true);
  });
});

suite("views", () => {
  test("a definition that cannot be read makes every column depend on all that the server names", async () => {
    const broken = {
      ...rich,
      query: async (sql: string) =>
        (await query(sql)).map((row) =>
          row.map((cell) => (/lower\(.*email\)/.test(cell ?? "") ? "SELECT FROM WHERE" : cell)),
        ),
    };
    const anew = await loadCatalog(broken.query, { "public.customers.email": ["pii"] });
    const { facts: found } = analyze("SELECT id FROM v_customers", anew, SCOPE).statements[0]!;
    assert.equal(found.outputs[0]!.derivation, "opaque");
    assert.ok(found.outputs[0]!.sources.some((source) => source.column === "email" && source.tags.includes("pii")));
    assert.ok(
      found.relations.some((relation) => relation.name === "customers" && relation.via[0] === "public.v_customers"),
    );
  });

  test("a definition that misses what the server knows is not believed", async () => {
    const lying = async (sql: string) =>
      (await query(sql)).map((row) =>
        row.map((cell) =>
          cell?.includes("max(email)") || cell?.includes("max(c.email)")
            ? "SELECT 1 AS id, 'x'::text AS top, 2::bigint AS n"
            : cell,
        ),
      );
    const anew = await loadCatalog(lying, { "public.customers.email": ["pii"] });
    const { facts: found } = analyze("SELECT top FROM v_totals", anew, SCOPE).statements[0]!;
    assert.equal(found.outputs[0]!.derivation, "opaque");
    assert.ok(found.outputs[0]!.sources.some((source) => source.tags.includes("pii")));
  });

  test("views over views, a hundred deep, resolve", async () => {
    let sql = "CREATE VIEW deep_0 AS SELECT id, email FROM customers;";
    for (let i = 1; i <= 100; i++) sql += `CREATE VIEW deep_${i} AS SELECT id, email FROM deep_${i - 1};`;
    await client.query(sql);
    const anew = await rich.load();
    const { facts: found } = analyze("SELECT email FROM deep_100", anew, SCOPE).statements[0]!;
    assert.equal(found.outputs[0]!.derivation, "direct");
    assert.ok(found.outputs[0]!.sources.some((source) => source.table === "customers" && source.tags.includes("pii")));
    assert.equal(found.relations.length, 102);
    await client.query("DROP VIEW deep_0 CASCADE");
  });

  test("a recursive view resolves", async () => {
    await client.query(
      "CREATE RECURSIVE VIEW bosses (id, ssn) AS SELECT id, ssn FROM hr.employees UNION ALL SELECT e.id, b.ssn FROM hr.employees e JOIN bosses b ON e.manager_id = b.id",
    );
    const anew = await rich.load();
    const output = analyze("SELECT ssn FROM bosses", anew, SCOPE).statements[0]!.facts.outputs[0]!;
    assert.equal(output.derivation, "expression");
    assert.ok(output.sources.some((source) => source.tags.includes("secret_number")));
    await client.query("DROP VIEW bosses");
  });
});

suite("WHERE CURRENT OF", () => {
  test("uses what the cursor shows: an index of it may give the order", () => {
    const text =
      "BEGIN; DECLARE c CURSOR FOR SELECT email FROM customers; FETCH c; UPDATE customers SET city = 'x' WHERE CURRENT OF c RETURNING id";
    const { columns } = facts(text).statements.at(-1)!.facts;
    assert.deepEqual(columns.find((column) => column.column === "email")?.uses, ["filter"]);
  });
  test("wherever it stands", () => {
    const before = "BEGIN; DECLARE c CURSOR FOR SELECT email FROM customers; FETCH c; ";
    for (const text of [
      "WITH u AS (UPDATE customers SET city = 'x' WHERE CURRENT OF c RETURNING id) SELECT * FROM u",
      "COPY (DELETE FROM customers WHERE CURRENT OF c RETURNING id) TO STDOUT",
    ]) {
      const { columns } = facts(before + text).statements.at(-1)!.facts;
      assert.deepEqual(columns.find((column) => column.column === "email")?.uses, ["filter"]);
    }
  });
  test("is read anew each time: another cursor may have the name", () => {
    const text = "UPDATE customers SET city = 'x' WHERE CURRENT OF c RETURNING id";
    const over = (column: string): string[] => {
      const cursor = [one(`SELECT ${column} FROM customers`)];
      return one(text, { cursor: () => cursor }).facts.columns.map((used) => used.column);
    };
    assert.ok(!over("id").includes("email"));
    assert.ok(over("email").includes("email"));
    assert.ok(!over("id").includes("email"));
  });
  test("of a body's cursor over a table with tags is opaque", () => {
    const body = (table: string): StatementAnalysis =>
      one(
        `DO $$ DECLARE c CURSOR FOR SELECT id FROM ${table}; r record; BEGIN OPEN c; FETCH c INTO r; UPDATE ${table} SET id = id WHERE CURRENT OF c; END $$`,
      );
    assert.ok(body("customers").effects.opaque);
    assert.ok(!body("products").effects.opaque);
  });
  test("uses of a cursor FOR UPDATE only what selects its rows: no index alone gives them", () => {
    const text =
      "BEGIN; DECLARE c CURSOR FOR SELECT email, id FROM customers WHERE city > 'a' FOR UPDATE; UPDATE customers SET name = 'x' WHERE CURRENT OF c";
    const { columns } = facts(text).statements.at(-1)!.facts;
    assert.equal(
      columns.find((column) => column.column === "email"),
      undefined,
    );
    assert.deepEqual(columns.find((column) => column.column === "city")?.uses, ["filter"]);
  });
  test("uses also what is shown of a table that a cursor FOR UPDATE does not lock", () => {
    const text =
      "BEGIN; DECLARE c CURSOR FOR SELECT email, o.id FROM customers c, orders o FOR UPDATE OF o; UPDATE orders SET total = 1 WHERE CURRENT OF c";
    const { columns } = facts(text).statements.at(-1)!.facts;
    assert.deepEqual(columns.find((column) => column.column === "email")?.uses, ["filter"]);
  });
});
