// The lines that are flushed together, and the one ticket that they share.
import type { Ticket } from "../core/ports.ts";

/** Lines wait in a batch while the one before it is written: one write and one ticket for all of them. */
export class Batch implements Ticket {
  readonly lines: string[] = [];
  /** At least the bytes of the lines, in UTF-16 units. */
  length = 0;
  durable = false;
  /** Somebody waits for one of its lines. */
  urgent = false;
  #error: Error | undefined;
  #waiting: ((error: Error | undefined) => void)[] = [];

  add(line: string): void {
    this.lines.push(line);
    this.length += line.length + 1;
  }

  /** Makes the batch durable at once, where that takes no wait: called when somebody asks. */
  readonly #demand: (() => void) | undefined;

  constructor(demand?: () => void) {
    this.#demand = demand;
  }

  settled(callback: (error: Error | undefined) => void): void {
    if (!this.durable && this.#error === undefined) this.#demand?.();
    if (this.durable || this.#error !== undefined) callback(this.#error);
    else this.#waiting.push(callback);
  }

  /** Once: durable (undefined), or failed. A callback that throws keeps no other from being called. */
  settle(error: Error | undefined): void {
    this.#error = error;
    this.durable = error === undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) {
      try {
        callback(error);
      } catch (thrown) {
        setImmediate(() => {
          throw thrown;
        });
      }
    }
  }
}

/** The ticket of a line that the log did not take. */
export function failedTicket(error: Error): Ticket {
  return { durable: false, settled: (callback) => callback(error) };
}
