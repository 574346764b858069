// Expressions, queries and targets of PL/pgSQL: texts in its tree that are SQL, and the variables into which they go.
import type { Node } from "libpg-query";
import { splitName } from "../../core/qualified-name.ts";
import { bodyStatement } from "./body-statements.ts";
import { typeOf } from "./casts.ts";
import type { Column } from "./model.ts";
import type { PlpgsqlNode } from "./parser.ts";
import { parse, scan } from "./parser.ts";
import { converted, fieldMeets, fieldsMeet, isGiven, type Put } from "./plpgsql-conversions.ts";
import type { Store, Variable } from "./plpgsql-variables.ts";
import type { Recorder, Result } from "./recorder.ts";
import { resolveQuery } from "./select.ts";
import type { Value } from "./value.ts";
import { combine, CONSTANT, NO_COLUMNS, OPAQUE } from "./value.ts";

/** What walking a body gathers. */
export type Walk = {
  readonly recorder: Recorder;
  readonly store: Store;
  readonly datums: readonly PlpgsqlNode[];
  /** Values that went into variables: they are used, but decide nothing by that. */
  readonly assigned: Value[];
  /** One for each RETURN: the columns that it gives. */
  readonly returned: (readonly Value[])[];
  /** What each RETURN of a trigger gives. */
  readonly rows: Value[];
  outParameters: number | undefined;
};

/** An expression node, or its text. */
export function expressionOf(walk: Walk, node: unknown): Value {
  return expressionText(walk, queryOf(node));
}

/** The text of an expression is what stands behind SELECT. */
export function expressionText(walk: Walk, text: string): Value {
  const { recorder } = walk;
  const statements = parse(`SELECT ${text}`).stmts ?? [];
  const statement = statements[0]?.stmt;
  if (statements.length !== 1 || statement === undefined || !("SelectStmt" in statement)) {
    recorder.opaque = true;
    return OPAQUE;
  }
  const { result, consumed } = recorder.consumedBy(() =>
    resolveQuery(recorder, statement.SelectStmt, undefined, undefined),
  );
  return firstOf(result, consumed);
}

/** What a query gives to a variable: its first columns, and what decides which row that is. */
function firstOf(result: Result, consumed: readonly Column[]): Value {
  const values = result.members.map((member) => member.value);
  const deciding: Value = consumed.length === 0 ? CONSTANT : { ...CONSTANT, sources: consumed, total: false };
  const [first] = values;
  if (values.length === 1 && consumed.length === 0 && !result.open) return first!;
  const value = combine([...values, deciding], values.length === 1 ? first!.type : 0, false);
  return result.open ? { ...value, derivation: "opaque", total: false } : value;
}

export function queryOf(node: unknown): string {
  return String(((node as PlpgsqlNode).PLpgSQL_expr as PlpgsqlNode).query);
}

/** A static query or command. */
export function query(walk: Walk, node: unknown): { result: Result; consumed: readonly Column[] } {
  const { recorder } = walk;
  const statements = parse(queryOf(node)).stmts ?? [];
  const statement = statements[0]?.stmt;
  if (statements.length !== 1 || statement === undefined) {
    recorder.opaque = true;
    return { result: { members: [], open: true }, consumed: NO_COLUMNS };
  }
  return recorder.consumedBy(() => bodyStatement(recorder, statement));
}

/** Puts a row of values into a target: a record, or a list of variables. */
export function into(walk: Walk, target: unknown, values: readonly Put[], open: boolean): void {
  const node = target as PlpgsqlNode | undefined;
  if (node === undefined) return;
  const all = combine(
    values.map(({ value }) => value),
    0,
    false,
  );
  const whole: Value = open ? { ...all, derivation: "opaque" } : all;
  const row = node.PLpgSQL_row as PlpgsqlNode | undefined;
  if (row !== undefined) {
    const fields = (row.fields ?? []) as readonly { varno?: number }[];
    // A single variable may be a row.
    const parts: readonly Put[] =
      !open && fields.length === values.length ? values : fields.map(() => ({ name: "", value: whole }));
    fields.forEach((field, at) => {
      assign(walk, field.varno ?? 0, parts[at]!.value, values, parts[at]!.bare);
    });
    return;
  }
  const scalar = node.PLpgSQL_var as PlpgsqlNode | undefined;
  if (scalar !== undefined) {
    const variable = walk.store.declare(String(scalar.refname));
    walk.store.assign(variable, converted(walk.recorder, variable, whole));
    return;
  }
  const record = node.PLpgSQL_rec as PlpgsqlNode | undefined;
  if (record === undefined) {
    walk.recorder.opaque = true;
    return;
  }
  const variable = walk.store.declare(String(record.refname));
  const only = values.length === 1 ? values[0]!.value : undefined;
  fieldsMeet(walk.recorder, variable, only?.row ?? values);
  isGiven(walk.recorder, variable, only === undefined ? whole : (values[0]!.bare ?? whole));
  // A type that users made looks like a record's to the parser.
  if (!variable.isRecord && variable.shape === undefined)
    walk.store.assign(
      variable,
      converted(walk.recorder, variable, whole, only === undefined ? whole : values[0]!.bare),
    );
  if (open) walk.store.assign(variable, whole);
  else walk.store.assign(variable, only?.row === undefined ? { ...all, row: values } : only);
  // A query's only column may also be a field of the record.
  if (!open && only?.row !== undefined) walk.store.assign(variable, { ...all, row: values });
}

/** Assigns to the datum of that number. */
export function assign(walk: Walk, number: number, value: Value, row: readonly Put[] = [], bare = value): void {
  const { store, datums, recorder } = walk;
  const datum = datums[number];
  const field = datum?.PLpgSQL_recfield as PlpgsqlNode | undefined;
  const body = (datum?.PLpgSQL_var ?? datum?.PLpgSQL_rec) as PlpgsqlNode | undefined;
  if (field !== undefined) {
    const parent = recordOf(walk, Number(field.recparentno ?? 0));
    if (parent === undefined) return;
    fieldMeets(recorder, parent, String(field.fieldname), value);
    store.assign(parent, value, String(field.fieldname));
  } else if (body !== undefined) {
    const variable = store.declare(String(body.refname));
    // `%ROWTYPE` is not told from a scalar.
    const isRow = variable.shape?.rows().length === row.length;
    if (isRow) fieldsMeet(recorder, variable, row);
    if (isRow) isGiven(recorder, variable, bare);
    store.assign(variable, isRow ? { ...value, row } : converted(recorder, variable, value, bare));
    if (isCursor(walk, number)) recorder.opaque = true;
  } else recorder.opaque = true;
}

export function recordOf(walk: Walk, number: number): Variable | undefined {
  const body = (walk.datums[number]?.PLpgSQL_rec ?? walk.datums[number]?.PLpgSQL_var) as PlpgsqlNode | undefined;
  if (body !== undefined) return walk.store.declare(String(body.refname));
  walk.recorder.opaque = true;
  return undefined;
}

function isCursor(walk: Walk, number: number): boolean {
  const body = walk.datums[number]?.PLpgSQL_var as PlpgsqlNode | undefined;
  return (
    ((body?.datatype as PlpgsqlNode | undefined)?.PLpgSQL_type as PlpgsqlNode | undefined)?.typname === "refcursor"
  );
}

/** `target := value`; the target may have subscripts, which count. */
export function assignment(walk: Walk, body: PlpgsqlNode): void {
  const text = queryOf(body.expr);
  const bytes = Buffer.from(text);
  let depth = 0;
  for (const token of scan(text)) {
    if (token.text === "(" || token.text === "[") depth++;
    else if (token.text === ")" || token.text === "]") depth--;
    else if (depth === 0 && (token.text === ":=" || token.text === "=")) {
      const target = bytes.subarray(0, token.start).toString();
      let value = expressionText(walk, bytes.subarray(token.end).toString());
      if (target.includes("[")) value = combine([value, expressionText(walk, target)], 0, false);
      walk.assigned.push(value);
      assign(walk, Number(body.varno ?? 0), value);
      return;
    }
  }
  walk.recorder.opaque = true;
}

/** The type of a declaration: a name, `table.column%TYPE`, `table%ROWTYPE`. 0 where it is not known. */
export function typeNamed(recorder: Recorder, name: string): number {
  const { catalog, path } = recorder;
  const copied = /^(.*)%(type|rowtype)$/is.exec(name);
  if (copied !== null) {
    const parts = splitName(copied[1]!.trim(), true);
    const column = copied[2]!.toLowerCase() === "type" ? parts?.pop() : undefined;
    const relation = parts === undefined ? undefined : catalog.resolveRelation(parts.at(-2), parts.at(-1) ?? "", path);
    return (column === undefined ? relation?.rowType : relation?.column(column)?.type) ?? 0;
  }
  if (name === "" || name === "record") return 0;
  let target: Node | undefined;
  try {
    const statement = parse(`SELECT NULL::${name}`).stmts?.[0]?.stmt;
    target = statement !== undefined && "SelectStmt" in statement ? statement.SelectStmt.targetList?.[0] : undefined;
  } catch {
    return 0;
  }
  const cast = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
  return cast !== undefined && "TypeCast" in cast ? typeOf(recorder, cast.TypeCast.typeName) : 0;
}
