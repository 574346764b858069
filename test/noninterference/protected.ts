// What is protected, how, and the values that two servers have there: equal in exactly what the column's mask tells.
import type pg from "pg";

type Protected = {
  /** schema.table.column, as the classification names it; with a mask's tag. */
  readonly key: string;
  readonly tag: keyof typeof masks;
  /** Tables that hold such rows by themselves: the table, its children, its partitions. */
  readonly tables: readonly string[];
  readonly column: string;
  /** SQL expressions of the values by the row's number on either server; NULL stays NULL. */
  readonly left: readonly string[];
  readonly right: readonly string[];
};

/** `data.masks` of the starter policy. */
export const masks = {
  pii: { mask: "redact" },
  gone: { mask: "null" },
  blank: { mask: "null", on_derived: "mask" },
  shut: { mask: "redact", on_derived: "refuse" },
  alike: { mask: "hash" },
  mail: { mask: "email" },
  tail: { mask: "partial", keep_last: 2 },
  period: { mask: "truncate", to: "year", step: 100 },
} as const;

const text = (...values: string[]): string[] => values.map((value) => `'${value}'`);
const one = (
  table: string,
  column: string,
  tag: Protected["tag"],
  left: readonly string[],
  right: readonly string[],
  tables: readonly string[] = [table],
): Protected => ({ key: `${table}.${column}`, tag, tables, column, left, right });

// Lengths, orders, duplicates, signs and what a cast or a division makes of them differ, as far as the mask does not tell it.
const cells: readonly Protected[] = [
  one("public.customers", "email", "pii", text("ada", "b", "5"), text("zed@long.example.org", "1", "a,b")),
  one("public.customers", "phone", "tail", text("1111", "9933", "5555"), text("2211", "1133", "4255")),
  one(
    "public.customers",
    "home",
    "pii",
    ["('s', 'London', 'z')::address", "('', NULL, '1')::address"],
    ["(NULL, 'a', 'b')::address", "('long street', 'Paris', 'x')::address"],
  ),
  one("hr.employees", "ssn", "pii", text("1", "22", "22", "a"), text("123-45-6789", "0", "9", "Ada")),
  one("hr.employees", "salary", "period", ["100", "0", "170", "250"], ["199", "50", "101", "203"]),
  one("public.patients", "diagnosis", "blank", text("flu"), text("a broken leg")),
  one("public.events", "payload", "blank", text("p", "7"), text("quite long", "a"), ["public.events_2025"]),
  one(
    'public."Odd Name"',
    '"Email Address"',
    "mail",
    text("oo@o.org", "ann@b.org"),
    text("otto.long@o.org", "a1@b.org"),
  ),
  one("hr.payroll", "iban", "gone", text("DE02120300000000202051"), text("5")),
  one("hr.payroll", "grade", "gone", ["3"], ["1"]),
  one("hr.payroll", "active", "gone", ["true"], ["false"]),
  one("hr.payroll", "since", "blank", ["'2020-02-02'"], ["'1999-12-31'"]),
  one("hr.payroll", "points", "shut", ["'{1,2,3}'"], ["'{}'"]),
  one("hr.payroll", "period", "gone", ["'[2020-01-01,2021-01-01)'"], ["'empty'"]),
  one("hr.payroll", "note", "gone", [`'{"a": {"b": 1}}'`], ["'[5]'"]),
  one("hr.payroll", "badge", "gone", ["'\\x0102'"], ["'\\x'"]),
  one("hr.payroll", "doc", "gone", ["'<r><a>1</a></r>'"], ["'<b/>'"]),
  one("hr.payroll", "feeling", "gone", ["'ok'"], ["'sad'"]),
  one("public.mailboxes", "mail", "mail", text("eve@example.net"), text("e.longer@example.net")),
  one('public."Größe"', '"Straße"', "pii", text("Hauptstraße 1"), text("7")),
  one(
    "public.shapes",
    "corner",
    "pii",
    ["(1, 2, 'a')::lab.point3", "(0, 0, '1')::lab.point3"],
    ["(3, NULL, 'bb')::lab.point3", "(NULL, 5, 'a')::lab.point3"],
  ),
  one(
    "public.shapes",
    "corners",
    "gone",
    ["ARRAY[(3, 4, 'b'), (5, 6, 'c')]::lab.point3[]", "'{}'"],
    ["'{}'", "ARRAY[(1, 1, 'x')]::lab.point3[]"],
  ),
  one("public.shapes", "docb", "blank", [`'{"a": "y", "b": [1, 2]}'`, "'[]'"], [`'{"b": {"c": 5}}'`, `'{"a": 1}'`]),
  one("public.shapes", "score", "blank", ["1.5", "-2"], ["0", "7.25"]),
  one("public.shapes", "day", "period", ["'2025-05-05'", "'2024-01-02'"], ["'2025-01-31'", "'2024-12-31'"]),
  one("public.shapes", "amount", "pii", ["5", "0"], ["0", "12.345"]),
  one("public.shapes", "matrix", "shut", ["'{{1,2},{3,4}}'", "'{{1}}'"], ["'{{9}}'", "'{{0,1},{2,3}}'"]),
  one("public.shapes", "raw", "gone", ["'r'", "'1'"], ["'longer'", "''"]),
  one("public.shapes", "feel", "gone", ["'ok'", "'sad'"], ["'sad'", "'happy'"]),
  one("public.shapes", "note", "gone", ["'<a>1</a>'", "'<b/>'"], ["'<c/>'", "'<a>2<d/></a>'"]),
  one("public.c", "email", "alike", text("c@c.org", "ada"), text("1", "7")),
  one("public.vehicles", "plate", "pii", text("v"), text("12"), ["public.vehicles", "public.cars", "public.taxis"]),
  one("lab.orders", "total", "pii", text("x", "y"), text("10", "10")),
  one('lab."Ünï ""q"""', '"É"', "gone", ["1", "2"], ["7", "0"]),
  one("lab.readings", "reading", "blank", ["5", "6"], ["0", "0"], ["lab.readings_n1", "lab.readings_x"]),
  one("own.guarded", "secret", "pii", text("a", "b", "c"), text("z", "a", "y")),
  one("own.parents", "code", "pii", text("a"), text("bb")),
  one("lab.ledger", "memo", "pii", text("m"), text("12345")),
];

export const classification: { readonly [key: string]: readonly string[] } = Object.fromEntries(
  cells.map(({ key, tag }) => [unquoted(key), [tag]]),
);

/** A name that is no plain word stays quoted there. */
function unquoted(key: string): string {
  return key.replaceAll(/"((?:[^"]|"")+)"/g, (whole, name: string) =>
    /^[\p{L}_][\p{L}\p{N}_$]*$/u.test(name) ? name : whole,
  );
}

export type Side = "left" | "right";

/** Puts one side's values into what is there, by the same statements on both. */
export async function fill(direct: pg.Client, side: Side): Promise<void> {
  for (const { tables, column, [side]: values } of cells) {
    for (const [at, table] of tables.entries()) {
      const branches = values.map((value, of) => `WHEN ${of} THEN ${value}`).join(" ");
      const type = await direct.query(
        "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND quote_ident(attname) = $2",
        [table, column],
      );
      await direct.query(
        `WITH numbered AS (SELECT ctid AS place, (row_number() OVER (ORDER BY ctid) + ${at}) % ${values.length} AS nth FROM ONLY ${table} WHERE ${column} IS NOT NULL)
         UPDATE ONLY ${table} AS filled SET ${column} = (CASE nth ${branches} END)::${type.rows[0].type} FROM numbered WHERE filled.ctid = place`,
      );
    }
  }
}

/** The columns of a table that may differ. */
export function isProtected(schema: string, table: string, column: string): boolean {
  return cells.some((cell) =>
    [cell.key, ...cell.tables.map((name) => `${name}.${cell.column}`)]
      .map(plain)
      .includes(`${schema}.${table}.${column}`),
  );
}

const plain = (key: string): string =>
  key.replaceAll(/"((?:[^"]|"")+)"/g, (_, name: string) => name.replaceAll('""', '"'));
