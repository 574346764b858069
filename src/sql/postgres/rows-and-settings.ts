// COPY and TRUNCATE, SET and transaction control.
import type { CopyStmt, TransactionStmt, TruncateStmt, VariableSetStmt } from "libpg-query";
import type { Effects } from "./analysis.ts";
import { namedRelation } from "./ddl.ts";
import { expression } from "./expressions.ts";
import type { Judged, Judging } from "./judging.ts";
import { NO_SCOPE } from "./judging.ts";
import { constantOf, rangeVarOf, stringOf } from "./nodes.ts";
import { USE } from "./recorder.ts";
import { resolveSelectNode } from "./select.ts";
import { relationItem, Scope } from "./scope.ts";
import { CONSTANT } from "./value.ts";

export function copy({ recorder }: Judging, body: CopyStmt): Judged {
  const into = body.is_from === true;
  if (body.is_program === true) recorder.external.add("program");
  else if (body.filename !== undefined) recorder.external.add("file");
  if (into) recorder.raise("write");
  const wire =
    body.filename === undefined && body.is_program !== true ? { copy: into ? ("in" as const) : ("out" as const) } : {};
  if (body.query !== undefined)
    return { verb: "copy", result: resolveSelectNode(recorder, body.query, NO_SCOPE), ...wire };
  const range = body.relation;
  const relation = recorder.catalog.resolveRelation(range?.schemaname, range?.relname ?? "", recorder.path);
  if (relation === undefined) {
    recorder.opaque = true;
    namedRelation(recorder, range, into ? "insert" : "select");
    return { verb: "copy", outputsKnown: false, ...wire };
  }
  recorder.relation(relation, "copy");
  recorder.relation(relation, into ? "insert" : "select");
  const names = body.attlist?.map((node) => stringOf(node) ?? "") ?? relation.columns.map((column) => column.name);
  const columns = names.flatMap((name) => relation.column(name) ?? []);
  if (columns.length !== names.length) recorder.unresolved = true;
  if (into) {
    recorder.changes(relation, "insert");
    for (const column of columns) recorder.write(column, CONSTANT);
    if (body.whereClause !== undefined) {
      const scope = new Scope(undefined, [relationItem(relation, undefined, [])], undefined);
      recorder.use(expression(recorder, body.whereClause, scope), USE.filter);
    }
    return { verb: "copy", ...wire };
  }
  recorder.reads(relation);
  return {
    verb: "copy",
    result: { members: columns.map((column) => ({ name: column.name, value: column.value })), open: false },
    ...wire,
  };
}

export function truncate({ recorder }: Judging, body: TruncateStmt): Judged {
  recorder.raise("write");
  recorder.scoped = false;
  for (const node of body.relations ?? []) {
    const range = rangeVarOf(node);
    namedRelation(recorder, range, "truncate");
    const relation = recorder.catalog.resolveRelation(range?.schemaname, range?.relname ?? "", recorder.path);
    if (relation !== undefined) recorder.changes(relation, "truncate");
  }
  // With CASCADE, every table that refers to these is emptied, too: which ones is not followed.
  if (body.behavior === "DROP_CASCADE") recorder.opaque = true;
  return { verb: "truncate" };
}

export function set({ recorder }: Judging, body: VariableSetStmt): Judged {
  recorder.class = "session";
  const name = (body.name ?? "").toLowerCase();
  const local = body.is_local === true;
  if (body.kind === "VAR_SET_MULTI") {
    for (const node of body.args ?? []) {
      if ("DefElem" in node)
        recorder.settings.push({
          name: node.DefElem.defname ?? "",
          value: constantOf(node.DefElem.arg) ?? null,
          local,
        });
    }
    if (recorder.settings.length === 0)
      recorder.settings.push({ name, value: constantOf(body.args?.[0]) ?? null, local });
    // The transaction's own properties decide no names; and they may be set only before its first query.
    if (name.startsWith("transaction")) return { verb: "set" };
  } else if (body.kind === "VAR_RESET_ALL") recorder.settings.push({ name: "*", value: null, local: false });
  else {
    const values = body.args?.map((arg) => listed(constantOf(arg) ?? ""));
    const value = body.kind === "VAR_SET_VALUE" && values !== undefined ? values.join(", ") : null;
    recorder.settings.push({ name, value, local });
  }
  recorder.changesSettings = true;
  return { verb: body.kind === "VAR_RESET" || body.kind === "VAR_RESET_ALL" ? "reset" : "set" };
}

/** An element of a list, quoted where it would otherwise read as several. */
function listed(value: string): string {
  return value.includes(",") ? `"${value.replaceAll('"', '""')}"` : value;
}

const TRANSACTIONS: { readonly [kind: string]: readonly [verb: string, effect: Effects["transaction"]] } = {
  TRANS_STMT_BEGIN: ["begin", "begin"],
  TRANS_STMT_START: ["begin", "begin"],
  TRANS_STMT_COMMIT: ["commit", "commit"],
  TRANS_STMT_ROLLBACK: ["rollback", "rollback"],
  TRANS_STMT_SAVEPOINT: ["savepoint", "savepoint"],
  TRANS_STMT_RELEASE: ["release", "savepoint"],
  TRANS_STMT_ROLLBACK_TO: ["rollback_to", "savepoint"],
  TRANS_STMT_PREPARE: ["prepare_transaction", "rollback"],
  TRANS_STMT_COMMIT_PREPARED: ["commit_prepared", undefined],
  TRANS_STMT_ROLLBACK_PREPARED: ["rollback_prepared", undefined],
};
export function transaction({ recorder }: Judging, body: TransactionStmt): Judged {
  const [verb, effect] = TRANSACTIONS[body.kind ?? ""] ?? ["transaction", undefined];
  recorder.class = "transaction";
  // What a prepared transaction did was judged when it ran, but it takes effect, DDL included, only now.
  if (body.kind === "TRANS_STMT_COMMIT_PREPARED") recorder.changesCatalog = true;
  return { verb, transaction: effect };
}
