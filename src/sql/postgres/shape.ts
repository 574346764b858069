// The shape of a text: its parse tree as JSON, without places and without the values of literals. Texts of one shape mostly have the same facts.
import type { ParseResult } from "libpg-query";
import { Generations } from "../../core/generations.ts";
import type { Location } from "./analysis.ts";
import { typeOfNumber } from "./nodes.ts";
import type { ParseOptions } from "./parser.ts";
import { parseToJson } from "./parser.ts";

export type Shape = {
  /** JSON of the tree: every place is 0, every literal is {@link HOLE}. */
  readonly json: string;
  /** The literals in order, as JSON values: `5`, `"a"`, `"2.5"`. */
  readonly literals: readonly string[];
  readonly locations: readonly Location[];
};

/**
 * Members that say where in the text something is, and the two-level members that hold a literal's value (A_Const, by libpg_query's JSON
 * output). Neither can be imitated from inside a string: there, quotes are escaped.
 */
const MEMBERS =
  /"(?:(location|stmt_location|stmt_len|list_start|list_end|rexpr_list_start|rexpr_list_end)":(-?\d+)|(ival|fval|sval|bsval)":\{(?:"\3":("(?:[^"\\]|\\.)*"|-?\d+))?\})/g;

/** U+0000 in JSON: no text that parses has that character. */
const HOLE = '"\\u0000"';
const HOLES = /:"\\u0000"/g;

/** Of texts that come again and again to the letter: BEGIN, SELECT 1, what an application sends without literals. */
const known = new Generations<Shape>({ entries: 4_000, bytes: 16 << 20 });
const SHORT_TEXT = 2_000;
/** Of texts that were parsed aside. */
const knownLong = new Generations<Shape>({ entries: 256, bytes: 64 << 20 });

/** The shape of a long text, if it was parsed of late. */
export function knownShapeOf(text: string): Shape | undefined {
  return knownLong.get(text);
}

/** Keeps the shape of a text that was parsed aside, so that it need not be parsed again to be judged. */
export function keepShape(text: string, shape: Shape): void {
  const literals = shape.literals.reduce((sum, literal) => sum + literal.length, 0);
  knownLong.set(text, shape, 2 * (shape.json.length + literals) + 16 * shape.literals.length);
}

/** @throws RegateError TEXT_TOO_LONG, TEXT_NOT_UTF8, TEXT_UNPARSEABLE, TEXT_TOO_COMPLEX */
export function shapeOf(text: string, options: ParseOptions = {}): Shape {
  if (text.length > SHORT_TEXT) return knownShapeOf(text) ?? shapeOfJson(parseToJson(text, options), text);
  let shape = known.get(text);
  if (shape === undefined) {
    shape = shapeOfJson(parseToJson(text, options), text);
    known.set(text, shape, 2 * shape.json.length);
  }
  return shape;
}

export function shapeOfJson(tree: string, text: string): Shape {
  const literals: string[] = [];
  const locations: { start: number; length: number }[] = [];
  // A statement's place stands behind its tree. A start of 0 is left out, and the length of one that ends the text.
  let start = 0;
  let length = -1;
  const json = tree.replace(MEMBERS, (_, member: string, number: string, kind: string, literal: string | undefined) => {
    if (kind !== undefined) {
      literals.push(literal ?? (kind === "ival" ? "0" : '""'));
      // Of numbers beyond integers the type depends on the value.
      const type = kind === "fval" ? `,"type":${typeOfNumber({ fval: JSON.parse(literal ?? '""') })}` : "";
      return `"${kind}":{"${kind}":${HOLE}${type}}`;
    }
    if (member === "stmt_location") {
      if (length >= 0) locations.push({ start, length });
      start = Number(number);
      length = -1;
    } else if (member === "stmt_len") length = Number(number);
    return `"${member}":0`;
  });
  if (!tree.endsWith('"stmts":[]}'))
    locations.push({ start, length: length < 0 ? Buffer.byteLength(text) - start : length });
  return { json, literals, locations };
}

/** The tree as it was parsed, but for long lists that were cut down. */
export function wholeTreeOf(shape: Shape): ParseResult {
  let at = 0;
  return JSON.parse(shape.json.replace(HOLES, () => `:${shape.literals[at++]}`)) as ParseResult;
}

/** The tree of a shape: each literal's value is a {@link Hole}, which only `literals.ts` reads. */
export function treeOf(shape: Shape): ParseResult {
  let at = 0;
  return JSON.parse(shape.json.replace(HOLES, () => `:"\\u0000${at++}"`)) as ParseResult;
}
