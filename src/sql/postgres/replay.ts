// Facts of what was said earlier: a name that may stand for any of several statements, or for one that is not known.
import type { Output, StatementFacts, VerbClass } from "../../core/facts.ts";
import { verbClasses } from "../../core/facts.ts";
import { classWith } from "./absorb.ts";
import type { Effects, StatementAnalysis } from "./analysis.ts";

/** Nothing is known of the statement: its class says so, and no scope is claimed. */
export function opaqueFacts(verb: string): StatementFacts {
  return {
    verb,
    class: "unknown",
    relations: [],
    columns: [],
    writes: [],
    functions: [],
    scoped: false,
    limit: null,
    settings: [],
    locks: [],
    external: [],
    estimate: null,
    outputs: [{ name: "*", type: "", derivation: "opaque", total: false, sources: [] }],
  };
}

/** The statement is one of these: whatever any of them does, it may do. */
export function merged(candidates: readonly StatementAnalysis[]): StatementAnalysis {
  const first = candidates[0]!;
  const facts = candidates.map((candidate) => candidate.facts);
  const aligned = candidates.every(
    (candidate) => candidate.outputsKnown && candidate.facts.outputs.length === first.facts.outputs.length,
  );
  return {
    facts: {
      verb: first.facts.verb,
      class: worst(facts.map((each) => each.class)),
      relations: facts.flatMap((each) => each.relations),
      columns: facts.flatMap((each) => each.columns),
      outputs: aligned
        ? first.facts.outputs.map((_, at) => either(facts.map((each) => each.outputs[at]!)))
        : anyOf(facts.flatMap((each) => each.outputs)),
      writes: facts.flatMap((each) => each.writes),
      functions: facts.flatMap((each) => each.functions),
      scoped: facts.every((each) => each.scoped),
      limit: null,
      settings: facts.flatMap((each) => each.settings),
      locks: facts.flatMap((each) => each.locks),
      external: [...new Set(facts.flatMap((each) => each.external))],
      estimate: null,
    },
    returnsRows: candidates.some((candidate) => candidate.returnsRows),
    outputsKnown: aligned,
    copy: first.copy,
    kept: candidates.flatMap((candidate) => candidate.kept),
    touchesTagged: candidates.some((candidate) => candidate.touchesTagged),
    effects: candidates.map((candidate) => candidate.effects).reduce(bothEffects),
    // Of what SQL prepared, the literals stand in another text, and the types of parameters are not known.
    lookups: undefined,
  };
}

/** A statement that was said earlier, run with arguments of its own: what these read and do is added, and whatever is shown may be theirs. */
export function withOwn(earlier: StatementFacts, own: StatementFacts): StatementFacts {
  const shown = own.columns.map(({ schema, table, column, tags }) => ({ schema, table, column, tags }));
  const opaque = own.functions.some((use) => use.opaque);
  return {
    ...earlier,
    verb: own.verb,
    class: classWith(earlier.class, own.class),
    relations: [...earlier.relations, ...own.relations],
    columns: [...earlier.columns, ...own.columns],
    outputs: earlier.outputs.map((output) => {
      if (shown.length === 0 && !opaque) return output;
      const derivation = opaque || output.derivation === "opaque" ? "opaque" : "expression";
      return { ...output, derivation, total: false, sources: [...output.sources, ...shown] };
    }),
    writes: [
      ...earlier.writes.map((write) => ({
        ...write,
        sources: [...write.sources, ...shown],
        opaque: write.opaque || opaque,
      })),
      ...own.writes,
    ],
    functions: [...earlier.functions, ...own.functions],
    settings: [...earlier.settings, ...own.settings],
    locks: [...earlier.locks, ...own.locks],
    external: [...new Set([...earlier.external, ...own.external])],
    scoped: earlier.scoped && own.scoped,
  };
}

function bothEffects(left: Effects, right: Effects): Effects {
  return {
    ...left,
    ...right,
    settings: left.settings || right.settings,
    catalog: left.catalog || right.catalog,
    temp: left.temp || right.temp,
    opaque: left.opaque || right.opaque,
    transaction: left.transaction ?? right.transaction,
  };
}

/** From harmless to not known. */
const ORDER: readonly VerbClass[] = [
  "session",
  "transaction",
  "read",
  "maintenance",
  "write",
  "ddl",
  "dcl",
  "code",
  "unknown",
];
function worst(classes: readonly VerbClass[]): VerbClass {
  const rank = Math.max(
    ...classes.map((each) => (verbClasses.includes(each) ? ORDER.indexOf(each) : ORDER.length - 1)),
  );
  return ORDER[rank] ?? "unknown";
}

function either(outputs: readonly Output[]): Output {
  const first = outputs[0]!;
  const same = outputs.every(
    (output) =>
      output.derivation === first.derivation &&
      output.sources.length === first.sources.length &&
      output.sources.every((source, at) => source === first.sources[at]),
  );
  return same
    ? first
    : {
        ...first,
        derivation: "opaque",
        total: false,
        sources: [...new Set(outputs.flatMap((output) => output.sources))],
      };
}

/** Results of different shapes: any column may be any of theirs. */
function anyOf(outputs: readonly Output[]): Output[] {
  if (outputs.length === 0) return [];
  const sources = [...new Set(outputs.flatMap((output) => output.sources))];
  return [{ name: "*", type: "", derivation: "opaque", total: false, sources }];
}
