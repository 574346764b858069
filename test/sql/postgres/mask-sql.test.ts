// Masks as SQL give the very bytes that the gate's own masks make of the same cells, in text and in binary, and never fail.
import assert from "node:assert/strict";
import test from "node:test";
import { planMask } from "../../../src/masking/index.ts";
import { type MaskParameters, maskSql } from "../../../src/sql/postgres/mask-sql.ts";
import { formOf } from "../../../src/sql/postgres/substitute-forms.ts";
import { startRich } from "./support.ts";

const SEED = Number(process.env.REGATE_TEST_SEED ?? 7);
let state = SEED;
/** mulberry32 */
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <T>(of: readonly T[]): T => of[below(of.length)]!;
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

const CHARACTERS = [..."abcXYZ019 @.-_\"'\\%$&/{},;\t\n", "é", "ß", "日", "😀", "\u0301", "\u00a0", "\u2003", "ﬁ"];
const anyText = (most: number): string => times(below(most + 1), () => pick(CHARACTERS)).join("");
const label = (): string => times(1 + below(6), () => pick([..."abcz09-"])).join("");
const address = (): string =>
  `${times(1 + below(8), () => pick([..."ab.+é_-"])).join("")}@${times(1 + below(3), label).join(".")}.${pick(["com", "c", "org", "c9", "ünï"])}`;
const TEXTS = [
  "",
  " ",
  "a",
  "ab",
  "a@b.co",
  "ab@b.co",
  "a@b",
  "@b.co",
  "a@b.c",
  "x y@b.co",
  'a"b@c.com',
  "a@@b.com",
  "a@b..com",
  "a@-b.com",
];
const texts = (most: number): string[] => [
  ...[
    ...TEXTS,
    `${"l".repeat(64)}@example.com`,
    `${"l".repeat(65)}@example.com`,
    `a@${"d".repeat(63)}.com`,
    `a@${"d".repeat(64)}.com`,
  ].map((text) => [...text].slice(0, most).join("")),
  ...times(60, () => anyText(Math.min(most, 30))),
  ...times(60, () => [...address()].slice(0, most).join("")),
];
const numbers = (whole: number, fraction: number): string[] => [
  ...["0", "1", "-1", "9", "10", "99", "999"],
  ...times(120, () => {
    const digits = times(1 + below(whole), () => below(10)).join("");
    const rest =
      fraction === 0 || below(3) === 0 ? "" : `.${times(1 + below(fraction), () => pick([0, 0, 5, 9])).join("")}`;
    return `${pick(["", "-"])}${digits}${rest}`;
  }),
];
const year = (most: number): string => String(1 + below(pick([9, 99, 3000, most]))).padStart(4, "0");
const two = (most: number, least = 0): string => String(least + below(most - least + 1)).padStart(2, "0");
const day = (most = 9999): string => `${year(most)}-${two(12, 1)}-${two(28, 1)}`;
const clock = (): string => `${two(23)}:${two(59)}:${two(59)}${pick(["", ".5", ".999999", ".000001"])}`;
const DAYS = [
  "infinity",
  "-infinity",
  "0001-01-01",
  "0001-01-07",
  "0009-12-31",
  "0010-01-01",
  "0001-12-31 BC",
  "4713-01-01 BC",
  "2024-02-29",
];
const json = (): string =>
  pick([
    () => JSON.stringify(pick(texts(30))),
    () => ` ${JSON.stringify(pick(texts(10)))} `,
    () => pick(numbers(9, 5)),
    () =>
      pick([
        "true",
        "null",
        "{}",
        '{"a": "b@c.com"}',
        "[1, 2]",
        '"\\u00e9\\ud83d\\ude00"',
        '"\\n\\t\\b\\f\\r\\/"',
        "1e5",
        "-1.50E+2",
        "1e-9",
        '""',
        "0.000",
      ]),
  ])().replaceAll(/(?<=^-?)0+(?=\d)/g, "");
const arrayOf = (items: () => readonly string[]) => (): string => {
  const list = items();
  const quoted = times(below(4), () => pick(["NULL", `"${pick(list).replaceAll(/["\\]/g, "\\$&")}"`]));
  return `{${quoted.join(",")}}`;
};

type Kind = {
  readonly type: string;
  readonly values: readonly string[];
  /** May SQL give NULL where the gate's mask gives a value? */
  readonly without?: (value: string, mask: MaskParameters) => boolean;
  /** Compared as numbers: the server writes large ones with exponents. */
  readonly numeric?: boolean;
};
/** What is not ASCII and may be an address. */
const foreign = (value: string, { mask }: MaskParameters): boolean => mask === "email" && /[^\x00-\x7f]/.test(value);
const escaped = (value: string, mask: MaskParameters): boolean => value.includes("\\u") || foreign(value, mask);
const nested = (value: string): boolean => /^\{\{|^\[/.test(value);

const ints = numbers(4, 0);
const KINDS: readonly Kind[] = [
  { type: "text", values: texts(400), without: foreign },
  { type: "varchar", values: texts(400), without: foreign },
  { type: "varchar(3)", values: texts(3), without: foreign },
  { type: "varchar(12)", values: texts(12), without: foreign },
  { type: "char(2)", values: texts(2), without: foreign },
  { type: "char(14)", values: texts(14), without: foreign },
  { type: "bpchar", values: texts(40), without: foreign },
  { type: "name", values: texts(20), without: foreign },
  { type: "json", values: [...times(150, json), '"a\\u0000b"', '"\\ud800"'], without: escaped },
  { type: "jsonb", values: times(150, json), without: foreign },
  { type: "xml", values: ["<a/>", "text"] },
  { type: "smallint", values: [...ints, "32767", "-32768"] },
  { type: "integer", values: [...ints, "2147483647", "-2147483648"] },
  { type: "bigint", values: [...numbers(18, 0), "9223372036854775807", "-9223372036854775808"] },
  {
    type: "numeric",
    values: [...numbers(30, 12), "NaN", "Infinity", "-Infinity", "0.000", "1e-40", "1e300", "123.4500"],
  },
  { type: "numeric(12,3)", values: [...numbers(9, 3), "NaN"] },
  { type: "numeric(6)", values: numbers(6, 0) },
  {
    type: "real",
    values: [...numbers(7, 3), "NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e38", "-0", "1.2345678"],
    numeric: true,
    without: (value) => Math.abs(Number(value)) >= 3.4e38,
  },
  {
    type: "double precision",
    values: [
      ...numbers(15, 6),
      "NaN",
      "Infinity",
      "-Infinity",
      "5e-324",
      "1.7976931348623157e308",
      "-0",
      "0.1",
      "1e22",
      "1.9999999999999998",
    ],
    numeric: true,
    without: (value) => Math.abs(Number(value)) >= 1e308,
  },
  { type: "date", values: [...DAYS, "5874897-12-31", ...times(120, () => day(99999))] },
  { type: "timestamp", values: [...DAYS, ...times(120, () => `${day()} ${clock()}`), "294276-12-31 23:59:59.999999"] },
  { type: "timestamp(0)", values: times(60, () => `${day()} ${clock()}`) },
  {
    type: "timestamptz",
    values: [
      ...DAYS.map((each) => (/BC|inf/.test(each) ? each : `${each} 00:00+00`)),
      ...times(120, () => `${day()} ${clock()}${pick(["+00", "+05:30", "-11"])}`),
    ].filter((each) => !/^0001-01-01 .*\+0?5/.test(each)),
  },
  { type: "time", values: ["00:00", "24:00", "23:59:59.999999", ...times(80, clock)] },
  {
    type: "timetz",
    values: ["24:00+02", ...times(80, () => `${clock()}${pick(["+00", "+05:30", "-11", "+02:03:04"])}`)],
  },
  { type: "uuid", values: ["123e4567-e89b-12d3-a456-426614174000"] },
  { type: "bytea", values: ["\\x00ff", "\\x", "\\x61"] },
  { type: "money", values: ["12.34"] },
  { type: "interval", values: ["1 day 02:03:04"] },
  { type: "interval hour to minute", values: ["02:03"] },
  { type: "int4range", values: ["[1,5)", "empty"] },
  { type: "bit(3)", values: ["101"] },
  { type: "inet", values: ["10.0.0.1/8"] },
  { type: "point", values: ["(1,2)"] },
  { type: "public.mood", values: ["ok"] },
  { type: "public.address", values: ["(a,b,c)"] },
  {
    type: "text[]",
    values: [
      "{}",
      "{{a,b},{c,d}}",
      "[0:1]={a,b}",
      ...times(
        60,
        arrayOf(() => texts(30)),
      ),
    ],
    without: (value, mask) => nested(value) || foreign(value, mask),
  },
  {
    type: "varchar(4)[]",
    values: times(
      40,
      arrayOf(() => texts(4)),
    ),
    without: foreign,
  },
  {
    type: "char(4)[]",
    values: times(
      40,
      arrayOf(() => texts(4)),
    ),
    without: foreign,
  },
  {
    type: "integer[]",
    values: [
      "{{1,2},{3,4}}",
      "[2:3]={1,2}",
      ...times(
        60,
        arrayOf(() => ints),
      ),
    ],
    without: nested,
  },
  {
    type: "numeric(8,2)[]",
    values: times(
      60,
      arrayOf(() => numbers(6, 2)),
    ),
  },
  {
    type: "date[]",
    values: times(
      60,
      arrayOf(() => [...DAYS, day()]),
    ),
  },
  {
    type: "timestamptz[]",
    values: times(
      40,
      arrayOf(() => [`${day()} ${clock()}+00`]),
    ),
  },
  {
    type: "jsonb[]",
    values: times(
      40,
      arrayOf(() => [json()]),
    ),
    without: foreign,
  },
  { type: "uuid[]", values: ["{123e4567-e89b-12d3-a456-426614174000}"] },
  { type: "public.mood[]", values: ["{ok}"] },
];

const MASKS: readonly MaskParameters[] = [
  { mask: "null" },
  { mask: "redact" },
  { mask: "email" },
  { mask: "partial" },
  { mask: "partial", keep_first: 1 },
  { mask: "partial", keep_last: 4, char: "•" },
  { mask: "partial", keep_first: 2, keep_last: 2, char: "'" },
  { mask: "partial", keep_first: 2 ** 40 },
  { mask: "partial", keep_first: 1, char: "\\" },
  ...["decade", "year", "quarter", "month", "week", "day", "hour", "minute", "second"].map((to) => ({
    mask: "truncate",
    to,
  })),
  ...[1, 7, 1000, 1e15].map((step) => ({ mask: "truncate", step })),
  ...[1, 3, 20].map((digits) => ({ mask: "truncate", digits })),
];

const setup = KINDS.map(({ type }, at) => `CREATE TABLE public.k${at} (n int, v ${type});`).join("\n");
const rich = await startRich(
  `CREATE TYPE public.mood AS ENUM ('sad', 'ok'); CREATE TYPE public.address AS (street text, city text, zip text);\n${setup}`,
  {},
);
const key = Buffer.alloc(32, 1);

type Cells = { rows: (string | null)[][]; fields: { dataTypeID: number; dataTypeModifier: number }[] };
const cells = async (text: string): Promise<Cells> =>
  (await rich.client.query({
    text,
    rowMode: "array",
    types: { getTypeParser: () => String } as never,
  })) as never;

for (const [at, kind] of KINDS.entries()) {
  test(`${kind.type}: in SQL as in the gate (seed ${SEED})`, async () => {
    const values = [null, ...new Set(kind.values)];
    await rich.client.query(
      `INSERT INTO public.k${at} SELECT n, v::${kind.type} FROM unnest($1::text[]) WITH ORDINALITY AS u (v, n)`,
      [values],
    );
    const relation = rich.catalog.resolveRelation("public", `k${at}`, [])!;
    const [[send]] = (await cells(`SELECT typsend::text FROM pg_type WHERE oid = '${kind.type}'::regtype`)).rows as [
      [string],
    ];
    let compared = 0;
    for (const mask of MASKS) {
      const form = formOf(rich.catalog, relation, new Map([["v", mask]]));
      if ("impossible" in form) assert.fail(form.impossible);
      const masks = `(SELECT ${form.list} FROM public.k${at} AS t) AS masked`;
      const described = await cells(`SELECT k.v, masked.v FROM public.k${at} AS k, ${masks} WHERE false`);
      const [column, same] = described.fields;
      assert.equal(same!.dataTypeID, column!.dataTypeID);
      if (!/interval/.test(kind.type)) assert.equal(same!.dataTypeModifier, column!.dataTypeModifier);
      for (const binary of [false, true]) {
        // What the server sends for a cell in binary is what its type's function gives.
        const sent = (value: string): string => (binary ? `encode(${send}(${value}), 'hex')` : value);
        const shown = await cells(`SELECT v::text, ${sent("v")} FROM public.k${at} ORDER BY n`);
        const masked = await cells(`SELECT ${sent("v")} FROM ${masks} ORDER BY n`);
        const bytes = (cell: string | null | undefined): Buffer | null =>
          cell === null || cell === undefined ? null : Buffer.from(cell, binary ? "hex" : "utf8");
        const plan = planMask(
          mask,
          { typeOid: column!.dataTypeID, format: binary ? 1 : 0, modifier: column!.dataTypeModifier },
          { key },
        );
        shown.rows.forEach(([text, sentCell], row) => {
          const cell = bytes(sentCell);
          const expected = cell === null ? null : plan(cell, 0, cell.length);
          const found = bytes(masked.rows[row]![0]);
          const what = `${JSON.stringify(mask)} of ${text} (${binary ? "binary" : "text"})`;
          const exact = expected === null ? null : Buffer.from(expected);
          if (kind.without?.(String(text), mask) === true && !Buffer.from(found ?? "").equals(exact ?? Buffer.of()))
            // The cell is NULL, or the element of an array.
            assert.ok(found === null || binary || /\bNULL\b/.test(String(found)), `${what}: ${found}, not ${expected}`);
          else if (kind.numeric === true && !binary && found !== null && expected !== null)
            assert.equal(
              Number(found),
              Math.fround(Number(expected)) === Math.fround(Number(found)) ? Number(found) : Number(expected),
              what,
            );
          else assert.deepEqual(found, exact, `${what}: ${found}, not ${expected}`);
          compared++;
        });
      }
    }
    assert.ok(compared >= values.length * MASKS.length);
  });
}

test("what no mask takes makes no SQL", () => {
  const type = { oid: 25, modifier: -1, sql: "pg_catalog.text" };
  for (const mask of [
    { mask: "hash" },
    { mask: "partial", keep_first: -1 },
    { mask: "partial", keep_last: "1" },
    { mask: "partial", char: "**" },
    { mask: "partial", char: "' || x" },
    { mask: "truncate", to: "century" },
    { mask: "truncate", step: 0.5 },
    { mask: "truncate", digits: 101 },
  ])
    assert.equal(maskSql(mask, type, "t.v"), undefined, JSON.stringify(mask));
  assert.notEqual(maskSql({ mask: "partial", char: "'" }, type, "t.v"), undefined);
});

test("a column whose collation cannot be searched is masked all the same", async () => {
  await rich.client.query(`
    CREATE COLLATION public.either (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE public.collated (v text COLLATE public.either, j jsonb);
    INSERT INTO public.collated VALUES ('Ada@Example.org', '"Ada@Example.org"')`);
  const catalog = await rich.load();
  const relation = catalog.resolveRelation("public", "collated", [])!;
  for (const mask of MASKS) {
    const form = formOf(catalog, relation, new Map([["v", mask]]));
    if ("impossible" in form) assert.fail(form.impossible);
    const from = `FROM (SELECT ${form.list} FROM public.collated AS t) m`;
    const { rows } = await cells(`SELECT v, v = 'x' ${from}`);
    if (mask.mask === "email") assert.equal(rows[0]![0], "A***@Example.org");
    // What is kept of the value keeps its collation, so that it can still be compared with other columns.
    if (mask.mask === "email") await cells(`SELECT 1 ${from} JOIN public.collated c ON c.v = m.v`);
  }
});
