// Settings that a client brings along in its startup packet, as facts: they are judged like the SET that would come behind it.
import type { Command } from "../../core/command.ts";
import type { StatementFacts } from "../../core/facts.ts";
import { startupSettings } from "./options.ts";

/** What every driver brings, and only says how values look and who asks. */
const usual = new Set(["application_name", "client_encoding", "datestyle", "extra_float_digits", "timezone"]);

/** The startup's settings but for the usual ones; undefined where there are none. */
export function startupCommand(parameters: ReadonlyMap<string, string>): Command | undefined {
  const settings: StatementFacts["settings"][number][] = [];
  for (const [name, value] of parameters) {
    if (name === "user" || name === "database") continue;
    const brought = name === "options" ? startupSettings(value) : [{ name, value }];
    for (const one of brought)
      if (!usual.has(one.name.toLowerCase())) settings.push({ ...one, name: one.name.toLowerCase(), local: false });
  }
  if (settings.length === 0) return undefined;
  const text = settings.map(({ name, value }) => `${name}=${value}`).join(" ");
  const statement: StatementFacts = {
    verb: "set",
    class: "session",
    relations: [],
    columns: [],
    outputs: [],
    writes: [],
    functions: [],
    scoped: true,
    limit: null,
    settings,
    locks: [],
    external: [],
    estimate: null,
  };
  return {
    facts: {
      text: `startup ${text}`,
      normalized: "",
      fingerprint: "",
      message: "startup",
      parameters: { count: 0, types: [] },
      statements: [statement],
    },
    key: () => text,
  };
}
