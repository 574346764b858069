// What a generated expression can see, and how it may write it down.
import type { Field } from "./world.ts";

/** An entry of FROM. */
export type Item = {
  readonly name: string;
  readonly fields: readonly Field[];
  /** The name of its whole row's type; undefined where that is not a named one. */
  readonly rowType: string | undefined;
  /** Its whole row can be named. */
  readonly whole: boolean;
  /** `x` alone may mean its column. */
  readonly bare: boolean;
  /** FOR UPDATE OF may name it. */
  readonly lockable: boolean;
};

export type Named = { readonly name: string; readonly fields: readonly Field[] };

export type Scope = {
  readonly items: readonly Item[];
  readonly outer: Scope | undefined;
  readonly ctes: readonly Named[];
  /** In a grouped query: the texts that may stand outside of aggregates. */
  readonly keys?: readonly { readonly text: string; readonly type: string }[];
  readonly aggregates?: boolean;
  readonly windows?: readonly string[];
  readonly sets?: boolean;
};

export const EMPTY: Scope = { items: [], outer: undefined, ctes: [] };

/** An expression inside of which no aggregate, window function or set may stand. */
export function plainly(scope: Scope): Scope {
  const { aggregates: _, windows: __, sets: ___, ...rest } = scope;
  return rest;
}

/** For what stands inside of an aggregate: every column again. */
export function ungrouped(scope: Scope): Scope {
  const { keys: _, ...rest } = plainly(scope);
  return rest;
}

export type Query = { readonly text: string; readonly fields: readonly Field[] };
