// email: the first character and the domain stay (a***@example.com); whatever is not one address is hidden whole.
import type { Plain } from "./column.ts";
import { fit, fits, jsonCell, jsonText, shapeOf, valueEnd } from "./column.ts";
import type { MaskKind } from "./mask.ts";
import { nothing } from "./mask.ts";
import { redaction } from "./redact.ts";

const HIDDEN = "***";

/** One address: no space, one @, and a domain of labels that ends in letters (RFC 5321, without its quoted and literal forms). */
const address = /^([^\s@"]{1,64})@((?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,62})\.)+\p{L}[\p{L}\p{N}\p{M}-]{1,62})$/u;

export const emailMask: MaskKind = {
  parameters: [],
  check: () => undefined,
  plan: (_, column) => {
    const shape = shapeOf(column);
    if (shape?.kind === "plain")
      return (source, start, end) =>
        emailCell(source.toString("utf8", start, valueEnd(source, start, end, shape)), shape);
    if (shape?.kind !== "json") return nothing;
    const other = redaction(column).constant ?? null;
    return (source, start, end) => {
      const text = jsonText(source, start, end, shape.version);
      return text === undefined ? other : jsonCell(emailText(text), shape.version);
    };
  },
};

/** The masked address; of a local part of one character nothing stays. The number of stars tells nothing. */
export function emailText(text: string): string {
  const match = text.length > 320 ? null : address.exec(text);
  if (match === null) return HIDDEN;
  const local = match[1]!;
  const first = String.fromCodePoint(local.codePointAt(0)!);
  return `${first === local ? "" : first}${HIDDEN}@${match[2]}`;
}

function emailCell(text: string, column: Plain): Buffer {
  const masked = emailText(text);
  return fit(fits(masked, column) ? masked : HIDDEN, column);
}
