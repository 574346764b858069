// it-codice-fiscale: tax codes of Italy, with a check letter; digits may be letters where two persons would have the same code.
import { type Detector, isLetter, type Span } from "./detector.ts";
import { BEYOND_HEX } from "./traits.ts";

const DIGIT = "[0-9LMNPQRSTUV]";
const pattern = new RegExp(
  `(?<![A-Z0-9])[A-Z]{3} ?[A-Z]{3} ?${DIGIT}{2}[ABCDEHLMPRST]${DIGIT}{2} ?[A-Z]${DIGIT}{3} ?[A-Z](?![A-Z0-9])`,
  "gi",
);
/** What a character counts at an odd position; at an even one it counts its place in the alphabet, or itself. */
const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

export const itCodiceFiscale: Detector = {
  name: "it-codice-fiscale",
  needs: [
    { digits: 7, signs: BEYOND_HEX },
    { run: 16, signs: BEYOND_HEX },
  ],
  find(text) {
    const spans: Span[] = [];
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [written] = match;
      if (isCode(written.replaceAll(" ", "").toUpperCase()))
        spans.push({ start: match.index, end: match.index + written.length });
      else pattern.lastIndex = match.index + 1;
    }
    return spans;
  },
};

function isCode(code: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const unit = code.charCodeAt(i);
    const place = isLetter(unit) ? unit - 65 : unit - 48;
    sum += i % 2 === 0 ? ODD[place]! : place;
  }
  return sum % 26 === code.charCodeAt(15) - 65;
}
