// ip: addresses of the internet protocol, version 4 and 6, but no version numbers, times or hardware addresses.
import { isIPv6 } from "node:net";
import { type Detector, isLetter, isSaid, type Span } from "./detector.ts";

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const four = new RegExp(`(?<![\\w.])${OCTET}(?:\\.${OCTET}){3}(?!\\w|\\.\\d|-[A-Za-z])`, "g");
const six = /(?<![\w:.])[0-9a-f:][0-9a-f:.]{1,44}(?![\w:])/gi;
const versions = /(?:version|\bver|\bv|release|firmware|build|[A-Za-z]\/|\boid|section|§|chapter)[ .:=v]{0,3}$/i;

export const ip: Detector = {
  name: "ip",
  needs: [
    { stretch: 4, dots: 3 },
    { digits: 1, colons: 2 },
  ],
  find(text) {
    const spans: Span[] = [];
    for (const match of text.matchAll(four)) {
      if (!isSaid(text, match.index, versions)) spans.push(span(match.index, match[0]));
    }
    for (const match of text.matchAll(six)) {
      const written = match[0].replace(/\.$/, "");
      if (isSix(written)) spans.push(span(match.index, written));
    }
    return spans;
  },
};

const span = (start: number, written: string): Span => ({ start, end: start + written.length });

/** a::b is a name in many languages, and :: stands alone in others. */
function isSix(written: string): boolean {
  if (!/\d/.test(written) || !isIPv6(written)) return false;
  const groups = written.split(":").filter((group) => group !== "");
  return (
    groups.length > 2 ||
    groups[0]!.length > 2 ||
    groups.some((group) => !isLetter(group.charCodeAt(0)) && groups.length > 1)
  );
}
