// The names that an expression can see: FROM items, outer queries and common table expressions, by PostgreSQL's rules of visibility.
import type { Node } from "libpg-query";
import type { Column, Relation } from "./model.ts";
import { stringOf } from "./nodes.ts";
import { keysBelow } from "./partition-keys.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import { derivedFields } from "./rows.ts";
import type { Member, Value } from "./value.ts";
import { asWholeRow, combine, derived, eitherOf, OPAQUE, TYPE_TEXT, TYPE_UNKNOWN_LITERAL } from "./value.ts";

/** One entry of a namespace (parse_relation.c, ParseNamespaceItem). */
export type Item = {
  readonly name: string | undefined;
  readonly members: readonly Member[];
  /** The relation that it stands for; `aliased` hides the relation's own name. */
  readonly relation: Relation | undefined;
  readonly aliased: boolean;
  /** It may have columns that only the server knows. */
  readonly open: boolean;
  /** `name.x` may refer to it. */
  readonly named: boolean;
  /** `x` and `*` may refer to it. */
  readonly columnsVisible: boolean;
  /** Its whole row, when that is not simply its members. */
  readonly whole?: Value;
  /** What the columns that only the server knows may depend on. */
  readonly rest?: Value;
  /** The names of its columns before they were given others. */
  readonly typeNames?: readonly string[];
  /** The relation whose rows it has, one by one, under other names or with masked columns. */
  readonly rows?: Relation;
};

/** A common table expression. `result` is provisional while a recursive one is being resolved. */
export type Cte = {
  readonly name: string;
  result: Result | undefined;
  resolve: (() => void) | undefined;
  referred: boolean;
  /** As it is written; undefined for one that may be recursive. */
  readonly query: Node | undefined;
  /** Which columns decide what rows it has, or are read for it in any other way. */
  consumed: readonly Column[];
  /** The scope around the query that WITH belongs to. */
  readonly parent: Scope | undefined;
  /** How many columns SEARCH and CYCLE append: `*` stands for them in that query alone, not in what is below it. */
  appended: number;
};
/** Innermost first. */
export type CteList = { readonly cte: Cte; readonly next: CteList } | undefined;

export class Scope {
  readonly parent: Scope | undefined;
  readonly items: readonly Item[];
  readonly ctes: CteList;
  /** Named windows: what they depend on. */
  windows: Map<string, Value> | undefined;

  constructor(parent: Scope | undefined, items: readonly Item[], ctes: CteList) {
    this.parent = parent;
    this.items = items;
    this.ctes = ctes;
  }
}

export function relationItem(relation: Relation, alias: string | undefined, columnAliases: readonly string[]): Item {
  const members = relation.wholeRow.row!;
  return {
    name: alias ?? relation.name,
    members: columnAliases.length === 0 ? members : renamed(members, columnAliases),
    relation,
    aliased: alias !== undefined,
    open: false,
    named: true,
    columnsVisible: true,
  };
}

export function derivedItem(name: string | undefined, result: Result, columnAliases: readonly string[]): Item {
  return {
    name,
    members: columnAliases.length === 0 ? result.members : renamedColumns(result, columnAliases).members,
    relation: undefined,
    aliased: true,
    open: result.open,
    named: name !== undefined,
    columnsVisible: true,
    ...restOf(result.rest),
  };
}

function restOf(rest: Value | undefined): { rest?: Value } {
  return rest === undefined ? {} : { rest };
}

/** What the unknown columns of any of these may depend on; undefined where none has any. */
export function restOfAll(parts: readonly { open: boolean; rest?: Value; whole?: Value }[]): { rest?: Value } {
  const values = parts.flatMap((part) =>
    part.open ? [part.rest ?? part.whole].filter((rest) => rest !== undefined) : [],
  );
  return values.length === 0 ? {} : { rest: unsure(values) };
}

/** Any column of a result: its unknown ones may stand between the others, so that positions tell nothing. */
export function anyColumn(result: Pick<Result, "members" | "rest">): Value {
  return unsure([...result.members.map((member) => member.value), ...(result.rest === undefined ? [] : [result.rest])]);
}

/** Other names for the first columns. */
export function renamedColumns(result: Result, names: readonly string[]): Result {
  if (!result.open) return { ...result, members: renamed(result.members, names) };
  const value = anyColumn(result);
  const all = new Set([...names, ...result.members.map((member) => member.name)]);
  return { members: [...all].map((name) => ({ name, value })), open: true, rest: value };
}

export function renamed(members: readonly Member[], names: readonly string[]): readonly Member[] {
  return members.map((member, at) => (at < names.length ? { ...member, name: names[at]! } : member));
}

/**
 * A sub-select's output is a column for the query around it: the fields of a row in it are not bare columns any more, and a literal that
 * nothing gave another type is text.
 */
export function asColumns(result: Result): Result {
  if (!result.members.some(changesAsColumn)) return result;
  return {
    members: result.members.map((member) => {
      const { value } = member;
      if (value.row !== undefined) {
        const { aliased: _, ...plain } = value;
        return { ...member, value: { ...plain, row: derivedFields(value.row) } };
      }
      return value.type === TYPE_UNKNOWN_LITERAL ? { ...member, value: { ...value, type: TYPE_TEXT } } : member;
    }),
    open: result.open,
    ...restOf(result.rest),
  };
}

function changesAsColumn(member: Member): boolean {
  return member.value.row !== undefined || member.value.type === TYPE_UNKNOWN_LITERAL;
}

function memberOf(item: Item, name: string): Value | undefined {
  const relation = item.relation;
  if (relation !== undefined && relation.wholeRow.row === item.members) return relation.column(name)?.value;
  let found: Value | undefined;
  for (const member of item.members) {
    // Twice the same name is ambiguous for the server.
    if (member.name === name) found = found === undefined ? member.value : eitherOf(found, member.value);
  }
  return found ?? (relation === undefined ? undefined : systemColumn(relation, name));
}

function systemColumn(relation: Relation, name: string): Value | undefined {
  const column = relation.column(name);
  return column !== undefined && column.attnum < 0 ? column.value : undefined;
}

/** The whole row of an item, whose fields are still bare columns. */
export function wholeRow(item: Item): Value {
  if (item.whole !== undefined) return item.whole;
  if (item.relation !== undefined && item.relation.wholeRow.row === item.members) return item.relation.wholeRow;
  const value = combine(
    [...item.members.map((member) => member.value), ...(item.rest === undefined ? [] : [item.rest])],
    item.relation?.rowType ?? 0,
    true,
  );
  if (item.open) return { ...value, derivation: "opaque", total: false };
  const names = item.typeNames ?? item.relation?.columns.map((column) => column.name);
  if (names === undefined || item.members.every((member, at) => member.name === (names[at] ?? member.name)))
    return { ...value, row: item.members };
  return { ...value, row: renamed(item.members, names), aliased: item.members };
}

/** Whoever rewrites the text has to know of it. */
function noteWhole(recorder: Recorder, item: Item): void {
  const relation = item.relation ?? item.rows;
  if (relation !== undefined) recorder.reads?.whole(relation);
}

function rowOf(recorder: Recorder, item: Item): Value {
  noteWhole(recorder, item);
  const row = wholeRow(item);
  recorder.keeps(row);
  // What may fail does so also where nobody looks at it.
  const always = (item.relation ?? item.rows) !== undefined && item.whole === undefined && row.total;
  return always ? asWholeRow(row) : row;
}

/** Every column of everything in scope: what is not understood depends on all of it. */
export function everything(scope: Scope | undefined): Value {
  const values: Value[] = [];
  for (let level = scope; level !== undefined; level = level.parent)
    for (const item of level.items) values.push(wholeRow(item));
  return { ...combine(values, 0, false), derivation: "opaque", total: false };
}

/** What a ColumnRef stands for. Called for everything but `*` and `name.*`. (transformColumnRef in parse_expr.c) */
export function columnReference(recorder: Recorder, fields: readonly Node[], scope: Scope, step: Step): Value {
  const names = fields.map(stringOf);
  const found = columnOf(recorder, fields, names, scope, step);
  const { variables } = recorder;
  const variable = variables?.named(
    names.filter((name) => name !== undefined),
    step,
  );
  if (found !== undefined) {
    recorder.reads?.named(fields, found);
    tellsPartition(recorder, found);
  }
  if (variables === undefined || variable === undefined) return found ?? unknown(recorder, names, scope);
  if (found === undefined) {
    // What stands for a field may be a call, which gives another value for each row.
    const last = names.at(-1);
    if (!variables.mayWin && (names.length === 1 || last === undefined || !mayBeCalled(recorder, last)))
      recorder.parameters.add(fields);
    return variable;
  }
  // Where only the server knows whether there is such a column, it may be either.
  return variables.mayWin || found.derivation === "opaque" ? eitherOf(found, variable) : found;
}

/** `tableoid` of a partitioned table is the partition that the row is in. */
function tellsPartition(recorder: Recorder, { sources }: Value): void {
  for (const { name, attnum, relation } of sources)
    if (attnum < 0 && name === "tableoid")
      for (const column of keysBelow(relation))
        if (column.source.tags.length > 0) recorder.use(column.value, USE.filter);
}

function columnOf(
  recorder: Recorder,
  fields: readonly Node[],
  names: readonly (string | undefined)[],
  scope: Scope,
  step: Step,
): Value | undefined {
  const last = names[names.length - 1];
  if (last === undefined && names.length > 1 && names.indexOf(undefined) === names.length - 1) {
    // `c.*` inside of an expression is the whole row.
    const schema = names.length > 2 ? names[names.length - 3] : undefined;
    const item = namedItem(recorder, scope, schema, names[names.length - 2]!, fields);
    return item === undefined ? undefined : rowOf(recorder, item);
  }
  if (names.includes(undefined)) return undefined;
  if (names.length === 1) {
    const found = unqualifiedColumn(scope, last!);
    if (found?.sure === true) return found.value;
    const item = namedItem(recorder, scope, undefined, last!);
    // If the open item that may have such a column has it not, the name is a whole row's.
    if (found !== undefined) return item === undefined ? found.value : unsure([found.value, rowOf(recorder, item)]);
    return item === undefined ? undefined : rowOf(recorder, item);
  }
  const schema = names.length > 2 ? names[names.length - 3] : undefined;
  const item = namedItem(recorder, scope, schema, names[names.length - 2]!, fields);
  if (item === undefined) return undefined;
  const found = memberOf(item, last!);
  if (found !== undefined) return found;
  // `c.f` is also how the function f of c's row type is called; where only the server knows the columns, it may be either.
  if (item.open) return unsure([wholeRow(item), step({ ...wholeRow(item), type: 0 }, last!)]);
  return step(rowOf(recorder, item), last!);
}

/** What `value.name` stands for. */
export type Step = (value: Value, name: string) => Value;

const mayBeCalled = ({ catalog, path }: Recorder, name: string): boolean =>
  catalog.functions(undefined, name, path).length > 0;

function unknown(recorder: Recorder, names: readonly (string | undefined)[], scope: Scope): Value {
  if (names.length > 1) missItem(recorder, names.slice(0, -1).join("."));
  else recorder.miss("42703", `column "${names[0] ?? "*"}" does not exist`);
  return everything(scope);
}

/** `name.column` where there is no such entry of FROM. */
export function missItem(recorder: Recorder, name: string): void {
  recorder.miss("42P01", `missing FROM-clause entry for table "${name}"`);
}

/**
 * colNameToVar: the innermost level that has it wins. An open item may have it when no other of its level has (else it would be ambiguous,
 * and the server would refuse).
 */
export function unqualifiedColumn(scope: Scope, name: string): { value: Value; sure: boolean } | undefined {
  let perhaps: Value[] | undefined;
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    let found: Value | undefined;
    for (const item of level.items) {
      if (!item.columnsVisible) continue;
      const value = memberOf(item, name);
      if (value !== undefined) found = found === undefined ? value : eitherOf(found, value);
    }
    if (found !== undefined)
      return perhaps === undefined ? { value: found, sure: true } : { value: unsure([...perhaps, found]), sure: true };
    for (const item of level.items) {
      if (!item.open || !item.columnsVisible) continue;
      perhaps ??= [];
      perhaps.push(wholeRow(item));
    }
  }
  return perhaps === undefined ? undefined : { value: unsure(perhaps), sure: false };
}

/** One of these, of which the server alone knows which: it may be the bare column, too. */
function unsure(values: readonly Value[]): Value {
  return { ...combine(values, 0, false), derivation: "opaque", total: false };
}

/** refnameNamespaceItem: by alias or relation name, innermost level first. */
export function namedItem(
  recorder: Recorder,
  scope: Scope,
  schema: string | undefined,
  name: string,
  fields?: readonly Node[],
): Item | undefined {
  const relation = schema === undefined ? undefined : recorder.catalog.resolveRelation(schema, name, recorder.path);
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    for (const item of level.items) {
      if (!item.named) continue;
      if (
        schema === undefined
          ? item.name === name
          : !item.aliased && item.relation !== undefined && item.relation === relation
      ) {
        if (schema !== undefined && fields !== undefined)
          recorder.reads?.qualified(fields, relation!, namedItem(recorder, scope, undefined, name) === item);
        return item;
      }
    }
  }
  return undefined;
}

/** Those of its members that a star stands for. */
export function expanded(members: readonly Member[]): readonly Member[] {
  return members.some((member) => member.hidden) ? members.filter((member) => !member.hidden) : members;
}

/** A bare column of one of the entries of a level. */
export type Reference = { readonly item: Item; readonly name: string };

/** Only a bare column of an entry of this level, as the server finds names; undefined for anything else. */
export function ownColumn(recorder: Recorder, scope: Scope, node: Node | undefined): Reference | undefined {
  if (node === undefined || !("ColumnRef" in node)) return undefined;
  const names = (node.ColumnRef.fields ?? []).map(stringOf);
  const name = names.pop();
  if (name === undefined || names.includes(undefined)) return undefined;
  if (names.length > 0) {
    const item = namedItem(recorder, scope, names.at(-2), names.at(-1)!);
    return item !== undefined && scope.items.includes(item) ? { item, name } : undefined;
  }
  // A name that more than one entry has is ambiguous for the server.
  const items = scope.items.filter(
    (item) => item.columnsVisible && item.members.some((member) => member.name === name),
  );
  return items.length === 1 ? { item: items[0]!, name } : undefined;
}

/** The members that `*` stands for. */
export function starMembers(recorder: Recorder, scope: Scope): Result {
  for (const item of scope.items) noteWhole(recorder, item);
  const members: Member[] = [];
  const open = scope.items.filter((item) => item.columnsVisible && item.open);
  for (const item of scope.items) if (item.columnsVisible) members.push(...expanded(item.members));
  return { members, open: open.length > 0, ...restOfAll(open) };
}

/** The members that `name.*` stands for. */
export function itemMembers(recorder: Recorder, item: Item): Result {
  noteWhole(recorder, item);
  return { members: expanded(item.members), open: item.open, ...(item.open ? { rest: wholeRow(item) } : {}) };
}

/** A field of a row value; `bare` keeps the column itself (`(c).x` where c is a FROM item). */
export function fieldOf(value: Value, name: string): Value {
  const field = (value.aliased ?? value.row)?.find((member) => member.name === name);
  if (field !== undefined) return field.value;
  return value.derivation === "opaque" ? { ...OPAQUE, sources: value.sources } : derived(value, 0, false);
}
