// phone: telephone numbers that libphonenumber's metadata says can be dialled: international ones, those of North America as they are written there, and
// others where a word before them tells.
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js/min";
import { type Detector, isLetter, isSaid, type Span } from "./detector.ts";

/**
 * Candidates of one text that are looked up; each costs some 10 µs. A text with more of them has the rest taken for numbers by their form alone.
 */
const MOST_LOOKED_UP = 100;

const words =
  /(?:phone|mobile|\bmob|cell|\btel|fax|\bcall|whats ?app|\bsms|handy|\bfon|t[eé]l[eé]|m[oó]vil|celular|telefo|gsm|ring|text)[^\n]{0,20}$/i;
/** Digits with the separators that numbers are written with, an extension apart; at most 15 digits in all. */
const candidate = /(?<![\d]|\d[-./,:])(?:\+|\(\+?|\b00)?\d(?:[ \t./()-]{0,3}\d){6,16}(?![\d]|[-/:]\d|[.,]\d)/g;
const american = /^(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.-]|[2-9]\d{2} (?=\d{3} \d))[2-9]\d{2}[ .-]\d{4}$/;
/** Where a number without its country is looked up when a word tells that it is one. */
const countries: readonly CountryCode[] = ["US", "GB", "DE", "FR", "ES", "IT", "IN", "BR", "AU", "NL", "PL", "JP"];
/** Days and times have the form of numbers, too. */
const date =
  /^(?:19|20)\d\d[-./ ]?(?:0[1-9]|1[0-2])[-./ ]?(?:0[1-9]|[12]\d|3[01])|^\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d/;

type LookUp = (written: string, country: CountryCode | undefined, isTold: boolean) => boolean;

export const phone: Detector = {
  name: "phone",
  needs: [{ stretch: 7 }],
  find(text, named) {
    const spans: Span[] = [];
    let budget = MOST_LOOKED_UP;
    const look: LookUp = (written, country, isTold) => {
      if (budget-- <= 0) return true;
      const parsed = parsePhoneNumberFromString(written, {
        ...(country !== undefined && { defaultCountry: country }),
        extract: false,
      });
      if (parsed?.isValid() === true) return true;
      // Ranges are opened faster than metadata follows: after a word, a length that the country has is enough.
      return isTold && country === undefined && parsed?.isPossible() === true;
    };
    candidate.lastIndex = 0;
    for (let match = candidate.exec(text); match !== null; match = candidate.exec(text)) {
      const [written] = match;
      const start = match.index;
      const length = lengthOf(text, start, written, named, look);
      if (length !== undefined) spans.push({ start, end: start + length });
      candidate.lastIndex = start + (length ?? Math.max(1, /^[^ \t(]*/.exec(written)![0].length));
    }
    return spans;
  },
};

/** Numbers may follow each other: what is no number as a whole is tried without its last parts. */
function lengthOf(text: string, at: number, written: string, named: boolean, look: LookUp): number | undefined {
  const isTold = isSaid(text, at, words);
  if (isLetter(text.charCodeAt(at - 1)) && !isTold) return undefined;
  let part = written;
  for (let tries = 0; tries < 4; tries++) {
    if (isNumber(part, named, isTold, look)) return part.length;
    const shorter = part.replace(/[ \t(]+[^ \t(]*$/, "");
    if (shorter.length === part.length || shorter.replace(/\D/g, "").length < 7) return undefined;
    part = shorter;
  }
  return undefined;
}

function isNumber(written: string, named: boolean, isTold: boolean, look: LookUp): boolean {
  if (/^\(?\+/.test(written)) return look(written.replace(/^\(\+/, "+"), undefined, isTold);
  if (date.test(written) && !isTold) return false;
  const hasPrefix = written.startsWith("00") && (isTold || named || /[ ()-]/.test(written));
  if (hasPrefix && look(`+${written.slice(2)}`, undefined, isTold)) return true;
  if (american.test(written)) return look(written, "US", isTold);
  return (isTold || named) && countries.some((country) => look(written, country, isTold));
}
