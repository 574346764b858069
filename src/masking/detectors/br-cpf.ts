// br-cpf: taxpayers' numbers of persons in Brazil, with two check digits modulo 11.
import { isUniform, weighted } from "./checks.ts";
import { numberDetector } from "./detector.ts";

const check = (sum: number): number => (sum % 11 < 2 ? 0 : 11 - (sum % 11));

export const brCpf = numberDetector({
  name: "br-cpf",
  stretch: 11,
  pattern: "\\d{3}\\.\\d{3}\\.\\d{3}-?\\d{2}|\\d{9}-?\\d{2}",
  valid: (digits) =>
    !isUniform(digits) &&
    check(weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2])) === Number(digits[9]) &&
    check(weighted(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) === Number(digits[10]),
  words: /cpf/i,
  isSure: () => true,
});
