// What was opened earlier and runs code of users: the server looks up what that does, and what names in it stand for, as it runs.
import type { ScopeNames, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import { comparable } from "./comparable.ts";
import { basisOf, type Held, hold, retold } from "./held.ts";
import { merged } from "./replay.ts";

/** Under how many catalogs and names one cursor is read; with more of them nothing is known. */
const READ_MOST = 1_000;

/** One that is opened: under what it ran is its own. */
export function opened(held: Held): Held {
  const { code } = held;
  return code === undefined ? held : { ...held, code: { ...code, read: new Map(code.read) } };
}

/**
 * What it does if it goes on running now. What a step has kept (a sort, a materialized row) is shown later, so every reading stays. `again`
 * analyses its text anew: that holds its code as it is now, but only if the text itself still means the same. Undefined: not known, or gone.
 */
export function asItRuns(
  held: Held,
  catalog: Catalog,
  at: ScopeNames,
  again: (catalog: Catalog, at: ScopeNames) => StatementAnalysis | undefined,
): StatementAnalysis | undefined {
  const told = retold(held, catalog);
  const { code } = held;
  if (told === undefined || code === undefined) return told?.analysis;
  const running = code.end ?? { catalog, at };
  const basis = basisOf(running.catalog, running.at);
  if (!code.lost && !code.read.has(basis)) {
    const then = retold(held, running.catalog);
    const now = again(running.catalog, running.at);
    if (now === undefined || then?.same !== true || !meansTheSame(then.analysis, now)) code.lost = true;
    else if (comparable([then.analysis.facts]) === comparable([now.facts])) code.read.set(basis, undefined);
    else code.read.set(basis, hold(now, running.catalog, running.at));
  }
  if (code.lost || code.read.size > READ_MOST) return undefined;
  const readings = [told.analysis];
  for (const other of code.read.values()) {
    if (other === undefined) continue;
    const still = retold(other, catalog);
    if (still === undefined) return undefined;
    readings.push(still.analysis);
  }
  return readings.length === 1 ? told.analysis : merged(readings);
}

/** Its transaction commits, and runs what is kept WITH HOLD to its end. Undefined: under names that are not known. */
export function ranToItsEnd({ code }: Held, under: { catalog: Catalog; at: ScopeNames } | undefined): void {
  if (code === undefined || code.end !== undefined) return;
  if (under === undefined) code.lost = true;
  else code.end = under;
}

/** Do both name the same relations, and does the later one run all the code of the earlier one? */
function meansTheSame(earlier: StatementAnalysis, now: StatementAnalysis): boolean {
  const functions = new Set(now.facts.functions.map(({ schema, name }) => `${schema}\0${name}`));
  if (earlier.facts.functions.some(({ schema, name }) => !functions.has(`${schema}\0${name}`))) return false;
  return namedIn(earlier) === namedIn(now);
}

function namedIn({ facts }: StatementAnalysis): string {
  const named = facts.relations.filter(({ via }) => via.length === 0);
  return JSON.stringify(named.map(({ schema, name }) => [schema, name]).sort());
}
