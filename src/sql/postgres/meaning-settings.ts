// Settings that decide what later texts mean: what names stand for, and whether a statement can be judged at all.

/** Those that decide what names stand for; `*` stands for any. */
const NAME_SETTINGS: ReadonlySet<string> = new Set(["search_path", "role", "session_authorization", "*"]);

/** Settings under some values of which no statement can be judged. */
export const MEANING_SETTINGS = [
  ...(["client_encoding", "standard_conforming_strings", "transform_null_equals"] as const),
  ...(["plpgsql.variable_conflict", "extra_float_digits"] as const),
] as const;
const meaning: ReadonlySet<string> = new Set(MEANING_SETTINGS);

/** Do names mean something else under another value of this setting? */
export function decidesNames(setting: string): boolean {
  return NAME_SETTINGS.has(setting.toLowerCase());
}

/** Must what it is then be asked for? Also where the value is in plain sight: the end of a transaction brings an earlier one back. */
export function decidesMeaning(setting: string): boolean {
  return decidesNames(setting) || meaning.has(setting.toLowerCase());
}

/** Nothing behind it can be judged before it has run. */
export function isUnseen({ name, value }: { readonly name: string; readonly value: string | null }): boolean {
  return decidesNames(name) || (value === null && meaning.has(name.toLowerCase()));
}
