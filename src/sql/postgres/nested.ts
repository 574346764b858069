// Statements about statements: EXPLAIN, PREPARE, EXECUTE, DECLARE, FETCH, CREATE TABLE AS.
import type {
  CreateTableAsStmt,
  DeclareCursorStmt,
  ExecuteStmt,
  ExplainStmt,
  FetchStmt,
  Node,
  PrepareStmt,
} from "libpg-query";
import type { ColumnUse, Output, Relation as RelationFact, Source, StatementFacts } from "../../core/facts.ts";
import { typeOf } from "./casts.ts";
import type { Effects, StatementAnalysis } from "./analysis.ts";
import { becomes, queryOf } from "./create-table.ts";
import { created } from "./ddl.ts";
import { all } from "./expressions.ts";
import { type Held, hold } from "./held.ts";
import type { Judged, Judging } from "./judging.ts";
import { NO_SCOPE } from "./judging.ts";
import { isMasked } from "./masked-forms.ts";
import { isOn, namesOf, optionOf } from "./nodes.ts";
import { tellsWidths } from "./plain-plan.ts";
import { factsOf } from "./recorded-facts.ts";
import { Recorder } from "./recorder.ts";
import { changesWhileParsed } from "./type-code.ts";
import { USE } from "./uses.ts";
import { merged, opaqueFacts } from "./replay.ts";
import { SECRET_TAG } from "./secrets.ts";
import { judge } from "./statements.ts";
import { checksRun, coerced } from "./user-code.ts";
import { CONSTANT } from "./value.ts";

/** A statement inside of another one, judged on its own. */
function inner(judging: Judging, node: Node | undefined, parameterTypes: readonly number[] = []): StatementAnalysis {
  const { catalog, path, masked, reads, user } = judging.recorder;
  const recorder = new Recorder(catalog, path, { running: path, masked, reads, user });
  recorder.lookups = [];
  // What it will be given becomes of these types.
  for (const type of parameterTypes) checksRun(recorder, CONSTANT, type);
  const analysis = judge({ ...judging, recorder }, node ?? ({} as Node));
  if (recorder.unresolved) judging.recorder.unresolved = true;
  judging.recorder.missing ??= recorder.missing;
  return analysis;
}

export function explain(judging: Judging, body: ExplainStmt): Judged {
  // Estimates and row counts tell about the columns that select the rows; costs, and what runs (memory, buffers, SERIALIZE), also of those
  // that are shown or kept on the way: how wide they are.
  const analyzes = isOn(optionOf(body.options, "analyze"));
  const wide = tellsWidths(body.options);
  const analysed = inner(judging, body.query);
  const facts = analysed.facts;
  // The query of DECLARE is explained, and run for ANALYZE, but no cursor is made of it.
  const { declares: _, ...lasting } = analysed.effects;
  // What runs also tells, by the size of its WAL, what old and new values share.
  const executed = executedIn(body.query);
  const runs =
    analyzes ||
    runsWhilePlanning(facts) ||
    changesWhileParsed(judging.recorder.catalog, facts) ||
    // The protocol prepares EXECUTE as well, whose own arguments are computed then.
    (executed !== undefined && preparedAs(judging, executed).length === 0);
  // The statement stays as it is, but what is passed to it is computed.
  if (!runs && executed !== undefined) passed(judging.recorder, executed);
  // How much WAL there is tells of whole rows, named or not: an old version is left behind, and what fills a page goes with it.
  const rows = isOn(optionOf(body.options, "wal")) ? protectedColumns(judging, facts.relations) : [];
  // Where a row is only asked whether a column of it is NULL, the scan below hands on the column.
  const asked = facts.columns.filter(({ uses }) => uses.includes("nullness"));
  const columns = (wide ? shown(facts, [...analysed.kept, ...asked, ...rows]) : facts.columns).flatMap((column) => {
    const uses = column.uses.filter((use) => use !== "output" || wide);
    if (uses.length === 0) return [];
    // The mask is computed above a scan, and often above joins: what these hold, as wide as it is, are the real values.
    return [{ ...column, uses, tags: wide && isMasked(column) ? tagsBehind(judging, column) : column.tags }];
  });
  const plan: Output = {
    name: "QUERY PLAN",
    type: /^(json|xml)$/i.exec(optionOf(body.options, "format") ?? "")?.[0].toLowerCase() ?? "text",
    derivation: "expression",
    total: false,
    sources: columns
      .filter((column) => runs || column.uses.some((use) => !use.startsWith("write_")))
      .map(({ schema, table, column, tags }) => ({ schema, table, column, tags })),
  };
  return {
    verb: "explain",
    instead: {
      ...analysed,
      facts: runs
        ? { ...facts, columns, outputs: [plan] }
        : {
            ...facts,
            columns,
            outputs: [plan],
            class: facts.class === "unknown" ? "unknown" : "read",
            scoped: true,
            writes: [],
            locks: [],
            settings: [],
            relations: facts.relations.map((relation) => ({ ...relation, access: ["select"] })),
          },
      effects: runs ? lasting : { ...NO_EFFECTS, ...opaqueEffects(facts) },
      copy: undefined,
      outputsKnown: true,
      returnsRows: true,
    },
  };
}

/** The EXECUTE that is explained, by itself or below CREATE TABLE AS. */
function executedIn(node: Node | undefined): ExecuteStmt | undefined {
  if (node === undefined) return undefined;
  if ("CreateTableAsStmt" in node) return executedIn(node.CreateTableAsStmt.query);
  return "ExecuteStmt" in node ? node.ExecuteStmt : undefined;
}

/** Verbs of what has a plan of its own, whose names are looked up before it is executed. */
const PLANNED: ReadonlySet<string> = new Set(["select", "values", "insert", "update", "delete", "merge"]);
export function hasPlan({ facts }: StatementAnalysis): boolean {
  return PLANNED.has(facts.verb);
}

/** Of what is touched in any way. */
function protectedColumns({ recorder }: Judging, relations: readonly RelationFact[]): readonly Source[] {
  return relations.flatMap(({ schema, name }) =>
    (recorder.catalog.resolveRelation(schema, name, recorder.path)?.columns ?? []).flatMap(({ source }) =>
      source.tags.length > 0 ? [source] : [],
    ),
  );
}

/** The columns, with these as good as shown: what is held on the way. */
function shown(facts: StatementFacts, also: readonly Source[]): readonly ColumnUse[] {
  const columns = [...facts.columns];
  for (const { schema, table, column, tags } of also) {
    const at = columns.findIndex((each) => each.schema === schema && each.table === table && each.column === column);
    const used = columns[at];
    if (used === undefined) columns.push({ schema, table, column, tags, uses: ["output"], operators: [] });
    else if (!used.uses.includes("output")) columns[at] = { ...used, uses: ["output", ...used.uses] };
  }
  return columns;
}

/** The tags of the column that is masked. */
function tagsBehind({ recorder }: Judging, { schema, table, column }: Source): readonly string[] {
  return recorder.catalog.resolveRelation(schema, table, recorder.path)?.column(column)?.source.tags ?? [SECRET_TAG];
}

/** Functions that call themselves immutable or stable run while a query is planned, whatever the functions do that they call. */
function runsWhilePlanning(facts: StatementFacts): boolean {
  return facts.functions.some(
    ({ kind, volatility, effect }) =>
      kind === "known" && volatility !== "volatile" && (effect === "state" || effect === "outside"),
  );
}

const NO_EFFECTS: Effects = { settings: false, transaction: undefined, catalog: false, temp: false, opaque: false };
const ANY_EFFECT: Effects = { settings: true, transaction: undefined, catalog: true, temp: true, opaque: true };
/** Planning may run functions that call themselves immutable. */
function opaqueEffects(facts: StatementFacts): Partial<Effects> {
  return facts.functions.some((use) => use.opaque) ? ANY_EFFECT : {};
}

function heldHere({ recorder, scope }: Judging, statement: StatementAnalysis): Held {
  return hold(statement, recorder.catalog, scope);
}

export function prepare(judging: Judging, body: PrepareStmt): Judged {
  const types = (body.argtypes ?? []).map((node) => ("TypeName" in node ? typeOf(judging.recorder, node.TypeName) : 0));
  const statement = inner(judging, body.query, types);
  const effects = changesWhileParsed(judging.recorder.catalog, statement.facts) ? ANY_EFFECT : NO_EFFECTS;
  return {
    verb: "prepare",
    instead: { ...statement, returnsRows: false, copy: undefined, effects },
    prepares: { name: body.name ?? "", statement, held: heldHere(judging, statement) },
  };
}

export function execute(judging: Judging, body: ExecuteStmt): Judged {
  passed(judging.recorder, body);
  return { verb: "execute", instead: oneOf(judging, preparedAs(judging, body)) };
}

function passed(recorder: Recorder, { params }: ExecuteStmt): void {
  for (const value of all(recorder, params, NO_SCOPE)) recorder.use(coerced(recorder, value), USE.expression);
}

/**
 * PREPARE takes only what has a plan, but the protocol prepares any statement. What such a one does (gives and takes names, sets, ends the
 * transaction) is not followed through its name.
 */
function preparedAs({ scope, recorder }: Judging, body: ExecuteStmt): readonly StatementAnalysis[] {
  const candidates = scope.prepared(body.name ?? "", recorder.catalog, scope);
  return candidates.every(hasPlan) ? candidates : [];
}

/** CURSOR_OPT_HOLD of parsenodes.h */
const HOLD = 0x20;

export function declare(judging: Judging, body: DeclareCursorStmt): Judged {
  const statement = inner(judging, body.query);
  const outlives = ((body.options ?? 0) & HOLD) !== 0;
  // One that is held is run to its end at COMMIT, and the settings that it makes with it.
  const { settings } = statement.effects;
  return {
    verb: "declare",
    instead: {
      ...statement,
      returnsRows: false,
      effects: { ...NO_EFFECTS, settings, ...opaqueEffects(statement.facts) },
    },
    declares: { name: body.portalname ?? "", statement, held: heldHere(judging, statement), hold: outlives },
  };
}

export function fetch(judging: Judging, body: FetchStmt): Judged {
  const analysis = oneOf(judging, judging.scope.cursor(body.portalname ?? "", judging.recorder.catalog, judging.scope));
  if (body.ismove !== true) return { verb: "fetch", instead: { ...analysis, returnsRows: true, copy: undefined } };
  return { verb: "move", instead: { ...analysis, returnsRows: false, copy: undefined } };
}

/** What a name stands for: one statement, any of several, or something that is not known. */
function oneOf(judging: Judging, candidates: readonly StatementAnalysis[]): StatementAnalysis {
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length > 1) return merged(candidates);
  return unknownStatement(judging);
}

export function unknownStatement({ recorder }: Judging): StatementAnalysis {
  return {
    facts: opaqueFacts("unknown"),
    returnsRows: true,
    outputsKnown: false,
    copy: undefined,
    kept: [],
    touchesTagged: recorder.catalog.hasTags,
    effects: ANY_EFFECT,
  };
}

export function createTableAs(judging: Judging, body: CreateTableAsStmt): Judged {
  const { recorder } = judging;
  const materialized = body.objtype === "OBJECT_MATVIEW";
  const verb = materialized ? "create_materialized_view" : "create_table_as";
  created(recorder, body.into?.rel, materialized ? "materialized_view" : "table");
  const names = namesOf(body.into?.colNames);
  if (body.query !== undefined && "ExecuteStmt" in body.query) return { verb, ...executedInto(judging, body, names) };
  becomes(recorder, body.into?.rel, queryOf(recorder, body.query), names);
  return { verb };
}

/** CREATE TABLE … AS EXECUTE: what the prepared statement would show becomes the columns. */
function executedInto(judging: Judging, body: CreateTableAsStmt, names: readonly string[]): Partial<Judged> {
  const { recorder } = judging;
  const query = body.query as { ExecuteStmt: ExecuteStmt };
  passed(recorder, query.ExecuteStmt);
  const executed = oneOf(judging, preparedAs(judging, query.ExecuteStmt));
  const made = factsOf(recorder, "", []);
  const to = made.relations[0];
  const facts: StatementFacts = {
    ...executed.facts,
    class: executed.facts.class === "unknown" ? "unknown" : "ddl",
    relations: [...executed.facts.relations, ...made.relations],
    columns: executed.facts.columns.map((column) =>
      column.uses.includes("output") && !column.uses.includes("write_source")
        ? { ...column, uses: [...column.uses, "write_source"] }
        : column,
    ),
    outputs: [],
    writes: [
      ...executed.facts.writes,
      ...executed.facts.outputs.map((output, at) => ({
        target: "definition" as const,
        schema: to?.schema ?? "",
        table: to?.name ?? "",
        column: names[at] ?? output.name,
        sources: output.sources,
        opaque: output.derivation === "opaque",
      })),
    ],
  };
  return {
    instead: { ...executed, facts, returnsRows: false, effects: { ...executed.effects, catalog: true, temp: true } },
  };
}
