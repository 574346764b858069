// System columns (ctid, tableoid, xmin …) of a table that is replaced: its sub-select carries those that the statement names, where nothing else would find them.
import type { Node } from "libpg-query";
import type { Relation } from "./model.ts";
import type { Names } from "./substitute-names.ts";

/** Those that the sub-select needs; a text: why they cannot be columns of it. */
export function systemColumns(relation: Relation, names: Names, statement: Node): readonly string[] | string {
  const system = names.systemOf(relation);
  if (system.length === 0) return system;
  const why = names.isWhole(relation) ? "beside its whole row or *; name the columns instead" : findsThem(statement);
  return why === undefined ? system : `it reads the system column ${system.join(", ")} of ${relation.qualified} ${why}`;
}

/** What would treat them as columns like any other, or what locks the row that they tell of. */
function findsThem(statement: Node): string | undefined {
  const left: unknown[] = [statement];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (typeof node !== "object" || node === null) continue;
    if ("LockingClause" in node) return "and locks rows; leave out one of both";
    if ("JoinExpr" in node) {
      const { isNatural, alias } = node.JoinExpr as { isNatural?: boolean; alias?: object };
      if (isNatural === true || alias !== undefined)
        return "beside a NATURAL join or the alias of a join; write the join with ON, and without an alias";
    }
    left.push(...(Array.isArray(node) ? node : Object.values(node)));
  }
  return undefined;
}
