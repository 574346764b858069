// Utility statements in general: the relations, queries and functions that they name, found anywhere in their tree.
import type { A_Indirection, FuncCall, Node, RangeVar, TypeName } from "libpg-query";
import { runFunction } from "./bodies.ts";
import { findCall, recordCall, recordUnknownCall } from "./calls.ts";
import { kindOf, namesOf, qualifiedName } from "./nodes.ts";
import { NODE_KINDS } from "./node-kinds.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { creationSchema, resolveSelectNode } from "./select.ts";
import { Scope } from "./scope.ts";
import { CONSTANT } from "./value.ts";

const DEFINING: ReadonlySet<string> = new Set(["ddl", "drop", "grant", "maintenance"]);

/** Notes a relation that a utility statement names. */
export function namedRelation(recorder: Recorder, range: RangeVar | undefined, access: string): void {
  if (range === undefined) return;
  const name = range.relname ?? "";
  if (range.relpersistence === "t" || range.schemaname === "pg_temp") recorder.changesTemporary = true;
  const relation = recorder.catalog.resolveRelation(range.schemaname, name, recorder.path);
  if (relation !== undefined) recorder.relation(relation, access, range.inh !== true);
  else {
    // DDL is judged by what it is; and a DROP … IF EXISTS need not have the catalog read anew.
    if (!DEFINING.has(access)) recorder.missRelation(range);
    recorder.unknownRelation(range.schemaname ?? "", name, access);
  }
}

/** A relation that the statement makes. */
export function created(recorder: Recorder, range: RangeVar | undefined, kind: string): void {
  recorder.class = "ddl";
  recorder.changesCatalog = true;
  if (range === undefined) return;
  const temporary = range.relpersistence === "t" || range.schemaname === "pg_temp";
  if (temporary) recorder.changesTemporary = true;
  recorder.unknownRelation(
    temporary ? "pg_temp" : (range.schemaname ?? creationSchema(recorder)),
    range.relname ?? "",
    "create",
    kind,
  );
}

/** Everything below: `skip` is a RangeVar that has been noted already (what the statement makes). */
export function walk(recorder: Recorder, node: unknown, access: string, skip?: RangeVar): void {
  if (typeof node !== "object" || node === null || node === skip) return;
  if (Array.isArray(node)) {
    for (const item of node) walk(recorder, item, access, skip);
    return;
  }
  if ("relname" in node) {
    namedRelation(recorder, node as RangeVar, access);
    return;
  }
  const kind = kindOf(node);
  // Members of a body begin in lower case, kinds do not.
  if (kind !== "" && kind[0]! <= "Z" && !NODE_KINDS.has(kind)) recorder.opaque = true;
  if (kind === "SelectStmt" || kind === "InsertStmt" || kind === "UpdateStmt" || kind === "DeleteStmt") {
    query(recorder, node as Node);
    return;
  }
  if (kind === "String" && (node as { String: { sval?: string } }).String.sval === "pg_temp")
    recorder.changesTemporary = true;
  if (kind === "FuncCall") call(recorder, (node as { FuncCall: FuncCall }).FuncCall);
  // `(value).f` may be a call.
  if (kind === "A_Indirection")
    for (const step of (node as { A_Indirection: A_Indirection }).A_Indirection.indirection ?? [])
      if ("String" in step && recorder.catalog.functions(undefined, step.String.sval ?? "", recorder.path).length > 0)
        call(recorder, { funcname: [step], args: [node as Node] });
  if (kind === "TypeName" && (node as { TypeName: TypeName }).TypeName.pct_type === true) {
    const parts = namesOf((node as { TypeName: TypeName }).TypeName.names);
    parts.pop();
    const { schema, name } = qualifiedName(parts.map((sval) => ({ String: { sval } })));
    namedRelation(recorder, { relname: name, ...(schema === undefined ? {} : { schemaname: schema }) }, access);
  }
  for (const value of Object.values(node)) walk(recorder, value, access, skip);
}

/** A query inside of a definition: what it reads is noted, its outputs become somebody else's columns. */
export function query(recorder: Recorder, node: Node | undefined, outer?: Scope): void {
  const before = recorder.class;
  const result = resolveSelectNode(recorder, node, new Scope(outer, [], undefined));
  recorder.class = before;
  for (const member of result.members) recorder.use(member.value, USE.writeSource);
}

/** A function in a definition (a default, an index, a check): some of them run at once. */
function call(recorder: Recorder, body: FuncCall): void {
  const { schema, name } = qualifiedName(body.funcname);
  const args = body.args ?? [];
  const found = findCall(
    recorder,
    schema,
    name,
    args.map(() => CONSTANT),
    body.func_variadic === true,
  );
  if (found !== undefined) {
    recordCall(recorder, found, args);
    for (const entry of found.users) {
      const run = runFunction(recorder, entry, { values: args.map(() => CONSTANT), nodes: args });
      recorder.use(run.value, USE.expression);
    }
  } else if (args.length !== 1 || recorder.catalog.typeByName(schema, name, recorder.path) === 0)
    recordUnknownCall(recorder, schema, name);
}
