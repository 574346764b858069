// kr-rrn: resident registration numbers of South Korea: a day of birth, century and sex, and until October 2020 a check digit.
import { isDate, number, weighted } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const krRrn = numberDetector({
  name: "kr-rrn",
  stretch: 13,
  pattern: "\\d{6}-?[0-9]\\d{6}",
  valid: (digits) => {
    const century = [1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800][Number(digits[6])]!;
    const day = century * 1e4 + number(digits, 0, 6);
    if (!isDate(century + number(digits, 0, 2), number(digits, 2, 4), number(digits, 4, 6))) return false;
    if (day >= 20_201_001) return true;
    return (11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === Number(digits[12]);
  },
  words: /rrn|resident|주민/i,
  isSure: (written) => written.includes("-"),
});
