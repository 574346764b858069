// What each mask costs a cell: rows of (id, value) rewritten in memory. Usage: node bench/masks.ts [--rows 200000] [--rounds 9]
import { parseArgs } from "node:util";
import { type MaskRequest, planMask } from "../src/masking/index.ts";
import { type RowPlan, RowWriter } from "../src/protocols/postgres/rows.ts";
import { median, table } from "./measure.ts";

const { values: flags } = parseArgs({
  options: { rows: { type: "string", default: "200000" }, rounds: { type: "string", default: "9" } },
});
const count = Number(flags.rows);
const rounds = Number(flags.rounds);
const key = Buffer.alloc(32, 7);

type Case = { readonly name: string; readonly type: string; readonly request: MaskRequest | undefined } & Column;
type Column = { readonly typeOid: number; readonly format?: number; cell(i: number): string | Buffer };

const text: Column = { typeOid: 25, cell: (i) => `c${i}@example.org` };
const card: Column = { typeOid: 25, cell: (i) => String(4_111_111_111_111_111 + i * 7919) };
const mixed: Column = { typeOid: 25, cell: (i) => `DE${String(i * 7919).padStart(12, "0")}` };
const integer: Column = { typeOid: 23, cell: (i) => String(1_000_000 + i) };
const numeric: Column = { typeOid: 1700, cell: (i) => `${i * 31}.${i % 90}5` };
const date: Column = { typeOid: 1082, cell: (i) => `19${10 + (i % 90)}-0${1 + (i % 9)}-1${i % 10}` };
const timestamp: Column = { typeOid: 1184, cell: (i) => `20${10 + (i % 15)}-05-1${i % 10} 12:34:56.789+02` };
const binaryDate: Column = { typeOid: 1082, format: 1, cell: (i) => Buffer.from([0, 0, i & 63, i & 255]) };
const document: Column = {
  typeOid: 3802,
  cell: (i) =>
    `{"id": ${i}, "name": "n${i}", "contact": {"email": "c${i}@example.org", "city": "x"}, "tags": ["a", "b"]}`,
};
const texts: Column = { typeOid: 1009, cell: (i) => `{c${i}@example.org,d${i}@example.org}` };
const email = { mask: "json", paths: [{ path: "$.contact.email", mask: "redact" }] };
const tokenize = { mask: "tokenize", key: "bench", tweak: "t" };

const cases: readonly Case[] = [
  { name: "none", type: "text", request: undefined, ...text },
  { name: "redact", type: "text", request: { mask: "redact" }, ...text },
  { name: "partial", type: "text", request: { mask: "partial", keep_last: 4 }, ...text },
  { name: "email", type: "text", request: { mask: "email" }, ...text },
  { name: "hash", type: "text", request: { mask: "hash" }, ...text },
  { name: "truncate to the year", type: "date", request: { mask: "truncate", to: "year" }, ...date },
  { name: "truncate to the year", type: "date, binary", request: { mask: "truncate", to: "year" }, ...binaryDate },
  { name: "truncate to the hour", type: "timestamptz", request: { mask: "truncate", to: "hour" }, ...timestamp },
  { name: "truncate to a step", type: "integer", request: { mask: "truncate", step: 1000 }, ...integer },
  { name: "truncate to digits", type: "numeric", request: { mask: "truncate", digits: 2 }, ...numeric },
  { name: "tokenize", type: "text, 16 digits", request: tokenize, ...card },
  { name: "tokenize", type: "text, AA999999999999", request: tokenize, ...mixed },
  { name: "tokenize", type: "integer", request: tokenize, ...integer },
  { name: "json, one path", type: "jsonb, 100 bytes", request: email, ...document },
  { name: "partial", type: "text[], two elements", request: { mask: "partial", keep_last: 4 }, ...texts },
];

function rowsOf({ cell }: Column): { bytes: Buffer; ends: Uint32Array } {
  const ends = new Uint32Array(count);
  const rows: Buffer[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const cells = [Buffer.from(String(i)), Buffer.from(cell(i) as string)];
    const size = 6 + cells.reduce((sum, one) => sum + 4 + one.length, 0);
    const row = Buffer.alloc(1 + size);
    row.write("D");
    row.writeInt32BE(size, 1);
    row.writeInt16BE(2, 5);
    let into = 7;
    for (const one of cells) {
      into = row.writeInt32BE(one.length, into);
      into += one.copy(row, into);
    }
    rows.push(row);
    at += row.length;
    ends[i] = at;
  }
  return { bytes: Buffer.concat(rows), ends };
}

const sets = cases.map((one) => ({
  ...one,
  ...rowsOf(one),
  plan: [
    undefined,
    one.request === undefined
      ? undefined
      : planMask(one.request, { typeOid: one.typeOid, format: one.format ?? 0 }, { key, tokenKey: () => key }),
  ] as RowPlan,
  took: [] as number[],
}));
for (let round = 0; round < rounds; round++) {
  for (const { bytes, ends, plan, took } of sets) {
    const writer = new RowWriter();
    const started = process.hrtime.bigint();
    let start = 0;
    for (const end of ends) {
      writer.row(bytes, start, end, plan);
      start = end;
      if (writer.length > 65_536) writer.take();
    }
    took.push(Number(process.hrtime.bigint() - started) / count);
  }
}
const rows = [["mask", "type", "ns/row", "rows/s"]];
for (const { name, type, took } of sets)
  rows.push([name, type, median(took).toFixed(0), (1e9 / median(took)).toFixed(0)]);
console.log(
  `medians of ${rounds} interleaved rounds of ${count} rows of two columns, the second masked; Node ${process.version}\n`,
);
console.log(table(rows));
