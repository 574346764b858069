// Rules: what ON INSERT, UPDATE and DELETE do besides, or instead, with NEW and OLD as the rows of the statement.
import type { RuleStmt } from "libpg-query";
import { absorb } from "./absorb.ts";
import { bodyStatement } from "./body-statements.ts";
import { expression } from "./expressions.ts";
import { NO_SCOPE } from "./judging.ts";
import type { Attached } from "./model.ts";
import { bodyOf, kindOf } from "./nodes.ts";
import { parse } from "./parser.ts";
import type { Variables } from "./placeholders.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Rows } from "./triggers.ts";

const MAX_DEPTH = 24;

/** A rule's actions run with the statement's own rows; whether the statement itself still runs makes no difference to what it may do. */
export function runRule(recorder: Recorder, attached: Attached, rows: Rows): void {
  recorder.scoped = false;
  const rule = ruleOf(attached);
  if (rule === undefined || recorder.depth >= MAX_DEPTH) {
    recorder.functions.add(attached.use);
    recorder.opaque = true;
    return;
  }
  const variables: Variables = {
    mayWin: false,
    numbered: () => undefined,
    named: ([first = "", second, third], step) => {
      const row = first === "new" ? rows.fresh : first === "old" ? rows.old : undefined;
      if (row === undefined || second === undefined) return row;
      const field = step(row, second);
      return third === undefined ? field : step(field, third);
    },
  };
  const own = recorder.within(variables);
  if (rule.whereClause !== undefined) own.use(expression(own, rule.whereClause, NO_SCOPE), USE.filter);
  let shows = false;
  for (const action of rule.actions ?? []) {
    bodyStatement(own, action);
    // Its result is the client's: beside the statement's own, or in its place.
    if (kindOf(action) === "SelectStmt" || bodyOf<{ returningClause?: unknown }>(action).returningClause !== undefined)
      shows = true;
  }
  const understood = !own.opaque && !own.unresolved && !own.changesNames && !shows;
  const { schema, name } = attached.use;
  absorb(recorder, own, new Map(), `${schema}.${name}`);
  recorder.functions.add(understood ? { ...attached.use, opaque: false, effect: "state" } : attached.use);
  if (!understood) recorder.opaque = true;
}

const rules = new WeakMap<Attached, RuleStmt | "unreadable">();

function ruleOf(attached: Attached): RuleStmt | undefined {
  let found = rules.get(attached);
  if (found === undefined) {
    found = "unreadable";
    try {
      const statement = parse(attached.definition).stmts?.[0]?.stmt;
      if (statement !== undefined && "RuleStmt" in statement) found = statement.RuleStmt;
    } catch {
      // It stays unreadable.
    }
    rules.set(attached, found);
  }
  return found === "unreadable" ? undefined : found;
}
