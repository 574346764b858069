// email: the first character and the domain stay (a***@example.com); whatever is not one address is hidden whole.
import type { Plain } from "./column.ts";
import { fit, fits, jsonCell, jsonText, shapeOf, valueEnd } from "./column.ts";
import type { Mask, MaskKind } from "./mask.ts";
import { nothing } from "./mask.ts";
import { redaction } from "./redact.ts";
import { Scratch } from "./scratch.ts";

const HIDDEN = "***";

/** One address: no space, one @, and a domain of labels that ends in letters (RFC 5321, without its quoted and literal forms). */
const address = /^([^\s@"]{1,64})@((?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,62})\.)+\p{L}[\p{L}\p{N}\p{M}-]{1,62})$/u;

export const emailMask: MaskKind = {
  parameters: [],
  check: () => undefined,
  plan: (_, column) => {
    const shape = shapeOf(column);
    if (shape?.kind === "plain") return plain(shape);
    if (shape?.kind !== "json") return nothing;
    const other = redaction(column).constant ?? null;
    return (source, start, end) => {
      const text = jsonText(source, start, end, shape.version);
      return text === undefined ? other : jsonCell(emailText(text), shape.version);
    };
  },
};

/** Straight over the bytes where they are ASCII; the rest by the expression. */
function plain(shape: Plain): Mask {
  const hidden = fit(HIDDEN, shape);
  const scratch = new Scratch();
  const room = Math.min(shape.characters ?? Number.MAX_SAFE_INTEGER, shape.bytes ?? Number.MAX_SAFE_INTEGER);
  return (source, start, whole) => {
    const end = valueEnd(source, start, whole, shape);
    const at = addressAt(source, start, end);
    if (at === NOT_ASCII) return emailCell(source.toString("utf8", start, end), shape);
    if (at === NO_ADDRESS) return hidden;
    const kept = at - start > 1 ? 1 : 0;
    const length = kept + HIDDEN.length + end - at;
    if (length > room) return hidden;
    const target = scratch.of(shape.padded ? Math.max(shape.characters ?? 0, length) : length);
    target[0] = source[start]!;
    let into = kept;
    for (let i = 0; i < HIDDEN.length; i++) target[into++] = STAR;
    for (let i = at; i < end; i++) target[into++] = source[i]!;
    if (into < target.length) target.fill(SPACE, into);
    return target;
  };
}

const [SPACE, QUOTE, STAR, HYPHEN, DOT, AT] = [0x20, 0x22, 0x2a, 0x2d, 0x2e, 0x40];
const [NOT_ASCII, NO_ADDRESS] = [-1, -2];
const MOST_CHARACTERS = 320;

/** Where the @ of an address stands; what the expression says, for ASCII. */
function addressAt(source: Buffer, start: number, end: number): number {
  let at = NO_ADDRESS;
  let wrong = end - start > MOST_CHARACTERS;
  // Of the domain: where the label begins, and whether one ended before it.
  let label = -1;
  let labels = 0;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    if (byte >= 0x80) return NOT_ASCII;
    if (byte === AT) {
      if (at >= 0 || i === start || i - start > 64) wrong = true;
      at = i;
      label = i + 1;
    } else if (at < 0) {
      if (byte === QUOTE || byte === SPACE || (byte >= 0x09 && byte <= 0x0d)) wrong = true;
    } else if (byte === DOT) {
      if (i === label || i - label > 63) wrong = true;
      label = i + 1;
      labels++;
    } else if (!isLetter(byte) && !(byte >= 0x30 && byte <= 0x39) && !(byte === HYPHEN && i > label)) wrong = true;
  }
  const last = end - label;
  if (wrong || at < 0 || labels === 0 || last < 2 || last > 63 || !isLetter(source[label]!)) return NO_ADDRESS;
  return at;
}

const isLetter = (byte: number): boolean => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

/** The masked address; of a local part of one character nothing stays. The number of stars tells nothing. */
export function emailText(text: string): string {
  const match = text.length > MOST_CHARACTERS ? null : address.exec(text);
  if (match === null) return HIDDEN;
  const local = match[1]!;
  const first = String.fromCodePoint(local.codePointAt(0)!);
  return `${first === local ? "" : first}${HIDDEN}@${match[2]}`;
}

function emailCell(text: string, column: Plain): Buffer {
  const masked = emailText(text);
  return fit(fits(masked, column) ? masked : HIDDEN, column);
}
