// Operators in expressions, and what compares or unites values without naming one: IN, BETWEEN, CASE, COALESCE, GREATEST, ARRAY.
import type { A_Expr, CaseExpr, Node } from "libpg-query";
import type { Catalog } from "./catalog.ts";
import { collate } from "./collations.ts";
import { becomes, categoryOf, companyIsTotal, conversionIsTotal, elementOf, isOrdered } from "./coercion.ts";
import { all, expression } from "./expressions.ts";
import { kindOf, namesOf } from "./nodes.ts";
import { operationOf } from "./operators.ts";
import type { Recorder } from "./recorder.ts";
import type { Scope } from "./scope.ts";
import { withCommonRow, withElements } from "./rows.ts";
import { coerced, EQUALS, type Operands, operatorRuns, unified, withRun } from "./user-code.ts";
import type { Value } from "./value.ts";
import { combine, isConstant, TYPE_BOOL, TYPE_TEXT, TYPE_UNKNOWN_LITERAL } from "./value.ts";

export function operation(recorder: Recorder, body: A_Expr, scope: Scope): Value {
  const left = expression(recorder, body.lexpr, scope);
  // The right side of IN and BETWEEN is a list, which nothing else can be.
  const items =
    body.rexpr !== undefined && "List" in body.rexpr ? all(recorder, body.rexpr.List.items, scope) : undefined;
  const right = items === undefined ? expression(recorder, body.rexpr, scope) : combine(items, 0, true);
  const names = namesOf(body.name);
  const name = names.at(-1) ?? "";
  recorder.operator(left, name);
  recorder.operator(right, name);
  const schema = names.length > 1 ? names.at(-2) : undefined;
  const run =
    recorder.catalog.operators.size === 0 && recorder.catalog.casts.length === 0
      ? undefined
      : operatorRuns(
          recorder,
          { schema, name, implied: !NAMED.has(body.kind ?? "") },
          operandsOf(recorder, body, left, right, items ?? []),
          body,
        );
  const { type, total } = meaning(recorder, body, names, left, right, items ?? [right]);
  return withRun(combine([left, right], type, total && collateBy(name, left, right)), run);
}

/** What the server writes by the operator's name, and its schema where it must. */
const NAMED = new Set(["AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL"]);

/** Which operands the operator is looked up for: those of a row member by member, those of a list as its elements. */
function operandsOf(
  recorder: Recorder,
  body: A_Expr,
  left: Value,
  right: Value,
  items: readonly Value[],
): readonly Operands[] {
  const { catalog } = recorder;
  const nodes = nodesOf(body);
  switch (body.kind) {
    case "AEXPR_OP_ANY":
    case "AEXPR_OP_ALL": {
      const type = right.type === TYPE_UNKNOWN_LITERAL ? right.type : elementOf(catalog, right.type);
      return [[left, { ...right, type }]];
    }
    case "AEXPR_NULLIF":
      return [[left, right]];
    case "AEXPR_IN": {
      if (isRow(body.lexpr) || items.some(({ row }) => row !== undefined)) break;
      // Those that name no column are made into one array first, of a type that all of them and the left side can become: one of theirs.
      const types = new Set([left, ...items].map(({ type }) => catalog.baseType(type)));
      for (const { type } of items) types.add(type);
      if (left.type === TYPE_UNKNOWN_LITERAL && types.has(TYPE_UNKNOWN_LITERAL)) types.add(TYPE_TEXT);
      return [...types].map((type) => [left, { ...right, type }]);
    }
    default:
      if (body.lexpr === undefined) return [[undefined, right]];
  }
  return (items.length > 0 ? items : [right]).flatMap((item, at) =>
    isRow(body.lexpr) && isRow(nodes[at]) ? membersOf(left, item) : [[left, item] as const],
  );
}

/** What stands on the right side, one by one. */
function nodesOf(body: A_Expr): readonly (Node | undefined)[] {
  return body.rexpr !== undefined && "List" in body.rexpr ? (body.rexpr.List.items ?? []) : [body.rexpr];
}

function membersOf(left: Value, right: Value): readonly Operands[] {
  if (left.row === undefined || left.row.length !== right.row?.length) return [[left, right]];
  return left.row.map((field, at) => [field.value, right.row![at]!.value] as const);
}

type Meaning = { readonly type: number; readonly total: boolean };

/** Of which type the result is, and whether the operator gives one for any operands. */
function meaning(
  recorder: Recorder,
  body: A_Expr,
  names: readonly string[],
  left: Value,
  right: Value,
  items: readonly Value[],
): Meaning {
  const { catalog } = recorder;
  const schema = names.length > 1 ? names.at(-2) : undefined;
  const name = names.at(-1) ?? "";
  const nodes = nodesOf(body);
  const compares = (symbol: string, at = 0): boolean =>
    isTotalBetween(recorder, schema, symbol, left, items[at]!, isRow(body.lexpr) && isRow(nodes[at]));
  switch (body.kind) {
    case "AEXPR_NULLIF": {
      const { left: type, total } = operationOf(recorder, undefined, "=", left.type, right.type);
      return { type, total };
    }
    case "AEXPR_OP_ANY":
    case "AEXPR_OP_ALL": {
      const element = right.type === TYPE_UNKNOWN_LITERAL ? right.type : elementOf(catalog, right.type);
      return { type: TYPE_BOOL, total: operationOf(recorder, schema, name, left.type, element).total };
    }
    case "AEXPR_DISTINCT":
    case "AEXPR_NOT_DISTINCT":
      return { type: TYPE_BOOL, total: compares("=") };
    case "AEXPR_IN":
      return { type: TYPE_BOOL, total: isIn(recorder, left, items, compares) };
    case "AEXPR_BETWEEN":
    case "AEXPR_NOT_BETWEEN":
    case "AEXPR_BETWEEN_SYM":
    case "AEXPR_NOT_BETWEEN_SYM":
      return {
        type: TYPE_BOOL,
        total: items.every((_, at) => [">=", "<=", "<", ">"].every((symbol) => compares(symbol, at))),
      };
    default: {
      if (isRow(body.lexpr) && isRow(body.rexpr)) return { type: TYPE_BOOL, total: compares(name) };
      return operationOf(recorder, schema, name, body.lexpr === undefined ? undefined : left.type, right.type);
    }
  }
}

const isRow = (node: Node | undefined): boolean => node !== undefined && kindOf(node) === "RowExpr";

/** Does the operator take both, as far as their collations go? */
function collateBy(name: string, left: Value, right: Value): boolean {
  return name === "||" || collate([left, right], COMPARING.has(name) ? "compared" : "searched");
}
const COMPARING = new Set([
  "=",
  "<>",
  "<",
  "<=",
  ">",
  ">=",
  "BETWEEN",
  "NOT BETWEEN",
  "BETWEEN SYMMETRIC",
  "NOT BETWEEN SYMMETRIC",
]);

/** A comparison; `rows`: of two that are written as rows, member by member. Others are compared as records, whose fields may not be of one type. */
function isTotalBetween(
  recorder: Recorder,
  schema: string | undefined,
  symbol: string,
  left: Value,
  right: Value,
  rows: boolean,
): boolean {
  if (rows && left.row !== undefined && right.row !== undefined && left.row.length === right.row.length) {
    const symbols = symbol === "=" || symbol === "<>" ? [symbol] : [symbol, "=", symbol.charAt(0)];
    return left.row.every((field, at) =>
      symbols.every((own) => isTotalBetween(recorder, schema, own, field.value, right.row![at]!.value, false)),
    );
  }
  return operationOf(recorder, schema, symbol, left.type, right.type).total && collateBy(symbol, left, right);
}

/** `x IN (…)`: the items may be made into one array first, of the type that all can become. */
function isIn(
  recorder: Recorder,
  left: Value,
  items: readonly Value[],
  compares: (symbol: string, at: number) => boolean,
): boolean {
  const types = new Set(items.map((item) => item.type).filter((type) => type !== TYPE_UNKNOWN_LITERAL));
  if (types.size > 1) return false;
  return items.every(
    (item, at) =>
      compares("=", at) &&
      (item.row !== undefined ||
        !becomes(recorder.catalog, item.type, left.type) ||
        conversionIsTotal(recorder.catalog, item.type, left.type, "implicit")),
  );
}

export function caseExpression(recorder: Recorder, body: CaseExpr, scope: Scope): Value {
  const tested = body.arg === undefined ? undefined : expression(recorder, body.arg, scope);
  const conditions: Value[] = tested === undefined ? [] : [tested];
  const results: Value[] = [];
  for (const node of body.args ?? []) {
    if (!("CaseWhen" in node)) continue;
    const condition = expression(recorder, node.CaseWhen.expr, scope);
    conditions.push(tested === undefined ? coerced(recorder, condition) : condition);
    results.push(expression(recorder, node.CaseWhen.result, scope));
  }
  // The server thinks of ELSE first when it looks for the type.
  if (body.defresult !== undefined) results.unshift(expression(recorder, body.defresult, scope));
  let run: Value | undefined;
  let total = true;
  if (tested !== undefined) {
    recorder.operator(tested, "=");
    for (const condition of conditions.slice(1)) {
      const compared = operatorRuns(recorder, EQUALS, [[{ ...tested, type: known(tested.type) }, condition]]);
      if (compared !== undefined) run = withRun(compared, run);
      total &&= operationOf(recorder, undefined, "=", known(tested.type), condition.type).total;
      total &&= collateBy("=", tested, condition);
    }
  }
  const together = alternatives(recorder, results);
  const deciding = combine(conditions, 0, true).sources;
  const value = withCommonRow(combine([...conditions, together], together.type, total), [together], deciding);
  return withRun(value, run);
}

/** What stands alone is text. */
function known(type: number): number {
  return type === TYPE_UNKNOWN_LITERAL ? TYPE_TEXT : type;
}

/** One of several values, all made into one type. */
export function alternatives(recorder: Recorder, values: readonly Value[]): Value {
  const type = commonType(recorder.catalog, values);
  const value = combine(values, type, unitesTotally(recorder.catalog, values, type));
  return withRun(withCommonRow(value, values), unified(recorder, values));
}

/** GREATEST and LEAST compare them: of rows, each field tells which of them it is. */
export function greatest(recorder: Recorder, values: readonly Value[]): Value {
  const either = alternatives(recorder, values);
  const value = withCommonRow(either, values, either.sources);
  if (!collate(values, "compared")) return { ...value, total: false };
  return value.total && !isOrdered(recorder.catalog, value.type) ? { ...value, total: isConstant(value) } : value;
}

/** Arrays in an array make it longer, not another type; they must be of the same size. */
export function arrayOf(recorder: Recorder, elements: readonly Value[]): Value {
  const { catalog } = recorder;
  if (elements.length === 0) return combine([], 0, true);
  const type = commonType(catalog, elements);
  const nested = elementOf(catalog, type) !== 0;
  const total = !nested && unitesTotally(catalog, elements, type);
  const array = withElements(combine(elements, nested ? type : catalog.arrayOf(type), total), elements);
  return withRun(array, unified(recorder, elements));
}

function unitesTotally(catalog: Catalog, values: readonly Value[], type: number): boolean {
  if (type !== 0) return values.every((value) => conversionIsTotal(catalog, value.type, type, "implicit"));
  // A parameter's type is the client's choice, and may decide that of the others.
  const types = new Set(values.filter((value) => value.type !== 0).map((value) => known(value.type)));
  return (
    types.size < 2 &&
    values.every((value) => value.type !== 0 || isConstant(value)) &&
    [...types].every((own) => companyIsTotal(catalog, own))
  );
}

/** select_common_type. 0: it cannot be told. */
function commonType(catalog: Catalog, values: readonly Value[]): number {
  const types = values.map((value) => value.type);
  if (types.includes(0)) return 0;
  const [first, ...rest] = types as [number, ...number[]];
  if (first !== TYPE_UNKNOWN_LITERAL && rest.every((type) => type === first)) return first;
  let chosen = TYPE_UNKNOWN_LITERAL;
  for (const given of types) {
    if (given === TYPE_UNKNOWN_LITERAL) continue;
    const type = catalog.baseType(given);
    if (chosen === TYPE_UNKNOWN_LITERAL) chosen = type;
    else if (type !== chosen) {
      if (categoryOf(catalog, type) !== categoryOf(catalog, chosen)) return 0;
      const preferred = catalog.type(chosen)?.preferred === true;
      if (!preferred && becomes(catalog, chosen, type) && !becomes(catalog, type, chosen)) chosen = type;
    }
  }
  return known(chosen);
}
