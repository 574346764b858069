// The server's own functions: each is classified, by signature, and nothing is that no version has.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { behaviourOf, classified } from "../../../src/sql/postgres/builtins.ts";
import { CALLABLE_FUNCTIONS, readReviewed } from "../../../tools/functions/reviewed.ts";
import { capture } from "../../../tools/run.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich();
const major = Math.floor(rich.catalog.serverVersion / 10_000);

describe("the classification", () => {
  test("knows every function of this server that can be called, and none that it lacks", async () => {
    const present = new Set((await rich.query(CALLABLE_FUNCTIONS)).map(([name, args]) => `${name}(${args})`));
    const listed = new Set(
      [...classified()].flatMap(([signature, { first, last }]) => (first <= major && major <= last ? [signature] : [])),
    );
    assert.deepEqual(
      [...present].filter((signature) => !listed.has(signature)),
      [],
      "not classified: see tools/functions/*.txt",
    );
    assert.deepEqual(
      [...listed].filter((signature) => !present.has(signature)),
      [],
      "listed, but this version has none",
    );
  });

  test("says what the reviewed texts say, and these say nothing that no version has", () => {
    const reviewed = readReviewed();
    for (const [signature, { behaviour }] of classified()) {
      const open = signature.indexOf("(");
      const group = reviewed.groupOf(signature.slice(0, open), signature.slice(open + 1, -1));
      assert.equal(group?.split(" ")[0], behaviour.effect, signature);
      assert.equal(group?.includes("opaque"), behaviour.opaque, signature);
    }
    assert.deepEqual(reviewed.unused(), []);
  });

  test("is quick to load", () => {
    const file = pathToFileURL(join(import.meta.dirname, "../../../src/sql/postgres/builtins.ts")).href;
    const { output } = capture(process.execPath, [
      "--input-type=module",
      "-e",
      `const { classified } = await import(${JSON.stringify(file)});
      const started = process.cpuUsage(); classified(); console.log(process.cpuUsage(started).user / 1_000);`,
    ]);
    assert.ok(Number(output.trim()) < 20, output);
  });
});

describe("what a function may do", () => {
  const effectOf = (text: string, name: string): string | undefined => {
    const { facts } = analyze(text, rich.catalog, SCOPE).statements[0]!;
    return facts.functions.find((use) => use.name === name)?.effect;
  };
  const cases: readonly (readonly [text: string, name: string, effect: string])[] = [
    ["SELECT upper(name) FROM customers", "upper", "total"],
    ["SELECT upper(numrange(1, 2))", "upper", "total"],
    ["SELECT abs(id) FROM customers", "abs", "pure"],
    ["SELECT abs(1.5)", "abs", "total"],
    ["SELECT age(now(), created_at) FROM customers", "age", "pure"],
    ["SELECT age(datfrozenxid) FROM pg_database", "age", "reads"],
    ["SELECT ts_rewrite('a'::tsquery, 'a'::tsquery, 'b'::tsquery)", "ts_rewrite", "pure"],
    ["SELECT ts_rewrite('a'::tsquery, 'SELECT q, q FROM queries')", "ts_rewrite", "sql"],
    ["SELECT query_to_xml('SELECT 1', true, true, '')", "query_to_xml", "sql"],
    ["SELECT lo_get(7)", "lo_get", "reads"],
    ["SELECT pg_get_viewdef('public.v'::regclass)", "pg_get_viewdef", "reads"],
    ["SELECT nextval('numbers')", "nextval", "state"],
    ["SELECT pg_advisory_lock(1)", "pg_advisory_lock", "state"],
    ["SELECT set_config('a.b', 'x', true)", "set_config", "state"],
    ["SELECT pg_read_file('/etc/passwd')", "pg_read_file", "outside"],
    ["SELECT pg_terminate_backend(1)", "pg_terminate_backend", "outside"],
    ["SELECT pg_sleep(1)", "pg_sleep", "pure"],
    ["SELECT no_such_function(1)", "no_such_function", "unknown"],
  ];
  for (const [text, name, effect] of cases)
    test(`${effect}: ${text}`, () => assert.equal(effectOf(text, name), effect));

  test("the planner's statistics are the server's, as they are for ANALYZE", () => {
    for (const [name, types] of [
      ["pg_clear_relation_stats", "25 25"],
      ["pg_clear_attribute_stats", "25 25 25 16"],
      ["pg_restore_relation_stats", "2276"],
      ["pg_restore_attribute_stats", "2276"],
    ] as const)
      assert.equal(behaviourOf("pg_catalog", name, types).effect, "outside", name);
  });

  test("what is not listed is not known", () => {
    assert.deepEqual(behaviourOf("pg_catalog", "lower", "25").effect, "total");
    for (const behaviour of [
      behaviourOf("pg_catalog", "lower", "23"),
      behaviourOf("pg_catalog", "of_a_later_version", ""),
      behaviourOf("information_schema", "lower", "25"),
    ]) {
      assert.equal(behaviour.effect, "unknown");
      assert.equal(behaviour.opaque, true);
    }
  });

  test("a function that somebody put in the place of the server's own is not the server's", async () => {
    await rich.client.query("BEGIN");
    await rich.client.query("SET LOCAL allow_system_table_mods = on");
    await rich.client.query(
      "CREATE OR REPLACE FUNCTION pg_catalog.pi() RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RETURN 3; END'",
    );
    const { loadCatalog } = await import("../../../src/sql/postgres/catalog.ts");
    const catalog = await loadCatalog(rich.query, {}, "within a transaction");
    await rich.client.query("ROLLBACK");
    const use = analyze("SELECT pi()", catalog, SCOPE).statements[0]!.facts.functions[0]!;
    assert.equal(use.kind, "known");
    assert.equal(use.opaque, true);
  });

  test("what changes something that others see is a write, what concerns the session is not", () => {
    const classOf = (text: string): string => analyze(text, rich.catalog, SCOPE).statements[0]!.facts.class;
    for (const call of [
      "nextval('numbers')",
      "pg_advisory_lock(1)",
      "lo_put(1, 0, '')",
      "pg_stat_reset()",
      "pg_reload_conf()",
    ])
      assert.equal(classOf(`SELECT ${call}`), "write", call);
    for (const call of ["lo_get(1)", "set_config('a.b', 'x', true)", "pg_notify('a', 'b')", "currval('numbers')"])
      assert.equal(classOf(`SELECT ${call}`), "read", call);
  });
});
