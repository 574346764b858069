// What was recorded of a statement, as facts.
import type { ColumnUse, FunctionUse, Output, StatementFacts } from "../../core/facts.ts";
import { functionEffects } from "../../core/facts.ts";
import { NO_TAGS } from "./model.ts";
import type { Recorder, Result } from "./recorder.ts";
import { useNames } from "./uses.ts";
import type { Value } from "./value.ts";
import { TYPE_TEXT, TYPE_UNKNOWN_LITERAL } from "./value.ts";

export function factsOf(recorder: Recorder, verb: string, outputs: readonly Output[]): StatementFacts {
  return {
    verb,
    class: recorder.class,
    relations: recorder.relations.facts(),
    columns: columnFacts(recorder),
    outputs,
    writes: recorder.flows?.facts() ?? [],
    functions: recorder.functions.size < 2 ? [...recorder.functions] : distinctFunctions(recorder.functions),
    scoped: recorder.scoped && !(recorder.fixedByStable && maySet(recorder)),
    limit: recorder.limit,
    settings: recorder.settings.map((setting) => ({
      ...setting,
      own: recorder.catalog.isOwnSetting(setting.name.toLowerCase()),
    })),
    locks: recorder.locks,
    external: recorder.external.size === 0 ? [] : [...recorder.external].sort(),
    estimate: null,
  };
}

function maySet({ settings, changesSettings, opaque }: Recorder): boolean {
  return settings.length > 0 || changesSettings || opaque;
}

function columnFacts(recorder: Recorder): ColumnUse[] {
  const facts: ColumnUse[] = [];
  for (const [column, bits] of recorder.uses) {
    const { schema, table, column: name, tags } = column.source;
    const operators = recorder.operators.get(column);
    facts.push({
      schema,
      table,
      column: name,
      tags,
      uses: useNames(bits),
      operators: operators === undefined ? NO_TAGS : [...operators],
    });
  }
  return facts;
}

/**
 * The columns of a result. Where there may be others, one opaque output, which may be anything the statement uses, stands for them and for what
 * comes behind them: at which place that is, only the server knows.
 */
export function outputsOf(recorder: Recorder, result: Result): Output[] {
  const placed = result.open ? result.members.slice(0, result.placed ?? 0) : result.members;
  const outputs = placed.map((member) => outputFact(recorder, member.name, member.value));
  if (result.open)
    outputs.push({
      name: "*",
      type: "",
      derivation: "opaque",
      total: false,
      sources: [...new Set([...(result.rest?.sources ?? []), ...recorder.uses.keys()])].map((column) => column.source),
    });
  return outputs;
}

function outputFact(recorder: Recorder, name: string, value: Value): Output {
  recorder.spend(value.sources.length);
  return {
    name,
    // A literal that nothing gave another type is text.
    type: recorder.catalog.typeName(value.type === TYPE_UNKNOWN_LITERAL ? TYPE_TEXT : value.type),
    derivation: value.derivation,
    total: value.total,
    sources: value.sources.map((column) => column.source),
  };
}

/** The less is known of what a function does, the less. */
function known(use: FunctionUse): number {
  return (use.opaque ? -10 : 0) - functionEffects.indexOf(use.effect);
}

/** Overloads of one name are one function for the policy: the one of which least is known. */
function distinctFunctions(uses: Iterable<FunctionUse>): FunctionUse[] {
  const distinct = new Map<string, FunctionUse>();
  for (const use of uses) {
    const key = `${use.schema}.${use.name}`;
    const other = distinct.get(key);
    if (other === undefined || known(use) < known(other)) distinct.set(key, use);
  }
  return [...distinct.values()];
}
