// Rows and arrays of rows as values: their fields keep their own lineage through whatever takes a row apart or puts it together.
import type { Column } from "./model.ts";
import type { Member, Value } from "./value.ts";
import { derived, eitherRow, union } from "./value.ts";

/** Fields that are no longer bare columns. */
export function derivedFields(fields: readonly Member[]): readonly Member[] {
  return fields.map((field) => ({ name: field.name, value: derived(field.value, field.value.type, true) }));
}

/** The fields, each of which depends on these, too. */
export function dependingFields(fields: readonly Member[], also: readonly Column[]): readonly Member[] {
  return fields.map(({ name, value }) => {
    const field = derived(value, value.type, false);
    const sources = union(field.sources, also);
    return { name, value: { ...field, sources, total: false } };
  });
}

/** What one of these values is, field by field: undefined unless all that are not NULL are rows of one shape. */
function commonRow(values: readonly Value[], of: "row" | "elements" = "row"): readonly Member[] | undefined {
  let common: readonly Member[] | undefined;
  for (const value of values) {
    if (isConstant(value)) continue;
    const row = value[of];
    if (row === undefined) return undefined;
    common = common === undefined ? derivedFields(row) : eitherRow(common, row);
    if (common === undefined) return undefined;
  }
  return common === undefined ? undefined : derivedFields(common);
}

/** `value` with the fields that all of `values` have in common. */
export function withCommonRow(value: Value, values: readonly Value[], also: readonly Column[] = []): Value {
  const row = commonRow(values);
  if (row !== undefined) return { ...value, row: dependingFields(row, also) };
  const elements = commonRow(values, "elements");
  return elements === undefined ? value : { ...value, elements: dependingFields(elements, also) };
}

/** An array of these. */
export function withElements(array: Value, values: readonly Value[], also: readonly Column[] = []): Value {
  const elements = commonRow(values);
  return elements === undefined ? array : { ...array, elements: dependingFields(elements, also) };
}

function isConstant(value: Value): boolean {
  return value.sources.length === 0 && value.derivation === "expression" && value.row === undefined;
}
