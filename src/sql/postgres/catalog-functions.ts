// The functions of a catalog: the rows of pg_proc, made into entries by name only when a statement names one.
import type { FunctionUse } from "../../core/facts.ts";
import { behaviourOf, UNKNOWN_BEHAVIOUR } from "./builtins.ts";
import { FIRST_NORMAL_OID } from "./catalog-rows.ts";
import { numbersOf, type Row, type Rows } from "./catalog-store.ts";
import type { FunctionEntry, FunctionKind } from "./model.ts";
import { unknownFunction } from "./model.ts";

const VOLATILITIES: { readonly [code: string]: FunctionUse["volatility"] } = {
  i: "immutable",
  s: "stable",
  v: "volatile",
};
const FUNCTION_KINDS: { readonly [code: string]: FunctionKind } = {
  f: "function",
  p: "procedure",
  a: "aggregate",
  w: "window",
};

export class CatalogFunctions {
  readonly #byName: ReadonlyMap<string, readonly Row[]>;
  readonly #byOid = new Map<number, Row>();
  readonly #entries = new Map<string, readonly FunctionEntry[]>();
  readonly #uses = new Map<FunctionUse, FunctionEntry>();
  readonly #bodies = new Map<string, Row>();
  readonly #roles: ReadonlyMap<string, string>;
  readonly #aggregates = new Map<string, Row>();

  constructor(rows: Rows) {
    this.#roles = new Map(rows.roles.map((row) => [row[0]!, row[1]!]));
    this.#byName = Map.groupBy(rows.functions, (row) => row[2]!);
    for (const row of rows.functions) this.#byOid.set(Number(row[0]), row);
    for (const row of [...rows.textBodies, ...rows.boundBodies]) this.#bodies.set(row[0]!, row);
    for (const row of rows.aggregates) this.#aggregates.set(row[0]!, row);
  }

  named(name: string): readonly FunctionEntry[] {
    let entries = this.#entries.get(name);
    if (entries === undefined) {
      const rows = this.#byName.get(name);
      if (rows === undefined) return [];
      entries = rows.map((row) => entryOf(row, this.#bodies.get(row[0]!), this.#aggregates.get(row[0]!), this.#roles));
      this.#entries.set(name, entries);
      for (const entry of entries) this.#uses.set(entry.use, entry);
    }
    return entries;
  }

  byOid(oid: number): FunctionEntry | undefined {
    const row = this.#byOid.get(oid);
    return row === undefined ? undefined : this.named(row[2]!).find((entry) => entry.oid === oid);
  }

  of(use: FunctionUse): FunctionEntry | undefined {
    return this.#uses.get(use);
  }

  use(oid: number): FunctionUse {
    return this.byOid(oid)?.use ?? unknownFunction("", `function ${oid}`);
  }
}

/** In which the server's own functions are written. */
const SERVER_LANGUAGES = new Set(["internal", "c", "sql"]);

function entryOf(
  row: Row,
  body: Row | undefined,
  aggregate: Row | undefined,
  roles: ReadonlyMap<string, string>,
): FunctionEntry {
  const oid = Number(row[0]);
  const schema = row[1]!;
  const name = row[2]!;
  const volatility = VOLATILITIES[row[4]!] ?? "unknown";
  const builtin =
    oid < FIRST_NORMAL_OID &&
    (schema === "pg_catalog" || schema === "information_schema") &&
    // Somebody may have replaced what came with the server.
    SERVER_LANGUAGES.has(row[3]!);
  const behaviour = builtin ? behaviourOf(schema, name, row[11]!) : UNKNOWN_BEHAVIOUR;
  const count = Number(row[8]);
  const variadic = row[10] !== "0";
  return {
    oid,
    schema,
    name,
    kind: FUNCTION_KINDS[row[5]!] ?? "function",
    returnsSet: row[6] === "t",
    returns: Number(row[7]),
    minArguments: count - Number(row[9]) - (variadic ? 1 : 0),
    maxArguments: variadic ? Number.POSITIVE_INFINITY : count,
    argumentTypes: row[11] === "" ? [] : row[11]!.split(" ").map(Number),
    results: resultsOf(row),
    parameters: parametersOf(row),
    runs: aggregate === undefined ? [] : numbersOf(aggregate[1]!),
    ...(body === undefined
      ? {}
      : { body: { definition: body[1]!, securityDefiner: body[2] === "t", owner: roles.get(body[3]!) ?? "" } }),
    use: {
      schema,
      name,
      language: row[3]!,
      volatility,
      kind: builtin ? "builtin" : "known",
      effect: behaviour.effect,
      opaque: behaviour.opaque,
      reads: behaviour.reads.map((column) => `pg_catalog.${column}`),
    },
    behaviour,
    builtin,
    strict: row[16] === "t",
  };
}

/** All parameters in order, with their modes as in pg_proc. */
function parametersOf(row: Row): FunctionEntry["parameters"] {
  const types = (row[14] ?? row[11]!).split(" ").filter((type) => type !== "");
  const names = (row[13] == null ? [] : JSON.parse(row[13])) as (string | null)[];
  return types.map((type, at) => ({
    name: names[at] ?? "",
    type: Number(type),
    mode: (row[12]?.[at] ?? "i") as FunctionEntry["parameters"][number]["mode"],
  }));
}

/** The columns of OUT, INOUT and TABLE parameters. */
function resultsOf(row: Row): FunctionEntry["results"] {
  const modes = row[12];
  if (modes === null || modes === undefined || modes === "") return [];
  const names = (row[13] == null ? [] : JSON.parse(row[13])) as (string | null)[];
  const types = (row[14] ?? row[11]!).split(" ").map(Number);
  const results: { name: string; type: number }[] = [];
  for (let i = 0; i < modes.length; i++) {
    if (modes[i] === "o" || modes[i] === "b" || modes[i] === "t") {
      results.push({ name: names[i] || `column${results.length + 1}`, type: types[i]! });
    }
  }
  return results;
}
