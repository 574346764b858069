// Builds a catalog of what its rows say, and binds the tags of a classification to it.
import { hash } from "node:crypto";
import type { FunctionUse } from "../../core/facts.ts";
import { RegateError } from "../../errors.ts";
import { splitName } from "../../core/qualified-name.ts";
import { attach } from "./catalog-attach.ts";
import { CatalogFunctions } from "./catalog-functions.ts";
import { type CatalogStore, PART_NAMES, type Rows } from "./catalog-store.ts";
import type { Cast, CatalogContent, Operator, TypeEntry, UserCast, UserOperator } from "./catalog.ts";
import type { Completion, RelationKind } from "./model.ts";
import { Relation } from "./model.ts";
import { readsSettings } from "./own-settings.ts";
import { Declared, RESERVED_TAGS } from "./tags.ts";

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
    readsSettings: readsSettings(rows),
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
function build(
  rows: Rows,
  serverVersion: number,
  version: string,
  declared: Declared,
  complete: Completion,
): Omit<CatalogContent, "incomplete" | "readsSettings" | "schemaRights"> {
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
  const functions = new CatalogFunctions(rows);
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
    typesByName: Map.groupBy(types, (type) => type.name),
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
