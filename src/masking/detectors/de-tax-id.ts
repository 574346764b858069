// de-tax-id: tax identification numbers of Germany: eleven digits, of the first ten one occurs twice or thrice, ISO/IEC 7064 MOD 11,10.
import { mod11And10 } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const deTaxId = numberDetector({
  name: "de-tax-id",
  stretch: 11,
  pattern: "[1-9]\\d([ /]?)\\d{3}\\1\\d{3}\\1\\d{3}",
  valid: (digits) => {
    const counts = new Array<number>(10).fill(0);
    for (const digit of digits.slice(0, 10)) counts[Number(digit)]!++;
    const repeated = counts.filter((count) => count > 1);
    return repeated.length === 1 && repeated[0]! <= 3 && mod11And10(digits);
  },
  words: /steuer|\btax|idnr|\btin\b/i,
  isSure: () => true,
});
