// Maintenance: VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH MATERIALIZED VIEW. Without a name they are about every relation.
import type { ClusterStmt, RefreshMatViewStmt, ReindexStmt, VacuumStmt } from "libpg-query";
import { namedRelation } from "./ddl.ts";
import { namedColumns, relationOf } from "./definition-scope.ts";
import type { Judged, Judging } from "./judging.ts";
import { lockDefinition, lockRelation } from "./locks.ts";
import { isOn, optionOf } from "./nodes.ts";
import type { Relation } from "./model.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { rowsAreMaintained } from "./triggers.ts";

export function vacuum({ recorder }: Judging, body: VacuumStmt): Judged {
  recorder.class = "maintenance";
  const mode = isOn(optionOf(body.options, "full")) ? "access exclusive" : "share update exclusive";
  // Children are processed with their parent since PostgreSQL 18.
  const only = recorder.catalog.serverVersion < 180_000;
  if (body.rels === undefined) everyRelation(recorder, "*");
  for (const node of body.rels ?? []) {
    if (!("VacuumRelation" in node)) continue;
    const { relation: range, va_cols: columns } = node.VacuumRelation;
    namedRelation(recorder, range, "maintenance");
    lockDefinition(recorder, range, mode, only);
    const relation = relationOf(recorder, range);
    namedColumns(recorder, relation, columns);
    if (relation !== undefined) rowsAreMaintained(recorder, relation);
  }
  return { verb: body.is_vacuumcmd === true ? "vacuum" : "analyze" };
}

export function cluster({ recorder }: Judging, body: ClusterStmt): Judged {
  recorder.class = "maintenance";
  if (body.relation === undefined) {
    everyRelation(recorder, "*");
    for (const relation of recorder.catalog.clustered()) sortedBy(recorder, relation.clusteredOn);
  }
  namedRelation(recorder, body.relation, "maintenance");
  lockDefinition(recorder, body.relation, "access exclusive", true);
  const relation = relationOf(recorder, body.relation);
  if (relation !== undefined) {
    sortedBy(
      recorder,
      body.indexname === undefined
        ? relation.clusteredOn
        : recorder.catalog.resolveRelation(relation.schema, body.indexname, recorder.path),
    );
    rowsAreMaintained(recorder, relation);
  }
  return { verb: "cluster" };
}

/** CLUSTER leaves the rows in the order of the index, which is seen wherever they are read without another. */
export function sortedBy(recorder: Recorder, index: Relation | undefined): void {
  for (const { attnum, value } of index?.indexed?.columns ?? [])
    if (index!.sortedBy.includes(attnum)) recorder.use(value, USE.sort);
}

export function reindex({ recorder }: Judging, body: ReindexStmt): Judged {
  recorder.class = "maintenance";
  const concurrent = isOn(optionOf(body.params, "concurrently"));
  if (body.relation === undefined)
    everyRelation(recorder, body.kind === "REINDEX_OBJECT_SCHEMA" ? (body.name ?? "*") : "*");
  namedRelation(recorder, body.relation, "maintenance");
  const relation = relationOf(recorder, body.relation);
  const table = relation?.indexed ?? relation;
  if (table !== undefined) rowsAreMaintained(recorder, table);
  if (relation?.kind === "index") {
    lockRelation(recorder, relation, concurrent ? "share update exclusive" : "access exclusive");
    if (relation.indexed !== undefined) {
      recorder.relation(relation.indexed, "maintenance", true);
      lockRelation(recorder, relation.indexed, concurrent ? "share update exclusive" : "share", true);
    }
  } else lockDefinition(recorder, body.relation, concurrent ? "share update exclusive" : "share", true);
  return { verb: "reindex" };
}

/** The view's query runs, and its columns get their values anew. */
export function refresh({ recorder }: Judging, body: RefreshMatViewStmt): Judged {
  recorder.class = "maintenance";
  namedRelation(recorder, body.relation, "refresh");
  lockDefinition(recorder, body.relation, body.concurrent === true ? "exclusive" : "access exclusive");
  const relation = relationOf(recorder, body.relation);
  if (body.skipData !== true)
    for (const column of relation?.columns ?? []) {
      const sources = column.value.sources.filter((source) => source !== column);
      recorder.write(column, { ...column.value, sources });
    }
  return { verb: "refresh_materialized_view" };
}

/** All relations of a schema, or (`*`) of the database: too many to name. */
export function everyRelation(recorder: Recorder, schema: string, access = "maintenance"): void {
  recorder.unknownRelation(schema, "*", access);
}
