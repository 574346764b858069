// The sections of a bundle's data that the gate itself reads or applies, held against their form.
import type { JsonObject } from "./bundle.ts";
import { classificationDefects } from "./classification.ts";
import { detectDefects } from "./detect.ts";
import { type MaskDefect, maskDefects } from "./masks.ts";
import { notificationDefects } from "./notifications.ts";

/** Sections that the gate reads, whether or not a rule does. */
export const READ_BY_THE_GATE: readonly string[] = ["classification", "masks", "detect", "notifications"];

/** Each defect with its place. @throws RegateError as {@link MaskDefect} */
export function dataDefects(
  { classification, masks, detect, notifications }: JsonObject,
  defectOf: MaskDefect,
): { place: string; message: string }[] {
  return [
    ...classificationDefects(classification),
    ...maskDefects(masks, defectOf),
    ...detectDefects(detect, defectOf),
    ...notificationDefects(notifications),
  ];
}
