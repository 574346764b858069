// Runs a program and tells how it went: what the tools here share.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");

/** Ends this program with a message and its remedy. */
export function fail(message: string, remedy?: string): never {
  console.error(remedy === undefined ? `\n${message}` : `\n${message}\n  → ${remedy}`);
  process.exit(1);
}

/** The program's whole output goes to the terminal. Returns its exit code. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): number {
  const { status, error } = spawnSync(program, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? process.env,
    stdio: "inherit",
  });
  if (error !== undefined) console.error(`${program}: ${error.message}`);
  return status ?? 1;
}

/** Output and exit code, kept back. */
export function capture(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): { code: number; output: string } {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? process.env,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return {
    code: error === undefined ? (status ?? 1) : 127,
    output: error === undefined ? stdout + stderr : error.message,
  };
}

export const onPath = (program: string): boolean => capture("sh", ["-c", 'command -v "$1"', "sh", program]).code === 0;
