// CREATE TABLE, foreign or not, and what becomes a relation of a query: CREATE TABLE AS, SELECT INTO, CREATE VIEW.
import type { CreateForeignTableStmt, CreateStmt, Node, RangeVar, SelectStmt, ViewStmt } from "libpg-query";
import { columnDefinition, constraint } from "./constraints.ts";
import { created, namedRelation, walk } from "./ddl.ts";
import { bounds, relationOf } from "./definition-scope.ts";
import type { Judged, Judging } from "./judging.ts";
import { lockNamed } from "./locks.ts";
import { namesOf, rangeVarOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import { creationSchema, resolveSelectNode } from "./select.ts";
import { derivedItem, Scope } from "./scope.ts";
import { CONSTANT } from "./value.ts";

export function createTable({ recorder }: Judging, body: CreateStmt, kind = "table"): Judged {
  created(recorder, body.relation, kind);
  const parents = (body.inhRelations ?? []).map(rangeVarOf);
  const isPartition = body.partbound !== undefined;
  const elements = body.tableElts ?? [];
  const columns = elements.flatMap((node) => ("ColumnDef" in node ? [node.ColumnDef.colname ?? ""] : []));
  const open =
    parents.length > 0 || body.ofTypename !== undefined || elements.some((node) => "TableLikeClause" in node);
  const members = columns.map((name) => ({ name, value: CONSTANT }));
  const scope = new Scope(undefined, [derivedItem(body.relation?.relname, { members, open }, [])], undefined);
  for (const parent of parents) {
    // Its other children stay as they are.
    namedRelation(recorder, parent === undefined ? undefined : { ...parent, inh: false }, "ddl");
    lockNamed(recorder, parent, isPartition ? "access exclusive" : "share update exclusive", true);
    // Rows of a default partition are looked at: none may belong to the new one.
    const relation = isPartition ? relationOf(recorder, parent) : undefined;
    for (const number of relation?.partitionKey ?? []) {
      const column = relation!.columns.find((other) => other.attnum === number);
      recorder.use(column?.value ?? relation!.wholeRow, USE.expression);
    }
  }
  for (const node of [...elements, ...(body.constraints ?? []), ...(body.nnconstraints ?? [])]) {
    if ("ColumnDef" in node) {
      columnDefinition(recorder, node.ColumnDef, scope);
      walk(recorder, [node.ColumnDef.typeName, node.ColumnDef.identitySequence], "ddl");
    } else if ("Constraint" in node) constraint(recorder, node.Constraint, scope);
    // Its definition is read, no more.
    else if ("TableLikeClause" in node) namedRelation(recorder, node.TableLikeClause.relation, "select");
    else walk(recorder, node, "ddl");
  }
  bounds(recorder, body.partbound);
  walk(recorder, [body.partspec, body.ofTypename], "ddl");
  return { verb: "create_table" };
}

export function createForeignTable(
  judging: Judging,
  body: CreateForeignTableStmt & { base_stmt?: CreateStmt },
): Judged {
  createTable(judging, body.base ?? body.base_stmt ?? {}, "foreign_table");
  judging.recorder.external.add("server");
  return { verb: "create_foreign_table" };
}

/** The columns of a result become those of a new relation. `names` are given first. */
export function becomes(
  recorder: Recorder,
  range: RangeVar | undefined,
  result: Result,
  names: readonly string[],
): void {
  const temporary = range?.relpersistence === "t" || range?.schemaname === "pg_temp";
  const schema = temporary ? "pg_temp" : (range?.schemaname ?? creationSchema(recorder));
  const to = { target: "definition" as const, schema, table: range?.relname ?? "" };
  result.members.forEach((member, at) => {
    recorder.writeTo({ ...to, column: names[at] ?? member.name }, member.value);
  });
  if (result.open) recorder.writeTo({ ...to, column: "*" }, { ...CONSTANT, derivation: "opaque" });
}

/** The query of a definition: what it reads is noted; the statement's class stays what it is. */
export function queryOf(recorder: Recorder, node: Node | undefined): Result {
  const before = recorder.class;
  const result = resolveSelectNode(recorder, node, new Scope(undefined, [], undefined));
  recorder.class = before;
  return result;
}

export function createView({ recorder }: Judging, body: ViewStmt): Judged {
  created(recorder, body.view, "view");
  const existing = body.replace === true ? relationOf(recorder, body.view) : undefined;
  if (existing !== undefined) {
    recorder.relation(existing, "ddl");
    lockNamed(recorder, body.view, "access exclusive", true);
  }
  becomes(recorder, body.view, queryOf(recorder, body.query), namesOf(body.aliases));
  return { verb: "create_view" };
}

/** Where SELECT … INTO puts its rows: the leftmost SELECT of a set operation says it. */
export function intoOf(select: SelectStmt): RangeVar | undefined {
  let current: SelectStmt | undefined = select;
  while (current !== undefined) {
    if (current.intoClause !== undefined) return current.intoClause.rel;
    current = current.larg;
  }
  return undefined;
}
