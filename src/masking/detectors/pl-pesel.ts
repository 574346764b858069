// pl-pesel: personal numbers of Poland: a day of birth, whose month tells the century, and a check digit.
import { isDate, number, weighted } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const plPesel = numberDetector({
  name: "pl-pesel",
  stretch: 11,
  pattern: "\\d{11}",
  valid: (digits) => {
    const month = number(digits, 2, 4);
    const century = [1900, 2000, 2100, 2200, 1800][Math.floor(month / 20)]!;
    if (!isDate(century + number(digits, 0, 2), month % 20, number(digits, 4, 6))) return false;
    return weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
  },
  words: /pesel/i,
  isSure: (_, digits) => number(digits, 2, 4) <= 32,
});
