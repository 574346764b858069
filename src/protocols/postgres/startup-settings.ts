// Settings that a client brings along in its startup packet, as facts: they are judged like the SET that would come behind it.
import type { Command } from "../../core/command.ts";
import type { StatementFacts } from "../../core/facts.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { startupSettings } from "./options.ts";

/** What every driver brings, and only says how values look and who asks. */
const usual = new Set(["application_name", "client_encoding", "datestyle", "extra_float_digits", "timezone"]);

type Brought = { readonly name: string; readonly value: string };

/** The startup's settings but for the usual ones. */
export function broughtSettings(parameters: ReadonlyMap<string, string>): readonly Brought[] {
  const settings: Brought[] = [];
  for (const [name, value] of parameters) {
    if (name === "user" || name === "database") continue;
    const brought = name === "options" ? startupSettings(value) : [{ name, value }];
    for (const one of brought)
      if (!usual.has(one.name.toLowerCase())) settings.push({ ...one, name: one.name.toLowerCase() });
  }
  return settings;
}

export function startupCommand(settings: readonly Brought[], catalog: Catalog): Command {
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
    settings: settings.map(({ name, value }) => ({ name, value, local: false, own: catalog.isOwnSetting(name) })),
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
