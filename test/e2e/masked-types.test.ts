// Drivers read columns of every type under every mask, in both formats, prepared and executed many times, and with cursors: none fails, and none sees a value.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pg from "pg";
import type { MaskRequest } from "../../src/masking/index.ts";
import { maskNames } from "../../src/masking/index.ts";
import { debianBin, PGJDBC, VENV } from "../../tools/setup.ts";
import { keeps, samples } from "../masking/samples.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import { client, type Ran } from "./twice.ts";

const here = import.meta.dirname;
const bin = process.env.REGATE_TEST_PG ?? debianBin();
const server = await startServer(bin === undefined ? {} : { bin });

/** The mask of each tag; a tag has the name of its mask. */
const masks: { readonly [tag: string]: MaskRequest } = {
  null: { mask: "null" },
  redact: { mask: "redact" },
  partial: { mask: "partial", keep_last: 2 },
  hash: { mask: "hash" },
  email: { mask: "email" },
  truncate: { mask: "truncate", to: "decade", digits: 1 },
  tokenize: { mask: "tokenize", key: "cards", tweak: "t" },
  json: { mask: "json", paths: [{ path: "$.a", mask: "redact" }] },
  detect: { mask: "detect" },
};

/** Values of types that only a server has, as expressions. Of those without there is no way to make one: their columns hold NULL. */
const made: { readonly [type: string]: string } = {
  pg_node_tree: "(SELECT ev_action FROM pg_rewrite LIMIT 1)",
  pg_ndistinct: "(SELECT stxdndistinct FROM pg_statistic_ext_data LIMIT 1)",
  pg_dependencies: "(SELECT stxddependencies FROM pg_statistic_ext_data LIMIT 1)",
  pg_mcv_list: "(SELECT stxdmcv FROM pg_statistic_ext_data LIMIT 1)",
};
const valueless = ["gtsvector", "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary"];
const values: { readonly [type: string]: readonly string[] } = {
  ...samples,
  aclitem: ["postgres=r/postgres"],
  cardinal_number: ["12345"],
  character_data: ["secret data"],
  sql_identifier: ["secret_name"],
  time_stamp: ["1987-11-23 12:34:56.789+01"],
  yes_or_no: ["YES"],
  refcursor: ["secret cursor"],
  // Without a binary form that a driver knows: a type with code in C, an enum's domain, a composite of domains, a range and its multirange, domains of all that.
  hstore: ['"secret"=>"4111111111111111"'],
  ltree: ["secret.path"],
  cube: ["(1, 2, 3)"],
  isbn: ["978-0-393-04002-9"],
  feeling: ["happy"],
  person: ['(secret,"(1,secret)","{abc,NULL}")'],
  textrange: ["[secret,serious]"],
  textmultirange: ["{[secret,serious]}"],
  people: ['{"(secret,\\"(1,secret)\\",{abc})"}'],
  one: ['(secret,"(1,secret)",{abc})'],
};
/** Drivers' languages have no such years: these stand in rows of their own. */
const temporal = new Set(["date", "timestamp", "timestamptz", "time", "timetz"]);

type Type = { name: string; type: string; array: string | null; delimiter: string; sends: boolean };
const owner = new pg.Client(server.url("postgres", "shop"));
await owner.connect();
await owner.query(`
  CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION cube; CREATE EXTENSION isn;
  CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE DOMAIN feeling AS mood; CREATE DOMAIN short AS varchar(3); CREATE TYPE pair AS (a int, b text);
  CREATE TYPE person AS (name varchar(20), inner_pair pair, shorts short[]); CREATE DOMAIN people AS person[]; CREATE DOMAIN one AS person;
  CREATE TYPE textrange AS RANGE (subtype = text, multirange_type_name = textmultirange);
  CREATE STATISTICS both_known (ndistinct, dependencies, mcv) ON customer_id, status FROM orders; ANALYZE orders;
  CREATE SCHEMA masked; GRANT USAGE ON SCHEMA masked TO app`);
const types = (
  await owner.query<Type>(
    `SELECT t.typname AS name, format_type(t.oid, NULL) AS type, nullif(t.typarray, 0)::regtype::text AS array, t.typdelim AS delimiter, t.typsend <> 0 AS sends
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typtype <> 'p' AND (t.typtype <> 'c' OR t.typname = ANY ($1)) AND (t.typelem = 0 OR t.typsubscript <> 'array_subscript_handler'::regproc)
       AND n.nspname IN ('pg_catalog', 'information_schema', 'public') AND (n.nspname <> 'public' OR t.typname = ANY ($1)) ORDER BY t.typname`,
    [Object.keys(values)],
  )
).rows;
// As "character" it would be of one character.
for (const type of types) if (type.name === "bpchar") Object.assign(type, { type: "bpchar", array: "bpchar[]" });
const samplesOf = (name: string): readonly string[] => values[name] ?? values[`"${name}"`] ?? [];

/** The values in a row of the tables: 0 has none, 1 to 9 ordinary ones, from 10 on those of dates and times that are rare. */
function rowSamples({ name }: Type, row: number, array: boolean): readonly string[] {
  const all = samplesOf(name);
  if (temporal.has(name)) return row === 1 ? all.slice(0, 1) : all.slice(1).slice(row - 10, row < 10 ? 0 : row - 9);
  if (row === 1 && array) return all;
  return all.slice(row - 1, row === 0 ? 0 : row);
}
const ROWS = [0, 1, 2, 3, 4, 5, 6, 10, 11, 12];
const literal = (value: string): string => owner.escapeLiteral(value);
const quoted = (value: string): string => `"${value.replaceAll(/["\\]/g, "\\$&")}"`;

/** One table for each mask, with a column of each type and one of its array; in another one the types that have no binary form. */
async function create(tag: string): Promise<string[]> {
  const tables: string[] = [];
  for (const sends of [true, false]) {
    const table = `${tag}${sends ? "" : "_text"}`;
    const mine = types.filter((type) => type.sends === sends);
    const columns = mine.flatMap(({ name, type, array }) => [
      `"c_${name}" ${type}`,
      ...(array === null ? [] : [`"a_${name}" ${array}`]),
    ]);
    await owner.query(`CREATE TABLE masked.${table} (id int PRIMARY KEY, ${columns.join(", ")})`);
    for (const row of ROWS) {
      const cells = mine.flatMap((type) => {
        const one = rowSamples(type, row, false)[0];
        const expression = one !== undefined ? literal(one) : row === 1 ? (made[type.name] ?? "NULL") : "NULL";
        if (type.array === null) return [expression];
        const many = rowSamples(type, row, true);
        const list = [...many.map(quoted), "NULL", ...many.map(quoted)].join(type.delimiter);
        return [expression, many.length === 0 ? "NULL" : `${literal(`{${list}}`)}::${type.array}`];
      });
      await owner.query(`INSERT INTO masked.${table} VALUES (${row}, ${cells.join(", ")})`);
    }
    await owner.query(`GRANT SELECT ON masked.${table} TO app`);
    for (const type of mine)
      for (const kind of type.array === null ? ["c"] : ["c", "a"])
        classification[`masked.${table}.${kind}_${type.name}`] = [tag];
    tables.push(table);
  }
  return tables;
}
const classification: { [column: string]: string[] } = {};
const tables: string[] = [];
for (const tag of Object.keys(masks)) tables.push(...(await create(tag)));
await owner.end();

const dataDir = join(temporaryFolder("masked-types"), "data");
mkdirSync(join(dataDir, "keys", "tokenize"), { recursive: true, mode: 0o700 });
writeFileSync(
  join(dataDir, "keys", "tokenize", "cards.json"),
  JSON.stringify({ keys: [{ kty: "oct", kid: "1", k: Buffer.alloc(32, 7).toString("base64url") }] }),
  { mode: 0o600 },
);
const gate = await startGate({
  policy: "mask_tagged",
  data: { masks, classification: { shop: classification } },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
  dataDir,
});
const [host, port] = gate.postgres.split(":") as [string, string];
const direct = {
  PGHOST: server.host,
  PGPORT: String(server.port),
  PGUSER: "app",
  PGPASSWORD: server.passwords.app,
  PGDATABASE: "shop",
};
const through = { ...direct, PGHOST: host, PGPORT: port, PGPASSWORD: await gate.token() };

/** What a driver printed: by table, and there by way, row and column. */
function cellsOf({ code, stdout, stderr }: Ran): Map<string, Map<string, string>> {
  assert.equal(code, 0, `${stdout.slice(-1000)}\n${stderr}`);
  const seen = new Map<string, Map<string, string>>();
  for (const line of stdout.split("\n").slice(0, -1)) {
    const [table, way, row, column, ...value] = line.split("\t");
    const cells = seen.get(table!) ?? new Map<string, string>();
    seen.set(table!, cells);
    const place = `${way}\t${row}\t${column}`;
    assert.ok(!cells.has(place), `${table}: it saw two values of ${place}`);
    cells.set(place, value.join("\t"));
  }
  return seen;
}

/** May a cell come out as it went in? */
function mayKeep(tag: string, row: number, column: string): boolean {
  const type = types.find(({ name }) => name === column.slice(2))!;
  const inside = rowSamples(type, row, column.startsWith("a_"));
  return inside.every((value) => keeps(masks[tag]!, value));
}

const DRIVERS: readonly (readonly [string, string, readonly string[], { cwd?: string }?])[] = [
  ["node-postgres", process.execPath, [join(here, "node", "pg-every-type.ts")]],
  ["psycopg 3", join(VENV, "bin", "python"), [join(here, "psycopg", "every_type.py")]],
  ["asyncpg", join(VENV, "bin", "python"), [join(here, "asyncpg", "every_type.py")]],
  ["pgx", "go", ["run", "./every-type"], { cwd: join(here, "pgx") }],
  ["pgjdbc", "java", ["-cp", join(PGJDBC, "postgresql.jar"), join(here, "pgjdbc", "EveryType.java")]],
];

test("each type of the server is read, and each mask", () => {
  assert.deepEqual(
    Object.values(masks)
      .map(({ mask }) => mask)
      .sort(),
    [...maskNames].sort(),
  );
  const without = types.filter(({ name }) => samplesOf(name).length === 0 && !(name in made)).map(({ name }) => name);
  assert.deepEqual(
    without.filter((name) => !valueless.includes(name)),
    [],
  );
  assert.ok(types.length > 90, String(types.length));
});

for (const [name, program, args, options] of DRIVERS) {
  test(`${name} reads every type under every mask`, async () => {
    const real = cellsOf(
      await client(direct, program, [...args, "null", "null_text"], { ...options, deadlineMs: 300_000 }),
    );
    const seen = cellsOf(await client(through, program, [...args, ...tables], { ...options, deadlineMs: 300_000 }));
    let compared = 0;
    for (const table of tables) {
      const tag = table.replace("_text", "");
      const unmasked = real.get(table.replace(tag, "null"))!;
      /** What `redact` gave, by way and column: always the same. */
      const redacted = new Map<string, string>();
      for (const [place, value] of unmasked) {
        const [way, row, column] = place.split("\t") as [string, string, string];
        if (column === "error") continue;
        const masked = seen.get(table)?.get(place) ?? assert.fail(`${table} ${place} was not read`);
        const what = `${table} ${place}: ${value} to ${masked}`;
        if (row === "rows") assert.equal(column, String(20 * 2 + ROWS.length - 2), what);
        else if (value === "NULL" || tag === "null") assert.equal(masked, "NULL", what);
        // What the driver has no value for tells nothing.
        else if (value !== "LOST" && !mayKeep(tag, Number(row), column)) {
          compared++;
          assert.notEqual(masked, value, what);
          if (value.length > 5) assert.ok(!masked.includes(value.slice(1)), what);
          if (tag !== "redact" || masked === "NULL") continue;
          assert.equal(masked, redacted.get(`${way} ${column}`) ?? masked, what);
          redacted.set(`${way} ${column}`, masked);
        }
      }
      for (const [place] of seen.get(table)!)
        assert.ok(!place.endsWith("\terror") || unmasked.has(place), `${table} ${place}`);
    }
    assert.ok(compared > 2000, String(compared));
  });
}
