// Ends a server that outlived its gate: nothing else may hold the cluster's folder.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RegateError } from "../errors.ts";

export type PidFile = { readonly pid: number; readonly status: string };

/** Lines 1 and 8 of postmaster.pid; undefined while it isn't there or isn't complete. */
export function readPidFile(data: string): PidFile | undefined {
  try {
    const lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    const pid = Number(lines[0]);
    return Number.isSafeInteger(pid) && pid > 1 ? { pid, status: (lines[7] ?? "").trim() } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Says that this process owns the cluster in `dir`.
 * @throws RegateError DATA_DIR when another gate that still runs owns it
 */
export function claim(dir: string): void {
  const file = join(dir, "owner.json");
  if (existsSync(file)) {
    const owner = JSON.parse(readFileSync(file, "utf8")) as { pid: number; started: string };
    if (owner.pid !== process.pid && startOf(owner.pid) === owner.started) {
      throw new RegateError("DATA_DIR", {
        message: "Another gate runs the embedded PostgreSQL in this folder",
        detail: `process ${owner.pid} uses ${dir}`,
        hint: `Choose another data_dir, or end it: kill ${owner.pid}`,
      });
    }
  }
  writeFileSync(file, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }), { mode: 0o600 });
}

/** When a process started, so that a number that is used again is not taken for it; empty when there is none. */
function startOf(pid: number): string {
  try {
    if (existsSync("/proc/self/stat"))
      return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19] ?? "";
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

/**
 * Ends the server that still runs on `data`, if any, and removes a stale lock file, also when its number belongs to an unrelated process now.
 * @throws RegateError DATA_DIR when it does not end
 */
export async function endStale(data: string): Promise<void> {
  const file = readPidFile(data);
  if (file === undefined) return;
  for (const [signal, seconds] of [
    [undefined, 1],
    ["SIGINT", 10],
    ["SIGQUIT", 5],
  ] as const) {
    // The first round only waits: the server's guardian may be ending it at this moment.
    if (signal !== undefined && isServer(file.pid, data)) process.kill(file.pid, signal);
    for (let waited = 0; waited < seconds * 1000; waited += 20) {
      if (!isServer(file.pid, data)) {
        rmSync(join(data, "postmaster.pid"), { force: true });
        return;
      }
      await sleep(20);
    }
  }
  throw new RegateError("DATA_DIR", {
    message: "The embedded PostgreSQL of an earlier run does not end",
    detail: `process ${file.pid} holds ${data}`,
    hint: `End it by hand: kill -QUIT ${file.pid}`,
  });
}

/** Is process `pid` the server on `data`? A server's working folder is its data folder. */
function isServer(pid: number, data: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  if (existsSync("/proc/self/cwd")) {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data);
    } catch {
      return false;
    }
  }
  try {
    return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).includes(data);
  } catch {
    return false;
  }
}
