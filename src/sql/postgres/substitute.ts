// Rewrites statements so that they see masked columns: each reference to a relation becomes a sub-select whose columns are masked in SQL.
import type { ParseResult } from "libpg-query";
import { RegateError } from "../../errors.ts";
import { Generations } from "../../core/generations.ts";
import type { Analysis, NameScope } from "./analysis.ts";
import { type AnalyzeOptions, analyzeShape, judgeAll } from "./analyze.ts";
import type { Catalog } from "./catalog.ts";
import { isMasked, MaskedForms } from "./masked-forms.ts";
import type { Relation } from "./model.ts";
import { parse, parseToJson } from "./parser.ts";
import { sameTree } from "./same-tree.ts";
import { type Shape, shapeOfJson } from "./shape.ts";
import { runsEarlier } from "./substitute-earlier.ts";
import { Names } from "./substitute-names.ts";
import type { Edit } from "./substitute-text.ts";
import { Rewriting } from "./substitute-tree.ts";
import type { Masks } from "./substitute-forms.ts";
import { ownTagged } from "./substitute-views.ts";

/** A column, as facts name it, and the mask that takes its place, with the mask's parameters. */
export type Replacement = {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly mask: string;
  readonly [parameter: string]: unknown;
};

export type Substituted = {
  readonly text: string;
  /** Of the new text. A masked column is in its facts with the tag `masked` instead of its own tags. */
  readonly analysis: Analysis;
  /** For {@link analyze} of the text under a later catalog. */
  readonly masked: MaskedForms;
  /** Of the text as it came. */
  readonly edits: readonly Edit[];
  /** Lost its costs: an EXPLAIN, which would have told how wide the columns are. */
  readonly plainPlan: boolean;
};
/** Why it cannot be, in words for whoever sent the statement, and what helps where that is something of its own. */
export type Impossible = { readonly impossible: string; readonly hint?: string | undefined };

export type SubstituteOptions = Omit<AnalyzeOptions, "masked">;

type Rewritten = {
  readonly text: string;
  readonly shape: Shape;
  readonly masked: MaskedForms;
  readonly edits: readonly Edit[];
  readonly plainPlan: boolean;
  /** Names that the text had before, too, and that nothing stands for. */
  readonly unresolved: boolean;
};

/** Of one catalog: texts that were rewritten before. */
const LIMITS = { entries: 4_000, bytes: 32 << 20 };
const caches = new WeakMap<Catalog, Generations<Rewritten | Impossible>>();

/**
 * Replaces, in the statements of that number, every reference that reads the relation of a replacement by a sub-select of the same name whose
 * replaced columns are masked. What comes out is parsed again and must be what was meant, and is analysed again. A statement that still
 * uses a replaced column otherwise than as a bare output (it is its target, or read through something else) is impossible.
 * @throws RegateError as {@link analyze}, of the text as it came
 */
export function substitute(
  text: string,
  catalog: Catalog,
  scope: NameScope,
  replacements: ReadonlyMap<number, readonly Replacement[]>,
  options: SubstituteOptions = {},
): Substituted | Impossible {
  let cache = caches.get(catalog);
  if (cache === undefined) {
    cache = new Generations(LIMITS);
    caches.set(catalog, cache);
  }
  const key = JSON.stringify([text, options.uncertain === true, scope.user, scope.searchPath, [...replacements]]);
  const known = cache.get(key);
  if (known !== undefined)
    return "impossible" in known ? known : analysed(known, catalog, scope, replacements, options);
  const { rewritten, ofSession } = rewrite(text, catalog, scope, replacements, options);
  if (!ofSession)
    cache.set(
      key,
      rewritten,
      "impossible" in rewritten
        ? rewritten.impossible.length
        : 2 * (2 * rewritten.text.length + rewritten.shape.json.length),
    );
  return "impossible" in rewritten ? rewritten : analysed(rewritten, catalog, scope, replacements, options);
}

function rewrite(
  text: string,
  catalog: Catalog,
  scope: NameScope,
  replacements: ReadonlyMap<number, readonly Replacement[]>,
  options: SubstituteOptions,
): { rewritten: Rewritten | Impossible; ofSession: boolean } {
  const tree = parse(text, options);
  const names = new Names(catalog);
  const before = judgeAll(tree, catalog, scope, { uncertain: options.uncertain === true, reads: names });
  const done = (rewritten: Rewritten | Impossible) => ({ rewritten, ofSession: before.ofSession });
  const rewriting = new Rewriting(text, catalog, names, scope.searchPath);
  let plainPlan = false;
  for (const [number, list] of replacements) {
    const statement = tree.stmts?.[number]?.stmt;
    const plain = statement !== undefined && rewriting.plain(statement, tree.stmts?.[number]?.stmt_location ?? 0);
    if (plain) {
      plainPlan = true;
      if (list.every((each) => isOnlyShown(before.facts[number]!, each))) continue;
    }
    const masks = masksOf(list, catalog, scope);
    const impossible =
      statement === undefined
        ? `there is no statement ${number + 1}`
        : typeof masks === "string"
          ? masks
          : rewriting.statement(statement, masks);
    if (impossible !== undefined) return done({ impossible });
    const lost = losesTags(before.facts[number]!, rewriting.views, catalog);
    if (lost !== undefined) return done(lost);
    // What of it is not masked then, the next judgement tells.
    if (rewriting.edits === 0 && !plain && !runsEarlier(tree, number))
      return done(notReached(before.facts[number]!, list));
  }
  const result = rewriting.text();
  if (result === undefined) return done({ impossible: "its parts could not be found in the text" });
  try {
    const json = parseToJson(result, options);
    const shape = shapeOfJson(json, result);
    if (!sameStatements(JSON.parse(json) as ParseResult, tree))
      return done({ impossible: "the rewritten text would not mean the same" });
    const masked = new MaskedForms(rewriting.forms);
    return done({ text: result, shape, masked, edits: rewriting.changes, plainPlan, unresolved: before.unresolved });
  } catch (thrown) {
    if (!(thrown instanceof RegateError)) throw thrown;
    return done({ impossible: `the rewritten text would be refused (${thrown.code})` });
  }
}

/** A column that the statement uses is protected as one of the view, and would not be as what the definition makes it of. */
function losesTags({ columns }: Facts, views: Iterable<Relation>, catalog: Catalog): Impossible | undefined {
  for (const view of views)
    for (const { source } of ownTagged(view, catalog)) {
      const { schema, table, column } = source;
      if (!columns.some((each) => each.column === column && each.table === table && each.schema === schema)) continue;
      return {
        impossible: `column ${column} of ${view.qualified} is protected by itself, and not as a column of what that view is made of`,
        hint: `Leave ${column} out: ${view.qualified} is built on masked columns, so its definition takes its place.`,
      };
    }
  return undefined;
}

function sameStatements(made: ParseResult, meant: ParseResult): boolean {
  return sameTree(
    (made.stmts ?? []).map(({ stmt }) => stmt),
    (meant.stmts ?? []).map(({ stmt }) => stmt),
  );
}

/** Relations with what is masked of them; or what is wrong. */
function masksOf(
  list: readonly Replacement[],
  catalog: Catalog,
  scope: NameScope,
): ReadonlyMap<Relation, Masks> | string {
  const all = new Map<Relation, Map<string, Replacement>>();
  for (const { schema, table, column, statement: _, code: __, ...mask } of list) {
    const relation = catalog.resolveRelation(schema, table, scope.searchPath);
    if (relation === undefined) return `${schema}.${table} is not known any more`;
    const masks = all.get(relation) ?? new Map();
    all.set(relation, masks);
    const other = masks.get(column);
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(mask))
      return `two masks are asked for column ${column} of ${schema}.${table}`;
    masks.set(column, mask);
  }
  return all;
}

function analysed(
  { text, shape, masked, edits, plainPlan, unresolved }: Rewritten,
  catalog: Catalog,
  scope: NameScope,
  replacements: ReadonlyMap<number, readonly Replacement[]>,
  options: SubstituteOptions,
): Substituted | Impossible {
  const analysis = analyzeShape(shape, text, catalog, scope, { ...options, masked });
  // No rewriting is known to lose a name. If one did, the policy would be asked about less than the server runs.
  if (analysis.unresolved && !unresolved)
    return { impossible: "a name in it stands for something only while the table itself is read" };
  for (const [number, list] of replacements) {
    const impossible = stillUsed(analysis, number, list, catalog, scope.searchPath, plainPlan);
    if (impossible !== undefined) return impossible;
  }
  return { text, analysis, masked, edits, plainPlan };
}

type Facts = Analysis["statements"][number]["facts"];

/** A bare output is masked in the result, and what is only written to is not read. */
const HARMLESS: ReadonlySet<string> = new Set(["output", "write_target"]);

/** Does a policy name the column? */
function asksPolicy(relation: Relation | undefined, name: string): boolean {
  const attnum = relation?.column(name)?.attnum;
  return relation?.policies.some(({ columns }) => columns.includes(0) || columns.includes(attnum ?? 0)) ?? false;
}

function stillUsed(
  { statements }: Analysis,
  number: number,
  list: readonly Replacement[],
  catalog: Catalog,
  path: readonly string[],
  plainPlan: boolean,
): Impossible | undefined {
  const facts = statements[number]!.facts;
  const used = facts.columns.find(
    (column) =>
      !isMasked(column) &&
      column.uses.some((use) => !HARMLESS.has(use)) &&
      list.some(
        (each) => each.column === column.column && each.table === column.table && each.schema === column.schema,
      ),
  );
  if (used === undefined) return undefined;
  const { schema, table, column } = used;
  return asksPolicy(catalog.resolveRelation(schema, table, path), column)
    ? {
        impossible: `row-level security of ${schema}.${table} asks about column ${column}: which rows there are would tell its values`,
      }
    : whyUsed(facts, used, plainPlan);
}

const CHANGES = new Set(["insert", "update", "delete", "merge", "truncate", "copy"]);

/** What EXPLAIN tells with ANALYZE, COSTS, BUFFERS or MEMORY. */
export const PLAIN_PLAN =
  "EXPLAIN (COSTS off), without ANALYZE, BUFFERS and MEMORY, shows the plan without costs, which tell how wide the real values are.";

function whyUsed(facts: Facts, used: Pick<Replacement, "schema" | "table" | "column">, plainPlan = false): Impossible {
  const { schema, table, column } = used;
  const named = facts.relations.filter((relation) => relation.schema === schema && relation.name === table);
  const width = {
    impossible: `the plan would tell how wide column ${column} of ${schema}.${table} is`,
    hint: PLAIN_PLAN,
  };
  if (facts.verb === "explain" && isOnlyShown(facts, used)) return width;
  const through = named.find(({ via }) => via.length > 0);
  if (through !== undefined)
    return {
      impossible: `column ${column} of ${schema}.${table} is read through ${through.via.join(", ")}`,
      hint: `Leave ${column} out of what you ask of ${through.via.join(", ")}, whose own text stays as it is, or query ${schema}.${table} itself.`,
    };
  if (facts.verb === "insert" && named.some(({ access }) => access.includes("insert")))
    return {
      impossible: `the statement adds rows to ${schema}.${table}, and it, a trigger, a check or an index asks for column ${column} of the rows that are there: only what is read can be masked`,
    };
  if (named.some(({ access }) => access.some((each) => CHANGES.has(each))))
    return {
      impossible: `the statement changes ${schema}.${table} and uses its column ${column}: only what is read can be masked; choose its rows by other columns, such as the primary key`,
    };
  if (facts.verb === "explain" && !plainPlan) return width;
  return { impossible: `column ${column} of ${schema}.${table} is used where no sub-select can stand` };
}

function isOnlyShown(
  { columns }: Facts,
  { schema, table, column }: Pick<Replacement, "schema" | "table" | "column">,
): boolean {
  const used = columns.find((each) => each.column === column && each.table === table && each.schema === schema);
  return used?.uses.every((use) => HARMLESS.has(use)) ?? true;
}

function notReached(facts: Facts, list: readonly Replacement[]): Impossible {
  return whyUsed(facts, list[0] ?? { schema: "", table: "", column: "" });
}
