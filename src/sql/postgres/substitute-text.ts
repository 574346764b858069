// Where in a text the parts of a FROM item stand, and a text with some of its parts replaced.
import { scan, type Token } from "./parser.ts";

/** Bytes. */
export type Edit = { readonly start: number; readonly end: number; readonly text: string };
export type Span = { readonly start: number; readonly end: number };

const PART = String.raw`(?:"(?:[^"]|"")*"(?!")|(?![Uu]&)[A-Za-z_\x80-\xff][\w$\x80-\xff]*(?![\w$\x80-\xff]))`;
/** Parts in quotes or not, with nothing but dots between them; behind it no star, and nothing that could be more of it. */
const PLAIN_NAME = new RegExp(String.raw`${PART}(?:\.${PART})*(?=[ \t\r\n\f\v]*(?:[;,)]|$|[A-Za-z](?![Uu]&)))`, "y");

/** As they follow each other in the text. */
export function inOrder(edits: readonly Edit[]): readonly Edit[] {
  return [...edits].sort((left, right) => left.start - right.start);
}

export class SourceText {
  readonly bytes: Buffer;
  readonly #text: string;
  /** A character for each byte. */
  readonly #latin: string;
  #scanned: { readonly tokens: readonly Token[]; readonly at: ReadonlyMap<number, number> } | undefined;

  constructor(text: string) {
    this.#text = text;
    this.bytes = Buffer.from(text, "utf8");
    this.#latin = this.bytes.length === text.length ? text : this.bytes.toString("latin1");
  }

  /** The whole text is scanned only where something stands otherwise than by a plain name. @throws RegateError as {@link scan} */
  #scan() {
    if (this.#scanned === undefined) {
      const tokens = scan(this.#text).filter(({ tokenName }) => !tokenName.endsWith("_COMMENT"));
      this.#scanned = { tokens, at: new Map(tokens.map((token, index) => [token.start, index])) };
    }
    return this.#scanned;
  }

  get #tokens(): readonly Token[] {
    return this.#scan().tokens;
  }

  get #at(): ReadonlyMap<number, number> {
    return this.#scan().at;
  }

  /** `[catalog.][schema.]name`, without what only the scanner can read. */
  #plainName(location: number): Span | undefined {
    PLAIN_NAME.lastIndex = location;
    const match = PLAIN_NAME.exec(this.#latin);
    return match === null ? undefined : { start: location, end: location + match[0].length };
  }

  slice({ start, end }: Span): string {
    return this.bytes.toString("utf8", start, end);
  }

  /** A relation's name, with ONLY before it and the star behind it, and with TABLE before both. Undefined: it does not stand there. */
  relation(location: number, only: boolean, table: boolean): Span | undefined {
    const plain = only || table ? undefined : this.#plainName(location);
    if (plain !== undefined) return plain;
    const at = this.#at.get(location);
    if (at === undefined) return undefined;
    let first = at;
    let last = this.#nameEnd(at);
    if (only) {
      const bracket = this.#is(first - 1, "(") && this.#keyword(first - 2, "ONLY");
      if (bracket) {
        if (!this.#is(last + 1, ")")) return undefined;
        last++;
        first -= 2;
      } else if (this.#keyword(first - 1, "ONLY")) first--;
      else return undefined;
    } else if (this.#is(last + 1, "*")) last++;
    if (table && !this.#keyword(first - 1, "TABLE")) return undefined;
    return this.#span(table ? first - 1 : first, last);
  }

  /** `TABLESAMPLE method (…) REPEATABLE (…)`, of which the method's name stands there. */
  sample(location: number): Span | undefined {
    const at = this.#at.get(location);
    if (at === undefined || !this.#keyword(at - 1, "TABLESAMPLE")) return undefined;
    let last = this.#closing(this.#nameEnd(at) + 1);
    if (last !== undefined && this.#keyword(last + 1, "REPEATABLE")) last = this.#closing(last + 2);
    return last === undefined ? undefined : this.#span(at - 1, last);
  }

  /** The word at a place, or behind the comments there, and what follows it. */
  words(location: number): readonly [Span | undefined, Span | undefined] {
    const first = this.#tokens.findIndex(({ start }) => start >= location);
    return [this.#tokens[first], first === -1 ? undefined : this.#tokens[first + 1]];
  }

  /** Where the brackets open that stand right before a place; without any, the place itself. */
  beforeBrackets(location: number): number {
    let at = this.#at.get(location);
    if (at === undefined) return location;
    while (this.#is(at - 1, "(")) at--;
    return this.#tokens[at]?.start ?? location;
  }

  /** A relation's name and the list in brackets behind it, if `listed`. */
  listed(location: number, listed: boolean): Span | undefined {
    const at = this.#at.get(location);
    if (at === undefined) return undefined;
    const end = this.#nameEnd(at);
    const last = listed ? this.#closing(end + 1) : end;
    return last === undefined ? undefined : this.#span(at, last);
  }

  /** The first `count` parts of a name, and the dots behind them. */
  qualifiers(location: number, count: number): Span | undefined {
    let at = this.#at.get(location);
    if (at === undefined) return undefined;
    for (let left = count; left > 0; left--) {
      at = this.#partEnd(at) + 1;
      if (!this.#is(at, ".")) return undefined;
      at++;
    }
    const next = this.#tokens[at];
    return next === undefined ? undefined : { start: location, end: next.start };
  }

  /** The last token of a name, dots included. */
  #nameEnd(at: number): number {
    let last = this.#partEnd(at);
    while (this.#is(last + 1, ".")) last = this.#partEnd(last + 2);
    return last;
  }

  /** `U&"…" UESCAPE '…'` is one part. */
  #partEnd(at: number): number {
    const token = this.#tokens[at];
    return token !== undefined && /^u&"/i.test(this.slice(token)) && this.#keyword(at + 1, "UESCAPE") ? at + 2 : at;
  }

  /** The bracket that closes the one that stands there. */
  #closing(at: number): number | undefined {
    if (!this.#is(at, "(")) return undefined;
    let depth = 0;
    for (let index = at; index < this.#tokens.length; index++) {
      if (this.#is(index, "(")) depth++;
      else if (this.#is(index, ")") && --depth === 0) return index;
    }
    return undefined;
  }

  #is(at: number, character: string): boolean {
    const token = this.#tokens[at];
    return token !== undefined && token.end === token.start + 1 && this.bytes[token.start] === character.charCodeAt(0);
  }

  #keyword(at: number, word: string): boolean {
    const token = this.#tokens[at];
    return token !== undefined && token.end - token.start === word.length && this.slice(token).toUpperCase() === word;
  }

  #span(first: number, last: number): Span {
    return { start: this.#tokens[first]!.start, end: this.#tokens[last]!.end };
  }

  /** Undefined where two edits meet. */
  edited(edits: readonly Edit[]): string | undefined {
    const parts: Buffer[] = [];
    let copied = 0;
    for (const { start, end, text } of inOrder(edits)) {
      if (start < copied) return undefined;
      parts.push(this.bytes.subarray(copied, start), Buffer.from(text, "utf8"));
      copied = end;
    }
    parts.push(this.bytes.subarray(copied));
    return Buffer.concat(parts).toString("utf8");
  }
}
