// Operators: which function runs, of which type the result is, and whether it can fail on a value.
import type { Catalog, Operator } from "./catalog.ts";
import { POLYMORPHIC, totalOver } from "./coercion.ts";
import { choose, resultType } from "./overloads.ts";
import type { Recorder } from "./recorder.ts";
import { TYPE_UNKNOWN_LITERAL } from "./value.ts";

export type Operation = {
  /** 0: not known. */
  readonly type: number;
  readonly total: boolean;
  /** The type that the left operand is turned into. 0: not known. */
  readonly left: number;
};
const NOT_KNOWN: Operation = Object.freeze({ type: 0, total: false, left: 0 });

const memo = new WeakMap<Catalog, Map<string, Operation>>();
const MEMO_LIMIT = 10_000;

/** `left` 0 in a position: its type is not known; `left` undefined: a prefix operator. (oper and left_oper in parse_oper.c) */
export function operationOf(
  recorder: Recorder,
  schema: string | undefined,
  name: string,
  left: number | undefined,
  right: number,
): Operation {
  const { catalog, path } = recorder;
  const named = catalog.operatorsNamed(schema, name, path);
  const onlyBuiltin = named.every((operator) => operator.schema === "pg_catalog");
  if (!onlyBuiltin) return resolve(catalog, named, left, right);
  const known = memo.get(catalog) ?? new Map<string, Operation>();
  memo.set(catalog, known);
  const key = `${name} ${left ?? "-"} ${right}`;
  let operation = known.get(key);
  if (operation === undefined) {
    operation = resolve(catalog, named, left, right);
    if (known.size >= MEMO_LIMIT) known.clear();
    known.set(key, operation);
  }
  return operation;
}

type Named = readonly Operator[];
type OperatorCandidate = { readonly types: readonly number[]; readonly operator: Operator };

/**
 * Operators that the server may choose of these, which stand in the order of the path: of two for the same types it knows the first one.
 * Empty: it has none.
 */
export function chosenOf(
  catalog: Catalog,
  named: Named,
  left: number | undefined,
  right: number,
): readonly OperatorCandidate[] {
  const candidates = new Map<string, OperatorCandidate>();
  for (const operator of named) {
    if ((operator.left === 0) !== (left === undefined) || operator.right === 0) continue;
    const types = left === undefined ? [operator.right] : [operator.left, operator.right];
    const key = types.join();
    if (!candidates.has(key)) candidates.set(key, { types, operator });
  }
  const args = left === undefined ? [right] : [left, right];
  const all = [...candidates.values()];
  return exactFor(catalog, all, args) ?? choose(catalog, all, args);
}

function resolve(catalog: Catalog, named: Named, left: number | undefined, right: number): Operation {
  const args = left === undefined ? [right] : [left, right];
  const chosen = chosenOf(catalog, named, left, right);
  if (chosen.length === 0) return NOT_KNOWN;
  const types = new Set(chosen.map(({ operator, types }) => resultType(catalog, operator.result, types, args)));
  const total = chosen.every(({ types, operator }) => {
    const entry = catalog.functionByOid(operator.code);
    return entry !== undefined && totalOver(catalog, entry.behaviour, types, args);
  });
  const lefts = new Set(
    chosen.map(({ types: [own] }) => (own === undefined || POLYMORPHIC.has(own) ? (left ?? 0) : own)),
  );
  return { type: only(types), total, left: only(lefts) };
}

function only(types: ReadonlySet<number>): number {
  return types.size === 1 ? [...types][0]! : 0;
}

/** binary_oper_exact: a literal is first taken for one of the other side's type. */
function exactFor<T extends { readonly types: readonly number[] }>(
  catalog: Catalog,
  candidates: readonly T[],
  args: readonly number[],
): readonly T[] | undefined {
  const [left, right] = args;
  if (right === undefined || (left !== TYPE_UNKNOWN_LITERAL && right !== TYPE_UNKNOWN_LITERAL)) return undefined;
  const type = left === TYPE_UNKNOWN_LITERAL ? right : left!;
  if (type === 0) return undefined;
  for (const both of [type, catalog.baseType(type)]) {
    const found = candidates.find((candidate) => candidate.types.every((own) => own === both));
    if (found !== undefined) return [found];
  }
  return undefined;
}
