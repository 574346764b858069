// truncate: dates and times to the start of a period, numbers to a step or to some significant digits, towards zero.
import { jsonText, shapeOf } from "./column.ts";
import type { Mask, MaskedColumn, MaskKind, MaskRequest } from "./mask.ts";
import { nothing } from "./mask.ts";
import { redaction } from "./redact.ts";
import { type Cut, cutNumbers, isNumber, jsonNumber } from "./truncate-number.ts";
import { cutTimes, isTime, PERIODS, type Period } from "./truncate-time.ts";

/** Steps above this would not be exact as a JSON number. */
const MOST_STEP = 1e15;

export const truncateMask: MaskKind = {
  parameters: ["to", "step", "digits"],
  check: ({ to, step, digits }) => {
    if (to === undefined && step === undefined && digits === undefined)
      return "expected to (for dates and times), step or digits (for numbers)";
    if (to !== undefined && !PERIODS.includes(to as Period)) return `to: expected one of ${PERIODS.join(", ")}`;
    if (step !== undefined && digits !== undefined) return "expected step or digits, not both";
    if (step !== undefined && !(Number.isInteger(step) && (step as number) >= 1 && (step as number) <= MOST_STEP))
      return `step: expected a whole number from 1 to ${MOST_STEP}`;
    if (digits !== undefined && !(Number.isInteger(digits) && (digits as number) >= 1 && (digits as number) <= 100))
      return "digits: expected a whole number from 1 to 100";
    return undefined;
  },
  plan,
};

function plan(request: MaskRequest, column: MaskedColumn): Mask {
  const { to, step, digits } = request as { to?: Period; step?: number; digits?: number };
  const cut: Cut | undefined = step !== undefined ? { step } : digits !== undefined ? { digits } : undefined;
  if (column.format !== 0 && column.format !== 1) return nothing;
  if (isTime(column)) return to === undefined ? nothing : cutTimes(column, to);
  if (isNumber(column)) return cut === undefined ? nothing : cutNumbers(column, cut);
  const other = redaction(column);
  const shape = shapeOf(column);
  if (shape?.kind !== "json" || cut === undefined) return other;
  const hidden = other.constant ?? null;
  return (source, start, end) => {
    const { version } = shape;
    if (version && source[start] !== 1) return hidden;
    if (jsonText(source, start, end, version) !== undefined) return hidden;
    const number = jsonNumber(source.toString("latin1", version ? start + 1 : start, end).trim(), cut);
    return number === undefined ? hidden : Buffer.from(`${version ? "\x01" : ""}${number}`, "latin1");
  };
}
