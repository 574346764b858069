// Function calls: which functions the server may choose, and what is known of them together.
import type { Node } from "libpg-query";
import type { FunctionUse } from "../../core/facts.ts";
import { functionEffects } from "../../core/facts.ts";
import { splitName } from "../../core/qualified-name.ts";
import { acts } from "./acting.ts";
import { externalOfKnown } from "./builtins.ts";
import type { Catalog } from "./catalog.ts";
import { COMPATIBLE, elementOf, POLYMORPHIC, totalOver, TYPE_ANY } from "./coercion.ts";
import { relationNameOf, textOf, truthOf } from "./constants.ts";
import type { Column, FunctionEntry } from "./model.ts";
import { unknownFunction } from "./model.ts";
import { choose, resultType } from "./overloads.ts";
import type { Recorder } from "./recorder.ts";
import type { Value } from "./value.ts";
import { TYPE_UNKNOWN_LITERAL } from "./value.ts";

/** What the candidates of one call have in common. */
export type Call = {
  readonly entries: readonly FunctionEntry[];
  readonly uses: readonly FunctionUse[];
  readonly opaque: boolean;
  readonly aggregate: boolean;
  readonly total: boolean;
  /** The result type where all candidates agree, else 0. */
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
/** Texts can name any combination of types. */
const MEMO_LIMIT = 10_000;

/** Undefined: no such function in this catalog. `named`: arguments by name, or VARIADIC, so that their number and order say nothing. */
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
  const types = named ? undefined : args.map((arg) => arg.type);
  if (!visible.every((entry) => entry.builtin)) {
    let candidates = visible.filter((entry) => takes(entry, args.length, named));
    // VARIADIC arrays, defaults and the like: rather too many candidates than none.
    if (candidates.length === 0) candidates = [...visible];
    if (!named) candidates = narrowed(candidates, args, recorder.path);
    return summarize(catalog, candidates, types);
  }
  const known = memo.get(catalog) ?? new Map<string, Call>();
  memo.set(catalog, known);
  const key = `${schema ?? ""}.${name}/${types ?? "n"}`;
  let call = known.get(key);
  if (call === undefined) {
    call = summarize(catalog, ofServer(catalog, visible, types), types);
    if (known.size >= MEMO_LIMIT) known.clear();
    known.set(key, call);
  }
  return call;
}

function takes(entry: FunctionEntry, count: number, named: boolean): boolean {
  return named || (count >= entry.minArguments && count <= entry.maxArguments);
}

/** Of the server's own functions of one name: those that it may choose for these types. */
function ofServer(
  catalog: Catalog,
  visible: readonly FunctionEntry[],
  types: readonly number[] | undefined,
): readonly FunctionEntry[] {
  if (types === undefined) return visible;
  const candidates = visible.flatMap((entry) =>
    takes(entry, types.length, false) ? [{ entry, types: parametersFor(catalog, entry, types.length) }] : [],
  );
  if (candidates.length === 0) return visible;
  const chosen = choose(catalog, candidates, types);
  // None fits: it is no call (but a cast, or a column in functional notation), or the server refuses it.
  return (chosen.length === 0 ? candidates : chosen).map(({ entry }) => entry);
}

/** The types of as many parameters as there are arguments: defaults left out, the variadic one repeated. */
export function parametersFor(catalog: Catalog, entry: FunctionEntry, count: number): readonly number[] {
  const declared = entry.argumentTypes;
  if (entry.maxArguments !== Number.POSITIVE_INFINITY) return declared.slice(0, count);
  const fixed = declared.slice(0, -1);
  const last = declared.at(-1) ?? TYPE_ANY;
  const repeated =
    last === TYPE_ANY
      ? TYPE_ANY
      : POLYMORPHIC.has(last)
        ? COMPATIBLE.has(last)
          ? 5077
          : 2283
        : elementOf(catalog, last);
  return [...fixed.slice(0, count), ...Array.from({ length: Math.max(0, count - fixed.length) }, () => repeated)];
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

/** `types`: of the arguments, undefined where they are given by name. */
function summarize(catalog: Catalog, entries: readonly FunctionEntry[], types: readonly number[] | undefined): Call {
  const uses = new Map<string, FunctionUse>();
  const external = new Set<string>();
  const reads = new Set<Column>();
  const returns = new Set<number>();
  const users = entries.filter((entry) => !entry.builtin && entry.kind !== "window");
  const own = entries.filter((entry) => !users.includes(entry));
  for (const entry of users) for (const reached of externalOfKnown(entry.name)) external.add(reached);
  let total = users.length === 0;
  for (const entry of entries) {
    const parameters = types === undefined ? undefined : parametersFor(catalog, entry, types.length);
    total &&=
      parameters?.length === types?.length &&
      parameters !== undefined &&
      totalOver(catalog, entry.behaviour, parameters, types!);
    returns.add(resultType(catalog, entry.returns, parameters ?? [], types ?? []));
  }
  for (const entry of own) {
    const { behaviour } = entry;
    const key = `${entry.schema}.${entry.name}`;
    const before = uses.get(key);
    if (before === undefined || rank(entry.use) > rank(before)) uses.set(key, entry.use);
    for (const reached of behaviour.external) external.add(reached);
    for (const read of behaviour.reads) {
      const [relation, name] = read.split(".") as [string, string];
      const column = catalog.resolveRelation("pg_catalog", relation, [])?.column(name);
      if (column !== undefined) reads.add(column);
    }
  }
  return {
    entries,
    uses: [...uses.values()],
    opaque: own.some((entry) => entry.behaviour.opaque),
    aggregate: entries.some((entry) => entry.kind === "aggregate"),
    total,
    returns: returns.size === 1 ? [...returns][0]! : 0,
    external: [...external],
    setting: own.some((entry) => entry.behaviour.setting),
    writes: own.some((entry) => entry.behaviour.writes),
    users,
    reads: [...reads],
    builtin: entries.every((entry) => entry.builtin),
  };
}

/** Of overloads of one name the one of which least is known speaks for all. */
function rank(use: FunctionUse): number {
  const volatility = use.volatility === "volatile" ? 2 : use.volatility === "stable" ? 1 : 0;
  return (use.opaque ? 100 : 0) + functionEffects.indexOf(use.effect) * 10 + volatility;
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
  const text = access === undefined ? undefined : relationNameOf(recorder, arg);
  const parts = text === undefined || text === null ? undefined : splitName(text, true);
  const sequence = parts?.pop();
  if (access === undefined || sequence === undefined) return;
  const relation = recorder.catalog.resolveRelation(parts?.pop(), sequence, recorder.path);
  if (relation !== undefined) recorder.relation(relation, access);
}

/** Notes the call in the facts. */
export function recordCall(recorder: Recorder, call: Call, args: readonly Node[]): void {
  for (const use of call.uses) recorder.functions.add(recorder.stores && acts(use) ? { ...use, opaque: true } : use);
  for (const external of call.external) recorder.external.add(external);
  if (call.opaque) recorder.opaque = true;
  if (call.writes) recorder.raise("write");
  if (call.builtin) namedSequence(recorder, call.entries[0]!.name, args[0]);
  if (call.setting) {
    recorder.changesSettings = true;
    const setting = {
      name: textOf(recorder, args[0])?.toLowerCase() ?? "*",
      value: textOf(recorder, args[1]) ?? null,
      local: truthOf(recorder, args[2]) === true,
    };
    if (!recorder.settings.some((other) => other.name === setting.name && other.value === setting.value))
      recorder.settings.push(setting);
  }
}

/** A call of something that the catalog does not have. */
export function recordUnknownCall(recorder: Recorder, schema: string | undefined, name: string): void {
  recorder.miss("42883", `function ${schema === undefined ? "" : `${schema}.`}${name} does not exist`);
  recorder.opaque = true;
  for (const use of recorder.functions)
    if (use.kind === "unknown" && use.name === name && use.schema === (schema ?? "")) return;
  recorder.functions.add(unknownFunction(schema ?? "", name));
}
