// The rewriting of one text, in its tree and in its bytes side by side, so that the one can be held against the other.
import type { ColumnRef, CopyStmt, Node, RangeTableSample, RangeVar, SelectStmt } from "libpg-query";
import type { Catalog } from "./catalog.ts";
import { name } from "./mask-sql-build.ts";
import { type Form, INNER } from "./masked-forms.ts";
import type { Relation } from "./model.ts";
import { bodyOf, stringOf } from "./nodes.ts";
import { parse } from "./parser.ts";
import { withoutCosts } from "./plain-plan.ts";
import { formOf, type Masks, qualified } from "./substitute-forms.ts";
import { lackingGroups } from "./substitute-groups.ts";
import type { Names } from "./substitute-names.ts";
import { systemColumns } from "./substitute-system.ts";
import { type Edit, SourceText } from "./substitute-text.ts";
import { inlined, isBuiltOn } from "./substitute-views.ts";

type Holder = { [kind: string]: unknown };

const MOST_VIEWS = 16;

export class Rewriting {
  readonly forms = new Set<Form>();
  /** In whose places their definitions stand, in the last statement. */
  readonly views = new Set<Relation>();
  readonly #catalog: Catalog;
  readonly #names: Names;
  readonly #path: readonly string[];
  readonly #depth: number;
  readonly #source: SourceText;
  readonly #edits: Edit[] = [];
  /** What TABLE names: the parser makes a SELECT of it, with a star that stands nowhere. */
  readonly #commands = new Set<RangeVar>();
  /** What was put into the tree. */
  readonly #made = new Set<Holder>();
  #statement: Node = {} as Node;
  /** How many references the last statement had. */
  edits = 0;

  /** `path`: along which the names of the text are found. `depth`: how many views deep. */
  constructor(text: string, catalog: Catalog, names: Names, path: readonly string[], depth = 0) {
    this.#path = path;
    this.#depth = depth;
    this.#source = new SourceText(text);
    this.#catalog = catalog;
    this.#names = names;
  }

  /** What was put in the place of what, of all statements. */
  get changes(): readonly Edit[] {
    return this.#edits;
  }

  /** The text as it is rewritten; undefined where it could not be. */
  text(): string | undefined {
    return this.#source.edited(this.#edits);
  }

  /** Takes the costs from an EXPLAIN that was not asked for them. False: it is none, or was. */
  plain(statement: Node, location: number): boolean {
    const edit = "ExplainStmt" in statement ? withoutCosts(statement.ExplainStmt, this.#source, location) : undefined;
    if (edit !== undefined) this.#edits.push(edit);
    return edit !== undefined;
  }

  /** Rewrites one statement of the text; gives why it cannot be, if it cannot. */
  statement(statement: Node, masks: ReadonlyMap<Relation, Masks>): string | undefined {
    this.edits = 0;
    this.views.clear();
    this.#statement = statement;
    // Walked by hand: trees are deeper than the stack.
    const left: unknown[] = [statement];
    while (left.length > 0) {
      const node = left.pop();
      if (typeof node !== "object" || node === null) continue;
      if (Array.isArray(node)) {
        left.push(...node);
        continue;
      }
      const holder = node as Holder;
      const impossible = this.#node(holder, masks);
      if (impossible !== undefined) return impossible;
      if (!this.#made.has(holder)) left.push(...Object.values(holder));
    }
    return undefined;
  }

  #node(holder: Holder, masks: ReadonlyMap<Relation, Masks>): string | undefined {
    if (Array.isArray(holder.targetList)) this.#assigned(holder.targetList as Node[]);
    if ("RangeTableSample" in holder) {
      const sample = holder.RangeTableSample as RangeTableSample;
      const range =
        sample.relation !== undefined && "RangeVar" in sample.relation ? sample.relation.RangeVar : undefined;
      return range === undefined ? undefined : this.#range(holder, range, masks, sample);
    }
    if ("RangeVar" in holder) return this.#range(holder, holder.RangeVar as RangeVar, masks);
    if ("SelectStmt" in holder) return this.#select(holder.SelectStmt as SelectStmt, masks);
    if (isSetOperation(holder)) return this.#select(holder.larg, masks) ?? this.#select(holder.rarg, masks);
    if ("CopyStmt" in holder) return this.#copy(holder.CopyStmt as CopyStmt, masks);
    if ("ColumnRef" in holder) return this.#column(holder.ColumnRef as ColumnRef, masks);
    return undefined;
  }

  /** SET (a, b) = (SELECT …): the parser gives the one source that is in the text to each column. */
  #assigned(targets: readonly Node[]): void {
    let source: Node | undefined;
    for (const target of targets) {
      const value = "ResTarget" in target ? target.ResTarget.val : undefined;
      if (value === undefined || !("MultiAssignRef" in value)) continue;
      const assigned = value.MultiAssignRef;
      if ((assigned.colno ?? 1) === 1 || source === undefined) source = assigned.source;
      else {
        assigned.source = source;
        this.#made.add(value);
      }
    }
  }

  #select(stmt: SelectStmt, masks: ReadonlyMap<Relation, Masks>): string | undefined {
    const [target] = stmt.targetList ?? [];
    const [from] = stmt.fromClause ?? [];
    if (target !== undefined && "ResTarget" in target && target.ResTarget.location === -1)
      if (from !== undefined && "RangeVar" in from) this.#commands.add(from.RangeVar);
    const twice = this.#namedTwice(stmt.fromClause ?? [], masks);
    if (twice !== undefined) return `two tables in FROM are called ${twice}: give each of them an alias`;
    if (stmt.groupClause === undefined) return undefined;
    const replaced = (range: RangeVar): Relation | undefined => {
      const relation = this.#names.read(range);
      return typeof relation === "object" && masks.has(relation) ? relation : undefined;
    };
    const groups = lackingGroups(stmt, replaced, this.#names, this.#catalog);
    if (groups === undefined || typeof groups === "string") return groups;
    const item = bodyOf<{ location?: number }>(stmt.groupClause[groups.at]!);
    const start = this.#source.beforeBrackets(item.location ?? 0);
    this.#edits.push({ start, end: start, text: groups.text });
    stmt.groupClause = stmt.groupClause.toSpliced(groups.at, 0, ...groups.refs);
    return undefined;
  }

  /** Tables of two schemas may have one name in FROM without an alias; what takes the place of one may not. */
  #namedTwice(from: readonly Node[], masks: ReadonlyMap<Relation, Masks>): string | undefined {
    const left = [...from];
    const ranges: RangeVar[] = [];
    for (const node of left) {
      if ("RangeVar" in node) ranges.push(node.RangeVar);
      if ("JoinExpr" in node)
        left.push(...[node.JoinExpr.larg, node.JoinExpr.rarg].filter((side) => side !== undefined));
    }
    const nameOf = ({ alias, relname }: RangeVar): string => alias?.aliasname ?? relname ?? "";
    const isReplaced = (range: RangeVar): boolean => {
      const relation = this.#names.read(range);
      return typeof relation === "object" && (masks.has(relation) || isBuiltOn(relation, masks, this.#catalog));
    };
    const found = ranges.find(
      (range) =>
        range.alias === undefined &&
        isReplaced(range) &&
        ranges.some((other) => other !== range && nameOf(other) === nameOf(range)),
    );
    return found === undefined ? undefined : nameOf(found);
  }

  /** The form of what a node reads; undefined where nothing of it is masked. */
  #form(
    node: RangeVar | CopyStmt,
    masks: ReadonlyMap<Relation, Masks>,
  ): { relation: Relation; form: Form } | string | undefined {
    const relation = this.#names.read(node);
    if (relation === undefined) return undefined;
    if (relation === "several") return "a name in it stands for more than one relation; name the table with its schema";
    const wanted = masks.get(relation);
    if (wanted === undefined) return undefined;
    const taking = this.#names.taking(relation);
    if (taking !== undefined)
      return `a row of ${relation.qualified} is passed to the function ${taking}, which takes rows of a table; pass columns of it, or call it in a statement that uses no protected column`;
    const system = systemColumns(relation, this.#names, this.#statement);
    if (typeof system === "string") return system;
    const form = formOf(this.#catalog, relation, wanted, system);
    if ("impossible" in form) return form.impossible;
    this.forms.add(form);
    this.edits++;
    return { relation, form };
  }

  #range(
    holder: Holder,
    range: RangeVar,
    masks: ReadonlyMap<Relation, Masks>,
    sample?: RangeTableSample,
  ): string | undefined {
    const view = this.#names.read(range);
    if (typeof view === "object" && isBuiltOn(view, masks, this.#catalog))
      return this.#inline(holder, range, view, masks);
    const found = this.#form(range, masks);
    if (found === undefined || typeof found === "string") return found;
    const { relation, form } = found;
    const only = range.inh !== true;
    const table = this.#commands.has(range);
    const place = this.#source.relation(range.location ?? 0, only, table);
    const sampled = sample === undefined ? undefined : this.#source.sample(sample.location ?? 0);
    if (place === undefined || (sample !== undefined && sampled === undefined))
      return `${relation.qualified} was not found in the text`;
    const tail = sampled === undefined ? "" : ` ${this.#source.slice(sampled)}`;
    const query = `(SELECT ${form.list} FROM ${only ? "ONLY " : ""}${qualified(relation)} AS ${name(INNER)}${tail})`;
    const named = range.alias === undefined ? `${query} AS ${name(range.relname ?? "")}` : query;
    this.#edits.push({ start: place.start, end: place.end, text: table ? `SELECT * FROM ${named}` : named });
    if (sampled !== undefined) this.#edits.push({ ...sampled, text: "" });
    const inner: RangeVar = { ...innerOf(form) };
    if (only) delete inner.inh;
    const from: Node =
      sample === undefined ? { RangeVar: inner } : { RangeTableSample: { ...sample, relation: { RangeVar: inner } } };
    this.#replace(holder, { ...form.select, fromClause: [from] }, range);
    return undefined;
  }

  #inline(holder: Holder, range: RangeVar, view: Relation, masks: ReadonlyMap<Relation, Masks>): string | undefined {
    if (this.#depth >= MOST_VIEWS) return `${view.qualified} is built on too many views`;
    const made = inlined(view, masks, this.#catalog, this.#path, (text, names) => {
      return new Rewriting(text, this.#catalog, names, this.#path, this.#depth + 1);
    });
    if (typeof made === "string") return made;
    const table = this.#commands.has(range);
    const place =
      "RangeVar" in holder ? this.#source.relation(range.location ?? 0, range.inh !== true, table) : undefined;
    if (place === undefined) return `${view.qualified} was not found in the text`;
    for (const form of made.forms) this.forms.add(form);
    for (const each of [view, ...made.views]) this.views.add(each);
    this.edits++;
    const query = `(${made.query})`;
    const named = range.alias === undefined ? `${query} AS ${name(range.relname ?? "")}` : query;
    this.#edits.push({ start: place.start, end: place.end, text: table ? `SELECT * FROM ${named}` : named });
    this.#replace(holder, made.select, range);
    return undefined;
  }

  #replace(holder: Holder, select: SelectStmt, range: RangeVar): void {
    const alias = range.alias ?? { aliasname: range.relname ?? "" };
    for (const member of Object.keys(holder)) delete holder[member];
    this.#made.add(holder);
    holder.RangeSubselect = { subquery: { SelectStmt: select }, alias };
  }

  /** COPY t (a, b) TO copies what SELECT a, b FROM ONLY t gives; without a list all but generated columns. */
  #copy(body: CopyStmt, masks: ReadonlyMap<Relation, Masks>): string | undefined {
    const found = this.#form(body, masks);
    if (found === undefined || typeof found === "string") return found;
    const { relation, form } = found;
    if (relation.kind !== "table" && relation.kind !== "materialized_view")
      return `COPY of ${relation.qualified} itself: copy a query of it, COPY (SELECT …) TO …`;
    const place = this.#source.listed(body.relation?.location ?? 0, body.attlist !== undefined);
    if (place === undefined) return `${relation.qualified} was not found in the text`;
    const columns =
      body.attlist?.map((node) => stringOf(node) ?? "") ??
      relation.columns.filter(({ attnum }) => !relation.generated.has(attnum)).map((column) => column.name);
    const list = columns.map((column) => `${name(INNER)}.${name(column)}`).join(", ");
    const inner = `(SELECT ${form.list} FROM ONLY ${qualified(relation)} AS ${name(INNER)})`;
    const query = `SELECT ${list} FROM ${inner} AS ${name(INNER)}`;
    this.#edits.push({ ...place, text: `(${query})` });
    body.query = parse(query).stmts?.[0]?.stmt as { SelectStmt: SelectStmt };
    delete body.relation;
    delete body.attlist;
    return undefined;
  }

  /** A sub-select has no schema by which its columns could be called. */
  #column(body: ColumnRef, masks: ReadonlyMap<Relation, Masks>): string | undefined {
    const qualifier = body.fields === undefined ? undefined : this.#names.qualifiedBy(body.fields);
    if (qualifier === undefined || !masks.has(qualifier.relation)) return undefined;
    const extra = body.fields!.length - 2;
    const place = this.#source.qualifiers(body.location ?? 0, extra);
    const { relation, bare } = qualifier;
    if (!bare || place === undefined)
      return `a column is named by its schema (${relation.qualified}); give the table an alias, and name its columns by that`;
    this.#edits.push({ ...place, text: "" });
    body.fields = body.fields!.slice(extra);
    return undefined;
  }
}

/** Its arms are queries with no node around them. */
function isSetOperation(holder: Holder): holder is { larg: SelectStmt; rarg: SelectStmt } {
  return holder.op !== undefined && holder.larg !== undefined && holder.rarg !== undefined;
}

function innerOf(form: Form): RangeVar {
  const from = form.select.fromClause?.[0];
  return from !== undefined && "RangeVar" in from ? from.RangeVar : {};
}
