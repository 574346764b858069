// truncate over dates and times, in SQL: to the start of a period, with the bounds of the gate's own mask.
import { asDouble, asInteger, call, cast, literal, op, when } from "./mask-sql-build.ts";

export const PERIODS = ["decade", "year", "quarter", "month", "week", "day", "hour", "minute", "second"] as const;
export type Period = (typeof PERIODS)[number];
const WITHIN_DAY: readonly Period[] = ["hour", "minute", "second"];

const part = (field: string, value: string): string => call("extract", literal(field), value);
const whole = (field: string, value: string): string => asInteger(part(field, value));

/** Infinities stay; years before Christ have none. `cut` is of what is left. */
function bounded(value: string, type: string, first: string, decade: boolean, cut: string): string {
  const at = (moment: string): string => cast(literal(moment), type);
  const early: [string, string][] = decade ? [[op(value, "<", at(first.replace("0001", "0010"))), at(first)]] : [];
  return when(
    [
      [op(value, "=", at("infinity")), value],
      [op(value, "=", at("-infinity")), value],
      [op(value, "<", at(first)), cast("NULL", type)],
      ...early,
    ],
    cut,
  );
}

/** Undefined: nothing would be hidden, or there is no such period in the type. */
export function cutDate(value: string, to: Period): string | undefined {
  if (to === "day" || WITHIN_DAY.includes(to)) return undefined;
  const year = whole("year", value);
  const month = whole("month", value);
  const made = (y: string, m: string): string => call("make_date", y, m, "1");
  const cuts: { readonly [period: string]: string } = {
    // Dates reach further than timestamps: nothing is cut by way of one.
    decade: made(op(year, "-", op(year, "%", "10")), "1"),
    year: made(year, "1"),
    quarter: made(year, op(month, "-", op(op(month, "-", "1"), "%", "3"))),
    month: made(year, month),
    week: op(value, "-", op(whole("isodow", value), "-", "1")),
  };
  return bounded(value, "pg_catalog.date", "0001-01-01", to === "decade", cuts[to]!);
}

/** With a time zone the periods are those of UTC. */
export function cutTimestamp(value: string, to: Period, zoned: boolean): string {
  return bounded(
    value,
    zoned ? "pg_catalog.timestamptz" : "pg_catalog.timestamp",
    zoned ? "0001-01-01 00:00:00+00" : "0001-01-01 00:00:00",
    to === "decade",
    call("date_trunc", literal(to), value, ...(zoned ? [literal("UTC")] : [])),
  );
}

/** With or without a zone, which stays. */
export function cutTime(value: string, to: Period): string | undefined {
  if (!WITHIN_DAY.includes(to)) return undefined;
  const seconds = part("second", value);
  const minutes = to === "hour" ? whole("minute", value) : "0";
  const rest = to === "second" ? op(seconds, "-", call("trunc", seconds)) : seconds;
  // The end of the day would become its start.
  return when(
    [[op(whole("hour", value), "=", "24"), value]],
    op(value, "-", call("make_interval", "0", "0", "0", "0", "0", minutes, asDouble(rest))),
  );
}
