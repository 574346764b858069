// Errors and notices that are longer than any text for people: cut, so that the gate need not hold what a server writes into one.
import { BACKEND } from "./codes.ts";
import { encodeError, encodeNotice } from "./message.ts";

/** A message of the fields that begin in `body`, the start of one: the last of them cut at a character, and marked. */
export function cutFields(type: number, body: Buffer): Buffer {
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < body.length; ) {
    const letter = String.fromCharCode(body[at]!);
    const end = body.indexOf(0, at + 1);
    if (end < 0) {
      // A character that was cut in two is left out.
      const text = new TextDecoder().decode(body.subarray(at + 1), { stream: true });
      fields[letter] = `${text}… (cut by the gate)`;
      break;
    }
    fields[letter] = body.toString("utf8", at + 1, end);
    at = end + 1;
  }
  return type === BACKEND.errorResponse ? encodeError(fields) : encodeNotice(fields);
}
