// What becomes of a value in a variable of PL/pgSQL: code of users may run, and the value may not fit, which tells of it.
import { splitName } from "../../core/qualified-name.ts";
import { meets } from "./fits.ts";
import type { Variable } from "./plpgsql-variables.ts";
import type { Recorder } from "./recorder.ts";
import { conversionRuns, withRun } from "./user-code.ts";
import { USE } from "./uses.ts";
import type { Member, Value } from "./value.ts";
import { isUnchanged } from "./value.ts";

/** Without a length these have one all the same: of 1. */
const SHORT = /^(char|character|bit|nchar|national char(acter)?)$/i;

/** The length or precision of a declaration; -1: none. */
export function modifierNamed({ catalog, path }: Recorder, name: string): number | undefined {
  const copied = /^(.*)%type$/is.exec(name);
  if (copied !== null) {
    const parts = splitName(copied[1]!.trim(), true);
    const column = parts?.pop();
    const relation = parts === undefined ? undefined : catalog.resolveRelation(parts.at(-2), parts.at(-1) ?? "", path);
    return relation?.column(column ?? "")?.modifier;
  }
  return name.includes("(") || SHORT.test(name.trim()) ? undefined : -1;
}

/** What is put into a variable; `bare`: without what has decided which row it is of. */
export type Put = Member & { readonly bare?: Value };

/** The value as one of the variable's type. */
export function converted(recorder: Recorder, variable: Variable, value: Value, bare = value): Value {
  const { catalog } = recorder;
  isGiven(recorder, variable, bare);
  // A record takes what comes.
  if (!variable.isRecord && !isRowOfTrigger(variable)) meets(recorder, bare, variable.type, variable.modifier);
  if (variable.type !== 0) return withRun(value, conversionRuns(recorder, value, variable.type));
  if (catalog.domains.size > 0 || catalog.casts.length > 0) {
    if (!isRowOfTrigger(variable) && variable.fields.size === 0) recorder.opaque = true;
  }
  return value;
}

/** NOT NULL: whether it is tells of it. */
export function isGiven(recorder: Recorder, variable: Variable, value: Value): void {
  if (!variable.notNull || value.sources.length === 0) return;
  recorder.use(value, isUnchanged(value) && value.row === undefined ? USE.nullness : USE.expression);
}

/** The columns of a query become the fields of a row, place by place. */
export function fieldsMeet(recorder: Recorder, variable: Variable, row: readonly Put[]): void {
  const fields = variable.shape?.rows() ?? [];
  row.forEach(({ value, bare = value }, at) => {
    const field = fields[at];
    if (field !== undefined) meets(recorder, bare, field.type, field.modifier);
  });
}

/** A value becomes one field of a row. */
export function fieldMeets(recorder: Recorder, variable: Variable, name: string, value: Value): void {
  const field = variable.shape?.rows().find((row) => row.name === name);
  if (!isRowOfTrigger(variable)) meets(recorder, value, field?.type ?? 0, field?.modifier);
  // A domain checks the row that the field is put into.
  if (recorder.catalog.type(variable.type)?.kind === "d") recorder.use(variable.value, USE.expression);
}

/** What NEW and OLD are given is written, and judged there. */
const isRowOfTrigger = ({ name }: Variable): boolean => name === "new" || name === "old";
