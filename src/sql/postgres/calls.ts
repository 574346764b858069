// Function calls: which functions the server may choose, and what is known of them together.
import type { Node } from "libpg-query";
import type { FunctionUse } from "../../core/facts.ts";
import { externalOfKnown, isTotalFunction } from "./builtins.ts";
import type { Catalog } from "./catalog.ts";
import type { Column, FunctionEntry } from "./model.ts";
import { unknownFunction } from "./model.ts";
import { constantOf } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";
import { splitName } from "./tags.ts";
import type { Value } from "./value.ts";
import { TYPE_UNKNOWN_LITERAL } from "./value.ts";

/** What the candidates of one call have in common. */
export type Call = {
  readonly entries: readonly FunctionEntry[];
  readonly uses: readonly FunctionUse[];
  readonly opaque: boolean;
  readonly aggregate: boolean;
  readonly total: boolean;
  /** The result type where all candidates agree and it does not depend on the arguments, else 0. */
  readonly returns: number;
  readonly external: readonly string[];
  readonly setting: boolean;
  readonly writes: boolean;
  /** Columns of catalogs whose values it shows. */
  readonly reads: readonly Column[];
  /** Those of users: what they do is said by their bodies, not by the members above. */
  readonly users: readonly FunctionEntry[];
  readonly builtin: boolean;
};

const memo = new WeakMap<Catalog, Map<string, Call>>();

/** Undefined: no such function in this catalog. */
export function findCall(
  recorder: Recorder,
  schema: string | undefined,
  name: string,
  args: readonly Value[],
  named: boolean,
): Call | undefined {
  const catalog = recorder.catalog;
  const visible = catalog.functions(schema, name, recorder.path);
  if (visible.length === 0) return undefined;
  const count = args.length;
  const onlyBuiltin = visible.every((entry) => entry.builtin);
  let known: Map<string, Call> | undefined;
  let key = "";
  if (onlyBuiltin) {
    known = memo.get(catalog) ?? new Map<string, Call>();
    memo.set(catalog, known);
    key = `${schema ?? ""}.${name}/${named ? "n" : count}`;
    const call = known.get(key);
    if (call !== undefined) return call;
  }
  let candidates = visible.filter((entry) => named || (count >= entry.minArguments && count <= entry.maxArguments));
  // VARIADIC arrays, defaults and the like: rather too many candidates than none.
  if (candidates.length === 0) candidates = [...visible];
  if (!onlyBuiltin && !named) candidates = narrowed(candidates, args, recorder.path);
  const call = summarize(catalog, candidates);
  known?.set(key, call);
  return call;
}

/**
 * An exact match of all argument types wins over everything else; of several the one in the first schema of the path. Only then is a
 * user's function of the same name ruled out.
 */
function narrowed(
  candidates: readonly FunctionEntry[],
  args: readonly Value[],
  path: readonly string[],
): FunctionEntry[] {
  if (args.every((arg) => arg.type !== 0 && arg.type !== TYPE_UNKNOWN_LITERAL)) {
    const exact = candidates.filter(
      (entry) =>
        entry.argumentTypes.length === args.length && entry.argumentTypes.every((type, at) => type === args[at]!.type),
    );
    if (exact.length > 0) {
      exact.sort((left, right) => path.indexOf(left.schema) - path.indexOf(right.schema));
      return [exact[0]!];
    }
  }
  return [...candidates];
}

function summarize(catalog: Catalog, entries: readonly FunctionEntry[]): Call {
  const uses = new Map<string, FunctionUse>();
  const external = new Set<string>();
  const reads = new Set<Column>();
  let opaque = false;
  let aggregate = false;
  let setting = false;
  let writes = false;
  let builtin = true;
  const users = entries.filter((entry) => !entry.builtin && entry.kind !== "window");
  for (const entry of entries) {
    if (entry.kind === "aggregate") aggregate = true;
    if (!entry.builtin) builtin = false;
    if (users.includes(entry)) {
      for (const reached of externalOfKnown(entry.name)) external.add(reached);
      continue;
    }
    const behaviour = catalog.behaviour(entry);
    const key = `${entry.schema}.${entry.name}`;
    const before = uses.get(key);
    if (before === undefined || rank(entry.use) > rank(before)) uses.set(key, entry.use);
    if (behaviour.opaque === true) opaque = true;
    if (behaviour.setting === true) setting = true;
    if (behaviour.writes === true) writes = true;
    for (const reached of behaviour.external ?? []) external.add(reached);
    for (const read of behaviour.reads ?? []) {
      const [relation, name] = read.split(".") as [string, string];
      const column = catalog.resolveRelation("pg_catalog", relation, [])?.column(name);
      if (column !== undefined) reads.add(column);
    }
  }
  const returns = entries[0]!.returns;
  return {
    entries,
    uses: [...uses.values()],
    opaque,
    aggregate,
    total: builtin && isTotalFunction(entries[0]!.name),
    returns: entries.every((entry) => entry.returns === returns) && catalog.type(returns)?.kind !== "p" ? returns : 0,
    external: [...external],
    setting,
    writes,
    users,
    reads: [...reads],
    builtin,
  };
}

function rank(use: FunctionUse): number {
  return (use.opaque ? 10 : 0) + (use.volatility === "volatile" ? 2 : use.volatility === "stable" ? 1 : 0);
}

/** Functions whose first argument names a sequence, and what they do to it. */
const SEQUENCE_FUNCTIONS = new Map([
  ["nextval", "update"],
  ["setval", "update"],
  ["currval", "select"],
  ["pg_sequence_last_value", "select"],
]);

/** A sequence that is named by a constant is a relation of the statement. */
function namedSequence(recorder: Recorder, name: string, arg: Node | undefined): void {
  const access = SEQUENCE_FUNCTIONS.get(name);
  const text = access === undefined ? undefined : constantOf(arg);
  const parts = text === undefined || text === null ? undefined : splitName(text, true);
  const sequence = parts?.pop();
  if (access === undefined || sequence === undefined) return;
  const relation = recorder.catalog.resolveRelation(parts?.pop(), sequence, recorder.path);
  if (relation !== undefined) recorder.relation(relation, access);
}

/** Notes the call in the facts. */
export function recordCall(recorder: Recorder, call: Call, args: readonly Node[]): void {
  for (const use of call.uses) recorder.functions.add(use);
  for (const external of call.external) recorder.external.add(external);
  if (call.opaque) recorder.opaque = true;
  if (call.writes) recorder.raise("write");
  if (call.builtin) namedSequence(recorder, call.entries[0]!.name, args[0]);
  if (call.setting) {
    recorder.changesSettings = true;
    const [name, value, local] = args.map(constantOf);
    const setting = {
      name: name?.toLowerCase() ?? "*",
      value: value ?? null,
      local: local !== undefined && isTrue(local),
    };
    if (!recorder.settings.some((other) => other.name === setting.name && other.value === setting.value))
      recorder.settings.push(setting);
  }
}

function isTrue(text: string | null): boolean {
  return text !== null && /^(t|true|on|yes|y|1)$/i.test(text);
}

/** A call of something that the catalog does not have. */
export function recordUnknownCall(recorder: Recorder, schema: string | undefined, name: string): void {
  recorder.unresolved = true;
  recorder.opaque = true;
  for (const use of recorder.functions)
    if (use.kind === "unknown" && use.name === name && use.schema === (schema ?? "")) return;
  recorder.functions.add(unknownFunction(schema ?? "", name));
}
