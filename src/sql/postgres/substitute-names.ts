// What the names in a text stand for, gathered for its rewriting while it is judged.
import type { CopyStmt, Node, RangeVar } from "libpg-query";
import type { Catalog } from "./catalog.ts";
import type { Column, FunctionEntry, Relation } from "./model.ts";
import type { Reads } from "./reads.ts";
import type { Value } from "./value.ts";

/** Several: a statement that is prepared and executed under different names. */
type Read = Relation | "several";

export class Names implements Reads {
  readonly #catalog: Catalog;
  readonly #relations = new Map<RangeVar | CopyStmt, Read>();
  readonly #qualified = new Map<readonly Node[], { readonly relation: Relation; readonly bare: boolean }>();
  readonly #columns = new Map<readonly Node[], Column>();
  readonly #system = new Map<Relation, Set<string>>();
  readonly #whole = new Set<Relation>();
  readonly #passed = new Map<Relation, string>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  relation(range: RangeVar, relation: Relation): void {
    this.#note(range, relation);
  }

  copied(body: CopyStmt, relation: Relation): void {
    this.#note(body, relation);
  }

  #note(node: RangeVar | CopyStmt, relation: Relation): void {
    const before = this.#relations.get(node);
    this.#relations.set(node, before === undefined || before === relation ? relation : "several");
  }

  qualified(fields: readonly Node[], relation: Relation, bare: boolean): void {
    this.#qualified.set(fields, { relation, bare: bare && this.#qualified.get(fields)?.bare !== false });
  }

  named(fields: readonly Node[], value: Value): void {
    const column = value.sources[0];
    // A bare column of a relation has one value object in its catalog.
    if (column?.value !== value) return;
    this.#columns.set(fields, column);
    if (column.attnum >= 0) return;
    const system = this.#system.get(column.relation) ?? new Set();
    this.#system.set(column.relation, system.add(column.name));
  }

  whole(relation: Relation): void {
    this.#whole.add(relation);
  }

  passed(entries: readonly FunctionEntry[], args: readonly Value[]): void {
    for (const { type } of args) {
      const relation = type === 0 ? undefined : this.#catalog.relationByRowType(type);
      if (relation === undefined) continue;
      const taking = entries.find((entry) =>
        entry.argumentTypes.some((each) => this.#catalog.relationByRowType(each) !== undefined),
      );
      if (taking !== undefined) this.#passed.set(relation, taking.name);
    }
  }

  /** What a node of the text that reads a relation reads. */
  read(node: RangeVar | CopyStmt): Read | undefined {
    return this.#relations.get(node);
  }

  /** Of `schema.table.column`. */
  qualifiedBy(fields: readonly Node[]): { readonly relation: Relation; readonly bare: boolean } | undefined {
    return this.#qualified.get(fields);
  }

  /** The column that a name stands for, if it is a bare one. */
  column(fields: readonly Node[]): Column | undefined {
    return this.#columns.get(fields);
  }

  /** The system columns of the relation that are named. */
  systemOf(relation: Relation): readonly string[] {
    return [...(this.#system.get(relation) ?? [])].sort();
  }

  /** Is there a `*` over the relation, or its whole row? */
  isWhole(relation: Relation): boolean {
    return this.#whole.has(relation);
  }

  /** The name of a function that takes rows of the relation as what they are. */
  taking(relation: Relation): string | undefined {
    return this.#passed.get(relation);
  }
}
