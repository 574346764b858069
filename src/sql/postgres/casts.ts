// Casts: to which type, and whether the server keeps the bare column.
import type { TypeCast, TypeName } from "libpg-query";
import { conversionIsTotal } from "./coercion.ts";
import { expression } from "./expressions.ts";
import { typeNameParts } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import type { Scope } from "./scope.ts";
import { conversionRuns, withRun } from "./user-code.ts";
import type { Value } from "./value.ts";
import { derived, relabelled } from "./value.ts";

export function cast(recorder: Recorder, body: TypeCast, scope: Scope): Value {
  const value = expression(recorder, body.arg, scope);
  const type = typeOf(recorder, body.typeName);
  return castTo(recorder, value, type, (body.typeName?.typmods?.length ?? 0) > 0 || type === 0);
}

/** Types without a modifier (length, precision): bool, bytea, name, integers, text, oid, json, floats, date, uuid, jsonb. */
const UNMODIFIED = new Set([16, 17, 19, 20, 21, 23, 25, 26, 114, 700, 701, 1082, 2950, 3802]);

/** A written cast to a length cuts these: bpchar, varchar, bit, varbit. */
const CUTTING = new Set([1042, 1043, 1560, 1562]);

export function castTo(recorder: Recorder, value: Value, type: number, modified: boolean): Value {
  const { catalog } = recorder;
  const run = conversionRuns(recorder, value, type);
  if (run !== undefined) {
    recorder.operator(value, "cast");
    return withRun(derived(value, type, false), run);
  }
  // To the type that it has already: the server drops the cast, and the column stays bare (unless a length may be lost).
  if (value.type === type && !modified && (UNMODIFIED.has(type) || value.row !== undefined)) return value;
  // It may fail on a value, and makes different ones equal: nobody may take the column for merely compared.
  recorder.operator(value, "cast");
  const row = catalog.relationByRowType(type);
  const total = conversionIsTotal(catalog, value.type, type, "explicit") && (!modified || CUTTING.has(type));
  const result = (modified ? undefined : relabelled(value, type)) ?? derived(value, type, total);
  if (row === undefined || row.kind === "view") return result;
  return {
    ...result,
    row: row.columns.map((column) => ({ name: column.name, value: derived(result, column.type, false) })),
  };
}

export function typeOf(recorder: Recorder, type: TypeName | undefined): number {
  if (type === undefined) return 0;
  const { schema, name, array } = typeNameParts(type);
  return recorder.catalog.typeByName(schema, array ? `_${name}` : name, recorder.path);
}
