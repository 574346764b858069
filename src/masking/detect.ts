// detect: values like cards, addresses and keys inside free text are replaced, and the text around them stays.
import { isUtf8 } from "node:buffer";
import { fit, type Plain, shapeOf, valueEnd } from "./column.ts";
import { maskJson } from "./detect-json.ts";
import { maskXml } from "./detect-xml.ts";
import { detectors, findAll, groups, type Wanted, wanted } from "./detectors/index.ts";
import { DISGUISE, mayHold, type Needs, noTraits, traitsOfBytes } from "./detectors/traits.ts";
import { Hmac } from "./hash.ts";
import type { Mask, MaskedColumn, MaskKind, MaskRequest } from "./mask.ts";
import { nothing } from "./mask.ts";
import { checkPartial, parametersOf, partialText } from "./partial.ts";
import { REDACTED, redaction } from "./redact.ts";

/** Bytes of the largest cell that is searched; a larger one is redacted whole. */
const LARGEST = 1024 * 1024;
const replacements = ["label", "redact", "partial", "hash", "null"];

/** The text without what was found in it, null where all of it has to go, undefined where nothing was found. */
export type Censor = (text: string, label?: string) => string | null | undefined;

export const detectMask: MaskKind = {
  parameters: ["detectors", "with", "keep_first", "keep_last", "char"],
  check: (request) => {
    const { detectors: names = "all", with: replacement = "label" } = request;
    const known = `all, or a list of ${[...groups.keys(), ...detectors.map(({ name }) => name)].join(", ")}`;
    if (names !== "all") {
      const isList = Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string");
      if (!isList) return `detectors: expected ${known}`;
      const found = wanted(names as string[]);
      if ("unknown" in found) return `detectors: ${JSON.stringify(found.unknown)} is unknown; expected ${known}`;
    }
    if (!replacements.includes(replacement as string)) return `with: expected one of ${replacements.join(", ")}`;
    const kept = ["keep_first", "keep_last", "char"].find((name) => request[name] !== undefined);
    if (kept !== undefined && replacement !== "partial") return `${kept}: only with: partial takes it`;
    return checkPartial(request);
  },
  plan: (request, column, { key }) => {
    const found = wanted((request.detectors as "all" | string[] | undefined) ?? "all");
    // check() has said so before.
    if ("unknown" in found) return nothing;
    const censor = censorOf(found, replacementOf(request, key));
    return planOne(
      column,
      censor,
      found.flatMap(({ detector }) => detector.needs),
    );
  },
};

function planOne(column: MaskedColumn, censor: Censor, needs: readonly Needs[]): Mask {
  const shape = shapeOf(column);
  if (shape?.kind === "plain") return quick(column, needs, plainMask(shape, censor));
  if (shape?.kind !== "json" && shape?.kind !== "xml") return nothing;
  const { kind, version } = shape;
  const whole = redaction(column).constant ?? null;
  // A name of a password tells what its value is, whatever it has.
  return (source, start, end) => {
    if (end - start > LARGEST || (version && source[start] !== 1)) return whole;
    const from = version ? start + 1 : start;
    if (!isUtf8(source.subarray(from, end))) return whole;
    const text = source.toString("utf8", from, end);
    const masked = kind === "json" ? maskJson(text, censor) : maskXml(text, censor);
    if (masked === undefined) return source.subarray(start, end);
    if (masked === "defective") return whole;
    return masked === null ? null : Buffer.from(`${version ? "\x01" : ""}${masked}`, "utf8");
  };
}

/** Passes the cells in which nothing can be found, by one look at their bytes. */
function quick(column: MaskedColumn, needs: readonly Needs[], mask: Mask): Mask {
  const traits = noTraits();
  const whole = redaction(column).constant ?? null;
  const distinct = fewest(needs);
  return (source, start, end) => {
    if (end - start > LARGEST) return whole;
    traitsOfBytes(source, start, end, traits);
    if ((traits.signs & DISGUISE) === 0 && !mayHold(traits, distinct)) return source.subarray(start, end);
    return mask(source, start, end);
  };
}

/** Without those that another one includes. */
function fewest(needs: readonly Needs[]): readonly Needs[] {
  const includes = (a: Needs, b: Needs): boolean => mayHold({ ...noTraits(), ...b }, [a]);
  return needs.filter(
    (one, i) => !needs.some((other, j) => j !== i && includes(other, one) && (j < i || !includes(one, other))),
  );
}

function plainMask(column: Plain, censor: Censor): Mask {
  const broken = fit(REDACTED, column);
  return (source, start, end) => {
    const to = valueEnd(source, start, end, column);
    const masked = censor(source.toString("utf8", start, to));
    if (masked === undefined) return source.subarray(start, end);
    if (masked === null) return null;
    // Bytes that are no text (a SQL_ASCII database may send them) have no places.
    return isUtf8(source.subarray(start, to)) ? fit(masked, column) : broken;
  };
}

type Replacement = (name: string, value: string) => string | null;

function replacementOf(request: MaskRequest, key: Buffer): Replacement {
  switch (request.with) {
    case "redact":
      return () => REDACTED;
    case "partial": {
      const parameters = parametersOf(request);
      return (_, value) => partialText(value, parameters);
    }
    case "hash": {
      const hmac = new Hmac(key);
      return (_, value) => {
        const bytes = Buffer.from(value, "utf8");
        return hmac.hex(bytes, 0, bytes.length);
      };
    }
    case "null":
      return () => null;
    default:
      return (name) => `[${name}]`;
  }
}

function censorOf(searched: readonly Wanted[], replacement: Replacement): Censor {
  return (text, label) => {
    const found = findAll(text, searched, label);
    if (found.length === 0) return undefined;
    let masked = "";
    let at = 0;
    for (const { start, end, name } of found) {
      const piece = replacement(name, text.slice(start, end));
      if (piece === null) return null;
      masked += text.slice(at, start) + piece;
      at = end;
    }
    return masked + text.slice(at);
  };
}
