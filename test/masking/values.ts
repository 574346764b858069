// Random values of PostgreSQL types, repeatable by their seed.

export type Random = { below(n: number): number; pick<T>(items: readonly T[]): T };

/** mulberry32: small, and the same everywhere. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { below, pick: (items) => items[below(items.length)]! };
}

const characters = [..."abcXYZ019 @.-_'\"\\/\n\tüéßñ漢字한글ا🙂👩🏽‍🚀e\u0301\u200b\u00a0"];
const words = [
  "alice@example.com",
  "a@b.co",
  "ü@exämple.de",
  "x@y@z.org",
  "no address",
  "4111111111111111",
  "",
  " ",
  "a",
  "ab",
  "  padded  ",
];

export function text(r: Random, most: number): string {
  if (r.below(4) === 0) return [...r.pick(words)].slice(0, most).join("");
  return Array.from({ length: r.below(most + 1) }, () => r.pick(characters)).join("");
}

export function json(r: Random, depth = 0): unknown {
  const kind = r.below(depth > 3 ? 4 : 6);
  if (kind === 0) return r.below(1e9) / 8;
  if (kind === 1) return r.pick([true, false, null]);
  if (kind <= 3) return text(r, 20);
  if (kind === 4) return Array.from({ length: r.below(4) }, () => json(r, depth + 1));
  return Object.fromEntries(Array.from({ length: r.below(4) }, (_, i) => [`k${i}${text(r, 3)}`, json(r, depth + 1)]));
}

export function hex(r: Random, bytes: number): string {
  return Array.from({ length: bytes }, () => r.below(256).toString(16).padStart(2, "0")).join("");
}

export function uuid(r: Random): string {
  return hex(r, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
