// Generates queries: SELECT with all of its clauses, VALUES, TABLE, set operations and WITH.
import { expression, type Making, windowDefinition } from "./expressions.ts";
import { from } from "./from.ts";
import { modification } from "./modifications.ts";
import type { Item, Named, Query, Scope } from "./scope.ts";
import { plainly } from "./scope.ts";
import type { Field } from "./world.ts";
import { quoted } from "./world.ts";

export type Wanted = {
  /** One row at most. */
  readonly one?: boolean;
  /** The outermost: data may be modified in WITH. */
  readonly top?: boolean;
};

const TYPES = [
  "text",
  "int",
  "text",
  "int",
  "bool",
  "numeric",
  "jsonb",
  "text[]",
  "lab.point3",
  "address",
  "bigint",
  "json",
  "date",
  "timestamptz",
  "xml",
  "int[]",
  "mood",
  "customers",
  "lab.point3[]",
  "float8",
  "interval",
  "timestamp",
  "customers[]",
  "lab.pair",
  "int4range",
];

/** A query with columns of these types, or of any. */
export function query(making: Making, outer: Scope, types: readonly string[] | undefined, wanted: Wanted = {}): Query {
  making.depth++;
  try {
    return withCtes(making, outer, types, wanted);
  } finally {
    making.depth--;
  }
}

function withCtes(making: Making, outer: Scope, types: readonly string[] | undefined, wanted: Wanted): Query {
  const { choices } = making;
  const body = (scope: Scope) => setOrSelect(making, scope, types, wanted);
  if (making.depth > 4 || !choices.chance(wanted.top === true ? 22 : 8)) return body(outer);
  const recursive = choices.chance(40);
  let scope = outer;
  const texts: string[] = [];
  for (let more = 1 + choices.below(3); more > 0; more--) {
    const name = choices.pick(["w", "customers", "orders", "x", "w2", "t"]);
    if (texts.some((text) => text.startsWith(`${name}(`) || text.startsWith(`${name} `))) continue;
    const cte =
      recursive && choices.chance(60)
        ? recursiveCte(making, scope, name)
        : plainCte(making, scope, name, wanted.top === true);
    texts.push(cte.text);
    const others = scope.ctes.filter((each) => each.name !== name);
    scope = { ...scope, ctes: [...others, { name, fields: cte.fields }] };
  }
  const inner = body(scope);
  return { text: `WITH ${recursive ? "RECURSIVE " : ""}${texts.join(", ")} ${inner.text}`, fields: inner.fields };
}

function plainCte(making: Making, scope: Scope, name: string, top: boolean): Query & Named {
  const { choices } = making;
  const inner = top && choices.chance(20) ? modification(making, scope) : query(making, scope, undefined);
  const given = choices.chance(25)
    ? inner.fields.map((field, at) => ({ ...field, name: ["k", "id", "email", "m"][at] ?? `n${at}` }))
    : inner.fields;
  const list = given === inner.fields ? "" : `(${given.map((field) => quoted(field.name)).join(", ")})`;
  return {
    name,
    text: `${name}${list === "" ? " " : list} AS ${choices.pick(["", "", "MATERIALIZED ", "NOT MATERIALIZED "])}(${inner.text})`,
    fields: given,
  };
}

function recursiveCte(making: Making, scope: Scope, name: string): Query & Named {
  const { choices } = making;
  const fields: Field[] = [
    { name: "n", type: "int" },
    { name: "v", type: "text" },
  ];
  const own: Item = { name, fields, rowType: undefined, whole: true, bare: true, lockable: false };
  const start = query(making, scope, ["int", "text"]);
  const other = choices.chance(60) ? from(making, scope) : undefined;
  const usable = other?.items.filter((item) => item.name !== name) ?? [];
  const inner: Scope = { items: [own, ...usable], outer: scope, ctes: scope.ctes };
  const items = other === undefined ? name : `${name}, ${other.text}`;
  const step = `SELECT ${name}.n + 1, ${expression(making, "text", inner)} FROM ${items} WHERE ${name}.n < 3${choices.chance(40) ? ` AND ${expression(making, "bool", inner)}` : ""}`;
  const union = choices.pick(["UNION ALL", "UNION"]);
  let tail = "";
  const all = [...fields];
  if (choices.chance(20)) {
    tail += ` SEARCH ${choices.pick(["DEPTH", "BREADTH"])} FIRST BY v SET sq`;
    all.push({ name: "sq", type: "record[]" });
  }
  if (choices.chance(20)) {
    tail += ` CYCLE ${choices.pick(["v", "n, v"])} SET cy USING pa`;
    all.push({ name: "cy", type: "bool" }, { name: "pa", type: "record[]" });
  }
  return { name, text: `${name}(n, v) AS ((${start.text}) ${union} ${step})${tail}`, fields: all };
}

function setOrSelect(making: Making, outer: Scope, types: readonly string[] | undefined, wanted: Wanted): Query {
  const { choices } = making;
  if (making.depth > 4 || !choices.chance(12)) return select(making, outer, types, wanted);
  const kinds =
    types ??
    Array.from({ length: 1 + choices.below(3) }, () => choices.pick(["text", "int", "text", "numeric", "address"]));
  const arms = [query(making, outer, kinds), query(making, outer, kinds)];
  if (choices.chance(25)) arms.push(query(making, outer, kinds));
  let text = `(${arms[0]!.text})`;
  for (const arm of arms.slice(1))
    text = `${text} ${choices.pick(["UNION ALL", "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"])} (${arm.text})`;
  if (choices.chance(30)) text += ` ORDER BY ${choices.chance(50) ? quoted(arms[0]!.fields[0]!.name) : "1"}`;
  if (wanted.one === true) text += " LIMIT 1";
  else if (choices.chance(20)) text += ` LIMIT ${choices.pick(["2", "ALL", "(SELECT 3)"])}`;
  return { text, fields: arms[0]!.fields };
}

function select(making: Making, outer: Scope, types: readonly string[] | undefined, wanted: Wanted): Query {
  const { choices, world } = making;
  const kind = choices.below(100);
  if (kind >= 97 && types === undefined) {
    const table = choices.pick(world.tables);
    return { text: `TABLE ${quoted(table.schema)}.${quoted(table.name)}`, fields: table.fields };
  }
  if (kind >= 94) return values(making, outer, types ?? ["text", "int"]);
  const source =
    kind < 4
      ? { text: "", items: [] }
      : from(making, { ...plainly(outer), items: [], outer: outer.items.length > 0 ? outer : outer.outer });
  const base: Scope = {
    items: source.items,
    outer: outer.items.length > 0 ? plainly(outer) : outer.outer,
    ctes: outer.ctes,
  };
  const grouped = choices.chance(18);
  const alone = !grouped && (wanted.one === true ? choices.chance(50) : choices.chance(5));
  const keys = grouped ? Array.from({ length: 1 + choices.below(2) }, () => key(making, base)) : undefined;
  const windows = !grouped && !alone && choices.chance(15) ? ["wa", "wb"].slice(0, 1 + choices.below(2)) : undefined;
  const definitions = windows?.map((name) => `${name} AS ${windowDefinition(making, base, undefined)}`);
  const top: Scope = {
    ...base,
    ...(grouped || alone ? { keys: keys ?? [], aggregates: true } : {}),
    ...(windows === undefined ? {} : { windows }),
    ...(wanted.one === true || grouped || alone ? {} : { sets: true }),
  };
  const targets = grouped || alone ? computed(making, top, types) : targetList(making, top, types, source.items);
  const distinct =
    wanted.one !== true && targets.fields.every((field) => !UNORDERED.has(field.type)) && choices.chance(8);
  const on = distinct && !grouped && choices.chance(50) ? notConstant(expression(making, "text", base)) : undefined;
  let text = `SELECT ${distinct ? (on === undefined ? "DISTINCT " : `DISTINCT ON (${on}) `) : ""}${targets.text}`;
  if (source.text !== "") text += ` FROM ${source.text}`;
  if (choices.chance(45)) text += ` WHERE ${expression(making, "bool", base)}`;
  if (keys !== undefined)
    text += ` GROUP BY ${groupBy(
      making,
      keys.map((each) => each.text),
    )}`;
  if (keys !== undefined && choices.chance(25))
    text += ` HAVING ${expression(making, "bool", { ...top, sets: false })}`;
  if (definitions !== undefined) text += ` WINDOW ${definitions.join(", ")}`;
  if (on !== undefined) text += ` ORDER BY ${on}`;
  else if (choices.chance(25)) text += ` ORDER BY ${order(making, distinct ? undefined : top, targets.fields)}`;
  if (wanted.one === true && !alone) text += " LIMIT 1";
  else if (choices.chance(12))
    text += choices.pick([
      ` LIMIT 2 OFFSET ${expression(making, "int", { ...outer, items: [] })}`,
      " OFFSET 1",
      " FETCH FIRST 2 ROWS ONLY",
      " LIMIT (SELECT count(*) FROM orders)",
    ]);
  const lockable = source.items.filter((item) => item.lockable);
  if (
    lockable.length > 0 &&
    wanted.top === true &&
    !grouped &&
    !alone &&
    !distinct &&
    windows === undefined &&
    choices.chance(6)
  )
    text += ` FOR ${choices.pick(["UPDATE", "SHARE"])} OF ${quoted(choices.pick(lockable).name)}`;
  return { text, fields: targets.fields };
}

/** Types (and rows that hold such) that can be neither sorted nor compared. */
const UNORDERED = new Set(["json", "xml", "lab.point3", "lab.pair", "customers", "customers[]", "lab.point3[]"]);
function key(making: Making, scope: Scope): { text: string; type: string } {
  const type = making.choices.pick(["text", "int", "text", "bool"]);
  return { text: notConstant(expression(making, type, scope)), type };
}

/** GROUP BY and ORDER BY take bare constants for something else. */
const notConstant = (text: string): string =>
  /^('[^']*'|\d+|true|false)$/.test(text) ? `nullif(${text}, NULL)` : text;

function groupBy(making: Making, keys: readonly string[]): string {
  const { choices } = making;
  const list = keys.join(", ");
  return choices.pick([
    list,
    list,
    list,
    `ROLLUP (${list})`,
    `CUBE (${list})`,
    `GROUPING SETS ((${list}), ())`,
    `DISTINCT ${list}, GROUPING SETS (${keys[0]!}, ())`,
  ]);
}

function order(making: Making, scope: Scope | undefined, fields: readonly Field[]): string {
  const { choices } = making;
  const kind = choices.below(scope === undefined ? 2 : 3);
  const direction = choices.pick(["", " DESC", " NULLS LAST", " USING <"]);
  if (kind === 0) return `${1 + choices.below(Math.max(1, fields.length))}${direction}`;
  const once = fields.filter((field) => fields.filter((other) => other.name === field.name).length === 1);
  if (kind === 1 && once.length > 0) return `${quoted(choices.pick(once).name)}${direction}`;
  if (scope === undefined) return "1";
  return `${notConstant(expression(making, choices.pick(["int", "text"]), { ...scope, sets: false }))}${direction}`;
}

function values(making: Making, outer: Scope, types: readonly string[]): Query {
  const { choices } = making;
  const rows = Array.from(
    { length: 1 + choices.below(2) },
    () => `(${types.map((type) => expression(making, type, plainly({ ...outer, items: [] }))).join(", ")})`,
  );
  return { text: `VALUES ${rows.join(", ")}`, fields: types.map((type, at) => ({ name: `column${at + 1}`, type })) };
}

const OUTPUT_NAMES = ["id", "email", "name", "x1", "x2", "total", "c"];

/** Expressions with names, all of them of known types. */
function computed(making: Making, scope: Scope, types: readonly string[] | undefined): Query {
  const { choices } = making;
  const wanted = types ?? Array.from({ length: 1 + choices.below(3) }, () => choices.pick(TYPES));
  const fields: Field[] = [];
  const texts = wanted.map((type, at) => {
    // A name that is not given is the server's affair: it is not used.
    const name = choices.chance(70) ? OUTPUT_NAMES[(at + choices.below(3)) % OUTPUT_NAMES.length]! : `o${at}`;
    fields.push({ name, type });
    return `${expression(making, type, scope)} AS ${name}`;
  });
  return { text: texts.join(", "), fields };
}

/** Columns, stars, whole rows and expressions. */
export function targetList(
  making: Making,
  scope: Scope,
  types: readonly string[] | undefined,
  items: readonly Item[],
): Query {
  const { choices } = making;
  if (types !== undefined) return computed(making, scope, types);
  const texts: string[] = [];
  const fields: Field[] = [];
  for (let more = 1 + choices.below(3); more > 0; more--) {
    const usable = items.filter((item) => item.name !== "" && item.whole);
    const kind = choices.below(usable.length > 0 ? 100 : 60);
    const hidden = making.depth > 1 && !choices.chance(15);
    if (kind < 50 || (hidden && ((kind >= 50 && kind < 60) || kind >= 90))) {
      const one = computed(making, scope, [choices.pick(TYPES)]);
      texts.push(one.text);
      fields.push(...one.fields);
    } else if (kind < 60) texts.push(expression(making, choices.pick(TYPES), scope));
    else if (kind < 75) {
      const item = choices.pick(usable);
      texts.push(`${quoted(item.name)}.*`);
      fields.push(...item.fields);
    } else if (kind < 82) {
      texts.push("*");
      fields.push(...items.flatMap((item) => (item.bare ? item.fields : [])));
    } else if (kind < 90) {
      const item = choices.pick(usable);
      const name = `r${texts.length}`;
      texts.push(`${quoted(item.name)} AS ${name}`);
      if (item.rowType !== undefined) fields.push({ name, type: item.rowType });
    } else {
      const item = choices.pick(usable);
      texts.push(
        choices.pick([
          `(${quoted(item.name)}).*`,
          `(ROW(${quoted(item.name)}.*)).f1`,
          `(${expression(making, "lab.point3", scope)}).*`,
          `(${expression(making, "customers", scope)}).*`,
        ]),
      );
    }
  }
  if (fields.length === 0) {
    texts.push("1 AS one");
    fields.push({ name: "one", type: "int" });
  }
  return { text: texts.join(", "), fields };
}
