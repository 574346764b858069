// The startup phase alone: a server that takes it and notes what came of each connection, and a client that writes it byte by byte.
import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { RegateError } from "../../../src/errors.ts";
import { decodeError } from "../../../src/protocols/postgres/decode.ts";
import * as encode from "../../../src/protocols/postgres/encode.ts";
import { acceptStartup, type Startup, type StartupOptions } from "../../../src/protocols/postgres/startup.ts";

export type Session = Extract<Startup, { kind: "session" }>;

export const parameters: [string, string][] = [
  ["user", "me"],
  ["database", "shop"],
  ["application_name", "t\u00ebst"],
];
export const startup = (minor = 0, given = parameters): Buffer => encode.encodeStartup(minor, given);
export const plain: StartupOptions = { allowPlaintext: true, timeoutMs: 2000 };

export class Acceptor {
  /** For the connections that come from now on. */
  options = plain;
  /** What became of each connection, in the order of accepting. */
  readonly outcomes: Promise<Startup | RegateError>[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => {
      this.outcomes.push(acceptStartup(socket, this.options).catch((error: RegateError) => error));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  client(): Client {
    return new Client(connect({ port: this.port, host: "127.0.0.1", noDelay: true }));
  }

  async outcome(): Promise<Startup | RegateError> {
    for (let tries = 0; this.outcomes.length === 0; tries++) {
      assert.ok(tries < 200, "nothing was accepted");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.outcomes.shift()!;
  }

  async session(): Promise<Session> {
    const got = await this.outcome();
    assert.ok(!(got instanceof RegateError), String(got));
    assert.equal(got.kind, "session");
    return got as Session;
  }

  async refused(code: string): Promise<RegateError> {
    const got = await this.outcome();
    assert.ok(got instanceof RegateError, JSON.stringify(got));
    assert.equal(got.code, code, `${got.code}: ${got.detail}`);
    return got;
  }
}

export class Client {
  readonly socket: Socket;
  got: Buffer = Buffer.alloc(0);
  closed = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const one of this.#wake.splice(0)) one();
    };
    socket.on("data", (chunk: Buffer) => {
      this.got = Buffer.concat([this.got, chunk]);
      wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      wake();
    });
  }
  async until(enough: () => boolean): Promise<void> {
    while (!enough() && !this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
  async bytes(count: number): Promise<Buffer> {
    await this.until(() => this.got.length >= count);
    assert.ok(this.got.length >= count, `closed after ${this.got.length} bytes`);
    const bytes = this.got.subarray(0, count);
    this.got = this.got.subarray(count);
    return bytes;
  }
  async message(): Promise<{ type: string; body: Buffer }> {
    const header = await this.bytes(5);
    return { type: String.fromCharCode(header[0]!), body: await this.bytes(header.readInt32BE(1) - 4) };
  }
  /** The FATAL error that ends it. */
  async refusal(): Promise<Readonly<Record<string, string>>> {
    const { type, body } = await this.message();
    assert.equal(type, "E");
    await this.until(() => false);
    assert.equal(this.got.length, 0, "nothing follows the error");
    const fields = decodeError(body);
    assert.equal(fields.S, "FATAL");
    return fields;
  }
  async askedForPassword(): Promise<void> {
    const { type, body } = await this.message();
    assert.deepEqual([type, body.readInt32BE(0)], ["R", 3]);
  }
}
