// Facts as a few lines for people to read, for the golden files.
import type { Output, Source, StatementFacts, Write } from "../../../src/core/facts.ts";
import type { Analysis, Effects, StatementAnalysis } from "../../../src/sql/postgres/analyze.ts";

export function render(analysis: Analysis): string {
  const lines = analysis.statements.flatMap((statement) => renderStatement(statement));
  if (analysis.unresolved) lines.push("  unresolved");
  return lines.join("\n");
}

function renderStatement({ facts, effects, ...rest }: StatementAnalysis): string[] {
  const words = [facts.verb, facts.class];
  if (!facts.scoped) words.push("unscoped");
  if (facts.limit !== null) words.push(`limit=${facts.limit}`);
  if (rest.returnsRows) words.push("rows");
  if (!rest.outputsKnown) words.push("outputs-unknown");
  if (rest.copy !== undefined) words.push(`copy-${rest.copy}`);
  if (rest.touchesTagged) words.push("tagged");
  const lines = [`  ${words.join(" ")}`];
  const add = (name: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push(`    ${name}: ${items.join("  ")}`);
  };
  add("relations", facts.relations.map(relation));
  add("columns", facts.columns.map(column));
  add("outputs", facts.outputs.map(output));
  add(
    "writes",
    facts.writes.map(
      (write) =>
        `${written(write)} <- ${write.opaque ? "?" : ""}${write.sources.length === 0 ? "-" : write.sources.map(name).join(",")}`,
    ),
  );
  add(
    "functions",
    facts.functions.map(
      (use) => `${use.schema}.${use.name}${use.opaque ? "!" : ""}${use.kind === "builtin" ? "" : `:${use.kind}`}`,
    ),
  );
  add(
    "settings",
    facts.settings.map((setting) => `${setting.name}=${setting.value ?? "null"}${setting.local ? " local" : ""}`),
  );
  add(
    "locks",
    facts.locks.map((lock) => `${lock.level} ${lock.schema === "" ? "" : `${lock.schema}.`}${lock.name} ${lock.mode}`),
  );
  add("external", facts.external);
  add("effects", effectsOf(effects));
  return lines;
}

const name = ({ schema, table, column: of }: Pick<Source, "schema" | "table" | "column">): string =>
  `${schema === "public" ? "" : `${schema}.`}${table}.${of}`;
/** What is no column is named by what it is. */
const written = (write: Write): string =>
  write.target === "column"
    ? name(write)
    : `${write.target}(${[write.schema, write.table, write.column].filter((part) => part !== "").join(".")})`;
const tags = (list: readonly string[]): string => (list.length === 0 ? "" : `{${list.join(",")}}`);

function relation(each: StatementFacts["relations"][number]): string {
  const via = each.via.length === 0 ? "" : ` via ${each.via.join(" > ")}`;
  return `${each.schema}.${each.name}:${each.kind}[${each.access.join(",")}]${tags(each.tags)}${via}`;
}

function column(each: StatementFacts["columns"][number]): string {
  const operators = each.operators.length === 0 ? "" : `(${each.operators.join(" ")})`;
  return `${name(each)}[${each.uses.join(",")}]${operators}${tags(each.tags)}`;
}

function output(each: Output): string {
  const total = each.total ? "" : " partial";
  return `"${each.name}" ${each.type === "" ? "?" : each.type} ${each.derivation}${total}(${each.sources.map((source) => `${name(source)}${tags(source.tags)}`).join(",")})`;
}

function effectsOf(effects: Effects): string[] {
  const words: string[] = [];
  for (const flag of ["settings", "catalog", "temp", "discards"] as const) if (effects[flag] === true) words.push(flag);
  if (effects.transaction !== undefined) words.push(effects.transaction);
  if (effects.prepares !== undefined) words.push(`prepares=${effects.prepares.name}`);
  if (effects.deallocates !== undefined) words.push(`deallocates=${effects.deallocates}`);
  if (effects.declares !== undefined) words.push(`declares=${effects.declares.name}`);
  if (effects.closesCursor !== undefined) words.push(`closes=${effects.closesCursor}`);
  return words;
}

/** `public.t.c <- public.s.d, ?`: a question mark where it cannot be told. */
export function flows(writes: readonly Write[]): string[] {
  return writes.map(({ target, schema, table, column, sources, opaque }) => {
    const name = [schema, table, column].filter((part) => part !== "").join(".");
    const from = sources.map((source) => `${source.table}.${source.column}`).sort();
    return `${target === "column" ? "" : `${target} `}${name} <- ${[...from, ...(opaque ? ["?"] : [])].join(", ")}`;
  });
}
