// uk-nino: national insurance numbers of the United Kingdom. They have no check digit: the letters that are never issued tell.
import { numberDetector } from "./detector.ts";

export const ukNino = numberDetector({
  name: "uk-nino",
  stretch: 6,
  pattern: "(?<![A-Za-z])[A-Z]{2} ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]",
  valid: (compact) =>
    /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]/.test(compact) && !/^(?:BG|GB|NK|KN|TN|NT|ZZ)/.test(compact),
  words: /nino|\bni\b|insurance/i,
  isSure: (written) => written === written.toUpperCase(),
});
