// What the text and its parameters list: values that are the same for all rows, and queries with no more rows than they spell out.
import type { A_Expr, FuncCall, InferClause, Node, RangeFunction, SelectStmt } from "libpg-query";
import { typeOf } from "./casts.ts";
import { categoryOf, elementOf } from "./coercion.ts";
import { expression } from "./expressions.ts";
import { fromClause } from "./from.ts";
import { bodyOf, integerOf, kindOf, qualifiedName, stringOf, withoutCasts } from "./nodes.ts";
import { NO_SCOPE } from "./judging.ts";
import { Recorder } from "./recorder.ts";
import type { CteList } from "./scope.ts";
import { isServersOwn } from "./user-code.ts";

/** Computed from constants and parameters alone, by the server's own functions that are not volatile. */
export function isFixed(recorder: Recorder, node: Node | undefined): boolean {
  if (node === undefined) return false;
  const every = (nodes: readonly (Node | undefined)[] | undefined): boolean =>
    (nodes ?? []).every((each) => each === undefined || isFixed(recorder, each));
  switch (kindOf(node)) {
    case "A_Const":
    case "ParamRef":
    case "SQLValueFunction":
      return true;
    case "ColumnRef":
      return isParameter(recorder, node);
    // Not COLLATE: what is equal by another collation than the key's may be many.
    case "TypeCast":
    case "NamedArgExpr":
      return isFixed(recorder, bodyOf<{ arg?: Node }>(node).arg);
    case "A_ArrayExpr":
      return every(bodyOf<{ elements?: Node[] }>(node).elements);
    case "RowExpr":
    case "CoalesceExpr":
    case "MinMaxExpr":
      return every(bodyOf<{ args?: Node[] }>(node).args);
    case "A_Expr": {
      const body = bodyOf<A_Expr>(node);
      const { name } = qualifiedName(body.name);
      return body.kind === "AEXPR_OP" && isServersOwn(recorder, body, name) && every([body.lexpr, body.rexpr]);
    }
    case "FuncCall":
      return isFixedCall(recorder, bodyOf(node));
    case "SubLink": {
      const { subLinkType, subselect } = bodyOf<{ subLinkType?: string; subselect?: Node }>(node);
      return subLinkType === "EXPR_SUBLINK" && isFixedQuery(recorder, subselect);
    }
    default:
      return false;
  }
}

function isFixedCall(recorder: Recorder, body: FuncCall): boolean {
  const { schema, name } = qualifiedName(body.funcname);
  const { catalog, path } = recorder;
  const entries = catalog.functions(schema, name, path);
  const args = body.args ?? [];
  if (body.over !== undefined || body.agg_within_group === true || !args.every((arg) => isFixed(recorder, arg)))
    return false;
  // `date('…')` is a cast where no function has that name.
  if (entries.length === 0) return args.length === 1 && catalog.typeByName(schema, name, path) !== 0;
  const fixed = entries.every(
    ({ builtin, kind, returnsSet, use }) =>
      builtin &&
      kind === "function" &&
      !returnsSet &&
      // The body of a function is run many times, with other settings each time.
      (use.volatility === "immutable" || (use.volatility === "stable" && recorder.depth === 0)),
  );
  if (fixed && entries.some(({ use }) => use.volatility === "stable")) recorder.fixedByStable = true;
  return fixed;
}

/** The name of a parameter of a function in SQL, which has been resolved before. */
function isParameter(recorder: Recorder, node: Node): boolean {
  return "ColumnRef" in node && recorder.parameters.has(node.ColumnRef.fields ?? []);
}

/** `(SELECT 5)`, `(VALUES (5))`. */
function isFixedQuery(recorder: Recorder, node: Node | undefined): boolean {
  if (node === undefined || !("SelectStmt" in node)) return false;
  const select = node.SelectStmt;
  if (!isPlain(select) || select.fromClause !== undefined) return false;
  if (select.valuesLists !== undefined) return select.valuesLists.every((row) => valuesOf(row).every(fixed));
  return (select.targetList ?? []).every((target) => "ResTarget" in target && fixed(target.ResTarget.val));

  function fixed(value: Node | undefined): boolean {
    return isFixed(recorder, value);
  }
}

/** An array whose elements the text or a parameter lists: what a function makes of constants may be longer than any list. */
export function isListedArray(recorder: Recorder, node: Node | undefined): boolean {
  if (node === undefined) return false;
  if ("A_Const" in node || "ParamRef" in node || isParameter(recorder, node)) return true;
  if ("TypeCast" in node) {
    const { arg, typeName } = node.TypeCast;
    // The text of an array of what is computed may be taken apart into more than its elements.
    const listed = withoutCasts(arg);
    if (listed !== undefined && "A_ArrayExpr" in listed && !isArray(recorder, typeOf(recorder, typeName))) return false;
    return isListedArray(recorder, arg);
  }
  return "A_ArrayExpr" in node && (node.A_ArrayExpr.elements ?? []).every((each) => isListedElement(recorder, each));
}

/** One value, or an array that is listed itself: an array that is computed has any number of elements, inside of ARRAY[…], too. */
function isListedElement(recorder: Recorder, node: Node): boolean {
  if (isListedArray(recorder, node)) return true;
  if (!isFixed(recorder, node)) return false;
  const { catalog } = recorder;
  const { type } = expression(recorder.apart(), node, NO_SCOPE);
  const known = catalog.type(catalog.baseType(type)) ?? catalog.relationByRowType(catalog.baseType(type));
  return known !== undefined && known.kind !== "p" && !isArray(recorder, type);
}

/** Numbers, times and truth: no function unfolds them to more than their text has characters. */
const ATOMIC: ReadonlySet<string> = new Set(["N", "D", "T", "B"]);

/**
 * What a call passes is spelled out, so that the body changes the same rows however often it runs. Of what is computed only what is atomic is: the
 * body may take a text or a document apart.
 */
export function isListedArgument(recorder: Recorder, node: Node | undefined): boolean {
  if (node === undefined || recorder.variables?.mayWin === true) return false;
  if ("NamedArgExpr" in node) return isListedArgument(recorder, node.NamedArgExpr.arg);
  if ("TypeCast" in node) return isListedArgument(recorder, node.TypeCast.arg);
  if ("A_ArrayExpr" in node) return (node.A_ArrayExpr.elements ?? []).every((each) => isListedArgument(recorder, each));
  if ("A_Const" in node || "ParamRef" in node || isParameter(recorder, node)) return true;
  if (!isFixed(recorder, node)) return false;
  // Whatever the settings are, as in a body.
  const { catalog, path, running, budget } = recorder;
  const alone = new Recorder(catalog, path, { running, budget, depth: recorder.depth + 1 });
  const { type } = expression(alone, node, NO_SCOPE);
  return ATOMIC.has(categoryOf(catalog, type)) && isFixed(alone, node);
}

function isArray({ catalog }: Recorder, type: number): boolean {
  return elementOf(catalog, type) !== 0;
}

/** Functions that give a row for each element of a list that they are given. */
const UNFOLDING = new Set([
  "unnest",
  "json_array_elements",
  "json_array_elements_text",
  "jsonb_array_elements",
  "jsonb_array_elements_text",
  "json_to_recordset",
  "jsonb_to_recordset",
  "json_populate_recordset",
  "jsonb_populate_recordset",
  "string_to_table",
]);

function unfoldsList(recorder: Recorder, node: Node | undefined): boolean {
  if (node === undefined || !("FuncCall" in node)) return false;
  const { schema, name } = qualifiedName(node.FuncCall.funcname);
  if (!UNFOLDING.has(name)) return false;
  return (
    recorder.catalog.functions(schema, name, recorder.path).every((entry) => entry.builtin) &&
    (node.FuncCall.args ?? []).every((arg) => isListedArray(recorder, arg))
  );
}

/**
 * The query has no more different rows than its text or its parameters list, and they depend on no table: VALUES, the unfolding of an array
 * or a JSON array, a bare choice of their columns. Nothing is computed on the way from one row to the next: from ten digits, sums make a
 * million numbers.
 */
export function listsRows(recorder: Recorder, node: Node | undefined, ctes: CteList): boolean {
  if (node === undefined || !("SelectStmt" in node)) return false;
  const select = node.SelectStmt;
  if (select.withClause !== undefined || select.lockingClause !== undefined) return false;
  if (select.op !== undefined && select.op !== "SETOP_NONE")
    return [select.larg, select.rarg].every(
      (arm) => arm !== undefined && arm.fromClause === undefined && listsRows(recorder, { SelectStmt: arm }, ctes),
    );
  if (select.valuesLists !== undefined)
    return select.valuesLists.every((row) => valuesOf(row).every((value) => isFixed(recorder, value)));
  const targets = (select.targetList ?? []).map((target) => ("ResTarget" in target ? target.ResTarget.val : undefined));
  if (select.fromClause === undefined)
    return targets.every((target) => isFixed(recorder, target) || unfoldsList(recorder, withoutCasts(target)));
  const [only, ...others] = select.fromClause;
  return (
    only !== undefined &&
    others.length === 0 &&
    listsItem(recorder, only, ctes) &&
    targets.every((target) => isFixed(recorder, target) || isColumnOf(recorder, withoutCasts(target), only, ctes))
  );
}

/** A column of this item of FROM, or all of them: any other name is of a query around it, and has another value in each of its rows. */
function isColumnOf(recorder: Recorder, node: Node | undefined, from: Node, ctes: CteList): boolean {
  if (node === undefined || !("ColumnRef" in node)) return false;
  const fields = [...(node.ColumnRef.fields ?? [])];
  const column = fields.pop();
  const [item, ...others] = fromClause(recorder.within(), [from], undefined, ctes);
  if (column === undefined || item === undefined || others.length > 0 || fields.length > 1) return false;
  if (fields.length === 1 && stringOf(fields[0]) !== item.name) return false;
  return "A_Star" in column || item.members.some((member) => member.name === stringOf(column));
}

/** The same for an item of FROM. */
export function listsItem(recorder: Recorder, node: Node, ctes: CteList): boolean {
  if ("RangeSubselect" in node)
    return node.RangeSubselect.lateral !== true && listsRows(recorder, node.RangeSubselect.subquery, ctes);
  if ("RangeFunction" in node) return functionsOf(node.RangeFunction).every((call) => unfoldsList(recorder, call));
  if (!("RangeVar" in node) || node.RangeVar.schemaname !== undefined) return false;
  for (let entry = ctes; entry !== undefined; entry = entry.next)
    if (entry.cte.name === node.RangeVar.relname)
      return claims(recorder, entry.cte.query) || listsRows(recorder, entry.cte.query, entry.next);
  return false;
}

/** More than a batch is no choice of rows. */
const MOST_CLAIMED = 100;

/**
 * `SELECT … LIMIT 10 FOR UPDATE SKIP LOCKED` in WITH, as a queue takes its next jobs: as many rows as it says. What locks rows is run once there,
 * while the server may run a sub-select again, which then finds others.
 */
function claims(recorder: Recorder, node: Node | undefined): boolean {
  // The body of a function is run many times, each of which may find others.
  if (recorder.depth > 0 || node === undefined || !("SelectStmt" in node)) return false;
  const { lockingClause, limitCount, limitOption, op = "SETOP_NONE" } = node.SelectStmt;
  const limit = integerOf(limitCount);
  return (
    lockingClause !== undefined &&
    op === "SETOP_NONE" &&
    limitOption === "LIMIT_OPTION_COUNT" &&
    limit !== undefined &&
    limit <= MOST_CLAIMED
  );
}

function functionsOf(body: RangeFunction): (Node | undefined)[] {
  return (body.functions ?? []).map((node) => ("List" in node ? node.List.items?.[0] : node));
}

/** In a body, which may run many times: the rows that it proposes are the same each time, in the columns that a conflict is about. */
export function proposesSame(
  recorder: Recorder,
  select: SelectStmt,
  ctes: CteList,
  infer: InferClause | undefined,
  given: readonly string[],
): boolean {
  const keys = (infer?.indexElems ?? []).map((node) => ("IndexElem" in node ? node.IndexElem.name : undefined));
  return (
    recorder.variables?.mayWin !== true &&
    keys.length > 0 &&
    keys.every((name) => name !== undefined && given.includes(name)) &&
    listsRows(recorder, { SelectStmt: select }, ctes)
  );
}

/** How many rows the query has is bounded by what it lists, whatever the values are: those that an upsert proposes. */
export function isBounded(recorder: Recorder, select: SelectStmt, ctes: CteList): boolean {
  if (select.valuesLists !== undefined) return !anyReturnsSet(recorder, select.valuesLists);
  if (select.op !== undefined && select.op !== "SETOP_NONE") return listsRows(recorder, { SelectStmt: select }, ctes);
  if (select.withClause !== undefined) return false;
  const targets = (select.targetList ?? []).filter(
    (target) => !("ResTarget" in target && unfoldsList(recorder, withoutCasts(target.ResTarget.val))),
  );
  if (anyReturnsSet(recorder, targets)) return false;
  if (select.fromClause === undefined) return true;
  const [only, ...others] = select.fromClause;
  return (
    only !== undefined &&
    others.length === 0 &&
    targets.length === (select.targetList ?? []).length &&
    listsItem(recorder, only, ctes)
  );
}

function isPlain(select: SelectStmt): boolean {
  return (select.op === undefined || select.op === "SETOP_NONE") && select.withClause === undefined;
}

function valuesOf(row: Node): readonly Node[] {
  return "List" in row ? (row.List.items ?? []) : [];
}

/** Might an expression below give more than one row? */
export function anyReturnsSet(recorder: Recorder, nodes: readonly Node[]): boolean {
  const left: unknown[] = [...nodes];
  while (left.length > 0) {
    const next = left.pop();
    if (Array.isArray(next)) left.push(...next);
    else if (typeof next === "object" && next !== null) {
      if (mayReturnSet(recorder, next as Node)) return true;
      // The rows of a sub-select are not the rows of the query.
      if (!("SelectStmt" in next)) left.push(...Object.values(next));
    }
  }
  return false;
}

function mayReturnSet(recorder: Recorder, node: Node): boolean {
  const { catalog, path } = recorder;
  const named = (schema: string | undefined, name: string) => catalog.functions(schema, name, path);
  switch (kindOf(node)) {
    case "FuncCall": {
      const body = bodyOf<FuncCall>(node);
      const { schema, name } = qualifiedName(body.funcname);
      const entries = named(schema, name);
      // `date('…')` is a cast where no function has that name.
      if (entries.length === 0) return body.args?.length !== 1 || catalog.typeByName(schema, name, path) === 0;
      return entries.some((entry) => entry.returnsSet);
    }
    case "A_Indirection":
    case "ColumnRef": {
      // `(row).f` and `row.f` may be calls.
      const { indirection, fields = [] } = bodyOf<{ indirection?: Node[]; fields?: Node[] }>(node);
      return (indirection ?? fields.slice(1)).some((field) => {
        const name = stringOf(field);
        return name !== undefined && named(undefined, name).some((entry) => entry.returnsSet);
      });
    }
    case "A_Expr": {
      const { name } = qualifiedName(bodyOf<{ name?: Node[] }>(node).name);
      return (catalog.operators.get(name) ?? []).some(({ use }) =>
        named(use.schema, use.name).some((entry) => entry.returnsSet),
      );
    }
    default:
      return false;
  }
}
