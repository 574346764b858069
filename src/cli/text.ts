// Texts for people: columns that line up, colour on terminals only, and no control character of anybody else's.
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Styled where stdout is a terminal that wants colour (NO_COLOR is heeded). */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Somebody else's text on one line: white space becomes a space, what could steer a terminal becomes visible. */
export function oneLine(text: string, width = Number.POSITIVE_INFINITY): string {
  const flat = [...visible(text.replace(/\s+/gu, " ").trim())];
  return flat.length <= width ? flat.join("") : `${flat.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Control, format and bidirectional characters as \u{…}; line ends and tabs stay. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (found) =>
    found === "\n" || found === "\t" ? found : `\\u{${found.codePointAt(0)!.toString(16)}}`,
  );
}

/** Rows below their headings. The last column is as wide as it likes. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => [...(row[i] ?? "")].length)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell + " ".repeat(widths[i]! - [...cell].length))).join("  ");
  return [styled("bold", line(headings)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

/** Seconds as people say them: 45s, 12m, 3h, 2d. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7200) return `${Math.round(whole / 60)}m`;
  if (whole < 172_800) return `${Math.round(whole / 3600)}h`;
  return `${Math.round(whole / 86_400)}d`;
}
