// Where values are written to: one flow for each target, with every column that what is written depends on.
import type { Write } from "../../core/facts.ts";
import type { Column } from "./model.ts";
import type { Value } from "./value.ts";
import { CONSTANT } from "./value.ts";

/** A target that is no column of a table: what it is called, as facts name it. */
export type Target = {
  readonly target: Exclude<Write["target"], "column">;
  readonly schema?: string;
  readonly table?: string;
  /** "" where the name is computed. */
  readonly column?: string;
};

type Flow = { readonly to: Omit<Write, "sources" | "opaque">; readonly sources: Set<Column>; opaque: boolean };

export class Flows {
  readonly #columns = new Map<Column, Flow>();
  readonly #others = new Map<string, Flow>();

  column(column: Column, value: Value): void {
    let flow = this.#columns.get(column);
    if (flow === undefined) {
      const { schema, table, column: name } = column.source;
      flow = { to: { target: "column", schema, table, column: name }, sources: new Set(), opaque: false };
      this.#columns.set(column, flow);
    }
    add(flow, value);
  }

  other({ target, schema = "", table = "", column = "" }: Target, value: Value): void {
    const key = JSON.stringify([target, schema, table, column]);
    let flow = this.#others.get(key);
    if (flow === undefined) {
      flow = { to: { target, schema, table, column }, sources: new Set(), opaque: false };
      this.#others.set(key, flow);
    }
    add(flow, value);
  }

  /** Each column, and each other target, with what is written to it. */
  each(column: (to: Column, value: Value) => void, other: (to: Target, value: Value) => void): void {
    for (const [to, flow] of this.#columns) column(to, valueIn(flow));
    for (const { to, ...flow } of this.#others.values()) other(to as Target, valueIn(flow));
  }

  takeOver(other: Flows): void {
    for (const [column, flow] of other.#columns) this.column(column, valueIn(flow));
    for (const { to, ...flow } of other.#others.values()) this.other(to as Target, valueIn(flow));
  }

  facts(): Write[] {
    return [...this.#columns.values(), ...this.#others.values()].map(({ to, sources, opaque }) => ({
      ...to,
      sources: [...sources].map((from) => from.source),
      opaque,
    }));
  }
}

function valueIn({ sources, opaque }: Pick<Flow, "sources" | "opaque">): Value {
  return { ...CONSTANT, sources: [...sources], derivation: opaque ? "opaque" : "expression" };
}

function add(flow: Flow, value: Value): void {
  for (const source of value.sources) flow.sources.add(source);
  if (value.derivation === "opaque") flow.opaque = true;
}
