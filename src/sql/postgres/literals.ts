// The values of literals while a shape is analysed: each that is read is noticed, since the facts then hold for that value only.

type Reading = { readonly literals: readonly string[]; readonly read: Set<number> };

/** What is being analysed now; analyses do not wait for anything, so there is one at a time (views and bodies within it have no holes). */
let current: Reading | undefined;

/** Runs an analysis of a tree whose literals are holes. `read`: the places of those whose value it looked at. */
export function withLiterals<T>(
  literals: readonly string[],
  analyse: () => T,
): { result: T; read: ReadonlySet<number> } {
  const outer = current;
  const own: Reading = { literals, read: new Set() };
  current = own;
  try {
    return { result: analyse(), read: own.read };
  } finally {
    current = outer;
  }
}

/** The value of a literal in a tree, whether it stands there or is a hole. */
export function literalValue<T extends string | number>(value: T): T {
  if (typeof value !== "string" || value.charCodeAt(0) !== 0) return value;
  const at = Number(value.slice(1));
  const literal = current?.literals[at];
  if (current === undefined || literal === undefined) throw new Error("a literal was read outside of its analysis");
  current.read.add(at);
  return JSON.parse(literal) as T;
}
