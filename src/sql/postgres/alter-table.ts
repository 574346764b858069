// ALTER TABLE and its like: what each of its commands reads, rewrites and names beside the relation itself, and how strongly it is locked.
import type { AlterTableCmd, AlterTableStmt, Node, PartitionCmd } from "libpg-query";
import { typeOf } from "./casts.ts";
import { columnDefinition, constraint } from "./constraints.ts";
import { namedRelation, walk } from "./ddl.ts";
import { bounds, defined, namedColumns, relationOf, scopeOver } from "./definition-scope.ts";
import type { Judged, Judging } from "./judging.ts";
import type { TableMode } from "./locks.ts";
import { lockDefinition, lockNamed, stronger } from "./locks.ts";
import { sortedBy } from "./maintenance.ts";
import type { Relation } from "./model.ts";
import { rangeVarOf } from "./nodes.ts";
import { dropDependents, objectVerb } from "./objects.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { domainDefaultOf, rowsAreMaintained } from "./triggers.ts";
import type { Scope } from "./scope.ts";
import { checksRun, conversionRuns, withRun } from "./user-code.ts";
import { CONSTANT } from "./value.ts";

export function alterTable({ recorder }: Judging, body: AlterTableStmt): Judged {
  recorder.class = "ddl";
  recorder.changesCatalog = true;
  namedRelation(recorder, body.relation, "ddl");
  const relation = relationOf(recorder, body.relation);
  const commands = (body.cmds ?? []).flatMap((node) => ("AlterTableCmd" in node ? [node.AlterTableCmd] : []));
  const added = commands.flatMap(({ def }) =>
    def !== undefined && "ColumnDef" in def && def.ColumnDef.colname !== undefined ? [def.ColumnDef.colname] : [],
  );
  const scope = scopeOver(relation, body.relation?.relname ?? "", added);
  let mode: TableMode = "share update exclusive";
  for (const each of commands) {
    mode = stronger(mode, lockOf(each));
    command(recorder, each, relation, scope);
  }
  lockDefinition(recorder, body.relation, mode);
  return { verb: objectVerb("alter", body.objtype) };
}

/** As AlterTableGetLockLevel in the server's tablecmds.c; what is not listed is as strong as can be. */
const LOCKS: { readonly [subtype: string]: TableMode } = {
  AT_SetStatistics: "share update exclusive",
  AT_SetOptions: "share update exclusive",
  AT_ResetOptions: "share update exclusive",
  AT_ClusterOn: "share update exclusive",
  AT_DropCluster: "share update exclusive",
  AT_ValidateConstraint: "share update exclusive",
  AT_AttachPartition: "share update exclusive",
  AT_DetachPartitionFinalize: "share update exclusive",
  AT_EnableTrig: "share row exclusive",
  AT_EnableAlwaysTrig: "share row exclusive",
  AT_EnableReplicaTrig: "share row exclusive",
  AT_EnableTrigAll: "share row exclusive",
  AT_EnableTrigUser: "share row exclusive",
  AT_DisableTrig: "share row exclusive",
  AT_DisableTrigAll: "share row exclusive",
  AT_DisableTrigUser: "share row exclusive",
};
/** Storage parameters that need only a weak lock (lockmode in the server's reloptions.c). */
const WEAK_OPTION =
  /^(fillfactor|parallel_workers|autovacuum_.*|log_autovacuum_.*|toast_tuple_target|vacuum_.*|deduplicate_items|autosummarize|n_distinct.*)$/;

function lockOf({ subtype, def }: AlterTableCmd): TableMode {
  switch (subtype) {
    case "AT_AddConstraint":
      return def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_FOREIGN"
        ? "share row exclusive"
        : "access exclusive";
    case "AT_DetachPartition":
      return partitionOf(def)?.concurrent === true ? "share update exclusive" : "access exclusive";
    case "AT_SetRelOptions":
    case "AT_ResetRelOptions": {
      const options = def !== undefined && "List" in def ? (def.List.items ?? []) : [];
      return options.every((node) => "DefElem" in node && WEAK_OPTION.test(node.DefElem.defname ?? ""))
        ? "share update exclusive"
        : "access exclusive";
    }
    default:
      return LOCKS[subtype ?? ""] ?? "access exclusive";
  }
}

function partitionOf(def: Node | undefined): PartitionCmd | undefined {
  return def !== undefined && "PartitionCmd" in def ? def.PartitionCmd : undefined;
}

function command(recorder: Recorder, body: AlterTableCmd, relation: Relation | undefined, scope: Scope): void {
  const { subtype, def, name } = body;
  const own: Node[] = name === undefined ? [] : [{ String: { sval: name } }];
  const column = name === undefined ? undefined : relation?.column(name);
  switch (subtype) {
    case "AT_AddColumn":
      if (def !== undefined && "ColumnDef" in def) {
        const { ColumnDef: definition } = def;
        // The rows that are there get its default: its own, or that of its domain, which is checked (as NULL is, where there is none).
        const type = typeOf(recorder, definition.typeName);
        const ofDomain = domainDefaultOf(recorder, type);
        const values = columnDefinition(recorder, definition, scope);
        checksRun(recorder, CONSTANT, type);
        for (const given of ofDomain === undefined ? values : [...values, ofDomain]) {
          const value = withRun(given, conversionRuns(recorder, given, type));
          recorder.writeTo(
            {
              target: "definition",
              schema: relation?.factSchema ?? "",
              table: relation?.name ?? "",
              column: definition.colname ?? "",
            },
            value,
          );
        }
        walk(recorder, definition.typeName, "ddl");
      }
      return;
    case "AT_AlterColumnType":
      // Every value is converted anew; one that cannot be is shown in the error.
      if (relation !== undefined) rowsAreMaintained(recorder, relation);
      if (def !== undefined && "ColumnDef" in def && column !== undefined) {
        recorder.use(column.value, USE.expression);
        const { raw_default: using } = def.ColumnDef;
        const value = using === undefined ? column.value : defined(recorder, using, scope);
        recorder.write(
          column,
          withRun(value, conversionRuns(recorder, value, typeOf(recorder, def.ColumnDef.typeName))),
        );
      }
      return;
    case "AT_SetExpression":
      if (column !== undefined) recorder.write(column, defined(recorder, def, scope));
      return;
    case "AT_ColumnDefault":
      if (def !== undefined) defined(recorder, def, scope);
      namedColumns(recorder, relation, own);
      return;
    case "AT_SetNotNull":
      namedColumns(recorder, relation, own, USE.expression);
      return;
    case "AT_DropColumn":
      namedColumns(recorder, relation, own);
      if (body.behavior === "DROP_CASCADE" && relation !== undefined && column !== undefined)
        dropDependents(recorder, relation, column.attnum);
      return;
    case "AT_AddConstraint":
      if (def !== undefined && "Constraint" in def) constraint(recorder, def.Constraint, scope);
      return;
    case "AT_ValidateConstraint":
      // Which columns it is about is not known here.
      if (relation !== undefined) recorder.use(relation.wholeRow, USE.expression);
      if (relation !== undefined) rowsAreMaintained(recorder, relation);
      return;
    case "AT_AttachPartition":
    case "AT_DetachPartition":
    case "AT_DetachPartitionFinalize":
      partition(recorder, subtype, partitionOf(def), relation);
      return;
    case "AT_AddInherit":
    case "AT_DropInherit": {
      const parent = rangeVarOf(def);
      namedRelation(recorder, parent, "ddl");
      if (subtype === "AT_AddInherit") lockNamed(recorder, parent, "share update exclusive", true);
      return;
    }
    case "AT_ClusterOn":
      // The next CLUSTER without a name does it.
      sortedBy(recorder, relation && recorder.catalog.resolveRelation(relation.schema, name ?? "", recorder.path));
      return;
    case "AT_GenericOptions":
    case "AT_AlterColumnGenericOptions":
      recorder.external.add("server");
      return;
    default:
      namedColumns(recorder, relation, own);
      walk(recorder, def, "ddl");
  }
}

/** The rows of a partition are read, to see that they are within its bounds: by the columns of the key. */
function partition(
  recorder: Recorder,
  subtype: string,
  body: PartitionCmd | undefined,
  relation: Relation | undefined,
): void {
  namedRelation(recorder, body?.name, "ddl");
  const part = relationOf(recorder, body?.name);
  const weak = subtype === "AT_DetachPartition" && body?.concurrent === true;
  lockNamed(recorder, body?.name, weak ? "share update exclusive" : "access exclusive", true);
  if (subtype !== "AT_AttachPartition") return;
  bounds(recorder, body?.bound);
  for (const each of [relation, part]) {
    if (each === undefined || relation === undefined) continue;
    const key = relation.partitionKey.map((number) => relation.columns.find((other) => other.attnum === number)?.name);
    if (key.includes(undefined)) recorder.use(each.wholeRow, USE.expression);
    else
      namedColumns(
        recorder,
        each,
        key.map((name) => ({ String: { sval: name! } })),
        USE.expression,
      );
  }
}
