// Expressions that belong to a table, as the server writes them down, over one of its rows.
import type { Node } from "libpg-query";
import { parse } from "./parser.ts";
import { derivedItem } from "./scope.ts";
import type { Value } from "./value.ts";

/** An item by which an expression of the table's owner names a row. */
export function rowItem(name: string, row: Value, columnsVisible: boolean) {
  return { ...derivedItem(name, { members: row.row ?? [], open: false }, []), columnsVisible };
}

const expressions = new Map<string, readonly Node[]>();
const MAX_EXPRESSIONS = 2_000;

/** As the server writes them down: one, or several with commas between (of an index). None: it cannot be read. */
export function expressionsIn(text: string): readonly Node[] {
  if (text === "") return [];
  let nodes = expressions.get(text);
  if (nodes !== undefined) return nodes;
  try {
    const statement = parse(`SELECT ${text}`).stmts?.[0]?.stmt;
    nodes =
      statement !== undefined && "SelectStmt" in statement
        ? (statement.SelectStmt.targetList ?? []).flatMap((target) =>
            "ResTarget" in target && target.ResTarget.val !== undefined ? [target.ResTarget.val] : [],
          )
        : [];
  } catch {
    nodes = [];
  }
  if (expressions.size >= MAX_EXPRESSIONS) expressions.clear();
  expressions.set(text, nodes);
  return nodes;
}
