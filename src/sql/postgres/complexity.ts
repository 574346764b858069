// A look at a long text before it is parsed: how deep it nests and how long its chains of operators are.
import { RegateError } from "../../errors.ts";

/** Texts shorter than this cannot overflow the parser's stack. */
const HARMLESS = 4_000;
/** Open brackets at once. */
const MAX_DEPTH = 1_000;
/** Tokens in one list element (between commas, AND, OR and semicolons) at one depth: each may nest the tree by one. */
const MAX_CHAIN = 4_000;

/**
 * Counts brackets, and tokens between separators, outside of literals and comments. Where it misreads a literal it only counts too much
 * or leaves the text to the parser, which is replaced if it fails.
 * @throws RegateError TEXT_TOO_COMPLEX
 */
export function checkComplexity(text: string): void {
  const length = text.length;
  if (length < HARMLESS) return;
  const chains: number[] = [0];
  let depth = 0;
  let at = 0;
  while (at < length) {
    const code = text.charCodeAt(at);
    if (code <= 32) at++;
    else if (code === QUOTE || code === DOUBLE_QUOTE) {
      at = skipQuoted(text, at, code, code === QUOTE && isEscapeString(text, at));
      count();
    } else if (code === DASH && text.charCodeAt(at + 1) === DASH) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? length : end + 1;
    } else if (code === SLASH && text.charCodeAt(at + 1) === STAR) at = skipComment(text, at);
    else if (code === DOLLAR) {
      at = skipDollar(text, at);
      count();
    } else if (code === OPEN || code === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH)
        throw new RegateError("TEXT_TOO_COMPLEX", { detail: `more than ${MAX_DEPTH} nested brackets` });
      chains[depth] = 0;
      at++;
    } else if (code === CLOSE || code === CLOSE_BRACKET) {
      if (depth > 0) depth--;
      count();
      at++;
    } else if (code === COMMA || code === SEMICOLON) {
      chains[depth] = 0;
      at++;
    } else if (isWord(code)) {
      const start = at;
      while (at < length && isWord(text.charCodeAt(at))) at++;
      if (at - start <= 3 && /^(and|or)$/i.test(text.slice(start, at))) chains[depth] = 0;
      else count();
    } else {
      count();
      at++;
    }
  }

  function count(): void {
    if (++chains[depth]! > MAX_CHAIN) {
      throw new RegateError("TEXT_TOO_COMPLEX", { detail: `more than ${MAX_CHAIN} chained terms` });
    }
  }
}

const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const DOLLAR = 36;
const OPEN = 40;
const CLOSE = 41;
const STAR = 42;
const COMMA = 44;
const DASH = 45;
const SLASH = 47;
const SEMICOLON = 59;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;

function isWord(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code >= 128
  );
}

function isEscapeString(text: string, quote: number): boolean {
  const before = text.charCodeAt(quote - 1);
  return (before === 69 || before === 101) && !(quote > 1 && isWord(text.charCodeAt(quote - 2)));
}

function skipQuoted(text: string, at: number, quote: number, escapes: boolean): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (escapes && code === BACKSLASH) i++;
    else if (code === quote) {
      if (text.charCodeAt(i + 1) !== quote) return i + 1;
      i++;
    }
  }
  return text.length;
}

function skipComment(text: string, at: number): number {
  let depth = 1;
  let i = at + 2;
  while (i < text.length && depth > 0) {
    const code = text.charCodeAt(i);
    if (code === SLASH && text.charCodeAt(i + 1) === STAR) {
      depth++;
      i += 2;
    } else if (code === STAR && text.charCodeAt(i + 1) === SLASH) {
      depth--;
      i += 2;
    } else i++;
  }
  return i;
}

function skipDollar(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && isWord(text.charCodeAt(end))) end++;
  if (text.charCodeAt(end) !== DOLLAR) return end;
  const tag = text.slice(at, end + 1);
  if (/^\$[0-9]/.test(tag)) return end;
  const close = text.indexOf(tag, end + 1);
  return close < 0 ? text.length : close + tag.length;
}
