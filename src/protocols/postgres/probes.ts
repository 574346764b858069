// What a command looks up in tagged columns: each value as text, to be counted, never kept or shown.
import type { Probe } from "../../core/inference.ts";
import type { Analysis } from "../../sql/postgres/analysis.ts";
import { isExact } from "../../sql/postgres/exact-values.ts";
import type { Asked } from "../../sql/postgres/lookups.ts";
import { shapeOf } from "../../sql/postgres/shape.ts";
import { bindParameters, decodeBind } from "./decode.ts";

/** Types between whose values `=` never fails, so that a parameter may be declared with any of them. */
const FAMILIES: readonly ReadonlySet<number>[] = [new Set([25, 1043, 1042]), new Set([21, 23, 20])];

/**
 * `bind`: the body of the Bind that gives the parameters; without it a parameter's value is not known. Nor is it where a parameter was declared
 * with a type into which the column's values would have to be turned: that may fail on them, whatever value is given; or where the session's settings
 * say what value its text is.
 */
export function probesOf(analysis: Analysis, declared: readonly number[], bind: Buffer | undefined): readonly Probe[] {
  const probes: Probe[] = [];
  let parameters: readonly Given[] | undefined;
  let literals: readonly string[] | undefined;
  const found = (asked: Asked): string | undefined => {
    const value = constant(asked);
    return value === undefined ? undefined : `${asked.casts} ${value}`;
  };
  const constant = (asked: Asked): string | undefined => {
    if ("text" in asked) return asked.text;
    if ("literal" in asked) {
      literals ??= shapeOf(analysis.command.text).literals;
      return literals[asked.literal];
    }
    const { parameter, like } = asked;
    const type = declared[parameter - 1] ?? 0;
    if (bind === undefined || !isLike(type, like)) return undefined;
    if (type === 0 && !standsOnce(parameter, analysis.command.text)) return undefined;
    parameters ??= given(bind);
    const value = parameters[parameter - 1];
    return value?.text === undefined || isExact(like, value.text) ? value?.probe : undefined;
  };
  for (const [statement, { lookups }] of analysis.statements.entries())
    for (const { column, asked } of lookups ?? []) probes.push({ statement, ...column, value: found(asked) });
  return probes;
}

type Given = { readonly probe: string; readonly text: string | undefined };

/** The same value in text and in binary counts as two. */
function given(body: Buffer): readonly Given[] {
  const bind = decodeBind(body);
  const { parameterFormats } = bind;
  return bindParameters(body, bind).map((value, at) => {
    const format = (parameterFormats.length === 1 ? parameterFormats[0] : parameterFormats[at]) ?? 0;
    if (value === null) return { probe: "null", text: undefined };
    return {
      probe: `${format} ${value.toString("base64")}`,
      text: format === 0 ? value.toString("latin1") : undefined,
    };
  });
}

/** Also in comments and strings: rather too often than not. */
const standsOnce = (parameter: number, text: string): boolean =>
  text.split(/\$(?=\d)/).filter((rest) => Number.parseInt(rest, 10) === parameter).length === 1;

/** 0: the server takes the column's type. */
function isLike(declared: number, like: number): boolean {
  if (declared === 0 || declared === like) return true;
  return FAMILIES.some((family) => family.has(declared) && family.has(like));
}
