// card: numbers of payment cards, by issuer prefix, length and Luhn's check digit, in one piece or in the groups they are printed in.
import { luhn } from "./checks.ts";
import { type Detector, isDigit, isSaid, type Span } from "./detector.ts";

/** Prefix range and lengths by issuer (ISO/IEC 7812 ranges as the networks publish them). */
const issuers: readonly (readonly [first: string, last: string, lengths: readonly number[]])[] = [
  ["4", "4", [13, 16, 19]],
  ["51", "55", [16]],
  ["2221", "2720", [16]],
  ["34", "34", [15]],
  ["37", "37", [15]],
  ["300", "305", [14, 16, 19]],
  ["3095", "3095", [14, 16, 19]],
  ["36", "36", [14, 16, 19]],
  ["38", "39", [14, 16, 19]],
  ["3528", "3589", [16, 17, 18, 19]],
  ["6011", "6011", [16, 17, 18, 19]],
  ["644", "649", [16, 17, 18, 19]],
  ["65", "65", [16, 17, 18, 19]],
  ["62", "62", [16, 17, 18, 19]],
  ["81", "82", [16, 17, 18, 19]],
  ["2200", "2204", [16, 17, 18, 19]],
  ["5018", "5018", [13, 14, 15, 16, 17, 18, 19]],
  ["5019", "5019", [16]],
  ["5020", "5020", [13, 14, 15, 16, 17, 18, 19]],
  ["5038", "5038", [13, 14, 15, 16, 17, 18, 19]],
  ["5060", "5089", [16, 17, 18, 19]],
  ["5612", "5612", [16]],
  ["5893", "5893", [13, 14, 15, 16, 17, 18, 19]],
  ["6304", "6304", [13, 14, 15, 16, 17, 18, 19]],
  ["6759", "6759", [13, 14, 15, 16, 17, 18, 19]],
  ["6761", "6763", [13, 14, 15, 16, 17, 18, 19]],
  ["606282", "606282", [16]],
  ["60", "60", [16]],
  ["636", "639", [16, 17, 18, 19]],
  ["9792", "9792", [16]],
];

/** How cards are printed and spelled; groups of one or two digits throughout are taken, too. */
const layouts = new Set(["4-4-4-4", "4-6-5", "4-6-4", "4-4-4-4-3", "4-4-4-1", "4-4-5", "8-8", "6-10", "6-13", "4-12"]);
const SEPARATORS = " \t\r\n-._/+";
/** Characters between two groups. */
const WIDEST = 3;
const SHORTEST = 13;
const LONGEST = 19;

const words = /card|credit|debit|visa|amex|master|pan\b|kredit|karte|carte|tarjeta/i;

export const card: Detector = {
  name: "card",
  needs: [{ stretch: SHORTEST }],
  find(text, named) {
    const spans: Span[] = [];
    for (const chain of chains(text)) {
      for (let first = 0; first < chain.length; first++) {
        const last = cardAt(text, chain, first, named);
        if (last === undefined) continue;
        spans.push({ start: chain[first]!.start, end: chain[last]!.end });
        first = last;
      }
    }
    return spans;
  },
};

/** Groups of digits that the same separator joins. */
function* chains(text: string): Generator<Span[]> {
  let chain: Span[] = [];
  let separator = "";
  for (let at = 0; at < text.length; ) {
    if (!isDigit(text.charCodeAt(at))) {
      at++;
      continue;
    }
    let end = at + 1;
    while (isDigit(text.charCodeAt(end))) end++;
    const group = { start: at, end };
    const before = chain.at(-1);
    const gap = before === undefined ? "" : text.slice(before.end, Math.min(at, before.end + WIDEST + 1));
    const isGap = gap.length > 0 && gap.length <= WIDEST && [...gap].every((sign) => SEPARATORS.includes(sign));
    if (isGap && (chain.length === 1 || gap === separator)) chain.push(group);
    else {
      if (chain.length > 0) yield chain;
      // The last group may begin a chain of its own with another separator.
      chain = isGap && before !== undefined ? [before, group] : [group];
    }
    if (chain.length > 1) separator = gap;
    at = end;
  }
  if (chain.length > 0) yield chain;
}

/** The last group of the card that begins with a group of the chain. */
function cardAt(text: string, chain: readonly Span[], first: number, named: boolean): number | undefined {
  let digits = "";
  let layout = "";
  let found: number | undefined;
  const size = chain[first]!.end - chain[first]!.start;
  let isEven = size <= 2;
  for (let last = first; last < chain.length; last++) {
    const { start, end } = chain[last]!;
    if (digits.length + end - start > LONGEST) break;
    digits += text.slice(start, end);
    layout += `${last === first ? "" : "-"}${end - start}`;
    if (end - start !== size) isEven = false;
    if (digits.length < SHORTEST) continue;
    const isWhole = last === first ? !isFraction(text, start) : layouts.has(layout) || isEven;
    if (isWhole && isCard(text, chain[first]!.start, digits, named || last > first)) found = last;
  }
  return found;
}

/** 0.4111111111111111 is a number. */
function isFraction(text: string, at: number): boolean {
  const sign = text[at - 1];
  return (sign === "." || sign === ",") && isDigit(text.charCodeAt(at - 2));
}

function isCard(text: string, at: number, digits: string, sure: boolean): boolean {
  if (!luhn(digits) || !isIssued(digits) || /^(\d)\1{5}/.test(digits)) return false;
  // Cards of 13 digits are hardly issued any more; articles of a shop have 13, too.
  return digits.length > 13 || sure || !isArticle(digits) || isSaid(text, at, words);
}

function isIssued(digits: string): boolean {
  for (const [first, last, lengths] of issuers) {
    const prefix = digits.slice(0, first.length);
    if (prefix >= first && prefix <= last && lengths.includes(digits.length)) return true;
  }
  return false;
}

/** The check digit of an EAN-13. */
function isArticle(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < 13; i++) sum += (digits.charCodeAt(i) - 48) * (i % 2 === 0 ? 1 : 3);
  return sum % 10 === 0;
}
