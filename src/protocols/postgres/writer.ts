// The only way to the server: commands need a Permit, and what needs none is a method of its own.
import { randomUUID } from "node:crypto";
import type { Permit as PermitType } from "../../core/enforce.ts";
import { Permit } from "../../core/enforce.ts";
import { FRONTEND } from "./codes.ts";

const commands = new Set<number>([
  FRONTEND.query,
  FRONTEND.parse,
  FRONTEND.bind,
  FRONTEND.execute,
  FRONTEND.functionCall,
]);
const copy = new Set<number>([FRONTEND.copyData, FRONTEND.copyDone, FRONTEND.copyFail]);
const names = new Set<number>([FRONTEND.describe, FRONTEND.close]);

const syncMessage = Buffer.from([FRONTEND.sync, 0, 0, 0, 4]);
const flushMessage = Buffer.from([FRONTEND.flush, 0, 0, 0, 4]);
const terminateMessage = Buffer.from([FRONTEND.terminate, 0, 0, 0, 4]);
export const probeName = "regate: a question of the gate";
/** Execute of a portal that does not exist, since nobody knows its name: the server fails there as it would for any error, without a side effect. */
const failMessage = message(FRONTEND.execute, Buffer.from(`refused by the gate: ${randomUUID()}\0\0\0\0\0`));

/** Gathers what goes to the server; `take` gives it as one write. */
export class UpstreamWriter {
  #parts: Buffer[] = [];
  #bytes = 0;

  get empty(): boolean {
    return this.#bytes === 0;
  }

  /** A whole Query, Parse, Bind, Execute or FunctionCall message. */
  command(permit: PermitType, raw: Buffer): void {
    if (!Permit.is(permit) || !commands.has(raw[0]!)) throw new TypeError("a command needs its permit");
    this.#add(raw);
  }

  /** A whole CopyData, CopyDone or CopyFail: it feeds a command that was permitted. */
  copy(raw: Buffer): void {
    if (!copy.has(raw[0]!)) throw new TypeError("not a COPY message");
    this.#add(raw);
  }

  /** A whole Describe or Close: it names what was prepared or bound, and runs nothing. */
  named(raw: Buffer): void {
    if (!names.has(raw[0]!)) throw new TypeError("not a Describe or Close message");
    this.#add(raw);
  }

  describePortal(name: string): void {
    this.#add(message(FRONTEND.describe, Buffer.from(`P${name}\0`)));
  }

  sync(): void {
    this.#add(syncMessage);
  }

  flush(): void {
    this.#add(flushMessage);
  }

  /** Makes the server fail here, as an error of the client's command would have. */
  fail(): void {
    this.#add(failMessage);
  }

  /**
   * The gate's own questions: constant texts of {@link Names} or of the catalog reader. In the extended protocol and under a name of its own,
   * because a simple query would destroy the client's unnamed statement. A Sync or a Flush must follow.
   */
  probe(questions: readonly string[]): void {
    for (const sql of questions) {
      this.#add(message(FRONTEND.parse, Buffer.from(`${probeName}\0${sql}\0\0\0`)));
      this.#add(message(FRONTEND.bind, Buffer.from(`${probeName}\0${probeName}\0\0\0\0\0\0\0`)));
      this.#add(message(FRONTEND.execute, Buffer.from(`${probeName}\0\0\0\0\0`)));
      this.#add(message(FRONTEND.close, Buffer.from(`P${probeName}\0`)));
      this.#add(message(FRONTEND.close, Buffer.from(`S${probeName}\0`)));
    }
  }

  /** Has the columns of queries described, without running them. A Flush must follow. */
  outline(queries: readonly string[]): void {
    for (const sql of queries) {
      this.#add(message(FRONTEND.parse, Buffer.from(`${probeName}\0${sql}\0\0\0`)));
      this.#add(message(FRONTEND.describe, Buffer.from(`S${probeName}\0`)));
      this.#add(message(FRONTEND.close, Buffer.from(`S${probeName}\0`)));
    }
  }

  terminate(): void {
    this.#add(terminateMessage);
  }

  #add(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  /** Everything since the last take, copied: the parts may be views of a buffer that is used again. */
  take(): Buffer {
    const all = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    return all;
  }
}

function message(type: number, body: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(body.length + 5);
  whole[0] = type;
  whole.writeInt32BE(body.length + 4, 1);
  body.copy(whole, 5);
  return whole;
}
