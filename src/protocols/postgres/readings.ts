// What a prepared statement may mean now. The server reads it anew when the path changed, or something that it uses; else it keeps its reading.
import { RegateError } from "../../errors.ts";
import { type Analysis, analyze, type NameScope, type StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { comparable } from "../../sql/postgres/comparable.ts";
import { basisOf, hold, retold } from "../../sql/postgres/held.ts";
import { hasPlan } from "../../sql/postgres/nested.ts";
import { merged } from "../../sql/postgres/replay.ts";
import { asItRuns } from "../../sql/postgres/run-later.ts";
import { analyzeUnread } from "../../sql/postgres/unread.ts";
import { namesNothing } from "./names.ts";
import type { Portal, Prepared } from "./registry.ts";

/** Readings that one statement may have at a time; with more of them nothing is known. */
const readingsKept = 8;

type Options = { readonly normalized: boolean; readonly fingerprint: boolean };

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
  prepared.held.push(hold(fresh, catalog, scope));
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
export function cursorReading(
  portal: Portal,
  catalog: Catalog,
  scope: NameScope,
  options: Options,
): readonly StatementAnalysis[] {
  if (portal.held === undefined) return portal.statements.slice(0, 1);
  const now = asItRuns(portal.held, catalog, scope, (current, at) =>
    readAgain(portal, current, { ...scope, ...at }, options),
  );
  return now === undefined ? [] : [now];
}

/** The statement that a portal was opened on, as its text would be read now. */
function readAgain(
  { text, prepared, rewriting }: Portal,
  catalog: Catalog,
  scope: NameScope,
  options: Options,
): StatementAnalysis | undefined {
  const masked = rewriting?.masked;
  try {
    const analysis = analyze(text, catalog, scope, {
      ...options,
      masked,
      parameterTypes: prepared?.parameterTypes ?? [],
    });
    if (prepared !== undefined) return statementOf(prepared, analysis);
    return analysis.statements[0]?.effects.declares?.statement;
  } catch (thrown) {
    // In mode observe it may be a text that cannot be read.
    if (thrown instanceof RegateError) return undefined;
    throw thrown;
  }
}
