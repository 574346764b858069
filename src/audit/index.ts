// Opens the decision log of a data folder: locked, recovered from a crash, ready to append.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AuditLog } from "../core/ports.ts";
import { errorText, RegateError } from "../errors.ts";
import { lockFolder } from "./lock.ts";
import { cutTorn, type Torn } from "./recover.ts";
import { type Durability, listSegments, openSegment, segmentName } from "./segment.ts";
import { LogWriter } from "./writer.ts";

export type AuditOptions = {
  /** The folder of the segment files. Made (0700) when there is none. */
  readonly dir: string;
  /** fsync: a record survives a power failure once its ticket is durable. write: it survives the end of the gate's process. */
  readonly durability: Durability;
  /** A segment is followed by the next once it has this many bytes. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** Called when the log fails, and with undefined when it works again. */
  readonly onState?: (failure: RegateError | undefined) => void;
  /** Called for what an operator must see: a torn record after a crash, a segment that somebody removed. */
  readonly onNotice?: (notice: string) => void;
};

/** The open log. `close` writes what waits, and releases the folder. */
export type OpenAuditLog = AuditLog & { close(): Promise<void> };

/** @throws RegateError DATA_DIR when the folder cannot be used, or another gate uses it */
export async function openAuditLog(options: AuditOptions): Promise<OpenAuditLog> {
  const { dir, durability, segmentBytes = 64 * 1024 * 1024, onState, onNotice } = options;
  makeFolder(dir);
  const unlock = lockFolder(dir);
  try {
    const segments = listSegments(dir);
    const torn = segments.map((number) => cutTorn(dir, number)).filter((found) => found !== undefined);
    const number = segments.at(-1) ?? 1;
    const fd = openSegment(dir, number, durability, segments.length === 0);
    const { size } = statSync(join(dir, segmentName(number)));
    const writer = new LogWriter({ dir, durability, segmentBytes, onState, onNotice, unlock }, { fd, number, size });
    for (const found of torn) report(writer, found, onNotice);
    return writer;
  } catch (error) {
    unlock();
    throw unusable(dir, error);
  }
}

function report(writer: LogWriter, torn: Torn, onNotice: ((notice: string) => void) | undefined): void {
  writer.note("torn", { segment: torn.segment, bytes: torn.bytes, file: torn.file });
  onNotice?.(
    `${torn.segment} ended with ${torn.bytes} bytes that are no whole record; they were moved to ${torn.file}`,
  );
}

function makeFolder(dir: string): void {
  try {
    if (!existsSync(dir)) mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(dir, error);
  }
}

function unusable(dir: string, error: unknown): RegateError {
  if (error instanceof RegateError) return error;
  const hint = "Set data_dir to a folder that the gate may write to.";
  return new RegateError("DATA_DIR", { detail: `${dir}: ${errorText(error)}`, hint, cause: error });
}
