// Constraints, as they are added to a table: which columns they compare, at once or when rows change, and which tables they refer to.
import type { ColumnDef, Constraint, Node } from "libpg-query";
import { namedRelation } from "./ddl.ts";
import { defined, elements, namedColumns, relationOf } from "./definition-scope.ts";
import { lockNamed } from "./locks.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Scope } from "./scope.ts";
import type { Value } from "./value.ts";

/**
 * `column`: whose constraint it is, if it stands at one. A check, and a comparison with other rows, tells values by failing: at once, or at the
 * next change of a row. Gives the value of a default or of a generated column.
 */
export function constraint(recorder: Recorder, body: Constraint, scope: Scope, column?: string): Value | undefined {
  const relation = scope.items[0]?.relation;
  const own: Node[] = column === undefined ? [] : [{ String: { sval: column } }];
  switch (body.contype) {
    case "CONSTR_PRIMARY":
    case "CONSTR_UNIQUE":
      namedColumns(recorder, relation, [...own, ...(body.keys ?? [])], USE.distinct);
      return undefined;
    case "CONSTR_EXCLUSION":
      for (const pair of body.exclusions ?? [])
        if ("List" in pair) elements(recorder, pair.List.items, scope, USE.distinct);
      if (body.where_clause !== undefined) defined(recorder, body.where_clause, scope, USE.filter);
      return undefined;
    case "CONSTR_FOREIGN": {
      namedRelation(recorder, body.pktable, "ddl");
      lockNamed(recorder, body.pktable, "share row exclusive");
      namedColumns(recorder, relation, [...own, ...(body.fk_attrs ?? [])], USE.join);
      const referred = relationOf(recorder, body.pktable);
      if (body.pk_attrs !== undefined) namedColumns(recorder, referred, body.pk_attrs, USE.join);
      return undefined;
    }
    case "CONSTR_DEFAULT":
    case "CONSTR_GENERATED":
      return defined(recorder, body.raw_expr, scope);
    case "CONSTR_NOTNULL":
      namedColumns(recorder, relation, [...own, ...(body.keys ?? [])], USE.expression);
      return undefined;
    default:
      if (body.raw_expr !== undefined) defined(recorder, body.raw_expr, scope);
      return undefined;
  }
}

/** A column's definition: gives what its values are computed from. */
export function columnDefinition(recorder: Recorder, body: ColumnDef, scope: Scope): Value[] {
  const values: Value[] = [];
  if (body.raw_default !== undefined) values.push(defined(recorder, body.raw_default, scope));
  for (const node of body.constraints ?? []) {
    if (!("Constraint" in node)) continue;
    const value = constraint(recorder, node.Constraint, scope, body.colname);
    if (value !== undefined) values.push(value);
  }
  return values;
}
