// The masks by name: what a decision asks for becomes a function over cells.
import { emailMask } from "./email.ts";
import { hashMask } from "./hash.ts";
import type { Mask, MaskedColumn, MaskKind, MaskOptions, MaskRequest } from "./mask.ts";
import { nullMask } from "./null.ts";
import { partialMask } from "./partial.ts";
import { redactMask } from "./redact.ts";

export type { Mask, MaskedColumn, MaskOptions, MaskRequest } from "./mask.ts";

const kinds: ReadonlyMap<string, MaskKind> = new Map([
  ["null", nullMask],
  ["redact", redactMask],
  ["partial", partialMask],
  ["hash", hashMask],
  ["email", emailMask],
]);

/** The names of all masks. */
export const maskNames: readonly string[] = [...kinds.keys()];

/** Members of a decision's mask that are not parameters. */
const place = new Set(["mask", "statement", "output", "code"]);

/** What is wrong with a mask's name or parameters, in words for the author of the policy; undefined when nothing is. */
export function checkMaskSpec(request: MaskRequest): string | undefined {
  const kind = kinds.get(request.mask);
  if (kind === undefined) return `mask ${JSON.stringify(request.mask)}: unknown; known are ${maskNames.join(", ")}`;
  const defect = kind.check(request);
  if (defect !== undefined) return `mask ${request.mask}: ${defect}`;
  const unknown = Object.keys(request).find((name) => !place.has(name) && !kind.parameters.includes(name));
  if (unknown === undefined) return undefined;
  const known = kind.parameters.length === 0 ? "it has none" : `it has ${kind.parameters.join(", ")}`;
  return `mask ${request.mask}: unknown parameter ${unknown}; ${known}`;
}

/**
 * The function that masks the cells of one column. It gives valid values of the column's type in the column's format, and NULL where the
 * type has none. Undefined when the mask is unknown or its parameters are wrong ({@link checkMaskSpec} says why): then nothing may be shown.
 */
export function planMask(request: MaskRequest, column: MaskedColumn, options: MaskOptions): Mask | undefined {
  if (checkMaskSpec(request) !== undefined) return undefined;
  return kinds.get(request.mask)?.plan(request, column, options);
}
