// detect over JSON: strings and numbers inside a document are searched, its keys and its form stay.
import type { Censor } from "./detect.ts";

const number = /-?\d[\d.eE+-]*/y;

/** The document with its found values replaced; undefined if there are none, "defective" if it is no document. */
export function maskJson(text: string, censor: Censor): string | undefined {
  /** The key under which a container's values stand: those of an array all under the array's own. */
  const labels: string[] = [];
  let label = "";
  let masked = "";
  let copied = 0;
  const replace = (start: number, end: number, value: string): void => {
    const censored = censor(value, label);
    if (censored === undefined) return;
    masked += text.slice(copied, start) + JSON.stringify(censored);
    copied = end;
  };
  for (let at = 0; at < text.length; ) {
    const sign = text[at]!;
    if (sign === '"') {
      const end = stringEnd(text, at);
      const value = end === undefined ? undefined : stringOf(text.slice(at, end));
      if (end === undefined || value === undefined) return "defective";
      const isKey = isColon(text, end);
      if (isKey) label = value;
      else replace(at, end, value);
      at = end;
    } else if (sign === "{" || sign === "[") {
      labels.push(label);
      at++;
    } else if (sign === "}" || sign === "]") {
      label = labels.pop() ?? "";
      at++;
    } else if (sign === "-" || (sign >= "0" && sign <= "9")) {
      number.lastIndex = at;
      const written = number.exec(text)?.[0];
      if (written === undefined) return "defective";
      replace(at, at + written.length, written);
      at += written.length;
    } else at++;
  }
  return copied === 0 ? undefined : masked + text.slice(copied);
}

function stringEnd(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return undefined;
}

function stringOf(written: string): string | undefined {
  if (!written.includes("\\")) return written.slice(1, -1);
  try {
    return JSON.parse(written) as string;
  } catch {
    return undefined;
  }
}

function isColon(text: string, from: number): boolean {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return text[at] === ":";
}
