// The types whose values can be masked as text, and how a text becomes a valid cell of each.
import type { MaskedColumn } from "./mask.ts";

const oids = new Map<number, "text" | "varchar" | "bpchar" | "name" | "json" | "jsonb" | "xml" | "bytea" | "uuid">([
  [25, "text"],
  [1043, "varchar"],
  [1042, "bpchar"],
  [19, "name"],
  [114, "json"],
  [3802, "jsonb"],
  [142, "xml"],
  [17, "bytea"],
  [2950, "uuid"],
]);

/** A name takes 63 bytes. */
const NAME_BYTES = 63;

export type Plain = {
  readonly kind: "plain";
  /** Most characters, where the type is declared with a length. */
  readonly characters: number | undefined;
  readonly bytes: number | undefined;
  /** character(n): filled up with spaces, which are no part of the value. */
  readonly padded: boolean;
};
export type Shape =
  | Plain
  | { readonly kind: "json" | "xml" | "bytea" | "uuid"; readonly binary: boolean; readonly version: boolean }
  | undefined;

/** What a column holds; undefined for types that have no masked form but NULL. Domains arrive as their base type. */
export function shapeOf(column: MaskedColumn): Shape {
  const type = oids.get(column.typeOid);
  const binary = column.format === 1;
  if (type === undefined || (column.format !== 0 && !binary)) return undefined;
  if (type === "json" || type === "jsonb") return { kind: "json", binary, version: type === "jsonb" && binary };
  if (type === "xml" || type === "bytea" || type === "uuid") return { kind: type, binary, version: false };
  const modifier = column.modifier ?? -1;
  // The modifier of varchar(n) and character(n) is n + 4.
  const characters = (type === "varchar" || type === "bpchar") && modifier >= 4 ? modifier - 4 : undefined;
  return { kind: "plain", characters, bytes: type === "name" ? NAME_BYTES : undefined, padded: type === "bpchar" };
}

/** A text as a value of the column: cut to its length at a character, filled up where the type is. */
export function fit(text: string, column: Plain): Buffer {
  if (column.characters === undefined && column.bytes === undefined) return Buffer.from(text, "utf8");
  let characters = [...text];
  if (column.characters !== undefined) {
    characters = characters.slice(0, column.characters);
    if (column.padded) while (characters.length < column.characters) characters.push(" ");
  }
  if (column.bytes !== undefined) while (Buffer.byteLength(characters.join("")) > column.bytes) characters.pop();
  return Buffer.from(characters.join(""), "utf8");
}

/** True if a text is no longer than the column takes. */
export function fits(text: string, column: Plain): boolean {
  if (column.bytes !== undefined && Buffer.byteLength(text) > column.bytes) return false;
  return column.characters === undefined || [...text].length <= column.characters;
}

/** The end of the value without the spaces that fill up a character(n). */
export function valueEnd(source: Buffer, start: number, end: number, column: Plain): number {
  let at = end;
  if (column.padded) while (at > start && source[at - 1] === 0x20) at--;
  return at;
}

/** A JSON string as a json or jsonb cell; binary jsonb starts with its version. */
export function jsonCell(text: string, version: boolean): Buffer {
  return Buffer.from(`${version ? "\x01" : ""}${JSON.stringify(text)}`, "utf8");
}

/** The text of a json cell that holds a string; undefined for every other document. */
export function jsonText(source: Buffer, start: number, end: number, version: boolean): string | undefined {
  const from = version ? start + 1 : start;
  if (version && source[start] !== 1) return undefined;
  let first = from;
  while (first < end && source[first]! <= 0x20) first++;
  if (source[first] !== 0x22) return undefined;
  try {
    const value: unknown = JSON.parse(source.toString("utf8", from, end));
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A bytea cell; PostgreSQL reads both of its text forms, whatever bytea_output says. */
export function byteaCell(bytes: Buffer, binary: boolean): Buffer {
  return binary ? bytes : Buffer.from(`\\x${bytes.toString("hex")}`, "latin1");
}

/** The bytes of a bytea cell: binary, hex or escape form. */
export function byteaBytes(source: Buffer, start: number, end: number, binary: boolean): Buffer {
  if (binary) return source.subarray(start, end);
  const text = source.toString("latin1", start, end);
  if (text.startsWith("\\x")) return Buffer.from(text.slice(2), "hex");
  const plain = text.replace(/\\(\\|[0-3][0-7]{2})/g, (_, escaped: string) =>
    escaped === "\\" ? "\\" : String.fromCharCode(Number.parseInt(escaped, 8)),
  );
  return Buffer.from(plain, "latin1");
}
