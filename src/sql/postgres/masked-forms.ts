// The sub-selects that the gate itself put in the place of a table, known again by their whole tree.
import type { Node, RangeSubselect, RangeTableSample, RangeVar, SelectStmt } from "libpg-query";
import type { Source } from "../../core/facts.ts";
import type { Catalog } from "./catalog.ts";
import { Column, type Relation, tagsOfRelation } from "./model.ts";
import type { Recorder } from "./recorder.ts";
import { sameTree } from "./same-tree.ts";
import { MASKED_TAG } from "./tags.ts";
import type { Member } from "./value.ts";
import { derived } from "./value.ts";
import type { ViewLineage } from "./views.ts";

const MASKED_TAGS: readonly string[] = Object.freeze([MASKED_TAG]);

export function isMasked({ tags }: Pick<Source, "tags">): boolean {
  return tags.length === 1 && tags[0] === MASKED_TAG;
}

/** `SELECT columns FROM relation AS t`, some of the columns masked. */
export type Form = {
  /** The relation for which it was made, and the columns that it had. */
  readonly oid: number;
  readonly columns: string;
  /** System columns that stand behind them, under their own names. */
  readonly system: readonly string[];
  /** The names of the masked ones. */
  readonly masked: ReadonlySet<string>;
  /** The list of its columns, as text. */
  readonly list: string;
  /** As it is parsed. */
  readonly select: SelectStmt;
  /** A digest of all that. */
  readonly key: string;
};

/** The name of the relation inside of a form. */
export const INNER = "t";

/** A sub-select that is one of the forms. */
export type MaskedRelation = {
  readonly relation: Relation;
  readonly members: readonly Member[];
  readonly hidden: ReadonlySet<string>;
  readonly only: boolean;
  readonly sample: RangeTableSample | undefined;
};

const signatures = new WeakMap<Relation, string>();

/**
 * The forms of one rewritten text. Nothing else counts as masked: a sub-select is one of them only if its whole tree, literals included, is
 * the same, and its table is, in the catalog of the analysis, the very one (by OID, with the same columns) for which the form was made.
 */
export class MaskedForms {
  /** Two with the same key know the same forms. */
  readonly key: string;
  readonly #forms = new Map<number, readonly Form[]>();
  readonly #members = new WeakMap<Relation, Map<Form, readonly Member[]>>();

  constructor(forms: Iterable<Form>) {
    const distinct = new Map([...forms].map((form) => [form.key, form]));
    this.key = [...distinct.keys()].sort().join("");
    for (const form of distinct.values()) this.#forms.set(form.oid, [...(this.#forms.get(form.oid) ?? []), form]);
  }

  /** Undefined where the sub-select is none of the forms. */
  in(recorder: Recorder, { lateral, subquery }: RangeSubselect): MaskedRelation | undefined {
    if (lateral === true || subquery === undefined || !("SelectStmt" in subquery)) return undefined;
    const select = subquery.SelectStmt;
    if (select.fromClause?.length !== 1) return undefined;
    const from = select.fromClause[0]!;
    const sample = "RangeTableSample" in from ? from.RangeTableSample : undefined;
    const range = rangeOf(sample === undefined ? from : sample.relation);
    if (range?.schemaname === undefined || range.catalogname !== undefined) return undefined;
    const relation = recorder.catalog.resolveRelation(range.schemaname, range.relname ?? "", recorder.path);
    if (relation === undefined) return undefined;
    for (const form of this.#forms.get(relation.oid) ?? []) {
      if (form.columns !== this.#columns(relation, recorder.catalog) || !isForm(select, range, form)) continue;
      const members = this.#membersOf(relation, form, recorder.catalog);
      return { relation, members, hidden: form.masked, only: range.inh !== true, sample };
    }
    return undefined;
  }

  #columns(relation: Relation, catalog: Catalog): string {
    let columns = signatures.get(relation);
    if (columns === undefined) {
      columns = columnsOf(relation, catalog);
      signatures.set(relation, columns);
    }
    return columns;
  }

  #membersOf(relation: Relation, form: Form, catalog: Catalog): readonly Member[] {
    let known = this.#members.get(relation);
    if (known === undefined) {
      known = new Map();
      this.#members.set(relation, known);
    }
    let members = known.get(form);
    if (members === undefined) {
      members = relation.columns.map((column): Member => {
        if (!form.masked.has(column.name)) return { name: column.name, value: column.value };
        const { attnum, name, modifier } = column;
        const { collation } = column.value;
        const type = shownType(catalog, column.type);
        const masked = new Column(
          relation,
          { attnum, name, type, modifier, ...(collation === undefined ? {} : { collation }) },
          MASKED_TAGS,
        );
        return { name, value: derived(masked.value, type, true) };
      });
      const system = form.system.flatMap((name): Member[] => {
        const value = relation.column(name)?.value;
        return value === undefined ? [] : [{ name, value }];
      });
      members = [...members, ...system];
      known.set(form, members);
    }
    return members;
  }
}

function rangeOf(node: Node | undefined): RangeVar | undefined {
  return node !== undefined && "RangeVar" in node ? node.RangeVar : undefined;
}

function isForm(select: SelectStmt, range: RangeVar, form: Form): boolean {
  const { fromClause: _, ...own } = form.select;
  const { fromClause: __, ...given } = select;
  if (range.alias?.aliasname !== INNER || range.alias.colnames !== undefined) return false;
  return given.targetList?.length === own.targetList?.length && sameTree(given, own);
}

/** Anyarray and its like are the types of columns of the server's own only: nothing can be cast to them. */
export function shownType(catalog: Catalog, type: number): number {
  const base = catalog.baseType(type);
  return catalog.type(base)?.kind === "p" ? TYPE_TEXT : base;
}
const TYPE_TEXT = 25;

/** Everything about a relation's columns that a form depends on. */
export function columnsOf(relation: Relation, catalog: Catalog): string {
  return JSON.stringify(
    relation.rows().map(({ attnum, name, type, modifier }) => [attnum, name, type, catalog.baseType(type), modifier]),
  );
}

/** The tags of a relation of whose columns some are masked. */
export function tagsBeside(relation: Relation, masked: ReadonlySet<string>): readonly string[] {
  return tagsOfRelation(relation.columns.map((column) => (masked.has(column.name) ? MASKED_TAGS : column.source.tags)));
}

/** Of the relations that a view reads: the columns that show in none of its columns but hidden ones. */
export function hiddenBehind(
  relation: Relation,
  view: ViewLineage,
  hidden: ReadonlySet<string>,
): (behind: Relation) => ReadonlySet<string> {
  const seen = new Set(view.uses.keys());
  relation.columns.forEach((column, at) => {
    if (!hidden.has(column.name)) for (const source of view.values[at]?.sources ?? []) seen.add(source);
  });
  return (behind) => new Set(behind.columns.filter((column) => !seen.has(column)).map((column) => column.name));
}
