// private-key: private keys in PEM (PKCS #1, PKCS #8, EC, OpenSSH, PGP), PuTTY's form, age's, and their bare base64.
import type { Detector, Span } from "./detector.ts";
import { BEYOND_HEX } from "./traits.ts";

const begin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const end = /-----END [A-Z0-9 ]{0,40}(?:-----|$)/g;
/** What other forms begin with; the rest is of the characters that follow. */
const others: readonly RegExp[] = [
  /PuTTY-User-Key-File-\d:[\s\S]*/g,
  /AGE-SECRET-KEY-1[A-Z0-9]{20,}/g,
  // The first bytes of an OpenSSH key, an RSA key and a PKCS #8 key, in base64.
  /b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=\s\\]{40,}/g,
  /MII[A-Za-z0-9+/]{3}IBAAKC[A-Za-z0-9+/=\s\\]{40,}/g,
  /MI[A-Za-z0-9+/]{3,6}BAD(?:ANBgkqhkiG9w0BAQEFAASC|ATBgcqhkjOPQIBBggqhkjOPQMBBw)[A-Za-z0-9+/=\s\\]{20,}/g,
  /MC4CAQAwBQYDK2V[A-Za-z0-9+/=]{20,}/g,
];

export const privateKey: Detector = {
  name: "private-key",
  needs: [{ run: 16, signs: BEYOND_HEX }],
  find(text) {
    const spans: Span[] = [];
    if (text.includes("-----BEGIN ")) {
      begin.lastIndex = 0;
      for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
        end.lastIndex = match.index + match[0].length;
        const ended = end.exec(text);
        // One that does not end was cut off: all that is there is of it.
        const stop = ended === null ? text.length : ended.index + ended[0].length;
        spans.push({ start: match.index, end: stop });
        begin.lastIndex = stop;
      }
    }
    for (const form of others)
      for (const match of text.matchAll(form)) spans.push({ start: match.index, end: match.index + match[0].length });
    return spans;
  },
};
