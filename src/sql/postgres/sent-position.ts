// Where in a client's text stands what the server points at in the text that was made of it.
import { charactersBefore } from "./position.ts";
import { type Edit, inOrder } from "./substitute-text.ts";

/** Positions count characters from 1, as the protocol does. Undefined within what the client did not write. */
export function originalPosition(
  original: string,
  sent: string,
  edits: readonly Edit[],
  position: number,
): number | undefined {
  const at = Buffer.byteLength([...sent].slice(0, position - 1).join(""));
  let added = 0;
  for (const { start, end, text } of inOrder(edits)) {
    if (at < start + added) break;
    const bytes = Buffer.byteLength(text);
    if (at < start + added + bytes) return undefined;
    added += bytes - (end - start);
  }
  return charactersBefore(original, at - added) + 1;
}
