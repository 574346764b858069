// truncate: numbers by a second, naive way; dates and times are held against the server's date_trunc in truncate-server.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, textOf } from "./apply.ts";
import { random } from "./values.ts";

const seed = Number(process.env.REGATE_TEST_SEED ?? Date.now() % 1_000_000);
const step = (by: number) => ({ mask: "truncate", step: by });
const digits = (count: number) => ({ mask: "truncate", digits: count });
const to = (period: string) => ({ mask: "truncate", to: period });
const [INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC] = [21, 23, 20, 700, 701, 1700];
const [DATE, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ] = [1082, 1083, 1114, 1184, 1266];

const numbers: readonly [{ mask: string }, string, number, number, string | null][] = [
  [step(1000), "52345", INT4, -1, "52000"],
  [step(1000), "-52345", INT4, -1, "-52000"],
  [step(1000), "-345", INT4, -1, "0"],
  [step(7), "32767", INT2, -1, "32767"],
  [step(1), "5", INT4, -1, null],
  [digits(1), "52345", INT4, -1, "50000"],
  [digits(2), "-9223372036854775808", INT8, -1, "-9200000000000000000"],
  [step(1000), "9223372036854775807", INT8, -1, "9223372036854775000"],
  [step(100), "1234.56", NUMERIC, ((10 << 16) | 2) + 4, "1200.00"],
  [step(100), "1234.56789", NUMERIC, -1, "1200"],
  [step(100), "-12.5", NUMERIC, -1, "0"],
  [step(100), "123456789012345678901234567890.5", NUMERIC, -1, "123456789012345678901234567800"],
  [digits(3), "0.00123456", NUMERIC, -1, "0.00123"],
  [digits(2), "1234.50", NUMERIC, ((10 << 16) | 2) + 4, "1200.00"],
  [digits(2), "NaN", NUMERIC, -1, "NaN"],
  [digits(2), "-Infinity", NUMERIC, -1, "-Infinity"],
  [digits(2), "1234.5678", FLOAT8, -1, "1200"],
  [digits(2), "1.2999e-20", FLOAT8, -1, "1.2e-20"],
  [digits(1), "-0.7", FLOAT4, -1, "-0.7"],
  [step(10), "-5.5", FLOAT8, -1, "0"],
  [step(10), "NaN", FLOAT8, -1, "NaN"],
  [to("year"), "5", INT4, -1, null],
  [step(10), "2024-05-17", DATE, -1, null],
  [digits(2), "12345", 114, -1, "12000"],
  [digits(2), '"12345"', 114, -1, '"[redacted]"'],
  [digits(2), "12345", 25, -1, "[redacted]"],
];
for (const [request, value, typeOid, modifier, expected] of numbers)
  test(`${JSON.stringify(request)} of ${value} (type ${typeOid}) is ${expected}`, () =>
    assert.equal(textOf(request, value, typeOid, modifier), expected));

/** The same number as the server writes it with `extra_float_digits` at 1 and at 0. */
const written: readonly [{ mask: string }, number, string, string][] = [
  [digits(1), FLOAT8, "1.9999999999999998", "2"],
  [digits(6), FLOAT4, "1.2345678", "1.23457"],
  [digits(16), FLOAT8, "0.30000000000000004", "0.3"],
  [digits(15), FLOAT8, "100000000000000.5", "100000000000000"],
  [digits(15), FLOAT8, "100000000000001.5", "100000000000002"],
  [digits(6), FLOAT4, "1000005", "1e+06"],
  [step(1), FLOAT8, "1.2345678901234568e+17", "1.23456789012346e+17"],
  [step(1000), FLOAT8, "999.9999999999999", "1000"],
  [step(1000), FLOAT4, "999.99994", "1000"],
];
for (const [request, typeOid, exact, short] of written)
  test(`${JSON.stringify(request)} of ${exact} (type ${typeOid}) is that of ${short}, in both formats`, () => {
    const binary = Buffer.alloc(typeOid === FLOAT4 ? 4 : 8);
    if (typeOid === FLOAT4) binary.writeFloatBE(Number(exact));
    else binary.writeDoubleBE(Number(exact));
    const cut = bytesOf(request, binary, { typeOid, format: 1 })!;
    const ofText = textOf(request, exact, typeOid)!;
    assert.equal(textOf(request, short, typeOid), ofText);
    assert.equal(
      typeOid === FLOAT4 ? cut.readFloatBE() : cut.readDoubleBE(),
      typeOid === FLOAT4 ? Math.fround(Number(ofText)) : Number(ofText),
    );
  });

test(`an integer is cut towards zero, the same in both formats (seed ${seed})`, () => {
  const r = random(seed);
  for (const [typeOid, bytes] of [
    [INT2, 2],
    [INT4, 4],
    [INT8, 8],
  ] as const) {
    for (let i = 0; i < 3000; i++) {
      const value = BigInt.asIntN(
        8 * (1 + r.below(bytes)),
        (BigInt(r.below(2 ** 32)) << 32n) | BigInt(r.below(2 ** 32)),
      );
      const by = 2 + r.below(r.pick([3, 1000, 1e9]));
      const binary = Buffer.alloc(bytes);
      if (bytes === 8) binary.writeBigInt64BE(value);
      else binary.writeIntBE(Number(value), 0, bytes);
      const kept = 1 + r.below(5);
      const written = String(value < 0n ? -value : value);
      const naive = written.slice(0, kept).padEnd(written.length, "0");
      for (const [request, expected] of [
        [step(by), String(value - (value % BigInt(by)))],
        [digits(kept), String(value < 0n ? -BigInt(naive) : BigInt(naive))],
      ] as const) {
        assert.equal(textOf(request, String(value), typeOid), expected);
        const cut = bytesOf(request, binary, { typeOid, format: 1 })!;
        assert.equal(String(bytes === 8 ? cut.readBigInt64BE() : cut.readIntBE(0, bytes)), expected);
      }
    }
  }
});

const times: readonly [string, string, number, string | null][] = [
  ["year", "1987-11-23", DATE, "1987-01-01"],
  ["decade", "1987-11-23", DATE, "1980-01-01"],
  ["quarter", "1987-11-23", DATE, "1987-10-01"],
  ["week", "2021-01-01", DATE, "2020-12-28"],
  ["day", "1987-11-23", DATE, null],
  ["hour", "1987-11-23", DATE, null],
  ["year", "infinity", DATE, "infinity"],
  ["year", "0044-03-15 BC", DATE, null],
  ["year", "15.03.1987", DATE, null],
  ["year", "03-15-1987", DATE, null],
  ["year", "12345-06-07", DATE, "12345-01-01"],
  ["month", "1987-11-23 12:34:56.789", TIMESTAMP, "1987-11-01 00:00:00"],
  ["hour", "1987-11-23 12:34:56.789", TIMESTAMP, "1987-11-23 12:00:00"],
  ["second", "1987-11-23 12:34:56.789", TIMESTAMP, "1987-11-23 12:34:56"],
  ["day", "1987-11-23T12:34:56", TIMESTAMP, null],
  ["day", "2024-01-01 01:30:00+02", TIMESTAMPTZ, "2023-12-31 00:00:00+00"],
  ["hour", "2024-01-01 01:30:00-05:30", TIMESTAMPTZ, "2024-01-01 07:00:00+00"],
  ["year", "2023-12-31 23:30:00-05", TIMESTAMPTZ, "2024-01-01 00:00:00+00"],
  ["hour", "12:34:56.789", TIME, "12:00:00"],
  ["minute", "24:00:00", TIME, "24:00:00"],
  ["day", "12:34:56", TIME, null],
  ["minute", "12:34:56.5+05:30", TIMETZ, "12:34:00+05:30"],
];
for (const [period, value, typeOid, expected] of times)
  test(`to the ${period}, ${value} (type ${typeOid}) is ${expected}`, () =>
    assert.equal(textOf(to(period), value, typeOid), expected));

test("cells that are cut short or too long for their type are NULL", () => {
  for (const typeOid of [INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ]) {
    for (const length of [0, 1, 3, 5, 7, 9, 11, 13]) {
      const request = { mask: "truncate", to: typeOid === DATE ? "year" : "hour", digits: 2 };
      assert.equal(bytesOf(request, Buffer.alloc(length, 1), { typeOid, format: 1 }), null, `${typeOid} ${length}`);
    }
  }
});
