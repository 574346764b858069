// Are the answers of both sides the same, byte by byte?
import { cells, errorFields, type WireMessage } from "../support/wire.ts";
import type { Answer, Answers } from "./sessions.ts";

/** Where they differ first, for people. */
export type Difference = { readonly at: number; readonly left: string; readonly right: string };

export function difference(answers: Answers): Difference | undefined {
  const { left, right } = answers;
  const most = Math.max(left.messages.length, right.messages.length);
  const [of, other] = [new Canonical(), new Canonical()];
  for (let at = 0; at < most; at++) {
    const [one, two] = [left.messages[at], right.messages[at]];
    if (one !== undefined && two !== undefined && one.type === two.type && of.text(one) === other.text(two)) continue;
    return { at, left: shown(one, left), right: shown(two, right) };
  }
  return left.broken === right.broken
    ? undefined
    : { at: most, left: shown(undefined, left), right: shown(undefined, right) };
}

/** The bytes of one side's messages, without what differs by itself. */
class Canonical {
  /** Hash masks, in the order of their appearance: they tell which values are equal, and nothing else. */
  readonly #hashes = new Map<string, string>();

  text({ type, body }: WireMessage): string {
    switch (type) {
      // It begins with the process number of whoever notifies: this session's own.
      case "A":
        return body.toString("latin1", 4);
      case "E":
        return withoutDecision(body.toString("latin1"));
      case "D":
      case "d":
        return body.toString("latin1").replace(/(?<![0-9a-fx])[0-9a-f]{64}(?![0-9a-f])/g, (hash) => this.#nth(hash));
      default:
        return body.toString("latin1");
    }
  }

  #nth(hash: string): string {
    const known = this.#hashes.get(hash) ?? `hash ${this.#hashes.size}`;
    this.#hashes.set(hash, known);
    return known;
  }
}

/** A refusal of the gate names its record: by the session's id, and a number that counts what was judged again, too. */
const withoutDecision = (error: string): string =>
  error.replace(/decision [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+/, "decision");

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
