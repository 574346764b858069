// SEARCH and CYCLE of a recursive common table expression: the columns that they add, and what decides where a recursion ends.
import type { CommonTableExpr } from "libpg-query";
import { namesOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import { anyColumn } from "./scope.ts";
import { combine } from "./value.ts";

/** The result with the columns that are added, which are made of the others. */
export function withSearchColumns(recorder: Recorder, result: Result, body: CommonTableExpr): Result {
  const { search_clause: search, cycle_clause: cycle } = body;
  // A row whose columns were met before is the last one on its way, whether or not anybody asks for the mark.
  for (const name of namesOf(cycle?.cycle_col_list)) {
    const value = result.members.find((member) => member.name === name)?.value ?? anyColumn(result);
    recorder.use(value, USE.distinct);
    recorder.operator(value, "=");
  }
  const added = [search?.search_seq_column, cycle?.cycle_mark_column, cycle?.cycle_path_column].filter(
    (name) => name !== undefined,
  );
  if (added.length === 0) return result;
  const value = combine(
    result.members.map((member) => member.value),
    0,
    false,
  );
  return { ...result, members: [...result.members, ...added.map((name) => ({ name, value }))] };
}
