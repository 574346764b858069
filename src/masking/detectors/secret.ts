// secret: what stands after password=, "api_key": , Bearer and the like, and passwords inside addresses (scheme://user:password@host).
import { type Detector, isDigit, isLetter, type Span } from "./detector.ts";
import { ASSIGNMENT, BEYOND_HEX } from "./traits.ts";

/** A name of a password takes any value; a name of a key takes what looks random. */
const names =
  /(passwor[dt]|passwd|passphrase|kennwort|contrase[nñ]a|mot_de_passe|pass|pwd)|(api[_. -]?key|secret|token|credentials?|private[_. -]?key(?:[_. -]?id)?|access[_. -]?key|encryption[_. -]?key|signing[_. -]?key|auth[_. -]?key|session[_. -]?id|authorization)/gi;
const assigned = /[\w\]]{0,24}["'`)\]]{0,2}[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}(?:bearer |basic |token )?(["'`]?)/iy;
const scheme = /\b(?:bearer|basic)[ \t]{1,4}(?=[A-Za-z0-9._~+/=-]{16})/gi;
const inAddress = /:\/\/[^\s:/@"'<>]{0,64}:/g;

/** Characters by which a value is judged. */
const JUDGED = 256;
const placeholder =
  /^(?:[*x•.#-]+|null|nil|none|true|false|undefined|redacted|hidden|required|optional|string|changeme|example|placeholder|your[\w-]*|n\/a|\$\{[^}]*\}?|\{\{[^}]*\}{0,2}|\$\w+|%\w+%?|<[\w -]*>?|\[[a-z _-]*\]?)$/i;

export const secret: Detector = {
  name: "secret",
  needs: [{ signs: ASSIGNMENT }, { run: 16, signs: BEYOND_HEX }],
  find(text) {
    const spans: Span[] = [];
    assignments(text, spans);
    for (const match of text.matchAll(scheme)) {
      const start = match.index + match[0].length;
      const end = tokenEnd(text, start);
      const value = text.slice(start, Math.min(end, start + JUDGED));
      if (isRandom(value) && !placeholder.test(value)) spans.push({ start, end });
    }
    for (const match of text.matchAll(inAddress)) {
      const start = match.index + match[0].length;
      let end = start;
      while (end < text.length && !/[\s/@"'<>]/.test(text[end]!)) end++;
      if (text[end] === "@" && end > start && !placeholder.test(text.slice(start, Math.min(end, start + JUDGED))))
        spans.push({ start, end });
    }
    return spans;
  },
};

/** True of a value that a document keeps under this name. */
export function isSecretOf(name: string, value: string): boolean {
  names.lastIndex = 0;
  const match = names.exec(name);
  return match !== null && isSecret(value.slice(0, JUDGED), match[1] !== undefined, true);
}

function assignments(text: string, spans: Span[]): void {
  // Times have colons, too.
  if (!/=|:(?!\d)|\D:/.test(text)) return;
  // Where the last bare value ended, and how far that was read: one that begins inside ends there, too.
  let bare = { end: 0, reached: 0 };
  names.lastIndex = 0;
  for (let match = names.exec(text); match !== null; match = names.exec(text)) {
    assigned.lastIndex = names.lastIndex;
    const sign = assigned.exec(text);
    if (sign === null) continue;
    const start = assigned.lastIndex;
    const quote = sign[1]!;
    if (quote === "" && start >= bare.reached) bare = bareEnd(text, start);
    const end = quote === "" ? bare.end : quotedEnd(text, start, quote);
    const value = text.slice(start, Math.min(end, start + JUDGED));
    const isPassword = match[1] !== undefined;
    // password=word is one; "Password: please …" is a sentence.
    const isTight = quote !== "" || /=/.test(sign[0]);
    const isFound = isSecret(value, isPassword, isTight);
    if (isFound) spans.push({ start, end });
    names.lastIndex = Math.max(names.lastIndex, isFound ? end : start);
  }
}

function isSecret(value: string, isPassword: boolean, isTight: boolean): boolean {
  if (value.length < 3 || placeholder.test(value)) return false;
  if (isPassword) return isTight || /[^a-z]/.test(value.slice(1));
  return value.length >= 8 && (isRandom(value) || (isTight && /\d/.test(value) && /[A-Za-z]/.test(value)));
}

function bareEnd(text: string, from: number): { end: number; reached: number } {
  let reached = from;
  while (reached < text.length && !/[\s"'`,;&<>]/.test(text[reached]!)) reached++;
  // A full stop or bracket at the end is of the sentence.
  let end = reached;
  while (end > from && /[.)\]}]/.test(text[end - 1]!)) end--;
  return { end, reached };
}

function quotedEnd(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return Math.min(at, text.length);
}

function tokenEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[A-Za-z0-9._~+/=-]/.test(text[at]!)) at++;
  return at;
}

/** Letters with digits or of both cases, of which many differ: Shannon's entropy of its characters is at least 2.7 bits. */
function isRandom(value: string): boolean {
  const counts = new Map<string, number>();
  let [digits, upper, lower] = [0, 0, 0];
  for (const character of value) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
    const code = character.charCodeAt(0);
    if (isDigit(code)) digits++;
    else if (isLetter(code)) code < 97 ? upper++ : lower++;
  }
  if (value.length < 8 || (digits === 0 && (upper < 2 || lower < 2))) return false;
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / value.length) * Math.log2(count / value.length);
  return entropy >= 2.7;
}
