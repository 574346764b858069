// Where in a text a refused column stands, for the position of an error.
import type { Node } from "libpg-query";
import { parseToJson } from "./parser.ts";
import { hasStar, stringOf } from "./nodes.ts";

type Placed = { readonly fields?: readonly Node[]; readonly location?: number };

/**
 * The place of the first reference to a column of this name in a statement of a text that parses, or of the first `*` if none is named; else
 * the statement's own. In characters from 1, as the protocol counts.
 */
export function positionOf(text: string, statement: number, column: string | undefined): number | undefined {
  const { stmts } = JSON.parse(parseToJson(text)) as { stmts?: { stmt?: Node; stmt_location?: number }[] };
  const raw = stmts?.[statement];
  if (raw?.stmt === undefined) return undefined;
  const references = [...columnReferences(raw.stmt)].sort((a, b) => a.location! - b.location!);
  const found =
    references.find(({ fields }) => column !== undefined && stringOf(fields?.at(-1)) === column) ??
    references.find(({ fields }) => hasStar(fields));
  return charactersBefore(text, found?.location ?? startOf(text, raw.stmt_location ?? 0)) + 1;
}

function* columnReferences(node: unknown): Generator<Placed> {
  if (typeof node !== "object" || node === null) return;
  for (const [kind, member] of Object.entries(node)) {
    if (kind === "ColumnRef") yield { location: 0, ...(member as Placed) };
    else yield* columnReferences(member);
  }
}

/** A statement's place includes the blanks before it. */
function startOf(text: string, bytes: number): number {
  const rest = Buffer.from(text).toString("utf8", bytes);
  return bytes + Buffer.byteLength(rest) - Buffer.byteLength(rest.trimStart());
}

/** Places of the parser count bytes, those of the protocol characters (code points). */
export function charactersBefore(text: string, bytes: number): number {
  let characters = 0;
  for (const _ of Buffer.from(text).toString("utf8", 0, bytes)) characters++;
  return characters;
}
