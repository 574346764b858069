// Long lists of like constants, cut down: a thousand rows of VALUES have the facts of two.
import type { ParseResult } from "libpg-query";

/** How many of each kind stay: one alone might be read otherwise than several. */
const KEPT = 2;
/** Kinds in which a literal's value says nothing about the facts. Below any other kind it may, and is part of what is compared. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  "List",
  "RowExpr",
  "A_ArrayExpr",
  "A_Const",
  "ParamRef",
  "SetToDefault",
]);

type Tree = { readonly [member: string]: unknown };

/** Rows of VALUES, the list of IN, and the elements of ARRAY that differ from earlier ones in plain constants only are left out. */
export function collapse(tree: ParseResult): ParseResult {
  // Walked by hand: trees are deeper than the stack.
  const left: unknown[] = [tree];
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== "object" || node === null) continue;
    if (!Array.isArray(node)) cutLists(node as { [member: string]: unknown });
    left.push(...(Array.isArray(node) ? node : Object.values(node)));
  }
  return tree;
}

function cutLists(body: { [member: string]: unknown }): void {
  if (Array.isArray(body.valuesLists)) body.valuesLists = distinct(body.valuesLists);
  else if (Array.isArray(body.elements)) body.elements = distinct(body.elements);
  else if (body.kind === "AEXPR_IN") {
    const list = (body.rexpr as { List?: { items?: unknown[] } } | undefined)?.List;
    if (list?.items !== undefined) list.items = distinct(list.items);
  }
}

function distinct(items: unknown[]): unknown[] {
  if (items.length <= KEPT) return items;
  const seen = new Map<string, number>();
  return items.filter((item) => {
    const key = JSON.stringify(likeness(item as Tree, true));
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return before < KEPT;
  });
}

/** What two elements must share to be alike. `plain`: nothing around it could look at a literal's value. */
function likeness(value: unknown, plain: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => likeness(item, plain));
  if (typeof value !== "object" || value === null) return value;
  const result: { [member: string]: unknown } = {};
  for (const [member, inner] of Object.entries(value)) {
    if (member === "location" || member === "number" || member.startsWith("list_") || member.startsWith("rexpr_"))
      continue;
    const kind = /^[A-Z]/.test(member);
    if (plain && member === "A_Const") result[member] = Object.keys(inner as object);
    else result[member] = likeness(inner, plain && (!kind || TRANSPARENT.has(member) || isPlainCast(member, inner)));
  }
  return result;
}

/** A cast to a type whose literals name no object (not regclass and its like). */
function isPlainCast(kind: string, body: unknown): boolean {
  if (kind === "TypeName") return true;
  if (kind !== "TypeCast") return false;
  const names = (body as { typeName?: { names?: { String?: { sval?: string } }[] } }).typeName?.names ?? [];
  return names.length > 0 && !/^_?reg/.test(names.at(-1)?.String?.sval ?? "reg");
}
