// What is made over an existing relation and acts on its rows later: indexes, statistics, triggers, rules, policies, publications.
import type {
  AlterPolicyStmt,
  AlterPublicationStmt,
  CreatePolicyStmt,
  CreatePublicationStmt,
  CreateStatsStmt,
  CreateTrigStmt,
  IndexStmt,
  Node,
  RuleStmt,
} from "libpg-query";
import { namedRelation, query, walk } from "./ddl.ts";
import { defined, elements, namedColumns, relationOf, scopeOfRows, scopeOver } from "./definition-scope.ts";
import type { Judged, Judging } from "./judging.ts";
import { lockDefinition } from "./locks.ts";
import { rangeVarOf, stringOf } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { combine } from "./value.ts";

function defines(recorder: Recorder): void {
  recorder.class = "ddl";
  recorder.changesCatalog = true;
}

/** A unique index fails, and shows the key, where two rows have the same. */
export function createIndex({ recorder }: Judging, body: IndexStmt): Judged {
  defines(recorder);
  namedRelation(recorder, body.relation, "ddl");
  lockDefinition(recorder, body.relation, body.concurrent === true ? "share update exclusive" : "share");
  const scope = scopeOver(relationOf(recorder, body.relation), body.relation?.relname ?? "");
  elements(recorder, body.indexParams, scope, body.unique === true ? USE.distinct : 0);
  elements(recorder, body.indexIncludingParams, scope, 0);
  if (body.whereClause !== undefined) defined(recorder, body.whereClause, scope, USE.filter);
  return { verb: "create_index" };
}

export function createStatistics({ recorder }: Judging, body: CreateStatsStmt): Judged {
  defines(recorder);
  for (const node of body.relations ?? []) {
    const range = rangeVarOf(node);
    if (range === undefined) {
      // A query, a function: the server refuses these.
      walk(recorder, node, "ddl");
      continue;
    }
    namedRelation(recorder, range, "ddl");
    lockDefinition(recorder, range, "share update exclusive", true);
    elements(recorder, body.exprs, scopeOver(relationOf(recorder, range), range.relname ?? ""), 0);
  }
  return { verb: "create_statistics" };
}

export function createTrigger({ recorder }: Judging, body: CreateTrigStmt): Judged {
  defines(recorder);
  namedRelation(recorder, body.relation, "ddl");
  namedRelation(recorder, body.constrrel, "ddl");
  lockDefinition(recorder, body.relation, "share row exclusive", true);
  const relation = relationOf(recorder, body.relation);
  namedColumns(recorder, relation, body.columns);
  if (body.whenClause !== undefined) defined(recorder, body.whenClause, scopeOfRows(relation), USE.filter);
  return { verb: "create_trigger" };
}

export function createRule({ recorder }: Judging, body: RuleStmt): Judged {
  defines(recorder);
  namedRelation(recorder, body.relation, "ddl");
  lockDefinition(recorder, body.relation, "access exclusive", true);
  const rows = scopeOfRows(relationOf(recorder, body.relation));
  if (body.whereClause !== undefined) defined(recorder, body.whereClause, rows, USE.filter);
  // What it does is done by later statements.
  recorder.stores = true;
  for (const action of body.actions ?? []) query(recorder, action, rows);
  recorder.scoped = true;
  return { verb: "create_rule" };
}

export function policy(verb: string) {
  return ({ recorder }: Judging, body: CreatePolicyStmt | AlterPolicyStmt): Judged => {
    defines(recorder);
    namedRelation(recorder, body.table, "ddl");
    lockDefinition(recorder, body.table, "access exclusive", true);
    const scope = scopeOver(relationOf(recorder, body.table), body.table?.relname ?? "");
    for (const node of [body.qual, body.with_check]) if (node !== undefined) defined(recorder, node, scope, USE.filter);
    return { verb };
  };
}

/** What is published leaves for whoever subscribes. */
export function publication(verb: string) {
  return ({ recorder }: Judging, body: CreatePublicationStmt & AlterPublicationStmt): Judged => {
    defines(recorder);
    recorder.external.add("server");
    const drops = body.action === "AP_DropObjects";
    if (body.for_all_tables === true) everyTable(recorder, "*");
    for (const node of body.pubobjects ?? []) {
      if (!("PublicationObjSpec" in node)) continue;
      const { pubtable, name, pubobjtype } = node.PublicationObjSpec;
      if (pubtable === undefined) {
        if (!drops)
          everyTable(
            recorder,
            pubobjtype === "PUBLICATIONOBJ_TABLES_IN_SCHEMA" ? (name ?? "*") : (recorder.path.at(-1) ?? "*"),
          );
        continue;
      }
      namedRelation(recorder, pubtable.relation, "ddl");
      lockDefinition(recorder, pubtable.relation, "share update exclusive");
      const relation = relationOf(recorder, pubtable.relation);
      const scope = scopeOver(relation, pubtable.relation?.relname ?? "");
      if (pubtable.whereClause !== undefined) defined(recorder, pubtable.whereClause, scope, USE.filter);
      if (!drops && relation !== undefined) publish(recorder, pubtable.columns, relation.wholeRow, relation);
    }
    return { verb };
  };
}

type Published = NonNullable<ReturnType<typeof relationOf>>;
function publish(
  recorder: Recorder,
  columns: readonly Node[] | undefined,
  row: Published["wholeRow"],
  relation: Published,
): void {
  const values = columns?.flatMap((node) => relation.column(stringOf(node) ?? "")?.value ?? []);
  recorder.writeTo({ target: "server" }, values === undefined ? row : combine(values, 0, false));
}

function everyTable(recorder: Recorder, schema: string): void {
  recorder.unknownRelation(schema, "*", "ddl");
  recorder.writeTo({ target: "server" }, { ...combine([], 0, false), derivation: "opaque" });
}
