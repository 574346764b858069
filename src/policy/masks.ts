// data.masks of a bundle, held against the masks that there are. What they are and take is told by who applies them.
import { isObject } from "./bundle.ts";

/**
 * What is wrong with one mask, in words for the policy's author; undefined when nothing is.
 * @throws RegateError where the mask is right, and the gate could not apply it (a key is missing)
 */
export type MaskDefect = (spec: { readonly mask: string; readonly [parameter: string]: unknown }) => string | undefined;

/** A tag with this mask is never shown (rego/lib/masks.rego); it takes no parameters. */
const BLOCK = "block";

/** Each defect with its place. @throws RegateError as {@link MaskDefect} */
export function maskDefects(masks: unknown, defectOf: MaskDefect): { place: string; message: string }[] {
  if (masks === undefined) return [];
  if (!isObject(masks)) return [{ place: "data.masks", message: "expected an object: tag to mask" }];
  const defects: { place: string; message: string }[] = [];
  for (const [tag, spec] of Object.entries(masks)) {
    const message =
      !isObject(spec) || typeof spec.mask !== "string"
        ? 'expected an object with a mask, as {"mask": "redact"}'
        : spec.mask === BLOCK
          ? blockDefect(spec)
          : defectOf(spec as { mask: string });
    if (message !== undefined) defects.push({ place: `data.masks.${tag}`, message });
  }
  return defects;
}

function blockDefect(spec: object): string | undefined {
  const unknown = Object.keys(spec).find((name) => name !== "mask");
  return unknown === undefined ? undefined : `mask block: unknown parameter ${unknown}; it has none`;
}
