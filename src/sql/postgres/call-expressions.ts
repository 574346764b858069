// Calls in expressions: functions, aggregates, window functions, and what only looks like one.
import type { FuncCall, WindowDef } from "libpg-query";
import { runFunction } from "./bodies.ts";
import type { Call } from "./calls.ts";
import { findCall, parametersFor, recordCall, recordUnknownCall } from "./calls.ts";
import { castTo } from "./casts.ts";
import { isOrdered } from "./coercion.ts";
import { collate } from "./collations.ts";
import { all, expression } from "./expressions.ts";
import type { Relation } from "./model.ts";
import { qualifiedName } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { withElements } from "./rows.ts";
import type { Scope } from "./scope.ts";
import { castsRun, coerced, conversionRuns } from "./user-code.ts";
import { typesRun } from "./type-calls.ts";
import type { Value } from "./value.ts";
import { callWrites } from "./writing-calls.ts";
import { CONSTANT, COUNT, combine, derived, isConstant, isWholeRow, tellsNullness, union } from "./value.ts";

const returnsSet = (call: Call): boolean => call.entries.some((entry) => entry.returnsSet);

/** What a call gives that runs functions of users (any of them, or one of the server's own). */
function runOfUsers(call: Call, runs: readonly Value[], own: Value): Value {
  const value =
    runs.length === 1 && call.entries.length === 1 ? runs[0]! : combine([...runs, own], call.returns, false);
  return call.opaque ? { ...value, derivation: "opaque", total: false } : value;
}

/** `given`: the arguments, where they have been resolved before. */
export function functionCall(recorder: Recorder, body: FuncCall, scope: Scope, given?: readonly Value[]): Value {
  const { schema, name } = qualifiedName(body.funcname);
  const nodes = body.args ?? [];
  const args = given ?? all(recorder, nodes, scope);
  recorder.callArguments.set(body, args);
  const named = body.func_variadic === true || nodes.some((node) => "NamedArgExpr" in node);
  const sorted = all(recorder, body.agg_order, scope).map((value) => used(recorder, value, USE.sort));
  // What WITHIN GROUP orders by are the last arguments.
  const call = findCall(recorder, schema, name, body.agg_within_group === true ? [...args, ...sorted] : args, named);
  const inputs = [...args, ...sorted];
  if (body.agg_filter !== undefined)
    inputs.push(used(recorder, coerced(recorder, expression(recorder, body.agg_filter, scope)), USE.filter));
  if (body.over !== undefined) inputs.push(windowOf(recorder, body.over, scope));
  if (body.agg_distinct) for (const arg of args) recorder.use(arg, USE.distinct);
  if (args.length === 1 && schema === undefined) {
    // Functional notation: `email(c)` is `c.email` when there is no such function of a row.
    const field = fieldNamed(recorder, args[0]!, name);
    const takes = field === undefined || call === undefined ? "no" : takesRow(recorder, call, args[0]!);
    if (field !== undefined && takes === "no") return field;
    if (field !== undefined && takes === "perhaps") inputs.push({ ...field, derivation: "opaque", total: false });
  }
  if (call === undefined) return callOfUnknown(recorder, schema, name, args, inputs);
  recorder.reads?.passed(call.entries, args);
  recordCall(recorder, call, nodes);
  callWrites(recorder, call, nodes, args);
  for (const arg of args) recorder.operator(arg, name);
  // How many rows there are tells what it was given, even where what they show is masked.
  if (returnsSet(call)) for (const arg of args) recorder.use(arg, USE.limit);
  const converted = castsRun(recorder, ...args, ...(body.agg_within_group === true ? sorted : []));
  if (converted !== undefined) inputs.push(converted);
  const behind = typesRun(recorder, call, args);
  if (behind !== undefined) inputs.push(behind);
  const cast = args.length === 1 && !named ? castRuns(recorder, schema, name, call, args[0]!) : undefined;
  if (cast !== undefined) inputs.push(cast);
  if (call.users.length > 0) {
    const runs = call.users.map((entry) => runFunction(recorder, entry, { values: args, nodes }));
    if (runs.length === 1 && call.entries.length === 1 && runs[0]!.columns !== undefined)
      recorder.callColumns.set(body, runs[0]!.columns);
    const more = inputs.length > args.length ? combine(inputs, 0, false) : CONSTANT;
    const value = runOfUsers(
      call,
      runs.map((run) => run.value),
      more,
    );
    return inputs.length > args.length ? { ...combine([value, more], value.type, false) } : value;
  }
  if (call.aggregate && inputs.length === 0 && !call.opaque && call.returns === COUNT.type) return COUNT;
  // `f(x)` may be a column of x, when x may be any row.
  const mayBeColumn = args.length === 1 && args[0]!.type === 0 && args[0]!.derivation === "opaque";
  const ordered = isSortable(recorder, sorted) && (body.agg_distinct !== true || isSortable(recorder, args));
  const total = call.total && ordered && (isPassing(call) || collate(inputs, "searched"));
  const value = combine(inputs, mayBeColumn ? 0 : call.returns, total);
  if (call.reads.length > 0) {
    return {
      sources: union(value.sources, call.reads),
      derivation: call.opaque ? "opaque" : "expression",
      total: false,
      type: call.returns,
    };
  }
  if (call.opaque) return { ...value, derivation: "opaque", total: false, type: call.returns };
  if (call.aggregate && value.derivation !== "opaque") {
    // Over a window each row shows a value of its own: nothing has been put together.
    const aggregate: Value = {
      sources: value.sources,
      derivation: body.over === undefined ? "aggregate" : "expression",
      total: call.total && value.total,
      type: value.type,
      ...(value.collation === undefined ? {} : { collation: value.collation }),
    };
    // What it counts by, and in which windows, is told in full.
    if (call.builtin && name === "count" && args.length === 1 && body.agg_distinct !== true)
      return isWholeRow(args[0]!)
        ? { ...aggregate, sources: combine(inputs.slice(1), 0, true).sources }
        : tellsNullness(aggregate, args[0]!, inputs.slice(1));
    if (!call.builtin || name !== "array_agg") return aggregate;
    // DISTINCT sorts by what it is given.
    const deciding = body.agg_distinct === true ? inputs : inputs.slice(args.length);
    return withElements(aggregate, args, combine(deciding, 0, true).sources);
  }
  const elements = call.builtin && name === "unnest" && args.length === 1 ? args[0]!.elements : undefined;
  return elements === undefined ? value : { ...value, row: elements };
}

/** Can any two of their values be compared? Rows can hold what cannot. */
function isSortable(recorder: Recorder, values: readonly Value[]): boolean {
  return values.every(
    (value) => collate([value], "compared") && (isConstant(value) || isOrdered(recorder.catalog, value.type)),
  );
}

/** Does it never look into what it is given? */
const isPassing = (call: Call): boolean => call.entries.every(({ behaviour }) => behaviour.values === "passed");

/** The field of that name that a value of its shape has. */
export function fieldNamed(recorder: Recorder, value: Value, name: string): Value | undefined {
  const row = value.aliased ?? value.row;
  if (row !== undefined) return row.find((member) => member.name === name)?.value;
  const column = recorder.catalog.relationByRowType(value.type)?.columns.find((each) => each.name === name);
  return column === undefined ? undefined : derived(value, column.type, false);
}

/** Does one of the functions take this row? One of its very type does, or of any; one of another does not, unless a user's cast leads there. */
export function takesRow(recorder: Recorder, call: Call, row: Value): "certainly" | "perhaps" | "no" {
  const { catalog } = recorder;
  const types = call.entries.map((entry) => parametersFor(catalog, entry, 1)[0] ?? 0);
  if (types.some((type) => (row.type !== 0 && type === row.type) || TAKE_ANY_ROW.has(type))) return "certainly";
  const relation = catalog.relationByRowType(row.type);
  const casts = catalog.castsFrom(row.type).map(([target]) => target);
  const may = (type: number): boolean => {
    if (casts.includes(type)) return true;
    const other = catalog.relationByRowType(type);
    // A row without a type of its own becomes any, one of a child its parent's.
    if (other !== undefined) return relation === undefined || isBelow(relation, other);
    return catalog.type(type) === undefined;
  };
  return types.some(may) ? "perhaps" : "no";
}

/** any, anyelement, anynonarray, anycompatible, anycompatiblenonarray, record */
const TAKE_ANY_ROW = new Set([2276, 2283, 2776, 5077, 5079, 2249]);

function isBelow(relation: Relation, other: Relation): boolean {
  return relation.parents.some((parent) => parent === other || isBelow(parent, other));
}

/**
 * `positive(5)` is the cast to a type of that name, unless one of the functions takes just that (func_get_detail): then code of users behind the
 * cast runs.
 */
function castRuns(
  recorder: Recorder,
  schema: string | undefined,
  name: string,
  call: Call,
  value: Value,
): Value | undefined {
  const { catalog } = recorder;
  const type = catalog.typeByName(schema, name, recorder.path);
  // A row's type does not count.
  if (type === 0 || catalog.type(type) === undefined) return undefined;
  if (value.type !== 0 && call.entries.some((entry) => parametersFor(catalog, entry, 1)[0] === value.type))
    return undefined;
  return conversionRuns(recorder, value, type);
}

/** A cast that is written like a function (`date('…')`), or a function that the catalog does not have. */
function callOfUnknown(
  recorder: Recorder,
  schema: string | undefined,
  name: string,
  args: readonly Value[],
  inputs: readonly Value[],
): Value {
  if (args.length === 1) {
    const type = recorder.catalog.typeByName(schema, name, recorder.path);
    if (type !== 0) return castTo(recorder, args[0]!, type, false);
  }
  recordUnknownCall(recorder, schema, name);
  return { ...combine(inputs, 0, false), derivation: "opaque", total: false };
}

export function used(recorder: Recorder, value: Value, bit: number): Value {
  recorder.use(value, bit);
  return value;
}

/** What a window's partitioning, order and frame depend on. */
export function windowOf(recorder: Recorder, body: WindowDef, scope: Scope): Value {
  const values: Value[] = [];
  const reference = body.refname ?? body.name;
  if (reference !== undefined) {
    for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
      const named = level.windows?.get(reference);
      if (named !== undefined) {
        values.push(named);
        break;
      }
    }
  }
  const sorted = [...all(recorder, body.partitionClause, scope), ...all(recorder, body.orderClause, scope)];
  values.push(...sorted);
  if (body.startOffset !== undefined) values.push(coerced(recorder, expression(recorder, body.startOffset, scope)));
  if (body.endOffset !== undefined) values.push(coerced(recorder, expression(recorder, body.endOffset, scope)));
  return used(recorder, combine(values, 0, hasFixedFrame(body) && isSortable(recorder, sorted)), USE.window);
}

/** FRAMEOPTION_ROWS and FRAMEOPTION_GROUPS of parsenodes.h: their offsets count, those of RANGE are added to values. */
const COUNTING_FRAMES = 0x4 | 0x8;

/** Is the frame without offsets, or are they numbers in the text? */
function hasFixedFrame(body: WindowDef): boolean {
  const offsets = [body.startOffset, body.endOffset].filter((node) => node !== undefined);
  if (offsets.length === 0) return true;
  return ((body.frameOptions ?? 0) & COUNTING_FRAMES) !== 0 && offsets.every((node) => "A_Const" in node);
}
