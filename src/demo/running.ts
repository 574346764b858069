// A demo that another process runs in this folder: where its database listens, and as whom the gate logs in.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Embedded } from "./embedded.ts";

/** postgres://… of the embedded server that runs on `dir`, as the gate's role; undefined where none runs. */
export function runningUrl(dir: string, database: string): string | undefined {
  try {
    const { data, passwords } = JSON.parse(readFileSync(join(dir, "cluster.json"), "utf8")) as Pick<
      Embedded,
      "data" | "passwords"
    >;
    // Of postmaster.pid, line 1 is the process, line 4 the port and line 8 the state.
    const lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    process.kill(Number(lines[0]), 0);
    if (lines[7]?.trim() !== "ready") return undefined;
    return `postgres://app:${passwords.app}@127.0.0.1:${Number(lines[3])}/${database}`;
  } catch {
    return undefined;
  }
}
