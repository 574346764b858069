// Facts of texts that share a shape: what is kept for one must be what would be derived for the other. And long texts, parsed aside.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import type { RegateError } from "../../../src/errors.ts";
import { analyze, analyzeShape } from "../../../src/sql/postgres/analyze.ts";
import { type Catalog, loadCatalog } from "../../../src/sql/postgres/catalog.ts";
import { FactsCache } from "../../../src/sql/postgres/facts-cache.ts";
import { shapeAside } from "../../../src/sql/postgres/parse-aside.ts";
import { render } from "./render.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich();
const options = { normalized: false, fingerprint: false };
const factsOn = (catalog: Catalog, text: string): string => {
  try {
    return render(analyze(text, catalog, SCOPE, options));
  } catch (thrown) {
    return (thrown as RegateError).code;
  }
};
const folder = new URL("./golden/", import.meta.url);
const golden = readdirSync(folder)
  .filter((file) => file.endsWith(".sql"))
  .flatMap((file) => readFileSync(new URL(file, folder), "utf8").split("\n"))
  .filter((line) => line !== "" && !line.startsWith("--"));

/** The same text with other literals, of another length. */
const withOtherLiterals = (text: string): string =>
  text
    .replace(/'((?:[^']|'')*)'/g, (_, inner: string) => `'${inner}~2'`)
    .replace(/\b(?<![$\w.])\d+\b/g, (number) => `${Number(number) + 1}`);

describe("texts of one shape", () => {
  test("share their facts, whatever their literals, where no fact reads these", () => {
    const first = analyze("SELECT email FROM customers WHERE id = 1 AND name = 'a'", rich.catalog, SCOPE, options);
    const second = analyze(
      "SELECT email FROM customers WHERE id = 222 AND name = 'b''c'",
      rich.catalog,
      SCOPE,
      options,
    );
    assert.equal(first.command.statements, second.command.statements);
    assert.deepEqual(second.locations, [{ start: 0, length: 60 }]);
    assert.notEqual(second.command.text, first.command.text);
  });

  test("have facts of their own where a literal is part of the facts", () => {
    const pairs = [
      ["SELECT email FROM customers LIMIT 1", "SELECT email FROM customers LIMIT 2"],
      ["SELECT id, email FROM customers ORDER BY 1", "SELECT id, email FROM customers ORDER BY 2"],
      ["SELECT nextval('numbers')", "SELECT nextval('other')"],
      ["SELECT set_config('search_path', 'a', true)", "SELECT set_config('role', 'a', true)"],
      ["SET search_path = 'a'", "SET search_path = 'b'"],
      ["SELECT 1, 2", "SELECT 1, '2'"],
      ["SELECT id, email FROM customers GROUP BY 1, id", "SELECT id, email FROM customers GROUP BY 2, id"],
    ] as const;
    for (const [one, other] of pairs) assert.notEqual(factsOn(rich.catalog, one), factsOn(rich.catalog, other), one);
    // And again, now that all of them are kept.
    for (const [one, other] of pairs) assert.notEqual(factsOn(rich.catalog, one), factsOn(rich.catalog, other), one);
  });

  test("where one literal is read and another is not, only the first counts", () => {
    const first = analyze("SELECT email FROM customers WHERE id = 1 LIMIT 10", rich.catalog, SCOPE, options);
    const second = analyze("SELECT email FROM customers WHERE id = 2 LIMIT 10", rich.catalog, SCOPE, options);
    const third = analyze("SELECT email FROM customers WHERE id = 2 LIMIT 11", rich.catalog, SCOPE, options);
    assert.equal(first.command.statements, second.command.statements);
    assert.equal(third.statements[0]!.facts.limit, 11);
  });

  test("get the same facts in whatever order they come: all golden statements, with their literals and with others", async () => {
    const [forwards, backwards] = [await rich.load(), await rich.load()];
    const texts = golden.flatMap((text) => [text, withOtherLiterals(text)]);
    const one = texts.map((text) => factsOn(forwards, text));
    const other = texts
      .toReversed()
      .map((text) => factsOn(backwards, text))
      .toReversed();
    for (const [at, text] of texts.entries()) assert.equal(one[at], other[at], text);
    assert.ok(FactsCache.of(forwards).entries > golden.length / 2);
  });

  test("do not share what the session decides: names of prepared statements and cursors", () => {
    const named = (email: boolean) => ({
      ...SCOPE,
      prepared: () =>
        analyze(email ? "SELECT email FROM customers" : "SELECT id FROM customers", rich.catalog, SCOPE, options)
          .statements,
    });
    const outputOf = (email: boolean): string | undefined =>
      analyze("EXECUTE x", rich.catalog, named(email), options).statements[0]!.facts.outputs[0]?.name;
    assert.equal(outputOf(true), "email");
    assert.equal(outputOf(false), "id");
  });

  test("another search_path, another user, another catalog: other facts", async () => {
    const tableOf = (searchPath: readonly string[], catalog = rich.catalog): string =>
      analyze("SELECT * FROM customers", catalog, { ...SCOPE, searchPath }, options).statements[0]!.facts.relations[0]!
        .schema;
    assert.equal(tableOf(["pg_catalog", "public"]), "public");
    assert.equal(tableOf(["pg_catalog", "app", "public"]), "app");
    assert.equal(tableOf(["pg_catalog", "public"], await rich.load()), "public");
    assert.match(factsOn(rich.catalog, "SELECT email FROM customers"), /pii/);
    assert.doesNotMatch(factsOn(await loadCatalog(rich.query, {}), "SELECT email FROM customers"), /pii/);
  });
});

describe("what is kept", () => {
  test("is bounded, however many different texts come", () => {
    const cache = FactsCache.of(rich.catalog);
    let largest = 0;
    for (let i = 0; i < 60_000; i++) {
      analyze(`SELECT email AS x${i} FROM customers`, rich.catalog, SCOPE, options);
      if (i % 1_000 === 0) largest = Math.max(largest, cache.entries);
    }
    assert.ok(largest <= 20_000, String(largest));
    assert.ok(cache.bytes <= 48 << 20, String(cache.bytes));
  });
});

describe("long texts", () => {
  before(async () => void (await shapeAside("select 1")));
  const aside = async (text: string): Promise<string> =>
    render(analyzeShape(await shapeAside(text, { maxBytes: 8 << 20 }), text, rich.catalog, SCOPE, options));

  test("have the facts that they have when they are parsed at once", async () => {
    for (const text of golden) {
      const at = factsOn(rich.catalog, text);
      assert.equal(await aside(text).catch((error: RegateError) => error.code), at, text);
    }
  });

  test("rows of VALUES, lists and arrays are cut down, and mean the same", async () => {
    const rows = (count: number): string =>
      `INSERT INTO orders (id, customer_id, status) VALUES ${Array.from({ length: count }, (_, i) => `(${i}, -${i}, 'x${i}')`).join(", ")}`;
    assert.equal(await aside(rows(20_000)), factsOn(rich.catalog, rows(2)));
    const list = (count: number): string =>
      `SELECT email FROM customers WHERE id IN (${Array.from({ length: count }, (_, i) => i + 1).join(", ")})`;
    assert.equal(await aside(list(50_000)), factsOn(rich.catalog, list(2)));
    const parameters = `SELECT email FROM customers WHERE id IN (${Array.from({ length: 65_535 }, (_, i) => `$${i + 1}`).join(", ")})`;
    assert.equal(await aside(parameters), factsOn(rich.catalog, "SELECT email FROM customers WHERE id IN ($1, $2)"));
  });

  test("what differs in more than plain constants stays", async () => {
    const names = ["customers", "orders", "order_items", "products", "people"];
    const text = `INSERT INTO app.log (note) VALUES ${names.map((name) => `((SELECT max(id)::text FROM ${name}))`).join(", ")}`;
    const found = await aside(text.replace("order_items", "order_items AS i(id)"));
    for (const name of names) assert.match(found, new RegExp(`public\\.${name}:`), name);
    const sequences = `VALUES ${["a", "b", "c", "d"].map((name) => `(nextval('numbers_${name}'))`).join(", ")}, (nextval('numbers'))`;
    assert.match(await aside(sequences), /public\.numbers:sequence/);
  });

  test("the event loop turns while they are parsed", async () => {
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns++;
      if (running) setTimeout(turn, 1);
    };
    turn();
    const text = `INSERT INTO orders (id) VALUES ${Array.from({ length: 100_000 }, (_, i) => `(${i})`).join(", ")}`;
    await shapeAside(text, { maxBytes: 8 << 20 });
    running = false;
    assert.ok(turns > 20, String(turns));
  });

  test("are refused with the same codes, and what harms the parser harms only its own thread", async () => {
    const codeOf = (text: string): Promise<string> =>
      shapeAside(text).then(
        () => "parsed",
        (error: RegateError) => error.code,
      );
    assert.equal(await codeOf(`select ${"(".repeat(1_000_000)}`), "TEXT_TOO_COMPLEX");
    assert.equal(await codeOf(`select ${"x".repeat(2 << 20)}`), "TEXT_TOO_LONG");
    assert.equal(await codeOf("selec 1"), "TEXT_UNPARSEABLE");
    assert.equal(await codeOf("select 1\0"), "TEXT_NOT_UTF8");
    assert.equal(
      await codeOf(`select ${Array.from({ length: 30_000 }, (_, i) => `a${i}`).join(", ")}`),
      "TEXT_TOO_COMPLEX",
    );
    const deep = `select ${"- ".repeat(1_900)}${"(".repeat(990)}1${")".repeat(990)}`;
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(deep)));
    assert.ok(
      codes.every((code) => code === "parsed" || code === "TEXT_TOO_COMPLEX"),
      codes.join(" "),
    );
    assert.equal(await codeOf("select 1"), "parsed");
  });
});
