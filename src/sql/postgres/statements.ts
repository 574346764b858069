// One row for each kind of statement that PostgreSQL's grammar knows: what it is, and how it is judged. A kind without a row is unknown.
import type { CallStmt, DoStmt, Node, SelectStmt } from "libpg-query";
import type { VerbClass } from "../../core/facts.ts";
import type { StatementAnalysis } from "./analysis.ts";
import { alterDomain, createDomain } from "./alter-domain.ts";
import { alterTable } from "./alter-table.ts";
import { createIndex, createRule, createStatistics, createTrigger, policy, publication } from "./attached-objects.ts";
import { becomes, createForeignTable, createTable, createView, intoOf } from "./create-table.ts";
import { unsettle } from "./bodies.ts";
import { runEventTriggers } from "./event-triggers.ts";
import { walk } from "./ddl.ts";
import { expression } from "./expressions.ts";
import type { Judge, Judged, Judging } from "./judging.ts";
import { NO_SCOPE } from "./judging.ts";
import { lockTable } from "./locks.ts";
import { cluster, everyRelation, refresh, reindex, vacuum } from "./maintenance.ts";
import { resolveModification } from "./modify.ts";
import { createTableAs, declare, execute, explain, fetch, prepare, unknownStatement } from "./nested.ts";
import { RegateError } from "../../errors.ts";
import { plpgsqlBlock } from "./plpgsql.ts";
import { unknownFunction } from "./model.ts";
import { bodyOf, kindOf, optionOf, qualifiedName } from "./nodes.ts";
import { alterSequence, createSchema, creates, drop, grant, moves, objectVerb, onObject, rename } from "./objects.ts";
import { factsOf, outputsOf } from "./recorded-facts.ts";
import type { Recorder } from "./recorder.ts";
import { withOwn } from "./replay.ts";
import { alterSystem, copy, namedByRow, notify, pathOf, set, transaction, truncate } from "./rows-and-settings.ts";
import { resolveQuery } from "./select.ts";
import { OPAQUE, TEXT } from "./value.ts";

const returningOf = (judging: Judging, verb: string, node: Node): Judged => {
  const result = resolveModification(judging.recorder, node, undefined, undefined) ?? { members: [], open: true };
  return { verb, result, returnsRows: bodyOf<{ returningClause?: unknown }>(node).returningClause !== undefined };
};

/** DDL whose relations are found by walking it. `external`: what it reaches. */
const ddl =
  (verb: string, external?: string): Judge =>
  ({ recorder }, body) => {
    recorder.class = "ddl";
    recorder.changesCatalog = true;
    if (external !== undefined) recorder.external.add(external);
    walk(recorder, body, "ddl");
    return { verb };
  };
/** Which relations it is about cannot be told: all of the database's. */
const everywhere =
  (verb: string, as: VerbClass, access: string, external?: string): Judge =>
  ({ recorder }) => {
    recorder.class = as;
    recorder.changesCatalog = true;
    recorder.changesTemporary = true;
    if (external !== undefined) recorder.external.add(external);
    everyRelation(recorder, "*", access);
    return { verb };
  };
const utility =
  (verb: string, as: VerbClass, access = "maintenance"): Judge =>
  ({ recorder }, body) => {
    recorder.class = as;
    walk(recorder, body, access);
    return { verb };
  };
const dcl =
  (verb: string): Judge =>
  ({ recorder }, body) => {
    recorder.class = "dcl";
    recorder.changesCatalog = true;
    walk(recorder, body, "grant");
    return { verb };
  };

function select({ recorder }: Judging, body: SelectStmt): Judged {
  const result = resolveQuery(recorder, body, undefined, undefined, { outermost: true });
  const made = intoOf(body);
  if (made !== undefined) {
    becomes(recorder, made, result, []);
    return { verb: "select_into" };
  }
  namedByRow(recorder, body);
  return {
    verb: body.valuesLists === undefined ? "select" : "values",
    result,
    returnsRows: true,
    ...pathOf(recorder, body),
  };
}

function call(judging: Judging, body: CallStmt): Judged {
  const { recorder } = judging;
  if (body.funccall === undefined) recorder.opaque = true;
  const value = body.funccall === undefined ? OPAQUE : expression(recorder, { FuncCall: body.funccall }, NO_SCOPE);
  recorder.class = "code";
  recorder.scoped = false;
  // What OUT and INOUT parameters come back with may be anything that the body has seen.
  const { schema, name } = qualifiedName(body.funccall?.funcname);
  const procedures = recorder.catalog.functions(schema, name, recorder.path);
  const shows = procedures.length === 0 || procedures.some((entry) => entry.results.length > 0);
  return {
    verb: "call",
    returnsRows: true,
    outputsKnown: false,
    ...(shows
      ? { result: { members: [{ name: "*", value: { ...value, derivation: "opaque", total: false } }], open: false } }
      : {}),
  };
}

/** The body of DO. In PL/pgSQL it is looked through. */
export function runBlock(recorder: Recorder, body: DoStmt): void {
  const language = optionOf(body.args, "language") ?? "plpgsql";
  try {
    if (language === "plpgsql") plpgsqlBlock(recorder, optionOf(body.args, "as") ?? "");
    else recorder.opaque = true;
  } catch (thrown) {
    if (!(thrown instanceof RegateError) || thrown.code !== "TEXT_UNPARSEABLE") throw thrown;
    recorder.opaque = true;
  }
}

function codeBlock(recorder: Recorder): void {
  recorder.class = "code";
  recorder.opaque = true;
  recorder.scoped = false;
}

function createFunction(
  { recorder }: Judging,
  body: { funcname?: Node[]; options?: Node[]; sql_body?: Node; parameters?: Node[] },
): Judged {
  recorder.class = "ddl";
  recorder.changesCatalog = true;
  const language = optionOf(body.options, "language")?.toLowerCase();
  if (language === "c" || language === "internal") recorder.external.add("file");
  walk(recorder, [body.funcname, body.parameters], "ddl");
  return { verb: "create_function" };
}

const session =
  (verb: string, more: Partial<Judged> = {}): Judge =>
  ({ recorder }) => {
    recorder.class = "session";
    return { verb, ...more };
  };

/** SHOW names its column as the server spells the setting; these are not in lower case. */
const SHOWN_AS = new Map([
  ["datestyle", "DateStyle"],
  ["intervalstyle", "IntervalStyle"],
  ["timezone", "TimeZone"],
]);

/** The table. Kinds that the grammar never gives as a statement of its own (ReturnStmt, PLAssignStmt, …) are in node-kinds.ts. */
export const STATEMENTS: { readonly [kind: string]: Judge } = {
  // queries and changes of rows
  SelectStmt: select,
  InsertStmt: (judging, _, node) => returningOf(judging, "insert", node),
  UpdateStmt: (judging, _, node) => returningOf(judging, "update", node),
  DeleteStmt: (judging, _, node) => returningOf(judging, "delete", node),
  MergeStmt: (judging, _, node) => returningOf(judging, "merge", node),
  CopyStmt: copy,
  TruncateStmt: truncate,
  // statements about statements
  ExplainStmt: explain,
  PrepareStmt: prepare,
  ExecuteStmt: execute,
  DeallocateStmt: ({ recorder }, body) => {
    recorder.class = "session";
    return { verb: "deallocate", deallocates: body.name === undefined || body.isall === true ? "*" : body.name };
  },
  DeclareCursorStmt: declare,
  FetchStmt: fetch,
  ClosePortalStmt: ({ recorder }, body) => {
    recorder.class = "session";
    return { verb: "close", closesCursor: body.portalname ?? "*" };
  },
  // code
  DoStmt: ({ recorder }, body) => {
    runBlock(recorder, body);
    // A function of the policy's like any other: one that cannot be seen through has to be vouched for.
    if (recorder.opaque) recorder.functions.add(unknownFunction("", "inline_code_block"));
    recorder.class = "code";
    recorder.scoped = false;
    return { verb: "do" };
  },
  CallStmt: call,
  LoadStmt: ({ recorder }) => {
    codeBlock(recorder);
    recorder.external.add("file");
    return { verb: "load" };
  },
  // the session and its transactions
  TransactionStmt: transaction,
  ConstraintsSetStmt: ({ recorder }) => {
    recorder.class = "transaction";
    return { verb: "set_constraints" };
  },
  VariableSetStmt: set,
  VariableShowStmt: ({ recorder }, body) => {
    recorder.class = "session";
    const name = String(body.name ?? "").toLowerCase();
    const members = (name === "all" ? ["name", "setting", "description"] : [SHOWN_AS.get(name) ?? name]).map(
      (column) => ({
        name: column,
        value: TEXT,
      }),
    );
    return { verb: "show", result: { members, open: false }, returnsRows: true };
  },
  DiscardStmt: ({ recorder }, body) => {
    recorder.class = "session";
    if (body.target === "DISCARD_ALL") {
      recorder.changesSettings = true;
      recorder.settings.push({ name: "*", value: null, local: false });
    }
    if (body.target === "DISCARD_ALL" || body.target === "DISCARD_TEMP") {
      recorder.changesTemporary = true;
      recorder.changesCatalog = true;
    }
    return body.target === "DISCARD_ALL"
      ? { verb: "discard", discards: true, deallocates: "*", closesCursor: "*" }
      : { verb: "discard" };
  },
  ListenStmt: session("listen"),
  UnlistenStmt: session("unlisten"),
  NotifyStmt: notify,
  LockStmt: lockTable,
  // maintenance
  VacuumStmt: vacuum,
  ClusterStmt: cluster,
  ReindexStmt: reindex,
  CheckPointStmt: utility("checkpoint", "maintenance"),
  RefreshMatViewStmt: refresh,
  // definitions
  CreateStmt: (judging, body) => createTable(judging, body),
  CreateForeignTableStmt: createForeignTable,
  CreateTableAsStmt: createTableAs,
  ViewStmt: createView,
  IndexStmt: createIndex,
  CreateSeqStmt: creates("create_sequence", "sequence", "sequence"),
  AlterSeqStmt: alterSequence,
  CompositeTypeStmt: creates("create_type", "typevar", "composite"),
  AlterTableStmt: alterTable,
  RenameStmt: rename,
  AlterObjectSchemaStmt: moves("set_schema"),
  AlterObjectDependsStmt: moves("alter_depends"),
  AlterOwnerStmt: ddl("alter_owner"),
  DropStmt: drop,
  CommentStmt: onObject("comment"),
  SecLabelStmt: onObject("security_label"),
  CreateSchemaStmt: (judging, body) => createSchema(judging, body, STATEMENTS),
  CreateFunctionStmt: createFunction,
  AlterFunctionStmt: ddl("alter_function"),
  CreateTrigStmt: createTrigger,
  RuleStmt: createRule,
  CreatePolicyStmt: policy("create_policy"),
  AlterPolicyStmt: policy("alter_policy"),
  CreateEventTrigStmt: ddl("create_event_trigger"),
  AlterEventTrigStmt: ddl("alter_event_trigger"),
  CreateStatsStmt: createStatistics,
  AlterStatsStmt: ddl("alter_statistics"),
  CreateDomainStmt: createDomain,
  AlterDomainStmt: alterDomain,
  CreateEnumStmt: ddl("create_type"),
  AlterEnumStmt: ddl("alter_type"),
  CreateRangeStmt: ddl("create_type"),
  AlterTypeStmt: ddl("alter_type"),
  DefineStmt: ({ recorder }, body) => {
    recorder.class = "ddl";
    recorder.changesCatalog = true;
    walk(recorder, body.defnames, "ddl");
    return { verb: objectVerb("create", body.kind) };
  },
  AlterCollationStmt: ddl("alter_collation"),
  AlterOperatorStmt: ddl("alter_operator"),
  CreateOpClassStmt: ddl("create_operator_class"),
  CreateOpFamilyStmt: ddl("create_operator_family"),
  AlterOpFamilyStmt: ddl("alter_operator_family"),
  CreateCastStmt: ddl("create_cast"),
  CreateConversionStmt: ddl("create_conversion"),
  CreateTransformStmt: ddl("create_transform"),
  CreatePLangStmt: ddl("create_language", "file"),
  CreateAmStmt: ddl("create_access_method"),
  AlterTSDictionaryStmt: ddl("alter_text_search_dictionary"),
  AlterTSConfigurationStmt: ddl("alter_text_search_configuration"),
  CreateExtensionStmt: ddl("create_extension", "file"),
  AlterExtensionStmt: ddl("alter_extension", "file"),
  AlterExtensionContentsStmt: ddl("alter_extension"),
  CreateFdwStmt: ddl("create_foreign_data_wrapper", "server"),
  AlterFdwStmt: ddl("alter_foreign_data_wrapper", "server"),
  CreateForeignServerStmt: ddl("create_server", "server"),
  AlterForeignServerStmt: ddl("alter_server", "server"),
  CreateUserMappingStmt: ddl("create_user_mapping", "server"),
  AlterUserMappingStmt: ddl("alter_user_mapping", "server"),
  DropUserMappingStmt: ddl("drop_user_mapping", "server"),
  ImportForeignSchemaStmt: everywhere("import_foreign_schema", "ddl", "create", "server"),
  CreatePublicationStmt: publication("create_publication"),
  AlterPublicationStmt: publication("alter_publication"),
  CreateSubscriptionStmt: ddl("create_subscription", "server"),
  AlterSubscriptionStmt: ddl("alter_subscription", "server"),
  DropSubscriptionStmt: ddl("drop_subscription", "server"),
  CreatedbStmt: ddl("create_database"),
  AlterDatabaseStmt: ddl("alter_database"),
  AlterDatabaseRefreshCollStmt: ddl("alter_database"),
  AlterDatabaseSetStmt: ddl("alter_database"),
  DropdbStmt: ddl("drop_database"),
  CreateTableSpaceStmt: ddl("create_tablespace", "file"),
  DropTableSpaceStmt: ddl("drop_tablespace", "file"),
  AlterTableSpaceOptionsStmt: ddl("alter_tablespace"),
  AlterTableMoveAllStmt: everywhere("alter_table", "ddl", "ddl"),
  AlterSystemStmt: alterSystem,
  // rights and roles
  GrantStmt: grant,
  GrantRoleStmt: ({ recorder }, body) => {
    recorder.class = "dcl";
    return { verb: body.is_grant === true ? "grant" : "revoke" };
  },
  AlterDefaultPrivilegesStmt: dcl("alter_default_privileges"),
  CreateRoleStmt: dcl("create_role"),
  AlterRoleStmt: dcl("alter_role"),
  AlterRoleSetStmt: dcl("alter_role"),
  DropRoleStmt: dcl("drop_role"),
  DropOwnedStmt: everywhere("drop_owned", "dcl", "drop"),
  ReassignOwnedStmt: everywhere("reassign_owned", "dcl", "grant"),
};

/** What stands in the text itself, and not in another one. */
const OWN_TEXT: ReadonlySet<string> = new Set(["explain", "prepare", "declare"]);

/** Judges one statement by its row. */
export function judge(judging: Judging, node: Node): StatementAnalysis {
  const kind = kindOf(node);
  const row = Object.hasOwn(STATEMENTS, kind) ? STATEMENTS[kind] : undefined;
  if (row === undefined) return unknownStatement(judging);
  const { recorder, scope } = judging;
  recorder.cursor = (name) => scope.cursor(name, recorder.catalog, scope);
  const judged = row(judging, bodyOf(node), node);
  const { verb, result, returnsRows, instead, outputsKnown, copy: wire, ...effects } = judged;
  if (instead !== undefined) {
    const own = factsOf(recorder, verb, []);
    return {
      ...instead,
      facts:
        own.columns.length + own.functions.length + own.relations.length === 0
          ? { ...instead.facts, verb }
          : withOwn(instead.facts, own),
      touchesTagged: instead.touchesTagged || recorder.touchesTagged,
      // Those of another text are about its literals and its parameters.
      lookups: OWN_TEXT.has(verb) ? instead.lookups : undefined,
      effects: {
        ...instead.effects,
        ...effects,
        settings: instead.effects.settings || recorder.changesSettings || recorder.opaque,
        catalog: instead.effects.catalog || recorder.changesCatalog || recorder.opaque,
        temp: instead.effects.temp || recorder.changesTemporary || recorder.opaque,
        opaque: instead.effects.opaque || recorder.opaque,
      },
    };
  }
  runEventTriggers(recorder, verb);
  if (result !== undefined) for (const member of result.members) recorder.output(member.value);
  let outputs = result === undefined ? [] : outputsOf(recorder, result);
  if (unsettle(recorder))
    outputs = outputs.map((output) =>
      output.derivation === "direct" ? output : { ...output, derivation: "opaque", total: false },
    );
  return {
    facts: factsOf(recorder, verb, outputs),
    returnsRows: returnsRows === true,
    outputsKnown: outputsKnown ?? result?.open !== true,
    copy: wire,
    touchesTagged: recorder.touchesTagged,
    kept: Array.from(recorder.held, (column) => column.source),
    lookups: recorder.lookups,
    effects: {
      transaction: undefined,
      ofCursor: recorder.ofCursor,
      ...effects,
      settings: recorder.changesSettings || recorder.opaque,
      catalog: recorder.changesCatalog || recorder.opaque,
      temp: recorder.changesTemporary || recorder.opaque,
      opaque: recorder.opaque,
    },
  };
}
