// au-tfn: tax file numbers of Australia, with a check modulo 11.
import { weighted } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const auTfn = numberDetector({
  name: "au-tfn",
  stretch: 9,
  pattern: "\\d{3}([ -]?)\\d{3}\\1\\d{3}",
  valid: (digits) => digits !== "000000000" && weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
  words: /tfn|tax file/i,
  isSure: () => false,
});
