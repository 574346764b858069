// The masks by name: what a decision asks for becomes a function over cells.
import { RegateError } from "../errors.ts";
import { arrayMask, elementOf } from "./arrays.ts";
import { detectMask } from "./detect.ts";
import { emailMask } from "./email.ts";
import { hashMask } from "./hash.ts";
import { jsonMask } from "./json.ts";
import type { Mask, MaskedColumn, MaskKind, MaskOptions, MaskRequest } from "./mask.ts";
import { nullMask } from "./null.ts";
import { partialMask } from "./partial.ts";
import { redactMask } from "./redact.ts";
import { missing, tokenizeMask } from "./tokenize.ts";
import { truncateMask } from "./truncate.ts";

export type { Mask, MaskedColumn, MaskOptions, MaskRequest } from "./mask.ts";
export { detokenize } from "./tokenize.ts";
export { isSame, planDetect } from "./detect-output.ts";

/** Those that mask a value as a whole. */
const whole: ReadonlyMap<string, MaskKind> = new Map([
  ["null", nullMask],
  ["redact", redactMask],
  ["partial", partialMask],
  ["hash", hashMask],
  ["email", emailMask],
  ["tokenize", tokenizeMask],
  ["truncate", truncateMask],
  ["detect", detectMask],
]);
const kinds: ReadonlyMap<string, MaskKind> = new Map([...whole, ["json", jsonMask(whole, checkMaskSpec)]]);

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

/** The names of the keys that a mask needs; none where its parameters are wrong. */
function keysOf(request: MaskRequest): readonly string[] {
  return checkMaskSpec(request) === undefined ? (kinds.get(request.mask)?.keys?.(request) ?? []) : [];
}

/**
 * The function that masks the cells of one column. It gives valid values of the column's type in the column's format, and NULL where the
 * type has none.
 * @throws RegateError MASK_IMPOSSIBLE (unknown, or with wrong parameters), MASK_KEY_MISSING, KEY_UNREADABLE: then nothing may be shown
 */
export function planMask(request: MaskRequest, column: MaskedColumn, options: MaskOptions): Mask {
  const defect = checkMaskSpec(request);
  if (defect !== undefined) throw new RegateError("MASK_IMPOSSIBLE", { detail: `The policy asks for ${defect}.` });
  const kind = kinds.get(request.mask)!;
  const element = elementOf(column);
  return element === undefined
    ? kind.plan(request, column, options)
    : arrayMask(kind.plan(request, element, options), element);
}

/** @throws RegateError MASK_KEY_MISSING, KEY_UNREADABLE, where a mask could not be applied for want of a key */
export function checkKeys(request: MaskRequest, { tokenKey }: Pick<MaskOptions, "tokenKey">): void {
  const name = keysOf(request).find((key) => tokenKey?.(key) === undefined);
  if (name !== undefined) throw missing(name);
}
