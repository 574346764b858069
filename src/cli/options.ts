// Command lines by node's parser, with our error.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { RegateError } from "../errors.ts";

/** @throws RegateError USAGE, with `help` as the hint */
export function parsed<const O extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: O,
  help: string,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage((error as Error).message, help);
  }
}

export function usage(detail: string, help: string): RegateError {
  return new RegateError("USAGE", { detail, hint: help.trimEnd() });
}

export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((word) => word === "--help" || word === "-h");
}

/** @returns the exit code of what was asked for */
export function say(text: string): number {
  process.stdout.write(text);
  return 0;
}
