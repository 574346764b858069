// What a detector is, and the form that most number detectors share: a pattern, a check, and words that tell what a bare number is.
import type { Needs } from "./traits.ts";

/** text.slice(start, end) is a found value. */
export type Span = { readonly start: number; readonly end: number };

/**
 * Finds one kind of value in linear time, whatever the text. `needs`: what a text must have for a find to be possible, one of several; a text
 * without it is never searched. `named`: the policy asked for this detector by name, so that a number that only its check digit
 * speaks for is taken, too.
 */
export type Detector = {
  readonly name: string;
  readonly needs: readonly Needs[];
  find(text: string, named: boolean): Span[];
};

/** No digit, and no digit with a separator, stands before or after: the number is not a part of a longer one. */
export const BEFORE = "(?<!\\d|\\d[-./])";
export const AFTER = "(?![A-Za-z0-9]|[-./]\\d)";

/** Characters before a value in which a word may tell what it is. */
const NEAR = 40;

/** True if one of the words stands close before the value. */
export function isSaid(text: string, at: number, words: RegExp): boolean {
  return words.test(text.slice(Math.max(0, at - NEAR), at));
}

export const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;
export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

type NumberForm = {
  readonly name: string;
  /** How many digits every such value has at least; otherwise what it needs. */
  readonly stretch?: number;
  readonly needs?: readonly Needs[];
  /** With BEFORE and AFTER around; bounded, so that each position costs a constant. */
  readonly pattern: string;
  /** The check, on the letters (in upper case) and digits alone. */
  valid(compact: string): boolean;
  readonly words: RegExp;
  /** True of a way of writing, or of a number, that needs no word before it. */
  isSure(written: string, compact: string): boolean;
};

/** A detector of numbers with a check: without a word before it, only what is written in its own form is taken for one. */
export function numberDetector(form: NumberForm): Detector {
  const source = `${BEFORE}(?:${form.pattern})${AFTER}`;
  const pattern = new RegExp(source, "gi");
  return {
    name: form.name,
    needs: form.needs ?? [{ stretch: form.stretch ?? 1 }],
    find(text, named) {
      const spans: Span[] = [];
      pattern.lastIndex = 0;
      for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
        const [written] = match;
        const start = match.index;
        const compact = written.replace(/[^0-9A-Za-z]/g, "").toUpperCase();
        if (form.valid(compact) && isWanted(text, start, written, compact, named)) {
          spans.push({ start, end: start + written.length });
        } else pattern.lastIndex = start + 1;
      }
      return spans;
    },
  };
  function isWanted(text: string, at: number, written: string, compact: string, named: boolean): boolean {
    if (isSaid(text, at, form.words)) return true;
    // Glued to a word that does not tell: a part of a code.
    if (at > 0 && isLetter(text.charCodeAt(at - 1))) return false;
    return named || form.isSure(written, compact);
  }
}
