// Runs the command as users do: a process of its own, with what it prints and its exit code.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";

export const main = join(import.meta.dirname, "../../src/cli/main.ts");
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
export type Running = {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  stdout(): string;
  stderr(): string;
  ended(): Promise<Ended>;
};
type Place = { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv };

export function start(args: readonly string[], { cwd, env }: Place = {}): Running {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: cwd ?? process.cwd(),
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const closed = once(child, "close");
  const ended = async (): Promise<Ended> => {
    const [code] = (await closed) as [number | null];
    return { code, stdout, stderr };
  };
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

export const regate = (args: readonly string[], place: Place = {}): Promise<Ended> => start(args, place).ended();

/** Waits until a condition holds. */
export async function until(condition: () => boolean, what: () => string): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 20_000) throw new Error(`waited too long: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
