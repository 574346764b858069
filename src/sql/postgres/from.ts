// FROM: tables, sub-selects, functions and joins as items of a namespace (parse_clause.c, transformFromClauseItem).
import type {
  Alias,
  JoinExpr,
  JsonTable,
  Node,
  RangeSubselect,
  RangeTableFunc,
  RangeTableSample,
  RangeVar,
} from "libpg-query";
import { findCall } from "./calls.ts";
import { used } from "./call-expressions.ts";
import { typeOf } from "./casts.ts";
import { all, expression } from "./expressions.ts";
import { functionItem, typed } from "./from-functions.ts";
import type { MaskedRelation } from "./masked-forms.ts";
import { alternatives } from "./operator-expressions.ts";
import { bodyOf, kindOf, namesOf, qualifiedName } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./uses.ts";
import { derivedFields } from "./rows.ts";
import { kept, resolveSelectNode } from "./select.ts";
import type { Cte, CteList, Item } from "./scope.ts";
import { anyColumn, asColumns, derivedItem, everything, relationItem, restOfAll, Scope } from "./scope.ts";
import { rowsAreRead } from "./triggers.ts";
import { documentOf, readAs } from "./documents.ts";
import { coerced, conversionRuns, EQUALS, operatorRuns, withRun } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import { combine, derived, union } from "./value.ts";

/** The items of a FROM clause, comma by comma; each sees the ones before it where it is lateral. */
export function fromClause(
  recorder: Recorder,
  nodes: readonly Node[] | undefined,
  parent: Scope | undefined,
  ctes: CteList,
): readonly Item[] {
  if (nodes === undefined) return [];
  if (nodes.length === 1) return fromItem(recorder, nodes[0]!, [], parent, ctes);
  const items: Item[] = [];
  for (const node of nodes) items.push(...fromItem(recorder, node, items, parent, ctes));
  return items;
}

/** `before` is what a lateral item can see beside the outer queries. */
function fromItem(
  recorder: Recorder,
  node: Node,
  before: readonly Item[],
  parent: Scope | undefined,
  ctes: CteList,
): readonly Item[] {
  switch (kindOf(node)) {
    case "RangeVar":
      return [tableItem(recorder, bodyOf<RangeVar>(node), parent, ctes)];
    case "RangeSubselect": {
      const body = bodyOf<RangeSubselect>(node);
      const scope = new Scope(parent, body.lateral === true ? before : [], ctes);
      const masked = recorder.masked?.in(recorder, body);
      if (masked !== undefined) return [maskedItem(recorder, masked, body.alias, scope)];
      const result = asColumns(resolveSelectNode(recorder, body.subquery, scope));
      unusedExpressions(recorder, result);
      // What it names of the items around it is handed to it, whether or not anybody asks for it then.
      if (body.lateral === true || parent !== undefined) kept(recorder, result);
      for (const { value } of result.members) recorder.copies(value);
      return [derivedItem(body.alias?.aliasname, result, namesOf(body.alias?.colnames))];
    }
    case "RangeFunction":
      return [functionItem(recorder, bodyOf(node), new Scope(parent, before, ctes))];
    case "RangeTableFunc":
      return [tableFunctionItem(recorder, bodyOf(node), new Scope(parent, before, ctes))];
    case "JsonTable":
      return [jsonTableItem(recorder, bodyOf(node), new Scope(parent, before, ctes))];
    case "RangeTableSample": {
      const body = bodyOf<RangeTableSample>(node);
      // Not lateral: what stands before it is skipped, and the name is looked for in the queries around.
      sampled(recorder, body, new Scope(parent, [], ctes));
      return body.relation === undefined ? [] : fromItem(recorder, body.relation, before, parent, ctes);
    }
    case "JoinExpr":
      return joinItems(recorder, bodyOf(node), before, parent, ctes);
    default:
      recorder.opaque = true;
      return [
        derivedItem(
          undefined,
          { members: [{ name: "?column?", value: everything(new Scope(parent, before, ctes)) }], open: true },
          [],
        ),
      ];
  }
}

function sampled(recorder: Recorder, body: RangeTableSample, scope: Scope): void {
  const args = all(recorder, body.args, scope);
  if (body.repeatable !== undefined) args.push(expression(recorder, body.repeatable, scope));
  for (const value of args) recorder.use(coerced(recorder, value), USE.filter);
  const { schema, name } = qualifiedName(body.method);
  const call = findCall(recorder, schema, name, [], true);
  if (call === undefined || call.opaque || call.users.length > 0) recorder.opaque = true;
  if (call !== undefined) for (const use of call.uses) recorder.functions.add(use);
}

/** A sub-select that shows masked columns: the mask's own use of the real ones tells nobody anything. */
function maskedItem(recorder: Recorder, masked: MaskedRelation, alias: Alias | undefined, scope: Scope): Item {
  const { relation, members, hidden, only, sample } = masked;
  if (sample !== undefined) sampled(recorder, sample, scope);
  recorder.relation(relation, "select", only, hidden);
  rowsAreRead(recorder, relation);
  return { ...derivedItem(alias?.aliasname, { members, open: false }, namesOf(alias?.colnames)), rows: relation };
}

/** Expressions that nobody asks for may still run and fail (a volatile one beside them keeps them): they count as used. */
export function unusedExpressions(recorder: Recorder, result: Result): void {
  for (const { value } of result.members) if (mayFail(value)) recorder.use(value, USE.expression);
}

/** Can it tell something by failing, or by what it does? */
export const mayFail = ({ derivation, sources, total }: Value): boolean =>
  derivation !== "direct" && sources.length > 0 && !total;

function tableItem(recorder: Recorder, range: RangeVar, parent: Scope | undefined, ctes: CteList): Item {
  const alias = range.alias?.aliasname;
  const columnAliases = namesOf(range.alias?.colnames);
  const name = range.relname ?? "";
  if (range.schemaname === undefined) {
    const cte = findCte(ctes, name);
    if (cte !== undefined) {
      cte.resolve?.();
      cte.referred = true;
      recorder.spend(cte.consumed.length >> 3);
      recorder.consume(cte.consumed);
      const item = derivedItem(alias ?? name, cte.result ?? { members: [], open: true }, columnAliases);
      if (cte.appended === 0 || cte.parent === parent) return item;
      const first = item.members.length - cte.appended;
      return {
        ...item,
        members: item.members.map((member, at) => (at < first ? member : { ...member, hidden: true })),
      };
    }
  }
  const own = range.schemaname === undefined ? recorder.variables?.table?.(name) : undefined;
  if (own !== undefined) return derivedItem(alias ?? name, { members: own, open: false }, columnAliases);
  const relation = recorder.catalog.resolveRelation(range.schemaname, name, recorder.path);
  if (relation === undefined) {
    recorder.missRelation(range);
    recorder.opaque = true;
    recorder.unknownRelation(range.schemaname ?? "", name, "select");
    return derivedItem(alias ?? name, { members: [], open: true }, []);
  }
  recorder.reads?.relation(range, relation);
  recorder.relation(relation, "select", range.inh !== true);
  rowsAreRead(recorder, relation);
  return relationItem(relation, alias, columnAliases);
}

function findCte(ctes: CteList, name: string): Cte | undefined {
  for (let entry = ctes; entry !== undefined; entry = entry.next) if (entry.cte.name === name) return entry.cte;
  return undefined;
}

function joinItems(
  recorder: Recorder,
  body: JoinExpr,
  before: readonly Item[],
  parent: Scope | undefined,
  ctes: CteList,
): readonly Item[] {
  const left = body.larg === undefined ? [] : fromItem(recorder, body.larg, before, parent, ctes);
  const right =
    body.rarg === undefined
      ? []
      : fromItem(recorder, body.rarg, before.length === 0 ? left : [...before, ...left], parent, ctes);
  let items: readonly Item[] = [...left, ...right];
  const leftColumns = visibleMembers(left);
  const rightColumns = visibleMembers(right);
  const shared = body.isNatural === true ? commonNames(leftColumns, rightColumns) : namesOf(body.usingClause);
  const open = items.some((item) => item.open);
  if (body.isNatural === true && open) {
    // Columns that only the server knows may be joined by, too.
    recorder.use(anyColumn({ members: [...leftColumns, ...rightColumns], ...restOfAll(items) }), USE.join);
  }
  if (shared.length > 0 || (body.isNatural === true && open)) {
    const merged = shared.map((name) =>
      mergedColumn(recorder, name, leftColumns, rightColumns, body.jointype ?? "JOIN_INNER", items),
    );
    // Whether a star stands for what is made of a hidden column depends on which side's the server takes.
    const unsure = [...leftColumns, ...rightColumns].some(({ name, hidden }) => hidden && shared.includes(name));
    const rest = (members: readonly Member[]) => members.filter((member) => !shared.includes(member.name));
    const columns = {
      members: [...merged, ...rest(leftColumns), ...rest(rightColumns)],
      open: open || unsure,
      ...restOfAll(items.filter((item) => item.columnsVisible)),
    };
    items = [
      ...items.map((item) => ({ ...item, columnsVisible: false })),
      { ...derivedItem(undefined, columns, []), named: false },
    ];
    if (body.join_using_alias?.aliasname !== undefined) {
      // As a whole it is put together of them, and its fields have no origin for the server.
      const whole = {
        ...combine(
          merged.map((member) => member.value),
          0,
          true,
        ),
        row: derivedFields(merged),
      };
      const alias = derivedItem(body.join_using_alias.aliasname, { members: merged, open: unsure }, []);
      items = [...items, { ...alias, columnsVisible: false, whole }];
    }
  }
  if (body.quals !== undefined)
    recorder.use(
      coerced(recorder, expression(recorder, body.quals, new Scope(parent, [...left, ...right], ctes))),
      USE.join,
    );
  if (body.alias?.aliasname !== undefined) {
    // An alias for the whole join hides everything inside of it.
    const columns = {
      members: visibleMembers(items),
      open: items.some((item) => item.open),
      ...restOfAll(items.filter((item) => item.columnsVisible)),
    };
    return [derivedItem(body.alias.aliasname, asColumns(columns), namesOf(body.alias.colnames))];
  }
  return items;
}

function visibleMembers(items: readonly Item[]): readonly Member[] {
  if (items.length === 1 && items[0]!.columnsVisible) return items[0]!.members;
  return items.flatMap((item) => (item.columnsVisible ? item.members : []));
}

function commonNames(left: readonly Member[], right: readonly Member[]): string[] {
  const names = new Set(right.map((member) => member.name));
  return left.map((member) => member.name).filter((name) => names.has(name));
}

/**
 * Is the column of a join by the same names the bare one? Of two types the server takes the common one, of two modifiers none: then what
 * has another is cast. Undefined: it cannot be told. (buildMergedJoinVar in parse_clause.c)
 */
function staysBare(kept: Value, left: Value, right: Value, common: number): boolean | undefined {
  if (common === 0) return undefined;
  if (kept.type !== common) return false;
  const modifier = kept.sources[0]?.modifier ?? -1;
  if (modifier === -1) return true;
  if (left.type !== right.type) return false;
  const other = kept === left ? right : left;
  return other.derivation === "direct" ? other.sources[0]?.modifier === modifier : undefined;
}

/** A column of USING or NATURAL: the left or the right one itself, or for a full join one of both. It tells both. */
function mergedColumn(
  recorder: Recorder,
  name: string,
  left: readonly Member[],
  right: readonly Member[],
  type: string,
  items: readonly Item[],
): Member {
  const fromLeft = left.find((member) => member.name === name)?.value;
  const fromRight = right.find((member) => member.name === name)?.value;
  if (fromLeft === undefined || fromRight === undefined) {
    if (!items.some((item) => item.open))
      recorder.miss("42703", `column "${name}" specified in USING clause does not exist in one of the tables`);

    const value = anyColumn({ members: [...left, ...right], ...restOfAll(items) });
    return { name, value: used(recorder, value, USE.join) };
  }
  recorder.use(fromLeft, USE.join);
  recorder.use(fromRight, USE.join);
  recorder.operator(fromLeft, "=");
  recorder.operator(fromRight, "=");
  operatorRuns(recorder, EQUALS, [[fromLeft, fromRight]]);
  const kept = type === "JOIN_RIGHT" ? fromRight : fromLeft;
  const common = alternatives(recorder, [fromLeft, fromRight]);
  const bare =
    type === "JOIN_FULL" || kept.derivation !== "direct" ? false : staysBare(kept, fromLeft, fromRight, common.type);
  if (bare !== true) {
    const value = derived(common, common.type, true);
    return { name, value: bare === undefined ? { ...value, derivation: "opaque", total: false } : value };
  }
  return {
    name,
    value: { ...kept, sources: union(kept.sources, type === "JOIN_RIGHT" ? fromLeft.sources : fromRight.sources) },
  };
}

/** XMLTABLE. */
function tableFunctionItem(recorder: Recorder, body: RangeTableFunc, scope: Scope): Item {
  const inputs = [
    expression(recorder, body.docexpr, scope),
    expression(recorder, body.rowexpr, scope),
    ...all(recorder, body.namespaces, scope),
  ];
  const columns: DocumentColumn[] = [];
  for (const node of body.columns ?? []) {
    if (!("RangeTableFuncCol" in node)) continue;
    const column = node.RangeTableFuncCol;
    inputs.push(expression(recorder, column.colexpr, scope));
    const type = typeOf(recorder, column.typeName);
    columns.push({ name: column.colname ?? "", type, defaults: all(recorder, listOf(column.coldefexpr), scope) });
  }
  return documentItem(recorder, body.alias, "xmltable", inputs, columns);
}

type DocumentColumn = { readonly name: string; readonly type: number; readonly defaults: readonly Value[] };
const listOf = (node: Node | undefined): readonly Node[] => (node === undefined ? [] : [node]);

/** Each column may tell all of the document, and becomes of its type by code of users, too. */
function documentItem(
  recorder: Recorder,
  alias: Alias | undefined,
  name: string,
  inputs: readonly Value[],
  columns: readonly DocumentColumn[],
): Item {
  const document = documentOf(recorder, {}, inputs);
  const values = [document];
  for (const { type, defaults } of columns) {
    const run = readAs(recorder, document, type);
    if (run !== undefined) values.push(run);
    for (const value of defaults) values.push(withRun(value, conversionRuns(recorder, value, type)));
  }
  const value = used(recorder, combine(values, 0, false), USE.expression);
  const members = columns.map((column) => ({ name: column.name, value: typed(value, column.type) }));
  return derivedItem(alias?.aliasname ?? name, { members, open: false }, namesOf(alias?.colnames));
}

function jsonTableItem(recorder: Recorder, body: JsonTable, scope: Scope): Item {
  const inputs = [
    expression(recorder, body.context_item?.raw_expr, scope),
    ...all(
      recorder,
      (body.passing ?? []).map((node) => ("JsonArgument" in node ? (node.JsonArgument.val?.raw_expr ?? node) : node)),
      scope,
    ),
  ];
  if (body.on_error?.expr !== undefined) inputs.push(expression(recorder, body.on_error.expr, scope));
  const columns: DocumentColumn[] = [];
  // Nested columns come behind all of their parent's own.
  const collect = (nodes: readonly Node[] | undefined): void => {
    const nested: (readonly Node[] | undefined)[] = [];
    for (const node of nodes ?? []) {
      if (!("JsonTableColumn" in node)) continue;
      const column = node.JsonTableColumn;
      if (column.coltype === "JTC_NESTED") nested.push(column.columns);
      else {
        const behaviours = [column.on_empty?.expr, column.on_error?.expr].flatMap(listOf);
        const type = typeOf(recorder, column.typeName);
        columns.push({ name: column.name ?? "", type, defaults: all(recorder, behaviours, scope) });
      }
    }
    for (const inner of nested) collect(inner);
  };
  collect(body.columns);
  return documentItem(recorder, body.alias, "json_table", inputs, columns);
}
