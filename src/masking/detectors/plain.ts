// A text as a reader takes it: escapes decoded, look-alike digits and letters made plain, invisible characters left out; with the way back.

export type Plain = {
  readonly text: string;
  /** The character at i of `text` was written at [starts[i], ends[i]) of the original. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
};

const entities = new Map(
  Object.entries({
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    commat: "@",
    period: ".",
    nbsp: " ",
    ensp: " ",
    emsp: " ",
    thinsp: " ",
    numsp: " ",
    hyphen: "-",
    dash: "-",
    ndash: "-",
    colon: ":",
    plus: "+",
    equals: "=",
    lowbar: "_",
    sol: "/",
    lpar: "(",
    rpar: ")",
    zwnj: "",
    zwj: "",
    shy: "",
  }),
);
const entity = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,6}));/y;
const percent = /(?:%[0-9a-fA-F]{2}){1,4}/y;
const backslash = /\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|(["'/]))/y;

/** The plain form of a text, or undefined if it is the text itself. One layer of escapes is decoded: what is encoded twice stays so. */
export function plain(text: string): Plain | undefined {
  if (!/[%&\\]|[^\0-\x7f]/.test(text)) return undefined;
  const pieces: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let changed = false;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at)!;
    let length = code > 0xffff ? 2 : 1;
    let piece: string;
    const escaped = code === 0x25 || code === 0x26 || code === 0x5c ? unescaped(text, at, code) : undefined;
    if (escaped !== undefined) {
      length = escaped.length;
      piece = [...escaped.text].map((character) => fold(character.codePointAt(0)!)).join("");
    } else piece = code < 128 ? text[at]! : fold(code);
    if (escaped !== undefined || (code >= 128 && piece !== text.slice(at, at + length))) changed = true;
    for (let i = 0; i < piece.length; i++) {
      starts.push(at);
      ends.push(at + length);
    }
    pieces.push(piece);
    at += length;
  }
  return changed
    ? { text: pieces.join(""), starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) }
    : undefined;
}

type Escape = { readonly text: string; readonly length: number };

function unescaped(text: string, at: number, code: number): Escape | undefined {
  const form = code === 0x25 ? percent : code === 0x26 ? entity : backslash;
  form.lastIndex = at;
  const match = form.exec(text);
  if (match === null) return undefined;
  const [written, first, second, third, fourth] = match;
  if (form === percent) return percentEscape(written);
  if (form === entity) {
    const named = third === undefined ? undefined : entities.get(third);
    if (third !== undefined) return named === undefined ? undefined : { text: named, length: written.length };
    return point(first === undefined ? Number.parseInt(second!, 16) : Number(first), written);
  }
  if (fourth !== undefined) return { text: fourth, length: 2 };
  return point(Number.parseInt((first ?? second ?? third)!, 16), written);
}

function point(code: number, written: string): Escape | undefined {
  return code > 0x10ffff ? undefined : { text: String.fromCodePoint(code), length: written.length };
}

/** One character of UTF-8, or one byte where there is none. */
function percentEscape(written: string): Escape {
  const bytes = Buffer.from(written.replaceAll("%", ""), "hex");
  const first = bytes[0]!;
  const size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const character = bytes.toString("utf8", 0, size);
  const isWhole = bytes.length >= size && !character.includes("\ufffd");
  return isWhole ? { text: character, length: size * 3 } : { text: " ", length: 3 };
}

/** What is seen of a character; a cache, since few differ in one text. */
const folded = new Map<number, string>();

function fold(code: number): string {
  if (code < 128) return String.fromCharCode(code);
  let plain = folded.get(code);
  if (plain === undefined) {
    plain = foldOne(code);
    // At most as many entries as Unicode has characters, of which a hostile text could bring all.
    if (folded.size > 20_000) folded.clear();
    folded.set(code, plain);
  }
  return plain;
}

function foldOne(code: number): string {
  const character = String.fromCodePoint(code);
  // Formats (zero width, direction, soft hyphen), variation selectors and marks upon another character are not seen as characters.
  if (/[\p{Cf}\p{Mn}\p{Me}]/u.test(character)) return "";
  if (/\p{Zs}/u.test(character)) return " ";
  if (/\p{Pd}/u.test(character) || code === 0x2212) return "-";
  if (code === 0x3002 || code === 0xff61) return ".";
  const compatible = character.normalize("NFKC");
  // An accent by itself, which is no space.
  if (compatible.startsWith(" ")) return character;
  return [...compatible].map((one) => digit(one) ?? one).join("");
}

/** Digits of a script are ten in a row; those of mathematics have been made plain before. */
function digit(character: string): string | undefined {
  if (!/\p{Nd}/u.test(character)) return undefined;
  const code = character.codePointAt(0)!;
  let zero = code;
  while (zero > code - 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return String(code - zero);
}
