// email: addresses with a domain of labels, an address literal or a quoted local part (RFC 5322, RFC 6531).
import { type Detector, isDigit, type Span } from "./detector.ts";
import { AT } from "./traits.ts";

const LONGEST_LOCAL = 128;
const LONGEST_DOMAIN = 255;
const local = /[\p{L}\p{N}\p{M}._%+'!#$*~^`{}=-]/u;
const domain = /[\p{L}\p{N}\p{M}.-]/u;
/** Labels, of which the last is of letters, or the coded form of such. */
const host = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,62})\.)+(?:xn--[a-z0-9-]{1,59}|\p{L}[\p{L}\p{M}]{1,62})/iu;
/** app@1.0.2-beta.rc and icon@2x.png are none. */
const version = /^(?:\d+\.\d+|[1-9]x\.(?:png|jpe?g|gif|webp|svg|avif)\b)/i;
const literal = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]{2,45})\]/i;

export const email: Detector = {
  name: "email",
  needs: [{ signs: AT }],
  find(text) {
    const spans: Span[] = [];
    let reached = 0;
    for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
      const end = domainEnd(text, at + 1);
      if (end === undefined) continue;
      const start = localStart(text, at, reached);
      if (start === at) continue;
      // A repository's address: git@host:path.
      if (text.slice(start, at) === "git" && text[end] === ":") continue;
      spans.push({ start, end });
      reached = end;
    }
    return spans;
  },
};

function domainEnd(text: string, from: number): number | undefined {
  if (text[from] === "[") {
    const match = literal.exec(text.slice(from, from + 64));
    return match === null ? undefined : from + match[0].length;
  }
  let end = from;
  while (end < text.length && end - from < LONGEST_DOMAIN && isOf(domain, text, end)) end++;
  const written = text.slice(from, end);
  if (version.test(written)) return undefined;
  const match = host.exec(written);
  return match === null ? undefined : from + match[0].length;
}

function localStart(text: string, at: number, reached: number): number {
  if (text[at - 1] === '"') return quotedStart(text, at, reached);
  const least = Math.max(reached, at - LONGEST_LOCAL);
  let start = at;
  while (start > least && isOf(local, text, start - 1)) start--;
  // name=alice@…: what is before = is no part of the address, unless it is one that carries another (bounce+bob=example.com@…).
  const written = text.slice(start, at);
  const equals = written.lastIndexOf("=");
  if (equals !== -1 && !/\+|^prvs=/.test(written.slice(0, equals + 1))) start += equals + 1;
  // Quotes and marks around it are none of it either.
  while (start < at && !/[\p{L}\p{N}_]/u.test(characterAt(text, start))) start++;
  return start;
}

function quotedStart(text: string, at: number, reached: number): number {
  const least = Math.max(reached, at - 1 - LONGEST_LOCAL);
  const opened = text.lastIndexOf('"', at - 2);
  return opened >= least && opened < at - 2 ? opened : at;
}

/** Half of a pair counts as its whole. */
function characterAt(text: string, at: number): string {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdfff) return text[at]!;
  return String.fromCodePoint(text.codePointAt(code < 0xdc00 ? at : at - 1)!);
}

function isOf(set: RegExp, text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (isDigit(code)) return true;
  return set.test(code < 128 ? text[at]! : characterAt(text, at));
}
