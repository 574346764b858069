// Locks that hold others up: of LOCK TABLE, of SELECT … FOR UPDATE, and of what changes or maintains a relation.
import type { LockingClause, LockStmt, Node, RangeVar, SelectStmt, WithClause } from "libpg-query";
import { namedRelation } from "./ddl.ts";
import type { Judged, Judging } from "./judging.ts";
import type { Relation } from "./model.ts";
import { rangeVarOf } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import { policiesDecide } from "./row-security.ts";
import type { CteList } from "./scope.ts";
import { viewOf } from "./views.ts";

/** The server's lock modes by their numbers (storage/lockdefs.h), weakest first. */
const MODES = [
  "",
  "access share",
  "row share",
  "row exclusive",
  "share update exclusive",
  "share",
  "share row exclusive",
  "exclusive",
  "access exclusive",
] as const;
export type TableMode = Exclude<(typeof MODES)[number], "">;

/** LOCK TABLE: each table in its mode, with what inherits from it; a view locks everything that it reads. */
export function lockTable({ recorder }: Judging, body: LockStmt): Judged {
  recorder.class = "session";
  const mode = MODES[body.mode ?? 8] || "access exclusive";
  for (const node of body.relations ?? []) {
    const range = rangeVarOf(node);
    namedRelation(recorder, range, "lock");
    lockNamed(recorder, range, mode, range?.inh !== true);
    const relation = recorder.catalog.resolveRelation(range?.schemaname, range?.relname ?? "", recorder.path);
    if (relation?.kind !== "view") continue;
    for (const { relation: below } of viewOf(relation, recorder.catalog)?.touched ?? [])
      recorder.lock("relation", below.factSchema, below.name, mode);
  }
  return { verb: "lock" };
}

export function stronger(left: TableMode, right: TableMode): TableMode {
  return MODES.indexOf(left) < MODES.indexOf(right) ? right : left;
}

/** Notes that a named relation is locked in this mode. `only`: what inherits from it is left out. */
export function lockNamed(recorder: Recorder, range: RangeVar | undefined, mode: TableMode, only = false): void {
  if (range === undefined) return;
  const relation = recorder.catalog.resolveRelation(range.schemaname, range.relname ?? "", recorder.path);
  if (relation === undefined) recorder.lock("relation", range.schemaname ?? "", range.relname ?? "", mode);
  else lockRelation(recorder, relation, mode, only);
}

/** What a definition or maintenance takes: ONLY, or `only`, leaves out what inherits from it. */
export function lockDefinition(recorder: Recorder, range: RangeVar | undefined, mode: TableMode, only = false): void {
  lockNamed(recorder, range, mode, only || range?.inh !== true);
}

/** Partitions are their table. */
export function lockRelation(recorder: Recorder, relation: Relation, mode: TableMode, only = false): void {
  recorder.lock("relation", relation.factSchema, relation.name, mode);
  if (only || relation.kind !== "table") return;
  for (const child of relation.children) lockRelation(recorder, child, mode);
}

const STRENGTHS: { readonly [strength: string]: string } = {
  LCS_FORKEYSHARE: "for key share",
  LCS_FORSHARE: "for share",
  LCS_FORNOKEYUPDATE: "for no key update",
  LCS_FORUPDATE: "for update",
};

/** FOR UPDATE and its like: rows of every table of FROM, or of those that OF names, also below sub-selects and views. */
export function lockRows(
  recorder: Recorder,
  clauses: readonly Node[],
  from: readonly Node[] | undefined,
  ctes: CteList,
): void {
  const hidden = new Set<string>();
  for (let entry = ctes; entry !== undefined; entry = entry.next) hidden.add(entry.cte.name);
  for (const node of clauses) {
    if (!("LockingClause" in node)) continue;
    const names = namesLocked(node.LockingClause);
    const mode = STRENGTHS[node.LockingClause.strength ?? ""] ?? "for update";
    for (const item of from ?? []) lockItem(recorder, item, names, mode, hidden);
  }
}

function namesLocked(clause: LockingClause): ReadonlySet<string> | undefined {
  if (clause.lockedRels === undefined) return undefined;
  return new Set(clause.lockedRels.map((relation) => rangeVarOf(relation)?.relname ?? ""));
}

/** transformLockingClause of the server's analyze.c: an item of FROM, if it is meant. `hidden`: names of common table expressions. */
function lockItem(
  recorder: Recorder,
  node: Node,
  names: ReadonlySet<string> | undefined,
  mode: string,
  hidden: ReadonlySet<string>,
): void {
  if ("RangeVar" in node) {
    const range = node.RangeVar;
    const name = range.relname ?? "";
    if (range.schemaname === undefined && hidden.has(name)) return;
    if (names?.has(range.alias?.aliasname ?? name) === false) return;
    const relation = recorder.catalog.resolveRelation(range.schemaname, name, recorder.path);
    if (relation !== undefined) lockRowsOf(recorder, relation, mode, range.inh !== true);
  } else if ("RangeSubselect" in node) {
    if (names?.has(node.RangeSubselect.alias?.aliasname ?? "") === false) return;
    const query = node.RangeSubselect.subquery;
    if (query !== undefined && "SelectStmt" in query) lockQuery(recorder, query.SelectStmt, mode, hidden);
  } else if ("JoinExpr" in node) {
    for (const side of [node.JoinExpr.larg, node.JoinExpr.rarg])
      if (side !== undefined) lockItem(recorder, side, names, mode, hidden);
  } else if ("RangeTableSample" in node && node.RangeTableSample.relation !== undefined)
    lockItem(recorder, node.RangeTableSample.relation, names, mode, hidden);
}

function lockQuery(recorder: Recorder, query: SelectStmt, mode: string, hidden: ReadonlySet<string>): void {
  const inside = new Set([...hidden, ...cteNames(query.withClause)]);
  for (const item of query.fromClause ?? []) lockItem(recorder, item, undefined, mode, inside);
}

function cteNames(clause: WithClause | undefined): string[] {
  return (clause?.ctes ?? []).flatMap((node) =>
    "CommonTableExpr" in node ? [node.CommonTableExpr.ctename ?? ""] : [],
  );
}

function lockRowsOf(recorder: Recorder, relation: Relation, mode: string, only: boolean): void {
  recorder.relation(relation, "lock", only);
  policiesDecide(recorder, relation, "update");
  if (relation.kind === "view") {
    for (const { relation: below } of viewOf(relation, recorder.catalog)?.touched ?? [])
      if (below.kind !== "view") {
        policiesDecide(recorder, below, "update");
        recorder.lock("row", below.factSchema, below.name, mode);
      }
    return;
  }
  recorder.lock("row", relation.factSchema, relation.name, mode);
  if (!only && relation.kind === "table")
    for (const child of relation.children) recorder.lock("row", child.factSchema, child.name, mode);
}
