// in-aadhaar: identity numbers of India, with Verhoeff's check digit.
import { isUniform, verhoeff } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const inAadhaar = numberDetector({
  name: "in-aadhaar",
  stretch: 12,
  pattern: "(?<!\\d[ ])[2-9]\\d{3}([ -]?)\\d{4}\\1\\d{4}(?! ?\\d)",
  valid: (digits) => !isUniform(digits) && verhoeff(digits),
  words: /aad?ha+r|uidai|\buid\b/i,
  isSure: (written) => written.length > 12,
});
