// Settings under which the gate would read texts otherwise than the server does, or a statement would do something else than its facts say.
import { RegateError } from "../../errors.ts";
import type { Analysis } from "../../sql/postgres/analyze.ts";
import type { MEANING_SETTINGS } from "../../sql/postgres/meaning-settings.ts";

/** Settings that may have one value only, as current_setting shows it. What is not in this list changes how values look, or who may do what. */
const only: ReadonlyMap<string, (value: string) => boolean> = new Map<
  (typeof MEANING_SETTINGS)[number],
  (value: string) => boolean
>([
  // Texts would be cut into tokens otherwise.
  ["client_encoding", isUtf8Name],
  ["standard_conforming_strings", isOn],
  // `key = NULL` would fix no row, but find all that have none.
  ["transform_null_equals", isOff],
  // A variable and a column of the same name in PL/pgSQL: which of them is meant.
  ["plpgsql.variable_conflict", (value: string) => value === "error" || value === "default"],
  // Below zero the server rounds numbers before a mask could cut them.
  ["extra_float_digits", (value: string) => value === "default" || /^\d+$/.test(value)],
]);

/** An error if the gate cannot judge under this value. Null: the setting is not there. */
export function badSetting(name: string, value: string | null): RegateError | undefined {
  const setting = name === "names" ? "client_encoding" : name;
  const good = only.get(setting);
  if (good === undefined || value === null || good(value.toLowerCase())) return undefined;
  const detail = `${setting} is set to ${value}.`;
  if (setting === "client_encoding") return new RegateError("CLIENT_ENCODING", { detail });
  if (setting === "standard_conforming_strings") return new RegateError("STANDARD_CONFORMING_STRINGS", { detail });
  return new RegateError("SETTING_CHANGES_MEANING", { detail });
}

/** A setting, in plain sight, under which the gate would read texts otherwise than the server. */
export function forbiddenSetting(analysis: Analysis): RegateError | undefined {
  for (const { facts } of analysis.statements) {
    for (const { name, value } of facts.settings) {
      const error = badSetting(name.toLowerCase(), value);
      if (error !== undefined) return error;
    }
  }
  return undefined;
}

/** PostgreSQL compares encoding names without case and punctuation. */
export function isUtf8Name(name: string): boolean {
  return ["utf8", "unicode"].includes(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
}

/** A boolean setting as PostgreSQL reads it: "on", "1", and unique prefixes of true and yes. */
function isOn(value: string): boolean {
  return (
    value === "on" ||
    value === "1" ||
    value === "default" ||
    (value !== "" && ("true".startsWith(value) || "yes".startsWith(value)))
  );
}

function isOff(value: string): boolean {
  return (
    ["of", "off", "0", "default"].includes(value) ||
    (value !== "" && ("false".startsWith(value) || "no".startsWith(value)))
  );
}
