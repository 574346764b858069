// Are two parse trees the same, but for where in the text they stand?
import { literalValue } from "./literals.ts";

/** Members that say where something stands. CreateTableSpaceStmt has a location that is none: a text. */
const PLACES: ReadonlySet<string> = new Set([
  "location",
  "stmt_location",
  "stmt_len",
  "list_start",
  "list_end",
  "rexpr_list_start",
  "rexpr_list_end",
]);
/** Of an A_Const: the values that a shape leaves out (see shape.ts), and what the parser's JSON leaves out for them. */
const LITERALS = new Map<string, string | number>([
  ["ival", 0],
  ["fval", ""],
  ["sval", ""],
  ["bsval", ""],
]);

type Body = { readonly [member: string]: unknown };
const isBody = (value: unknown): value is Body => typeof value === "object" && value !== null && !Array.isArray(value);

/** Literals of the first may be left out, as in the tree of a shape: their values are read then. */
export function sameTree(left: unknown, right: unknown): boolean {
  if (Array.isArray(left))
    return Array.isArray(right) && left.length === right.length && left.every((item, at) => sameTree(item, right[at]));
  if (!isBody(left)) return left === right;
  if (!isBody(right)) return false;
  let members = 0;
  for (const member in left) {
    const value = left[member];
    if (isPlace(member, value)) continue;
    members++;
    if (!Object.hasOwn(right, member)) return false;
    if (
      isBody(value) && LITERALS.has(member)
        ? !sameLiteral(member, value, right[member])
        : !sameTree(value, right[member])
    )
      return false;
  }
  for (const member in right) if (!isPlace(member, right[member])) members--;
  return members === 0;
}

function sameLiteral(kind: string, left: Body, right: unknown): boolean {
  if (!isBody(right)) return false;
  const absent = LITERALS.get(kind)!;
  return literalValue((left[kind] ?? absent) as string | number) === (right[kind] ?? absent);
}

function isPlace(member: string, value: unknown): boolean {
  return typeof value === "number" && PLACES.has(member);
}
