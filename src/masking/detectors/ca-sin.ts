// ca-sin: social insurance numbers of Canada, with Luhn's check digit.
import { luhn } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const caSin = numberDetector({
  name: "ca-sin",
  stretch: 9,
  pattern: "\\d{3}([ -]?)\\d{3}\\1\\d{3}",
  // None begins with 8, which is for employers.
  valid: (digits) => digits[0] !== "8" && digits !== "000000000" && luhn(digits),
  words: /\bsin\b|social insurance|_sin|assurance sociale|\bnas\b/i,
  isSure: (written) => written.includes("-"),
});
