// uk-nhs: numbers of the National Health Service of England, with a check digit modulo 11.
import { isUniform, weighted } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const ukNhs = numberDetector({
  name: "uk-nhs",
  stretch: 10,
  pattern: "\\d{3}([ -]?)\\d{3}\\1\\d{4}",
  valid: (digits) => {
    const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
    return !isUniform(digits) && (check === 11 ? 0 : check) === Number(digits[9]);
  },
  words: /nhs|health/i,
  isSure: (written) => written.includes(" "),
});
