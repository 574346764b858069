// The command `regate`: finds the subcommand, and says what went wrong.
import { readFileSync } from "node:fs";
import { closest } from "../config/suggest.ts";
import { RegateError } from "../errors.ts";
import { exitCodes, explain } from "./exit.ts";

type Command = { readonly summary: string; load(): Promise<{ run(args: string[]): Promise<number> }> };

/** One file a command, loaded when it is called. */
const commands: { readonly [name: string]: Command } = {
  serve: { summary: "start the gate; --demo brings a PostgreSQL with a shop in it", load: () => import("./serve.ts") },
  token: {
    summary: "issue, list and revoke the tokens that clients use as password",
    load: () => import("./token.ts"),
  },
  approvals: { summary: "list held commands; approve or deny one", load: () => import("./approvals.ts") },
  detokenize: { summary: "turn tokens of masked columns back into values", load: () => import("./detokenize.ts") },
  keys: { summary: "list the gate's keys; rotate one", load: () => import("./keys.ts") },
  policy: { summary: "check, test and build rules into a bundle; try them on SQL", load: () => import("./policy.ts") },
  log: { summary: "read the decision log: tail, or query it with SQL", load: () => import("./log.ts") },
  config: { summary: "check the configuration", load: () => import("./config.ts") },
};

const width = Math.max(...Object.keys(commands).map((name) => name.length));
const help = `regate COMMAND [OPTIONS]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  .join("\n")}

  regate COMMAND --help tells more; regate --version tells the version.

Exit codes: 0 done, 1 failed, 2 the command line is not understood, 3 the configuration, a key, the policy bundle or an address cannot be used.
With --json, results go to stdout and errors to stderr as JSON.
`;

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  try {
    if (first === undefined || first === "help" || first === "--help" || first === "-h")
      return await showHelp(first, rest);
    if (first === "--version" || first === "-V") return say(`${version()}\n`);
    return await find(first).run(rest);
  } catch (thrown) {
    return explain(understood(thrown, first), args.includes("--json"));
  }
}

async function showHelp(asked: string | undefined, rest: readonly string[]): Promise<number> {
  if (rest[0] !== undefined) return find(rest[0]).run(["--help"]);
  if (asked !== undefined) return say(help);
  process.stderr.write(help);
  return exitCodes.usage;
}

function find(name: string): { run(args: string[]): Promise<number> } {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return { run: async (args) => (await command.load()).run(args) };
  const meant = closest(name, Object.keys(commands));
  const hint = meant === undefined ? "See: regate --help." : `Did you mean ${meant}? See: regate --help.`;
  throw new RegateError("USAGE", { detail: `There is no command ${name}.`, hint });
}

/** What Node's own parser of arguments throws is a misuse of the command line. */
function understood(thrown: unknown, command: string | undefined): unknown {
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== "string" || !code.startsWith("ERR_PARSE_ARGS")) return thrown;
  return new RegateError("USAGE", {
    detail: (thrown as Error).message,
    hint: `See: regate ${command ?? ""} --help.`,
    cause: thrown,
  });
}

function say(text: string): number {
  process.stdout.write(text);
  return exitCodes.done;
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

/** A reader that went away (`regate log tail | head`) is no error. The gate itself goes on without its reader. */
function endQuietly(serving: boolean): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (!serving) process.exit(exitCodes.done);
  });
  process.stderr.on("error", () => {});
}

if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `regate needs Node 24 or later; this is ${process.version}. The package brings one: npx regate, or npm run -s regate -- in a checkout.\n`,
  );
  process.exit(exitCodes.failed);
}
const args = process.argv.slice(2);
endQuietly(args[0] === "serve");
process.exitCode = await main(args);
