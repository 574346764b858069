// What a prepared statement may mean now. The server reads it anew when the path changed, or something that it uses; else it keeps its reading.
import { type Analysis, analyze, type NameScope, type StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { hold, retold } from "../../sql/postgres/held.ts";
import { hasPlan } from "../../sql/postgres/nested.ts";
import { merged } from "../../sql/postgres/replay.ts";
import { analyzeUnread } from "../../sql/postgres/unread.ts";
import { comparable } from "./command-facts.ts";
import { namesNothing } from "./names.ts";
import type { Portal, Prepared } from "./registry.ts";

/** Readings that one statement may have at a time; with more of them nothing is known. */
const readingsKept = 8;

type Options = { readonly normalized: boolean; readonly fingerprint: boolean };

/** The state that an analysis holds for. */
export function basisOf(catalog: Catalog, scope: Pick<NameScope, "searchPath" | "user">): string {
  return `${catalog.version}/${scope.user}/${scope.searchPath.join("\0")}`;
}

/**
 * Brings the analysis of a prepared statement up to date. A plan that the server keeps is read anew when the path is another than it was read
 * under, or when a relation that it uses changed (plancache.c); a table that now stands before it in the path does not count. So an earlier
 * reading stays possible as long as everything in it still has its name.
 */
export function refresh(prepared: Prepared, catalog: Catalog, scope: NameScope, options: Options): void {
  const basis = basisOf(catalog, scope);
  if (prepared.basis === basis) return;
  const { parameterTypes, rewriting } = prepared;
  const analysis = analyze(prepared.text, catalog, scope, { ...options, parameterTypes, masked: rewriting?.masked });
  const fresh = statementOf(prepared, analysis);
  prepared.basis = basis;
  prepared.commands = new Map();
  prepared.analysis = analysis;
  if (fresh === undefined) {
    prepared.readings = [];
    return;
  }
  const readings = [fresh];
  const path = scope.searchPath.join("\0");
  const told = comparable([fresh.facts]);
  prepared.held = prepared.held.filter((held) => {
    const still = retold(held, catalog);
    if (still?.same !== true) return false;
    if (held.path.join("\0") !== path) return true;
    if (comparable([still.analysis.facts]) === told) return false;
    readings.push(still.analysis);
    return true;
  });
  prepared.held.push(hold(fresh, catalog, scope.searchPath));
  prepared.readings = prepared.held.length > readingsKept ? [] : readings;
  if (readings.length === 1 && prepared.by === "parse") return;
  const statement =
    prepared.held.length > readingsKept ? analyzeUnread(prepared.text, catalog).statements[0]! : merged(readings);
  prepared.analysis = {
    ...analysis,
    statements: [statement],
    command: { ...analysis.command, statements: [statement.facts] },
  };
}

/** What EXECUTE of this name runs. */
export function preparedReadings(
  prepared: Prepared,
  catalog: Catalog,
  scope: NameScope,
  options: Options,
): readonly StatementAnalysis[] {
  // Where a cursor stands is no part of the basis.
  if (prepared.readings.some(({ effects }) => effects.ofCursor === true)) prepared.basis = "";
  refresh(prepared, catalog, scope, options);
  return prepared.readings;
}

/** Utility statements look names up when they are executed (EXECUTE, FETCH, COPY, DDL …), not when they are bound. */
export function looksUpLate(statement: StatementAnalysis): boolean {
  if (statement.effects.ofCursor === true) return true;
  return !hasPlan(statement) && !namesNothing(statement);
}

function statementOf(prepared: Prepared, analysis: Analysis): StatementAnalysis | undefined {
  const [statement] = analysis.statements;
  return prepared.by === "parse" ? statement : statement?.effects.prepares?.statement;
}

/** What FETCH of this portal shows, in the words of this catalog. */
export function cursorReading(portal: Portal, catalog: Catalog): readonly StatementAnalysis[] {
  if (portal.held === undefined) return portal.statements.slice(0, 1);
  const told = retold(portal.held, catalog);
  return told === undefined ? [] : [told.analysis];
}
