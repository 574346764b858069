// fr-nir: social security numbers of France: sex, month of birth, department, and a key of two digits modulo 97.
import { numberDetector } from "./detector.ts";
import { BEYOND_HEX } from "./traits.ts";

export const frNir = numberDetector({
  name: "fr-nir",
  // The department may have a letter.
  needs: [{ stretch: 15 }, { digits: 14, signs: BEYOND_HEX }],
  pattern: "[1-478]([ .-]?)\\d{2}\\1\\d{2}\\1\\d[\\dAB]\\1\\d{3}\\1\\d{3}[ .-]?\\d{2}",
  valid: (compact) => {
    const month = Number(compact.slice(3, 5));
    if (month === 0 || (month > 12 && month < 20) || (month > 42 && month < 50)) return false;
    // The two departments of Corsica count as 19 and 18.
    const digits = compact.replace(/^(.{5})2A/, "$119").replace(/^(.{5})2B/, "$118");
    if (!/^\d{15}$/.test(digits) || digits.slice(5, 7) === "00") return false;
    return 97n - (BigInt(digits.slice(0, 13)) % 97n) === BigInt(digits.slice(13));
  },
  words: /nir|s[eé]cu|insee|sociale/i,
  isSure: () => true,
});
