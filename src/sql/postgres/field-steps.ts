// `value.name`: a field of a row, or a function that is called, or a cast that is made, of the value (ParseFuncOrColumn in parse_func.c).
import type { Node } from "libpg-query";
import { fieldNamed, functionCall, takesRow } from "./call-expressions.ts";
import { findCall, recordUnknownCall } from "./calls.ts";
import type { Recorder } from "./recorder.ts";
import type { Scope, Step } from "./scope.ts";
import { fieldOf } from "./scope.ts";
import type { Value } from "./value.ts";
import { combine, TYPE_RECORD } from "./value.ts";

/** Where the step stands, and what it is taken of. */
type Stepping = {
  readonly scope: Scope;
  /** The value as it is written. */
  readonly node?: Node | undefined;
  /** It is a FROM item, or a parameter. */
  readonly named?: true;
};

/** A field has precedence. Where only the server knows whether there is one, it may be the field as well as the call. */
export function fieldStep(recorder: Recorder, value: Value, name: string, at: Stepping): Value {
  const field = fieldNamed(recorder, value, name);
  if (field !== undefined && isShapeSure(recorder, value, at)) return field;
  const untold = value.row === undefined && (value.type === 0 || value.type === TYPE_RECORD);
  if (field === undefined && !untold) return callAsField(recorder, value, name, at);
  const own = field ?? fieldOf(value, name);
  if (!isRow(value)) return isCallable(recorder, name) ? either(own, callAsField(recorder, value, name, at)) : own;
  // No record becomes a scalar by itself.
  const call = findCall(recorder, undefined, name, [value], false);
  if (call === undefined || takesRow(recorder, call, value) === "no") return own;
  return either(own, callAsField(recorder, value, name, at));
}

/** The steps of names in FROM, and of parameters. */
export function stepIn(recorder: Recorder, scope: Scope): Step {
  return (value, name) => fieldStep(recorder, value, name, { scope, named: true });
}

/** Might something of that name be called with one argument? */
export function isCallable({ catalog, path }: Recorder, name: string): boolean {
  return catalog.functions(undefined, name, path).length > 0 || catalog.typeByName(undefined, name, path) !== 0;
}

const isRow = (value: Value): boolean => value.row !== undefined || value.type === TYPE_RECORD;

/** Only of these the server knows which fields a record has; of whatever else is computed it does not (get_expr_result_type). */
function isShapeSure(recorder: Recorder, value: Value, { node, named }: Stepping): boolean {
  if (recorder.catalog.relationByRowType(value.type) !== undefined) return true;
  return named === true || (node !== undefined && ("ColumnRef" in node || "RowExpr" in node));
}

function callAsField(recorder: Recorder, value: Value, name: string, { scope, node }: Stepping): Value {
  if (!isCallable(recorder, name)) {
    recorder.miss("42703", `column "${name}" does not exist`);
    recordUnknownCall(recorder, undefined, name);
    return { ...value, derivation: "opaque", total: false, type: 0 };
  }
  const args = node === undefined ? [] : [node];
  return functionCall(recorder, { funcname: [{ String: { sval: name } }], args }, scope, [value]);
}

const either = (field: Value, call: Value): Value => combine([field, call], 0, false);
