// How PostgreSQL names an output that has no alias: FigureColname of its parser (parse_target.c).
import type { Node, TypeName } from "libpg-query";
import { bodyOf, kindOf, namesOf } from "./nodes.ts";

const NO_NAME = "?column?";

/** `subselectNames` gives the first output's name of scalar sub-selects that were resolved before. */
export function outputName(
  node: Node | undefined,
  subselectNames: ReadonlyMap<object, string>,
  serverVersion: number,
): string {
  // Until PostgreSQL 14 a boolean constant was a cast of a text.
  if (serverVersion < 150_000 && node !== undefined && "A_Const" in node && node.A_Const.boolval !== undefined)
    return "bool";
  return node === undefined ? NO_NAME : (figure(node, subselectNames)?.name ?? NO_NAME);
}

/** A weak name (1) gives way to what stands around it; a strong one (2) does not. */
type Named = { readonly name: string; readonly strength: 1 | 2 };
const strong = (name: string): Named => ({ name, strength: 2 });

const FIXED: { readonly [kind: string]: string } = {
  GroupingFunc: "grouping",
  MergeSupportFunc: "merge_action",
  A_ArrayExpr: "array",
  RowExpr: "row",
  CoalesceExpr: "coalesce",
  XmlSerialize: "xmlserialize",
  JsonParseExpr: "json",
  JsonScalarExpr: "json_scalar",
  JsonSerializeExpr: "json_serialize",
  JsonObjectConstructor: "json_object",
  JsonArrayConstructor: "json_array",
  JsonArrayQueryConstructor: "json_array",
  JsonObjectAgg: "json_objectagg",
  JsonArrayAgg: "json_arrayagg",
};
const VALUE_FUNCTIONS: { readonly [op: string]: string } = {
  SVFOP_CURRENT_DATE: "current_date",
  SVFOP_CURRENT_TIME: "current_time",
  SVFOP_CURRENT_TIME_N: "current_time",
  SVFOP_CURRENT_TIMESTAMP: "current_timestamp",
  SVFOP_CURRENT_TIMESTAMP_N: "current_timestamp",
  SVFOP_LOCALTIME: "localtime",
  SVFOP_LOCALTIME_N: "localtime",
  SVFOP_LOCALTIMESTAMP: "localtimestamp",
  SVFOP_LOCALTIMESTAMP_N: "localtimestamp",
  SVFOP_CURRENT_ROLE: "current_role",
  SVFOP_CURRENT_USER: "current_user",
  SVFOP_USER: "user",
  SVFOP_SESSION_USER: "session_user",
  SVFOP_CURRENT_CATALOG: "current_catalog",
  SVFOP_CURRENT_SCHEMA: "current_schema",
};
const XML_FUNCTIONS: { readonly [op: string]: string } = {
  IS_XMLCONCAT: "xmlconcat",
  IS_XMLELEMENT: "xmlelement",
  IS_XMLFOREST: "xmlforest",
  IS_XMLPARSE: "xmlparse",
  IS_XMLPI: "xmlpi",
  IS_XMLROOT: "xmlroot",
  IS_XMLSERIALIZE: "xmlserialize",
};
const JSON_FUNCTIONS: { readonly [op: string]: string } = {
  JSON_EXISTS_OP: "json_exists",
  JSON_QUERY_OP: "json_query",
  JSON_VALUE_OP: "json_value",
};

/** The members that decide a name, of all kinds of nodes together. */
type Parts = {
  readonly fields?: Node[];
  readonly indirection?: Node[];
  readonly funcname?: Node[];
  readonly arg?: Node;
  readonly defresult?: Node;
  readonly typeName?: TypeName;
  readonly kind?: string;
  readonly subLinkType?: string;
  readonly op?: string;
};

function figure(node: Node, subselects: ReadonlyMap<object, string>): Named | undefined {
  const kind = kindOf(node);
  const body = bodyOf<Parts>(node);
  const fixed = FIXED[kind];
  if (fixed !== undefined) return strong(fixed);
  switch (kind) {
    case "ColumnRef":
      return lastName(body.fields);
    case "A_Indirection":
      return lastName(body.indirection) ?? figureOf(body.arg, subselects);
    case "FuncCall":
      return lastName(body.funcname);
    case "A_Expr":
      return body.kind === "AEXPR_NULLIF" ? strong("nullif") : undefined;
    case "TypeCast": {
      const argument = figureOf(body.arg, subselects);
      if (argument?.strength === 2) return argument;
      const type = lastName(body.typeName?.names);
      return type === undefined ? argument : { name: type.name, strength: 1 };
    }
    case "CollateClause":
      return figureOf(body.arg, subselects);
    case "CaseExpr": {
      const result = figureOf(body.defresult, subselects);
      return result?.strength === 2 ? result : { name: "case", strength: 1 };
    }
    case "SubLink": {
      if (body.subLinkType === "EXISTS_SUBLINK") return strong("exists");
      if (body.subLinkType === "ARRAY_SUBLINK") return strong("array");
      const name = body.subLinkType === "EXPR_SUBLINK" ? subselects.get(body) : undefined;
      return name === undefined ? undefined : strong(name);
    }
    case "MinMaxExpr":
      return strong(body.op === "IS_LEAST" ? "least" : "greatest");
    case "SQLValueFunction":
      return nameFrom(VALUE_FUNCTIONS, body.op);
    case "XmlExpr":
      return nameFrom(XML_FUNCTIONS, body.op);
    case "JsonFuncExpr":
      return nameFrom(JSON_FUNCTIONS, body.op);
    default:
      return undefined;
  }
}

function figureOf(node: Node | undefined, subselects: ReadonlyMap<object, string>): Named | undefined {
  return node === undefined ? undefined : figure(node, subselects);
}

function lastName(nodes: Node[] | undefined): Named | undefined {
  const names = namesOf(nodes);
  return names.length === 0 ? undefined : strong(names[names.length - 1]!);
}

function nameFrom(table: { readonly [op: string]: string }, op: string | undefined): Named | undefined {
  const name = op === undefined ? undefined : table[op];
  return name === undefined ? undefined : strong(name);
}
