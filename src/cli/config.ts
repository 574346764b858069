// regate config check: is the configuration right, and what does it mean?
import { loadConfig } from "../config.ts";
import { exitCodes, print } from "./exit.ts";
import { parsed, usage } from "./options.ts";
import { oneLine } from "./text.ts";

const help = `regate config check [--config FILE] [--json]

Checks FILE (default: regate.yaml in this folder) as regate serve would: keys, values, \${VARIABLES}. Every defect is shown with its line.
--json prints the configuration with its defaults filled in; URLs without their passwords. All keys: docs/configuration.md.
Exit codes: 0 right, 2 not understood, 3 not right.
`;

/** @returns the exit code. @throws RegateError USAGE, CONFIG_UNREADABLE, CONFIG_INVALID */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parsed(
    args,
    {
      config: { type: "string", short: "c" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
    help,
  );
  if (values.help === true) {
    process.stdout.write(help);
    return exitCodes.done;
  }
  const [command, ...rest] = positionals;
  if (command !== "check") throw usage(command === undefined ? "config: a word is missing" : `config ${command}`, help);
  if (rest[0] !== undefined) throw usage(`config check: ${rest[0]} is one word too many`, help);
  const config = loadConfig(values.config, process.env);
  if (values.json === true) {
    await print(JSON.stringify(config, (key, value) => (key === "url" ? withoutPassword(value) : value)));
    return exitCodes.done;
  }
  const { listen, policy, resources } = config;
  await print(
    `The configuration is right: ${Object.keys(resources)
      .map((name) => oneLine(name))
      .join(", ")} on ${listen.postgres}, HTTP on ${listen.http}, mode ${policy.mode}.`,
  );
  for (const notice of config.notices) await print(`note: ${oneLine(notice)}`);
  return exitCodes.done;
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:/@]*):.*@/i, "$1:***@").replace(/([?&]password=)[^&]*/i, "$1***");
}
