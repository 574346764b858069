// FROM: tables, sub-selects, functions and joins as items of a namespace (parse_clause.c, transformFromClauseItem).
import type { Alias, JoinExpr, JsonTable, Node, RangeFunction, RangeTableFunc, RangeVar } from "libpg-query";
import { findCall } from "./calls.ts";
import { used } from "./call-expressions.ts";
import { typeOf } from "./casts.ts";
import { all, expression } from "./expressions.ts";
import type { FunctionEntry } from "./model.ts";
import { bodyOf, kindOf, namesOf, qualifiedName } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { USE } from "./recorder.ts";
import { fieldsOf, resolveSelectNode } from "./select.ts";
import type { Cte, CteList, Item } from "./scope.ts";
import { asColumns, derivedItem, everything, relationItem, Scope } from "./scope.ts";
import { rowsAreRead } from "./triggers.ts";
import { operatorRuns } from "./user-code.ts";
import type { Member, Value } from "./value.ts";
import { combine, derived, eitherOf, plainConstant, union } from "./value.ts";

const TYPE_BIGINT = 20;

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
      return [tableItem(recorder, bodyOf<RangeVar>(node), ctes)];
    case "RangeSubselect": {
      const body = bodyOf<{ lateral?: boolean; subquery?: Node; alias?: Alias }>(node);
      const scope = new Scope(parent, body.lateral === true ? before : [], ctes);
      const result = asColumns(resolveSelectNode(recorder, body.subquery, scope));
      unusedExpressions(recorder, result);
      return [derivedItem(body.alias?.aliasname, result, namesOf(body.alias?.colnames))];
    }
    case "RangeFunction":
      return [functionItem(recorder, bodyOf(node), new Scope(parent, before, ctes))];
    case "RangeTableFunc":
      return [tableFunctionItem(recorder, bodyOf(node), new Scope(parent, before, ctes))];
    case "JsonTable":
      return [jsonTableItem(recorder, bodyOf(node), new Scope(parent, before, ctes))];
    case "RangeTableSample": {
      const body = bodyOf<{ relation?: Node; method?: Node[]; args?: Node[]; repeatable?: Node }>(node);
      const scope = new Scope(parent, before, ctes);
      for (const value of all(recorder, body.args, scope)) recorder.use(value, USE.filter);
      if (body.repeatable !== undefined) recorder.use(expression(recorder, body.repeatable, scope), USE.filter);
      const { schema, name } = qualifiedName(body.method);
      const call = findCall(recorder, schema, name, [], true);
      if (call === undefined || call.opaque || call.users.length > 0) recorder.opaque = true;
      if (call !== undefined) for (const use of call.uses) recorder.functions.add(use);
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

/** Expressions that nobody asks for may still run and fail (a volatile one beside them keeps them): they count as used. */
export function unusedExpressions(recorder: Recorder, result: Result): void {
  for (const member of result.members) {
    if (member.value.derivation !== "direct" && member.value.sources.length > 0 && !member.value.total)
      recorder.use(member.value, USE.expression);
  }
}

function tableItem(recorder: Recorder, range: RangeVar, ctes: CteList): Item {
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
      return derivedItem(alias ?? name, cte.result ?? { members: [], open: true }, columnAliases);
    }
  }
  const own = range.schemaname === undefined ? recorder.variables?.table?.(name) : undefined;
  if (own !== undefined) return derivedItem(alias ?? name, { members: own, open: false }, columnAliases);
  const relation = recorder.catalog.resolveRelation(range.schemaname, name, recorder.path);
  if (relation === undefined) {
    recorder.unresolved = true;
    recorder.opaque = true;
    recorder.unknownRelation(range.schemaname ?? "", name, "select");
    return derivedItem(alias ?? name, { members: [], open: true }, []);
  }
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
  if (shared.length > 0 || (body.isNatural === true && open)) {
    const merged = shared.map((name) =>
      mergedColumn(recorder, name, leftColumns, rightColumns, body.jointype ?? "JOIN_INNER", open),
    );
    const rest = (members: readonly Member[]) => members.filter((member) => !shared.includes(member.name));
    const columns = { members: [...merged, ...rest(leftColumns), ...rest(rightColumns)], open };
    items = [
      ...items.map((item) => ({ ...item, columnsVisible: false })),
      { ...derivedItem(undefined, columns, []), named: false },
    ];
    if (body.join_using_alias?.aliasname !== undefined) {
      items = [
        ...items,
        {
          ...derivedItem(body.join_using_alias.aliasname, { members: merged, open: false }, []),
          columnsVisible: false,
        },
      ];
    }
  }
  if (body.quals !== undefined)
    recorder.use(expression(recorder, body.quals, new Scope(parent, [...left, ...right], ctes)), USE.join);
  if (body.alias?.aliasname !== undefined) {
    // An alias for the whole join hides everything inside of it.
    const columns = visibleMembers(items);
    return [derivedItem(body.alias.aliasname, asColumns({ members: columns, open }), namesOf(body.alias.colnames))];
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

/** A column of USING or NATURAL: the left or the right one itself, or for a full join one of both. It tells both. */
function mergedColumn(
  recorder: Recorder,
  name: string,
  left: readonly Member[],
  right: readonly Member[],
  type: string,
  open: boolean,
): Member {
  const fromLeft = left.find((member) => member.name === name)?.value;
  const fromRight = right.find((member) => member.name === name)?.value;
  if (fromLeft === undefined || fromRight === undefined) {
    if (!open) recorder.unresolved = true;
    const all = combine(
      [...left, ...right].map((member) => member.value),
      0,
      false,
    );
    return { name, value: used(recorder, { ...all, derivation: "opaque", total: false }, USE.join) };
  }
  recorder.use(fromLeft, USE.join);
  recorder.use(fromRight, USE.join);
  recorder.operator(fromLeft, "=");
  recorder.operator(fromRight, "=");
  operatorRuns(recorder, "=", fromLeft, fromRight);
  const kept = type === "JOIN_RIGHT" ? fromRight : fromLeft;
  if (type === "JOIN_FULL" || kept.derivation !== "direct" || fromLeft.type !== fromRight.type) {
    const either = eitherOf(fromLeft, fromRight);
    return { name, value: derived(either, either.type, true) };
  }
  return {
    name,
    value: { ...kept, sources: union(kept.sources, type === "JOIN_RIGHT" ? fromLeft.sources : fromRight.sources) },
  };
}

function functionItem(recorder: Recorder, body: RangeFunction, scope: Scope): Item {
  const members: Member[] = [];
  let open = false;
  const alias = body.alias?.aliasname;
  const functions = body.functions ?? [];
  const values: Value[] = [];
  for (const node of functions) {
    const list = "List" in node ? (node.List.items ?? []) : [node];
    const call = list[0];
    if (call === undefined) continue;
    const definitions = list[1] !== undefined && "List" in list[1] ? list[1].List.items : undefined;
    const value = derived(expression(recorder, call, scope), 0, false);
    values.push(value);
    const columns = functionColumns(
      recorder,
      call,
      value,
      definitions ?? (functions.length === 1 ? body.coldeflist : undefined),
      functions.length === 1 ? alias : undefined,
    );
    members.push(...columns.members);
    open ||= columns.open;
  }
  if (body.ordinality === true) members.push({ name: "ordinality", value: plainConstant(TYPE_BIGINT) });
  const name = alias ?? (functions.length === 1 ? functionName(functions[0]!) : undefined);
  const item = derivedItem(name, { members, open }, namesOf(body.alias?.colnames));
  // The whole row of a scalar function is its value; where the shape is not known, it is at least no more than the calls' values.
  if (open) return { ...item, whole: combine(values, 0, false) };
  return item.members.length === 1 ? { ...item, whole: item.members[0]!.value } : item;
}

function functionName(node: Node): string | undefined {
  const call = "List" in node ? node.List.items?.[0] : node;
  return call !== undefined && "FuncCall" in call ? namesOf(call.FuncCall.funcname).at(-1) : undefined;
}

/** The columns of one function in FROM, by its result type, its OUT parameters or the definition list in the text. */
function functionColumns(
  recorder: Recorder,
  node: Node,
  value: Value,
  definitions: readonly Node[] | undefined,
  alias: string | undefined,
): Result {
  // What drives the rows is used, whether or not a column of it is shown: of a body that is known, it is noted already.
  const given = "FuncCall" in node ? recorder.callColumns.get(node.FuncCall) : undefined;
  const drives =
    given !== undefined && "FuncCall" in node
      ? combine(recorder.callArguments.get(node.FuncCall) ?? [], 0, false)
      : value;
  if (drives.sources.length > 0) recorder.use(drives, USE.expression);
  const column = (at: number, of: number): Value => (given?.length === of ? given[at]! : value);
  if (definitions !== undefined && definitions.length > 0) {
    return {
      members: definitions.map((definition, at) => definedColumn(recorder, definition, column(at, definitions.length))),
      open: false,
    };
  }
  if (!("FuncCall" in node)) return { members: [{ name: alias ?? kindName(node), value }], open: false };
  const { schema, name } = qualifiedName(node.FuncCall.funcname);
  const args = recorder.callArguments.get(node.FuncCall) ?? [];
  if (name === "unnest" && (schema === undefined || schema === "pg_catalog"))
    return unnest(recorder, args, value, alias);
  const call = findCall(recorder, schema, name, args, node.FuncCall.func_variadic === true);
  const shapes = call?.entries.map((entry) => shapeOf(recorder, entry, args)) ?? [];
  const shape = shapes[0];
  if (shape === undefined || shapes.some((other) => other === undefined || other.join("\0") !== shape.join("\0"))) {
    if (call === undefined && args.length === 1) return { members: [{ name: alias ?? name, value }], open: true };
    return { members: [], open: true };
  }
  const type = call!.returns;
  if (shape.length === 1 && shape[0] === "")
    return { members: [{ name: alias ?? name, value: typed(column(0, 1), type) }], open: false };
  const types = call!.entries[0]!.results;
  // A polymorphic column gets its type from the arguments.
  const known = (oid: number): number => (recorder.catalog.type(oid)?.kind === "p" ? 0 : oid);
  return {
    members: shape.map((name, at) => ({
      name,
      value: typed(column(at, shape.length), known(types[at]?.type ?? 0)),
    })),
    open: false,
  };
}

function kindName(node: Node): string {
  const kind = kindOf(node);
  return kind === "SQLValueFunction"
    ? (bodyOf<{ op?: string }>(node).op ?? "")
        .replace(/^SVFOP_/, "")
        .replace(/_N$/, "")
        .toLowerCase()
    : "?column?";
}

const typed = (value: Value, type: number): Value => (value.type === type ? value : { ...value, type });

/** Column names of a function's result; `[""]` for a scalar, undefined where only the server knows. */
function shapeOf(recorder: Recorder, entry: FunctionEntry, args: readonly Value[]): readonly string[] | undefined {
  if (entry.results.length > 1) return entry.results.map((column) => column.name);
  if (entry.results.length === 1) return [entry.results[0]!.name === "column1" ? "" : entry.results[0]!.name];
  const relation = recorder.catalog.relationByRowType(entry.returns);
  if (relation !== undefined) return relation.columns.map((column) => column.name);
  const type = recorder.catalog.type(entry.returns);
  if (type === undefined) return undefined;
  if (type.kind !== "p" || type.name === "void" || type.name === "cstring") return [""];
  if (type.name === "record") return undefined;
  // Polymorphic: of the type of its arguments, which may be a row.
  const row = args.find((arg) => arg.type !== 0 && recorder.catalog.relationByRowType(arg.type) !== undefined);
  if (type.name === "anyelement" && row !== undefined && entry.builtin) {
    return recorder.catalog.relationByRowType(row.type)!.columns.map((column) => column.name);
  }
  return args.length > 0 && args.every((arg) => isScalar(recorder, arg)) ? [""] : undefined;
}

function isScalar(recorder: Recorder, value: Value): boolean {
  if (value.row !== undefined || value.type === 0) return false;
  const type = recorder.catalog.type(value.type);
  if (type === undefined) return false;
  const element = type.element === 0 ? type : recorder.catalog.type(type.element);
  return (
    element !== undefined &&
    element.kind !== "p" &&
    (element.kind !== "d" || recorder.catalog.relationByRowType(element.oid) === undefined) &&
    recorder.catalog.relationByRowType(element.oid) === undefined
  );
}

/** unnest(a, b, …): one column for each array, unless an array's elements are rows. */
function unnest(recorder: Recorder, args: readonly Value[], value: Value, alias: string | undefined): Result {
  if (args.length === 1) {
    const elementType = recorder.catalog.type(args[0]!.type)?.element ?? 0;
    if (elementType !== 0 && recorder.catalog.relationByRowType(elementType) !== undefined) {
      return fieldsOf(recorder, { ...value, type: elementType });
    }
  }
  const known = args.every((arg) => isScalar(recorder, arg));
  if (!known) return { members: args.length === 1 ? [{ name: alias ?? "unnest", value }] : [], open: true };
  return {
    members: args.map((arg) => ({
      name: args.length === 1 ? (alias ?? "unnest") : "unnest",
      value: derived(arg, recorder.catalog.type(arg.type)?.element ?? 0, false),
    })),
    open: false,
  };
}

function definedColumn(recorder: Recorder, node: Node, value: Value): Member {
  if (!("ColumnDef" in node)) return { name: "", value };
  return { name: node.ColumnDef.colname ?? "", value: typed(value, typeOf(recorder, node.ColumnDef.typeName)) };
}

/** XMLTABLE. */
function tableFunctionItem(recorder: Recorder, body: RangeTableFunc, scope: Scope): Item {
  const inputs = [
    expression(recorder, body.docexpr, scope),
    expression(recorder, body.rowexpr, scope),
    ...all(recorder, body.namespaces, scope),
  ];
  const columns = (body.columns ?? []).flatMap((node) => ("RangeTableFuncCol" in node ? [node.RangeTableFuncCol] : []));
  for (const column of columns)
    inputs.push(expression(recorder, column.colexpr, scope), expression(recorder, column.coldefexpr, scope));
  const value = used(recorder, combine(inputs, 0, false), USE.expression);
  const members = columns.map((column) => ({
    name: column.colname ?? "",
    value: typed(value, typeOf(recorder, column.typeName)),
  }));
  return derivedItem(body.alias?.aliasname ?? "xmltable", { members, open: false }, namesOf(body.alias?.colnames));
}

function jsonTableItem(recorder: Recorder, body: JsonTable, scope: Scope): Item {
  const inputs = [
    expression(recorder, { JsonValueExpr: body.context_item ?? {} }, scope),
    ...all(recorder, body.passing, scope),
  ];
  if (body.on_error?.expr !== undefined) inputs.push(expression(recorder, body.on_error.expr, scope));
  const columns: { name: string; type: number }[] = [];
  // Nested columns come behind all of their parent's own.
  const collect = (nodes: readonly Node[] | undefined): void => {
    const nested: (readonly Node[] | undefined)[] = [];
    for (const node of nodes ?? []) {
      if (!("JsonTableColumn" in node)) continue;
      const column = node.JsonTableColumn;
      if (column.coltype === "JTC_NESTED") nested.push(column.columns);
      else columns.push({ name: column.name ?? "", type: typeOf(recorder, column.typeName) });
      for (const behaviour of [column.on_empty, column.on_error]) {
        if (behaviour?.expr !== undefined) inputs.push(expression(recorder, behaviour.expr, scope));
      }
    }
    for (const inner of nested) collect(inner);
  };
  collect(body.columns);
  const value = used(recorder, combine(inputs, 0, false), USE.expression);
  const members = columns.map((column) => ({ name: column.name, value: typed(value, column.type) }));
  return derivedItem(body.alias?.aliasname ?? "json_table", { members, open: false }, namesOf(body.alias?.colnames));
}
