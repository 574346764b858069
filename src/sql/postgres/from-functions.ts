// Functions in FROM: the columns that a call gives, by its result type, its OUT parameters or the definition list in the text.
import type { Node, RangeFunction } from "libpg-query";
import { findCall } from "./calls.ts";
import { typeOf } from "./casts.ts";
import { elementOf } from "./coercion.ts";
import { readAs } from "./documents.ts";
import { expression } from "./expressions.ts";
import { meets } from "./fits.ts";
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
import { combine, derived, plainConstant, TYPE_RECORD, TYPE_TEXT } from "./value.ts";

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
  for (const { value } of members) recorder.copies(value);
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
    // What a body gives in SQL becomes of these types. Anything else is used already.
    for (const [at, node] of given === undefined ? [] : definitions.entries())
      meetsDefined(recorder, node, column(at, definitions.length));
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
  const variadic = node.FuncCall.func_variadic === true;
  // Of several arguments the server's own is called for each, whatever else has the name.
  if (name === "unnest" && schema === undefined && args.length > 1 && !variadic) return unnest(recorder, args, alias);
  const call = findCall(recorder, schema, name, args, variadic);
  if (name === "unnest" && call?.entries.every((entry) => entry.schema === "pg_catalog"))
    return unnest(recorder, args, alias);
  const shapes = call?.entries.map((entry) => shapeOf(recorder, entry, args)) ?? [];
  const shape = shapes[0];
  if (shape === undefined || shapes.some((other) => !isSame(other, shape))) {
    if (call === undefined && args.length === 1) return { members: [{ name: own, value }], open: true };
    return { members: [], open: true };
  }
  return {
    members: shape.columns.map(({ name: field, type }, at) => ({
      name: field === "" ? own : field,
      value: typed(column(at, shape.columns.length), shape.scalar ? call!.returns : type),
    })),
    open: false,
    ...(shape.scalar ? { scalar: true } : {}),
  };
}

/** `scalar`: a plain value, of the type that the call returns. A name of "" is the function's own. */
type Shape = {
  readonly columns: readonly { readonly name: string; readonly type: number }[];
  readonly scalar: boolean;
};

function isSame(left: Shape | undefined, right: Shape): boolean {
  return (
    left !== undefined &&
    left.scalar === right.scalar &&
    left.columns.map((column) => column.name).join("\0") === right.columns.map((column) => column.name).join("\0")
  );
}

/** The columns of a function's result; undefined where only the server knows. */
function shapeOf(recorder: Recorder, entry: FunctionEntry, args: readonly Value[]): Shape | undefined {
  const { catalog } = recorder;
  // A polymorphic column gets its type from the arguments.
  const known = (oid: number): number => (catalog.type(oid)?.kind === "p" ? 0 : oid);
  if (entry.results.length > 1)
    return { columns: entry.results.map(({ name, type }) => ({ name, type: known(type) })), scalar: false };
  // One alone is the result itself: a row is shown as its columns, a scalar under the parameter's name.
  const name = entry.results[0]?.name ?? "";
  const plain: Shape = { columns: [{ name: name === "column1" ? "" : name, type: 0 }], scalar: true };
  const relation = catalog.relationByRowType(entry.returns);
  if (relation !== undefined) return { columns: relation.columns, scalar: false };
  const type = catalog.type(entry.returns);
  if (type === undefined) return undefined;
  if (type.kind !== "p" || type.name === "void" || type.name === "cstring" || NEVER_ROWS.has(type.name)) return plain;
  if (!ANY_TYPE.has(type.name)) return undefined;
  // Of the type of the arguments that are declared so: a row with columns, or a scalar.
  const given = args.filter((_, at) => entry.argumentTypes[at] === entry.returns);
  for (const arg of given) {
    const shape = arg.row ?? (arg.type === 0 ? undefined : catalog.relationByRowType(arg.type)?.columns);
    if (shape !== undefined) {
      const columns = shape.map((column) => ({
        name: column.name,
        type: "value" in column ? column.value.type : 0,
      }));
      return { columns, scalar: false };
    }
  }
  if (given.length === 0 || given.length !== args.length) return undefined;
  return args.every((arg) => isScalar(recorder, arg)) ? plain : undefined;
}
/** Polymorphic types that are rows where their arguments are. */
const ANY_TYPE = new Set(["anyelement", "anynonarray", "anycompatible", "anycompatiblenonarray"]);
const NEVER_ROWS = new Set(
  "anyarray anyrange anymultirange anyenum anycompatiblearray anycompatiblerange anycompatiblemultirange".split(" "),
);

export const typed = (value: Value, type: number): Value => (value.type === type ? value : { ...value, type });

function isScalar(recorder: Recorder, value: Value): boolean {
  if (value.row !== undefined || value.elements !== undefined || value.type === 0) return false;
  const { catalog } = recorder;
  const type = catalog.type(elementOf(catalog, value.type) || catalog.baseType(value.type));
  return type !== undefined && type.kind !== "p" && catalog.relationByRowType(type.oid) === undefined;
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
  const { catalog } = recorder;
  const element = elementOf(catalog, array.type);
  if (element !== 0 && catalog.relationByRowType(element) !== undefined)
    return fieldsOf(recorder, { ...derived(array, element, false), type: element });
  const base = catalog.baseType(array.type);
  if (base === TYPE_TSVECTOR)
    return {
      members: LEXEMES.map((column) => ({ name: column.name, value: derived(array, column.type, false) })),
      open: false,
    };
  const one = element === 0 ? catalog.type(base)?.kind === "m" : isScalar(recorder, array);
  return one ? { members: [{ name, value: derived(array, element, false) }], open: false, scalar: true } : undefined;
}
const TYPE_TSVECTOR = 3614;
/** unnest(tsvector, OUT …) */
const LEXEMES = [
  { name: "lexeme", type: TYPE_TEXT },
  { name: "positions", type: 1005 },
  { name: "weights", type: 1009 },
];

function meetsDefined(recorder: Recorder, node: Node, value: Value): void {
  if (!("ColumnDef" in node)) return;
  const { typeName } = node.ColumnDef;
  meets(recorder, value, typeOf(recorder, typeName), typeName?.typmods === undefined ? -1 : undefined);
}

function definedColumn(recorder: Recorder, node: Node, value: Value): Member {
  if (!("ColumnDef" in node)) return { name: "", value };
  const type = typeOf(recorder, node.ColumnDef.typeName);
  // A document, or what another server says, becomes of that type.
  return { name: node.ColumnDef.colname ?? "", value: typed(withRun(value, readAs(recorder, value, type)), type) };
}
