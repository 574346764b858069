// us-ssn: social security and taxpayer numbers of the United States. They have no check digit: what is never issued tells.
import { numberDetector } from "./detector.ts";

const words = /ssn|social|security|\bsin\b|\bssa\b|itin|taxpayer|tax ?id|\btin\b/i;

export const usSsn = numberDetector({
  name: "us-ssn",
  stretch: 9,
  pattern: "\\d{3}([ .-]?)\\d{2}\\1\\d{4}",
  valid: (digits) => {
    const [area, group, serial] = [digits.slice(0, 3), digits.slice(3, 5), digits.slice(5)];
    if (area === "000" || area === "666" || group === "00" || serial === "0000") return false;
    // 9xx: only taxpayers' numbers, in these groups.
    return area < "900" || /^(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])$/.test(group);
  },
  words,
  isSure: (written) => /^\d{3}([ -])\d{2}\1\d{4}$/.test(written),
});
