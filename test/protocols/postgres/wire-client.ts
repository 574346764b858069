// A naive PostgreSQL client for tests: writes messages byte by byte on its own terms, and hands back whole server messages.
import { connect, type Socket } from "node:net";

export type Reply = { readonly type: string; readonly body: Buffer };

export class WireClient {
  readonly socket: Socket;
  readonly #replies: Reply[] = [];
  #rest = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  closed = false;
  key: { pid: number; secret: Buffer } | undefined;

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("data", (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      while (this.#rest.length >= 5 && this.#rest.length >= 1 + this.#rest.readInt32BE(1)) {
        const end = 1 + this.#rest.readInt32BE(1);
        this.#replies.push({
          type: String.fromCharCode(this.#rest[0]!),
          body: Buffer.from(this.#rest.subarray(5, end)),
        });
        this.#rest = this.#rest.subarray(end);
      }
      this.#wake?.();
    });
    const gone = (): void => {
      this.closed = true;
      this.#wake?.();
    };
    this.socket.on("close", gone);
    this.socket.on("error", gone);
  }

  static async open(
    port: number,
    password: string,
    parameters: Record<string, string> = {},
    version = 0x30000,
  ): Promise<WireClient> {
    const client = new WireClient(port);
    client.startup({ user: "me", database: "shop", ...parameters }, version);
    for (;;) {
      const reply = await client.next();
      if (reply.type === "R" && reply.body.readInt32BE(0) === 3) client.send("p", Buffer.from(`${password}\0`));
      if (reply.type === "K") client.key = { pid: reply.body.readInt32BE(0), secret: reply.body.subarray(4) };
      if (reply.type === "E") throw new Error(errorOf(reply).M ?? "");
      if (reply.type === "Z") return client;
    }
  }

  startup(parameters: Record<string, string>, version = 0x30000): void {
    const body = Buffer.from(
      `${Object.entries(parameters)
        .map(([name, value]) => `${name}\0${value}\0`)
        .join("")}\0`,
    );
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 8, 0);
    head.writeInt32BE(version, 4);
    this.socket.write(Buffer.concat([head, body]));
  }

  send(type: string, body: Buffer | string = ""): void {
    this.socket.write(frame(type, body));
  }

  query(sql: string): void {
    this.send("Q", `${sql}\0`);
  }

  /** The next message; rejects when the connection is gone. */
  async next(timeoutMs = 20_000): Promise<Reply> {
    const deadline = Date.now() + timeoutMs;
    while (this.#replies.length === 0) {
      if (this.closed) throw new Error("connection closed");
      if (Date.now() > deadline) throw new Error("no answer");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(500, deadline - Date.now() + 1));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#replies.shift()!;
  }

  /** All messages up to and including the next of this type. */
  async until(type: string): Promise<Reply[]> {
    const replies: Reply[] = [];
    do replies.push(await this.next());
    while (replies.at(-1)!.type !== type);
    return replies;
  }

  /** Runs a simple query to its end. */
  async run(sql: string): Promise<Reply[]> {
    this.query(sql);
    return this.until("Z");
  }

  end(): void {
    this.socket.destroy();
  }
}

export function frame(type: string, body: Buffer | string = ""): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

/** Messages of the extended protocol, as bodies. */
export const extended = {
  parse: (name: string, sql: string, types: readonly number[] = []): Buffer =>
    frame("P", Buffer.concat([Buffer.from(`${name}\0${sql}\0`), int16(types.length), ...types.map(int32)])),
  bind: (portal: string, statement: string, values: readonly (string | null)[] = [], resultFormat = 0): Buffer => {
    const parts: Buffer[] = [Buffer.from(`${portal}\0${statement}\0\0\0`), int16(values.length)];
    for (const value of values) {
      if (value === null) parts.push(Buffer.from([255, 255, 255, 255]));
      else parts.push(int32(Buffer.byteLength(value)), Buffer.from(value));
    }
    parts.push(int16(1), int16(resultFormat));
    return frame("B", Buffer.concat(parts));
  },
  describePortal: (name: string): Buffer => frame("D", `P${name}\0`),
  describeStatement: (name: string): Buffer => frame("D", `S${name}\0`),
  execute: (portal: string, rows = 0): Buffer => frame("E", Buffer.concat([Buffer.from(`${portal}\0`), int32(rows)])),
  closeStatement: (name: string): Buffer => frame("C", `S${name}\0`),
  sync: (): Buffer => frame("S"),
  flush: (): Buffer => frame("H"),
};

/** A function call: OID, arguments as text. */
export function callOf(oid: number, values: readonly string[]): Buffer {
  const cell = (value: string): Buffer => Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]);
  return frame("F", Buffer.concat([int32(oid), int16(0), int16(values.length), ...values.map(cell), int16(0)]));
}

export function errorOf(reply: Reply): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const part of reply.body.toString().split("\0")) if (part !== "") fields[part[0]!] = part.slice(1);
  return fields;
}

/** The fields of the error among the replies. */
export function refusal(replies: readonly Reply[]): Record<string, string> {
  return errorOf(replies.find((reply) => reply.type === "E")!);
}

/** The transaction status that the last reply, a ReadyForQuery, tells. */
export function status(replies: readonly Reply[]): string {
  return replies.at(-1)!.body.toString();
}

/** The cells of a DataRow as text. */
export function cells(reply: Reply): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 2;
  for (let i = 0; i < reply.body.readInt16BE(0); i++) {
    const size = reply.body.readInt32BE(at);
    at += 4;
    values.push(size < 0 ? null : reply.body.toString("utf8", at, at + size));
    at += Math.max(size, 0);
  }
  return values;
}

/** The message types in a line, runs of rows as one: "T D C Z". */
export function types(replies: readonly Reply[]): string {
  return replies
    .map((reply) => reply.type)
    .join("")
    .replaceAll(/D+/g, "D")
    .split("")
    .join(" ");
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
