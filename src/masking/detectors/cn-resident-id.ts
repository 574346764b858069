// cn-resident-id: identity numbers of China: a region, a day of birth, and a check character (ISO/IEC 7064 MOD 11-2).
import { isDate, number, weighted } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const cnResidentId = numberDetector({
  name: "cn-resident-id",
  stretch: 17,
  pattern: "[1-8]\\d{5}(?:18|19|20)\\d{9}[\\dX]",
  valid: (compact) => {
    if (!isDate(number(compact, 6, 10), number(compact, 10, 12), number(compact, 12, 14))) return false;
    const sum = weighted(compact, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    return "10X98765432"[sum % 11] === compact[17];
  },
  words: /id/i,
  isSure: () => true,
});
