// data.detect of a bundle: which databases have all of their texts searched, and for what.
import { isObject } from "./bundle.ts";
import type { MaskDefect } from "./masks.ts";

/** Each defect with its place. @throws RegateError as {@link MaskDefect} */
export function detectDefects(detect: unknown, defectOf: MaskDefect): { place: string; message: string }[] {
  if (detect === undefined) return [];
  if (!isObject(detect))
    return [{ place: "data.detect", message: 'expected an object: resource to "all" or parameters' }];
  const defects: { place: string; message: string }[] = [];
  for (const [resource, spec] of Object.entries(detect)) {
    if (spec === "all") continue;
    const message = isObject(spec)
      ? defectOf({ ...spec, mask: "detect" })
      : 'expected "all", or parameters of the mask detect, as {"detectors": ["card"]}';
    if (message !== undefined) defects.push({ place: `data.detect.${resource}`, message });
  }
  return defects;
}
