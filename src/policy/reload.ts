// Notices that a bundle file has changed: by the file system's notices, and by looking now and then where those are lost.
import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";

const POLL_MS = 2_000;
/** A file that is being written is left alone until it stayed the same for this long. */
const SETTLE_MS = 100;

/**
 * Calls `changed` each time the file at `path` is another than before (also replaced by rename, or gone and back); never two calls at once.
 * @returns what ends it
 */
export function watchFile(path: string, changed: () => Promise<void>): () => void {
  let seen: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let busy = false;
  let watcher: FSWatcher | undefined;

  const look = async (): Promise<void> => {
    if (busy || ended) return;
    busy = true;
    try {
      const now = await signature(path);
      if (seen === undefined && now !== undefined) {
        // It may have changed since it was read and before it was watched.
        seen = now;
        await changed();
      }
      while (now !== undefined && !ended && (await signature(path)) !== seen) {
        let settled = await signature(path);
        for (;;) {
          await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
          const again = await signature(path);
          if (again === settled) break;
          settled = again;
        }
        seen = settled;
        if (!ended) await changed();
      }
    } finally {
      busy = false;
    }
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), SETTLE_MS);
  };
  void look();
  try {
    watcher = watch(dirname(path), { persistent: false }, soon);
    watcher.on("error", () => watcher?.close());
  } catch {
    // Some file systems have no notices; looking is enough.
  }
  const poll = setInterval(() => void look(), POLL_MS);
  poll.unref();
  return () => {
    ended = true;
    clearTimeout(timer);
    clearInterval(poll);
    watcher?.close();
  };
}

/** Undefined while there is no such file. */
async function signature(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    return undefined;
  }
}
