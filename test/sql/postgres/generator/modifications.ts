// Generates INSERT, UPDATE, DELETE and MERGE with RETURNING, over one table that has no triggers.
import { expression, type Making } from "./expressions.ts";
import { from } from "./from.ts";
import { query, targetList } from "./queries.ts";
import type { Item, Query, Scope } from "./scope.ts";
import { EMPTY } from "./scope.ts";
import type { Field } from "./world.ts";

const LEDGER: readonly Field[] = [
  { name: "id", type: "int" },
  { name: "kind", type: "text" },
  { name: "amount", type: "int" },
  { name: "memo", type: "text" },
  { name: "meta", type: "jsonb" },
  { name: "tags", type: "text[]" },
];

const item = (name: string, bare: boolean): Item => ({
  name,
  fields: LEDGER,
  rowType: "lab.ledger",
  whole: true,
  bare,
  lockable: false,
});

export function modification(making: Making, outer: Scope): Query {
  const { choices } = making;
  making.depth++;
  const base: Scope = { ...EMPTY, ctes: outer.ctes };
  try {
    switch (choices.below(making.world.version >= 17 ? 4 : 3)) {
      case 0:
        return insert(making, base);
      case 1:
        return update(making, base);
      case 2:
        return remove(making, base);
      default:
        return merge(making, base);
    }
  } finally {
    making.depth--;
  }
}

function returning(making: Making, items: readonly Item[], base: Scope, target: string): Query {
  const { choices, world } = making;
  let list = targetList(making, { ...base, items }, undefined, items);
  if (world.version >= 18 && choices.chance(30)) {
    const field = choices.pick(LEDGER);
    const [text, extra] = choices.pick([
      [`old.${field.name}, new.${field.name} AS nv`, [field, { ...field, name: "nv" }]],
      [`(old).${field.name} AS ov`, [{ ...field, name: "ov" }]],
      [`old.*`, LEDGER],
      [`new AS whole`, [{ name: "whole", type: "lab.ledger" }]],
    ] as [string, Field[]][]);
    list = { text: `${list.text}, ${text}`, fields: [...list.fields, ...extra] };
  }
  void target;
  return { text: `RETURNING ${list.text}`, fields: list.fields };
}

function insert(making: Making, base: Scope): Query {
  const { choices } = making;
  const columns = LEDGER.slice(0, 2 + choices.below(LEDGER.length - 1));
  const source = query(
    making,
    base,
    columns.map((field) => field.type),
  );
  let text = `INSERT INTO lab.ledger AS l (${columns.map((field) => field.name).join(", ")}) ${source.text}`;
  const scope: Scope = { ...base, items: [item("l", true)] };
  if (choices.chance(40)) {
    const both: Scope = { ...base, items: [item("l", false), item("excluded", false)] };
    text += choices.pick([
      " ON CONFLICT DO NOTHING",
      ` ON CONFLICT (id) DO UPDATE SET memo = ${expression(making, "text", both)}, amount = excluded.amount WHERE ${expression(making, "bool", both)}`,
    ]);
  }
  const shown = returning(making, scope.items, base, "l");
  return { text: `${text} ${shown.text}`, fields: shown.fields };
}

function update(making: Making, base: Scope): Query {
  const { choices } = making;
  const other = choices.chance(50) ? from(making, base) : undefined;
  const others = other?.items.filter((each) => each.name !== "l") ?? [];
  const items = [item("l", others.length === 0), ...others];
  const scope: Scope = { ...base, items };
  const field = choices.pick(LEDGER.slice(1));
  const set = choices.pick([
    `${field.name} = ${expression(making, field.type, scope)}`,
    `(memo, amount) = (${expression(making, "text", scope)}, ${expression(making, "int", scope)})`,
    `(memo, amount) = (${query(making, scope, ["text", "int"], { one: true }).text})`,
    `tags[1] = ${expression(making, "text", scope)}`,
  ]);
  let text = `UPDATE lab.ledger AS l SET ${set}`;
  if (other !== undefined) text += ` FROM ${other.text}`;
  if (choices.chance(60)) text += ` WHERE ${expression(making, "bool", scope)}`;
  const shown = returning(making, items, base, "l");
  return { text: `${text} ${shown.text}`, fields: shown.fields };
}

function remove(making: Making, base: Scope): Query {
  const { choices } = making;
  const other = choices.chance(40) ? from(making, base) : undefined;
  const items = [item("l", other === undefined), ...(other?.items ?? [])];
  const scope: Scope = { ...base, items };
  let text = `DELETE FROM lab.ledger AS l`;
  if (other !== undefined) text += ` USING ${other.text}`;
  if (choices.chance(60)) text += ` WHERE ${expression(making, "bool", scope)}`;
  const shown = returning(making, items, base, "l");
  return { text: `${text} ${shown.text}`, fields: shown.fields };
}

function merge(making: Making, base: Scope): Query {
  const { choices } = making;
  const source = query(making, base, ["int", "text"]);
  const from: Item = {
    name: "s",
    fields: [
      { name: "k", type: "int" },
      { name: "v", type: "text" },
    ],
    rowType: undefined,
    whole: true,
    bare: false,
    lockable: false,
  };
  const both: Scope = { ...base, items: [item("l", false), from] };
  const only: Scope = { ...base, items: [from] };
  let text = `MERGE INTO lab.ledger AS l USING (${source.text}) AS s(k, v) ON l.id = s.k`;
  if (choices.chance(70))
    text += ` WHEN MATCHED${choices.chance(40) ? ` AND ${expression(making, "bool", both)}` : ""} THEN ${choices.pick([`UPDATE SET memo = ${expression(making, "text", both)}`, "DELETE", "DO NOTHING"])}`;
  text += ` WHEN NOT MATCHED THEN ${choices.pick([`INSERT (id, memo) VALUES (s.k, ${expression(making, "text", only)})`, "DO NOTHING"])}`;
  const shown = returning(making, both.items, base, "l");
  const actions = choices.chance(30) ? ", merge_action()" : "";
  return { text: `${text} ${shown.text}${actions}`, fields: shown.fields };
}
