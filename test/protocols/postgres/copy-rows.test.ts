// Rows of COPY, split at any byte: what comes out is what the server would have written of the masked cells.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CopyMasker } from "../../../src/protocols/postgres/copy-masker.ts";
import { type CellMask, RowWriter } from "../../../src/protocols/postgres/rows.ts";
import type { CopyFormat } from "../../../src/sql/postgres/copy-out.ts";

const seed = Number(process.env.REGATE_TEST_SEED ?? Date.now() % 1_000_000);
let state = seed;
/** 0 ≤ result < below. */
function random(below: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 8) % below;
}

type Cell = string | null;
type Text = Extract<CopyFormat, { format: "text" }>;
type Csv = Extract<CopyFormat, { format: "csv" }>;

/** As the server writes a value in format text. */
function escaped(value: string, delimiter: string): string {
  const letters: Record<string, string> = { "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v" };
  return [...value]
    .map((one) => (one in letters ? `\\${letters[one]}` : one === "\\" || one === delimiter ? `\\${one}` : one))
    .join("");
}

/** As the server writes a value in format csv. */
function quoted(
  value: string,
  { delimiter, quote, escape: escaper, null: nothing }: Csv,
  forced: boolean,
  alone: boolean,
): string {
  const [d, q, e] = [delimiter, quote, escaper].map((one) => String.fromCharCode(one)) as [string, string, string];
  const special = [...value].some((one) => one === d || one === q || one === "\n" || one === "\r");
  if (!forced && !special && value !== nothing.toString() && !(alone && value === "\\.")) return value;
  return q + [...value].map((one) => (one === q || one === e ? e + one : one)).join("") + q;
}

function textOf(rows: readonly (readonly Cell[])[], format: Text, names: readonly string[]): Buffer {
  const d = String.fromCharCode(format.delimiter);
  const lines = rows.map((row) =>
    row.map((cell) => (cell === null ? format.null.toString() : escaped(cell, d))).join(d),
  );
  if (format.header) lines.unshift(names.map((name) => escaped(name, d)).join(d));
  return Buffer.from(lines.map((line) => `${line}\n`).join(""));
}

function csvOf(rows: readonly (readonly Cell[])[], format: Csv, names: readonly string[]): Buffer {
  const d = String.fromCharCode(format.delimiter);
  const forced = (i: number): boolean =>
    format.forceQuote.includes("*") || (format.forceQuote.includes(names[i]!) && names.indexOf(names[i]!) === i);
  const line = (row: readonly Cell[]): string =>
    row
      .map((cell, i) => (cell === null ? format.null.toString() : quoted(cell, format, forced(i), row.length === 1)))
      .join(d);
  const lines = rows.map(line);
  if (format.header) lines.unshift(names.map((name) => quoted(name, format, false, false)).join(d));
  return Buffer.from(lines.map((one) => `${one}\n`).join(""));
}

function binaryOf(rows: readonly (readonly Cell[])[]): Buffer {
  const parts: Buffer[] = [Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1")];
  const int = (value: number, bytes: 2 | 4): Buffer => {
    const whole = Buffer.alloc(4);
    whole.writeInt32BE(value);
    return whole.subarray(4 - bytes);
  };
  for (const row of rows) {
    parts.push(int(row.length, 2));
    for (const cell of row) {
      const bytes = cell === null ? undefined : Buffer.from(cell);
      parts.push(int(bytes?.length ?? -1, 4), ...(bytes === undefined ? [] : [bytes]));
    }
  }
  return Buffer.concat([...parts, int(-1, 2)]);
}

function encoded(rows: readonly (readonly Cell[])[], format: CopyFormat, names: readonly string[]): Buffer {
  if (format.format === "binary") return binaryOf(rows);
  return format.format === "csv" ? csvOf(rows, format, names) : textOf(rows, format, names);
}

const pieces = [
  "a",
  "7",
  "\\",
  "\n",
  "\t",
  "\r",
  "\b",
  "|",
  ",",
  '"',
  "'",
  "ü",
  "漢",
  "\\N",
  "\\.",
  "x",
  "",
  " ",
  "\v",
  "\f",
];
function value(): Cell {
  if (random(6) === 0) return null;
  let text = "";
  for (let i = random(6); i > 0; i--) text += pieces[random(pieces.length)]!;
  return text;
}

/** Reverses the characters, and makes some NULL: what it gives shows that it was given the very value. */
const turned = (cell: string): Cell => (cell === "x" ? null : `<${[...cell].reverse().join("")}\t\\"|,>`);
const turn: CellMask = (source, start, end) => {
  const given = turned(source.toString("utf8", start, end));
  return given === null ? null : Buffer.from(given);
};
const redact: CellMask = Object.assign(() => Buffer.from('[re"d,a|cted]'), { constant: Buffer.from('[re"d,a|cted]') });

/** The content of the messages that come out when the content comes in these pieces. */
function masked(
  masker: CopyMasker,
  chunks: readonly Buffer[],
): { readonly content: Buffer; readonly rows: number; readonly masked: number } {
  const out = new RowWriter();
  let rows = 0;
  let cells = 0;
  for (const chunk of chunks) {
    const source = Buffer.concat([Buffer.from("xx"), chunk, Buffer.from("yy")]);
    const counts = masker.push(source, 2, source.length - 2, out);
    rows += counts.rows;
    cells += counts.masked;
  }
  masker.done();
  const messages = out.take();
  const contents: Buffer[] = [];
  for (let at = 0; at < messages.length; ) {
    assert.equal(messages[at], 0x64);
    const end = at + 1 + messages.readInt32BE(at + 1);
    assert.ok(end > at + 5, "no message is empty");
    contents.push(messages.subarray(at + 5, end));
    at = end;
  }
  return { content: Buffer.concat(contents), rows, masked: cells };
}

function split(content: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  const most = 1 + random(12);
  for (let at = 0; at < content.length; ) {
    const size = random(most + 1);
    chunks.push(content.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const code = (character: string): number => character.charCodeAt(0);
const formats: readonly CopyFormat[] = [
  { format: "binary" },
  { format: "text", delimiter: code("\t"), null: Buffer.from("\\N"), header: false },
  { format: "text", delimiter: code("|"), null: Buffer.from("\\N"), header: true },
  { format: "text", delimiter: code("A"), null: Buffer.from("\\x\\\\\\q"), header: true },
  {
    format: "csv",
    delimiter: code(","),
    null: Buffer.from(""),
    header: false,
    quote: code('"'),
    escape: code('"'),
    forceQuote: [],
  },
  {
    format: "csv",
    delimiter: code("|"),
    null: Buffer.from("a"),
    header: true,
    quote: code('"'),
    escape: code("\\"),
    forceQuote: ["*"],
  },
  {
    format: "csv",
    delimiter: code("\t"),
    null: Buffer.from("\\N"),
    header: true,
    quote: code("'"),
    escape: code(","),
    forceQuote: ["c,1"],
  },
];
const columnNames = ['i"d', "c,1", "c\n2", "c,1"];

describe(`seed ${seed}`, () => {
  for (const format of formats) {
    test(`${JSON.stringify(format)}: masked cells alone differ, wherever the stream is split`, () => {
      for (let round = 0; round < 400; round++) {
        const names = columnNames.slice(0, 1 + random(4));
        const plan = names.map(() => [undefined, turn, redact, turn][random(4)]);
        const rows = Array.from({ length: random(5) }, () => names.map(value));
        const expected = rows.map((row) =>
          row.map((cell, i) => {
            const mask = plan[i];
            if (cell === null || mask === undefined) return cell;
            return mask === redact ? '[re"d,a|cted]' : turned(cell);
          }),
        );
        const content = encoded(rows, format, names);
        const result = masked(new CopyMasker(format, names, plan, 100_000), split(content));
        assert.equal(
          result.content.toString("latin1"),
          encoded(expected, format, names).toString("latin1"),
          `${JSON.stringify(rows)} with ${JSON.stringify(plan.map((mask) => mask?.name))}`,
        );
        assert.equal(result.rows, rows.length);
        assert.equal(
          result.masked,
          rows.flatMap((row) => row.filter((cell, i) => cell !== null && plan[i] !== undefined)).length,
        );
      }
    });
  }
});

const plainText: CopyFormat = { format: "text", delimiter: code("\t"), null: Buffer.from("\\N"), header: false };
const plainCsv: Csv = {
  format: "csv",
  delimiter: code(","),
  null: Buffer.from(""),
  header: false,
  quote: code('"'),
  escape: code('"'),
  forceQuote: [],
};

/** Nothing comes out of the message that is wrong. */
function refused(
  format: CopyFormat,
  content: string | Buffer,
  code: string,
  plan: (CellMask | undefined)[] = [undefined, redact],
): void {
  const out = new RowWriter();
  const masker = new CopyMasker(format, ["a", "b"].slice(0, plan.length), plan, 1000);
  const bytes = Buffer.from(content as string);
  assert.throws(
    () => {
      masker.push(bytes, 0, bytes.length, out);
      masker.done();
    },
    { code },
    JSON.stringify(content.toString()),
  );
  assert.ok(!out.take().includes("secret"));
}

test("what is not of the form that was described does not leave", () => {
  for (const content of ["1\tsecret\t3\n", "secret\n", "\n", "1\tsecret", "1\t2\n1\tsecret", "1\tsecret\\\n"])
    refused(plainText, content, "UPSTREAM_PROTOCOL");
  for (const content of [
    "1,secret,3\n",
    "secret\n",
    "1,secret",
    '1,"secret\n',
    '1,"secret"x\n',
    '1,sec"secret"\n',
    '1,"secret",\n',
    "1,secret\r\n",
    '"1"secret,2\n',
  ])
    refused(plainCsv, content, "UPSTREAM_PROTOCOL");
  const whole = binaryOf([["1", "secret"]]);
  for (const content of [
    whole.subarray(0, -2),
    Buffer.concat([whole, Buffer.from("secret")]),
    Buffer.concat([whole, whole]),
    binaryOf([["secret"]]),
    binaryOf([["1", "2", "secret"]]),
    Buffer.from(whole).fill(0, 0, 11),
    Buffer.from(whole).fill(1, 12, 13),
    Buffer.from(whole).fill(1, 18, 19),
  ])
    refused({ format: "binary" }, content, "UPSTREAM_PROTOCOL");
});

test("another line in the place of the header does not leave", () => {
  refused({ ...plainText, header: true } as CopyFormat, "1\tsecret\n", "UPSTREAM_PROTOCOL");
  refused({ ...plainCsv, header: true }, "1,secret\n", "UPSTREAM_PROTOCOL");
});

test("a row that does not end is not kept beyond the limit", () => {
  for (const format of [plainText, plainCsv]) {
    const out = new RowWriter();
    const masker = new CopyMasker(format, ["a"], [redact], 1000);
    let kept = 0;
    assert.throws(
      () => {
        for (; kept < 10_000; kept += 7) masker.push(Buffer.from("secret!"), 0, 7, out);
      },
      { code: "ROW_TOO_LARGE" },
    );
    assert.ok(kept <= 1000, String(kept));
    assert.equal(out.take().length, 0);
  }
});

test("in format text a value that looks like NULL is masked as a value, and what is NULL with it", () => {
  const guess: CopyFormat = { ...plainText, null: Buffer.from("123-45-6789") } as CopyFormat;
  const { content } = masked(new CopyMasker(guess, ["a", "b"], [undefined, redact], 1000), [
    Buffer.from("1\t123-45-6789\n2\t987-65-4321\n"),
  ]);
  assert.equal(content.toString(), '1\t[re"d,a|cted]\n2\t[re"d,a|cted]\n');
});

test("whether a masked value is quoted does not tell what the real one has in it", () => {
  const plain: CellMask = Object.assign(() => Buffer.from("masked"), { constant: Buffer.from("masked") });
  const { content } = masked(new CopyMasker({ ...plainCsv, delimiter: code("4") }, ["a"], [plain], 1000), [
    Buffer.from('123\n"1234"\n"with ""quotes"""\n'),
  ]);
  assert.equal(content.toString(), "masked\nmasked\nmasked\n");
});
