// Statements that run what an earlier one of their text has prepared or declared: nothing stands in them that could be replaced.
import type { Node, ParseResult } from "libpg-query";

/** Is what the statement of that number runs made in the same text, where it is replaced? */
export function runsEarlier({ stmts = [] }: ParseResult, number: number): boolean {
  const run = ranBy(stmts[number]?.stmt);
  return run !== undefined && stmts.slice(0, number).some(({ stmt }) => makes(stmt, run));
}

type Ran = { readonly prepared?: string | undefined; readonly cursor?: string | undefined };

/** Also below EXPLAIN and CREATE TABLE AS. */
function ranBy(statement: Node | undefined): Ran | undefined {
  if (statement === undefined) return undefined;
  if ("ExplainStmt" in statement) return ranBy(statement.ExplainStmt.query);
  if ("CreateTableAsStmt" in statement) return ranBy(statement.CreateTableAsStmt.query);
  if ("ExecuteStmt" in statement) return { prepared: statement.ExecuteStmt.name };
  if ("FetchStmt" in statement) return { cursor: statement.FetchStmt.portalname };
  return undefined;
}

function makes(statement: Node | undefined, { prepared, cursor }: Ran): boolean {
  if (statement === undefined) return false;
  if ("PrepareStmt" in statement) return prepared !== undefined && statement.PrepareStmt.name === prepared;
  return "DeclareCursorStmt" in statement && cursor !== undefined && statement.DeclareCursorStmt.portalname === cursor;
}
