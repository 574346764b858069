// es-dni: identity numbers of Spain (DNI, and NIE of foreigners), whose last letter is the check.
import { numberDetector } from "./detector.ts";

const LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE";

export const esDni = numberDetector({
  name: "es-dni",
  stretch: 7,
  pattern: "(?<![A-Za-z0-9])(?:\\d{2}\\.?\\d{3}\\.?\\d{3}|[XYZ][ -]?\\d{1}\\.?\\d{3}\\.?\\d{3})[ -]?[A-Z]",
  valid: (compact) => {
    const digits = compact.slice(0, 8).replace(/^[XYZ]/, (first) => String("XYZ".indexOf(first)));
    return Number(digits) !== 0 && LETTERS[Number(digits) % 23] === compact[8];
  },
  words: /dni|nie\b|nif|documento|identidad/i,
  isSure: (written) => /[A-Z]$/.test(written) && !written.includes(" "),
});
