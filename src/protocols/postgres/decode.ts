// Reads message bodies. Every field is checked against the body's end: what is missing or left over is a breach of the protocol.
// Layouts: https://www.postgresql.org/docs/current/protocol-message-formats.html
import { isUtf8 } from "node:buffer";
import type { ErrorCode } from "../../errors.ts";
import { RegateError } from "../../errors.ts";
import { AUTHENTICATION } from "./codes.ts";
import type { ErrorFields } from "./encode.ts";

/** The server cuts the names of statements and portals to this many bytes (NAMEDATALEN - 1), and so takes two longer ones for one. */
const NAME_BYTES = 63;

/** Walks over one body. `code` is what a breach is thrown as, `message` names the message for the detail. */
class BodyReader {
  at = 0;
  readonly body: Buffer;
  readonly #code: ErrorCode;
  readonly #message: string;

  constructor(body: Buffer, code: ErrorCode, message: string) {
    this.body = body;
    this.#code = code;
    this.#message = message;
  }

  fail(what: string): RegateError {
    return new RegateError(this.#code, { detail: `${this.#message}: ${what} at byte ${this.at}.` });
  }

  /** Moves on by `count` bytes; returns where they begin. */
  skip(count: number): number {
    const from = this.at;
    if (count < 0 || count > this.body.length - from) throw this.fail("a field goes beyond the message");
    this.at = from + count;
    return from;
  }

  uint8(): number {
    return this.body[this.skip(1)]!;
  }

  uint16(): number {
    return this.body.readUInt16BE(this.skip(2));
  }

  int16(): number {
    return this.body.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.body.readInt32BE(this.skip(4));
  }

  uint32(): number {
    return this.body.readUInt32BE(this.skip(4));
  }

  /** The bytes before the next NUL: a view. */
  cstring(): Buffer {
    const end = this.body.indexOf(0, this.at);
    if (end < 0) throw this.fail("a string has no end");
    const bytes = this.body.subarray(this.at, end);
    this.at = end + 1;
    return bytes;
  }

  /** For what the gate only shows or compares with ASCII: invalid UTF-8 becomes U+FFFD. */
  text(): string {
    return this.cstring().toString("utf8");
  }

  /** The name of a statement or portal, as the server tells them apart. */
  name(): string {
    const bytes = this.cstring();
    if (bytes.length === 0) return "";
    const cut = bytes.length <= NAME_BYTES ? bytes : bytes.subarray(0, NAME_BYTES);
    // Two names that differ in invalid bytes alone would become one string.
    if (!isUtf8(cut)) throw this.fail("a name that is not UTF-8 within its first 63 bytes");
    return cut.toString("utf8");
  }

  uint16List(): readonly number[] {
    const count = this.uint16();
    if (count === 0) return NONE;
    const from = this.skip(2 * count);
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(this.body.readUInt16BE(from + 2 * i));
    return values;
  }

  end(): void {
    if (this.at !== this.body.length) throw this.fail("something follows its last field");
  }
}

const NONE: readonly number[] = Object.freeze([]);

const client = (body: Buffer, message: string): BodyReader => new BodyReader(body, "PROTOCOL_VIOLATION", message);
const server = (body: Buffer, message: string): BodyReader => new BodyReader(body, "UPSTREAM_PROTOCOL", message);

// From the client. All throw RegateError PROTOCOL_VIOLATION.

/** The text's bytes, a view. */
export function decodeQuery(body: Buffer): Buffer {
  const reader = client(body, "Query");
  const text = reader.cstring();
  reader.end();
  return text;
}

/** `query`: bytes, a view. `parameterTypes`: OIDs, 0 where the client leaves the type to the server. */
export type Parse = { readonly name: string; readonly query: Buffer; readonly parameterTypes: readonly number[] };

export function decodeParse(body: Buffer): Parse {
  const reader = client(body, "Parse");
  const name = reader.name();
  const query = reader.cstring();
  const count = reader.uint16();
  const from = reader.skip(4 * count);
  reader.end();
  if (count === 0) return { name, query, parameterTypes: NONE };
  const parameterTypes: number[] = [];
  for (let i = 0; i < count; i++) parameterTypes.push(body.readUInt32BE(from + 4 * i));
  return { name, query, parameterTypes };
}

/**
 * `parametersAt` and `parametersEnd` bound the values in the body: each an Int32 length (-1: NULL) and its bytes, all checked.
 * Formats are as sent (0 text, 1 binary): none, one for all, or one each.
 */
export type Bind = {
  readonly portal: string;
  readonly statement: string;
  readonly parameterFormats: readonly number[];
  readonly parameterCount: number;
  readonly parametersAt: number;
  readonly parametersEnd: number;
  readonly resultFormats: readonly number[];
};

export function decodeBind(body: Buffer): Bind {
  const reader = client(body, "Bind");
  const portal = reader.name();
  const statement = reader.name();
  const parameterFormats = reader.uint16List();
  const parameterCount = reader.uint16();
  const parametersAt = reader.at;
  for (let i = 0; i < parameterCount; i++) {
    const length = reader.int32();
    if (length !== -1) reader.skip(length);
  }
  const parametersEnd = reader.at;
  const resultFormats = reader.uint16List();
  reader.end();
  return { portal, statement, parameterFormats, parameterCount, parametersAt, parametersEnd, resultFormats };
}

/** The parameter values of a checked Bind: views, null for NULL. */
export function bindParameters(body: Buffer, bind: Bind): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  let at = bind.parametersAt;
  for (let i = 0; i < bind.parameterCount; i++) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length === -1 ? null : body.subarray(at, at + length));
    if (length > 0) at += length;
  }
  return values;
}

/** `maxRows` 0 or negative: all. */
export function decodeExecute(body: Buffer): { readonly portal: string; readonly maxRows: number } {
  const reader = client(body, "Execute");
  const portal = reader.name();
  const maxRows = reader.int32();
  reader.end();
  return { portal, maxRows };
}

/** The body of Describe and Close. */
export function decodeTarget(body: Buffer): { readonly target: "statement" | "portal"; readonly name: string } {
  const reader = client(body, "Describe or Close");
  const kind = reader.uint8();
  if (kind !== 0x53 && kind !== 0x50) throw reader.fail("neither a statement nor a portal");
  const name = reader.name();
  reader.end();
  return { target: kind === 0x53 ? "statement" : "portal", name };
}

/** `arguments`: views, null for NULL. */
export type FunctionCall = {
  readonly functionOid: number;
  readonly argumentFormats: readonly number[];
  readonly arguments: readonly (Buffer | null)[];
  readonly resultFormat: number;
};

export function decodeFunctionCall(body: Buffer): FunctionCall {
  const reader = client(body, "FunctionCall");
  const functionOid = reader.uint32();
  const argumentFormats = reader.uint16List();
  const count = reader.uint16();
  const values: (Buffer | null)[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.int32();
    if (length === -1) values.push(null);
    else values.push(body.subarray(reader.skip(length), reader.at));
  }
  const resultFormat = reader.uint16();
  reader.end();
  return { functionOid, argumentFormats, arguments: values, resultFormat };
}

/** PasswordMessage. The text must be UTF-8. */
export function decodePassword(body: Buffer): string {
  const reader = client(body, "PasswordMessage");
  const bytes = reader.cstring();
  reader.end();
  if (!isUtf8(bytes)) throw reader.fail("a password that is not UTF-8");
  return bytes.toString("utf8");
}

/**
 * The pairs of a StartupMessage, without its length and version. A name that comes twice counts with its last value, as in the server.
 */
export function decodeStartupParameters(body: Buffer): Map<string, string> {
  const reader = client(body, "StartupMessage");
  if (!isUtf8(body)) throw reader.fail("text that is not UTF-8");
  const parameters = new Map<string, string>();
  for (;;) {
    const name = reader.text();
    if (name === "") break;
    // Deleted first, so that the order is that of the last ones, too: later settings win.
    parameters.delete(name);
    parameters.set(name, reader.text());
  }
  reader.end();
  return parameters;
}

// From the server. All throw RegateError UPSTREAM_PROTOCOL.

/** A result column. `attribute` is 0 and `tableOid` 0 where it is no plain column. `format`: 0 text, 1 binary (0 while only prepared). */
export type Field = {
  readonly name: string;
  readonly tableOid: number;
  readonly attribute: number;
  readonly typeOid: number;
  readonly size: number;
  readonly modifier: number;
  readonly format: number;
};

export function decodeRowDescription(body: Buffer): Field[] {
  const reader = server(body, "RowDescription");
  const count = reader.uint16();
  const fields: Field[] = [];
  for (let i = 0; i < count; i++) {
    fields.push({
      name: reader.text(),
      tableOid: reader.uint32(),
      attribute: reader.int16(),
      typeOid: reader.uint32(),
      size: reader.int16(),
      modifier: reader.int32(),
      format: reader.int16(),
    });
  }
  reader.end();
  return fields;
}

/** The values as text; for results in text format that the gate itself asked for. */
export function decodeDataRow(body: Buffer): (string | null)[] {
  const reader = server(body, "DataRow");
  const count = reader.uint16();
  const values: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.int32();
    if (length === -1) values.push(null);
    else values.push(body.toString("utf8", reader.skip(length), reader.at));
  }
  reader.end();
  return values;
}

export function decodeParameterStatus(body: Buffer): { readonly name: string; readonly value: string } {
  const reader = server(body, "ParameterStatus");
  const name = reader.text();
  const value = reader.text();
  reader.end();
  return { name, value };
}

/** `payload` is a view. */
export function decodeNotification(body: Buffer): {
  readonly pid: number;
  readonly channel: string;
  readonly payload: Buffer;
} {
  const reader = server(body, "NotificationResponse");
  const pid = reader.uint32();
  const channel = reader.text();
  const payload = reader.cstring();
  reader.end();
  return { pid, channel, payload };
}

/** ErrorResponse or NoticeResponse: the fields by letter. */
export function decodeError(body: Buffer): ErrorFields {
  const reader = server(body, "ErrorResponse or NoticeResponse");
  const fields: Record<string, string> = {};
  for (;;) {
    const letter = reader.uint8();
    if (letter === 0) break;
    fields[String.fromCharCode(letter)] = reader.text();
  }
  reader.end();
  return fields;
}

/** The status byte. */
export function decodeReadyForQuery(body: Buffer): number {
  const reader = server(body, "ReadyForQuery");
  const status = reader.uint8();
  reader.end();
  return status;
}

/** "SELECT 5", "INSERT 0 1", … */
export function decodeCommandTag(body: Buffer): string {
  const reader = server(body, "CommandComplete");
  const tag = reader.text();
  reader.end();
  return tag;
}

/** `secret` is a copy: 4 bytes in protocol 3.0, up to 256 in 3.2. */
export function decodeBackendKeyData(body: Buffer): { readonly pid: number; readonly secret: Buffer } {
  const reader = server(body, "BackendKeyData");
  const pid = reader.uint32();
  const length = body.length - 4;
  if (length < 4 || length > 256) throw reader.fail(`a key of ${length} bytes`);
  return { pid, secret: Buffer.from(body.subarray(4)) };
}

/** `minor`: the newest that the server speaks. Takes the version with its major part (as servers write it) and without. */
export function decodeNegotiateProtocolVersion(body: Buffer): {
  readonly minor: number;
  readonly unknownOptions: readonly string[];
} {
  const reader = server(body, "NegotiateProtocolVersion");
  const version = reader.uint32();
  const major = version >>> 16;
  if (major !== 0 && major !== 3) throw reader.fail(`version ${major}.${version & 0xffff}`);
  const count = reader.uint32();
  const unknownOptions: string[] = [];
  for (let i = 0; i < count; i++) unknownOptions.push(reader.text());
  reader.end();
  return { minor: version & 0xffff, unknownOptions };
}

/** What the server asks for. `data` of SASL messages are views. */
export type Authentication =
  | { readonly kind: "ok" | "cleartext" }
  | { readonly kind: "md5"; readonly salt: Buffer }
  | { readonly kind: "sasl"; readonly mechanisms: readonly string[] }
  | { readonly kind: "sasl-continue" | "sasl-final"; readonly data: Buffer }
  | { readonly kind: "other"; readonly method: number };

export function decodeAuthentication(body: Buffer): Authentication {
  const reader = server(body, "Authentication");
  const method = reader.uint32();
  const rest = body.subarray(reader.at);
  if (method === AUTHENTICATION.saslContinue) return { kind: "sasl-continue", data: rest };
  if (method === AUTHENTICATION.saslFinal) return { kind: "sasl-final", data: rest };
  if (method === AUTHENTICATION.sasl) {
    const mechanisms: string[] = [];
    for (let name = reader.text(); name !== ""; name = reader.text()) mechanisms.push(name);
    reader.end();
    return { kind: "sasl", mechanisms };
  }
  if (method === AUTHENTICATION.md5) {
    const salt = Buffer.from(body.subarray(reader.skip(4), reader.at));
    reader.end();
    return { kind: "md5", salt };
  }
  if (method !== AUTHENTICATION.ok && method !== AUTHENTICATION.cleartext) return { kind: "other", method };
  reader.end();
  return { kind: method === AUTHENTICATION.ok ? "ok" : "cleartext" };
}
