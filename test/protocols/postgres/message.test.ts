// Encoders and decoders against a second encoder and against pg-protocol; every cut and every wrong count is a breach, never a read beyond.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Parser } from "pg-protocol/dist/parser.js";
import { RegateError } from "../../../src/errors.ts";
import * as m from "../../../src/protocols/postgres/message.ts";
import { naive } from "./naive.ts";

const body = (frame: Buffer): Buffer => frame.subarray(5);

function byPgProtocol(frame: Buffer): Record<string, unknown> {
  const found: unknown[] = [];
  new Parser().parse(frame, (message) => found.push(message));
  assert.equal(found.length, 1);
  return found[0] as Record<string, unknown>;
}

const values = [Buffer.from("one"), null, Buffer.alloc(0), Buffer.from([0, 255, 0])];
const bindBody = naive()
  .string("p")
  .string("s")
  .int16(2)
  .int16(0)
  .int16(1)
  .int16(4)
  .int32(3)
  .text("one")
  .int32(-1)
  .int32(0)
  .int32(3)
  .raw([0, 255, 0])
  .int16(1)
  .int16(1).body;
const fields = [
  { name: "id", tableOid: 4_000_000_000, attribute: 1, typeOid: 23, size: 4, modifier: -1, format: 0 },
  { name: "na\u00efve \u{1f600}", tableOid: 0, attribute: 0, typeOid: 1043, size: -1, modifier: 54, format: 1 },
  { name: "", tableOid: 16_384, attribute: -6, typeOid: 26, size: 4, modifier: -1, format: 0 },
];
const description = fields.reduce(
  (bytes, field) =>
    bytes
      .string(field.name)
      .int32(field.tableOid)
      .int16(field.attribute)
      .int32(field.typeOid)
      .int16(field.size)
      .int32(field.modifier)
      .int16(field.format),
  naive().int16(fields.length),
);
const errorFields = { S: "FEHLER", V: "ERROR", C: "42501", M: "no \u00fc", D: "detail", H: "hint", P: "7", R: "CODE" };
const errorBody = Object.entries(errorFields)
  .reduce((bytes, [letter, text]) => bytes.text(letter).string(text), naive())
  .int8(0);

describe("what a client sends", () => {
  const messages: [string, Buffer, Buffer][] = [
    ["Query", m.encodeQuery("SELECT '\u00fc'"), naive().string("SELECT '\u00fc'").message("Q")],
    ["Query of bytes", m.encodeQuery(Buffer.from("SELECT 1")), naive().string("SELECT 1").message("Q")],
    [
      "Parse",
      m.encodeParse("s", "SELECT $1", [23, 4_000_000_000]),
      naive().string("s").string("SELECT $1").int16(2).int32(23).int32(4_000_000_000).message("P"),
    ],
    [
      "Bind",
      m.encodeBind("p", "s", values, [0, 1], [1]),
      Buffer.concat([
        naive()
          .text("B")
          .int32(bindBody.length + 4).body,
        bindBody,
      ]),
    ],
    ["Describe", m.encodeDescribe("portal", "p"), naive().text("P").string("p").message("D")],
    ["Close", m.encodeClose("statement", "s"), naive().text("S").string("s").message("C")],
    ["Execute", m.encodeExecute("p", 70_000), naive().string("p").int32(70_000).message("E")],
    ["Sync", m.encodeSync(), naive().message("S")],
    ["Flush", m.encodeFlush(), naive().message("H")],
    ["Terminate", m.encodeTerminate(), naive().message("X")],
    ["CopyFail", m.encodeCopyFail("why"), naive().string("why").message("f")],
    ["PasswordMessage", m.encodePassword("p\u00e4ss"), naive().string("p\u00e4ss").message("p")],
    [
      "SASLInitialResponse",
      m.encodeSaslInitialResponse("SCRAM-SHA-256", Buffer.from("n,,")),
      naive().string("SCRAM-SHA-256").int32(3).text("n,,").message("p"),
    ],
    ["SASLResponse", m.encodeSaslResponse(Buffer.from("c=biws")), naive().text("c=biws").message("p")],
    ["SSLRequest", m.encodeSslRequest(), Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])],
    [
      "CancelRequest",
      m.encodeCancelRequest(77, Buffer.from([1, 2, 3, 4])),
      naive().int16(1234).int16(5678).int32(77).raw([1, 2, 3, 4]).packet(),
    ],
    [
      "StartupMessage",
      m.encodeStartup(2, [["user", "me"]]),
      naive().int16(3).int16(2).string("user").string("me").int8(0).packet(),
    ],
  ];
  for (const [name, ours, theirs] of messages)
    it(`${name} is written as the manual says`, () => assert.deepEqual(ours, theirs));

  it("Query and Parse give the text's bytes", () => {
    assert.equal(m.decodeQuery(naive().string("SELECT 1").body).toString(), "SELECT 1");
    const parse = m.decodeParse(naive().string("s").string("SELECT $1").int16(2).int32(23).int32(4_000_000_000).body);
    assert.deepEqual(
      { ...parse, query: parse.query.toString() },
      { name: "s", query: "SELECT $1", parameterTypes: [23, 4_000_000_000] },
    );
  });
  it("Bind gives names, formats and values", () => {
    const bind = m.decodeBind(bindBody);
    assert.deepEqual(
      [bind.portal, bind.statement, bind.parameterFormats, bind.parameterCount, bind.resultFormats],
      ["p", "s", [0, 1], 4, [1]],
    );
    assert.deepEqual(m.bindParameters(bindBody, bind), values);
  });
  it("Bind takes as many parameters as the protocol counts", () => {
    const many = naive().string("").string("").int16(0).int16(65_535);
    for (let i = 0; i < 65_535; i++) many.int32(-1);
    assert.equal(m.decodeBind(many.int16(0).body).parameterCount, 65_535);
  });
  it("Execute, Describe, Close and FunctionCall give their parts", () => {
    assert.deepEqual(m.decodeExecute(naive().string("p").int32(5).body), { portal: "p", maxRows: 5 });
    assert.deepEqual(m.decodeTarget(naive().text("S").string("s").body), { target: "statement", name: "s" });
    assert.deepEqual(m.decodeTarget(naive().text("P").string("").body), { target: "portal", name: "" });
    const call = naive().int32(1598).int16(1).int16(0).int16(2).int32(1).text("7").int32(-1).int16(1).body;
    assert.deepEqual(m.decodeFunctionCall(call), {
      functionOid: 1598,
      argumentFormats: [0],
      arguments: [Buffer.from("7"), null],
      resultFormat: 1,
    });
  });
  it("the startup packet gives its parameters, the last of a name", () => {
    const given = naive().string("user").string("me").string("a").string("1").string("user").string("you").int8(0).body;
    assert.deepEqual(
      [...m.decodeStartupParameters(given)],
      [
        ["a", "1"],
        ["user", "you"],
      ],
    );
  });
  it("names count with their first 63 bytes, as in the server", () => {
    const long = "n".repeat(63);
    assert.equal(m.decodeExecute(naive().string(`${long}x`).int32(0).body).portal, long);
    assert.equal(
      m.decodeExecute(
        naive()
          .string(`${"n".repeat(61)}\u00fcx`)
          .int32(0).body,
      ).portal,
      `${"n".repeat(61)}\u00fc`,
    );
  });
  it("names that could be taken for one another are refused", () => {
    for (const name of [[0xff], [0xc3], [...Buffer.from("n".repeat(62)), 0xc3, 0xbc]]) {
      assert.throws(() => m.decodeExecute(naive().raw(name).int8(0).int32(0).body), { code: "PROTOCOL_VIOLATION" });
    }
  });
});

describe("what a server sends", () => {
  const messages: [string, Buffer, Buffer][] = [
    ["ErrorResponse", m.encodeError(errorFields), errorBody.message("E")],
    ["NoticeResponse", m.encodeNotice(errorFields), errorBody.message("N")],
    ["ReadyForQuery", m.encodeReadyForQuery(m.TRANSACTION.failed), naive().text("E").message("Z")],
    ["AuthenticationOk", m.encodeAuthenticationOk(), naive().int32(0).message("R")],
    ["AuthenticationCleartextPassword", m.encodeAuthenticationCleartextPassword(), naive().int32(3).message("R")],
    [
      "ParameterStatus",
      m.encodeParameterStatus("TimeZone", "Etc/UTC"),
      naive().string("TimeZone").string("Etc/UTC").message("S"),
    ],
    [
      "BackendKeyData",
      m.encodeBackendKeyData(77, Buffer.from([1, 2, 3, 4])),
      naive().int32(77).raw([1, 2, 3, 4]).message("K"),
    ],
    [
      "BackendKeyData of 3.2",
      m.encodeBackendKeyData(77, Buffer.alloc(256, 9)),
      naive().int32(77).raw(Buffer.alloc(256, 9)).message("K"),
    ],
    [
      "NegotiateProtocolVersion",
      m.encodeNegotiateProtocolVersion(2, ["_pq_.x"]),
      naive().int16(3).int16(2).int32(1).string("_pq_.x").message("v"),
    ],
  ];
  for (const [name, ours, theirs] of messages)
    it(`${name} is written as the manual says`, () => assert.deepEqual(ours, theirs));

  it("is read by pg-protocol as it was meant", () => {
    const error = byPgProtocol(m.encodeError(errorFields));
    assert.deepEqual(
      [error.message, error.code, error.detail, error.hint, error.position, error.routine],
      ["no \u00fc", "42501", "detail", "hint", "7", "CODE"],
    );
    assert.equal(byPgProtocol(m.encodeReadyForQuery(m.TRANSACTION.open)).status, "T");
    assert.equal(byPgProtocol(m.encodeAuthenticationCleartextPassword()).name, "authenticationCleartextPassword");
    assert.equal(byPgProtocol(m.encodeParameterStatus("a", "b")).parameterValue, "b");
    assert.equal(byPgProtocol(m.encodeBackendKeyData(77, Buffer.from([0, 0, 1, 0]))).secretKey, 256);
  });
  it("is understood as pg-protocol understands it", () => {
    const theirs = byPgProtocol(description.message("T")).fields as Record<string, unknown>[];
    const ours = m.decodeRowDescription(description.body);
    assert.deepEqual(ours, fields);
    assert.deepEqual(
      ours.map((field) => [
        field.name,
        field.tableOid,
        field.attribute,
        field.typeOid,
        field.size,
        field.modifier,
        field.format === 0 ? "text" : "binary",
      ]),
      theirs.map((field) => [
        field.name,
        field.tableID,
        field.columnID,
        field.dataTypeID,
        field.dataTypeSize,
        field.dataTypeModifier,
        field.format,
      ]),
    );
    const row = naive().int16(3).int32(2).text("\u00fc").int32(-1).int32(0);
    assert.deepEqual(m.decodeDataRow(row.body), byPgProtocol(row.message("D")).fields);
    assert.equal(
      m.decodeCommandTag(naive().string("SELECT 5").body),
      byPgProtocol(naive().string("SELECT 5").message("C")).text,
    );
  });
  it("gives back what was written", () => {
    assert.deepEqual(m.decodeError(errorBody.body), errorFields);
    assert.deepEqual(m.decodeParameterStatus(body(m.encodeParameterStatus("a", "b"))), { name: "a", value: "b" });
    assert.equal(m.decodeReadyForQuery(body(m.encodeReadyForQuery(m.TRANSACTION.open))), m.TRANSACTION.open);
    assert.deepEqual(m.decodeBackendKeyData(naive().int32(77).raw(Buffer.alloc(256, 9)).body), {
      pid: 77,
      secret: Buffer.alloc(256, 9),
    });
    for (const version of [2, 0x30002]) {
      assert.deepEqual(m.decodeNegotiateProtocolVersion(naive().int32(version).int32(1).string("_pq_.x").body), {
        minor: 2,
        unknownOptions: ["_pq_.x"],
      });
    }
  });
  it("keeps an error's later fields when a NUL stands in an earlier one", () => {
    assert.equal(m.decodeError(body(m.encodeError({ ...errorFields, M: "a\0b" }))).R, "CODE");
  });
});

describe("a message body", () => {
  const bodies: [string, (given: Buffer) => unknown, Buffer, string][] = [
    ["Query", m.decodeQuery, naive().string("SELECT 1").body, "PROTOCOL_VIOLATION"],
    ["Parse", m.decodeParse, naive().string("s").string("SELECT $1").int16(1).int32(23).body, "PROTOCOL_VIOLATION"],
    ["Bind", m.decodeBind, bindBody, "PROTOCOL_VIOLATION"],
    ["Execute", m.decodeExecute, naive().string("p").int32(0).body, "PROTOCOL_VIOLATION"],
    ["Describe", m.decodeTarget, naive().text("S").string("s").body, "PROTOCOL_VIOLATION"],
    [
      "FunctionCall",
      m.decodeFunctionCall,
      naive().int32(1).int16(1).int16(0).int16(1).int32(2).text("ab").int16(0).body,
      "PROTOCOL_VIOLATION",
    ],
    ["PasswordMessage", m.decodePassword, naive().string("secret").body, "PROTOCOL_VIOLATION"],
    [
      "StartupMessage",
      m.decodeStartupParameters,
      naive().string("user").string("me").int8(0).body,
      "PROTOCOL_VIOLATION",
    ],
    ["RowDescription", m.decodeRowDescription, description.body, "UPSTREAM_PROTOCOL"],
    ["DataRow", m.decodeDataRow, naive().int16(2).int32(1).text("1").int32(-1).body, "UPSTREAM_PROTOCOL"],
    ["ParameterStatus", m.decodeParameterStatus, naive().string("a").string("b").body, "UPSTREAM_PROTOCOL"],
    ["ErrorResponse", m.decodeError, errorBody.body, "UPSTREAM_PROTOCOL"],
    ["ReadyForQuery", m.decodeReadyForQuery, naive().text("I").body, "UPSTREAM_PROTOCOL"],
    ["CommandComplete", m.decodeCommandTag, naive().string("SELECT 1").body, "UPSTREAM_PROTOCOL"],
    [
      "NegotiateProtocolVersion",
      m.decodeNegotiateProtocolVersion,
      naive().int32(0x30002).int32(1).string("_pq_.x").body,
      "UPSTREAM_PROTOCOL",
    ],
    [
      "AuthenticationSASL",
      m.decodeAuthentication,
      naive().int32(10).string("SCRAM-SHA-256").int8(0).body,
      "UPSTREAM_PROTOCOL",
    ],
    ["AuthenticationMD5Password", m.decodeAuthentication, naive().int32(5).raw([1, 2, 3, 4]).body, "UPSTREAM_PROTOCOL"],
  ];
  for (const [name, decode, whole, code] of bodies) {
    it(`of ${name} that is cut anywhere, or has something behind it, is a breach`, () => {
      decode(whole);
      for (let cut = 0; cut < whole.length; cut++) {
        // The bytes behind the cut are there in memory, as those of the next message would be.
        assert.throws(
          () => decode(whole.subarray(0, cut)),
          (error: RegateError) => error.code === code,
          `cut at ${cut}`,
        );
      }
      assert.throws(
        () => decode(Buffer.concat([whole, Buffer.from([0])])),
        (error: RegateError) => error.code === code,
      );
    });
    it(`of ${name} with any one byte changed is read or refused, never beyond its end`, () => {
      for (let at = 0; at < whole.length; at++) {
        for (const byte of [0, 1, 0x7f, 0x80, 0xfe, 0xff]) {
          const changed = Buffer.concat([whole, Buffer.from("beyond the end")]);
          changed[at] = byte;
          try {
            const got = decode(changed.subarray(0, whole.length));
            assert.ok(!JSON.stringify(got)?.includes("beyond"));
          } catch (error) {
            assert.ok(error instanceof RegateError && error.code === code, String(error));
          }
        }
      }
    });
  }
  it("of Bind with a count or a length beyond it is refused", () => {
    for (const wrong of [
      naive().string("").string("").int16(65_535).body,
      naive().string("").string("").int16(0).int16(65_535).body,
      naive().string("").string("").int16(0).int16(1).int32(-2).int16(0).body,
      naive().string("").string("").int16(0).int16(1).int32(0x7fffffff).int16(0).body,
    ]) {
      assert.throws(() => m.decodeBind(wrong), { code: "PROTOCOL_VIOLATION" });
    }
  });
});
