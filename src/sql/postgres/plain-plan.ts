// EXPLAIN without what tells how wide columns are, which costs do: in a text and in its tree.
import type { ExplainStmt, Node } from "libpg-query";
import { isOn, optionOf } from "./nodes.ts";
import type { Edit, SourceText } from "./substitute-text.ts";

export const COSTS_OFF: Node = {
  DefElem: { defname: "costs", arg: { String: { sval: "off" } }, defaction: "DEFELEM_UNSPEC" },
} as Node;

/** What runs tells of widths, and so do costs, and what planning reads and keeps: the statistics of wide values are wide. */
export function tellsWidths(options: readonly Node[] | undefined): boolean {
  const costs = optionOf(options, "costs");
  return costs === undefined || isOn(costs) || asksForMore(options);
}

/** For more than a plan. */
function asksForMore(options: readonly Node[] | undefined): boolean {
  return ["analyze", "buffers", "memory"].some((name) => isOn(optionOf(options, name)));
}

/** Changes the tree, and says how its text is changed; undefined where somebody asked for costs, or for more than a plan. */
export function withoutCosts(body: ExplainStmt, source: SourceText, location: number): Edit | undefined {
  if (optionOf(body.options, "costs") !== undefined || asksForMore(body.options)) return undefined;
  const [word, next] = source.words(location);
  if (word === undefined || next === undefined) return undefined;
  const options = body.options ?? [];
  body.options = [COSTS_OFF, ...options];
  if (options.length === 0) return { start: word.end, end: word.end, text: " (COSTS off)" };
  if (source.slice(next) === "(") return { start: next.end, end: next.end, text: "COSTS off, " };
  return { ...next, text: `(COSTS off, ${source.slice(next)})` };
}
