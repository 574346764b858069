// One pass over a cell's bytes, which proves of most cells that no detector can find anything in them, before any string is made.

/** Signs that a text may have, as bits. */
export const AT = 1;
export const ASSIGNMENT = 2;
/** Characters that may stand for others: an escape, or beyond ASCII. */
export const DISGUISE = 4;
/** A character that no lower-case hexadecimal number or UUID has. */
export const BEYOND_HEX = 8;
const TOKEN = 16;
const DIGIT = 32;
const SEPARATOR = 64;

/**
 * What a text must have, all of it. `stretch`: digits with nothing but separators between them. `run`: characters of a token in a row. `digits`, `dots`,
 * `colons`: how many of them.
 */
export type Needs = Partial<Traits>;

/** What a text has. */
export type Traits = { stretch: number; run: number; digits: number; dots: number; colons: number; signs: number };
export const noTraits = (): Traits => ({ stretch: 0, run: 0, digits: 0, dots: 0, colons: 0, signs: 0 });

/** By byte: what it is. */
const classes = new Uint8Array(256);
/** By byte: one digit, dot or colon, in ten bits each, so that one addition counts all of them. */
const counts = new Int32Array(256);
const DOTS = 10;
const COLONS = 20;
const FIELD = (1 << 10) - 1;

for (let byte = 0; byte < 128; byte++) {
  const character = String.fromCharCode(byte);
  if (/[A-Za-z0-9_+/=.~-]/.test(character)) classes[byte]! |= TOKEN;
  if (/[A-Zg-z_~]/.test(character)) classes[byte]! |= BEYOND_HEX;
  if (/[ \t\r\n._/+()-]/.test(character)) classes[byte]! |= SEPARATOR;
  if (/\d/.test(character)) {
    classes[byte]! |= DIGIT;
    counts[byte] = 1;
  }
  if (/[:=]/.test(character)) classes[byte]! |= ASSIGNMENT;
  if (/[%&\\]/.test(character)) classes[byte]! |= DISGUISE;
}
classes[0x40] = AT;
counts[0x2e] = 1 << DOTS;
counts[0x3a] = 1 << COLONS;
/**
 * First bytes of the UTF-8 characters that plain.ts takes for others: digits and signs, spaces, what is not seen. Letters of the Latin, Greek, Cyrillic
 * and most East Asian scripts have none of them.
 */
const disguises = [0xc2, 0xca, 0xcb, 0xcc, 0xcd, 0xd2, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf];
for (const first of [...disguises, 0xe0, 0xe1, 0xe2, 0xe3, 0xea, 0xef]) classes[first] = DISGUISE;
for (let first = 0xf0; first < 256; first++) classes[first] = DISGUISE;

/** The traits of source[start, end), written into `into`. Of a long text it is only said that it may have all. */
export function traitsOfBytes(source: Buffer, start: number, end: number, into: Traits): void {
  if (end - start > FIELD) {
    everything(into);
    return;
  }
  let signs = 0;
  let sums = 0;
  let run = 0;
  let longestRun = 0;
  let stretch = 0;
  let longestStretch = 0;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    const kind = classes[byte]!;
    signs |= kind;
    sums += counts[byte]!;
    if ((kind & TOKEN) !== 0) run++;
    else {
      if (run > longestRun) longestRun = run;
      run = 0;
    }
    if ((kind & DIGIT) !== 0) stretch++;
    else if ((kind & SEPARATOR) === 0) {
      if (stretch > longestStretch) longestStretch = stretch;
      stretch = 0;
    }
  }
  into.signs = signs;
  into.digits = sums & FIELD;
  into.dots = (sums >> DOTS) & FIELD;
  into.colons = sums >> COLONS;
  into.run = Math.max(run, longestRun);
  into.stretch = Math.max(stretch, longestStretch);
}

/** The same of a text, whose characters beyond ASCII have none. */
export function traitsOfText(text: string, into: Traits): void {
  if (text.length > FIELD) {
    everything(into);
    return;
  }
  const bytes = Buffer.from(text, "latin1");
  // A character beyond Latin-1 would be cut to another one.
  if (/[^\0-\x7f]/.test(text))
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) < 128 ? bytes[i]! : 0;
  traitsOfBytes(bytes, 0, bytes.length, into);
}

function everything(into: Traits): void {
  into.stretch = into.run = into.digits = into.dots = into.colons = Number.POSITIVE_INFINITY;
  into.signs = -1;
}

/** True if a text with these traits may hold what needs one of `needs`. */
export function mayHold(traits: Traits, needs: readonly Needs[]): boolean {
  for (const { stretch = 0, run = 0, digits = 0, dots = 0, colons = 0, signs = 0 } of needs) {
    if (traits.stretch < stretch || traits.run < run || traits.digits < digits) continue;
    if (traits.dots >= dots && traits.colons >= colons && (traits.signs & signs) === signs) return true;
  }
  return false;
}
