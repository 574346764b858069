// Appends records in groups: while one batch is flushed the next one gathers; a failure loses nothing, and ends by itself.
import { randomUUID } from "node:crypto";
import { close, closeSync, existsSync, fstatSync, ftruncateSync } from "node:fs";
import { join } from "node:path";
import type { AuditLog, Ticket } from "../core/ports.ts";
import { errorText, RegateError } from "../errors.ts";
import { Batch, failedTicket } from "./batch.ts";
import { appendBytes, type Durability, listSegments, openSegment, segmentName } from "./segment.ts";

export type WriterOptions = {
  readonly dir: string;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly onState: ((failure: RegateError | undefined) => void) | undefined;
  readonly onNotice: ((notice: string) => void) | undefined;
  readonly unlock: () => void;
};
/** The segment that is written to; `size` ends after the last durable record. */
type Open = { fd: number; number: number; size: number };

/** Milliseconds between attempts to write again after a failure. */
const probeMs = 500;
/** Milliseconds between looks at whether the segment is still the file that it was. */
const lookMs = 250;
/** Milliseconds that a record which nothing waits for may wait for company. */
const laterMs = 50;
/** What waits in memory, in UTF-16 units: for the disk, or for the end of a failure. More is not taken. */
const largestQueue = 64 * 1024 * 1024;

/**
 * Records that were not durable when their ticket failed are kept (their commands were refused) and written first when the log
 * works again, after a note that counts them and those for which there was no room.
 */
export class LogWriter implements AuditLog {
  readonly #options: WriterOptions;
  #open: Open;
  /** Into the page cache a batch is written when the first of its tickets is asked for: until then others join it. */
  readonly #onDemand: (() => void) | undefined;
  #next: Batch;
  #writing = false;
  #scheduled = false;
  #failure: RegateError | undefined;
  #kept: string[] = [];
  #keptLength = 0;
  #lost = 0;
  #failedAt = "";
  #probe: NodeJS.Timeout | undefined;
  #looked = 0;
  #closed = false;
  #waiting: (() => void)[] = [];
  #wake: NodeJS.Timeout | undefined;

  constructor(options: WriterOptions, open: Open) {
    this.#options = options;
    this.#open = open;
    this.#onDemand = options.durability === "write" ? () => this.#flushNow() : undefined;
    this.#next = new Batch(this.#onDemand);
  }

  get failure(): RegateError | undefined {
    return this.#failure;
  }

  append(line: string): Ticket {
    if (this.#closed) return failedTicket(unavailable("it is closed"));
    if (line.includes("\n")) {
      this.#lost++;
      return failedTicket(unavailable("a record with a line break"));
    }
    if (this.#failure !== undefined) {
      this.#keep(line);
      return failedTicket(this.#failure);
    }
    if (this.#next.length + line.length > largestQueue) {
      this.#lost++;
      return failedTicket(unavailable("the disk is too slow: too many records wait"));
    }
    const batch = this.#next;
    batch.add(line);
    batch.urgent = true;
    // Everything that this turn of the event loop appends goes with it, or, where a write takes no wait, all until somebody asks.
    if (this.#onDemand === undefined) this.#schedule();
    else this.#wake ??= setTimeout(() => this.#wakeUp(), laterMs);
    return batch;
  }

  #flushNow(): void {
    if (this.#writing || this.#failure !== undefined || this.#next.lines.length === 0) return;
    this.#write(this.#next);
  }

  /** For records that nothing waits for: they go with the next flush, at most {@link laterMs} from now, and cause none before. */
  later(line: string): void {
    const { urgent } = this.#next;
    const taken =
      !this.#closed &&
      this.#failure === undefined &&
      !line.includes("\n") &&
      this.#next.length + line.length <= largestQueue;
    if (!taken) {
      this.append(line);
      return;
    }
    this.#next.add(line);
    if (!urgent) this.#wake ??= setTimeout(() => this.#wakeUp(), laterMs);
  }

  #wakeUp(): void {
    this.#wake = undefined;
    if (this.#next.lines.length === 0) return;
    this.#next.urgent = true;
    this.#schedule();
  }

  /** Writes an event about the log itself. */
  note(status: string, result: object): void {
    this.append(noteLine(status, result));
  }

  /** Writes what waits, and releases the folder. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#wake);
    if (this.#next.lines.length > 0) this.#schedule();
    await this.#quiet();
    clearTimeout(this.#probe);
    if (this.#failure !== undefined) this.#tryAgain();
    await this.#quiet();
    clearTimeout(this.#probe);
    const unwritten = this.#kept.length + this.#lost;
    if (unwritten > 0) this.#options.onNotice?.(`the decision log was closed with ${unwritten} records unwritten`);
    closeQuietly(this.#open.fd);
    this.#options.unlock();
  }

  /** Resolves when nothing is being written, and nothing is about to be. */
  async #quiet(): Promise<void> {
    while (this.#writing || this.#scheduled) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (this.#next.lines.length > 0 && this.#failure === undefined) this.#write(this.#next);
    else for (const resolve of this.#waiting.splice(0)) resolve();
  };

  #schedule(): void {
    if (this.#writing || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  #write(batch: Batch): void {
    this.#next = new Batch(this.#onDemand);
    this.#writing = true;
    if (this.#lost > 0) {
      batch.add(noteLine("lost", { lost: this.#lost }));
      this.#lost = 0;
    }
    try {
      this.#look(batch);
      if (this.#open.size >= this.#options.segmentBytes) this.#roll();
    } catch (error) {
      this.#fail(batch, error);
      return;
    }
    const bytes = bytesOf(batch.lines);
    appendBytes(this.#open.fd, bytes, this.#options.durability, (error) => {
      if (error !== null) {
        this.#fail(batch, error);
        return;
      }
      this.#open.size += bytes.length;
      this.#writing = false;
      batch.settle(undefined);
      // A callback that appended has scheduled the flush already, for this turn's others to join.
      if (this.#scheduled) return;
      if (this.#next.urgent || this.#closed) this.#flush();
      else for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  #fail(batch: Batch, error: unknown): void {
    const failure = unavailable(errorText(error), `${segmentName(this.#open.number)} in ${this.#options.dir}`, error);
    this.#failure = failure;
    this.#failedAt = new Date().toISOString();
    this.#writing = false;
    const after = this.#next;
    this.#next = new Batch(this.#onDemand);
    for (const line of batch.lines) this.#keep(line);
    for (const line of after.lines) this.#keep(line);
    this.#cut();
    this.#options.onState?.(failure);
    batch.settle(failure);
    after.settle(failure);
    this.#probeLater();
    this.#schedule();
  }

  #keep(line: string): void {
    if (this.#keptLength + line.length > largestQueue) {
      this.#lost++;
      return;
    }
    this.#kept.push(line);
    this.#keptLength += line.length;
  }

  /** Takes back what was half written, so that a reader never meets half a record. Tried again before the next write. */
  #cut(): boolean {
    try {
      ftruncateSync(this.#open.fd, this.#open.size);
      return true;
    } catch {
      return false;
    }
  }

  #probeLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#probe);
    this.#probe = setTimeout(() => this.#tryAgain(), probeMs);
    this.#probe.unref();
  }

  /** Reopens the segment, and writes what was kept. The log works again only when that is durable. */
  #tryAgain(): void {
    if (this.#writing) return;
    const refused = this.#kept.length;
    const lost = this.#lost;
    const note = noteLine("failed", { since: this.#failedAt, reason: this.#failure?.message, refused, lost });
    const bytes = bytesOf([note, ...this.#kept]);
    try {
      this.#reopen();
    } catch {
      this.#probeLater();
      return;
    }
    this.#writing = true;
    appendBytes(this.#open.fd, bytes, this.#options.durability, (error) => {
      this.#writing = false;
      if (error === null) {
        this.#open.size += bytes.length;
        this.#lost -= lost;
        this.#failure = undefined;
        // What was appended meanwhile was refused as well: it is written next.
        for (const line of this.#kept.slice(refused)) this.#next.add(line);
        this.#kept = [];
        this.#keptLength = 0;
        this.#options.onState?.(undefined);
      } else {
        this.#cut();
        this.#probeLater();
      }
      this.#schedule();
    });
  }

  /** A descriptor whose flush failed may have dropped what it held: a fresh one, cut to what is known to be durable. */
  #reopen(): void {
    const { dir, durability } = this.#options;
    const { number, size } = this.#open;
    if (!existsSync(join(dir, segmentName(number)))) {
      this.#roll();
      return;
    }
    const fresh = openSegment(dir, number, durability, false);
    try {
      if (fstatSync(fresh).size >= size) ftruncateSync(fresh, size);
      else this.#roll();
    } catch (error) {
      closeSync(fresh);
      throw error;
    }
    if (this.#open.number !== number) {
      closeSync(fresh);
      return;
    }
    closeQuietly(this.#open.fd);
    this.#open.fd = fresh;
  }

  /** Somebody may have removed or changed the file under the log: then what follows goes to a new segment, and says so. */
  #look(batch: Batch): void {
    const now = performance.now();
    if (now - this.#looked < lookMs) return;
    this.#looked = now;
    const { nlink, size } = fstatSync(this.#open.fd);
    if (nlink > 0 && size === this.#open.size) return;
    const segment = segmentName(this.#open.number);
    const found = nlink === 0 ? "was removed" : `has ${size} bytes where ${this.#open.size} were written`;
    this.#options.onNotice?.(`${segment} ${found}; the log goes on in a new segment`);
    batch.add(noteLine("tampered", { segment, found }));
    this.#roll();
  }

  #roll(): void {
    const { dir, durability } = this.#options;
    const number = Math.max(this.#open.number, ...listSegments(dir)) + 1;
    const fd = openSegment(dir, number, durability, true);
    closeQuietly(this.#open.fd);
    this.#open = { fd, number, size: 0 };
  }
}

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join("\n")}\n`);
}

function noteLine(status: string, result: object): string {
  const timestamp = new Date().toISOString();
  return JSON.stringify({ decision_id: randomUUID(), path: "regate/log", timestamp, result: { status, ...result } });
}

function unavailable(reason: string, place?: string, cause?: unknown): RegateError {
  return new RegateError("AUDIT_UNAVAILABLE", {
    message: `The decision log cannot be written: ${reason}`,
    ...(place === undefined ? {} : { detail: place }),
    hint: "Make room, or make the folder writable: the log goes on by itself.",
    ...(cause === undefined ? {} : { cause }),
  });
}

function closeQuietly(fd: number): void {
  close(fd, () => {});
}
