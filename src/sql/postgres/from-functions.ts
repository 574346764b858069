// Functions in FROM: the columns that a call gives, by its result type, its OUT parameters or the definition list in the text.
import type { Node, RangeFunction } from "libpg-query";
import { findCall } from "./calls.ts";
import { typeOf } from "./casts.ts";
import { readAs } from "./documents.ts";
import { expression } from "./expressions.ts";
import type { FunctionEntry } from "./model.ts";
import { outputName } from "./names.ts";
import { namesOf, qualifiedName } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import { fieldsOf } from "./target-list.ts";
import type { Item, Scope } from "./scope.ts";
import { derivedItem, restOfAll } from "./scope.ts";
import { withRun } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import { combine, derived, plainConstant, TYPE_RECORD } from "./value.ts";

const TYPE_BIGINT = 20;

/** `scalar`: one column, and the whole row is its value. */
type Columns = Result & { readonly scalar?: boolean };

export function functionItem(recorder: Recorder, body: RangeFunction, scope: Scope): Item {
  const functions = (body.functions ?? []).flatMap((node) => ("List" in node ? [node.List.items ?? []] : [[node]]));
  const alias = body.alias?.aliasname;
  const alone = functions.length === 1;
  const parts: Columns[] = [];
  for (const [call, list] of functions) {
    if (call === undefined) continue;
    const definitions = list !== undefined && "List" in list ? list.List.items : undefined;
    const value = expression(recorder, call, scope);
    const columns = alone ? (definitions ?? body.coldeflist) : definitions;
    const part = functionColumns(recorder, call, value, columns, alone ? alias : undefined);
    parts.push(part.open ? { ...part, rest: { ...derived(value, 0, false), derivation: "opaque" } } : part);
  }
  const members = parts.flatMap((part) => part.members);
  if (body.ordinality === true) members.push({ name: "ordinality", value: plainConstant(TYPE_BIGINT) });
  const name =
    alias ??
    (alone ? outputName(functions[0]![0], recorder.subselectNames, recorder.catalog.serverVersion) : undefined);
  const result = { members, open: parts.some((part) => part.open), ...restOfAll(parts) };
  const typeNames = members.map((member) => member.name);
  const item: Item = { ...derivedItem(name, result, namesOf(body.alias?.colnames)), typeNames };
  return members.length === 1 && parts.length === 1 && parts[0]?.scalar === true
    ? { ...item, whole: item.members[0]!.value }
    : item;
}

function functionColumns(
  recorder: Recorder,
  node: Node,
  called: Value,
  definitions: readonly Node[] | undefined,
  alias: string | undefined,
): Columns {
  const value = derived(called, 0, false);
  // What drives the rows is used, whether or not a column of it is shown: of a body that is known, it is noted already.
  const given = "FuncCall" in node ? recorder.callColumns.get(node.FuncCall) : undefined;
  const drives =
    given !== undefined && "FuncCall" in node
      ? combine(recorder.callArguments.get(node.FuncCall) ?? [], 0, false)
      : value;
  if (drives.sources.length > 0) recorder.use(drives, USE.expression);
  const column = (at: number, of: number): Value => (given?.length === of ? given[at]! : value);
  if (definitions !== undefined && definitions.length > 0) {
    return {
      members: definitions.map((definition, at) => definedColumn(recorder, definition, column(at, definitions.length))),
      open: false,
    };
  }
  const own = alias ?? outputName(node, recorder.subselectNames, recorder.catalog.serverVersion);
  if (!("FuncCall" in node)) {
    const row = called.row ?? recorder.catalog.relationByRowType(called.type)?.columns;
    if (row !== undefined || called.type === 0 || called.type === TYPE_RECORD) return { members: [], open: true };
    return { members: [{ name: own, value: typed(value, called.type) }], open: false, scalar: true };
  }
  const { schema, name } = qualifiedName(node.FuncCall.funcname);
  const args = recorder.callArguments.get(node.FuncCall) ?? [];
  if (name === "unnest" && (schema === undefined || schema === "pg_catalog")) return unnest(recorder, args, alias);
  const call = findCall(recorder, schema, name, args, node.FuncCall.func_variadic === true);
  const shapes = call?.entries.map((entry) => shapeOf(recorder, entry, args)) ?? [];
  const shape = shapes[0];
  if (shape === undefined || shapes.some((other) => !isSame(other, shape))) {
    if (call === undefined && args.length === 1) return { members: [{ name: own, value }], open: true };
    return { members: [], open: true };
  }
  if (shape === SCALAR)
    return { members: [{ name: own, value: typed(column(0, 1), call!.returns) }], open: false, scalar: true };
  return {
    members: shape.map(({ name: field, type }, at) => ({
      name: field === "" ? own : field,
      value: typed(column(at, shape.length), type),
    })),
    open: false,
    // One OUT parameter is a scalar with a name of its own.
    ...(shape.length === 1 && call!.entries[0]!.results.length === 1 ? { scalar: true } : {}),
  };
}

type Shape = readonly { readonly name: string; readonly type: number }[];
const SCALAR: Shape = [];

function isSame(left: Shape | undefined, right: Shape): boolean {
  return (
    left !== undefined &&
    (left === SCALAR) === (right === SCALAR) &&
    left.map((column) => column.name).join("\0") === right.map((column) => column.name).join("\0")
  );
}

/** The columns of a function's result; SCALAR for a plain value, undefined where only the server knows. */
function shapeOf(recorder: Recorder, entry: FunctionEntry, args: readonly Value[]): Shape | undefined {
  const { catalog } = recorder;
  // A polymorphic column gets its type from the arguments.
  const known = (oid: number): number => (catalog.type(oid)?.kind === "p" ? 0 : oid);
  if (entry.results.length > 1) return entry.results.map(({ name, type }) => ({ name, type: known(type) }));
  if (entry.results.length === 1) {
    const [{ name, type }] = entry.results as [{ name: string; type: number }];
    return [{ name: name === "column1" ? "" : name, type: known(type) }];
  }
  const relation = catalog.relationByRowType(entry.returns);
  if (relation !== undefined) return relation.columns;
  const type = catalog.type(entry.returns);
  if (type === undefined) return undefined;
  if (type.kind !== "p" || type.name === "void" || type.name === "cstring") return SCALAR;
  if (type.name === "record") return undefined;
  if (type.name === "anyelement" || type.name === "anycompatible") {
    // Of the type of the arguments that are declared so: a row with columns, or a scalar.
    const given = args.filter((_, at) => entry.argumentTypes[at] === entry.returns);
    for (const arg of given) {
      const shape = arg.row ?? (arg.type === 0 ? undefined : catalog.relationByRowType(arg.type)?.columns);
      if (shape !== undefined)
        return shape.map((column) => ({ name: column.name, type: "value" in column ? column.value.type : 0 }));
    }
    if (given.length === 0 || given.length !== args.length) return undefined;
  }
  return args.length > 0 && args.every((arg) => isScalar(recorder, arg)) ? SCALAR : undefined;
}

export const typed = (value: Value, type: number): Value => (value.type === type ? value : { ...value, type });

function isScalar(recorder: Recorder, value: Value): boolean {
  if (value.row !== undefined || value.elements !== undefined || value.type === 0) return false;
  const type = recorder.catalog.type(value.type);
  if (type === undefined) return false;
  const element = type.element === 0 ? type : recorder.catalog.type(type.element);
  return element !== undefined && element.kind !== "p" && recorder.catalog.relationByRowType(element.oid) === undefined;
}

/** unnest(a, b, …): one column for each array, or those of its elements where these are rows. */
function unnest(recorder: Recorder, args: readonly Value[], alias: string | undefined): Columns {
  const parts = args.map((arg) => unnested(recorder, arg, args.length === 1 ? (alias ?? "unnest") : "unnest"));
  if (parts.some((part) => part === undefined)) return { members: [], open: true };
  const scalar = parts.length === 1 && parts[0]!.scalar === true;
  return {
    members: parts.flatMap((part) => part!.members),
    open: false,
    ...(scalar ? { scalar } : {}),
  };
}

function unnested(recorder: Recorder, array: Value, name: string): Columns | undefined {
  if (array.elements !== undefined) return { members: array.elements, open: false };
  const element = recorder.catalog.type(array.type)?.element ?? 0;
  if (element !== 0 && recorder.catalog.relationByRowType(element) !== undefined)
    return fieldsOf(recorder, { ...derived(array, element, false), type: element });
  if (!isScalar(recorder, array)) return undefined;
  return { members: [{ name, value: derived(array, element, false) }], open: false, scalar: true };
}

function definedColumn(recorder: Recorder, node: Node, value: Value): Member {
  if (!("ColumnDef" in node)) return { name: "", value };
  const type = typeOf(recorder, node.ColumnDef.typeName);
  // A document, or what another server says, becomes of that type.
  return { name: node.ColumnDef.colname ?? "", value: typed(withRun(value, readAs(recorder, value, type)), type) };
}
