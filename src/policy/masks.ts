// data.masks of a bundle, held against the masks that there are. What they are and take is told by who applies them.
import { isObject } from "./bundle.ts";

/**
 * What is wrong with one mask, in words for the policy's author; undefined when nothing is.
 * @throws RegateError where the mask is right, and the gate could not apply it (a key is missing)
 */
export type MaskDefect = (spec: { readonly mask: string; readonly [parameter: string]: unknown }) => string | undefined;

/** Members of a tag's mask that are no parameters of it: what else becomes of a column with the tag (rego/lib/masks.rego). */
const SETTINGS: { readonly [name: string]: (value: unknown, spec: { readonly mask: string }) => string | undefined } = {
  on_derived: (value, { mask }) => {
    if (value !== "substitute" && value !== "mask" && value !== "refuse")
      return 'on_derived: expected "substitute", "mask" or "refuse"';
    return value === "substitute" && !SUBSTITUTABLE.has(mask)
      ? `on_derived: substitute is possible with ${[...SUBSTITUTABLE].join(", ")} only`
      : undefined;
  },
  lookup: (value) =>
    value === true || (isObject(value) && Object.keys(value).join() === "budget" && isBudget(value.budget))
      ? undefined
      : `lookup: expected true or {"budget": N}, with N from 1 to ${MOST_LOOKUPS}`,
  writes: (value) => (value === "allow" || value === "refuse" ? undefined : 'writes: expected "allow" or "refuse"'),
};

/** More are not counted (src/state/probes.ts). */
const MOST_LOOKUPS = 10_000;
const isBudget = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_LOOKUPS;

/** What SQL can make of a column as the gate does. */
const SUBSTITUTABLE: ReadonlySet<string> = new Set(["null", "redact", "partial", "truncate", "email"]);

/** Tags that the facts give: to what the gate masked itself, and to what is computed of protected columns. No classification and no mask has them. */
export const RESERVED: ReadonlySet<string> = new Set(["masked", "computed"]);

/** A tag with this mask is never shown (rego/lib/masks.rego); it takes no parameters. */
const BLOCK = "block";

/** Each defect with its place. @throws RegateError as {@link MaskDefect} */
export function maskDefects(masks: unknown, defectOf: MaskDefect): { place: string; message: string }[] {
  if (masks === undefined) return [];
  if (!isObject(masks)) return [{ place: "data.masks", message: "expected an object: tag to mask" }];
  const defects: { place: string; message: string }[] = [];
  for (const [tag, spec] of Object.entries(masks)) {
    const message = RESERVED.has(tag) ? "the tag is the gate's own" : defectIn(spec, defectOf);
    if (message !== undefined) defects.push({ place: `data.masks.${tag}`, message });
  }
  return defects;
}

function defectIn(spec: unknown, defectOf: MaskDefect): string | undefined {
  if (!isObject(spec) || typeof spec.mask !== "string") return 'expected an object with a mask, as {"mask": "redact"}';
  if (spec.mask === BLOCK) return blockDefect(spec);
  const own: { mask: string; [name: string]: unknown } = { mask: spec.mask };
  for (const [name, value] of Object.entries(spec)) {
    const check = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
    if (check === undefined) own[name] = value;
    else {
      const defect = check(value, own);
      if (defect !== undefined) return defect;
    }
  }
  return defectOf(own);
}

function blockDefect(spec: object): string | undefined {
  const unknown = Object.keys(spec).find((name) => name !== "mask");
  return unknown === undefined ? undefined : `mask block: unknown parameter ${unknown}; it has none`;
}
