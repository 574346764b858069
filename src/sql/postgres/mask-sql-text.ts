// The masks of texts, in SQL: what partial and email make of one.
import { asText, call, concat, literal, op, plainly, position, when } from "./mask-sql-build.ts";

export type Partial = { readonly first: number; readonly last: number; readonly char: string };

/** Above this, a `char` of several bytes could make more of a text than the server takes. */
export const MOST_BYTES = 60_000_000;
/** No text has more characters. */
const MOST_CHARACTERS = 1_073_741_823;

/** `value` is of type text. */
export function partialSql(value: string, { first, last, char }: Partial, tooLong: string): string {
  const count = call("length", value);
  const all = call("repeat", literal(char), count);
  const long: [string, string][] =
    Buffer.byteLength(char) === 1 ? [] : [[op(call("octet_length", value), ">", String(MOST_BYTES)), tooLong]];
  const kept = first + last;
  if (kept === 0 || kept >= MOST_CHARACTERS) return long.length === 0 ? all : when(long, all);
  const end = call("right", value, String(last));
  const length = last === 0 ? count : op(count, "-", String(last));
  const start = first === 0 ? "" : call("rpad", call("left", value, String(first)), length, literal(char));
  const masked = first === 0 ? call("lpad", end, count, literal(char)) : last === 0 ? start : concat(start, end);
  return when([...long, [op(count, "<=", String(kept)), all]], masked);
}

/** Most characters of what may be an address. */
const MOST_OF_ADDRESS = 320;
const HIDDEN = "***";

/** As in masking/email.ts, for ASCII: one @, no white space and no quote before it, a domain of labels that ends in letters. */
const ADDRESS =
  "^[\\u0001-\\u0008\\u000e-\\u001f!\\u0023-?\\u0041-\\u007f]{1,64}@([A-Za-z0-9][A-Za-z0-9-]{0,62}[.])+[A-Za-z][A-Za-z0-9-]{1,62}$";

/** Most characters, or bytes, that the column takes. */
export type Room = { readonly characters?: number | undefined; readonly bytes?: number | undefined };

/** `value` is of type text. NULL for what is not ASCII and may be an address: the server's expressions do not know letters as the gate's do. */
export function emailSql(value: string, { characters, bytes }: Room): string {
  const at = position(value, "@");
  const hidden = literal([...HIDDEN].slice(0, characters).join(""));
  const masked = concat(
    when([[op(at, ">", "2"), call("left", value, "1")]], literal("")),
    literal(HIDDEN),
    call("substr", value, at),
  );
  const fitting: [string, string][] = [];
  const isAddress = op(plainly(value), "~", literal(ADDRESS));
  if (characters !== undefined) fitting.push([op(call("length", masked), ">", String(characters)), hidden]);
  if (bytes !== undefined) fitting.push([op(call("octet_length", masked), ">", String(bytes)), hidden]);
  return when(
    [
      [op(call("length", value), ">", String(MOST_OF_ADDRESS)), hidden],
      [isAddress, fitting.length === 0 ? masked : when(fitting, masked)],
      [op(call("octet_length", value), "=", call("length", value)), hidden],
      [op(at, "=", "0"), hidden],
    ],
    asText("NULL"),
  );
}
