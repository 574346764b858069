// What belongs to relations, put onto them: inheritance, keys, foreign keys, code that runs with their rows, policies, checks and views.
import type { FunctionUse } from "../../core/facts.ts";
import { namesActing } from "./acting.ts";
import type { CatalogFunctions } from "./catalog-functions.ts";
import { numbersOf, type Row, type Rows } from "./catalog-store.ts";
import type { Check, Relation } from "./model.ts";

type ByOid = ReadonlyMap<number, Relation>;

/** Completes the relations in place. */
export function attach(rows: Rows, byOid: ByOid, functions: CatalogFunctions): void {
  inheritance(rows.inheritance, byOid);
  keysAndIndexes(rows, byOid);
  computations(rows, byOid);
  foreignKeys(rows.references, byOid);
  codeOfUsers(rows, byOid, functions);
  policies(rows, byOid, functions);
  views(rows, byOid);
}

const relationAt = (byOid: ByOid, oid: string | null | undefined): Relation | undefined => byOid.get(Number(oid));

/** Each row with the relation whose OID it begins with; other rows are of what is not read. */
function each(rows: readonly Row[], byOid: ByOid, put: (relation: Relation, row: Row) => void): void {
  for (const row of rows) {
    const relation = relationAt(byOid, row[0]);
    if (relation !== undefined) put(relation, row);
  }
}

function inheritance(rows: readonly Row[], byOid: ByOid): void {
  each(rows, byOid, (child, row) => {
    const parent = relationAt(byOid, row[1]);
    if (parent === undefined) return;
    child.parents = [...child.parents, parent];
    // Partitions may be many: one growing list for each parent.
    if (parent.children.length === 0) parent.children = [];
    parent.children.push(child);
  });
}

function keysAndIndexes(rows: Rows, byOid: ByOid): void {
  each(rows.keys, byOid, (relation, row) => {
    const columns = numbersOf(row[1]!);
    if (row[3] === "t") relation.keys = [...relation.keys, columns];
    if (row[3] === "t" && row[6] === "t") relation.primaryKey = columns;
    const unique = {
      name: row[2]!,
      columns: row[4] == null ? undefined : numbersOf(row[4]),
      computed: numbersOf(row[5]!),
    };
    relation.uniques = [...relation.uniques, unique];
  });
  each(rows.partitioned, byOid, (relation, row) => {
    relation.partitionKey = numbersOf(row[1]!);
    relation.partitionExpressions = numbersOf(row[2]!);
  });
  each(rows.indexes, byOid, (index, row) => {
    index.indexed = relationAt(byOid, row[1]);
  });
  each(rows.sorted, byOid, (table, row) => {
    const index = relationAt(byOid, row[1]);
    if (index === undefined) return;
    index.sortedBy = numbersOf(row[2]!);
    if (row[3] === "t") table.clusteredOn = index;
  });
}

/** Generated columns, checks, and the other expressions that are computed of a row. */
function computations(rows: Rows, byOid: ByOid): void {
  each(rows.generated, byOid, (relation, row) => {
    const column = Number(row[1]);
    const base = Number(row[2]);
    const bases = relation.generated.get(column) ?? [];
    relation.generated = new Map([...relation.generated, [column, base === 0 ? bases : [...bases, base]]]);
  });
  each(rows.virtual, byOid, (relation, row) => {
    relation.virtual = new Map([...relation.virtual, [Number(row[1]), row[2]!]]);
  });
  each(rows.checks, byOid, (relation, row) => {
    const check = {
      kind: CHECK_KINDS[row[1]!] ?? "check",
      columns: numbersOf(row[2] ?? ""),
      valid: row[3] === "t",
      definition: row[4] ?? "",
    };
    relation.checks = [...relation.checks, check];
  });
  each(rows.computed, byOid, (relation, row) => {
    const computed = { decides: row[1] === "decides", columns: numbersOf(row[2]!), definition: row[3]! };
    relation.computed = [...relation.computed, computed];
  });
}

const CHECK_KINDS: { readonly [code: string]: Check["kind"] } = { c: "check", n: "not null", u: "unique" };

/** Foreign keys, and what deleting or changing a row of the parent does to the child's. */
function foreignKeys(rows: readonly Row[], byOid: ByOid): void {
  each(rows, byOid, (child, row) => {
    const parent = relationAt(byOid, row[1]);
    if (parent === undefined) return;
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
  });
}

/** Triggers, expressions of defaults, checks and indexes, and rules: what runs, and at which commands. */
function codeOfUsers(rows: Rows, byOid: ByOid, functions: CatalogFunctions): void {
  each(rows.triggers, byOid, (relation, row) => {
    // The server's own trigger functions work on the row alone. One of them tells by what it does whether the row changes; and what is said
    // to WHEN may do something.
    const own = functions.use(Number(row[1]));
    const harmless = own.kind === "builtin" && own.name !== "suppress_redundant_updates_trigger";
    if (harmless && row[3] !== "" && !namesActing(row[3]!)) return;
    relation.attached = [
      ...relation.attached,
      {
        kind: "trigger",
        use: own.kind === "builtin" ? { ...own, opaque: true } : own,
        on: triggerEvents(Number(row[2])),
        definition: row[3]!,
        deferrable: row[4] === "t",
      },
    ];
  });
  each(rows.attached, byOid, (relation, row) => {
    const uses = numbersOf(row[1]!).map((oid) => functions.use(oid));
    relation.attached = [
      ...relation.attached,
      {
        kind: "expression",
        use: uses[0]!,
        uses,
        definition: row[4]!,
        ...(row[3] == null ? {} : { column: Number(row[3]) }),
        on: row[2] === "t" ? ["select", "insert", "update", "delete"] : ["insert", "update"],
      },
    ];
  });
  each(rows.rules, byOid, (relation, row) => {
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
    relation.attached = [
      ...relation.attached,
      { kind: "rule", use, on: RULE_EVENTS[row[2]!] ?? [], definition: row[3]! },
    ];
  });
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

/** pg_rewrite.ev_type (CmdType in nodes.h). */
const RULE_EVENTS: { readonly [code: string]: readonly string[] } = { 2: ["update"], 3: ["insert"], 4: ["delete"] };

/** Row-level security, and whom it spares. */
function policies(rows: Rows, byOid: ByOid, functions: CatalogFunctions): void {
  each(rows.policies, byOid, (relation, row) => {
    const policy = {
      command: row[1]!,
      using: row[2] ?? undefined,
      check: row[3] ?? undefined,
      columns: numbersOf(row[4] ?? ""),
      uses: numbersOf(row[5] ?? "").map((oid) => functions.use(oid)),
    };
    relation.policies = [...relation.policies, policy];
  });
  each(rows.exempt, byOid, (relation, row) => {
    relation.exempt = row[1] ?? undefined;
  });
}

function views(rows: Rows, byOid: ByOid): void {
  each(rows.views, byOid, (relation, row) => {
    relation.definition = row[1]!;
  });
  each(rows.dependencies, byOid, (relation, row) => {
    relation.dependencies = [...relation.dependencies, [Number(row[1]), Number(row[2])]];
  });
}
