// Writes messages, whole frames each. Layouts: https://www.postgresql.org/docs/current/protocol-message-formats.html
import { AUTHENTICATION, BACKEND, FRONTEND, STARTUP } from "./codes.ts";

/** Fields of ErrorResponse and NoticeResponse by their letter: S V C M D H P p q W s t c d n F L R. */
export type ErrorFields = { readonly [letter: string]: string };

const NUL = Buffer.alloc(1);

/** A frame of `type` around the parts. */
function encodeFrame(type: number, ...parts: readonly Uint8Array[]): Buffer {
  let bytes = 4;
  for (const part of parts) bytes += part.length;
  const frame = Buffer.allocUnsafe(bytes + 1);
  frame[0] = type;
  frame.writeUInt32BE(bytes, 1);
  let at = 5;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** Text with its NUL. A NUL inside would end it early: refused, since every caller's text is checked before. */
function cstring(text: string): Buffer {
  if (text.includes("\0")) throw new TypeError("a protocol string cannot hold a NUL");
  return Buffer.from(`${text}\0`);
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function list16(values: readonly number[]): Buffer {
  return Buffer.concat([int16(values.length), ...values.map(int16)]);
}

// Server to client.

function encodeFields(type: number, fields: ErrorFields): Buffer {
  const parts: Buffer[] = [];
  for (const [letter, text] of Object.entries(fields)) {
    if (!/^[A-Za-z]$/.test(letter)) throw new TypeError(`no error field has the letter ${JSON.stringify(letter)}`);
    // Texts may quote what a client sent: a NUL in one must not cut off the fields behind it.
    parts.push(Buffer.from(letter), cstring(text.replaceAll("\0", "\ufffd")));
  }
  return encodeFrame(type, ...parts, NUL);
}

/** ErrorResponse. S, V, C and M must be there: clients rely on them. */
export function encodeError(fields: ErrorFields): Buffer {
  return encodeFields(BACKEND.errorResponse, fields);
}

/** NoticeResponse. */
export function encodeNotice(fields: ErrorFields): Buffer {
  return encodeFields(BACKEND.noticeResponse, fields);
}

/** `status`: one of TRANSACTION. */
export function encodeReadyForQuery(status: number): Buffer {
  return Buffer.from([BACKEND.readyForQuery, 0, 0, 0, 5, status]);
}

export function encodeAuthenticationOk(): Buffer {
  return encodeFrame(BACKEND.authentication, int32(AUTHENTICATION.ok));
}

export function encodeAuthenticationCleartextPassword(): Buffer {
  return encodeFrame(BACKEND.authentication, int32(AUTHENTICATION.cleartext));
}

export function encodeParameterStatus(name: string, value: string): Buffer {
  return encodeFrame(BACKEND.parameterStatus, cstring(name), cstring(value));
}

/** `secret`: 4 bytes in protocol 3.0, 4 to 256 in 3.2. */
export function encodeNotification(pid: number, channel: string, payload: Uint8Array): Buffer {
  return encodeFrame(BACKEND.notificationResponse, int32(pid), cstring(channel), payload, NUL);
}

export function encodeBackendKeyData(pid: number, secret: Uint8Array): Buffer {
  return encodeFrame(BACKEND.backendKeyData, int32(pid), secret);
}

/** The version as the server writes it, with its major part (0x30002), which is not what the manual says, but what clients read. */
export function encodeNegotiateProtocolVersion(minor: number, unknownOptions: readonly string[]): Buffer {
  const version = int32(STARTUP.version30 + minor);
  return encodeFrame(
    BACKEND.negotiateProtocolVersion,
    version,
    int32(unknownOptions.length),
    ...unknownOptions.map(cstring),
  );
}

// Client to server.

export function encodeQuery(text: string | Uint8Array): Buffer {
  return encodeFrame(
    FRONTEND.query,
    typeof text === "string" ? cstring(text) : text,
    typeof text === "string" ? new Uint8Array() : NUL,
  );
}

export function encodeParse(name: string, text: string | Uint8Array, parameterTypes: readonly number[] = []): Buffer {
  const query = typeof text === "string" ? cstring(text) : Buffer.concat([text, NUL]);
  return encodeFrame(FRONTEND.parse, cstring(name), query, int16(parameterTypes.length), ...parameterTypes.map(int32));
}

/** `parameters`: null is NULL. Formats: 0 text, 1 binary; none, one for all, or one each. */
export function encodeBind(
  portal: string,
  statement: string,
  parameters: readonly (Uint8Array | null)[] = [],
  parameterFormats: readonly number[] = [],
  resultFormats: readonly number[] = [],
): Buffer {
  const values = parameters.flatMap((value) => (value === null ? [int32(-1)] : [int32(value.length), value]));
  const head = [cstring(portal), cstring(statement), list16(parameterFormats), int16(parameters.length)];
  return encodeFrame(FRONTEND.bind, ...head, ...values, list16(resultFormats));
}

function encodeTarget(type: number, target: "statement" | "portal", name: string): Buffer {
  return encodeFrame(type, Buffer.from(target === "statement" ? "S" : "P"), cstring(name));
}

export function encodeDescribe(target: "statement" | "portal", name: string): Buffer {
  return encodeTarget(FRONTEND.describe, target, name);
}

export function encodeClose(target: "statement" | "portal", name: string): Buffer {
  return encodeTarget(FRONTEND.close, target, name);
}

/** `maxRows` 0: all. */
export function encodeExecute(portal: string, maxRows = 0): Buffer {
  return encodeFrame(FRONTEND.execute, cstring(portal), int32(maxRows));
}

export function encodeSync(): Buffer {
  return encodeFrame(FRONTEND.sync);
}

export function encodeFlush(): Buffer {
  return encodeFrame(FRONTEND.flush);
}

export function encodeTerminate(): Buffer {
  return encodeFrame(FRONTEND.terminate);
}

export function encodeCopyFail(why: string): Buffer {
  return encodeFrame(FRONTEND.copyFail, cstring(why));
}

/** PasswordMessage: cleartext, or the answer to MD5. */
export function encodePassword(password: string): Buffer {
  return encodeFrame(FRONTEND.password, cstring(password));
}

export function encodeSaslInitialResponse(mechanism: string, data: Uint8Array): Buffer {
  return encodeFrame(FRONTEND.password, cstring(mechanism), int32(data.length), data);
}

export function encodeSaslResponse(data: Uint8Array): Buffer {
  return encodeFrame(FRONTEND.password, data);
}

// Without a type byte: before and beside a session.

function untyped(...parts: readonly Buffer[]): Buffer {
  return encodeFrame(0, ...parts).subarray(1);
}

export function encodeSslRequest(): Buffer {
  return untyped(int32(STARTUP.ssl));
}

export function encodeCancelRequest(pid: number, secret: Uint8Array): Buffer {
  return untyped(int32(STARTUP.cancel), int32(pid), Buffer.from(secret));
}

export function encodeStartup(minor: number, parameters: Iterable<readonly [string, string]>): Buffer {
  const pairs = [...parameters].flatMap(([name, value]) => [cstring(name), cstring(value)]);
  return untyped(int32(STARTUP.version30 + minor), ...pairs, NUL);
}
