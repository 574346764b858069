// A raw client for the PostgreSQL protocol: encodes naively and on its own, so that the gate's code is never checked by itself.
import { connect, type Socket } from "node:net";

export type WireMessage = { readonly type: string; readonly body: Buffer };

const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255]);
const int32 = (value: number): Buffer =>
  Buffer.from([(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const text = (value: string): Buffer => Buffer.concat([Buffer.from(value), Buffer.from([0])]);

/** A frame: type byte (none in a startup packet), length, parts. */
export function frame(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type, "latin1"), int32(body.length + 4), body]);
}
const cell = (value: string | Buffer | null): Buffer => {
  if (value === null) return int32(-1);
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([int32(bytes.length), bytes]);
};

export const startup = (parameters: Record<string, string>, minor = 0): Buffer =>
  frame("", int32(0x30000 + minor), ...Object.entries(parameters).flat().map(text), Buffer.from([0]));
export const password = (value: string): Buffer => frame("p", text(value));
export const query = (sql: string): Buffer => frame("Q", text(sql));
export const parse = (name: string, sql: string, types: number[] = []): Buffer =>
  frame("P", text(name), text(sql), int16(types.length), ...types.map(int32));
/** `formats` of the parameters, `results` of the columns: 0 text, 1 binary. */
export const bind = (
  portal: string,
  statement: string,
  values: (string | Buffer | null)[] = [],
  formats: number[] = [],
  results: number[] = [],
): Buffer =>
  frame(
    "B",
    text(portal),
    text(statement),
    int16(formats.length),
    ...formats.map(int16),
    int16(values.length),
    ...values.map(cell),
    int16(results.length),
    ...results.map(int16),
  );
export const describe = (kind: "S" | "P", name: string): Buffer => frame("D", Buffer.from(kind), text(name));
export const close = (kind: "S" | "P", name: string): Buffer => frame("C", Buffer.from(kind), text(name));
export const execute = (portal: string, rows = 0): Buffer => frame("E", text(portal), int32(rows));
export const sync = (): Buffer => frame("S");
export const flush = (): Buffer => frame("H");
export const terminate = (): Buffer => frame("X");
export const copyData = (data: string | Buffer): Buffer => frame("d", Buffer.from(data as string));
export const copyDone = (): Buffer => frame("c");
export const copyFail = (why: string): Buffer => frame("f", text(why));
export const functionCall = (oid: number, values: (string | Buffer | null)[] = []): Buffer =>
  frame("F", int32(oid), int16(0), int16(values.length), ...values.map(cell), int16(0));
export const cancelRequest = (pid: number, secret: Buffer): Buffer => frame("", int32(80877102), int32(pid), secret);
export const sslRequest = (): Buffer => frame("", int32(80877103));

/** The fields of an ErrorResponse or NoticeResponse, by their letters. */
export function errorFields(message: WireMessage): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; message.body[at] !== 0 && at < message.body.length; ) {
    const end = message.body.indexOf(0, at);
    fields[String.fromCharCode(message.body[at]!)] = message.body.toString("utf8", at + 1, end);
    at = end + 1;
  }
  return fields;
}

/** The cells of a DataRow, as text. */
export function cells(message: WireMessage): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 2;
  for (let i = 0; i < message.body.readInt16BE(0); i++) {
    const length = message.body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : message.body.toString("utf8", at, at + length));
    if (length > 0) at += length;
  }
  return values;
}

export class Wire {
  readonly socket: Socket;
  readonly messages: WireMessage[] = [];
  pid = 0;
  secret: Buffer = Buffer.alloc(0);
  ended = false;
  #rest: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => this.#take(chunk as Buffer));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.ended = true;
      this.#wake();
    });
  }

  static open(address: string): Promise<Wire> {
    const at = address.lastIndexOf(":");
    return new Promise((resolve, reject) => {
      const socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
      socket.once("error", reject);
      socket.once("connect", () => resolve(new Wire(socket)));
    });
  }

  /** A session that is ready: the password is sent in clear. @throws Error with the server's message when it is refused */
  static async login(
    address: string,
    user: string,
    database: string,
    secret: string,
    parameters: Record<string, string> = {},
  ): Promise<Wire> {
    const wire = await Wire.open(address);
    wire.send(startup({ user, database, ...parameters }));
    for (;;) {
      const message = await wire.next();
      if (message.type === "R" && message.body.readInt32BE(0) === 3) wire.send(password(secret));
      if (message.type === "K") {
        wire.pid = message.body.readInt32BE(0);
        wire.secret = message.body.subarray(4);
      }
      if (message.type === "E") throw new Error(errorFields(message).M);
      if (message.type === "Z") return wire;
    }
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The next message, in order. @throws Error when the connection ends or nothing comes in `ms` */
  async next(ms = 10_000): Promise<WireMessage> {
    const deadline = Date.now() + ms;
    while (this.messages.length === 0) {
      if (this.ended) throw new Error("the connection was closed");
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no message within ${ms} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.messages.shift()!;
  }

  /** Messages up to and including ReadyForQuery `times` times. */
  async until(type = "Z", times = 1, ms = 10_000): Promise<WireMessage[]> {
    const seen: WireMessage[] = [];
    for (let left = times; left > 0; ) {
      const message = await this.next(ms);
      seen.push(message);
      if (message.type === type) left--;
    }
    return seen;
  }

  /** Sends a text in the simple protocol; the messages of its answer. */
  async query(sql: string): Promise<WireMessage[]> {
    this.send(query(sql));
    return await this.until();
  }

  end(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 5) {
      const end = 1 + this.#rest.readInt32BE(1);
      if (this.#rest.length < end) break;
      this.messages.push({ type: String.fromCharCode(this.#rest[0]!), body: Buffer.from(this.#rest.subarray(5, end)) });
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }
}

/** "C Z I" and the like: types, with the transaction status after Z and the SQLSTATE after E. */
export const shape = (messages: readonly WireMessage[]): string =>
  messages
    .map((one) =>
      one.type === "Z" ? `Z${one.body.toString("latin1")}` : one.type === "E" ? `E:${errorFields(one).C}` : one.type,
    )
    .join(" ");
