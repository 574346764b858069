// The sections of a bundle's data that the gate itself reads or applies, held against their form.
import type { JsonObject } from "./bundle.ts";
import { detectDefects } from "./detect.ts";
import { type MaskDefect, maskDefects } from "./masks.ts";
import { notificationDefects } from "./notifications.ts";

/** Each defect with its place. @throws RegateError as {@link MaskDefect} */
export function dataDefects(
  { masks, detect, notifications }: JsonObject,
  defectOf: MaskDefect,
): { place: string; message: string }[] {
  return [...maskDefects(masks, defectOf), ...detectDefects(detect, defectOf), ...notificationDefects(notifications)];
}
