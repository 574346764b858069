// se-personnummer: personal numbers of Sweden: a day of birth and Luhn's check digit; coordination numbers have 60 added to the day.
import { isDate, luhn, number } from "./checks.ts";
import { numberDetector } from "./detector.ts";

export const sePersonnummer = numberDetector({
  name: "se-personnummer",
  stretch: 10,
  pattern: "(?:18|19|20)?\\d{6}[-+]?\\d{4}",
  valid: (digits) => {
    const short = digits.slice(-10);
    const century = digits.length === 12 ? number(digits, 0, 2) * 100 : 2000;
    const day = number(short, 4, 6);
    return isDate(century + number(short, 0, 2), number(short, 2, 4), day > 60 ? day - 60 : day) && luhn(short);
  },
  words: /person|pnr|samordning/i,
  isSure: (written) => /[-+]/.test(written),
});
