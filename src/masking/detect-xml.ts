// detect over XML: text and the values of attributes are searched, names and markup stay.
import type { Censor } from "./detect.ts";

/** Stands for a value where neither an escape nor every character is possible: in comments, CDATA and instructions. */
const HIDDEN = "***";
const attribute = /([^\s=<>"'/]+)\s*=\s*("[^"<]*"|'[^'<]*')/g;

/** The document with its found values replaced; undefined if there are none, null if it has to go whole, "defective" if it is no document. */
export function maskXml(text: string, censor: Censor): string | null | undefined {
  let masked = "";
  let copied = 0;
  let isGone = false;
  const replace = (start: number, end: number, label: string, isRaw: boolean): void => {
    const value = text.slice(start, end);
    if (value.trim() === "") return;
    const censored = censor(value, label);
    if (censored === undefined) return;
    if (censored === null) {
      isGone = true;
      return;
    }
    masked += text.slice(copied, start) + (isRaw ? HIDDEN : escaped(censored));
    copied = end;
  };
  let label = "";
  for (let at = 0; at < text.length; ) {
    if (text[at] !== "<") {
      const next = text.indexOf("<", at);
      const end = next === -1 ? text.length : next;
      replace(at, end, label, false);
      at = end;
      continue;
    }
    const raw = rawAt(text, at);
    if (raw !== undefined) {
      const closed = text.indexOf(raw.close, at + raw.open.length);
      if (closed === -1) return "defective";
      if (raw.isSearched) replace(at + raw.open.length, closed, label, true);
      at = closed + raw.close.length;
      continue;
    }
    const end = tagEnd(text, at);
    if (end === undefined) return "defective";
    attributesOf(text, at, end, replace);
    const name = /^<([^\s/>]+)/.exec(text.slice(at, Math.min(end, at + 256)))?.[1];
    label = name === undefined || text[end - 2] === "/" ? "" : name;
    at = end;
  }
  if (isGone) return null;
  return copied === 0 ? undefined : masked + text.slice(copied);
}

type Raw = { readonly open: string; readonly close: string; readonly isSearched: boolean };
const raws: readonly Raw[] = [
  { open: "<!--", close: "-->", isSearched: true },
  { open: "<![CDATA[", close: "]]>", isSearched: true },
  // The declaration of a document's version and encoding.
  { open: "<?xml ", close: "?>", isSearched: false },
  { open: "<?", close: "?>", isSearched: true },
];
const rawAt = (text: string, at: number): Raw | undefined => raws.find(({ open }) => text.startsWith(open, at));

/** After the tag's >, which may stand in a quoted value, too. */
function tagEnd(text: string, start: number): number | undefined {
  let quote = "";
  let depth = 0;
  for (let at = start + 1; at < text.length; at++) {
    const sign = text[at]!;
    if (quote !== "") {
      if (sign === quote) quote = "";
    } else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === "[") depth++;
    else if (sign === "]") depth--;
    else if (sign === ">" && depth <= 0) return at + 1;
  }
  return undefined;
}

function attributesOf(
  text: string,
  start: number,
  end: number,
  replace: (start: number, end: number, label: string, isRaw: boolean) => void,
): void {
  // A document type's declarations have values of entities in them, which are quoted, too.
  for (const match of text.slice(start, end).matchAll(attribute)) {
    const from = start + match.index + match[0].length - match[2]!.length + 1;
    const name = match[1]!;
    // The name of a namespace is no value.
    if (name !== "xmlns" && !name.startsWith("xmlns:")) replace(from, from + match[2]!.length - 2, name, false);
  }
}

/** What a replacement may have brought in; entities that were there stay as they were. */
function escaped(text: string): string {
  return text
    .replace(/&(?!(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z_][\w.-]*);)/g, "&amp;")
    .replace(/[<>"']/g, (sign) => ({ "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" })[sign]!);
}
