// Builds maps of what the rows of a catalog say.
import { hash } from "node:crypto";
import type { FunctionUse } from "../../core/facts.ts";
import { RegateError } from "../../errors.ts";
import { behaviourOf, UNKNOWN_BEHAVIOUR } from "./builtins.ts";
import { FIRST_NORMAL_OID, type PartName } from "./catalog-rows.ts";
import { type CatalogStore, PART_NAMES, type Row } from "./catalog-store.ts";
import type { Cast, CatalogContent, Operator, TypeEntry, UserCast, UserOperator } from "./catalog.ts";
import type { Attached, Check, Completion, FunctionEntry, FunctionKind, RelationKind } from "./model.ts";
import { Relation, unknownFunction } from "./model.ts";
import { Declared, RESERVED_TAGS, splitName } from "./tags.ts";

type Rows = { readonly [Name in PartName]: readonly Row[] };

/** What the rows of a store mean, with the tags of a classification. @throws RegateError CATALOG_UNAVAILABLE */
export function buildCatalog(
  store: CatalogStore,
  classification: unknown,
  complete: Completion,
): { content: CatalogContent; unmatched: string[] } {
  const declared = new Declared(classification);
  if (declared.malformed.length > 0) {
    throw new RegateError("CATALOG_UNAVAILABLE", {
      detail: `the bundle's data.classification is not of the form {"schema.table.column": ["tag"]}, with any tag but ${RESERVED_TAGS.join(" and ")}: ${declared.malformed.slice(0, 5).join(", ")}`,
      hint: "Correct the bundle's data: a tag that cannot be bound would silently protect nothing.",
    });
  }
  const rows = Object.fromEntries(PART_NAMES.map((name) => [name, [...store.rows(name)]])) as unknown as Rows;
  const version = hash("sha256", `${store.digest}\n${JSON.stringify(classification)}`, "base64url").slice(0, 22);
  const content = {
    ...build(rows, store.serverVersion, version, declared, complete),
    incomplete: store.incomplete,
    schemaRights: schemaRights(store),
  };
  return { content, unmatched: unmatchedKeys(classification, content) };
}

const KINDS: { readonly [relkind: string]: RelationKind } = {
  r: "table",
  p: "partitioned_table",
  v: "view",
  m: "materialized_view",
  f: "foreign_table",
  S: "sequence",
  i: "index",
  I: "index",
  c: "composite",
  t: "toast",
};
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

function build(
  rows: Rows,
  serverVersion: number,
  version: string,
  declared: Declared,
  complete: Completion,
): Omit<CatalogContent, "incomplete" | "schemaRights"> {
  const relations = new Map<string, Map<string, Relation>>();
  const byOid = new Map<number, Relation>();
  const byRowType = new Map<number, Relation>();
  const toastOwners: [owner: number, toast: number][] = [];
  for (const row of rows.relations) {
    const relation = new Relation(
      {
        oid: Number(row[0]),
        schema: row[1]!,
        name: row[2]!,
        kind: KINDS[row[3]!] ?? "unknown",
        rowType: Number(row[4]),
        columns: row[6]!,
      },
      complete,
    );
    const names = relations.get(relation.schema) ?? new Map<string, Relation>();
    relations.set(relation.schema, names);
    names.set(relation.name, relation);
    byOid.set(relation.oid, relation);
    if (relation.rowType !== 0) byRowType.set(relation.rowType, relation);
    if (row[5] !== "0") toastOwners.push([relation.oid, Number(row[5])]);
  }
  for (const [owner, toast] of toastOwners) {
    const relation = byOid.get(toast);
    if (relation !== undefined) relation.owner = byOid.get(owner);
  }
  const functions = new Functions(rows);
  attach(rows, byOid, functions);
  const types = rows.types.map(
    (row): TypeEntry => ({
      oid: Number(row[0]),
      schema: row[1]!,
      name: row[2]!,
      display: row[3]!,
      element: Number(row[4]),
      base: Number(row[5]),
      kind: row[6]!,
      category: row[7]!,
      preferred: row[8] === "t",
    }),
  );
  const domains = new Map<number, FunctionUse[]>();
  for (const row of rows.domains) push(domains, Number(row[0]), functions.use(Number(row[1])));
  const domainDefaults = new Map<number, FunctionUse[]>();
  for (const row of rows.domainDefaults) push(domainDefaults, Number(row[0]), functions.use(Number(row[1])));
  const operators = new Map<string, UserOperator[]>();
  const allOperators = new Map<string, Operator[]>();
  for (const [, name, schema, ...row] of rows.operators) {
    const [left, right, result, code] = row.slice(0, 4).map(Number) as [number, number, number, number];
    const use = row[4] === "t" ? functions.use(code) : undefined;
    const operator = { schema: schema!, left, right, result, code, use };
    push(allOperators, name!, operator);
    if (use !== undefined) push(operators, name!, { ...operator, use });
  }
  const casts: UserCast[] = [];
  const implicitTargets = new Set<number>();
  const allCasts = new Map<number, Map<number, Cast>>();
  for (const [, ...row] of rows.casts) {
    const [source, target, code] = row.slice(0, 3).map(Number) as [number, number, number];
    const targets = allCasts.get(source) ?? new Map<number, Cast>();
    allCasts.set(source, targets.set(target, { context: row[3]!, method: row[4]!, code }));
    if (row[5] === "t") casts.push({ source, target, use: functions.use(code), implicit: row[3] !== "e" });
    if (row[6] === "t" && row[3] === "i") implicitTargets.add(target);
  }
  return {
    version,
    serverVersion,
    declared,
    relations,
    byOid,
    byRowType,
    types: new Map(types.map((type) => [type.oid, type])),
    typesByName: groupByName(types),
    arrays: new Map(
      types.flatMap((type) => (type.element !== 0 && type.name.startsWith("_") ? [[type.element, type.oid]] : [])),
    ),
    functionsNamed: (name) => functions.named(name),
    functionByOid: (oid) => functions.byOid(oid),
    functionOf: (use) => functions.of(use),
    schemas: () => [
      ...new Set([...relations.keys(), ...rows.types.map((row) => row[1]!), ...rows.functions.map((row) => row[1]!)]),
    ],
    allOperators,
    allCasts,
    ranges: new Map(rows.ranges.map((row) => [Number(row[0]), Number(row[1])])),
    operators,
    casts,
    implicitTargets,
    domains,
    domainDefaults,
    eventTriggers: rows.eventTriggers.map((row) => ({
      event: row[1]!,
      use: functions.use(Number(row[2])),
      tags: row[3] === null || row[3] === undefined ? undefined : row[3].split(","),
    })),
  };
}

/** Inheritance, keys, cascades, triggers, rules and views, onto the relations that they belong to. */
function attach(rows: Rows, byOid: ReadonlyMap<number, Relation>, functions: Functions): void {
  const at = (oid: string | null | undefined): Relation | undefined => byOid.get(Number(oid));
  for (const row of rows.inheritance) {
    const child = at(row[0]);
    const parent = at(row[1]);
    if (child === undefined || parent === undefined) continue;
    child.parents = [...child.parents, parent];
    // Partitions may be many: one growing list for each parent.
    if (parent.children.length === 0) parent.children = [];
    parent.children.push(child);
  }
  for (const row of rows.keys) {
    const relation = at(row[0]);
    if (relation === undefined) continue;
    const columns = numbersOf(row[1]!);
    if (row[3] === "t") relation.keys = [...relation.keys, columns];
    if (row[3] === "t" && row[6] === "t") relation.primaryKey = columns;
    const unique = {
      name: row[2]!,
      columns: row[4] == null ? undefined : numbersOf(row[4]),
      computed: numbersOf(row[5]!),
    };
    relation.uniques = [...relation.uniques, unique];
  }
  for (const row of rows.partitioned) {
    const relation = at(row[0]);
    if (relation === undefined) continue;
    relation.partitionKey = numbersOf(row[1]!);
    relation.partitionExpressions = numbersOf(row[2]!);
  }
  for (const row of rows.indexes) {
    const relation = at(row[0]);
    if (relation !== undefined) relation.indexed = at(row[1]);
  }
  for (const row of rows.sorted) {
    const table = at(row[0]);
    const index = at(row[1]);
    if (table === undefined || index === undefined) continue;
    index.sortedBy = numbersOf(row[2]!);
    if (row[3] === "t") table.clusteredOn = index;
  }
  for (const row of rows.generated) {
    const relation = at(row[0]);
    if (relation === undefined) continue;
    const column = Number(row[1]);
    const base = Number(row[2]);
    const bases = relation.generated.get(column) ?? [];
    relation.generated = new Map([...relation.generated, [column, base === 0 ? bases : [...bases, base]]]);
  }
  for (const row of rows.references) {
    const child = at(row[0]);
    const parent = at(row[1]);
    if (child === undefined || parent === undefined) continue;
    const reference = {
      child,
      columns: numbersOf(row[4]!),
      parent,
      parentColumns: numbersOf(row[5]!),
      onDelete: row[2]!,
      onUpdate: row[3]!,
      repeated: row[6] === "t",
    };
    child.foreignKeys = [...child.foreignKeys, reference];
    parent.referredBy = [...parent.referredBy, reference];
    if (!parent.referring.includes(child)) {
      parent.referring = [...parent.referring, child];
      child.references = [...child.references, parent];
    }
    const added = [...parent.cascades];
    if ("cnd".includes(row[2]!)) added.push({ child, on: "delete", access: row[2] === "c" ? "delete" : "update" });
    if ("cnd".includes(row[3]!)) added.push({ child, on: "update", access: "update" });
    parent.cascades = added;
  }
  const add = (relation: Relation | undefined, attached: Attached): void => {
    if (relation !== undefined) relation.attached = [...relation.attached, attached];
  };
  for (const row of rows.triggers) {
    // The server's own trigger functions work on the row alone. One of them tells by what it does whether the row changes.
    const own = functions.use(Number(row[1]));
    if (own.kind === "builtin" && own.name !== "suppress_redundant_updates_trigger") continue;
    const use: FunctionUse = own.kind === "builtin" ? { ...own, opaque: true } : own;
    add(at(row[0]), {
      kind: "trigger",
      use,
      on: triggerEvents(Number(row[2])),
      definition: row[3]!,
      deferrable: row[4] === "t",
    });
  }
  for (const row of rows.attached) {
    const uses = numbersOf(row[1]!).map((oid) => functions.use(oid));
    add(at(row[0]), {
      kind: "expression",
      use: uses[0]!,
      uses,
      definition: row[4]!,
      ...(row[3] == null ? {} : { column: Number(row[3]) }),
      on: row[2] === "t" ? ["select", "insert", "update", "delete"] : ["insert", "update"],
    });
  }
  for (const row of rows.policies) {
    const relation = at(row[0]);
    if (relation === undefined) continue;
    const policy = {
      command: row[1]!,
      using: row[2] ?? undefined,
      check: row[3] ?? undefined,
      columns: numbersOf(row[4] ?? ""),
      uses: numbersOf(row[5] ?? "").map((oid) => functions.use(oid)),
    };
    relation.policies = [...relation.policies, policy];
  }
  for (const [oid, role] of rows.exempt) {
    const relation = at(oid);
    if (relation !== undefined) relation.exempt = role ?? undefined;
  }
  for (const row of rows.checks) {
    const relation = at(row[0]);
    if (relation === undefined) continue;
    const check = { kind: CHECK_KINDS[row[1]!] ?? "check", columns: numbersOf(row[2] ?? ""), valid: row[3] === "t" };
    relation.checks = [...relation.checks, check];
  }
  for (const row of rows.computed) {
    const relation = at(row[0]);
    if (relation === undefined) continue;
    const computed = { decides: row[1] === "decides", columns: numbersOf(row[2]!), definition: row[3]! };
    relation.computed = [...relation.computed, computed];
  }
  for (const row of rows.rules) {
    const relation = at(row[0]);
    if (relation === undefined) continue;
    const use: FunctionUse = {
      schema: relation.factSchema,
      name: `${relation.name}.${row[1]}`,
      language: "rule",
      volatility: "volatile",
      kind: "known",
      effect: "unknown",
      opaque: true,
      reads: [],
    };
    add(relation, { kind: "rule", use, on: RULE_EVENTS[row[2]!] ?? [], definition: row[3]! });
  }
  for (const row of rows.views) {
    const relation = at(row[0]);
    if (relation !== undefined) relation.definition = row[1]!;
  }
  for (const row of rows.dependencies) {
    const relation = at(row[0]);
    if (relation !== undefined) relation.dependencies = [...relation.dependencies, [Number(row[1]), Number(row[2])]];
  }
}

function numbersOf(list: string): number[] {
  return list === "" ? [] : list.split(" ").map(Number);
}

/** The bits of pg_trigger.tgtype (catalog/pg_trigger.h). */
function triggerEvents(bits: number): string[] {
  const events: string[] = [];
  if (bits & 4) events.push("insert");
  if (bits & 8) events.push("delete");
  if (bits & 16) events.push("update");
  if (bits & 32) events.push("truncate");
  return events;
}

const CHECK_KINDS: { readonly [code: string]: Check["kind"] } = { c: "check", n: "not null", u: "unique" };

/** pg_rewrite.ev_type (CmdType in nodes.h). */
const RULE_EVENTS: { readonly [code: string]: readonly string[] } = { 2: ["update"], 3: ["insert"], 4: ["delete"] };

/** pg_proc, made into entries by name only when a statement names one. */
class Functions {
  readonly #byName = new Map<string, Row[]>();
  readonly #byOid = new Map<number, Row>();
  readonly #entries = new Map<string, readonly FunctionEntry[]>();
  readonly #uses = new Map<FunctionUse, FunctionEntry>();
  readonly #bodies = new Map<string, Row>();
  readonly #roles: ReadonlyMap<string, string>;
  readonly #aggregates = new Map<string, Row>();

  constructor(rows: Rows) {
    this.#roles = new Map(rows.roles.map((row) => [row[0]!, row[1]!]));
    for (const row of rows.functions) {
      push(this.#byName, row[2]!, row);
      this.#byOid.set(Number(row[0]), row);
    }
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

function unmatchedKeys(classification: unknown, content: CatalogContent): string[] {
  if (typeof classification !== "object" || classification === null) return [];
  return Object.keys(classification).filter((key) => {
    const parts = splitName(key)!;
    const relations = content.relations.get(parts[0]!);
    if (parts.length === 1) return relations === undefined;
    const relation = relations?.get(parts[1]!);
    if (relation === undefined) return true;
    return parts.length === 3 && !relation.rows().some((row) => row.name === parts[2]);
  });
}

function groupByName(types: readonly TypeEntry[]): Map<string, TypeEntry[]> {
  const result = new Map<string, TypeEntry[]>();
  for (const type of types) push(result, type.name, type);
  return result;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Sessions make temporary schemas all the time, and each knows its own. */
function schemaRights(store: CatalogStore): string {
  const lasting = store.of("schemas", 0).filter(([, name]) => !/^pg_(toast_)?temp_\d+$/.test(name ?? ""));
  return hash("sha256", JSON.stringify(lasting), "base64url").slice(0, 22);
}
