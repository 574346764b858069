// Are the answers of both sides the same, byte by byte?
import { cells, errorFields, type WireMessage } from "../support/wire.ts";
import type { Answer, Answers } from "./sessions.ts";

/** Where they differ first, for people. */
export type Difference = { readonly at: number; readonly left: string; readonly right: string };

export function difference({ left, right }: Answers): Difference | undefined {
  const most = Math.max(left.messages.length, right.messages.length);
  for (let at = 0; at < most; at++) {
    const [one, other] = [left.messages[at], right.messages[at]];
    if (one !== undefined && other !== undefined && same(one, other)) continue;
    return { at, left: shown(one, left), right: shown(other, right) };
  }
  return left.broken === right.broken
    ? undefined
    : { at: most, left: shown(undefined, left), right: shown(undefined, right) };
}

function same(left: WireMessage, right: WireMessage): boolean {
  if (left.type !== right.type) return false;
  if (left.body.equals(right.body)) return true;
  switch (left.type) {
    // It begins with the process number of whoever notifies: this session's own.
    case "A":
      return left.body.subarray(4).equals(right.body.subarray(4));
    case "E":
      return withoutDecision(left) === withoutDecision(right);
    default:
      return false;
  }
}

/** A refusal of the gate names its record: by the session's id, and a number that counts what was judged again, too. */
const withoutDecision = (error: WireMessage): string =>
  error.body.toString("latin1").replace(/decision [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+/, "decision");

function shown(message: WireMessage | undefined, { broken }: Answer): string {
  if (message === undefined) return broken ?? "nothing more";
  const { type, body } = message;
  switch (type) {
    case "E":
    case "N":
      return `${type} ${JSON.stringify(errorFields(message))}`;
    case "D":
      return `D ${JSON.stringify(cells(message))}`;
    default:
      return `${type} ${JSON.stringify(body.toString("latin1"))}`;
  }
}

/** The SQLSTATE of a statement that took too long or met a lock: chance, not values. */
const CHANCE = new Set(["57014", "55P03", "40P01"]);

/** What took too long on one side tells nothing of values. */
export function byChance({ left, right }: Answers): boolean {
  return [left, right].some(({ messages }) =>
    messages.some((message) => message.type === "E" && CHANCE.has(errorFields(message).C!)),
  );
}
