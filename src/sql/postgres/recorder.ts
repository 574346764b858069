// Collects what one statement touches while it is resolved; recorded-facts.ts turns it into facts at the end.
import type { RangeVar } from "libpg-query";
import type { Missing } from "../../core/command.ts";
import type { FunctionUse, Lock, VerbClass } from "../../core/facts.ts";
import { RegateError } from "../../errors.ts";
import type { StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import type { Target } from "./flows.ts";
import { Flows } from "./flows.ts";
import type { Lookup } from "./lookups.ts";
import { keysAbove, keysBelow } from "./partition-keys.ts";
import { decidesNames } from "./meaning-settings.ts";
import type { Column, FunctionEntry, Relation } from "./model.ts";
import { isOnlyNamed } from "./model.ts";
import type { MaskedForms } from "./masked-forms.ts";
import { hiddenBehind } from "./masked-forms.ts";
import type { Variables } from "./placeholders.ts";
import type { Reads } from "./reads.ts";
import type { Member, Value } from "./value.ts";
import { byNullness, isShownAsItIs } from "./value.ts";
import { NO_VIA, TouchedRelations } from "./touched.ts";
import { TELLING, USE } from "./uses.ts";
import { viewOf } from "./views.ts";

/** What it is set to: null where that cannot be told, or is what it was. */
type Setting = { name: string; readonly value: string | null; readonly local: boolean };

/** @see Recorder.sideEffects */
export type SideEffects = {
  readonly class: VerbClass;
  readonly settings: readonly Setting[];
  readonly changesSettings: boolean;
  readonly locks: readonly Lock[];
  readonly flows: Flows | undefined;
};

/** A result: its columns, and whether there may be others that only the server knows. */
export type Result = {
  readonly members: readonly Member[];
  readonly open: boolean;
  /** What the columns that only the server knows may depend on. */
  readonly rest?: Value;
  /** Of an open one: how many of its first columns stand where they stand, as the unknown ones come behind them. Undefined: none. */
  readonly placed?: number;
};

const CHANGES: ReadonlySet<string> = new Set(["insert", "update", "delete", "merge"]);
/** That a relation has certain rows, or how many, is told by these. */
const SHOWS_ROWS: ReadonlySet<string> = new Set(["select", "update", "delete", "merge"]);
/** What is done to a parent is done to what inherits from it. */
const INHERITED: ReadonlySet<string> = new Set(["select", "lock", "update", "delete", "merge", "truncate", "ddl"]);
/** A text of a megabyte has some 350,000 nodes. */
const MAX_STEPS = 2_000_000;
const SYSTEM_PATH: readonly string[] = ["pg_catalog"];
const NO_LOCKS: readonly Lock[] = Object.freeze([]);
const NO_OPERATORS: ReadonlyMap<Column, ReadonlySet<string>> = new Map();

/** Where a body stands: see the members of {@link Recorder}. */
export type Within = {
  readonly running?: readonly string[] | undefined;
  readonly variables?: Variables;
  readonly depth?: number;
  readonly budget?: { left: number };
  readonly masked?: MaskedForms | undefined;
  readonly reads?: Reads | undefined;
  readonly user?: string | undefined;
  readonly bound?: boolean;
};

export class Recorder {
  readonly catalog: Catalog;
  readonly path: readonly string[];
  readonly relations = new TouchedRelations();
  readonly uses = new Map<Column, number>();
  readonly functions = new Set<FunctionUse>();
  readonly external = new Set<string>();
  readonly settings: Setting[] = [];
  /** Names of the first column of scalar sub-selects, which are the names of the outputs that they make. */
  readonly subselectNames = new Map<object, string>();
  /** What the statement's own text looks up; undefined in bodies and definitions, whose values it does not give. */
  lookups: Lookup[] | undefined;
  class: VerbClass = "read";
  scoped = true;
  limit: number | null = null;
  /** Something may do or read what cannot be told. */
  opaque = false;
  /** A name that the catalog does not have. */
  unresolved = false;
  /** The first of these. */
  missing: Missing | undefined;
  /** What the server may hold on the way to the result, shown or not: a plan tells how wide it is. */
  readonly kept = new Set<Column>();
  /** What it holds beside where it marks rows for a change or a lock: whole rows of what is no table of its own. (preprocess_rowmarks) */
  readonly copied = new Set<Column>();
  marksRows = false;
  /** @see Recorder.computes */
  readonly computed: Value[] = [];
  /** What the session's cursor of a name shows; undefined in bodies and definitions. */
  cursor: ((name: string) => readonly StatementAnalysis[]) | undefined;
  /** WHERE CURRENT OF names one. */
  ofCursor = false;
  /** What is resolved is stored, and runs in statements that do not show it. */
  stores = false;
  changesSettings = false;
  changesCatalog = false;
  changesTemporary = false;
  #operators: Map<Column, Set<string>> | undefined;
  #flows: Flows | undefined;
  #locks: Lock[] | undefined;
  /** The arguments of calls that were resolved, for the columns of functions in FROM. */
  readonly callArguments = new WeakMap<object, readonly Value[]>();
  /** What calls of users' functions give column by column, for the columns of functions in FROM. */
  readonly callColumns = new WeakMap<object, readonly Value[]>();
  /** Work, shared with the recorders of what this one runs and nobody remembers. */
  readonly budget: { left: number };
  /** While sub-selects are resolved in expressions: everything that they consume, for the value that they give. */
  #consumed: Set<Column>[] | undefined;

  /** Functions whose bodies were read along the session's path: they mean something else when that changes first. */
  readonly alongPath = new Set<FunctionEntry>();
  /** The path along which bodies of functions that it runs find their names: not its own for what the server has bound; undefined where it varies (a view's). */
  readonly running: readonly string[] | undefined;
  /** Of a body: its parameters and variables. */
  readonly variables: Variables | undefined;
  /** The text was written by the server, of what it has resolved: what a keyword stands for may be of any schema, whatever the path. */
  readonly bound: boolean;
  /** Nodes of operators that are surely the server's own, though users have made some of that name. */
  readonly serversOwn = new WeakSet<object>();
  /** Fields of names that stand for parameters of a function in SQL, which no column hides. */
  readonly parameters = new WeakSet<object>();
  /** `scoped` by what a stable function gives: another value once the statement sets what it looks at. */
  fixedByStable = false;
  /** How many bodies deep. */
  readonly depth: number;
  /** The sub-selects of the statement's text (not of bodies and definitions) that show masked columns. */
  readonly masked: MaskedForms | undefined;
  /** The role as which the statement's text reads and writes; undefined where it may be another (in bodies and definitions) or is not known. */
  readonly user: string | undefined;
  /** Is told what the names in the statement's text stand for. */
  readonly reads: Reads | undefined;

  constructor(catalog: Catalog, path: readonly string[], body: Within = { running: path }) {
    this.catalog = catalog;
    this.path = path;
    this.running = body.running;
    this.variables = body.variables;
    this.depth = body.depth ?? 0;
    this.bound = body.bound === true;
    this.masked = body.masked;
    this.reads = body.reads;
    this.user = body.user;
    this.budget = body.budget ?? { left: MAX_STEPS };
  }

  /** A name that the catalog does not have, in the server's words. */
  miss(sqlstate: string, message: string): void {
    this.unresolved = true;
    this.missing ??= { sqlstate, message };
  }

  missRelation(range: RangeVar | undefined): void {
    const { schemaname, relname } = range ?? {};
    this.miss("42P01", `relation "${schemaname === undefined ? "" : `${schemaname}.`}${relname}" does not exist`);
  }

  /** Counts work: texts can be made whose analysis grows without bound. @throws RegateError TEXT_TOO_COMPLEX */
  spend(steps: number): void {
    this.budget.left -= steps;
    if (this.budget.left < 0) throw new RegateError("TEXT_TOO_COMPLEX", { detail: "its names depend on too much" });
  }

  /** The value is used in this way. */
  use(value: Value, bit: number): void {
    const uses = this.uses;
    this.spend(value.sources.length >> 3);
    const nullness = (bit & TELLING) === 0 ? undefined : byNullness(value);
    for (const column of value.sources) {
      const before = uses.get(column) ?? 0;
      const own = nullness?.has(column) ? (bit & ~TELLING) | USE.nullness : bit;
      if ((before & own) !== own) uses.set(column, before | own);
    }
    this.consume(value.sources);
  }

  /** A sub-select that is being resolved depends on these, too: what it refers to does. */
  consume(columns: Iterable<Column>): void {
    if (this.#consumed === undefined) return;
    this.spend(this.#consumed.length >> 3);
    for (const set of this.#consumed) for (const column of columns) set.add(column);
  }

  /** The value is only named, and used in these ways, if any: what it is, is told to nobody. */
  names(value: Value, bits: number): void {
    for (const column of value.sources) this.uses.set(column, (this.uses.get(column) ?? 0) | bits);
  }

  output(value: Value): void {
    if (isShownAsItIs(value)) this.use(value, USE.output);
    else this.use(value, USE.output | (value.total ? USE.computed : USE.expression));
  }

  /** Runs `resolve` and says which columns it consumed. */
  consumedBy<T>(resolve: () => T): { result: T; consumed: readonly Column[] } {
    const consumed = new Set<Column>();
    this.#consumed ??= [];
    this.#consumed.push(consumed);
    try {
      return { result: resolve(), consumed: [...consumed] };
    } finally {
      this.#consumed.pop();
      if (this.#consumed.length === 0) this.#consumed = undefined;
    }
  }

  /** An operator or a function is applied to the value: noted at every column in it, so that none looks as if it met others only. */
  operator(value: Value, name: string): void {
    if (value.sources.length === 0) return;
    for (const column of value.sources) this.#applied(column, name);
  }

  #applied(column: Column, name: string): void {
    this.#operators ??= new Map();
    const names = this.#operators.get(column);
    if (names === undefined) this.#operators.set(column, new Set([name]));
    else names.add(name);
  }

  /**
   * A relation named in the text. A view brings what it reads; `only` leaves out what inherits from it. Of the columns `hidden` nothing is
   * read that anybody is told.
   */
  relation(relation: Relation, access: string, only = false, hidden?: ReadonlySet<string>): void {
    this.relations.touch(relation, access, NO_VIA, hidden);
    if (SHOWS_ROWS.has(access)) this.#partitioned(relation);
    if (relation.kind === "foreign_table") {
      this.external.add("server");
      this.copies(relation.wholeRow);
    }
    if (isOnlyNamed(relation, access)) return;
    if (relation.kind === "view" || relation.kind === "materialized_view") this.#view(relation, access, hidden);
    else if (!only && relation.children.length > 0 && relation.kind === "table" && INHERITED.has(access)) {
      this.#children(relation, access, [relation.qualified], hidden);
    }
  }

  /** Masked or not: a partition read by its own name tells by which values its rows are there, and a plan over all of them where each row is. */
  #partitioned(relation: Relation): void {
    for (const column of keysAbove(relation)) if (column.source.tags.length > 0) this.use(column.value, USE.filter);
    for (const column of keysBelow(relation)) if (column.source.tags.length > 0) this.kept.add(column);
  }

  /** A scan may hold the whole row of which only one field is asked: the server sees through a bare row, but not through CASE. */
  keeps({ sources }: Value): void {
    for (const column of sources) if (column.source.tags.length > 0) this.kept.add(column);
  }

  /** A value of a row that is copied where rows are marked. */
  copies({ sources }: Value): void {
    for (const column of sources) if (column.source.tags.length > 0) this.copied.add(column);
  }

  /** Rows are marked: FOR UPDATE and its like, and what changes rows that it joins with others. */
  marks(): void {
    this.marksRows = true;
    for (const value of this.computed) this.use(value, USE.expression);
  }

  /** An expression of a view that the server computes where rows are marked, to copy them in full. */
  computes(value: Value): void {
    this.computed.push(value);
    if (this.marksRows) this.use(value, USE.expression);
  }

  #view(relation: Relation, access: string, hidden?: ReadonlySet<string>): void {
    const view = viewOf(relation, this.catalog);
    if (view === undefined) return;
    const behind = hidden === undefined ? undefined : hiddenBehind(relation, view, hidden);
    for (const touched of view.touched) {
      const via = [relation.qualified, ...touched.via];
      this.relations.touch(touched.relation, touched.access, via, behind?.(touched.relation));
    }
    if (CHANGES.has(access)) this.#passOn(relation, access, [relation.qualified]);
    for (const column of view.kept) this.kept.add(column);
    for (const column of view.copied) this.copied.add(column);
    for (const value of view.values) this.copies(value);
    for (const value of view.computed) this.computes(value);
    for (const [column, bits] of view.uses) this.uses.set(column, (this.uses.get(column) ?? 0) | bits);
    this.consume(view.uses.keys());
    for (const [column, names] of view.operators) for (const name of names) this.#applied(column, name);
    for (const use of view.functions) this.functions.add(use);
    for (const external of view.external) this.external.add(external);
    if (view.effects !== undefined) this.takeOver(view.effects);
    if (view.opaque) this.opaque = true;
  }

  /** A view that can be written passes the write on to what it selects from, and a view there does the same. */
  #passOn(view: Relation, access: string, via: readonly string[]): void {
    const selected = viewOf(view, this.catalog)?.touched.filter((touched) => touched.via.length === 0) ?? [];
    for (const relation of new Set(selected.map((touched) => touched.relation))) {
      this.spend(via.length);
      this.relations.touch(relation, access, via);
      const below = [...via, relation.qualified];
      if (relation.kind === "view") this.#passOn(relation, access, below);
      else if (relation.kind === "table" && INHERITED.has(access)) this.#children(relation, access, below);
    }
  }

  /** Inheritance (not partitions, which are their table): reading the parent reads the children. */
  #children(relation: Relation, access: string, via: readonly string[], hidden?: ReadonlySet<string>): void {
    for (const child of relation.children) {
      this.relations.touch(child, access, via, hidden);
      if (child.children.length > 0) this.#children(child, access, [...via, child.qualified], hidden);
    }
  }

  /** A relation that is reached through something else. */
  reached(relation: Relation, access: string, via: readonly string[]): void {
    this.relations.touch(relation, access, via);
  }

  /** A relation that the catalog does not have: being created, or unknown. */
  unknownRelation(schema: string, name: string, access: string, kind = "unknown"): void {
    this.relations.unknown(schema, name, access, kind);
  }

  /** It sets what decides which objects names stand for. */
  get changesNames(): boolean {
    return this.settings.some(({ name }) => decidesNames(name));
  }

  /** A recorder for a definition that the server has bound, as it runs here. */
  within(variables?: Variables): Recorder {
    return new Recorder(this.catalog, SYSTEM_PATH, {
      running: this.running,
      depth: this.depth + 1,
      budget: this.budget,
      bound: true,
      ...(variables === undefined ? {} : { variables }),
    });
  }

  /** For what is resolved once more: nothing of it is noted. */
  apart(): Recorder {
    const { catalog, path, running, budget, depth, variables } = this;
    return new Recorder(catalog, path, { running, budget, depth, ...(variables === undefined ? {} : { variables }) });
  }

  /** All that the server may hold on the way to the result. */
  get held(): ReadonlySet<Column> {
    return this.marksRows && this.copied.size > 0 ? new Set([...this.kept, ...this.copied]) : this.kept;
  }

  get operators(): ReadonlyMap<Column, ReadonlySet<string>> {
    return this.#operators ?? NO_OPERATORS;
  }

  get locks(): readonly Lock[] {
    return this.#locks ?? NO_LOCKS;
  }

  get flows(): Flows | undefined {
    return this.#flows;
  }

  write(column: Column, value: Value): void {
    this.uses.set(column, (this.uses.get(column) ?? 0) | USE.writeTarget);
    this.use(value, USE.writeSource);
    this.flow(column, value);
  }

  /** What the server writes by itself, where nobody asks for the value: a generated column. */
  flow(column: Column, value: Value): void {
    this.#flows ??= new Flows();
    this.#flows.column(column, value);
  }

  /** A value ends up outside of the columns of tables. */
  writeTo(target: Target, value: Value): void {
    this.use(value, USE.writeSource);
    this.#flows ??= new Flows();
    this.#flows.other(target, value);
  }

  /** @see Lock of core's facts */
  lock(level: Lock["level"], schema: string, name: string, mode: string): void {
    this.#locks ??= [];
    if (
      this.#locks.some(
        (other) => other.name === name && other.mode === mode && other.level === level && other.schema === schema,
      )
    )
      return;
    this.#locks.push({ level, schema, name, mode });
  }

  /** What the query that was recorded does beside reading; undefined: nothing. */
  get sideEffects(): SideEffects | undefined {
    if (this.class === "read" && this.settings.length === 0 && this.#locks === undefined && this.#flows === undefined)
      return undefined;
    return {
      class: this.class,
      settings: this.settings,
      changesSettings: this.changesSettings,
      locks: this.#locks ?? [],
      flows: this.#flows,
    };
  }

  /** Of a definition that this statement runs. */
  takeOver(effects: SideEffects): void {
    this.raise(effects.class);
    this.settings.push(...effects.settings);
    if (effects.changesSettings) this.changesSettings = true;
    for (const { level, schema, name, mode } of effects.locks) this.lock(level, schema, name, mode);
    if (effects.flows === undefined) return;
    this.#flows ??= new Flows();
    this.#flows.takeOver(effects.flows);
  }

  raise(to: VerbClass): void {
    if (this.class === "read") this.class = to;
  }

  /** May it touch a tagged column in any way? */
  get touchesTagged(): boolean {
    if (this.opaque && this.catalog.hasTags) return true;
    for (const { relation } of this.relations.touched) if (relation.tagged) return true;
    for (const column of this.uses.keys()) if (column.source.tags.length > 0) return true;
    return false;
  }
}
