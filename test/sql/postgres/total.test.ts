// What is said to be total gives a value, and neither an error nor a notice, for the nastiest values of its argument types.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classified } from "../../../src/sql/postgres/builtins.ts";
import { conversionIsTotal, isOrdered, isWritable, pathBetween } from "../../../src/sql/postgres/coercion.ts";
import { presentValues } from "./nasty.ts";
import { startRich } from "./support.ts";

const { client, query, catalog } = await startRich();
const values = await presentValues(query);
const major = Math.floor(catalog.serverVersion / 10_000);
const notices: string[] = [];
client.on("notice", (notice) => notices.push(notice.message ?? ""));

/** Polymorphic parameters are tried with each of these. */
const INSTANCES: { readonly [type: string]: readonly string[] } = {
  any: ["text", "int4", "json", "_int4", "tsvector"],
  anyelement: ["text", "numeric", "json", "timestamptz"],
  anynonarray: ["text", "float8", "json", "interval"],
  anyarray: ["_text", "_int4", "_float8", "_timestamptz"],
  anycompatible: ["text", "int4"],
  anycompatiblearray: ["_text", "_int4"],
  anyrange: ["int4range", "numrange", "tstzrange", "daterange"],
  anymultirange: ["int4multirange", "nummultirange", "tsmultirange"],
  anycompatiblerange: ["int4range"],
};
const COMPANION: { readonly [type: string]: string } = {
  _text: "text",
  _int4: "int4",
  _float8: "float8",
  _timestamptz: "timestamptz",
  int4range: "int4",
  numrange: "numeric",
  tstzrange: "timestamptz",
  daterange: "date",
  int4multirange: "int4",
  nummultirange: "numeric",
  tsmultirange: "timestamp",
};
const RANGES: { readonly [type: string]: string } = {
  int4multirange: "int4range",
  nummultirange: "numrange",
  tsmultirange: "tsrange",
};

/** The argument types to try: one list, or one for each type that a polymorphic parameter may stand for. */
function instances(types: readonly string[]): readonly (readonly string[])[] {
  const containers = types.filter((type) => INSTANCES[type] !== undefined);
  if (containers.length === 0) return [types];
  const leading =
    containers.find((type) => /multirange/.test(type)) ??
    containers.find((type) => /array|range/.test(type)) ??
    containers[0]!;
  return INSTANCES[leading]!.map((chosen) =>
    types.map((type) => {
      if (type === leading) return chosen;
      if (/range/.test(type) && RANGES[chosen] !== undefined) return RANGES[chosen]!;
      if (INSTANCES[type] !== undefined) return COMPANION[chosen] ?? chosen;
      return type;
    }),
  );
}

/** A table of every value of a type; of fewer where several are combined. */
function tableOf(type: string, count: number, at: number): string | undefined {
  const list = values.get(type);
  if (list === undefined) return undefined;
  const most = count < 3 ? 60 : count === 3 ? 12 : 6;
  const kept = list.length <= most ? list : list.filter((_, index) => index % Math.ceil(list.length / most) === 0);
  return `(VALUES ${kept.map((value) => `(${value})`).join(", ")}) a${at}(v)`;
}

/** What the server says instead of giving values; undefined where it gives them. */
async function complaint(sql: string): Promise<string | undefined> {
  notices.length = 0;
  try {
    await query(sql);
  } catch (error) {
    return (error as Error).message;
  }
  return notices[0];
}

await query("SET statement_timeout = '60s'");

describe("total functions", () => {
  for (const zone of ["UTC", "America/New_York", "Pacific/Kiritimati"]) {
    test(`give a value for every argument, in the time zone ${zone}`, async () => {
      await query(`SET TimeZone = '${zone}'`);
      const kinds = new Map<string, { kind: string; set: boolean; variadic: boolean }>();
      for (const [name, args, kind, set, variadic] of await query(KINDS))
        kinds.set(`${name}(${args})`, { kind: kind!, set: set === "t", variadic: variadic === "t" });
      let tried = 0;
      const failures: string[] = [];
      for (const [signature, { behaviour, first, last }] of classified()) {
        if (behaviour.effect !== "total" || major < first || major > last) continue;
        if (zone !== "UTC" && !/date|time/.test(signature)) continue;
        const entry = kinds.get(signature)!;
        const [name, list] = signature.slice(0, -1).split("(") as [string, string];
        if (entry.kind === "w") continue;
        for (const types of instances(list === "" ? [] : list.split(","))) {
          const tables = types.map((type, at) => tableOf(type, types.length, at));
          if (tables.includes(undefined)) continue;
          const args = types.map((_, at) =>
            entry.variadic && at === types.length - 1 && signature.endsWith(",_text)")
              ? `VARIADIC a${at}.v`
              : `a${at}.v`,
          );
          const call = `pg_catalog."${name}"(${signature === "count()" ? "*" : args.join(", ")})`;
          const from = tables.length === 0 ? "" : `FROM ${tables.join(", ")}`;
          const sql =
            entry.kind === "a"
              ? `SELECT ${call} ${from}`
              : entry.set
                ? `SELECT count(*) FROM ${[...tables, `LATERAL ${call} r`].join(", ")}`
                : `SELECT count(r) FROM (SELECT ${call} r ${from} OFFSET 0) s`;
          const said = await complaint(sql);
          tried++;
          if (said !== undefined) failures.push(`${name}(${types.join(", ")}): ${said.slice(0, 200)}`);
        }
      }
      assert.deepEqual(failures, []);
      assert.ok(tried > (zone === "UTC" ? 900 : 100), String(tried));
    });
  }

  const KINDS = `
    SELECT p.proname, array_to_string(ARRAY(SELECT t.typname FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(o, i)
      JOIN pg_type t ON t.oid = o ORDER BY i), ','), p.prokind, p.proretset, p.provariadic <> 0
    FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace`;
});

describe("total casts", () => {
  test("give a value for every one of their type", async () => {
    await query("SET TimeZone = 'America/New_York'");
    const oids = new Map(
      (await query("SELECT typname, oid FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace")).map(
        ([name, oid]) => [name!, Number(oid)],
      ),
    );
    let tried = 0;
    const failures: string[] = [];
    for (const source of values.keys()) {
      for (const target of values.keys()) {
        const [from, to] = [oids.get(source)!, oids.get(target)!];
        if (source === target || source === "unknown" || source === "cstring" || target === "cstring") continue;
        if (
          pathBetween(catalog, from, to, "explicit") === undefined ||
          !conversionIsTotal(catalog, from, to, "explicit")
        )
          continue;
        const said = await complaint(
          `SELECT count(r) FROM (SELECT a0.v::pg_catalog."${target}" r FROM ${tableOf(source, 1, 0)} OFFSET 0) s`,
        );
        tried++;
        if (said !== undefined) failures.push(`${source}::${target}: ${said.slice(0, 200)}`);
      }
    }
    assert.deepEqual(failures, []);
    assert.ok(tried > 300, String(tried));
  });

  test("types that can be written are, types with an order are compared", async () => {
    const oids = new Map(
      (await query("SELECT typname, oid FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace")).map(
        ([name, oid]) => [name!, Number(oid)],
      ),
    );
    for (const type of values.keys()) {
      const oid = oids.get(type)!;
      if (type === "unknown" || type === "cstring") continue;
      if (isWritable(catalog, oid)) {
        const said = await complaint(`SELECT count(concat(v, to_json(v), ARRAY[v]::text)) FROM ${tableOf(type, 1, 0)}`);
        assert.equal(said, undefined, type);
      }
      if (isOrdered(catalog, oid)) {
        const said = await complaint(
          `SELECT count(*) FROM (SELECT greatest(a0.v, a1.v), ARRAY[a0.v] = ARRAY[a1.v] FROM ${tableOf(type, 2, 0)}, ${tableOf(type, 2, 1)} ORDER BY a0.v, a1.v OFFSET 0) s`,
        );
        assert.equal(said, undefined, type);
      }
    }
  });
});
