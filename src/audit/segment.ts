// One segment file of the log: its name, how it is opened, written and cut.
import { closeSync, constants, fdatasync, fsyncSync, openSync, readdirSync, write, writeSync } from "node:fs";
import { join } from "node:path";

export type Durability = "fsync" | "write";

const pattern = /^decisions-(\d{1,12})\.jsonl$/;

export function segmentName(number: number): string {
  return `decisions-${String(number).padStart(6, "0")}.jsonl`;
}

/** The numbers of the segments in a folder, oldest first. */
export function listSegments(dir: string): number[] {
  const numbers = readdirSync(dir).flatMap((name) => {
    const match = pattern.exec(name);
    return match === null || segmentName(Number(match[1])) !== name ? [] : [Number(match[1])];
  });
  return numbers.sort((a, b) => a - b);
}

// Linux's O_DSYNC makes a write durable by itself, which saves a turn on the thread pool. Elsewhere the flush is a call of its own:
// on macOS only libuv's fdatasync asks the drive to flush.
const writesThrough = process.platform === "linux";

/** Opens a segment to append to. `create`: there must be none yet. @throws NodeJS.ErrnoException */
export function openSegment(dir: string, number: number, durability: Durability, create: boolean): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_DSYNC, O_NOFOLLOW } = constants;
  const through = durability === "fsync" && writesThrough ? O_DSYNC : 0;
  const flags = O_WRONLY | O_APPEND | (O_NOFOLLOW ?? 0) | through | (create ? O_CREAT | O_EXCL : 0);
  const fd = openSync(join(dir, segmentName(number)), flags, 0o600);
  if (create && durability === "fsync") {
    try {
      syncFolder(dir);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
  return fd;
}

/** Makes a new name in the folder survive a power failure. */
export function syncFolder(dir: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(dir, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Appends all bytes, and calls back once they are as durable as asked. A short write is followed by another, which tells why. */
export function appendBytes(
  fd: number,
  bytes: Buffer,
  durability: Durability,
  done: (error: Error | null) => void,
): void {
  if (durability === "write") {
    appendNow(fd, bytes, done);
    return;
  }
  write(fd, bytes, 0, bytes.length, null, (error, written) => {
    if (error !== null) return done(error);
    if (written < bytes.length) return appendBytes(fd, bytes.subarray(written), durability, done);
    if (writesThrough) return done(null);
    fdatasync(fd, done);
  });
}

/** Into the page cache, which takes less than a turn on the thread pool would. */
function appendNow(fd: number, bytes: Buffer, done: (error: Error | null) => void): void {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, null);
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null);
}
