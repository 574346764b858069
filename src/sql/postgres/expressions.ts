// Expressions: what each depends on. Every kind of node that the grammar has inside of an expression is here; any other is opaque.
import type { A_Const, A_Indirection, CollateClause, ColumnRef, MinMaxExpr, Node, SortBy, SubLink } from "libpg-query";
import { functionCall, windowOf } from "./call-expressions.ts";
import { cast } from "./casts.ts";
import { collated, collationNamed } from "./collations.ts";
import { fieldStep, stepIn } from "./field-steps.ts";
import { anyReturnsSet } from "./listed.ts";
import { bodyOf, kindOf, namesOf, qualifiedName, typeOfNumber } from "./nodes.ts";
import { alternatives, arrayOf, caseExpression, greatest, operation } from "./operator-expressions.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { dependingFields, withCommonRow, withElements } from "./rows.ts";
import { kept, resolveSelectNode } from "./select.ts";
import { expandStar } from "./target-list.ts";
import type { Scope } from "./scope.ts";
import { columnReference, everything } from "./scope.ts";
import { documentOf } from "./documents.ts";
import { coerced, operatorRuns, withRun, writtenAs } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import {
  BITS,
  BOOLEAN,
  combine,
  CONSTANT,
  derived,
  INTEGER,
  LITERAL,
  OPAQUE,
  plainConstant,
  tellsFields,
  tellsNullness,
  TYPE_BOOL,
  TYPE_RECORD,
  TYPE_TEXT,
  TYPE_UNKNOWN_LITERAL,
  union,
} from "./value.ts";

/** Resolves one expression. Its uses are recorded by who asks, who knows what it is for. */
export function expression(recorder: Recorder, node: Node | undefined, scope: Scope): Value {
  if (node === undefined) return CONSTANT;
  const value = resolved(recorder, node, scope);
  recorder.spend(1 + (value.sources.length >> 3));
  return value;
}

function resolved(recorder: Recorder, node: Node, scope: Scope): Value {
  const kind = kindOf(node);
  switch (kind) {
    case "ColumnRef":
      return columnReference(recorder, bodyOf<ColumnRef>(node).fields ?? [], scope, stepIn(recorder, scope));
    case "A_Const":
      return constant(bodyOf(node));
    case "ParamRef":
      // Of a statement: its type is the client's choice. Of a body: what it is given.
      return recorder.variables === undefined
        ? CONSTANT
        : (recorder.variables.numbered(bodyOf<{ number?: number }>(node).number ?? 0) ?? OPAQUE);
    case "A_Expr":
      return operation(recorder, bodyOf(node), scope);
    case "BoolExpr":
      return combine(
        all(recorder, bodyOf<{ args?: Node[] }>(node).args, scope).map((value) => coerced(recorder, value)),
        TYPE_BOOL,
        true,
      );
    case "NullTest":
    case "BooleanTest": {
      const tested = expression(recorder, bodyOf<{ arg?: Node }>(node).arg, scope);
      const value = kind === "NullTest" ? tested : coerced(recorder, tested);
      recorder.operator(value, kind === "NullTest" ? "is null" : "is");
      const result = derived(value, TYPE_BOOL, true);
      if (kind !== "NullTest") return result;
      if (value.row !== undefined) return tellsFields(result, value.row);
      return isRow(recorder, value) ? result : tellsNullness(result, value);
    }
    case "FuncCall":
      return functionCall(recorder, bodyOf(node), scope);
    case "TypeCast":
      return cast(recorder, bodyOf(node), scope);
    case "SubLink":
      return subselect(recorder, bodyOf(node), scope);
    case "CaseExpr":
      return caseExpression(recorder, bodyOf(node), scope);
    case "CoalesceExpr":
      return noted(
        recorder,
        alternatives(recorder, all(recorder, bodyOf<{ args?: Node[] }>(node).args, scope)),
        "coalesce",
      );
    case "MinMaxExpr": {
      const { args, op } = bodyOf<MinMaxExpr>(node);
      return noted(recorder, greatest(recorder, all(recorder, args, scope)), op === "IS_LEAST" ? "least" : "greatest");
    }
    case "A_ArrayExpr":
      return arrayOf(recorder, all(recorder, bodyOf<{ elements?: Node[] }>(node).elements, scope));
    case "RowExpr":
      return keptRow(recorder, rowOf(list(recorder, bodyOf<{ args?: Node[] }>(node).args, scope)));
    case "A_Indirection":
      return indirection(recorder, bodyOf(node), scope);
    case "CollateClause": {
      const { arg, collname } = bodyOf<CollateClause>(node);
      const value = expression(recorder, arg, scope);
      const { schema, name } = qualifiedName(collname);
      const { collation: _, ...plain } = derived(value, value.type, true);
      const first = recorder.path.find((each) => !each.startsWith("pg_temp_"));
      return noted(recorder, collated(plain, collationNamed(schema, name, first)), "collate");
    }
    case "NamedArgExpr":
      return expression(recorder, bodyOf<{ arg?: Node }>(node).arg, scope);
    case "List":
      return combine(all(recorder, bodyOf<{ items?: Node[] }>(node).items, scope), 0, true);
    case "SQLValueFunction":
      return plainConstant(VALUE_TYPES[bodyOf<{ op?: string }>(node).op ?? ""] ?? TYPE_NAME);
    case "SetToDefault":
    case "MergeSupportFunc":
    case "CurrentOfExpr":
    case "GroupingFunc":
    case "String":
    case "Integer":
    case "Float":
    case "Boolean":
    case "BitString":
      return CONSTANT;
    case "JsonArrayQueryConstructor":
      return documentOf(recorder, bodyOf(node), [
        subselectValue(recorder, bodyOf<{ query?: Node }>(node).query, scope, 0),
      ]);
    case "JsonObjectAgg":
    case "JsonArrayAgg": {
      const value = constructed(recorder, bodyOf(node), scope);
      noted(recorder, value, constructorName(node));
      const { over } = bodyOf<{ constructor: { over?: object } }>(node).constructor;
      return over === undefined ? { ...value, derivation: "aggregate" } : value;
    }
    case "WindowDef":
      return windowOf(recorder, bodyOf(node), scope);
    case "SortBy": {
      const body = bodyOf<SortBy>(node);
      const value = expression(recorder, body.node, scope);
      if (body.useOp !== undefined) operatorRuns(recorder, writtenAs(body.useOp), [[value, value]]);
      return value;
    }
    case "XmlExpr":
    case "XmlSerialize":
    case "JsonIsPredicate":
    case "JsonParseExpr":
    case "JsonScalarExpr":
    case "JsonSerializeExpr":
    case "JsonObjectConstructor":
    case "JsonArrayConstructor":
    case "JsonFuncExpr":
      return noted(recorder, constructed(recorder, bodyOf(node), scope), constructorName(node));
    case "JsonValueExpr":
    case "JsonKeyValue":
    case "JsonArgument":
    case "JsonBehavior":
    case "ResTarget":
    case "DefElem":
      return combine(nested(recorder, bodyOf(node), scope), 0, false);
    case "TypeName":
      return CONSTANT;
    default:
      return everything(scope);
  }
}

/** Whether that is NULL depends on what is in it. */
const isRow = (recorder: Recorder, value: Value): boolean =>
  recorder.catalog.relationByRowType(value.type) !== undefined;

/** Of CURRENT_DATE and the like; the others give names. */
const TYPE_NAME = 19;
const VALUE_TYPES: { readonly [op: string]: number } = {
  SVFOP_CURRENT_DATE: 1082,
  SVFOP_CURRENT_TIME: 1266,
  SVFOP_CURRENT_TIME_N: 1266,
  SVFOP_CURRENT_TIMESTAMP: 1184,
  SVFOP_CURRENT_TIMESTAMP_N: 1184,
  SVFOP_LOCALTIME: 1083,
  SVFOP_LOCALTIME_N: 1083,
  SVFOP_LOCALTIMESTAMP: 1114,
  SVFOP_LOCALTIMESTAMP_N: 1114,
};

export function all(recorder: Recorder, nodes: readonly Node[] | undefined, scope: Scope): Value[] {
  const values: Value[] = [];
  if (nodes !== undefined) for (const node of nodes) values.push(expression(recorder, node, scope));
  return values;
}

/** A list of ROW(…) and VALUES: `c.*` in it stands for its columns. `open`: there may be others between them. */
export function list(
  recorder: Recorder,
  nodes: readonly Node[] | undefined,
  scope: Scope,
): { values: readonly Value[]; open: boolean } {
  const values: Value[] = [];
  let open = false;
  for (const node of nodes ?? []) {
    const star = expandStar(recorder, node, scope);
    if (star === undefined) values.push(expression(recorder, node, scope));
    else {
      for (const member of star.members) values.push(member.value);
      if (star.open) values.push(star.rest ?? OPAQUE);
      open ||= star.open;
    }
  }
  return { values, open };
}

/** Of these, what is in them counts one by one. */
const WRAPPERS = new Set(["JsonValueExpr", "JsonKeyValue", "JsonArgument", "JsonBehavior", "ResTarget"]);
const NAMES = new Set(["String", "Integer", "Float", "Boolean", "BitString", "TypeName"]);

/** Every expression below a node whose own meaning adds nothing (the SQL/JSON and XML constructors). */
function nested(recorder: Recorder, body: object, scope: Scope): Value[] {
  const values: Value[] = [];
  for (const [member, value] of Object.entries(body)) {
    if (member === "typeName") continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item !== "object" || item === null) continue;
      const kind = isNode(item) ? kindOf(item) : undefined;
      if (kind === undefined) values.push(...nested(recorder, item, scope));
      else if (WRAPPERS.has(kind)) values.push(...nested(recorder, bodyOf(item as Node), scope));
      else if (!NAMES.has(kind)) values.push(expression(recorder, item as Node, scope));
    }
  }
  return values;
}

function constructed(recorder: Recorder, body: object, scope: Scope): Value {
  return documentOf(recorder, body, nested(recorder, body, scope));
}

/** Something is applied to the value that is no operator and no function, but may tell as much: noted like one. */
function noted(recorder: Recorder, value: Value, name: string): Value {
  recorder.operator(value, name);
  return value;
}

/** What SQL calls an XML or JSON constructor: `IS_XMLELEMENT`, `JSON_VALUE_OP`, `JsonObjectConstructor`. */
function constructorName(node: Node): string {
  const kind = kindOf(node);
  if (kind === "JsonIsPredicate") return "is json";
  const { op } = bodyOf<{ op?: unknown }>(node);
  if (typeof op === "string") return op.replace(/^IS_(?=XML)|_OP$/g, "").toLowerCase();
  return kind
    .replace(/(Constructor|Expr)$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, "_")
    .toLowerCase();
}

/** Nodes are wrapped in their kind, which starts with a capital; the members of a body never do. */
function isNode(item: object): boolean {
  return /^[A-Z]/.test(kindOf(item));
}

function constant(body: A_Const): Value {
  if (body.ival !== undefined) return INTEGER;
  if (body.fval !== undefined) return plainConstant(typeOfNumber(body.fval));
  if (body.boolval !== undefined) return BOOLEAN;
  return body.bsval === undefined ? LITERAL : BITS;
}

/** It may be held as a whole where one field of it is asked for. */
function keptRow(recorder: Recorder, row: Value): Value {
  recorder.keeps(row);
  return row;
}

function rowOf({ values, open }: { values: readonly Value[]; open: boolean }): Value {
  if (open) return { ...combine(values, TYPE_RECORD, false), derivation: "opaque" };
  const row: Member[] = values.map((value, at) => ({ name: `f${at + 1}`, value: derived(value, value.type, true) }));
  return { ...combine(values, TYPE_RECORD, true), row };
}

function indirection(recorder: Recorder, body: A_Indirection, scope: Scope): Value {
  let value = expression(recorder, body.arg, scope);
  let node = body.arg;
  for (const step of body.indirection ?? []) {
    if ("String" in step) value = fieldStep(recorder, value, step.String.sval ?? "", { scope, node });
    else if ("A_Indices" in step) {
      const indices = all(
        recorder,
        [step.A_Indices.lidx, step.A_Indices.uidx].filter((node) => node !== undefined),
        scope,
      );
      for (const index of indices) recorder.use(coerced(recorder, index), USE.subscript);
      for (const applied of [value, ...indices]) recorder.operator(applied, "[]");
      value = element(recorder, value, indices, step.A_Indices.is_slice === true);
    } else value = derived(value, 0, false);
    node = undefined;
  }
  return value;
}

/** An element or a slice of an array, or a part of a jsonb: it depends on the subscripts, too. */
function element(recorder: Recorder, value: Value, indices: readonly Value[], slice: boolean): Value {
  const type = slice ? value.type : (recorder.catalog.type(value.type)?.element ?? 0);
  const result = combine([value, ...indices], value.type === TYPE_JSONB ? TYPE_JSONB : type, false);
  if (value.elements === undefined) return result;
  const also = combine(indices, 0, false).sources;
  const fields = dependingFields(value.elements, also);
  return slice ? { ...result, elements: fields } : { ...result, row: fields };
}
const TYPE_JSONB = 3802;

function subselect(recorder: Recorder, body: SubLink, scope: Scope): Value {
  const test = body.testexpr === undefined ? undefined : expression(recorder, body.testexpr, scope);
  if (test !== undefined) recorder.operator(test, namesOf(body.operName).at(-1) ?? "=");
  switch (body.subLinkType) {
    case "EXPR_SUBLINK":
    case "ARRAY_SUBLINK":
      return subselectValue(
        recorder,
        body.subselect,
        scope,
        body.subLinkType === "ARRAY_SUBLINK" ? 0 : undefined,
        body,
      );
    case "EXISTS_SUBLINK":
      return subselectValue(recorder, body.subselect, scope, TYPE_BOOL, body, false);
    default: {
      const value = subselectValue(recorder, body.subselect, scope, undefined, body);
      const result = combine(test === undefined ? [value] : [test, value], TYPE_BOOL, false);
      const name = namesOf(body.operName).at(-1) ?? "=";
      recorder.operator(value, name);
      // A row is compared member by member, with the columns.
      const given = test?.row === undefined ? value : { ...value, type: 0 };
      return withRun(result, operatorRuns(recorder, writtenAs(body.operName), [[test, given]], body));
    }
  }
}

/** Does the server forget the outputs of this query below EXISTS? (simplify_EXISTS_query in subselect.c) */
function losesOutputs(recorder: Recorder, query: Node | undefined): boolean {
  if (query === undefined || !("SelectStmt" in query)) return false;
  const { SelectStmt: select } = query;
  const targets = select.targetList ?? [];
  return (
    Object.keys(select).every((member) => FORGETTING.has(member)) &&
    (select.op === undefined || select.op === "SETOP_NONE") &&
    targets.every((target) => {
      const val = "ResTarget" in target ? target.ResTarget.val : undefined;
      return val !== undefined && ("ColumnRef" in val || "A_Const" in val);
    }) &&
    !anyReturnsSet(recorder, targets)
  );
}
const FORGETTING: ReadonlySet<string> = new Set(
  "targetList fromClause whereClause distinctClause sortClause limitOption op".split(" "),
);

/** A literal that nothing gave another type is text in a sub-select's column. */
const columnType = (value: Value): number => (value.type === TYPE_UNKNOWN_LITERAL ? TYPE_TEXT : value.type);

/** The value of a sub-select in an expression depends on its outputs, and on everything that decides which rows it has. */
function subselectValue(
  recorder: Recorder,
  query: Node | undefined,
  scope: Scope,
  type: number | undefined,
  body?: SubLink,
  outputs = true,
): Value {
  const { result, consumed } = recorder.consumedBy(() => resolveSelectNode(recorder, query, scope));
  if (body !== undefined && result.members[0] !== undefined) recorder.subselectNames.set(body, result.members[0].name);
  // EXISTS shows no output, but the server may compute it all the same (aggregates, set-returning functions, OFFSET, …): what an expression
  // gives can then fail, decide how many rows there are, or have an effect. A bare column can do none of it.
  const all = result.members.map((member) => member.value);
  const values = outputs ? all.slice() : all.filter((value) => value.derivation !== "direct");
  if (!outputs) {
    for (const value of values) recorder.use(value, USE.expression);
    if (!losesOutputs(recorder, query)) kept(recorder, result);
  }
  if (result.open && result.rest !== undefined) values.push(result.rest);
  const value = combine(values, type ?? (values.length === 1 ? columnType(values[0]!) : TYPE_RECORD), false);
  const sources = union(value.sources, consumed);
  const whole: Value = {
    sources,
    derivation: result.open ? "opaque" : value.derivation,
    total: false,
    type: value.type,
  };
  if (!outputs || result.open || values.length !== 1) return whole;
  if (body?.subLinkType === "EXPR_SUBLINK") return withCommonRow(whole, values, consumed);
  return body?.subLinkType === "ARRAY_SUBLINK" ? withElements(whole, values, consumed) : whole;
}
