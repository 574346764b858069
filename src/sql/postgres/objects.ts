// Statements about existing objects of any kind: DROP, RENAME, SET SCHEMA, COMMENT, SECURITY LABEL, GRANT, and sequences.
import type {
  AlterObjectDependsStmt,
  AlterObjectSchemaStmt,
  AlterSeqStmt,
  CommentStmt,
  CreateSchemaStmt,
  DropStmt,
  GrantStmt,
  Node,
  RangeVar,
  RenameStmt,
  SecLabelStmt,
} from "libpg-query";
import { created, namedRelation, walk } from "./ddl.ts";
import { namedColumns, relationOf } from "./definition-scope.ts";
import type { Judge, Judged, Judging } from "./judging.ts";
import type { TableMode } from "./locks.ts";
import { lockDefinition, lockRelation } from "./locks.ts";
import { everyRelation } from "./maintenance.ts";
import type { Relation } from "./model.ts";
import { bodyOf, kindOf, namesOf, rangeVarOf, stringOf } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import { CONSTANT } from "./value.ts";

export function objectVerb(prefix: string, type: string | undefined): string {
  return `${prefix}_${(type ?? "OBJECT_OBJECT")
    .replace(/^OBJECT_/, "")
    .replace("MATVIEW", "MATERIALIZED_VIEW")
    .toLowerCase()}`;
}

/** Objects whose name in a list is a relation's, or stands below one. */
const RELATION_OBJECTS = new Set([
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  "OBJECT_INDEX",
  "OBJECT_FOREIGN_TABLE",
]);
const BELOW_RELATION = new Set([
  "OBJECT_COLUMN",
  "OBJECT_RULE",
  "OBJECT_TRIGGER",
  "OBJECT_POLICY",
  "OBJECT_TABCONSTRAINT",
]);

function changes(recorder: Recorder): void {
  recorder.class = "ddl";
  recorder.changesCatalog = true;
}

/** The relation in a list of names, and what is named below it. */
function inList(node: Node | undefined, type: string | undefined): { range?: RangeVar; below?: string } {
  const isBelow = BELOW_RELATION.has(type ?? "");
  if (node === undefined || !("List" in node) || !(isBelow || RELATION_OBJECTS.has(type ?? ""))) return {};
  const names = namesOf(node.List.items);
  const below = isBelow ? names.pop() : undefined;
  const relname = names.pop();
  const schemaname = names.pop();
  return {
    ...(relname === undefined
      ? {}
      : { range: { relname, ...(schemaname === undefined ? {} : { schemaname }), inh: true } }),
    ...(below === undefined ? {} : { below }),
  };
}

export function drop({ recorder }: Judging, body: DropStmt): Judged {
  changes(recorder);
  recorder.changesTemporary = true;
  const cascade = body.behavior === "DROP_CASCADE";
  const mode = body.concurrent === true ? "share update exclusive" : "access exclusive";
  for (const node of body.objects ?? []) {
    const { range } = inList(node, body.removeType);
    if (range !== undefined) {
      namedRelation(recorder, range, "drop");
      lockDefinition(recorder, range, mode, !cascade);
      const relation = relationOf(recorder, range);
      if (relation !== undefined && !BELOW_RELATION.has(body.removeType ?? ""))
        dropped(recorder, relation, mode, cascade);
    } else if (body.removeType === "OBJECT_SCHEMA" && cascade) everyRelation(recorder, stringOf(node) ?? "*", "drop");
    else walk(recorder, node, "drop");
  }
  return { verb: objectVerb("drop", body.removeType) };
}

/** What goes, or is locked, with a relation: an index's table; what its foreign keys refer to; with CASCADE what is made of it. */
function dropped(recorder: Recorder, relation: Relation, mode: TableMode, cascade: boolean): void {
  if (relation.indexed !== undefined) lockRelation(recorder, relation.indexed, mode, true);
  for (const other of relation.references) if (other !== relation) lockRelation(recorder, other, mode, true);
  if (cascade) dropDependents(recorder, relation, undefined);
}

/** CASCADE: views over it, children of it, foreign keys to it. `column`: only views that name that column. */
export function dropDependents(recorder: Recorder, relation: Relation, column: number | undefined): void {
  const seen = new Set<Relation>([relation]);
  const follow = (each: Relation, above: readonly string[], only: number | undefined): void => {
    const via = [...above, each.qualified];
    const reach = (other: Relation, access: string): void => {
      if (seen.has(other)) return;
      seen.add(other);
      recorder.reached(other, access, via);
      lockRelation(recorder, other, "access exclusive", true);
      if (access === "drop") follow(other, via, undefined);
    };
    for (const view of recorder.catalog.viewsOver(each))
      if (only === undefined || view.dependencies.some(([oid, number]) => oid === each.oid && number === only))
        reach(view, "drop");
    if (only !== undefined) return;
    if (each.kind === "table") for (const child of each.children) reach(child, "drop");
    for (const other of each.referring) reach(other, "ddl");
  };
  follow(relation, [], column);
}

/** COMMENT and SECURITY LABEL: everybody may read what they say. */
export function onObject(verb: string): Judge {
  return ({ recorder }: Judging, body: CommentStmt & SecLabelStmt): Judged => {
    changes(recorder);
    const { range, below } = inList(body.object, body.objtype);
    if (range === undefined) {
      recorder.writeTo({ target: "comment", column: nameOf(body.object) }, CONSTANT);
      return { verb };
    }
    namedRelation(recorder, range, "ddl");
    if (body.objtype === "OBJECT_COLUMN" || !BELOW_RELATION.has(body.objtype ?? ""))
      lockDefinition(recorder, range, "share update exclusive", true);
    const relation = relationOf(recorder, range);
    if (body.objtype === "OBJECT_COLUMN") namedColumns(recorder, relation, [{ String: { sval: below ?? "" } }]);
    recorder.writeTo(
      {
        target: "comment",
        schema: relation?.factSchema ?? range.schemaname ?? "",
        table: relation?.name ?? range.relname ?? "",
        column: below ?? "",
      },
      CONSTANT,
    );
    return { verb };
  };
}

function nameOf(node: Node | undefined): string {
  if (node === undefined) return "";
  const name = stringOf(node);
  if (name !== undefined) return name;
  const body = bodyOf<{ items?: Node[]; names?: Node[]; objname?: Node[] }>(node);
  return namesOf(body.items ?? body.names ?? body.objname).join(".");
}

export function rename({ recorder }: Judging, body: RenameStmt): Judged {
  changes(recorder);
  recorder.changesTemporary = true;
  if (body.relation === undefined) walk(recorder, body.object, "ddl");
  else {
    namedRelation(recorder, body.relation, "ddl");
    const relation = relationOf(recorder, body.relation);
    lockDefinition(
      recorder,
      body.relation,
      relation?.kind === "index" ? "share update exclusive" : "access exclusive",
      body.renameType !== "OBJECT_COLUMN",
    );
    if (body.renameType === "OBJECT_COLUMN" || body.renameType === "OBJECT_ATTRIBUTE")
      namedColumns(recorder, relation, [{ String: { sval: body.subname ?? "" } }]);
  }
  return { verb: "rename" };
}

/** ALTER … SET SCHEMA, … DEPENDS ON EXTENSION. */
export function moves(verb: string): Judge {
  return ({ recorder }: Judging, body: AlterObjectSchemaStmt & AlterObjectDependsStmt): Judged => {
    changes(recorder);
    recorder.changesTemporary = true;
    if (body.relation === undefined) walk(recorder, body.object, "ddl");
    else {
      namedRelation(recorder, body.relation, "ddl");
      lockDefinition(recorder, body.relation, "access exclusive", true);
    }
    return { verb };
  };
}

export function grant({ recorder }: Judging, body: GrantStmt): Judged {
  recorder.class = "dcl";
  recorder.changesCatalog = true;
  const ranges = (body.objects ?? []).map(rangeVarOf);
  if (body.targtype === "ACL_TARGET_ALL_IN_SCHEMA")
    for (const node of body.objects ?? []) everyRelation(recorder, stringOf(node) ?? "*", "grant");
  for (const range of ranges) {
    if (range === undefined) continue;
    namedRelation(recorder, range, "grant");
    const relation = relationOf(recorder, range);
    for (const node of body.privileges ?? [])
      if ("AccessPriv" in node) namedColumns(recorder, relation, node.AccessPriv.cols);
  }
  return { verb: body.is_grant === true ? "grant" : "revoke" };
}

export function alterSequence({ recorder }: Judging, body: AlterSeqStmt): Judged {
  changes(recorder);
  namedRelation(recorder, body.sequence, "ddl");
  lockDefinition(recorder, body.sequence, "share row exclusive", true);
  owner(recorder, body.options);
  const relation = relationOf(recorder, body.sequence);
  const { schemaname = "", relname = "" } = body.sequence ?? {};
  recorder.writeTo(
    { target: "sequence", schema: relation?.factSchema ?? schemaname, table: relation?.name ?? relname },
    CONSTANT,
  );
  return { verb: "alter_sequence" };
}

/** OWNED BY table.column */
export function owner(recorder: Recorder, options: readonly Node[] | undefined): void {
  for (const node of options ?? []) {
    if (!("DefElem" in node) || node.DefElem.defname !== "owned_by") continue;
    const { range } = inList(node.DefElem.arg, "OBJECT_COLUMN");
    if (range !== undefined) namedRelation(recorder, range, "ddl");
  }
}

/** The elements of CREATE SCHEMA are statements, whose names go into the new schema. */
export function createSchema(
  judging: Judging,
  body: CreateSchemaStmt,
  rows: { readonly [kind: string]: Judge },
): Judged {
  const { recorder } = judging;
  changes(recorder);
  for (const element of body.schemaElts ?? []) {
    const kind = kindOf(element);
    const named = bodyOf<{ [member: string]: unknown }>(element);
    const inside = { ...named };
    for (const member of ["relation", "view", "sequence"]) {
      const range = named[member] as RangeVar | undefined;
      if (range !== undefined && range.schemaname === undefined && body.schemaname !== undefined)
        inside[member] = { ...range, schemaname: body.schemaname };
    }
    const row = rows[kind];
    if (row === undefined) recorder.opaque = true;
    else row(judging, inside, element);
  }
  recorder.class = "ddl";
  return { verb: "create_schema" };
}

/** DDL that makes the relation `member` of its body. */
export function creates(verb: string, member: string, kind: string): Judge {
  return ({ recorder }, body) => {
    const range = body[member] as RangeVar | undefined;
    created(recorder, range, kind);
    owner(recorder, body.options);
    walk(recorder, body, "ddl", range);
    return { verb };
  };
}
