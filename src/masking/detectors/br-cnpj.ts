// br-cnpj: taxpayers' numbers of companies in Brazil, with two check digits modulo 11; since 2026 they may have letters, which count from 17 on.
import { isUniform } from "./checks.ts";
import { numberDetector } from "./detector.ts";
import { BEYOND_HEX } from "./traits.ts";

/** Weights run from the right: 2 to 9, and again. */
function check(compact: string, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (compact.charCodeAt(i) - 48) * (2 + ((length - 1 - i) % 8));
  return sum % 11 < 2 ? 0 : 11 - (sum % 11);
}

export const brCnpj = numberDetector({
  name: "br-cnpj",
  needs: [{ stretch: 14 }, { run: 18, signs: BEYOND_HEX }],
  pattern: "(?<![A-Za-z0-9])[A-Z0-9]{2}\\.[A-Z0-9]{3}\\.[A-Z0-9]{3}/[A-Z0-9]{4}-\\d{2}|\\d{14}",
  valid: (compact) =>
    !isUniform(compact) && check(compact, 12) === Number(compact[12]) && check(compact, 13) === Number(compact[13]),
  words: /cnpj/i,
  // The first branches of a company; a day and time of 14 digits hardly has the form.
  isSure: (written, compact) => written.includes("/") || compact.slice(8, 11) === "000",
});
