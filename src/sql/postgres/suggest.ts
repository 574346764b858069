// A statement near a refused one that would pass: without the parts that are refused by themselves. Who asks says what passes.
import { deparseSync } from "pgsql-deparser";
import type { ExplainStmt, Node, SelectStmt } from "libpg-query";
import { RegateError } from "../../errors.ts";
import { hasStar, stringOf } from "./nodes.ts";
import { COSTS_OFF } from "./plain-plan.ts";
import { sameTree } from "./same-tree.ts";
import { shapeOf, wholeTreeOf } from "./shape.ts";

/** Each part is judged by itself: a statement of more parts gets no suggestion. */
const MOST_PARTS = 24;
/** Nobody reads a longer one. */
const LONGEST = 600;

type Passes = (text: string) => boolean;
/** Does the statement more than to show something, as far as is known? */
type Acts = (text: string) => boolean;
/** A part of a SELECT that can be taken out: what stays of the statement to judge it alone, and how to take it out of the whole. */
type Part = {
  readonly alone: SelectStmt;
  readonly without: (select: SelectStmt) => SelectStmt;
  /** It can not be left out alone: `*` is not one output that NULL could stand for, and grouping sets group by what else is shown. */
  readonly whole?: boolean;
};

/**
 * The text without the outputs (NULL in their place), conditions and sort or group terms that do not pass by themselves; undefined if that does not
 * pass either, if it would show nothing or not do what the text is for, or if the text is no single query.
 */
export function suggest(text: string, passes: Passes, acts: Acts): string | undefined {
  const statements = parsed(text);
  const only = statements?.length === 1 ? statements[0]?.stmt : undefined;
  if (only !== undefined && "ExplainStmt" in only) return plainPlan(text, only.ExplainStmt, passes);
  const select = only !== undefined && "SelectStmt" in only ? (only.SelectStmt as SelectStmt) : undefined;
  if (select === undefined || (select.op ?? "SETOP_NONE") !== "SETOP_NONE" || select.valuesLists !== undefined)
    return undefined;
  const parts = partsOf(select);
  if (parts.length > MOST_PARTS || !canBeWritten(text, { SelectStmt: select })) return undefined;
  const bad = parts.filter(({ alone }) => !passes(written({ SelectStmt: alone })));
  if (bad.length === 0 || bad.some(({ whole }) => whole)) return undefined;
  if (bad.some(({ alone }) => acts(written({ SelectStmt: alone })))) return undefined;
  const left = bad.reduce((rest, { without }) => without(rest), select);
  return showsNothing(left) ? undefined : tried(written({ SelectStmt: left }), passes);
}

function tried(candidate: string, passes: Passes): string | undefined {
  return candidate.length <= LONGEST && parametersInOrder(candidate) && passes(candidate) ? candidate : undefined;
}

/** What EXPLAIN shows without costs, and without running the statement. */
function plainPlan(text: string, { query, options = [] }: ExplainStmt, passes: Passes): string | undefined {
  const kept = options.filter(
    (option) => "DefElem" in option && ["verbose", "format"].includes(option.DefElem.defname!),
  );
  const plain = { ExplainStmt: { query, options: [COSTS_OFF, ...kept] } } as Node;
  if (!canBeWritten(text, plain)) return undefined;
  return tried(written(plain), passes);
}

/** A parameter that nothing uses has no type: the server would not take the statement. */
function parametersInOrder(text: string): boolean {
  const numbers = new Set([...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  return [...numbers].every((number) => number <= numbers.size);
}

function parsed(text: string): readonly { stmt?: Node }[] | undefined {
  try {
    return wholeTreeOf(shapeOf(text)).stmts;
  } catch (thrown) {
    if (thrown instanceof RegateError) return undefined;
    throw thrown;
  }
}

const written = (statement: Node): string =>
  deparseSync(statement as never, { pretty: false })
    .replaceAll(/\s+/g, " ")
    .trim();

/** What the deparser does not know it drops, or throws and tells the console. */
function canBeWritten(text: string, statement: Node): boolean {
  if (/"Json[A-Z]\w*":/.test(shapeOf(text).json)) return false;
  try {
    return sameTree(parsed(written(statement))?.[0]?.stmt, statement);
  } catch {
    return false;
  }
}

const nothing: Node = { A_Const: { isnull: true } } as Node;
const target = (val: Node, name?: string): Node =>
  ({ ResTarget: { ...(name === undefined ? {} : { name }), val } }) as Node;

function partsOf(select: SelectStmt): Part[] {
  const { fromClause, withClause } = select;
  const base = {
    limitOption: "LIMIT_OPTION_DEFAULT",
    op: "SETOP_NONE",
    ...(fromClause === undefined ? {} : { fromClause }),
    ...(withClause === undefined ? {} : { withClause }),
  } as SelectStmt;
  const probe = (more: Partial<SelectStmt>): SelectStmt => ({ ...base, targetList: [target(nothing)], ...more });
  const parts: Part[] = [];
  for (const [at, item] of (select.targetList ?? []).entries()) {
    const value = "ResTarget" in item ? (item.ResTarget as { name?: string; val?: Node }) : undefined;
    if (value?.val === undefined) continue;
    parts.push({
      alone: probe({ targetList: [item] }),
      whole: isStar(value.val),
      without: (whole) => ({
        ...whole,
        targetList: whole.targetList!.map((each, i) =>
          i === at ? target(nothing, value.name ?? nameOf(value.val!)) : each,
        ),
      }),
    });
  }
  for (const condition of conditionsOf(select.whereClause))
    parts.push({
      alone: probe({ whereClause: condition }),
      without: (whole) => {
        const { whereClause, ...rest } = whole;
        const left = conditionsOf(whereClause).filter((each) => each !== condition);
        return left.length === 0 ? rest : { ...rest, whereClause: conjunction(left) };
      },
    });
  for (const list of ["sortClause", "groupClause", "distinctClause"] as const)
    for (const item of select[list] ?? [])
      parts.push({
        alone: probe({ [list]: [item] }),
        whole: "GroupingSet" in item,
        without: (whole) => {
          const { [list]: items, ...rest } = whole;
          const left = (items ?? []).filter((each) => each !== item);
          const shown = list === "groupClause" ? ungrouped(rest, item) : rest;
          return left.length === 0 ? shown : { ...shown, [list]: left };
        },
      });
  if (select.havingClause !== undefined)
    parts.push({
      alone: probe({ havingClause: select.havingClause }),
      without: ({ havingClause: _, ...rest }) => rest,
    });
  return parts;
}

function showsNothing({ targetList = [] }: SelectStmt): boolean {
  return targetList.every((each) => "ResTarget" in each && sameTree(each.ResTarget.val, nothing));
}

function isStar(value: Node): boolean {
  return "ColumnRef" in value && hasStar(value.ColumnRef.fields);
}

/** Outputs that are what is no longer grouped by have no value to show. */
function ungrouped(select: SelectStmt, item: Node): SelectStmt {
  return {
    ...select,
    targetList: (select.targetList ?? []).map((each) => {
      const value = "ResTarget" in each ? (each.ResTarget as { name?: string; val?: Node }) : undefined;
      return value?.val !== undefined && sameTree(value.val, item)
        ? target(nothing, value.name ?? nameOf(value.val))
        : each;
    }),
  };
}

function conditionsOf(where: Node | undefined): readonly Node[] {
  if (where === undefined) return [];
  const and = "BoolExpr" in where ? (where.BoolExpr as { boolop?: string; args?: Node[] }) : undefined;
  return and?.boolop === "AND_EXPR" ? (and.args ?? []) : [where];
}

const conjunction = (conditions: readonly Node[]): Node =>
  conditions.length === 1 ? conditions[0]! : ({ BoolExpr: { boolop: "AND_EXPR", args: [...conditions] } } as Node);

/** As the server would call the column (parse_target.c, FigureColname), for the forms that have an obvious name. */
function nameOf(value: Node): string | undefined {
  if ("ColumnRef" in value) return stringOf(value.ColumnRef.fields?.at(-1));
  if ("FuncCall" in value) return stringOf(value.FuncCall.funcname?.at(-1));
  if ("TypeCast" in value && value.TypeCast.arg !== undefined) return nameOf(value.TypeCast.arg);
  return undefined;
}
