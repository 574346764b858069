// iban: international bank account numbers, by the length of their country and ISO/IEC 7064 MOD 97-10 (ISO 13616).
import { mod97 } from "./checks.ts";
import { type Detector, isDigit, isLetter, isSaid, type Span } from "./detector.ts";

/** Lengths by country, from the registry of SWIFT, with the countries that use the form without being in it. */
const lengths = new Map<string, number>(
  "AD24 AE23 AL28 AO25 AT20 AZ28 BA20 BE16 BF28 BG22 BH22 BI27 BJ28 BR29 BY28 CF27 CG27 CH21 CI28 CM27 CR22 CV25 CY28 CZ24 DE22 DJ27 DK18 DO28 DZ26 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GA27 GB22 GE22 GI23 GL18 GQ27 GR27 GT28 GW25 HN28 HR21 HU28 IE22 IL23 IQ23 IR26 IS26 IT27 JO30 KM27 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MA28 MC27 MD24 ME22 MG27 MK19 ML28 MN20 MR27 MT31 MU30 MZ25 NE28 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SN28 SO23 ST25 SV28 TD27 TG28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);
const starts = /[A-Za-z]{2}[ .-]?\d[ .-]?\d/g;
const isSeparator = (sign: string | undefined): boolean =>
  sign === " " || sign === "-" || sign === "." || sign === "\t";

export const iban: Detector = {
  name: "iban",
  needs: [{ digits: 4 }],
  find(text) {
    const spans: Span[] = [];
    starts.lastIndex = 0;
    for (let match = starts.exec(text); match !== null; match = starts.exec(text)) {
      const start = match.index;
      const end = ibanEnd(text, start);
      if (end !== undefined) spans.push({ start, end });
      starts.lastIndex = end ?? start + 1;
    }
    return spans;
  },
};

function ibanEnd(text: string, start: number): number | undefined {
  const length = lengths.get(text.slice(start, start + 2).toUpperCase());
  if (length === undefined) return undefined;
  const before = text.charCodeAt(start - 1);
  if ((isLetter(before) || isDigit(before)) && !isSaid(text, start, /iban$/i)) return undefined;
  let compact = "";
  let at = start;
  for (; compact.length < length; at++) {
    const code = text.charCodeAt(at);
    if (isLetter(code) || isDigit(code)) compact += text[at]!;
    else if (!isSeparator(text[at]) || isSeparator(text[at - 1])) return undefined;
  }
  const after = text.charCodeAt(at);
  if (isLetter(after) || isDigit(after)) return undefined;
  compact = compact.toUpperCase();
  return mod97(compact.slice(4) + compact.slice(0, 4)) === 1 ? at : undefined;
}
