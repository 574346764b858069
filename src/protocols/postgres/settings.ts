// The two settings under which the gate would read texts otherwise than the server does.
import { RegateError } from "../../errors.ts";
import type { Analysis } from "../../sql/postgres/analyze.ts";

/** A setting, in plain sight, under which the gate would read texts otherwise than the server. */
export function forbiddenSetting(analysis: Analysis): RegateError | undefined {
  for (const { facts } of analysis.statements) {
    for (const { name, value } of facts.settings) {
      const setting = name.toLowerCase();
      const given = value?.toLowerCase() ?? null;
      if ((setting === "client_encoding" || setting === "names") && given !== null && !isUtf8Name(given)) {
        return new RegateError("CLIENT_ENCODING", { detail: `The command sets it to ${value}.` });
      }
      if (setting === "standard_conforming_strings" && given !== null && !isOn(given)) {
        return new RegateError("STANDARD_CONFORMING_STRINGS", { detail: `The command sets it to ${value}.` });
      }
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
