// WITH: common table expressions, and what of a recursive one comes back into it.
import type { CommonTableExpr, WithClause } from "libpg-query";
import { unusedExpressions } from "./from.ts";
import { namesOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import type { Cte, CteList } from "./scope.ts";
import { asColumns, renamedColumns, Scope } from "./scope.ts";
import { withSearchColumns } from "./search-cycle.ts";
import { kept, resolveQuery, resolveSelectNode } from "./select.ts";

/** WITH: the list of what can be named, with this clause's in front. */
export function withClause(
  recorder: Recorder,
  clause: WithClause | undefined,
  parent: Scope | undefined,
  outer: CteList,
): CteList {
  if (clause === undefined) return outer;
  let list = outer;
  const pending: Cte[] = [];
  for (const node of clause.ctes ?? []) {
    if (!("CommonTableExpr" in node)) continue;
    const body = node.CommonTableExpr;
    const cte: Cte = {
      name: body.ctename ?? "",
      result: undefined,
      resolve: undefined,
      referred: false,
      consumed: [],
      parent,
      appended: 0,
      query: clause.recursive === true ? undefined : body.ctequery,
    };
    const before = list;
    list = { cte, next: list };
    const recursive = clause.recursive === true;
    cte.resolve = () => {
      cte.resolve = undefined;
      // All of a recursive clause see each other, and are resolved when they are named.
      const visible = recursive ? list : before;
      cte.consumed = recorder.consumedBy(() => resolveCte(recorder, cte, body, parent, visible, recursive)).consumed;
    };
    if (recursive) pending.push(cte);
    else cte.resolve();
  }
  for (const cte of pending) cte.resolve?.();
  return list;
}

function resolveCte(
  recorder: Recorder,
  cte: Cte,
  body: CommonTableExpr,
  parent: Scope | undefined,
  visible: CteList,
  recursive: boolean,
): void {
  const names = namesOf(body.aliascolnames);
  const finish = (result: Result): Result => {
    unusedExpressions(recorder, result);
    kept(recorder, result);
    const columns = asColumns(names.length === 0 ? result : renamedColumns(result, names));
    const all = withSearchColumns(recorder, columns, body);
    cte.appended = all.members.length - columns.members.length;
    return all;
  };
  // Its query is below the one that WITH belongs to.
  const inner = new Scope(parent, [], visible);
  const query = body.ctequery;
  if (query === undefined || !("SelectStmt" in query)) {
    cte.result = finish(resolveSelectNode(recorder, query, inner));
    return;
  }
  const select = query.SelectStmt;
  if (!recursive || select.op === undefined || select.op === "SETOP_NONE") {
    cte.result = finish(resolveQuery(recorder, select, inner, visible));
    return;
  }
  // The recursive part sees the columns so far; what it adds may come back into it, until nothing new comes.
  let before = -1;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const known = cte.result;
    cte.referred = false;
    const result = resolveQuery(recorder, select, inner, visible, {
      recursive: (columns) => {
        cte.result = known ?? finish(columns);
      },
    });
    cte.result = finish(result);
    if (!cte.referred) return;
    const size = cte.result.members.reduce(
      (sum, member) => sum + member.value.sources.length + (member.value.derivation === "opaque" ? 1 : 0),
      0,
    );
    if (size === before) return;
    before = size;
  }
  cte.result = {
    ...cte.result!,
    members: cte.result!.members.map((member) => ({
      name: member.name,
      value: { ...member.value, derivation: "opaque" },
    })),
  };
}
const MAX_ROUNDS = 50;
