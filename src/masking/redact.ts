// redact: one fixed text in place of every value, so that nothing of it is told but that it is there.
import { byteaCell, fit, jsonCell, shapeOf } from "./column.ts";
import type { Mask, MaskedColumn, MaskKind } from "./mask.ts";
import { constant, nothing } from "./mask.ts";

export const REDACTED = "[redacted]";

/** For types that take no text: NULL. */
export function redaction(column: MaskedColumn): Mask {
  const shape = shapeOf(column);
  switch (shape?.kind) {
    case "plain":
      return constant(fit(REDACTED, shape));
    case "json":
      return constant(jsonCell(REDACTED, shape.version));
    case "xml":
      // An element is valid as a document and as content; a bare text is only the latter.
      return constant(Buffer.from("<redacted/>", "latin1"));
    case "bytea":
      return constant(byteaCell(Buffer.from(REDACTED, "latin1"), shape.binary));
    default:
      return nothing;
  }
}

export const redactMask: MaskKind = { parameters: [], check: () => undefined, plan: (_, column) => redaction(column) };
