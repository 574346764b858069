// One statement of a body: of a function, a rule. What it does goes to the body's recorder; what it gives is returned.
import type { Node } from "libpg-query";
import { classWith } from "./absorb.ts";
import { all, expression } from "./expressions.ts";
import { NO_SCOPE } from "./judging.ts";
import { resolveModification } from "./modify.ts";
import { bodyOf, kindOf } from "./nodes.ts";
import type { Recorder, Result } from "./recorder.ts";
import { resolveQuery } from "./select.ts";
import { runBlock, STATEMENTS } from "./statements.ts";

const NOTHING: Result = { members: [], open: false };

/** Utility statements that do no more than their row in the table says. */
const UTILITIES: ReadonlySet<string> = new Set([
  "TruncateStmt",
  "NotifyStmt",
  "LockStmt",
  "ConstraintsSetStmt",
  "VariableSetStmt",
]);

/** What is not a query, and not one of a few other kinds, makes the body opaque. */
export function bodyStatement(recorder: Recorder, node: Node): Result {
  const kind = kindOf(node);
  switch (kind) {
    case "SelectStmt":
      return resolveQuery(recorder, bodyOf(node), undefined, undefined);
    case "InsertStmt":
    case "UpdateStmt":
    case "DeleteStmt":
    case "MergeStmt":
      return resolveModification(recorder, node, undefined, undefined) ?? NOTHING;
    case "ReturnStmt": {
      const value = expression(recorder, bodyOf<{ returnval?: Node }>(node).returnval, NO_SCOPE);
      return { members: [{ name: "?column?", value }], open: false };
    }
    case "CallStmt": {
      const call = bodyOf<{ funccall?: { args?: Node[] } }>(node).funccall;
      const value = expression(recorder, call === undefined ? undefined : { FuncCall: call }, NO_SCOPE);
      // What it gives back for its arguments depends on what it is given, too.
      return {
        members: [
          { name: "*", value },
          ...all(recorder, call?.args, NO_SCOPE).map((arg) => ({ name: "*", value: arg })),
        ],
        open: true,
      };
    }
    case "DoStmt":
      runBlock(recorder, bodyOf(node));
      return NOTHING;
    default: {
      const before = recorder.class;
      const row = Object.hasOwn(STATEMENTS, kind) ? STATEMENTS[kind] : undefined;
      row?.({ recorder, scope: NO_NAMES }, bodyOf(node), node);
      recorder.class = classWith(before, recorder.class);
      if (!UTILITIES.has(kind)) recorder.opaque = true;
      return NOTHING;
    }
  }
}

/** Prepared statements and cursors of the session are not looked through from inside of a body. */
const NO_NAMES = { searchPath: [], user: "", prepared: () => [], cursor: () => [] };
