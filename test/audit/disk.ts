// A disk that can be full: a small file system of its own where mounting is allowed, else a limit on how large files may become.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `fill` leaves no byte free; what it returns makes room again. `error` is what a write then fails with. */
export type Disk = { readonly dir: string; readonly error: RegExp; fill(): () => void; remove(): void };

/** To be removed after everything that uses it was closed. */
export function smallDisk(): Disk {
  const dir = mkdtempSync(join(tmpdir(), "regate-disk-"));
  chmodSync(dir, 0o755);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", dir], { stdio: "ignore" });
  } catch {
    return limited(dir);
  }
  const remove = (): void => {
    execFileSync("umount", ["-l", dir]);
    rmSync(dir, { recursive: true });
  };
  return { dir, error: /ENOSPC/, fill: () => fill(dir), remove };
}

function fill(dir: string): () => void {
  const ballast = join(dir, "ballast");
  const block = Buffer.alloc(4096);
  try {
    for (;;) appendFileSync(ballast, block);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
  return () => rmSync(ballast);
}

/** Without the right to mount: no file of this process may grow. */
function limited(dir: string): Disk {
  const limit = (bytes: string): Buffer => execFileSync("prlimit", [`--pid=${process.pid}`, `--fsize=${bytes}:`]);
  const fillAll = (): (() => void) => {
    limit("1");
    return () => limit("unlimited");
  };
  return { dir, error: /EFBIG/, fill: fillAll, remove: () => rmSync(dir, { recursive: true }) };
}
