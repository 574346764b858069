// data.notifications of a bundle: the channels whose payloads are shown, by resource.
import { isObject } from "./bundle.ts";

/** Each defect with its place. */
export function notificationDefects(notifications: unknown): { place: string; message: string }[] {
  if (notifications === undefined) return [];
  if (!isObject(notifications))
    return [{ place: "data.notifications", message: "expected an object: resource to a list of channels" }];
  return Object.entries(notifications).flatMap(([resource, channels]) =>
    Array.isArray(channels) && channels.every((channel) => typeof channel === "string")
      ? []
      : [{ place: `data.notifications.${resource}`, message: 'expected a list of channels, as ["jobs"]' }],
  );
}
