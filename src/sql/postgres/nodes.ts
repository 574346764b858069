// Small readers of parse-tree nodes: their kind, their names, their constants.
import type { A_Const, Node, RangeVar, TypeName } from "libpg-query";
import { literalValue } from "./literals.ts";

/** The kind and the body of a node, which is an object with one member. */
export function kindOf(node: object): string {
  for (const kind in node) return kind;
  return "";
}

export function bodyOf<T>(node: object): T {
  for (const kind in node) return (node as Record<string, T>)[kind]!;
  return {} as T;
}

/** The text of a String node, undefined for anything else. */
export function stringOf(node: Node | undefined): string | undefined {
  return node !== undefined && "String" in node ? (node.String.sval ?? "") : undefined;
}

/** `*`, `x.*`, and of a row `(x).*`: may stand for any number of columns. */
export function isStar(node: Node | undefined): boolean {
  if (node === undefined) return false;
  const parts =
    "ColumnRef" in node ? node.ColumnRef.fields : "A_Indirection" in node ? node.A_Indirection.indirection : [];
  return hasStar(parts);
}

/** Of the parts of a name, or the steps into a row. */
export function hasStar(parts: readonly Node[] | undefined): boolean {
  return parts?.some((part) => "A_Star" in part) === true;
}

/** The texts of a list of String nodes. */
export function namesOf(nodes: readonly Node[] | undefined): string[] {
  const names: string[] = [];
  if (nodes !== undefined) {
    for (const node of nodes) {
      const name = stringOf(node);
      if (name !== undefined) names.push(name);
    }
  }
  return names;
}

/** `[schema.]name` of a list of String nodes; a database's name before is dropped, as it must be the current one. */
export function qualifiedName(nodes: readonly Node[] | undefined): { schema: string | undefined; name: string } {
  const names = namesOf(nodes);
  return { schema: names.length > 1 ? names[names.length - 2] : undefined, name: names[names.length - 1] ?? "" };
}

/** The value of a bare constant for facts; undefined for what is not one, null for NULL. Of what is cast, constants.ts tells. */
export function constantOf(node: Node | undefined): string | null | undefined {
  if (node === undefined) return undefined;
  if ("A_Const" in node) return constantText(node.A_Const);
  if ("String" in node) return node.String.sval ?? "";
  if ("Integer" in node) return String(node.Integer.ival ?? 0);
  if ("Float" in node) return node.Float.fval ?? "";
  if ("Boolean" in node) return String(node.Boolean.boolval ?? false);
  return undefined;
}

function constantText(constant: A_Const): string | null {
  if (constant.isnull) return null;
  if (constant.sval !== undefined) return literalValue(constant.sval.sval ?? "");
  if (constant.ival !== undefined) return String(literalValue(constant.ival.ival ?? 0));
  if (constant.fval !== undefined) return literalValue(constant.fval.fval ?? "");
  if (constant.boolval !== undefined) return String(constant.boolval.boolval ?? false);
  return literalValue(constant.bsval?.bsval ?? "");
}

/** The number of an integer literal; undefined for anything else. */
export function integerOf(node: Node | undefined): number | undefined {
  if (node === undefined || !("A_Const" in node) || node.A_Const.ival === undefined) return undefined;
  return literalValue(node.A_Const.ival.ival ?? 0);
}

/** An option of a list of DefElem: undefined when absent, "" when it has no argument. */
export function optionOf(options: readonly Node[] | undefined, name: string): string | undefined {
  let found: string | undefined;
  for (const node of options ?? []) {
    if (!("DefElem" in node) || node.DefElem.defname !== name) continue;
    found = node.DefElem.arg === undefined ? "" : (constantOf(node.DefElem.arg) ?? "");
  }
  return found;
}

/** The expression below the casts that are written around it. */
export function withoutCasts(node: Node | undefined): Node | undefined {
  return node !== undefined && "TypeCast" in node ? withoutCasts(node.TypeCast.arg) : node;
}

/** As the server reads a boolean option: present without a value means on. */
export function isOn(option: string | undefined): boolean {
  return option !== undefined && !/^(false|off|0|no|f|n)$/i.test(option);
}

/** A RangeVar, whether it is wrapped as a node or not. */
export function rangeVarOf(node: Node | RangeVar | undefined): RangeVar | undefined {
  if (node === undefined) return undefined;
  if ("RangeVar" in node) return node.RangeVar;
  return "relname" in node ? (node as RangeVar) : undefined;
}

export function typeNameParts(type: TypeName): { schema: string | undefined; name: string; array: boolean } {
  const { schema, name } = qualifiedName(type.names);
  return { schema, name, array: (type.arrayBounds?.length ?? 0) > 0 };
}

const TYPE_INTEGER = 23;
const TYPE_BIGINT = 20;
const TYPE_NUMERIC = 1700;

/**
 * The type of a number that the grammar has no integer for: the smallest that holds it (make_const in parse_node.c), of the least integer
 * `-2147483648`, too. `type`: said by a shape, which has no value.
 */
export function typeOfNumber(body: { fval?: string; type?: number }): number {
  if (body.type !== undefined) return body.type;
  const [, sign, digits] = /^(-?)(.*)$/.exec((body.fval ?? "").replaceAll("_", ""))!;
  // What is no whole number, or has an exponent.
  if (!/^(?:\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.test(digits!)) return TYPE_NUMERIC;
  const value = sign === "-" ? -BigInt(digits!) : BigInt(digits!);
  if (BigInt.asIntN(32, value) === value) return TYPE_INTEGER;
  return BigInt.asIntN(64, value) === value ? TYPE_BIGINT : TYPE_NUMERIC;
}
