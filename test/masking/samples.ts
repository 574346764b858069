// Values of every type, ordinary and extreme; none of them is its own masked form but where `keeps` says so.
import type { MaskRequest } from "../../src/masking/index.ts";

/** By the name of the type. */
export const samples: { readonly [type: string]: readonly string[] } = {
  text: ["4111-1111-1111-1111", "alice@example.com", 'quote " back \\ {brace}, comma', "ünï 漢字 🙂", " NULL ", "x"],
  varchar: ["4111111111111111", "NULL", "a"],
  bpchar: ["secret word 12", "b"],
  name: ["some_name_123", "n"],
  '"char"': ["c"],
  json: ['{"a": [1, {"b": "x"}], "a": "twice"}', '"4111111111111111"', "123456789", "[true, 1.50]"],
  jsonb: ['{"a": [1, {"b": "x"}]}', '"4111111111111111"', "123456789", "[true, 1.50]"],
  jsonpath: ["$.a"],
  xml: ["<a>secret</a>"],
  bytea: ["\\x00ff5c22", "\\x736563726574"],
  uuid: ["0195d3a4-7b1c-7000-8000-0123456789ab"],
  int2: ["32767", "-32768", "1234"],
  int4: ["2147483647", "-2147483648", "12345", "1234567"],
  int8: ["9223372036854775807", "-9223372036854775808", "1234567890123456", "1234567"],
  numeric: ["12345678.901234", "-0.00012345678", "99999999999999999999999999999.5", "1234e20", "0.999"],
  float4: ["1234.567", "-3.4e38", "1.17e-38", "0.7654321"],
  float8: ["1234.56789", "-1.797e308", "2.2250e-308", "12345678901234"],
  money: ["1234.56"],
  date: ["1987-11-23", "5874897-12-31", "0001-01-02", "4713-01-02 BC"],
  time: ["12:34:56.789", "00:59:59.999999"],
  timetz: ["12:34:56.789+05:30", "00:59:59.999999-12"],
  timestamp: ["1987-11-23 12:34:56.789", "294276-12-31 23:59:59", "0001-01-01 01:02:03", "4713-01-02 00:00:00 BC"],
  timestamptz: [
    "1987-11-23 12:34:56.789+01",
    "294276-12-31 23:59:59+00",
    "0001-01-01 01:02:03+00",
    "4713-01-02 00:00:00 BC",
  ],
  interval: ["1 year 2 days 03:04:05.6"],
  bool: ["true", "false"],
  oid: ["12345"],
  inet: ["192.168.1.17/24"],
  cidr: ["10.1.2.0/24"],
  macaddr: ["08:00:2b:01:02:03"],
  macaddr8: ["08:00:2b:01:02:03:04:05"],
  bit: ["1"],
  varbit: ["10110"],
  point: ["(1,2)"],
  line: ["{1,2,3}"],
  lseg: ["[(1,2),(3,4)]"],
  box: ["(3,4),(1,2)"],
  path: ["((1,2),(3,4))"],
  polygon: ["((1,2),(3,4),(5,6))"],
  circle: ["<(1,2),3>"],
  tsvector: ["'fat':1 'rat':2"],
  tsquery: ["'fat' & 'rat'"],
  int4range: ["[1,10)"],
  int8range: ["[1,10)"],
  numrange: ["[1.5,2.5]"],
  daterange: ["[2024-01-01,2024-02-01)"],
  tsrange: ["[2024-01-01 00:00:00,2024-02-01 00:00:00)"],
  tstzrange: ["[2024-01-01 00:00:00+00,2024-02-01 00:00:00+00)"],
  int4multirange: ["{[1,10),[20,30)}"],
  int8multirange: ["{[1,10),[20,30)}"],
  nummultirange: ["{[1.5,2.5]}"],
  tsmultirange: ['{["2024-01-01 00:00:00","2024-02-01 00:00:00")}'],
  tstzmultirange: ['{["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00")}'],
  datemultirange: ["{[2024-01-01,2024-02-01)}"],
  pg_lsn: ["16/B374D848"],
  xid: ["123"],
  xid8: ["12345678901"],
  cid: ["7"],
  tid: ["(1,2)"],
  pg_snapshot: ["10:20:10,14,15"],
  txid_snapshot: ["10:20:10,14,15"],
  regclass: ["pg_class"],
  regproc: ["now"],
  regprocedure: ["now()"],
  regoper: ["||/"],
  regoperator: ["+(integer,integer)"],
  regcollation: ['"C"'],
  regrole: ["pg_monitor"],
  regnamespace: ["pg_catalog"],
  regconfig: ["english"],
  regdictionary: ["simple"],
  regtype: ["integer"],
  int2vector: ["1 2"],
  oidvector: ["1 2"],
  mood: ["happy"],
  short: ["abc"],
  pair: ["(1,secret)"],
  citext: ["Secret"],
};

/** Inputs that a mask rightly gives back: there is nothing in them that it hides. */
export function keeps(request: MaskRequest, value: string): boolean {
  // Documents that no path hits.
  if (request.mask === "json")
    return !value.includes('"a"') && !(value.startsWith("[") && JSON.stringify(request).includes("$..*"));
  // Texts in which no detector finds anything.
  if (request.mask === "detect") return !/4111|@/.test(value);
  // Whole multiples, and numbers of no more digits than are kept.
  if (request.mask !== "truncate") return false;
  if ("step" in request) return ["1234e20", "-3.4e38", "-1.797e308"].includes(value);
  return value === "-3.4e38" && request.digits === 2;
}
