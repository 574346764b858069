// Generates FROM clauses: tables, views, sub-selects, functions, VALUES and joins of them.
import { expression, type Making, written } from "./expressions.ts";
import { query } from "./queries.ts";
import type { Item, Named, Scope } from "./scope.ts";
import { plainly } from "./scope.ts";
import { FUNCTIONS } from "./templates.ts";
import type { Field } from "./world.ts";
import { quoted, type Table } from "./world.ts";

export type From = { readonly text: string; readonly items: readonly Item[] };

const ALIASES = ["a", "b", "c", "d", "e", "customers", "orders", "id", "name", "t", "s"];

/** One to three entries, comma by comma or joined. `parent` is the scope around the query. */
export function from(making: Making, parent: Scope): From {
  const { choices } = making;
  const texts: string[] = [];
  let items: readonly Item[] = [];
  // What is joined binds tighter than a comma.
  for (let more = choices.pick([1, 1, 1, 1, 2, 2, 3]); more > 0; more--) {
    const next = choices.chance(40) ? joined(making, parent, items) : item(making, parent, items);
    texts.push(next.text);
    items = [...items, ...next.items];
  }
  return { text: texts.join(", "), items };
}

function item(making: Making, parent: Scope, before: readonly Item[], alone = false): From {
  const { choices, world } = making;
  const kind = making.depth >= 5 ? 0 : choices.below(100);
  const alias = fresh(making, before);
  // What a lateral entry sees.
  const lateral: Scope = { items: alone ? [] : before, outer: parent, ctes: parent.ctes };
  if (parent.ctes.length > 0 && kind >= 45 && kind < 60) return ofCte(making, choices.pick(parent.ctes), alias);
  if (kind < 60) return ofTable(making, choices.pick(world.tables), alias, before);
  if (kind < 80)
    return ofQuery(making, kind >= 72 ? lateral : { ...parent, items: [], outer: parent }, kind >= 72, alias);
  if (kind < 90) return ofFunction(making, lateral, alias);
  if (kind < 94)
    return ofValues(making, kind >= 92 ? lateral : { items: [], outer: parent, ctes: parent.ctes }, kind >= 92, alias);
  if (kind < 96) return ofXml(making, lateral, alias);
  if (kind < 98 && world.version >= 17) return ofJson(making, lateral, alias);
  const inside = joined(making, parent, before);
  if (!choices.chance(50)) return { text: `(${inside.text})`, items: inside.items };
  // An alias hides what is inside.
  const fields = inside.items.flatMap((each) => (each.bare ? each.fields : []));
  return { text: `(${inside.text}) AS ${quoted(alias)}`, items: [named(alias, fields)] };
}

function fresh(making: Making, before: readonly Item[]): string {
  const free = ALIASES.filter((alias) => before.every((each) => each.name !== alias));
  return free.length === 0 ? `x${before.length}` : making.choices.pick(free);
}

function named(name: string, fields: readonly Field[], rowType?: string): Item {
  return { name, fields, rowType, whole: true, bare: true, lockable: false };
}

function ofTable(making: Making, table: Table, alias: string, before: readonly Item[]): From {
  const { choices } = making;
  const name =
    table.visible && choices.chance(70) ? quoted(table.name) : `${quoted(table.schema)}.${quoted(table.name)}`;
  const only = table.kind === "r" && choices.chance(6) ? "ONLY " : "";
  const sample =
    ["r", "p", "m"].includes(table.kind) && choices.chance(4)
      ? ` TABLESAMPLE ${choices.pick(["bernoulli (100)", "system (100) REPEATABLE (1)"])}`
      : "";
  const rowType = table.visible ? table.name : `${table.schema}.${table.name}`;
  const lockable = table.kind === "r" || table.kind === "p";
  if (before.every((each) => each.name !== table.name) && !choices.chance(75))
    return { text: `${only}${name}${sample}`, items: [{ ...named(table.name, table.fields, rowType), lockable }] };
  const fields = renamed(making, table.fields, 8);
  return {
    text: `${only}${name} ${quoted(alias)}${columnList(fields, table.fields)}${sample}`,
    items: [{ ...named(alias, fields, rowType), lockable }],
  };
}

/** Other names for the first few columns, now and then. */
function renamed(making: Making, fields: readonly Field[], percent: number): readonly Field[] {
  const { choices } = making;
  if (!choices.chance(percent)) return fields;
  const count = choices.below(fields.length) + 1;
  const names = ["id", "email", "p", "q", "c", "a", "total", "z1", "z2", "z3"];
  const from = choices.below(3);
  return fields.map((field, at) =>
    at < count && at + from < names.length ? { ...field, name: names[at + from]! } : field,
  );
}

function columnList(fields: readonly Field[], before: readonly Field[]): string {
  let last = -1;
  fields.forEach((field, at) => {
    if (field.name !== before[at]?.name) last = at;
  });
  return last < 0
    ? ""
    : `(${fields
        .slice(0, last + 1)
        .map((field) => quoted(field.name))
        .join(", ")})`;
}

function ofCte(making: Making, cte: Named, alias: string): From {
  if (!making.choices.chance(60)) return { text: quoted(cte.name), items: [named(cte.name, cte.fields)] };
  const fields = renamed(making, cte.fields, 10);
  return {
    text: `${quoted(cte.name)} AS ${quoted(alias)}${columnList(fields, cte.fields)}`,
    items: [named(alias, fields)],
  };
}

function ofQuery(making: Making, scope: Scope, lateral: boolean, alias: string): From {
  const inner = query(making, plainly(scope), undefined);
  const fields = renamed(making, inner.fields, 15);
  return {
    text: `${lateral ? "LATERAL " : ""}(${inner.text}) AS ${quoted(alias)}${columnList(fields, inner.fields)}`,
    items: [named(alias, fields)],
  };
}

function ofFunction(making: Making, scope: Scope, alias: string): From {
  const { choices } = making;
  const ordinality = choices.chance(15);
  if (choices.chance(12)) {
    const two = [choices.pick(FUNCTIONS), choices.pick(FUNCTIONS)].filter(
      (each) => each.list === undefined && each.fields !== "",
    );
    const fields = two.flatMap((each) => fieldsOf(each.fields, bareName(each.call)));
    const calls = two.map((each) => written(making, each.call, scope));
    const list = calls.length === 0 ? "generate_series(1, 2)" : calls.join(", ");
    const all = two.length === 0 ? [{ name: "generate_series", type: "int" }] : fields;
    return {
      text: `ROWS FROM (${list})${ordinality ? " WITH ORDINALITY" : ""} AS ${quoted(alias)}`,
      items: [named(alias, ordinality ? [...all, { name: "ordinality", type: "bigint" }] : all)],
    };
  }
  const chosen = choices.pick(FUNCTIONS);
  let fields = fieldsOf(chosen.fields, alias);
  if (chosen.list !== undefined)
    return {
      text: `${written(making, chosen.call, scope)} AS ${quoted(alias)}${chosen.list}`,
      items: [named(alias, fields)],
    };
  if (ordinality) fields = [...fields, { name: "ordinality", type: "bigint" }];
  const aliased = renamed(making, fields, 20);
  return {
    text: `${choices.chance(20) ? "LATERAL " : ""}${written(making, chosen.call, scope)}${ordinality ? " WITH ORDINALITY" : ""} AS ${quoted(alias)}${columnList(aliased, fields)}`,
    items: [named(alias, aliased)],
  };
}

const bareName = (call: string): string => /^([a-z_0-9.]+)/.exec(call)![1]!.split(".").at(-1)!;

function fieldsOf(text: string, alone: string): Field[] {
  return text
    .split(" ")
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf(":");
      return { name: part.slice(0, at) || alone, type: part.slice(at + 1) };
    });
}

function ofValues(making: Making, scope: Scope, lateral: boolean, alias: string): From {
  const { choices } = making;
  const types = Array.from({ length: 1 + choices.below(3) }, () => choices.pick(["int", "text", "address", "text[]"]));
  const rows = Array.from(
    { length: 1 + choices.below(3) },
    () => `(${types.map((type) => expression(making, type, scope)).join(", ")})`,
  );
  const fields = types.map((type, at) => ({ name: `column${at + 1}`, type }));
  const given = choices.chance(50) ? fields.map((field, at) => ({ ...field, name: ["v", "id", "w"][at]! })) : fields;
  return {
    text: `${lateral ? "LATERAL " : ""}(VALUES ${rows.join(", ")}) AS ${quoted(alias)}${columnList(given, fields)}`,
    items: [named(alias, given)],
  };
}

function ofXml(making: Making, scope: Scope, alias: string): From {
  const fields = [
    { name: "xa", type: "int" },
    { name: "xb", type: "text" },
    { name: "xo", type: "int" },
  ];
  const text = written(
    making,
    "XMLTABLE('/r/x' PASSING {xml} COLUMNS xa int PATH '@a' DEFAULT {int}, xb text PATH 'b', xo FOR ORDINALITY)",
    scope,
  );
  return { text: `${text} AS ${quoted(alias)}`, items: [named(alias, fields)] };
}

function ofJson(making: Making, scope: Scope, alias: string): From {
  const fields = [
    { name: "ja", type: "int" },
    { name: "jb", type: "text" },
    { name: "jo", type: "int" },
    { name: "jc", type: "int" },
  ];
  const text = written(
    making,
    "JSON_TABLE({jsonb}, '$.b[*]' PASSING {int} AS y COLUMNS (ja int PATH '$.a' DEFAULT 1 ON EMPTY, jb text PATH '$.b', NESTED PATH '$.c[*]' COLUMNS (jc int PATH '$'), jo FOR ORDINALITY))",
    scope,
  );
  return { text: `${text} AS ${quoted(alias)}`, items: [named(alias, fields)] };
}

function joined(making: Making, parent: Scope, before: readonly Item[]): From {
  const { choices } = making;
  const left = choices.chance(15) && making.depth < 5 ? joined(making, parent, before) : item(making, parent, before);
  const kind = choices.pick(["JOIN", "LEFT JOIN", "CROSS JOIN", "FULL JOIN", "RIGHT JOIN", "INNER JOIN"]);
  // The other side of a right or full join cannot be lateral to this one.
  const right = item(making, parent, [...before, ...left.items], kind === "FULL JOIN" || kind === "RIGHT JOIN");
  const items = [...left.items, ...right.items];
  if (kind === "CROSS JOIN") return { text: `${left.text} CROSS JOIN ${right.text}`, items };
  const onLeft = unique(left.items);
  const onRight = unique(right.items);
  const common = [...onLeft]
    .filter(([name, type]) => onRight.get(name) === type && JOINABLE.has(type))
    .map(([name]) => name);
  if (common.length > 0 && choices.chance(50)) {
    const natural = choices.chance(25) && sameNames(left.items, right.items).every((name) => common.includes(name));
    const names = natural ? common : choices.chance(70) ? [choices.pick(common)] : common;
    const alias = !natural && choices.chance(20) ? "ju" : undefined;
    const merged = names.map((name) => ({ name, type: onLeft.get(name)! }));
    const rest = items.flatMap((each) => (each.bare ? each.fields.filter((field) => !names.includes(field.name)) : []));
    return {
      text: `${left.text} ${natural ? "NATURAL " : ""}${kind} ${right.text}${natural ? "" : ` USING (${names.map(quoted).join(", ")})`}${alias === undefined ? "" : ` AS ${alias}`}`,
      items: [
        ...items.map((each) => ({ ...each, bare: false })),
        { name: "", fields: [...merged, ...rest], rowType: undefined, whole: false, bare: true, lockable: false },
        ...(alias === undefined ? [] : [{ ...named(alias, merged), bare: false }]),
      ],
    };
  }
  const condition =
    kind === "FULL JOIN"
      ? equality(making, left.items, right.items)
      : expression(making, "bool", { items, outer: parent, ctes: parent.ctes });
  return { text: `${left.text} ${kind} ${right.text} ON ${condition}`, items };
}

const JOINABLE = new Set(["int", "text", "bigint", "numeric", "bool", "date"]);

/** The names that stand for one column. */
function unique(items: readonly Item[]): Map<string, string> {
  const found = new Map<string, string>();
  const twice = new Set<string>();
  for (const each of items) {
    if (!each.bare) continue;
    for (const field of each.fields) {
      if (found.has(field.name)) twice.add(field.name);
      found.set(field.name, field.type);
    }
  }
  for (const name of twice) found.delete(name);
  return found;
}

function sameNames(left: readonly Item[], right: readonly Item[]): string[] {
  const names = (items: readonly Item[]) =>
    items.flatMap((each) => (each.bare ? each.fields.map((field) => field.name) : []));
  const there = new Set(names(right));
  return names(left).filter((name) => there.has(name));
}

/** Full joins are only possible on conditions that can be merged or hashed. */
function equality(making: Making, left: readonly Item[], right: readonly Item[]): string {
  const { choices } = making;
  const of = (items: readonly Item[]) =>
    items.flatMap((each) =>
      each.name === ""
        ? []
        : each.fields
            .filter((field) => field.type === "int")
            .map((field) => `${quoted(each.name)}.${quoted(field.name)}`),
    );
  const [one, other] = [of(left), of(right)];
  return one.length === 0 || other.length === 0 ? "true" : `${choices.pick(one)} = ${choices.pick(other)}`;
}
