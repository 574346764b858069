// What a catalog holds: relations, columns and functions, built from the server's rows when they are first needed.
import type { FunctionUse, Source } from "../../core/facts.ts";
import type { Behaviour } from "./builtins.ts";
import { collated } from "./collations.ts";
import type { Derivation, Value } from "./value.ts";

/** One column of a relation. One object per column and catalog, so that sets of columns are sets of objects. */
export class Column {
  readonly relation: Relation;
  readonly attnum: number;
  readonly name: string;
  readonly type: number;
  /** Length, precision and the like of its type (atttypmod); -1 without. */
  readonly modifier: number;
  /** What reading it means: itself, and for a view or a virtual column also the columns behind it. */
  readonly value: Value;
  #source: Source | undefined;
  readonly #tags: Tags;

  constructor(relation: Relation, row: ColumnRow, tags: Tags, behind?: Value) {
    this.relation = relation;
    this.attnum = row.attnum;
    this.name = row.name;
    this.type = row.type;
    this.modifier = row.modifier ?? -1;
    this.#tags = tags;
    const derivation: Derivation = behind === undefined ? "direct" : behind.derivation;
    const value: Value = {
      sources: behind === undefined ? [this] : [this, ...behind.sources],
      // A view's column that is a constant is still a column to the server; without sources it shows nothing.
      derivation: derivation === "expression" && behind?.sources.length === 0 ? "direct" : derivation,
      total: behind?.total ?? true,
      type: row.type,
    };
    this.value = collated(value, row.collation);
  }

  /** With the tags that flow to it from parents, children and from what it is computed of. */
  get source(): Source {
    if (this.#source === undefined) {
      const { factSchema: schema, name: table } = this.relation;
      const tags = typeof this.#tags === "function" ? this.#tags() : this.#tags;
      this.#source = { schema, table, column: this.name, tags };
    }
    return this.#source;
  }
}

/** As they are, or where it takes more of the catalog to tell, once they are asked for. */
type Tags = readonly string[] | (() => readonly string[]);

export type ColumnRow = {
  readonly attnum: number;
  readonly name: string;
  readonly type: number;
  readonly modifier?: number;
  /** Undefined: the database's own, that of its type, or none. */
  readonly collation?: number;
};

/** How the catalog completes a relation when its columns are first asked for. */
export type Completion = {
  columns(relation: Relation): readonly Column[];
  /** From now on somebody has been told of its columns. */
  looked(oid: number): void;
};

export type RelationKind =
  | "table"
  | "partitioned_table"
  | "view"
  | "materialized_view"
  | "foreign_table"
  | "sequence"
  | "index"
  | "composite"
  | "toast"
  | "unknown";

/** Code that the server runs on its own when a relation is used, installed by its owner. */
export type Attached = {
  /** expression: of a default, a check, a generated column, an index. */
  readonly kind: "trigger" | "rule" | "expression";
  readonly use: FunctionUse;
  /** On which statements: any of insert, update, delete, truncate, select. */
  readonly on: readonly string[];
  /** Of an expression: all functions of users that it names. */
  readonly uses?: readonly FunctionUse[];
  /** Of a default or a generated column: the column that gets its value. */
  readonly column?: number;
  /** The expressions, or what makes the trigger or rule, as the server writes it. "": locked away. */
  readonly definition: string;
  /** A trigger that may run at the end of the transaction only. */
  readonly deferrable?: boolean;
};

/** Code that DDL runs. */
export type EventTrigger = {
  /** ddl_command_start, ddl_command_end, sql_drop, table_rewrite, login */
  readonly event: string;
  readonly use: FunctionUse;
  /** The commands that run it (`CREATE TABLE`); undefined for all. */
  readonly tags: readonly string[] | undefined;
};

/** A parameter as in pg_proc. Modes: in, out, inout ("b"), variadic, column of a result table. */
export type Parameter = {
  readonly name: string;
  readonly type: number;
  readonly mode: "i" | "o" | "b" | "v" | "t";
};

/** A body that can be read: of a user's function in SQL or PL/pgSQL. */
export type FunctionBody = {
  /** CREATE FUNCTION, as the server writes it. "": locked away. */
  readonly definition: string;
  readonly securityDefiner: boolean;
  readonly owner: string;
};

/** What deleting or updating a row of the parent does to the rows that refer to it. */
export type Cascade = {
  readonly child: Relation;
  readonly on: "delete" | "update";
  readonly access: "delete" | "update";
};

/** A policy of row-level security, in force. */
export type Policy = {
  /** pg_policy.polcmd: r, a, w, d, or * for all. */
  readonly command: string;
  /** The expressions as the server writes them. "": locked away. */
  readonly using: string | undefined;
  readonly check: string | undefined;
  /** All functions of users that these name. */
  readonly uses: readonly FunctionUse[];
  /** The attribute numbers of the columns that they name; 0 for the whole row. */
  readonly columns: readonly number[];
};

/** What the server asks of every row that is written: attribute numbers, 0 for the whole row. */
export type Check = {
  readonly kind: "check" | "not null" | "unique";
  readonly columns: readonly number[];
  /** Rows that are there pass it. */
  readonly valid: boolean;
  /** The expression of a check as the server writes it. "": none, or locked away. */
  readonly definition: string;
};

/** What the server computes of every row that is written: for an index or a generated column. */
export type Computed = {
  /** What comes of it is told, too, not only whether it can be computed. */
  readonly decides: boolean;
  /** The attribute numbers of what it is about, an index's own columns among them; 0 for any. */
  readonly columns: readonly number[];
  /** The expressions as the server writes them. "": locked away. */
  readonly definition: string;
};

/** A foreign key: attribute numbers of both sides, pair by pair. */
export type Reference = {
  readonly child: Relation;
  readonly columns: readonly number[];
  readonly parent: Relation;
  readonly parentColumns: readonly number[];
  /** What becomes of the child's rows: a (error), r (error at once), c (they go, or change, too), n (NULL), d (default). */
  readonly onDelete: string;
  readonly onUpdate: string;
  /** The server made it of another one, for a partition. */
  readonly repeated: boolean;
};

/** A unique index or an exclusion constraint. */
export type Unique = {
  readonly name: string;
  /** Attribute numbers; undefined: any of its table's columns may count. */
  readonly columns: readonly number[] | undefined;
  /** Those that are generated from other columns. */
  readonly computed: readonly number[];
};

export class Relation {
  readonly oid: number;
  readonly schema: string;
  /** The schema as facts name it: `pg_temp` for every session's own. */
  readonly factSchema: string;
  readonly name: string;
  readonly kind: RelationKind;
  /** The OID of its row type, 0 without. */
  readonly rowType: number;
  /** Inheritance and partitioning. */
  parents: Relation[] = NONE;
  children: Relation[] = NONE;
  /** Each: the attribute numbers of one unique, not partial, not deferrable key. */
  keys: (readonly number[])[] = NO_KEYS;
  /** The attribute numbers of a primary key that holds at once: with all of them in GROUP BY, every other column is one value in each group. */
  primaryKey: readonly number[] | undefined;
  /** Everything that may make a new row conflict with another: deferrable, partial, over expressions and exclusions, too. */
  uniques: readonly Unique[] = NO_UNIQUES;
  attached: Attached[] = NO_CODE;
  policies: readonly Policy[] = NO_POLICIES;
  /** The role that its policies are not for, although they are in force: the gate's own, if that may do so. */
  exempt: string | undefined;
  /** Those that a change of some columns may fail at because of others. */
  checks: readonly Check[] = NO_CHECKS;
  computed: readonly Computed[] = NO_COMPUTED;
  foreignKeys: readonly Reference[] = NO_REFERENCES;
  referredBy: readonly Reference[] = NO_REFERENCES;
  cascades: Cascade[] = NO_CASCADES;
  /** Whose foreign keys refer to it. */
  referring: Relation[] = NONE;
  /** To which its own foreign keys refer. */
  references: Relation[] = NONE;
  /** Of a partitioned table: the attribute numbers of its key, 0 for an expression. */
  partitionKey: readonly number[] = NO_NUMBERS;
  /** The attribute numbers that the expressions of that key are over. */
  partitionExpressions: readonly number[] = NO_NUMBERS;
  /** Of an index: its table. */
  indexed: Relation | undefined;
  /** Of an index: the attribute numbers, of its table, of what it is sorted by. */
  sortedBy: readonly number[] = NO_NUMBERS;
  /** The index by which CLUSTER puts its rows in order. */
  clusteredOn: Relation | undefined;
  /** Generated columns: from what each is computed, as attribute numbers. */
  generated: ReadonlyMap<number, readonly number[]> = NOT_GENERATED;
  /** Those of them that are computed when they are read: their expressions as the server writes them. "": locked away. */
  virtual: ReadonlyMap<number, string> = NO_VIRTUAL;
  /** pg_get_viewdef, for views outside of the system schemas. */
  definition: string | undefined;
  /** For views: what the server's own dependencies name, as pairs of relation and attribute number (0: the relation as a whole). */
  dependencies: (readonly [oid: number, attnum: number])[] = NO_DEPENDENCIES;
  /** For TOAST tables: the table whose values it stores. */
  owner: Relation | undefined;
  readonly #rows: string;
  readonly #complete: Completion;
  #columns: readonly Column[] | undefined;
  #byName: Map<string, Column> | undefined;
  #tags: readonly string[] | undefined;
  #all: Value | undefined;

  constructor(
    row: { oid: number; schema: string; name: string; kind: RelationKind; rowType: number; columns: string },
    complete: Completion,
  ) {
    this.oid = row.oid;
    this.schema = row.schema;
    this.factSchema = row.schema.startsWith("pg_temp_") ? "pg_temp" : row.schema;
    this.name = row.name;
    this.kind = row.kind;
    this.rowType = row.rowType;
    this.#rows = row.columns;
    this.#complete = complete;
  }

  get qualified(): string {
    return `${this.factSchema}.${this.name}`;
  }

  /** As the server numbers them, dropped ones left out. */
  rows(): readonly ColumnRow[] {
    if (this.kind === "toast") return TOAST_ROWS;
    this.#complete.looked(this.oid);
    const list = JSON.parse(this.#rows) as [number, string, number, number?, number?][];
    return list.map(([attnum, name, type, modifier = -1, collation]) => ({
      attnum,
      name,
      type,
      modifier,
      ...(collation === undefined ? {} : { collation }),
    }));
  }

  /** Has it a column of one of these types? Asking tells nobody of its columns. */
  stores(types: ReadonlySet<number>): boolean {
    if (this.kind !== "table" && this.kind !== "partitioned_table" && this.kind !== "materialized_view") return false;
    return (JSON.parse(this.#rows) as [number, string, number][]).some(([, , type]) => types.has(type));
  }

  get columns(): readonly Column[] {
    this.#columns ??= this.#complete.columns(this);
    return this.#columns;
  }

  /** A column by name; system columns (ctid, xmin, …) too. */
  column(name: string): Column | undefined {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const column of this.columns) this.#byName.set(column.name, column);
    }
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const system = SYSTEM_COLUMNS.get(name);
    if (system === undefined || this.kind === "view" || this.kind === "composite") return undefined;
    const column = new Column(this, { attnum: system[0], name, type: system[1] }, NO_TAGS);
    this.#byName.set(name, column);
    return column;
  }

  /** Every tag that any of its columns carries. */
  get tags(): readonly string[] {
    this.#tags ??= tagsOfRelation(this.columns.map((column) => column.source.tags));
    return this.#tags;
  }

  get tagged(): boolean {
    return this.tags.length > 0;
  }

  /** The whole row: every column and all that is behind it. */
  get wholeRow(): Value {
    if (this.#all === undefined) {
      const sources = new Set<Column>();
      let opaque = false;
      for (const column of this.columns) {
        for (const source of column.value.sources) sources.add(source);
        if (column.value.derivation === "opaque") opaque = true;
      }
      const row = this.columns.map((column) => ({ name: column.name, value: column.value }));
      this.#all = {
        sources: [...sources],
        derivation: opaque ? "opaque" : "expression",
        total: this.columns.every((column) => column.value.total),
        type: this.rowType,
        row,
      };
    }
    return this.#all;
  }
}

/** A function of which nothing is known but its name. */
export const unknownFunction = (schema: string, name: string): FunctionUse => ({
  schema,
  name,
  language: "",
  volatility: "unknown",
  kind: "unknown",
  effect: "unknown",
  opaque: true,
  reads: [],
});

export type FunctionKind = "function" | "procedure" | "aggregate" | "window";

/** One row of pg_proc. */
export type FunctionEntry = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: FunctionKind;
  readonly returnsSet: boolean;
  readonly returns: number;
  readonly minArguments: number;
  /** Infinity for VARIADIC. */
  readonly maxArguments: number;
  readonly argumentTypes: readonly number[];
  /** OUT and TABLE columns, when it has any. */
  readonly results: readonly { readonly name: string; readonly type: number }[];
  readonly use: FunctionUse;
  readonly behaviour: Behaviour;
  /** Came with the server. */
  readonly builtin: boolean;
  readonly strict: boolean;
  readonly parameters: readonly Parameter[];
  readonly body?: FunctionBody;
  /** Of a user's aggregate: the OIDs of the functions that it runs. */
  readonly runs: readonly number[];
};

const NONE: Relation[] = [];
const NO_NUMBERS: readonly number[] = [];
const NOT_GENERATED: ReadonlyMap<number, readonly number[]> = new Map();
const NO_VIRTUAL: ReadonlyMap<number, string> = new Map();
const NO_KEYS: (readonly number[])[] = [];
const NO_UNIQUES: readonly Unique[] = [];
const NO_CODE: Attached[] = [];
const NO_POLICIES: readonly Policy[] = [];
const NO_CHECKS: readonly Check[] = [];
const NO_COMPUTED: readonly Computed[] = [];
const NO_REFERENCES: readonly Reference[] = [];
const NO_CASCADES: Cascade[] = [];
const NO_DEPENDENCIES: (readonly [number, number])[] = [];
export const NO_TAGS: readonly string[] = Object.freeze([]);
export function mergeTags(left: readonly string[], right: readonly string[]): readonly string[] {
  if (right.length === 0 || left === right) return left;
  if (left.length === 0) return right;
  const missing = right.filter((tag) => !left.includes(tag));
  return missing.length === 0 ? left : [...left, ...missing].sort();
}
/** Beside the tags that came to a column from what it is computed of: their masks were not chosen for it. */
export const COMPUTED_TAG = "computed";
/** The tags of a relation's columns; whether one is computed is said of the column alone. */
export function tagsOfRelation(columns: Iterable<readonly string[]>): readonly string[] {
  let all = NO_TAGS;
  for (const tags of columns) all = mergeTags(all, tags);
  return all.includes(COMPUTED_TAG) ? all.filter((tag) => tag !== COMPUTED_TAG) : all;
}
const TOAST_ROWS: readonly ColumnRow[] = [
  { attnum: 1, name: "chunk_id", type: 26 },
  { attnum: 2, name: "chunk_seq", type: 23 },
  { attnum: 3, name: "chunk_data", type: 17 },
];
/** Attribute number and type of each system column. */
const SYSTEM_COLUMNS = new Map<string, readonly [number, number]>([
  ["ctid", [-1, 27]],
  ["xmin", [-2, 28]],
  ["cmin", [-3, 29]],
  ["xmax", [-4, 28]],
  ["cmax", [-5, 29]],
  ["tableoid", [-6, 26]],
]);

/** DROP, GRANT and what else is said of a view do not look into it. An index, or what copies or computes, of a materialized view does. */
export function isOnlyNamed({ kind }: Relation, access: string): boolean {
  return (
    (kind === "view" && (access === "drop" || access === "grant" || access === "ddl")) ||
    (kind === "materialized_view" && (access === "drop" || access === "grant"))
  );
}
