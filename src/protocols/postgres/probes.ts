// What a command looks up in tagged columns: each value as text, to be counted, never kept or shown.
import type { Probe } from "../../core/inference.ts";
import type { Analysis } from "../../sql/postgres/analysis.ts";
import type { Asked } from "../../sql/postgres/lookups.ts";
import { shapeOf } from "../../sql/postgres/shape.ts";
import { bindParameters, decodeBind } from "./decode.ts";

/** Types between whose values `=` never fails, so that a parameter may be declared with any of them. */
const FAMILIES: readonly ReadonlySet<number>[] = [new Set([25, 1043, 1042]), new Set([21, 23, 20])];

/**
 * `bind`: the body of the Bind that gives the parameters; without it a parameter's value is not known. Nor is it where a parameter was declared
 * with a type into which the column's values would have to be turned: that may fail on them, whatever value is given.
 */
export function probesOf(analysis: Analysis, declared: readonly number[], bind: Buffer | undefined): readonly Probe[] {
  const probes: Probe[] = [];
  let parameters: readonly string[] | undefined;
  let literals: readonly string[] | undefined;
  const found = (asked: Asked): string | undefined => {
    if ("text" in asked) return asked.text;
    if ("literal" in asked) {
      literals ??= shapeOf(analysis.command.text).literals;
      return literals[asked.literal];
    }
    if (bind === undefined || !isLike(declared[asked.parameter - 1] ?? 0, asked.like)) return undefined;
    parameters ??= given(bind);
    return parameters[asked.parameter - 1];
  };
  for (const [statement, { lookups }] of analysis.statements.entries())
    for (const { column, asked } of lookups ?? []) probes.push({ statement, ...column, value: found(asked) });
  return probes;
}

/** The same value in text and in binary counts as two. */
function given(body: Buffer): readonly string[] {
  const bind = decodeBind(body);
  const { parameterFormats } = bind;
  return bindParameters(body, bind).map((value, at) => {
    const format = parameterFormats.length === 1 ? parameterFormats[0] : (parameterFormats[at] ?? 0);
    return value === null ? "null" : `${format} ${value.toString("base64")}`;
  });
}

/** 0: the server takes the column's type. */
function isLike(declared: number, like: number | undefined): boolean {
  if (declared === 0 || like === undefined || declared === like) return true;
  return FAMILIES.some((family) => family.has(declared) && family.has(like));
}
