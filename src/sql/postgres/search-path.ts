// The setting search_path as the server reads it (SplitIdentifierString, recomputeNamespacePath), and its names (truncate_identifier).
import type { SchemaSet } from "./analysis.ts";

/** NAMEDATALEN - 1 */
const NAME_BYTES = 63;

/** A name as the server keeps it: cut at 63 bytes, never within a character. */
export function cutName(name: string): string {
  if (name.length * 3 <= NAME_BYTES) return name;
  const bytes = Buffer.from(name);
  if (bytes.length <= NAME_BYTES) return name;
  let end = NAME_BYTES;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** The list that a value of the setting stands for; undefined where the server would refuse it. */
export function parseSearchPath(text: string): readonly string[] | undefined {
  const names: string[] = [];
  let at = skipSpace(text, 0);
  if (at === text.length) return names;
  for (;;) {
    let name = "";
    if (text[at] === '"') {
      for (at++; ; at++) {
        const close = text.indexOf('"', at);
        if (close < 0) return undefined;
        name += text.slice(at, close);
        at = close + 1;
        if (text[at] !== '"') break;
        name += '"';
      }
    } else {
      const start = at;
      while (at < text.length && text[at] !== "," && !isSpace(text[at]!)) at++;
      if (at === start) return undefined;
      // Other letters than ASCII stay as they are in UTF-8.
      name = text.slice(start, at).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    }
    names.push(cutName(name));
    at = skipSpace(text, at);
    if (at === text.length) return names;
    if (text[at] !== ",") return undefined;
    at = skipSpace(text, at + 1);
  }
}

function isSpace(character: string): boolean {
  return " \t\n\r\f\v".includes(character);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text[at]!)) at++;
  return at;
}

/**
 * What `current_schemas(true)` will be: entries that do not exist or may not be used are skipped, pg_catalog and the session's temporary schema
 * come first unless they are named.
 */
export function effectivePath(
  path: readonly string[],
  user: string,
  temporary: string | undefined,
  usable: SchemaSet,
): readonly string[] {
  const effective: string[] = [];
  for (const entry of path) {
    const schema = entry === "$user" ? user : entry === "pg_temp" ? temporary : entry;
    if (schema === undefined || effective.includes(schema)) continue;
    if (schema === temporary || usable.has(schema)) effective.push(schema);
  }
  if (!effective.includes("pg_catalog")) effective.unshift("pg_catalog");
  if (temporary !== undefined && !effective.includes(temporary)) effective.unshift(temporary);
  return effective;
}
