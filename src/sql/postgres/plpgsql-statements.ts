// The statements of PL/pgSQL: one row for each kind of node. A kind, or a member, that is not known makes the body opaque.
import type { Column } from "./model.ts";
import type { PlpgsqlNode } from "./parser.ts";
import { scan } from "./parser.ts";
import type { Walk } from "./plpgsql-expressions.ts";
import { assign, assignment, expressionOf, into, query, queryOf, recordOf } from "./plpgsql-expressions.ts";
import type { Store } from "./plpgsql-variables.ts";
import { USE } from "./uses.ts";
import { coerced } from "./user-code.ts";
import type { Value } from "./value.ts";
import { combine, CONSTANT, derived, OPAQUE } from "./value.ts";

type Row = { readonly members: readonly string[]; readonly walk: (walk: Walk, body: PlpgsqlNode) => void };

function walkStatements(walk: Walk, nodes: unknown): void {
  for (const node of (nodes ?? []) as readonly PlpgsqlNode[]) walkStatement(walk, node);
}

export function walkStatement(walk: Walk, node: PlpgsqlNode): void {
  walk.recorder.spend(1);
  const [kind = ""] = Object.keys(node);
  const body = node[kind] as PlpgsqlNode;
  const row = Object.hasOwn(ROWS, kind) ? ROWS[kind] : undefined;
  if (row === undefined || Object.keys(body).some((member) => member !== "lineno" && !row.members.includes(member))) {
    walk.recorder.opaque = true;
    return;
  }
  row.walk(walk, body);
}

/** A condition decides what runs, and so what every variable holds in the end. */
function condition(walk: Walk, node: unknown): void {
  if (node === undefined) return;
  const value = coerced(walk.recorder, expressionOf(walk, node));
  walk.recorder.use(value, USE.filter);
  walk.store.add(walk.store.control, value);
}

function decides(walk: Walk, consumed: readonly Column[]): void {
  walk.store.add(walk.store.control, { ...CONSTANT, sources: consumed });
}

/** It is computed and shown (in a message), or handed to what is not looked through. */
function used(walk: Walk, nodes: unknown): void {
  for (const node of (nodes ?? []) as readonly unknown[]) walk.recorder.use(expressionOf(walk, node), USE.expression);
}

/** The columns that a RETURN gives. */
function returns(walk: Walk, body: PlpgsqlNode): void {
  if (body.expr !== undefined) {
    const value = expressionOf(walk, body.expr);
    walk.assigned.push(value);
    walk.rows.push(value);
    walk.returned.push(value.row === undefined ? [value] : value.row.map((member) => member.value));
    return;
  }
  const number = body.retvarno ?? walk.outParameters;
  if (typeof number !== "number") return;
  const datum = walk.datums[number];
  const row = datum?.PLpgSQL_row as PlpgsqlNode | undefined;
  if (row !== undefined) {
    const fields = (row.fields ?? []) as readonly { varno?: number }[];
    walk.returned.push(fields.map((field) => recordOf(walk, field.varno ?? 0)?.value ?? OPAQUE));
    return;
  }
  const value = recordOf(walk, number)?.value ?? OPAQUE;
  walk.rows.push(value);
  walk.returned.push(value.row === undefined ? [value] : value.row.map((member) => member.value));
}

function openCursor(walk: Walk, body: PlpgsqlNode): void {
  used(walk, body.argquery === undefined ? [] : [body.argquery]);
  used(walk, body.params);
  const number = Number(body.curvar ?? 0);
  const bound = (walk.datums[number]?.PLpgSQL_var as PlpgsqlNode | undefined)?.cursor_explicit_expr;
  // An unbound one may take any name: then a name that the session knows may stand for another query.
  if (bound === undefined || body.query !== undefined || body.dynquery !== undefined) {
    walk.recorder.opaque = true;
    if (body.query !== undefined)
      for (const { value } of query(walk, body.query).result.members) walk.recorder.use(value, USE.expression);
    return;
  }
  cursorRows(walk, number);
}

/** What a bound cursor's query gives. Its arguments are variables, which are assigned where it is opened. */
function cursorRows(walk: Walk, number: number): { rows: { name: string; value: Value }[]; open: boolean } {
  const cursor = walk.datums[number]?.PLpgSQL_var as PlpgsqlNode | undefined;
  const bound = cursor?.cursor_explicit_expr;
  if (bound === undefined) {
    walk.recorder.opaque = true;
    return { rows: [], open: true };
  }
  const { result, consumed } = query(walk, bound);
  decides(walk, consumed);
  for (const { value } of result.members) walk.assigned.push(value);
  return { rows: [...result.members], open: result.open };
}

function cursorArguments(walk: Walk, body: PlpgsqlNode): void {
  if (body.argquery === undefined) return;
  const cursor = walk.datums[Number(body.curvar ?? 0)]?.PLpgSQL_var as PlpgsqlNode | undefined;
  const row = walk.datums[Number(cursor?.cursor_explicit_argrow ?? -1)]?.PLpgSQL_row as PlpgsqlNode | undefined;
  const value = expressionOf(walk, body.argquery);
  walk.assigned.push(value);
  for (const field of (row?.fields ?? []) as readonly { varno?: number }[]) assign(walk, field.varno ?? 0, value);
}

const dynamic = (walk: Walk, body: PlpgsqlNode): void => {
  walk.recorder.opaque = true;
  for (const member of ["query", "dynquery"]) if (body[member] !== undefined) used(walk, [body[member]]);
  used(walk, body.params);
  for (const target of [body.target, body.var]) into(walk, target, [{ name: "?column?", value: OPAQUE }], true);
};

const ROWS: { readonly [kind: string]: Row } = {
  PLpgSQL_stmt_block: {
    members: ["label", "body", "exceptions", "n_initvars"],
    walk: (walk, body) => {
      if (body.label !== undefined) walk.store.label(String(body.label));
      walkStatements(walk, body.body);
      const exceptions = (body.exceptions as PlpgsqlNode | undefined)?.PLpgSQL_exception_block as
        | PlpgsqlNode
        | undefined;
      if (exceptions === undefined) return;
      // Whatever fails decides where it goes on.
      walk.store.add(walk.store.control, derived(walk.store.everything.value, 0, true));
      for (const node of (exceptions.exc_list ?? []) as readonly PlpgsqlNode[])
        walkStatements(walk, (node.PLpgSQL_exception as PlpgsqlNode).action);
    },
  },
  PLpgSQL_stmt_assign: { members: ["varno", "expr"], walk: assignment },
  PLpgSQL_stmt_if: {
    members: ["cond", "then_body", "elsif_list", "else_body"],
    walk: (walk, body) => {
      condition(walk, body.cond);
      walkStatements(walk, body.then_body);
      for (const node of (body.elsif_list ?? []) as readonly PlpgsqlNode[]) {
        const branch = node.PLpgSQL_if_elsif as PlpgsqlNode;
        condition(walk, branch.cond);
        walkStatements(walk, branch.stmts);
      }
      walkStatements(walk, body.else_body);
    },
  },
  PLpgSQL_stmt_case: {
    members: ["t_expr", "t_varno", "case_when_list", "have_else", "else_stmts"],
    walk: (walk, body) => {
      if (body.t_expr !== undefined) {
        condition(walk, body.t_expr);
        assign(walk, Number(body.t_varno ?? 0), expressionOf(walk, body.t_expr));
      }
      for (const node of (body.case_when_list ?? []) as readonly PlpgsqlNode[]) {
        const branch = node.PLpgSQL_case_when as PlpgsqlNode;
        condition(walk, branch.expr);
        walkStatements(walk, branch.stmts);
      }
      walkStatements(walk, body.else_stmts);
    },
  },
  PLpgSQL_stmt_loop: {
    members: ["label", "body"],
    walk: (walk, body) => loop(walk, body),
  },
  PLpgSQL_stmt_while: {
    members: ["label", "cond", "body"],
    walk: (walk, body) => {
      condition(walk, body.cond);
      loop(walk, body);
    },
  },
  PLpgSQL_stmt_fori: {
    members: ["label", "var", "lower", "upper", "step", "reverse", "body"],
    walk: (walk, body) => {
      const bounds = [body.lower, body.upper, body.step].filter((bound) => bound !== undefined);
      const value = combine(
        bounds.map((bound) => coerced(walk.recorder, expressionOf(walk, bound))),
        23,
        false,
      );
      walk.recorder.use(value, USE.filter);
      walk.store.add(walk.store.control, value);
      into(walk, body.var, [{ name: "i", value }], false);
      loop(walk, body);
    },
  },
  PLpgSQL_stmt_fors: {
    members: ["label", "var", "query", "body"],
    walk: (walk, body) => {
      const { result, consumed } = query(walk, body.query);
      decides(walk, consumed);
      for (const { value } of result.members) walk.assigned.push(value);
      into(walk, body.var, result.members, result.open);
      loop(walk, body);
    },
  },
  PLpgSQL_stmt_forc: {
    members: ["label", "var", "curvar", "argquery", "body"],
    walk: (walk, body) => {
      cursorArguments(walk, body);
      const { rows, open } = cursorRows(walk, Number(body.curvar ?? 0));
      into(walk, body.var, rows, open);
      loop(walk, body);
    },
  },
  PLpgSQL_stmt_foreach_a: {
    members: ["label", "varno", "slice", "expr", "body"],
    walk: (walk, body) => {
      const value = expressionOf(walk, body.expr);
      walk.assigned.push(value);
      // How many there are decides how often the loop runs.
      walk.recorder.use(value, USE.filter);
      walk.store.add(walk.store.control, value);
      assign(walk, Number(body.varno ?? 0), { ...derived(value, 0, false) });
      loop(walk, body);
    },
  },
  PLpgSQL_stmt_dynfors: {
    members: ["label", "var", "query", "params", "body"],
    walk: (walk, body) => {
      dynamic(walk, body);
      loop(walk, body);
    },
  },
  PLpgSQL_stmt_exit: { members: ["is_exit", "label", "cond"], walk: (walk, body) => condition(walk, body.cond) },
  PLpgSQL_stmt_return: { members: ["expr", "retvarno"], walk: returns },
  PLpgSQL_stmt_return_next: { members: ["expr", "retvarno"], walk: returns },
  PLpgSQL_stmt_return_query: {
    members: ["query", "dynquery", "params"],
    walk: (walk, body) => {
      if (body.query === undefined) {
        dynamic(walk, body);
        walk.returned.push([OPAQUE]);
        return;
      }
      const { result } = query(walk, body.query);
      const values = result.members.map((member) => member.value);
      for (const value of values) walk.assigned.push(value);
      const row = values.length === 1 ? values[0]!.row?.map((member) => member.value) : undefined;
      walk.returned.push(
        result.open ? [{ ...combine(values, 0, false), derivation: "opaque", total: false }] : (row ?? values),
      );
    },
  },
  PLpgSQL_stmt_raise: {
    members: ["elog_level", "condname", "message", "params", "options"],
    walk: (walk, body) => {
      used(walk, body.params);
      const options = (body.options ?? []) as readonly PlpgsqlNode[];
      used(
        walk,
        options.map((option) => (option.PLpgSQL_raise_option as PlpgsqlNode).expr),
      );
    },
  },
  PLpgSQL_stmt_assert: {
    members: ["cond", "message"],
    walk: (walk, body) => {
      condition(walk, body.cond);
      if (body.message !== undefined) used(walk, [body.message]);
    },
  },
  PLpgSQL_stmt_perform: {
    members: ["expr"],
    walk: (walk, body) => {
      for (const { value } of query(walk, body.expr).result.members) walk.recorder.use(value, USE.expression);
    },
  },
  PLpgSQL_stmt_call: {
    members: ["expr", "is_call"],
    walk: (walk, body) => {
      const { result } = query(walk, body.expr);
      const values = result.members.map((member) => member.value);
      for (const value of values) walk.recorder.use(value, USE.expression);
      // What the procedure gives back goes into the variables among its arguments.
      for (const name of variablesIn(queryOf(body.expr), walk.store))
        walk.store.assign(walk.store.declare(name), combine(values, 0, false));
    },
  },
  PLpgSQL_stmt_execsql: {
    members: ["sqlstmt", "into", "strict", "target", "mod_stmt", "mod_stmt_set"],
    walk: (walk, body) => {
      const { result, consumed } = query(walk, body.sqlstmt);
      if (body.into !== true) {
        for (const { value } of result.members) walk.recorder.use(value, USE.expression);
        return;
      }
      const deciding: Value = { ...CONSTANT, sources: consumed, total: false };
      for (const { value } of result.members) walk.assigned.push(value);
      const members = result.members.map(({ name, value }) => {
        const decided = combine([value, deciding], value.type, false);
        return { name, value: value.row === undefined ? decided : { ...decided, row: value.row }, bare: value };
      });
      into(walk, body.target, members, result.open);
      const target = body.target as PlpgsqlNode | undefined;
      const record = target?.PLpgSQL_rec as PlpgsqlNode | undefined;
      if (record !== undefined) walk.store.assign(walk.store.declare(String(record.refname)), deciding);
    },
  },
  PLpgSQL_stmt_dynexecute: { members: ["query", "into", "strict", "target", "params"], walk: dynamic },
  PLpgSQL_stmt_getdiag: {
    members: ["is_stacked", "diag_items"],
    walk: (walk, body) => {
      for (const node of (body.diag_items ?? []) as readonly PlpgsqlNode[])
        assign(
          walk,
          Number((node.PLpgSQL_diag_item as PlpgsqlNode).target ?? 0),
          derived(walk.store.everything.value, 0, false),
        );
    },
  },
  PLpgSQL_stmt_open: {
    members: ["curvar", "cursor_options", "query", "argquery", "dynquery", "params"],
    walk: (walk, body) => {
      cursorArguments(walk, body);
      openCursor(walk, body);
    },
  },
  PLpgSQL_stmt_fetch: {
    members: ["target", "curvar", "direction", "how_many", "expr", "is_move", "returns_multiple_rows"],
    walk: (walk, body) => {
      if (body.expr !== undefined) condition(walk, body.expr);
      const { rows, open } = cursorRows(walk, Number(body.curvar ?? 0));
      into(walk, body.target, rows, open);
    },
  },
  PLpgSQL_stmt_close: {
    members: ["curvar"],
    walk: (walk, body) => {
      const cursor = walk.datums[Number(body.curvar ?? 0)]?.PLpgSQL_var as PlpgsqlNode | undefined;
      if (cursor?.cursor_explicit_expr === undefined) walk.recorder.opaque = true;
    },
  },
  // The end of a transaction takes back what was set in it.
  PLpgSQL_stmt_commit: { members: ["chain"], walk: (walk) => endsTransaction(walk) },
  PLpgSQL_stmt_rollback: { members: ["chain"], walk: (walk) => endsTransaction(walk) },
};

function loop(walk: Walk, body: PlpgsqlNode): void {
  if (body.label !== undefined) walk.store.label(String(body.label));
  walkStatements(walk, body.body);
}

function endsTransaction(walk: Walk): void {
  walk.recorder.changesSettings = true;
}

/** Words of a text that name variables. */
function variablesIn(text: string, store: Store): readonly string[] {
  return scan(text)
    .map((token) =>
      token.text.startsWith('"') ? token.text.slice(1, -1).replaceAll('""', '"') : token.text.toLowerCase(),
    )
    .filter((name) => store.has(name));
}
