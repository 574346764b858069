// How a command ends: its exit code, and what it says when it failed.
import { errorText, RegateError } from "../errors.ts";
import { visible } from "./text.ts";

/** Exit codes, as `regate --help` tells them. */
export const exitCodes = { done: 0, failed: 1, usage: 2, configuration: 3 } as const;

/** Says on stderr why a command failed, and gives its exit code. */
export function explain(thrown: unknown, json: boolean): number {
  if (!(thrown instanceof RegateError)) {
    const message = errorText(thrown);
    const stack = thrown instanceof Error ? (thrown.stack ?? message) : message;
    process.stderr.write(
      json
        ? `${JSON.stringify({ error: { code: "INTERNAL", message } })}\n`
        : `regate: internal error: ${visible(stack)}\n`,
    );
    return exitCodes.failed;
  }
  const { code, message, detail, hint } = thrown;
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, detail, hint } })}\n`);
  else
    process.stderr.write(
      `${[`regate: ${visible(message)} (${code})`, ...indented(detail), ...indented(hint)].join("\n")}\n`,
    );
  return exitCode(code);
}

function indented(text: string | undefined): string[] {
  return text === undefined
    ? []
    : visible(text)
        .split("\n")
        .map((line) => (line === "" ? "" : `  ${line}`));
}

const configurationCodes = /^(CONFIG_|BUNDLE_|KEY_UNREADABLE$|DATA_DIR$|PORT_IN_USE$)/;

function exitCode(code: string): number {
  if (code === "USAGE") return exitCodes.usage;
  return configurationCodes.test(code) ? exitCodes.configuration : exitCodes.failed;
}

/** Writes a line to stdout, and waits while its reader is slow. */
export function print(line: string): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.write(`${line}\n`)) resolve();
    else process.stdout.once("drain", resolve);
  });
}
