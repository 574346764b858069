// What a body is given: placeholders in its facts, which every run replaces by what it gives.
import type { Catalog } from "./catalog.ts";
import { Column, NO_TAGS, Relation } from "./model.ts";
import type { Step } from "./scope.ts";
import type { Member, Value } from "./value.ts";
import { derived, union } from "./value.ts";

const NOWHERE = new Relation(
  { oid: 0, schema: "", name: "", kind: "composite", rowType: 0, columns: "[]" },
  { columns: () => [], looked: () => undefined },
);

/** Stands for a value that is not known yet: of a parameter, of a variable, of a field of one. */
export function placeholder(name: string, type: number): Column {
  return new Column(NOWHERE, { attnum: 0, name, type }, NO_TAGS);
}

export function isPlaceholder(column: Column): boolean {
  return column.relation === NOWHERE;
}

/** What each placeholder stands for. */
export type Given = Map<Column, Value>;

/** Names and numbers that are no columns, as the statements of a body see them. (p_post_columnref_hook, p_paramref_hook) */
export type Variables = {
  /** `$1` is 1. Undefined: there is none. */
  numbered(number: number): Value | undefined;
  /** `x`, `f.x`, `row.x` … Undefined: no variable has that name. */
  named(names: readonly string[], step: Step): Value | undefined;
  /** Tables that only this body has. */
  table?(name: string): readonly Member[] | undefined;
  /** A variable may win over a column of the same name; else columns win. */
  readonly mayWin: boolean;
};

/** A parameter: with fields, each a placeholder of its own, where its type is a row of known shape. */
export function parameter(catalog: Catalog, name: string, type: number): Value {
  const whole = placeholder(name, type);
  const shape = catalog.relationByRowType(type);
  if (shape === undefined) return derived(whole.value, type, true);
  const fields = shape.rows().map((row) => placeholder(`${name}.${row.name}`, row.type));
  const row = fields.map(
    (field, at): Member => ({
      name: shape.rows()[at]!.name,
      value: derived(field.value, field.type, true),
    }),
  );
  return { sources: [whole, ...fields], derivation: "expression", total: true, type, row };
}

/** A row as a parameter takes it: a record by place, whatever its fields are called; a row of its type, or of a child's, by name. */
export function asRowOf(catalog: Catalog, to: Value, value: Value): Value {
  if (to.row === undefined || value.row === undefined) return value;
  const from = catalog.relationByRowType(value.type);
  const target = catalog.relationByRowType(to.type);
  if (from !== undefined && target !== undefined && isOrInherits(from, target)) return value;
  const { row, aliased: _, ...whole } = value;
  // Of another number, or another type, only the server knows which becomes what.
  if (from !== undefined || row.length !== to.row.length) return whole;
  return { ...whole, row: to.row.map(({ name }, at) => ({ name, value: row[at]!.value })) };
}

function isOrInherits(relation: Relation, ancestor: Relation): boolean {
  const above = new Set([relation]);
  for (const each of above) for (const parent of each.parents) above.add(parent);
  return above.has(ancestor);
}

/** Gives a parameter what a call passes for it. */
export function give(given: Given, to: Value, value: Value): void {
  given.set(to.sources[0]!, value);
  for (const field of to.row ?? [])
    given.set(field.value.sources[0]!, value.row?.find((member) => member.name === field.name)?.value ?? value);
}

/** The value with all that was given in the place of the placeholders; what was given nothing is opaque. */
export function replaced(value: Value, given: Given): Value {
  if (!value.sources.some(isPlaceholder)) return value;
  let { derivation } = value;
  let sources: readonly Column[] = value.sources.filter((column) => !isPlaceholder(column));
  for (const column of value.sources) {
    if (!isPlaceholder(column)) continue;
    const found = given.get(column);
    if (found === undefined || found.derivation === "opaque") derivation = "opaque";
    if (found !== undefined) sources = union(sources, found.sources);
  }
  const result: Value = { sources, derivation, total: false, type: value.type };
  return value.row === undefined
    ? result
    : {
        ...result,
        row: value.row.map((member) => ({ name: member.name, value: replaced(member.value, given) })),
      };
}
