// The columns of a relation with their tags: what the classification says of them, and what flows to them from what they are computed of.
import type { FunctionUse } from "../../core/facts.ts";
import { runUse } from "./bodies.ts";
import type { Catalog } from "./catalog.ts";
import type { ColumnRow, Relation } from "./model.ts";
import { Column, COMPUTED_TAG, mergeTags, NO_TAGS } from "./model.ts";
import { Recorder } from "./recorder.ts";
import type { Declared } from "./tags.ts";
import { CONSTANT, isUnchanged, type Value } from "./value.ts";
import { columnsOfView } from "./views.ts";
import { virtualValue } from "./virtual-columns.ts";

const COMPUTED: readonly string[] = Object.freeze([COMPUTED_TAG]);

/** What a generated column is computed from: columns of its row, and what users' functions read beside. */
type Generated = { readonly bases: readonly string[]; readonly uses: readonly FunctionUse[] };

export function taggedColumns(relation: Relation, declared: Declared, catalog: Catalog): readonly Column[] {
  const family = familyOf(relation);
  const tagged = family.filter((member) => declared.has(member.schema, member.name));
  const generated = family.filter((member) => member.generated.size > 0).map(generatedOf);
  const behind = relation.definition === undefined ? undefined : columnsOfView(relation, catalog);
  const said = (name: string, of: "of" | "named" = "of"): readonly string[] => {
    let tags = NO_TAGS;
    for (const member of tagged) tags = mergeTags(tags, declared[of](member.schema, member.name, name));
    return tags;
  };
  /** A mask was chosen for what a tag was given to, not for what is computed of it, unless the classification gives the tag to that, too. */
  const withInherited = (name: string, inherited: readonly string[]): readonly string[] => {
    const own = said(name, "named");
    const all = mergeTags(said(name), inherited);
    return inherited.every((tag) => tag !== COMPUTED_TAG && own.includes(tag)) ? all : mergeTags(all, COMPUTED);
  };
  const isVirtual = ({ name }: { readonly name: string }): boolean =>
    family.some((member) => member.rows().some((row) => row.name === name && member.virtual.has(row.attnum)));
  const column = (row: ColumnRow, at: number, computed?: Value): Column => {
    const value = behind?.[at];
    if (value !== undefined) {
      let tags = NO_TAGS;
      for (const source of value.sources) tags = mergeTags(tags, source.source.tags);
      const all = isUnchanged(value) ? mergeTags(said(row.name), tags) : withInherited(row.name, tags);
      return new Column(relation, row, all, value);
    }
    const from = generated.flatMap((columns) => columns.get(row.name) ?? []);
    if (from.length === 0 && computed === undefined)
      return new Column(relation, row, mergeTags(said(row.name), relation.owner?.tags ?? NO_TAGS));
    let inherited = NO_TAGS;
    // A generated column is never computed from another generated one.
    for (const { bases } of from) for (const base of bases) inherited = mergeTags(inherited, said(base));
    const uses = from.flatMap((one) => one.uses);
    if (uses.length === 0) return new Column(relation, row, withInherited(row.name, inherited), computed);
    return new Column(
      relation,
      row,
      readByCode(uses, catalog, declared, said(row.name, "named").length > 0, (read) =>
        withInherited(row.name, mergeTags(inherited, read)),
      ),
      computed,
    );
  };
  if (family.every((member) => member.virtual.size === 0)) return relation.rows().map((row, at) => column(row, at));
  const columns = relation.rows().map((row, at) => (isVirtual(row) ? row : column(row, at)));
  const stored = columns.filter((each) => each instanceof Column);
  return columns.map((each, at) =>
    each instanceof Column ? each : column(each, at, virtualValue(relation, each.name, stored, family, catalog)),
  );
}

function generatedOf(relation: Relation): ReadonlyMap<string, Generated> {
  const names = new Map(relation.rows().map(({ attnum, name }) => [attnum, name]));
  const found = new Map<string, Generated>();
  for (const [attnum, bases] of relation.generated) {
    const attached = relation.attached.filter(({ kind, column }) => kind === "expression" && column === attnum);
    found.set(names.get(attnum) ?? "", {
      bases: bases.map((base) => names.get(base) ?? ""),
      uses: attached.flatMap(({ use, uses }) => uses ?? [use]),
    });
  }
  return found;
}

/**
 * The tags of what functions read, once they are asked for: their bodies may name the very relation, whose column counts as anything then. What
 * is not seen through may read all that has tags, unless the column has tags of its own (`named`).
 */
function readByCode(
  uses: readonly FunctionUse[],
  catalog: Catalog,
  declared: Declared,
  named: boolean,
  complete: (read: readonly string[]) => readonly string[],
): () => readonly string[] {
  let state: "unread" | "reading" | "recurring" = "unread";
  return () => {
    if (state !== "unread") {
      state = "recurring";
      return complete(declared.all);
    }
    state = "reading";
    const { tags, opaque } = tagsRead(uses, catalog);
    const anything = opaque || (state as string) === "recurring";
    state = "unread";
    return complete(anything && !named ? mergeTags(tags, declared.all) : tags);
  };
}

function tagsRead(uses: readonly FunctionUse[], catalog: Catalog): { tags: readonly string[]; opaque: boolean } {
  // Whoever wrote the row had a path of which only this is known: a name of the server's stands for the server's, any other for one that is there.
  const schemas = catalog.schemas.filter((schema) => schema !== "pg_catalog" && !schema.startsWith("pg_temp_"));
  let tags = NO_TAGS;
  let opaque = false;
  for (const path of [
    ["pg_catalog", ...schemas],
    ["pg_catalog", ...schemas.toReversed()],
  ]) {
    const recorder = new Recorder(catalog, path);
    try {
      for (const use of uses) runUse(recorder, use, CONSTANT);
    } catch {
      // Too deep, or too much of it.
      opaque = true;
    }
    for (const { source } of recorder.uses.keys()) tags = mergeTags(tags, source.tags);
    if (recorder.opaque || recorder.unresolved) opaque = true;
  }
  return { tags, opaque };
}

/**
 * The relations whose tags show in this one: itself, what it inherits from, and, because their rows are read through it, what inherits
 * from it (with their other parents).
 */
function familyOf(relation: Relation): readonly Relation[] {
  const family = new Set<Relation>();
  const upwards = (member: Relation): void => {
    if (family.has(member)) return;
    family.add(member);
    for (const parent of member.parents) upwards(parent);
  };
  const seen = new Set<Relation>();
  const downwards = (member: Relation): void => {
    if (seen.has(member)) return;
    seen.add(member);
    upwards(member);
    for (const child of member.children) downwards(child);
  };
  downwards(relation);
  return [...family];
}
