// Makes the sub-select that takes the place of a relation: all of its columns in order, those that are to be masked masked in SQL.
import { hash } from "node:crypto";
import type { Catalog } from "./catalog.ts";
import { type MaskParameters, type MaskedType, maskSql, SQL_MASKS, typeSql } from "./mask-sql.ts";
import { cast, name } from "./mask-sql-build.ts";
import { columnsOf, type Form, INNER, shownType } from "./masked-forms.ts";
import type { Column, Relation } from "./model.ts";
import { parse } from "./parser.ts";

/** What of a relation's columns is masked, by their names. */
export type Masks = ReadonlyMap<string, MaskParameters>;

/** Made before, by relation and masks. */
const known = new WeakMap<Relation, Map<string, Form | { readonly impossible: string }>>();
const MOST_KNOWN = 64;

/** The form of a relation, with these of its system columns; or why there is none. */
export function formOf(
  catalog: Catalog,
  relation: Relation,
  masks: Masks,
  system: readonly string[] = [],
): Form | { readonly impossible: string } {
  const forms = known.get(relation) ?? new Map<string, Form | { readonly impossible: string }>();
  known.set(relation, forms);
  const key = JSON.stringify([system, ...masks]);
  let form = forms.get(key);
  if (form === undefined) {
    form = make(catalog, relation, masks, system);
    if (forms.size >= MOST_KNOWN) forms.clear();
    forms.set(key, form);
  }
  return form;
}

function make(
  catalog: Catalog,
  relation: Relation,
  masks: Masks,
  system: readonly string[],
): Form | { readonly impossible: string } {
  const items: string[] = [];
  for (const column of relation.columns) {
    const value = `${name(INNER)}.${name(column.name)}`;
    const mask = masks.get(column.name);
    if (mask === undefined) {
      items.push(value);
      continue;
    }
    const where = `column ${column.name} of ${relation.qualified}`;
    const type = typeOf(catalog, column);
    if (type === undefined) return { impossible: `the type of ${where} has no name here` };
    const base = column.type === type.oid || type.pseudo ? value : cast(value, type.sql);
    // What is computed when it is read, and can fail, would tell by that, whatever the mask makes of it.
    const masked = maskSql(type.pseudo || !column.value.total ? { mask: "null" } : mask, type, base);
    if (masked === undefined)
      return {
        impossible: SQL_MASKS.has(mask.mask)
          ? `the mask ${mask.mask} of ${where} has a parameter that it does not take`
          : `the mask ${mask.mask} of ${where} cannot be computed in SQL (${[...SQL_MASKS].join(", ")} can)`,
      };
    items.push(`${masked} AS ${name(column.name)}`);
  }
  const missing = [...masks.keys()].find((each) => (relation.column(each)?.attnum ?? 0) <= 0);
  if (missing !== undefined) return { impossible: `${relation.qualified} has no column ${missing}` };
  const list = [...items, ...system.map((each) => `${name(INNER)}.${name(each)}`)].join(", ");
  const select = parse(`SELECT ${list} FROM ${qualified(relation)} AS ${name(INNER)}`).stmts?.[0]?.stmt;
  if (select === undefined || !("SelectStmt" in select)) return { impossible: `${relation.qualified} cannot be read` };
  const columns = columnsOf(relation, catalog);
  const key = hash("sha256", JSON.stringify([relation.oid, columns, [...masks.keys()], list]), "base64url");
  return { oid: relation.oid, columns, system, masked: new Set(masks.keys()), list, select: select.SelectStmt, key };
}

/** By its full name, which no common table expression and no search_path changes. */
export function qualified(relation: Relation): string {
  return `${name(relation.factSchema)}.${name(relation.name)}`;
}

function typeOf(catalog: Catalog, column: Column): (MaskedType & { readonly pseudo: boolean }) | undefined {
  const oid = shownType(catalog, column.type);
  const pseudo = oid !== catalog.baseType(column.type);
  const modifier = oid === column.type ? column.modifier : -1;
  const type = catalog.type(oid);
  const row = type === undefined ? catalog.relationByRowType(oid) : undefined;
  const [schema, named] = type === undefined ? [row?.schema, row?.name] : [type.schema, type.name];
  if (schema === undefined || named === undefined) return undefined;
  return { oid, modifier, sql: typeSql(schema, named, oid, modifier), pseudo };
}
