// COPY and TRUNCATE, SET and transaction control.
import type {
  AlterSystemStmt,
  CopyStmt,
  FuncCall,
  Node,
  NotifyStmt,
  SelectStmt,
  TransactionStmt,
  TruncateStmt,
  VariableSetStmt,
} from "libpg-query";
import type { Effects } from "./analysis.ts";
import { refersTo } from "./checks.ts";
import { meetsKeys } from "./conflicts.ts";
import { textOf, truthOf } from "./constants.ts";
import { namedRelation } from "./ddl.ts";
import { relationOf } from "./definition-scope.ts";
import { expression } from "./expressions.ts";
import type { Target } from "./flows.ts";
import type { Judged, Judging } from "./judging.ts";
import { NO_SCOPE } from "./judging.ts";
import { lockRelation } from "./locks.ts";
import type { Relation } from "./model.ts";
import { writeColumn } from "./modify.ts";
import { constantOf, optionOf, qualifiedName, rangeVarOf, stringOf, withoutCasts } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import { resolveSelectNode } from "./select.ts";
import { relationItem, Scope } from "./scope.ts";
import { cutName, parseSearchPath } from "./search-path.ts";
import { GIVEN, rowsAreRead, rowsChange } from "./triggers.ts";
import { checksRun, coerced, isServersOwn, withRun } from "./user-code.ts";
import { CONSTANT, OPAQUE } from "./value.ts";

export function copy({ recorder }: Judging, body: CopyStmt): Judged {
  const into = body.is_from === true;
  if (body.is_program === true) recorder.external.add("program");
  else if (body.filename !== undefined) recorder.external.add("file");
  if (into) recorder.raise("write");
  const outside: Target | undefined =
    body.is_program === true
      ? { target: "program", column: body.filename ?? "" }
      : body.filename === undefined
        ? undefined
        : { target: "file", column: body.filename };
  const leaves = (result: Result): Result => {
    if (outside !== undefined) for (const member of result.members) recorder.writeTo(outside, member.value);
    return result;
  };
  const wire =
    body.filename === undefined && body.is_program !== true ? { copy: into ? ("in" as const) : ("out" as const) } : {};
  if (body.query !== undefined)
    return { verb: "copy", result: leaves(resolveSelectNode(recorder, body.query, NO_SCOPE)), ...wire };
  const range = body.relation;
  const relation = recorder.catalog.resolveRelation(range?.schemaname, range?.relname ?? "", recorder.path);
  if (relation === undefined) {
    recorder.opaque = true;
    namedRelation(recorder, range, into ? "insert" : "select");
    return { verb: "copy", outputsKnown: false, ...wire };
  }
  recorder.relation(relation, "copy");
  recorder.relation(relation, into ? "insert" : "select");
  const names =
    body.attlist?.map((node) => stringOf(node) ?? "") ??
    // Columns that are generated are left out.
    relation.columns.filter(({ attnum }) => !relation.generated.has(attnum)).map((column) => column.name);
  const columns = names.flatMap((name) => relation.column(name) ?? []);
  const missing = names.find((name) => relation.column(name) === undefined);
  if (missing !== undefined)
    recorder.miss("42703", `column "${missing}" of relation "${relation.name}" does not exist`);
  if (into) {
    // A value that is read may stand for the default.
    const read = optionOf(body.options, "default") === undefined ? GIVEN : CONSTANT;
    rowsChange(recorder, relation, "insert", new Map(columns.map((column) => [column.name, read])));
    // A file of the server, or what a program says, may be anything, other tables included.
    for (const column of columns) {
      const value = outside === undefined ? CONSTANT : OPAQUE;
      writeColumn(recorder, column, withRun(value, checksRun(recorder, value, column.type)));
    }
    const given = columns.map((column) => column.name);
    meetsKeys(recorder, relation, given);
    refersTo(recorder, relation, new Map(given.map((name) => [name, true])), false);
    if (body.whereClause !== undefined) {
      const scope = new Scope(undefined, [relationItem(relation, undefined, [])], undefined);
      recorder.use(coerced(recorder, expression(recorder, body.whereClause, scope)), USE.filter);
    }
    return { verb: "copy", ...wire };
  }
  recorder.reads?.copied(body, relation);
  rowsAreRead(recorder, relation);
  return {
    verb: "copy",
    result: leaves({ members: columns.map((column) => ({ name: column.name, value: column.value })), open: false }),
    ...wire,
  };
}

export function truncate({ recorder }: Judging, body: TruncateStmt): Judged {
  recorder.raise("write");
  recorder.scoped = false;
  const emptied = new Set<Relation>();
  const empty = (relation: Relation, via: readonly string[], only = false): void => {
    if (emptied.has(relation)) return;
    emptied.add(relation);
    rowsChange(recorder, relation, "truncate");
    lockRelation(recorder, relation, "access exclusive", only);
    const below = [...via, relation.qualified];
    const reach = (other: Relation): void => {
      recorder.reached(other, "truncate", below);
      empty(other, below);
    };
    if (!only) for (const child of relation.children) if (relation.kind === "table") reach(child);
    // With CASCADE, every table that refers to these is emptied, too.
    if (body.behavior === "DROP_CASCADE") for (const other of relation.referring) if (!emptied.has(other)) reach(other);
  };
  for (const node of body.relations ?? []) {
    const range = rangeVarOf(node);
    namedRelation(recorder, range, "truncate");
    const relation = relationOf(recorder, range);
    if (relation !== undefined) empty(relation, [], range?.inh !== true);
    else if (body.behavior === "DROP_CASCADE") recorder.opaque = true;
  }
  return { verb: "truncate" };
}

export function notify({ recorder }: Judging, body: NotifyStmt): Judged {
  recorder.class = "session";
  recorder.external.add("notify");
  recorder.writeTo({ target: "notification", column: body.conditionname ?? "" }, CONSTANT);
  return { verb: "notify" };
}

/** It sets what every later session meets. */
export function alterSystem(judging: Judging, body: AlterSystemStmt): Judged {
  const { recorder } = judging;
  if (body.setstmt !== undefined) set(judging, body.setstmt);
  recorder.class = "ddl";
  recorder.changesCatalog = true;
  recorder.changesSettings = false;
  recorder.external.add("server");
  return { verb: "alter_system" };
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
    // Only TIME ZONE INTERVAL '…' is written as a cast.
    const given =
      body.kind === "VAR_SET_VALUE" ? body.args?.map((arg) => constantOf(withoutCasts(arg)) ?? "") : undefined;
    recorder.settings.push({ name, value: given?.map(listed).join(", ") ?? null, local });
    recorder.writeTo({ target: "setting", column: name }, CONSTANT);
    recorder.changesSettings = true;
    if (given !== undefined && name === "search_path")
      return { verb: "set", path: { schemas: given.map(cutName), local } };
    const role = given?.[0] ?? "";
    // The server reads the name from a string: NONE is its way to say that there is none, in this case only.
    if (given !== undefined && name === "role" && role !== "none")
      return { verb: "set", role: { name: cutName(role), local } };
  }
  for (const setting of recorder.settings) recorder.writeTo({ target: "setting", column: setting.name }, CONSTANT);
  recorder.changesSettings = true;
  return { verb: RESETS.has(body.kind ?? "") ? "reset" : "set" };
}

/** `SET x TO DEFAULT` is another way to write RESET. */
const RESETS: ReadonlySet<string> = new Set(["VAR_RESET", "VAR_RESET_ALL", "VAR_SET_DEFAULT"]);

const BARE: ReadonlySet<string> = new Set(["targetList", "limitOption", "op"]);

/** `SELECT set_config('search_path', …)` and nothing else, as pg_dump writes it, is a SET: it runs once. */
export function pathOf(recorder: Recorder, body: SelectStmt): Pick<Effects, "path"> {
  const target = body.targetList?.[0];
  const call = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
  const setting = recorder.settings[0];
  if (recorder.opaque || recorder.settings.length !== 1 || setting?.name !== "search_path" || setting.value === null)
    return {};
  if (
    !Object.keys(body).every((member) => BARE.has(member)) ||
    body.targetList?.length !== 1 ||
    call === undefined ||
    !("FuncCall" in call)
  )
    return {};
  const [name, value, local] = call.FuncCall.args ?? [];
  if (
    textOf(recorder, name) === undefined ||
    textOf(recorder, value) === undefined ||
    truthOf(recorder, local) === undefined
  )
    return {};
  const schemas = parseSearchPath(setting.value);
  return schemas === undefined ? {} : { path: { schemas, local: setting.local } };
}

/**
 * `SELECT set_config(name, …) FROM pg_settings WHERE name = 'x'` sets x, on servers that have it, and nothing else: pg_dump asks so for what only
 * newer servers know.
 */
export function namedByRow(recorder: Recorder, body: SelectStmt): void {
  const [setting, ...others] = recorder.settings;
  if (recorder.opaque || setting === undefined || setting.name !== "*" || others.length > 0) return;
  const beyond = Object.keys(body).filter((member) => !BARE.has(member));
  if (beyond.some((member) => member !== "fromClause" && member !== "whereClause")) return;
  const [from, ...more] = body.fromClause ?? [];
  const [target, ...beside] = body.targetList ?? [];
  if (from === undefined || !("RangeVar" in from) || from.RangeVar.alias !== undefined || more.length > 0) return;
  const { schemaname, relname = "" } = from.RangeVar;
  const relation = recorder.catalog.resolveRelation(schemaname, relname, recorder.path);
  if (relation?.qualified !== "pg_catalog.pg_settings") return;
  const call = target !== undefined && beside.length === 0 && "ResTarget" in target ? target.ResTarget.val : undefined;
  if (call === undefined || !("FuncCall" in call) || !callsSetConfig(recorder, call.FuncCall)) return;
  const where = body.whereClause;
  if (where === undefined || !("A_Expr" in where) || where.A_Expr.kind !== "AEXPR_OP") return;
  const name = textOf(recorder, where.A_Expr.rexpr);
  if (!isName(where.A_Expr.lexpr) || name === undefined || name === null) return;
  if (qualifiedName(where.A_Expr.name).name !== "=" || !isServersOwn(recorder, where.A_Expr, "=")) return;
  setting.name = name.toLowerCase();
}

/** The server's own, of the row's name; nothing else is called for its arguments. */
function callsSetConfig(recorder: Recorder, { funcname, args }: FuncCall): boolean {
  const { schema, name } = qualifiedName(funcname);
  const [named, value, local] = args ?? [];
  return (
    name === "set_config" &&
    recorder.catalog.functions(schema, name, recorder.path).every(({ builtin }) => builtin) &&
    isName(named) &&
    textOf(recorder, value) !== undefined &&
    truthOf(recorder, local) !== undefined
  );
}

function isName(node: Node | undefined): boolean {
  if (node === undefined || !("ColumnRef" in node)) return false;
  const fields = node.ColumnRef.fields ?? [];
  return fields.length === 1 && stringOf(fields[0]!) === "name";
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
