// One gate per data folder: a lock that the operating system releases when its process ends, however it ends.
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errorText, RegateError } from "../errors.ts";

/**
 * Locks the folder until the returned function is called. Node has no file locks of its own, SQLite has: the file stays empty.
 * It must not be opened otherwise: on POSIX, closing any descriptor of a file drops the process's locks on it.
 * @throws RegateError DATA_DIR when another gate holds it, or the folder cannot be written to
 */
export function lockFolder(dir: string): () => void {
  const file = join(dir, "lock");
  const holder = join(dir, "lock.pid");
  let database: DatabaseSync | undefined;
  try {
    createPrivate(file);
    database = new DatabaseSync(file);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
    return () => database?.close();
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode !== 5) {
      throw new RegateError("DATA_DIR", {
        detail: `${dir}: ${errorText(error)}`,
        hint: "Set data_dir to a folder that the gate may write to.",
        cause: error,
      });
    }
    throw new RegateError("DATA_DIR", {
      detail: `${dir} is in use by another gate${processOf(holder)}.`,
      hint: "End the other gate, or give this one another data_dir.",
      cause: error,
    });
  }
}

function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function processOf(holder: string): string {
  try {
    return ` (process ${Number.parseInt(readFileSync(holder, "utf8"), 10)})`;
  } catch {
    return "";
  }
}
