// The kinds of values that a configuration key can have: each checks, converts, and says what is wrong where.
import { resolve } from "node:path";
import type { Path } from "./document.ts";
import { expand, expandUrl } from "./environment.ts";
import { closest } from "./suggest.ts";

/** Where a value stands, and what the checks share. Defects are collected, so that one run shows them all. */
export class At {
  readonly path: Path;
  readonly shared: Shared;
  constructor(path: Path, shared: Shared) {
    this.path = path;
    this.shared = shared;
  }
  child(step: string | number): At {
    return new At([...this.path, step], this.shared);
  }
  /** Notes a defect. The value that is returned is never used: the check as a whole fails. The first at a place is the one to mend. */
  defect(message: string): never {
    const place = this.path.join(".");
    const known = this.shared.defects.some((defect) => defect.path.join(".") === place);
    if (!known) this.shared.defects.push({ path: this.path, message });
    return undefined as never;
  }
  notice(message: string): void {
    this.shared.notices.push(`${this.path.join(".")}: ${message}`);
  }
}

export type Shared = {
  /** The folder that relative paths start from. */
  readonly base: string;
  readonly env: NodeJS.ProcessEnv;
  /** For commands that never connect: the variables of `resources` need not be set. */
  readonly offline: boolean;
  readonly defects: { readonly path: Path; readonly message: string }[];
  readonly notices: string[];
};

/** Gives the checked value. `value` is undefined where the key is absent. */
export type Field<T> = (value: unknown, at: At) => T;
export type FieldValue<F> = F extends Field<infer T> ? T : never;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A map with exactly these keys. Absent or empty, every key takes its default. */
export function section<const S extends { readonly [key: string]: Field<unknown> }>(
  shape: S,
): Field<{ readonly [K in keyof S]: FieldValue<S[K]> }> {
  const keys = Object.keys(shape);
  return (value, at) => {
    if (value !== undefined && value !== null && !isObject(value)) return at.defect("expected keys and values");
    const given = new Map(Object.entries(value ?? {}));
    for (const key of given.keys()) {
      if (Object.hasOwn(shape, key)) continue;
      const meant = closest(key, keys);
      at.child(key).defect(
        meant === undefined ? `unknown key; known here: ${keys.join(", ")}` : `unknown key; did you mean ${meant}?`,
      );
    }
    const checked = Object.fromEntries(keys.map((key) => [key, shape[key]!(given.get(key), at.child(key))]));
    return Object.freeze(checked) as { readonly [K in keyof S]: FieldValue<S[K]> };
  };
}

/** A map with names of the deployment's choice. It inherits nothing, so that no name finds what is not in it. */
export function named<T>(
  item: Field<T>,
  checkName: (name: string) => string | undefined,
): Field<{ readonly [name: string]: T }> {
  return (value, at) => {
    const checked: { [name: string]: T } = Object.create(null);
    if (value === undefined || value === null) return Object.freeze(checked);
    if (!isObject(value)) return at.defect("expected names and values");
    for (const [name, entry] of Object.entries(value)) {
      const wrong = checkName(name);
      if (wrong !== undefined) at.child(name).defect(wrong);
      checked[name] = item(entry, at.child(name));
    }
    return Object.freeze(checked);
  };
}

/** A text with `${NAME}` expanded. */
export const text = (fallback?: string): Field<string> =>
  scalar(fallback, (raw, at) => {
    if (typeof raw !== "string") return at.defect("expected a text; put it in quotes");
    const expanded = expandedText(raw, at);
    return expanded === "" ? at.defect("must not be empty") : expanded;
  });

export const optional =
  <T>(inner: Field<T>): Field<T | undefined> =>
  (value, at) =>
    value === undefined ? undefined : inner(value, at);

/** A path, made absolute. */
export const path = (fallback?: string): Field<string> => {
  const inner = text(fallback);
  return (value, at) => {
    const given = inner(value, at);
    return given === undefined ? given : resolve(at.shared.base, given);
  };
};

/** A PostgreSQL URL or Unix socket address, never shown in an error. Variables in its user part are percent-encoded. */
export const url = (...schemes: readonly string[]): Field<string> =>
  scalar(undefined, (raw, at) => {
    if (typeof raw !== "string") return at.defect("expected a URL");
    const { value, missing } = expandUrl(raw, at.shared.env);
    if (missing.length > 0) return at.shared.offline ? raw : unset(missing, at);
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
    return scheme !== undefined && schemes.includes(scheme)
      ? value
      : at.defect(`expected a URL that starts with ${schemes.map((known) => `${known}://`).join(" or ")}`);
  });

export const choice = <const V extends readonly string[]>(values: V, fallback: V[number]): Field<V[number]> =>
  scalar(fallback, (raw, at) => {
    const given = typeof raw === "string" ? expandedText(raw, at) : raw;
    if (values.includes(given as string)) return given as V[number];
    const meant = typeof given === "string" ? closest(given, values) : undefined;
    return at.defect(`expected ${values.join(" or ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`);
  });

/** host:port or [v6]:port, as text. Port 0 takes a free one. */
export const address = (fallback: string): Field<string> =>
  scalar(fallback, (raw, at) => {
    const given = typeof raw === "string" ? expandedText(raw, at) : undefined;
    if (given !== undefined && hostOf(given) !== undefined) return given;
    return at.defect('expected "host:port", such as "127.0.0.1:6432" or "[::1]:6432"');
  });

/** The host of a host:port, without brackets; undefined when it is not one. */
export function hostOf(given: string): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(given);
  return match === null || Number(match[3]) > 65_535 ? undefined : (match[1] ?? match[2]);
}

const milliseconds: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "500ms", "10s", "5m", "1h", "90d", as milliseconds. */
export const duration = (
  fallback: string,
  bounds: { readonly min?: string; readonly max?: string } = {},
): Field<number> =>
  scalar(parseDuration(fallback), (raw, at) => {
    const given = typeof raw === "string" ? parseDuration(expandedText(raw, at) ?? "") : undefined;
    if (given === undefined) return at.defect('expected a duration with its unit, such as "30s", "5m" or "1h"');
    const { min = "1ms", max = "3650d" } = bounds;
    const fits = given >= parseDuration(min)! && given <= parseDuration(max)!;
    return fits ? given : at.defect(`expected a duration from ${min} to ${max}`);
  });

/** One of these words, or a duration. */
export const durationOr = <const V extends readonly string[]>(
  words: V,
  fallback: V[number],
  bounds: { readonly min?: string; readonly max?: string } = {},
): Field<V[number] | number> => {
  const inner = duration(bounds.min ?? "1ms", bounds);
  return scalar<V[number] | number>(fallback, (raw, at) => {
    const given = typeof raw === "string" ? expandedText(raw, at) : raw;
    if (words.includes(given as string)) return given as V[number];
    return typeof given === "string" && parseDuration(given) !== undefined
      ? inner(given, at)
      : at.defect(`expected ${words.join(", ")} or a duration with its unit, such as "1s"`);
  });
};

export function parseDuration(given: string): number | undefined {
  const match = /^(\d{1,9})\s*(ms|s|m|h|d)$/.exec(given.trim());
  return match === null ? undefined : Number(match[1]) * milliseconds[match[2]!]!;
}

const bytes: { readonly [unit: string]: number } = {
  "": 1,
  B: 1,
  KB: 1e3,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** "64KiB", "1MiB", "1GiB", "1MB", or a number of bytes. */
export const size = (fallback: string, bounds: { readonly min: string; readonly max: string }): Field<number> =>
  scalar(parseSize(fallback), (raw, at) => {
    const given = parseSize(typeof raw === "string" ? (expandedText(raw, at) ?? "") : String(raw));
    if (given === undefined) return at.defect('expected a size, such as "64KiB", "1MiB", or a number of bytes');
    const fits = given >= parseSize(bounds.min)! && given <= parseSize(bounds.max)!;
    return fits ? given : at.defect(`expected a size from ${bounds.min} to ${bounds.max}`);
  });

function parseSize(given: string): number | undefined {
  const match = /^(\d{1,15})\s*(B|[kK]B|MB|GB|KiB|MiB|GiB)?$/.exec(given.trim());
  return match === null ? undefined : Number(match[1]) * bytes[match[2] ?? ""]!;
}

export const count = (fallback: number, bounds: { readonly min: number; readonly max: number }): Field<number> =>
  scalar(fallback, (raw, at) => {
    const given = typeof raw === "string" ? Number(expandedText(raw, at) || Number.NaN) : raw;
    const fits = typeof given === "number" && Number.isSafeInteger(given) && given >= bounds.min && given <= bounds.max;
    return fits ? given : at.defect(`expected a whole number from ${bounds.min} to ${bounds.max}`);
  });

/** A number from 0 to 1. */
export const share = (fallback: number): Field<number> =>
  scalar(fallback, (raw, at) => {
    const given = typeof raw === "string" ? Number(expandedText(raw, at) || Number.NaN) : raw;
    return typeof given === "number" && given >= 0 && given <= 1 ? given : at.defect("expected a number from 0 to 1");
  });

/** A key that the format has, and this version does not act on: it may be absent or empty, so that nothing is silently not applied. */
export const unavailable =
  (what: string): Field<undefined> =>
  (value, at) => {
    const empty = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
    return empty ? undefined : at.defect(`${what} is not available in this version; remove the key`);
  };

function scalar<T>(fallback: T | undefined, check: (raw: NonNullable<unknown>, at: At) => T): Field<T> {
  return (value, at) => {
    if (value === undefined) return fallback === undefined ? at.defect("missing") : fallback;
    if (value === null) return at.defect("has no value");
    return check(value, at);
  };
}

/** The text with its variables, or undefined (and a defect) when one is not set. */
function expandedText(raw: string, at: At): string {
  const { value, missing } = expand(raw, at.shared.env);
  return missing.length === 0 ? value : unset(missing, at);
}

function unset(missing: readonly string[], at: At): never {
  return at.defect(`the environment variable ${missing.join(" and ")} is not set`);
}
