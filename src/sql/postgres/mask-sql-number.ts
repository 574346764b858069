// truncate over numbers, in SQL: towards zero, to a multiple of a step or to the first significant digits.
import { asBigint, asDouble, asNumeric, asText, call, cast, literal, op, when } from "./mask-sql-build.ts";

export type Cut = { readonly step: number } | { readonly digits: number };

/** More digits than any number that people keep: the gate's own mask gives NULL, too. */
export const MOST_DIGITS = 2000;

const zero = asNumeric("0");

/** A finite numeric, cut. With a step there are no digits after the point; else as few as can be if `trims`. */
export function cutNumeric(value: string, cut: Cut, trims: boolean): string {
  if ("step" in cut) return call("trunc", op(value, "-", call("mod", value, asNumeric(String(cut.step)))));
  const size = call("abs", value);
  const whole = call("length", asText(call("trunc", size)));
  const fraction = call("split_part", asText(size), literal("."), "2");
  const zeros = op(call("length", fraction), "-", call("length", call("ltrim", fraction, literal("0"))));
  const digits = String(cut.digits);
  const result = when(
    [
      [op(value, "=", zero), zero],
      [op(size, ">=", asNumeric("1")), call("trunc", value, op(digits, "-", whole))],
    ],
    call("trunc", value, op(digits, "+", zeros)),
  );
  return trims ? call("trim_scale", result) : result;
}

/** smallint, integer, bigint. Undefined: nothing would be hidden. */
export function cutInteger(value: string, cut: Cut, type: string): string | undefined {
  if (!("step" in cut)) return cast(cutNumeric(asNumeric(value), cut, false), type);
  if (cut.step === 1) return undefined;
  const wide = asBigint(value);
  return cast(op(wide, "-", call("mod", wide, asBigint(String(cut.step)))), type);
}

const special = (value: string, type: string): [string, string][] =>
  ["NaN", "Infinity", "-Infinity"].map((each) => [op(value, "=", cast(literal(each), type)), value]);

/** What is not finite stays. `scaled`: the type says how many digits there are, which may be no infinite number of them, and NaN stays by itself. */
export function cutDecimal(value: string, cut: Cut, type: string, scaled: boolean): string {
  if (scaled) return cast(cutNumeric(value, cut, false), type);
  return when(
    [
      ...special(value, "pg_catalog.numeric"),
      [op(call("length", asText(value)), ">", String(MOST_DIGITS)), cast("NULL", type)],
    ],
    cast(cutNumeric(value, cut, !scaled), type),
  );
}

/** By the digits that a cast to numeric keeps: those of the text depend on `extra_float_digits`. NULL for the largest. */
export function cutFloat(value: string, cut: Cut, type: string, single: boolean): string {
  // Near the largest number, its rounded digits could leave the type.
  const limit = single ? "3.4e38" : "1e308";
  return when(
    [...special(value, type), [op(call("abs", asDouble(value)), ">=", asDouble(literal(limit))), cast("NULL", type)]],
    cast(cutNumeric(asNumeric(value), cut, false), type),
  );
}
