// nl-bsn: citizens' numbers of the Netherlands, with the test of eleven.
import { isUniform, weighted } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const nlBsn = numberDetector({
  name: "nl-bsn",
  stretch: 9,
  pattern: "\\d{9}|\\d{4}\\.\\d{2}\\.\\d{3}|\\d{3} \\d{3} \\d{3}",
  valid: (digits) => !isUniform(digits) && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
  words: /bsn|burgerservice|sofi/i,
  isSure: (written) => written.includes("."),
});
