// jwt: JSON Web Tokens in their compact form, signed (three parts) or encrypted (five).
import type { Detector, Span } from "./detector.ts";
import { BEYOND_HEX } from "./traits.ts";

/** What the base64url form of `{"` begins with. */
const HEADER = "eyJ";
const SHORTEST_HEADER = 12;

export const jwt: Detector = {
  name: "jwt",
  needs: [{ run: 20, dots: 2, signs: BEYOND_HEX }],
  find(text) {
    const spans: Span[] = [];
    for (let start = text.indexOf(HEADER); start !== -1; ) {
      const header = partEnd(text, start);
      let end = header;
      let parts = 1;
      while (parts < 5 && text[end] === ".") {
        end = partEnd(text, end + 1);
        parts++;
      }
      // A part that begins later in the same piece ends where this one does.
      if (parts >= 3 && header - start >= SHORTEST_HEADER && text[header + 1] !== ".") spans.push({ start, end });
      start = text.indexOf(HEADER, Math.max(header, spans.at(-1)?.end ?? 0));
    }
    return spans;
  },
};

function partEnd(text: string, from: number): number {
  let at = from;
  while (isBase64Url(text.charCodeAt(at))) at++;
  return at;
}

function isBase64Url(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 45 ||
    code === 95
  );
}
