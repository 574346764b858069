// How many parameters a text has: the highest $n in it.
import { parse } from "./parser.ts";

/** @throws RegateError as {@link parse} does */
export function parameterCount(text: string): number {
  let highest = 0;
  // Iterative: a tree may nest deeper than the stack.
  const open: unknown[] = [parse(text).stmts];
  for (let node = open.pop(); open.length > 0 || node !== undefined; node = open.pop()) {
    if (typeof node !== "object" || node === null) continue;
    const { ParamRef } = node as { ParamRef?: { number?: number } };
    if (ParamRef?.number !== undefined && ParamRef.number > highest) highest = ParamRef.number;
    for (const member of Object.values(node)) if (typeof member === "object") open.push(member);
  }
  return highest;
}
