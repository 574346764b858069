// Masks as SQL expressions over a column: never failing, and giving what the gate's own masks (masking/) make of a cell; NULL where SQL cannot.
import { asNumeric, asText, call, cast, concat, literal, op, plainly, position, when } from "./mask-sql-build.ts";
import { type Cut, cutDecimal, cutFloat, cutInteger, cutNumeric, MOST_DIGITS } from "./mask-sql-number.ts";
import { emailSql, MOST_BYTES, type Partial, partialSql } from "./mask-sql-text.ts";
import { cutDate, cutTime, cutTimestamp, type Period, PERIODS } from "./mask-sql-time.ts";

/** A mask's name and its parameters. */
export type MaskParameters = { readonly mask: string; readonly [parameter: string]: unknown };

/** The type of a column; of a domain what it is made of. */
export type MaskedType = { readonly oid: number; readonly modifier: number; readonly sql: string };

const REDACTED = "[redacted]";
const NAME_BYTES = 63;

const TEXTS: ReadonlySet<number> = new Set([25, 1043, 1042, 19]);
const [TEXT, BPCHAR, NAME, JSON_TYPE, JSONB, XML, BYTEA] = [25, 1042, 19, 114, 3802, 142, 17];
const [DATE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ] = [1082, 1083, 1266, 1114, 1184];
const INTEGERS: ReadonlySet<number> = new Set([21, 23, 20]);
const [NUMERIC, FLOAT4, FLOAT8] = [1700, 700, 701];
/** The type of the elements of each array whose elements can be masked, and its name. */
const ELEMENTS = new Map<number, readonly [oid: number, name: string]>([
  [1009, [25, "text"]],
  [1015, [1043, "varchar"]],
  [1014, [1042, "bpchar"]],
  [1003, [19, "name"]],
  [199, [114, "json"]],
  [3807, [3802, "jsonb"]],
  [143, [142, "xml"]],
  [1001, [17, "bytea"]],
  [1005, [21, "int2"]],
  [1007, [23, "int4"]],
  [1016, [20, "int8"]],
  [1231, [1700, "numeric"]],
  [1021, [700, "float4"]],
  [1022, [701, "float8"]],
  [1182, [1082, "date"]],
  [1183, [1083, "time"]],
  [1270, [1266, "timetz"]],
  [1115, [1114, "timestamp"]],
  [1185, [1184, "timestamptz"]],
]);

/** The masks that SQL knows. */
export const SQL_MASKS: ReadonlySet<string> = new Set(["null", "redact", "partial", "truncate", "email"]);

/**
 * What the mask makes of `value`, of the column's very type and modifier. Undefined: no mask that SQL knows, or a parameter that it does
 * not take.
 */
export function maskSql(mask: MaskParameters, type: MaskedType, value: string): string | undefined {
  if (!takes(mask)) return undefined;
  const none = cast("NULL", type.sql);
  const element = ELEMENTS.get(type.oid);
  const masked = element === undefined ? expression(mask, type, value) : elements(mask, type, element, value);
  return masked === undefined ? none : orNull(masked, value, type.sql);
}

/** Of NULL every mask makes NULL: those that look at the value by themselves. */
function orNull({ sql, constant }: Masked, value: string, type: string): string {
  return cast(constant ? when([[`${value} IS NULL`, "NULL"]], sql) : sql, type);
}

/** An expression, and whether it is the same for every value. */
type Masked = { readonly sql: string; readonly constant: boolean };
const varying = (sql: string | undefined): Masked | undefined =>
  sql === undefined ? undefined : { sql, constant: false };

/** Undefined: NULL for every value. */
function expression(mask: MaskParameters, type: MaskedType, value: string): Masked | undefined {
  switch (mask.mask) {
    case "redact":
      return redaction(type);
    case "partial":
      return textual(type, value, (content) => partialSql(content, partialOf(mask), literal(REDACTED)), true);
    case "email":
      return textual(type, value, (content, room) => emailSql(content, room));
    case "truncate":
      return truncated(mask, type, value);
    default:
      return undefined;
  }
}

/** Each element masked; one element where the mask gives the same for all. NULL for arrays of several dimensions. */
function elements(
  mask: MaskParameters,
  type: MaskedType,
  [oid, named]: readonly [number, string],
  value: string,
): Masked | undefined {
  const of: MaskedType = { oid, modifier: type.modifier, sql: typeSql("pg_catalog", named, oid, type.modifier) };
  const masked = expression(mask, of, "e.v");
  if (masked === undefined) return undefined;
  const each = orNull(masked, "e.v", of.sql);
  if (masked.constant) return { sql: `ARRAY[${cast(masked.sql, of.sql)}]`, constant: true };
  const list = `ARRAY(SELECT ${each} FROM pg_catalog.unnest(${value}) WITH ORDINALITY AS e (v, o) ORDER BY e.o)`;
  const flat = `${op(call("array_ndims", value), "=", "1")} AND ${op(call("array_lower", value, "1"), "=", "1")}`;
  return varying(
    when(
      [
        [op(call("cardinality", value), "=", "0"), cast("'{}'", type.sql)],
        [flat, list],
      ],
      "NULL",
    ),
  );
}

/** Most characters of a varchar(n) or character(n). */
const lengthOf = ({ oid, modifier }: MaskedType): number | undefined =>
  (oid === 1043 || oid === BPCHAR) && modifier >= 4 ? modifier - 4 : undefined;

function redaction(type: MaskedType): Masked | undefined {
  const constant = (content: string): Masked => ({ sql: cast(literal(content), type.sql), constant: true });
  if (TEXTS.has(type.oid)) return constant([...REDACTED].slice(0, lengthOf(type)).join(""));
  if (type.oid === JSON_TYPE || type.oid === JSONB) return constant(JSON.stringify(REDACTED));
  if (type.oid === XML) return constant("<redacted/>");
  if (type.oid === BYTEA) return constant(`\\x${Buffer.from(REDACTED, "latin1").toString("hex")}`);
  return undefined;
}

type Room = { readonly characters?: number | undefined; readonly bytes?: number | undefined };

/** `content` masks a text; in JSON that is a string. Other types have no masked form. */
function textual(
  type: MaskedType,
  value: string,
  content: (value: string, room: Room) => string,
  keepsSpaces = false,
): Masked | undefined {
  if (TEXTS.has(type.oid)) {
    const masked = content(type.oid === TEXT ? value : asText(value), {
      characters: lengthOf(type),
      bytes: type.oid === NAME ? NAME_BYTES : undefined,
    });
    // Of character without a length partial keeps the spaces at the end, beside the value.
    if (!keepsSpaces || type.oid !== BPCHAR || type.modifier >= 4) return varying(masked);
    const spaces = op(call("octet_length", value), "-", call("octet_length", asText(value)));
    return varying(concat(masked, call("repeat", literal(" "), spaces)));
  }
  if (type.oid !== JSON_TYPE && type.oid !== JSONB) return undefined;
  const json = jsonFunctions(type, value);
  return varying(
    when(
      [
        [op(json.kind, "<>", literal("string")), redaction(type)!.sql],
        [op(call("octet_length", json.stored), ">", String(MOST_BYTES)), "NULL"],
        // json keeps escapes as they were written, and not all of them stand for a character of the database.
        ...(type.oid === JSON_TYPE ? [[op(position(json.stored, "\\u"), ">", "0"), "NULL"] as [string, string]] : []),
      ],
      call(json.make, asText(content(json.content, {}))),
    ),
  );
}

function jsonFunctions(type: MaskedType, value: string) {
  const plain = type.oid === JSON_TYPE;
  const content = op(value, "#>>", cast("'{}'", "pg_catalog._text"));
  return {
    kind: call(plain ? "json_typeof" : "jsonb_typeof", value),
    /** A string or number as text. */
    content,
    stored: plain ? asText(value) : content,
    make: plain ? "to_json" : "to_jsonb",
  };
}

/** A number as JSON writes it, of a size that numeric takes. */
const JSON_NUMBER = "^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]{1,3})?$";

function truncated(mask: MaskParameters, type: MaskedType, value: string): Masked | undefined {
  const { to, step, digits } = mask as { to?: Period; step?: number; digits?: number };
  const cut: Cut | undefined = step !== undefined ? { step } : digits !== undefined ? { digits } : undefined;
  const { oid, sql } = type;
  if (oid === DATE) return varying(to === undefined ? undefined : cutDate(value, to));
  if (oid === TIMESTAMP || oid === TIMESTAMPTZ)
    return varying(to === undefined ? undefined : cutTimestamp(value, to, oid === TIMESTAMPTZ));
  if (oid === TIME || oid === TIMETZ) return varying(to === undefined ? undefined : cutTime(value, to));
  if (INTEGERS.has(oid)) return varying(cut === undefined ? undefined : cutInteger(value, cut, sql));
  if (oid === NUMERIC)
    return varying(
      cut === undefined ? undefined : cutDecimal(value, cut, sql, modifierSql(oid, type.modifier) !== undefined),
    );
  if (oid === FLOAT4 || oid === FLOAT8)
    return varying(cut === undefined ? undefined : cutFloat(value, cut, sql, oid === FLOAT4));
  const hidden = redaction(type);
  if ((oid !== JSON_TYPE && oid !== JSONB) || cut === undefined) return hidden;
  const json = jsonFunctions(type, value);
  return varying(
    when(
      [
        [op(json.kind, "<>", literal("number")), hidden!.sql],
        [op(call("length", json.content), ">", String(MOST_DIGITS)), hidden!.sql],
        [op(plainly(json.content), "!~", literal(JSON_NUMBER)), hidden!.sql],
      ],
      call(json.make, cutNumeric(asNumeric(json.content), cut, true)),
    ),
  );
}

const partialOf = (mask: MaskParameters): Partial => ({
  first: (mask.keep_first as number | undefined) ?? 0,
  last: (mask.keep_last as number | undefined) ?? 0,
  char: (mask.char as string | undefined) ?? "*",
});

/** As the masks themselves check them: whatever comes here becomes a part of a statement. */
function takes({ mask, keep_first, keep_last, char, to, step, digits }: MaskParameters): boolean {
  const whole = (value: unknown, least: number, most: number): boolean =>
    value === undefined || (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most);
  switch (mask) {
    case "partial":
      return (
        whole(keep_first, 0, Number.MAX_SAFE_INTEGER) &&
        whole(keep_last, 0, Number.MAX_SAFE_INTEGER) &&
        (char === undefined || (typeof char === "string" && /^[^\p{C}\p{Z}\p{M}]$/u.test(char)))
      );
    case "truncate":
      return (to === undefined || PERIODS.includes(to as Period)) && whole(step, 1, 1e15) && whole(digits, 1, 100);
    default:
      return SQL_MASKS.has(mask);
  }
}

/** A type by its full name with its modifier, where that can be written. */
export function typeSql(schema: string, named: string, oid: number, modifier: number): string {
  const quoted = `"${schema.replaceAll('"', '""')}"."${named.replaceAll('"', '""')}"`;
  const arguments_ = modifier < 0 ? undefined : modifierSql(oid, modifier);
  return arguments_ === undefined ? quoted : `${quoted}(${arguments_})`;
}

/** varchar, character and their arrays: the length and four. */
const LENGTHS: ReadonlySet<number> = new Set([1043, 1042, 1015, 1014]);
/** bit, varbit, the times, and their arrays: the number itself. */
const NUMBERS: ReadonlySet<number> = new Set([1560, 1562, 1561, 1563, 1083, 1266, 1114, 1184, 1183, 1270, 1115, 1185]);

function modifierSql(oid: number, modifier: number): string | undefined {
  if (LENGTHS.has(oid)) return modifier >= 4 ? String(modifier - 4) : undefined;
  if (NUMBERS.has(oid)) return String(modifier);
  if ((oid === NUMERIC || oid === 1231) && modifier >= 4) {
    const scale = (modifier - 4) & 0x7ff;
    // A negative scale rounds what is put into it, which would change what was cut.
    return scale > 1023 ? undefined : `${(modifier - 4) >> 16}, ${scale}`;
  }
  return undefined;
}
