// Conditions that only ask for rows with one value: a bare column equals what the text or a parameter gives.
import type { Node } from "libpg-query";
import type { Source } from "../../core/facts.ts";
import { typeOf } from "./casts.ts";
import { hasForm, isExact, keepsValue } from "./exact-values.ts";
import { expression } from "./expressions.ts";
import { literalValue } from "./literals.ts";
import { isMasked } from "./masked-forms.ts";
import { qualifiedName } from "./nodes.ts";
import { operationOf } from "./operators.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Scope } from "./scope.ts";
import { coerced, isServersOwn } from "./user-code.ts";

/**
 * Where the value stands that is asked for: a literal of the text, by its number in the text's shape or itself, or a parameter, whose type is
 * the client's choice: it must be `like` this one, and where none is chosen the parameter may stand nowhere else, where it could become another.
 * `casts`: the types that it is cast to; by other casts one constant is another value.
 */
export type Asked = { readonly casts: string } & (
  | { readonly literal: number }
  | { readonly text: string }
  | { readonly parameter: number; readonly like: number }
);
export type Lookup = { readonly column: Pick<Source, "schema" | "table" | "column">; readonly asked: Asked };

/** WHERE of a query. Of its conjuncts those that look a tagged column up are told apart: they say of a row only whether it has that value. */
export function filter(recorder: Recorder, clause: Node, scope: Scope): void {
  if (recorder.lookups !== undefined && "BoolExpr" in clause && clause.BoolExpr.boolop === "AND_EXPR") {
    for (const arm of clause.BoolExpr.args ?? []) filter(recorder, arm, scope);
    return;
  }
  const value = coerced(recorder, expression(recorder, clause, scope));
  const asked = recorder.lookups === undefined ? undefined : lookedUp(recorder, clause, scope, value.total);
  const tagged = value.sources.filter(({ source }) => source.tags.length > 0 && !isMasked(source));
  if (asked === undefined || tagged.length === 0) {
    recorder.use(value, USE.filter);
    return;
  }
  recorder.use(value, USE.lookup);
  for (const { source } of tagged)
    recorder.lookups?.push({ column: { schema: source.schema, table: source.table, column: source.column }, asked });
}

/** `total`: it cannot fail on a value, as far as the types of both sides are known. */
function lookedUp(recorder: Recorder, node: Node, scope: Scope, total: boolean): Asked | undefined {
  if (!("A_Expr" in node) || node.A_Expr.kind !== "AEXPR_OP") return undefined;
  const { name, lexpr, rexpr } = node.A_Expr;
  const operator = qualifiedName(name);
  // Someone's own `=` may mean anything.
  if (
    operator.name !== "=" ||
    (operator.schema ?? "pg_catalog") !== "pg_catalog" ||
    !isServersOwn(recorder, node.A_Expr, "=")
  )
    return undefined;
  const [column, given] = lexpr !== undefined && "ColumnRef" in lexpr ? [lexpr, rexpr] : [rexpr, lexpr];
  if (column === undefined || !("ColumnRef" in column)) return undefined;
  const value = expression(recorder, column, scope);
  if (value.derivation !== "direct" || value.row !== undefined) return undefined;
  const { type } = value;
  const bare = given !== undefined && "ParamRef" in given;
  const harmless = bare ? type !== 0 && operationOf(recorder, operator.schema, "=", type, type).total : total;
  return harmless ? constantAsked(recorder, given, type) : undefined;
}

/** Undefined, too, where the session's settings say what value the constant is. */
function constantAsked(recorder: Recorder, given: Node | undefined, type: number): Asked | undefined {
  const { catalog } = recorder;
  const written: number[] = [];
  let node = given;
  for (; node !== undefined && "TypeCast" in node; node = node.TypeCast.arg) {
    // Each length makes another value of one constant.
    if ((node.TypeCast.typeName?.typmods?.length ?? 0) > 0) return undefined;
    written.push(typeOf(recorder, node.TypeCast.typeName));
  }
  const casts = written.map((each) => catalog.baseType(each));
  const base = catalog.baseType(type);
  if (node === undefined || !keepsValue(catalog, base, casts)) return undefined;
  if ("ParamRef" in node)
    return { casts: written.join(), parameter: node.ParamRef.number ?? 0, like: casts.at(-1) ?? base };
  if (!("A_Const" in node)) return undefined;
  const { ival, fval, sval, bsval } = node.A_Const;
  if (hasForm(base) && !isExact(base, literalValue(sval?.sval ?? ""))) return undefined;
  const inner: unknown = ival?.ival ?? fval?.fval ?? sval?.sval ?? bsval?.bsval;
  // A hole of the shape: which literal it is, not what it says.
  if (typeof inner === "string" && inner.charCodeAt(0) === 0)
    return { casts: written.join(), literal: Number(inner.slice(1)) };
  return { casts: written.join(), text: JSON.stringify(node.A_Const) };
}
