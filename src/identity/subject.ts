// Who somebody is: the form of subjects, groups and scopes, and the kind that a subject's prefix tells.
import type { Identity } from "../core/facts.ts";

export type Kind = Identity["kind"];
const kinds: readonly Kind[] = ["agent", "human", "service"];

/** Longest name of a subject, group, scope or resource, in UTF-16 units. */
export const NAME_LENGTH = 256;

/** "agent:bot" → agent; undefined when no known prefix says it. */
export function kindOf(subject: string): Kind | undefined {
  const prefix = subject.slice(0, subject.indexOf(":"));
  return kinds.find((kind) => kind === prefix);
}

export function isKind(value: unknown): value is Kind {
  return kinds.includes(value as Kind);
}

/** A name that cannot be mistaken for another: composed (NFC), nothing invisible in it, no space around it. */
export function isName(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value !== "" &&
    value.length <= NAME_LENGTH &&
    value === value.normalize("NFC") &&
    value === value.trim() &&
    !/[\p{C}\p{Zl}\p{Zp}]/u.test(value)
  );
}

/** RFC 6749, section 3.3: scopes stand in one text, with spaces between. */
export function isScope(value: unknown): value is string {
  return typeof value === "string" && value.length <= NAME_LENGTH && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value);
}
