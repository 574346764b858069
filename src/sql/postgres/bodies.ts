// Functions of users, looked through: what their bodies read and do becomes part of the statement that runs them.
import type { Node } from "libpg-query";
import type { FunctionUse } from "../../core/facts.ts";
import { absorb } from "./absorb.ts";
import { acts } from "./acting.ts";
import { isolatedPaths, pathsOf } from "./body-paths.ts";
import type { Catalog } from "./catalog.ts";
import type { Definition } from "./definitions.ts";
import { definitionOf } from "./definitions.ts";
import { expression } from "./expressions.ts";
import { NO_SCOPE } from "./judging.ts";
import { isListedArgument } from "./listed.ts";
import type { Column, FunctionEntry, Relation } from "./model.ts";
import type { Given } from "./placeholders.ts";
import { asRowOf, give, isPlaceholder, replaced } from "./placeholders.ts";
import { plpgsqlBody } from "./plpgsql.ts";
import { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { sqlBody } from "./sql-bodies.ts";
import { conversionRuns, withRun } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import { combine, CONSTANT, derived } from "./value.ts";

/** Bodies that call bodies: beyond this they are opaque. */
const MAX_DEPTH = 24;
/** Bodies that one catalog remembers, over all search paths. */
const MAX_KNOWN = 4_096;

/** What a body gives, beside what its recorder holds. */
export type Returned = {
  /** The columns (fields) of its result, in order; one for a scalar. Undefined: they cannot be told apart. */
  readonly columns: readonly Value[] | undefined;
  /** What it gives as a whole. */
  readonly value: Value;
  /** Of a trigger: what it puts into the columns of the row. */
  readonly assigned?: ReadonlyMap<string, Value>;
};

/** A body in one search path, with its parameters as placeholders. */
export type Body = {
  readonly recorder: Recorder;
  readonly parameters: readonly Value[];
  readonly returned: Returned;
  /** Every column that it uses in any way but as a target. */
  readonly consumed: readonly Column[];
  readonly use: FunctionUse;
  /** All of it was understood, and of everything that it runs. */
  readonly understood: boolean;
};

/** REFERENCING NEW (OLD) TABLE AS name. */
export type TransitionTable = { readonly name: string; readonly fresh: boolean };
/** The relation whose rows a trigger sees, and the names of its transition tables. */
export type TriggerRows = { readonly relation: Relation; readonly transitions: readonly TransitionTable[] };

/** What is passed to a function. */
export type Arguments = {
  readonly values: readonly Value[];
  /** The argument expressions, which may name their parameters. */
  readonly nodes?: readonly Node[];
};

/** What a run of a function gives: as a value, and column by column where it is a row or a set. */
export type Run = { readonly value: Value; readonly columns: readonly Value[] | undefined };

/** A user's function runs. */
export function runFunction(recorder: Recorder, entry: FunctionEntry, args: Arguments): Run {
  const passed = combine(args.values, 0, false);
  if (entry.kind === "aggregate") return runAggregate(recorder, entry, passed);
  const body = bodyOf(recorder, entry);
  if (body === undefined) {
    recorder.functions.add(entry.use);
    recorder.opaque = true;
    return {
      value: { ...passed, derivation: "opaque", total: false, type: typeOf(recorder, entry) },
      columns: undefined,
    };
  }
  const given = bound(recorder, entry, body, args);
  // Of a row that is passed, only what the body uses counts; and naming a column cannot fail.
  const values = args.values.filter(
    (value) => value.row?.every((field) => field.value.derivation === "direct") !== true,
  );
  if (body.recorder.class !== "read" && !(body.recorder.scoped && areListed(recorder, entry, args)))
    recorder.scoped = false;
  note(recorder, body, given, qualified(entry));
  return runOf(recorder, entry, body, given, combine(values, 0, false));
}

/** Whatever runs code of users by itself (an operator, a cast, a domain, a default): its function may be given any of this. */
export function runUse(recorder: Recorder, use: FunctionUse, passed: Value): Value {
  const entry = recorder.catalog.functionOf(use);
  if (entry === undefined || entry.builtin) {
    // What it is called with, and so what it does, is not known here.
    const opaque = use.opaque || acts(use);
    recorder.functions.add(opaque ? { ...use, opaque } : use);
    if (opaque) recorder.opaque = true;
    return opaque ? { ...passed, derivation: "opaque", total: false } : { ...passed, total: false };
  }
  const inputs = entry.parameters.filter(isInput);
  const { value } = runFunction(recorder, entry, { values: inputs.map(() => passed) });
  recorder.use(value, USE.expression);
  return value;
}

/** Notes that a body ran. */
export function note(recorder: Recorder, body: Body, given: Given, via: string): void {
  absorb(recorder, body.recorder, given, via);
  recorder.functions.add(body.use);
  if (!body.understood) recorder.opaque = true;
}

export function qualified(entry: FunctionEntry): string {
  return `${entry.schema}.${entry.name}`;
}

export function isInput(parameter: FunctionEntry["parameters"][number]): boolean {
  return parameter.mode === "i" || parameter.mode === "b" || parameter.mode === "v";
}

/** An aggregate is its functions, each of which may be given any row's arguments and the state. */
function runAggregate(recorder: Recorder, entry: FunctionEntry, passed: Value): Run {
  let value: Value = { ...passed, total: false };
  let opaque = entry.runs.length === 0;
  for (const oid of entry.runs) {
    const step = recorder.catalog.functionByOid(oid);
    if (step === undefined || step.kind === "aggregate") opaque = true;
    else if (step.builtin) {
      // What came with the server is classified: its transition functions work on what they are given.
      if (step.behaviour.opaque) opaque = true;
    } else {
      const run = runFunction(recorder, step, { values: step.parameters.filter(isInput).map(() => passed) });
      value = combine([value, run.value], 0, false);
    }
  }
  if (opaque) recorder.opaque = true;
  recorder.functions.add(
    opaque || value.derivation === "opaque" ? entry.use : { ...entry.use, opaque: false, effect: "pure" },
  );
  return {
    value: { ...value, derivation: opaque ? "opaque" : value.derivation, total: false, type: typeOf(recorder, entry) },
    columns: undefined,
  };
}

/** All that the body is given is spelled out: no columns, and no rows of functions and windows, which have none either. */
function areListed(recorder: Recorder, entry: FunctionEntry, { values, nodes = [] }: Arguments): boolean {
  const given = nodes.length === values.length && nodes.every((node) => isListedArgument(recorder, node));
  if (!given || values.length >= entry.parameters.filter(isInput).length) return given;
  const own = recorder.within();
  return [...(definitionOf(entry)?.defaults.values() ?? [])].every((node) => isListedArgument(own, node));
}

function typeOf(recorder: Recorder, entry: FunctionEntry): number {
  return recorder.catalog.type(entry.returns)?.kind === "p" ? 0 : entry.returns;
}

/** The parameters of a body, each with what the call passes for it. */
function bound(recorder: Recorder, entry: FunctionEntry, body: Body, args: Arguments): Given {
  const given: Given = new Map();
  const inputs = entry.parameters.filter(isInput);
  const passed: Value[][] = inputs.map(() => []);
  let all = false;
  args.values.forEach((value, at) => {
    const node = args.nodes?.[at];
    const name = node !== undefined && "NamedArgExpr" in node ? node.NamedArgExpr.name : undefined;
    const place =
      name === undefined
        ? inputs[at] === undefined && inputs.at(-1)?.mode === "v"
          ? inputs.length - 1
          : at
        : inputs.findIndex((input) => input.name === name);
    if (passed[place] === undefined) all = true;
    else passed[place].push(value);
  });
  const everything = combine(args.values, 0, false);
  const defaults = entry.body === undefined ? undefined : definitionOf(entry)?.defaults;
  body.parameters.forEach((parameter, place) => {
    const values = passed[place] ?? [];
    const value = all
      ? everything
      : values.length === 1
        ? values[0]!
        : values.length > 1
          ? combine(values, 0, false)
          : defaultValue(recorder, entry, defaults?.get(place));
    const run = conversionRuns(recorder, value, inputs[place]?.type ?? 0);
    give(given, parameter, withRun(asRowOf(recorder.catalog, parameter, value), run));
  });
  return given;
}

/** The default of a parameter is computed by the caller; its names are those that the server wrote down. */
function defaultValue(recorder: Recorder, entry: FunctionEntry, node: Node | undefined): Value {
  if (node === undefined) return CONSTANT;
  const own = recorder.within();
  const value = expression(own, node, NO_SCOPE);
  absorb(recorder, own, new Map(), qualified(entry));
  if (!own.opaque && !own.unresolved) return value;
  recorder.opaque = true;
  return { ...value, derivation: "opaque", total: false };
}

function runOf(recorder: Recorder, entry: FunctionEntry, body: Body, given: Given, passed: Value): Run {
  const { value } = body.returned;
  // What it has written before it may read again: then no column stands for itself.
  const columns = body.recorder.class === "read" ? body.returned.columns : undefined;
  const consumed: Value = {
    sources: body.consumed,
    derivation: body.understood ? "expression" : "opaque",
    total: false,
    type: 0,
  };
  // What it does not show may still decide whether it gives anything, or fails.
  const whole = [passed, replaced(consumed, given)];
  const type = typeOf(recorder, entry);
  const shown = (column: Value): Value => {
    const found = replaced(column, given);
    return derived(body.understood ? found : { ...found, derivation: "opaque" }, column.type, false);
  };
  const names = fieldNames(recorder.catalog, entry);
  const fields = names !== undefined && columns?.length === names.length ? columns.map(shown) : undefined;
  const total = combine([...whole, shown(value)], type, false);
  const row = fields?.map(
    (field, at): Member => ({ name: names![at]!, value: combine([field, ...whole], field.type, false) }),
  );
  return {
    value: row === undefined ? { ...total, total: false } : { ...total, total: false, row },
    // A strict function gives nothing where an argument is NULL.
    columns: (fields ?? (names === undefined ? columns?.map(shown) : undefined))?.map((column) =>
      entry.strict ? { ...combine([column, passed], column.type, false), total: false } : column,
    ),
  };
}

/** The names of the fields where a function gives rows of known shape. */
function fieldNames(catalog: Catalog, entry: FunctionEntry): readonly string[] | undefined {
  if (entry.results.length > 1) return entry.results.map((column) => column.name);
  if (entry.results.length === 1 && catalog.relationByRowType(entry.results[0]!.type) === undefined) return undefined;
  return catalog
    .relationByRowType(entry.returns)
    ?.rows()
    .map((column) => column.name);
}

const known = new WeakMap<Catalog, Map<string, Body | "unreadable" | "resolving">>();

/**
 * The body of a function as it runs now. Undefined: nothing is known of it (another language, a text that cannot be read, a recursion).
 * `rows`: of a trigger.
 */
export function bodyOf(recorder: Recorder, entry: FunctionEntry, rows?: TriggerRows): Body | undefined {
  const definition = definitionOf(entry);
  if (definition === undefined || recorder.depth >= MAX_DEPTH) return undefined;
  const { paths, session } = pathsOf(recorder, entry, definition);
  const bodies = paths.map((path) => bodyIn(recorder, entry, definition, path, rows));
  const first = bodies[0];
  if (first === undefined) return undefined;
  if (bodies.some((body) => body === undefined || signature(body) !== signature(first)))
    return { ...first, understood: false, use: entry.use };
  if (session) recorder.alongPath.add(entry);
  return first;
}

/**
 * A body was read along a path that the statement itself may change before the body runs: then it may be anything. (set_config, and what
 * cannot be told.)
 */
export function unsettle(recorder: Recorder): boolean {
  if (!recorder.opaque && !recorder.changesNames) return false;
  const depending = [...recorder.alongPath].filter((entry) => !isIsolated(recorder.catalog, entry));
  if (depending.length === 0) return false;
  recorder.opaque = true;
  for (const { use } of depending) {
    for (const other of recorder.functions)
      if (other.name === use.name && other.schema === use.schema) recorder.functions.delete(other);
    recorder.functions.add(use);
  }
  return true;
}

/** Does its body mean the same whatever the search path is? */
export function isIsolated(catalog: Catalog, entry: FunctionEntry): boolean {
  const definition = definitionOf(entry);
  if (definition === undefined) return false;
  const recorder = new Recorder(catalog, ["pg_catalog"]);
  const [first, second] = isolatedPaths(catalog).map((path) => bodyIn(recorder, entry, definition, path, undefined));
  return first !== undefined && second !== undefined && first.understood && signature(first) === signature(second);
}

function bodyIn(
  recorder: Recorder,
  entry: FunctionEntry,
  definition: Definition,
  path: readonly string[],
  rows: TriggerRows | undefined,
): Body | undefined {
  const { catalog } = recorder;
  let bodies = known.get(catalog);
  if (bodies === undefined || bodies.size > MAX_KNOWN) {
    const resolving = [...(bodies ?? [])].filter(([, body]) => body === "resolving");
    bodies = new Map(resolving);
    known.set(catalog, bodies);
  }
  const key = `${entry.oid} ${rows?.relation.oid ?? ""} ${JSON.stringify([rows?.transitions, path])}`;
  const found = bodies.get(key);
  if (found !== undefined) return typeof found === "string" ? undefined : found;
  bodies.set(key, "resolving");
  const body = resolveBody(recorder, entry, definition, path, rows);
  known.get(catalog)!.set(key, body ?? "unreadable");
  return body;
}

function resolveBody(
  { catalog, depth }: Recorder,
  entry: FunctionEntry,
  definition: Definition,
  path: readonly string[],
  rows: TriggerRows | undefined,
): Body | undefined {
  try {
    const resolve = definition.language === "sql" ? sqlBody : plpgsqlBody;
    const read = resolve({ catalog, entry, definition, path, rows, depth: depth + 1 });
    const { recorder, parameters } = read;
    const returned = convertedTo(recorder, entry, read.returned);
    const understood =
      !recorder.opaque &&
      !recorder.unresolved &&
      // What it makes, and what it sets, may change what its own names mean.
      !recorder.changesCatalog &&
      !recorder.changesTemporary &&
      !recorder.changesNames;
    const consumed = [...recorder.uses].flatMap(([column, bits]) => ((bits & ~USE.writeTarget) === 0 ? [] : [column]));
    return { recorder, parameters, returned, consumed, understood, use: useOf(entry, recorder, returned, understood) };
  } catch {
    // Too long, too deep, or of another grammar.
    return undefined;
  }
}

/** What it gives becomes one of its result types: by casts and domains that users made, too. */
function convertedTo(recorder: Recorder, entry: FunctionEntry, returned: Returned): Returned {
  const { catalog } = recorder;
  if (catalog.casts.length === 0 && catalog.domains.size === 0) return returned;
  const fields = catalog.relationByRowType(entry.returns)?.rows();
  const types = entry.results.length > 0 ? entry.results : (fields ?? [{ type: entry.returns }]);
  const { columns } = returned;
  if (columns === undefined || columns.length !== types.length) {
    const runs = types.map(({ type }) => conversionRuns(recorder, returned.value, type));
    return { ...returned, value: runs.reduce<Value>((value, run) => withRun(value, run), returned.value) };
  }
  const converted = columns.map((column, at) => withRun(column, conversionRuns(recorder, column, types[at]!.type)));
  return {
    ...returned,
    columns: converted,
    value: combine([returned.value, ...converted], returned.value.type, false),
  };
}

/** What the facts say of a function whose body was read. */
function useOf(entry: FunctionEntry, recorder: Recorder, returned: Returned, understood: boolean): FunctionUse {
  const columns = new Set([...returned.value.sources, ...(returned.columns ?? []).flatMap((value) => value.sources)]);
  for (const [column, bits] of recorder.uses) if ((bits & ~USE.writeTarget) !== 0) columns.add(column);
  const reads: string[] = [];
  for (const column of columns) {
    if (isPlaceholder(column)) continue;
    const { schema, table, column: name } = column.source;
    reads.push(`${schema}.${table}.${name}`);
  }
  const changes =
    recorder.class !== "read" ||
    recorder.external.size > 0 ||
    recorder.settings.length > 0 ||
    recorder.flows !== undefined;
  const effect = !understood
    ? "unknown"
    : [...recorder.external].some((reached) => reached !== "notify")
      ? "outside"
      : changes
        ? "state"
        : reads.length > 0
          ? "reads"
          : "pure";
  return { ...entry.use, opaque: !understood, effect, reads: reads.sort() };
}

/** All that the facts say of a body: where two paths give the same, the names in it mean the same. */
function signature(body: Body): string {
  const { recorder, returned } = body;
  const names = (value: Value): unknown => [
    value.derivation,
    value.type,
    value.sources.map((column) => `${column.relation.oid}.${column.attnum}.${column.name}`),
  ];
  return JSON.stringify([
    body.understood,
    recorder.relations.touched.map(({ relation, access, via }) => [relation.oid, access, via]),
    [...recorder.uses].map(([column, bits]) => [column.relation.oid, column.attnum, column.name, bits]),
    [...recorder.operators].map(([column, operators]) => [column.relation.oid, column.attnum, [...operators]]),
    [...recorder.functions].map((use) => [use.schema, use.name, use.opaque]),
    [...recorder.external],
    recorder.settings,
    recorder.flows?.facts(),
    recorder.class,
    names(returned.value),
    returned.columns?.map(names),
    [...(returned.assigned ?? [])].map(([name, value]) => [name, names(value)]),
  ]);
}
