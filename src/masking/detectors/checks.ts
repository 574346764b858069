// Check digits and dates, each by the rule that its issuers publish.

/** Luhn (ISO/IEC 7812-1, annex B). */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = digits.length - 1, twice = false; i >= 0; i--, twice = !twice) {
    const digit = digits.charCodeAt(i) - 48;
    sum += twice ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return sum % 10 === 0;
}

/** The sum of digits times weights. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += (digits.charCodeAt(i) - 48) * weights[i]!;
  return sum;
}

/** ISO/IEC 7064 MOD 97-10 over digits and letters (A is 10, Z is 35): the remainder. */
export function mod97(text: string): number {
  let rest = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    rest = code < 58 ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97;
  }
  return rest;
}

/** ISO/IEC 7064 MOD 11,10, whose last digit is the check. */
export function mod11And10(digits: string): boolean {
  let product = 10;
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digits.charCodeAt(i) - 48 + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === digits.charCodeAt(digits.length - 1) - 48;
}

/** The dihedral group of order ten, and its permutation by position (Verhoeff, 1969). */
const product = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((a) =>
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((b) => {
    if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5);
    return b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5;
  }),
);
const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    for (let times = i % 8; times > 0; times--) digit = permutation[digit]!;
    check = product[check]![digit]!;
  }
  return check === 0;
}

/** True of a day that is in the calendar. */
export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const last = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day <= last;
}
export const number = (text: string, from: number, to: number): number => Number(text.slice(from, to));

/** True of digits that are all the same, which nobody is given. */
export const isUniform = (digits: string): boolean => /^(.)\1*$/.test(digits);
