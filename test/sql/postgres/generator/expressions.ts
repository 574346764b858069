// Generates expressions of a wanted type over what is in scope.
import type { Choices } from "./choices.ts";
import { query } from "./queries.ts";
import type { Item, Scope } from "./scope.ts";
import { plainly, ungrouped } from "./scope.ts";
import { AGGREGATES, ANY, CONVERSIONS, LITERALS, SCALARS, SETS, WINDOWS } from "./templates.ts";
import type { World } from "./world.ts";
import { quoted } from "./world.ts";

export type Making = { readonly choices: Choices; readonly world: World; depth: number };

/** Deeper than this only columns and literals. */
const DEPTH = 4;

export function expression(making: Making, type: string, scope: Scope): string {
  const { choices } = making;
  if (making.depth >= DEPTH) return leaf(making, type, scope);
  making.depth++;
  try {
    const kind = choices.below(100);
    if (scope.sets === true && kind >= 92) return fill(making, SETS[type], type, { ...scope, sets: false });
    if (scope.windows !== undefined && kind >= 84) return fill(making, WINDOWS[type], type, scope);
    if (scope.aggregates === true && kind >= 50) return fill(making, AGGREGATES[type], type, scope);
    if (kind >= 45) return fill(making, SCALARS[type], type, kind >= 80 ? scope : plainly(scope));
    return leaf(making, type, scope);
  } finally {
    making.depth--;
  }
}

function fill(making: Making, templates: readonly string[] | undefined, type: string, scope: Scope): string {
  const { choices, world } = making;
  const possible = (templates ?? []).filter((template) => Number(/^(\d\d):/.exec(template)?.[1] ?? 0) <= world.version);
  if (possible.length === 0) return leaf(making, type, scope);
  const template = choices.pick(possible).replace(/^\d\d:/, "");
  const isAggregate = templates === AGGREGATES[type];
  const inner = isAggregate ? ungrouped(scope) : templates === WINDOWS[type] ? withoutWindows(scope) : scope;
  return written(making, template, inner, scope);
}

function withoutWindows(scope: Scope): Scope {
  const { windows: _, sets: __, ...rest } = scope;
  return rest;
}

/** A template with its words replaced. */
export function written(making: Making, template: string, scope: Scope, whole: Scope = scope): string {
  const { choices } = making;
  return template.replace(/\{([^{}']+)\}/g, (text, word: string) => {
    switch (word) {
      case "any":
        return expression(making, choices.pick(ANY), scope);
      case "row":
        return wholeRow(making, scope);
      case "exists":
        return query(making, plainly(scope), undefined).text;
      case "window":
        return window(making, whole);
      case "filter":
        return choices.chance(40) ? `FILTER (WHERE ${expression(making, "bool", scope)})` : "";
      case "key":
        return whole.keys?.[0]?.text ?? "1";
      default:
    }
    const [kind, types] = word.split(":") as [string, string?];
    if (kind === "query") return scalar(making, scope, types!);
    if (kind === "rows") return query(making, plainly(scope), types!.split(",")).text;
    if (kind === "rows1") return `${query(making, plainly(scope), types!.split(","), { one: true }).text}`;
    return word in SCALARS || word in LITERALS || making.world.rows.has(word) || word === "handle"
      ? expression(making, word, scope)
      : text;
  });
}

function scalar(making: Making, scope: Scope, type: string): string {
  return query(making, plainly(scope), [type], { one: true }).text;
}

function window(making: Making, scope: Scope): string {
  const { choices } = making;
  const names = scope.windows ?? [];
  if (names.length > 0 && choices.chance(40)) return choices.pick(names);
  const { windows: _, sets: __, ...inner } = scope;
  return windowDefinition(making, inner, names.length > 0 && choices.chance(20) ? choices.pick(names) : undefined);
}

export function windowDefinition(making: Making, scope: Scope, base: string | undefined): string {
  const { choices } = making;
  const parts: string[] = base === undefined ? [] : [base];
  if (base === undefined && choices.chance(50))
    parts.push(`PARTITION BY ${expression(making, choices.pick(["text", "int"]), scope)}`);
  const ordered = base === undefined && choices.chance(60);
  if (ordered) parts.push(`ORDER BY ${expression(making, "int", scope)}${choices.pick(["", " DESC", " NULLS FIRST"])}`);
  if (ordered)
    parts.push(
      choices.pick([
        "",
        "",
        "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
        "RANGE UNBOUNDED PRECEDING",
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW",
        "GROUPS CURRENT ROW",
        "RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING",
      ]),
    );
  return `(${parts.join(" ")})`;
}

/** Whole rows of what is in FROM, in all of their notations. */
function wholeRow(making: Making, scope: Scope): string {
  const { choices } = making;
  const items = itemsOf(scope, choices.chance(15)).filter((item) => item.whole);
  if (scope.keys !== undefined || items.length === 0) return `ROW(${expression(making, "text", scope)}, 1)`;
  const item = choices.pick(items);
  const name = quoted(item.name);
  return choices.pick([name, name, `${name}.*`, `(${name})`, `ROW(${name}.*)`, `ROW(${name}, 1)`]);
}

function itemsOf(scope: Scope, outer: boolean): readonly Item[] {
  if (outer && scope.outer !== undefined) return itemsOf(scope.outer, false);
  return scope.items.length === 0 && scope.outer !== undefined ? itemsOf(scope.outer, false) : scope.items;
}

/** A column, a group's key or a literal. */
function leaf(making: Making, type: string, scope: Scope): string {
  const { choices } = making;
  const outer = choices.chance(15);
  if (scope.keys !== undefined && !outer) {
    const keys = scope.keys.filter((key) => key.type === type);
    return keys.length > 0 ? choices.pick(keys).text : literal(making, type);
  }
  const from =
    scope.keys === undefined ? itemsOf(scope, outer) : scope.outer === undefined ? [] : itemsOf(scope.outer, false);
  if (scope.outer?.keys !== undefined && outer) return literal(making, type);
  const found: string[] = [];
  for (const item of from) {
    for (const field of item.fields)
      if (field.type === type && isOnce(item, field.name)) found.push(column(making, item, field.name, from));
    if (item.rowType === type && item.whole) found.push(quoted(item.name));
  }
  if (choices.chance(6)) return literal(making, type);
  if (found.length > 0) return choices.pick(found);
  const conversion = CONVERSIONS[type];
  const item = from.length === 0 || conversion === undefined || choices.chance(20) ? undefined : choices.pick(from);
  const fields = item?.fields.filter((field) => isOnce(item, field.name)) ?? [];
  if (item === undefined || fields.length === 0) return literal(making, type);
  return conversion!.replace("$", () => column(making, item, choices.pick(fields).name, from));
}

const isOnce = (item: Item, name: string): boolean => item.fields.filter((each) => each.name === name).length === 1;

function column(making: Making, item: Item, name: string, items: readonly Item[]): string {
  const { choices } = making;
  const field = quoted(name);
  const alone = items.every(
    (other) => other === item || !other.bare || other.fields.every((each) => each.name !== name),
  );
  if (item.bare && alone && choices.chance(45)) return field;
  if (item.name === "") return field;
  const alias = quoted(item.name);
  if (item.whole && choices.chance(10))
    return choices.pick([
      `(${alias}).${field}`,
      `(${alias}.*).${field}`,
      `${field}(${alias})`,
      `(CASE WHEN true THEN ${alias} END).${field}`,
    ]);
  return `${alias}.${field}`;
}

function literal(making: Making, type: string): string {
  const { choices } = making;
  const literals = LITERALS[type];
  if (literals === undefined) return `NULL::${type}`;
  return choices.chance(10) ? `NULL::${type}` : choices.pick(literals);
}
