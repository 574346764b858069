// What a try found, for people: each statement's facts in aligned lines, then the decision.
import type { Decision, MaskSpec, Substitution } from "../core/decision.ts";
import type { Output, Source, StatementFacts } from "../core/facts.ts";
import type { RegateError } from "../errors.ts";
import type { Trial } from "./policy-try.ts";
import { oneLine, styled, visible } from "./text.ts";

const textWidth = 100;
const indent = "   ";
const labelWidth = 9;

export function describeTrial(trial: Trial): string {
  const { input, texts, decision, error } = trial;
  const lines: string[] = [];
  const { text, statements } = input.command;
  if (error !== undefined) lines.push(...failure(text, error), "");
  for (const [at, statement] of statements.entries())
    lines.push(...describeStatement(statement, at, texts[at] ?? text), "");
  if (statements.length === 0 && error === undefined) lines.push("no statements", "");
  if (decision !== undefined) lines.push(...describeDecision(decision, trial));
  else lines.pop();
  return `${lines.join("\n")}\n`;
}

/** As psql shows it: the line, and a caret below the place. */
function failure(text: string, { message, code, position, hint }: RegateError): string[] {
  const lines = [`${styled("red", "error")}  ${visible(message)} (${code})`];
  if (position !== undefined) {
    const characters = [...text].slice(0, position - 1);
    const before = characters.lastIndexOf("\n") + 1;
    const number = characters.filter((one) => one === "\n").length + 1;
    const column = position - 1 - before;
    const line = [...(text.split("\n")[number - 1] ?? "")];
    // A long line is cut around the place.
    const from = line.length > textWidth ? Math.max(0, column - textWidth / 2) : 0;
    const label = `LINE ${number}: ${from > 0 ? "…" : ""}`;
    const shown = (part: readonly string[]): string => visible(part.join("")).replaceAll("\t", " ");
    lines.push(`${indent}${label}${shown(line.slice(from, from + textWidth))}`);
    lines.push(
      `${indent}${" ".repeat(label.length + [...shown(line.slice(from, column))].length)}${styled("red", "^")}`,
    );
  }
  if (hint !== undefined) lines.push(`${indent}hint: ${visible(hint)}`);
  return lines;
}

function describeStatement(facts: StatementFacts, at: number, text: string): string[] {
  const words = [facts.verb, facts.class];
  if (!facts.scoped) words.push("rows not fixed");
  if (facts.limit !== null) words.push(`limit ${facts.limit}`);
  if (facts.estimate !== null) words.push(`estimated ${facts.estimate.rows} rows, cost ${facts.estimate.cost}`);
  return [
    `${styled("bold", `${at + 1}`)}  ${styled("bold", oneLine(text, textWidth))}`,
    `${indent}${words.join(" · ")}`,
    ...rows("relations", facts.relations.map(relationRow)),
    ...rows("columns", facts.columns.map(columnRow)),
    ...rows("outputs", facts.outputs.map(outputRow)),
    ...rows("writes", facts.writes.map(writeRow)),
    ...rows("functions", facts.functions.map(functionRow)),
    ...rows(
      "locks",
      facts.locks.map(({ level, schema, name, mode }) => [qualified(schema, name), level, mode]),
    ),
    ...rows(
      "settings",
      facts.settings.map(({ name, value, local, own }) => [
        name,
        `= ${value ?? "(computed or default)"}`,
        [local ? "local" : "", own ? "own" : ""].filter((word) => word !== "").join(", "),
      ]),
    ),
    ...rows(
      "external",
      facts.external.map((what) => [what]),
    ),
  ];
}

function relationRow({ schema, name, kind, access, via, tags }: StatementFacts["relations"][number]): Cell[] {
  return [qualified(schema, name), kind.replaceAll("_", " "), access.join(", "), tagList(tags), path(via)];
}

function columnRow({ uses, operators, tags, ...column }: StatementFacts["columns"][number]): Cell[] {
  return [nameOf(column), uses.join(", "), tagList(tags), operators.length === 0 ? "" : `by ${operators.join(" ")}`];
}

function outputRow({ name, type, derivation, total, sources }: Output, at: number): string[] {
  const from = sources.length === 0 ? (derivation === "opaque" ? "from what cannot be told" : "from no column") : "";
  return [`${at + 1}`, name, type || "?", total ? derivation : `${derivation}, may fail`, from || arrow(sources)];
}

function writeRow({ target, schema, table, column, sources, opaque }: StatementFacts["writes"][number]): string[] {
  const place = target === "column" ? nameOf({ schema, table, column }) : column || table || "(computed)";
  const rest = opaque ? " and what cannot be told" : "";
  return [
    place,
    target.replaceAll("_", " "),
    sources.length === 0 && !opaque ? "← no column" : `${arrow(sources)}${rest}`,
  ];
}

function functionRow(use: StatementFacts["functions"][number]): Cell[] {
  const { schema, name, kind, effect, opaque, volatility, reads } = use;
  const said: Cell = { text: opaque ? "opaque" : "", style: "yellow" };
  return [
    qualified(schema, name),
    kind,
    effect,
    volatility,
    said,
    reads.length === 0 ? "" : `reads ${reads.join(", ")}`,
  ];
}

function describeDecision(decision: Decision, { input, policy }: Trial): string[] {
  const color = { allow: "green", mask: "cyan", block: "red", require_approval: "yellow" } as const;
  const mode = policy.mode === "observe" ? "; mode observe: recorded, not enforced" : "";
  const lines = [
    `${styled("bold", "decision")}  ${styled(color[decision.action], decision.action)}  for ${oneLine(input.identity.subject)} on ${oneLine(input.resource.name)} (policy ${oneLine(policy.revision, 24)}${mode})`,
  ];
  for (const { code, message, hint, statement, column } of decision.reasons) {
    const where = [statement == null ? "" : `statement ${statement + 1}`, column ?? ""].filter((word) => word !== "");
    lines.push(
      `${indent}${oneLine(code)}  ${oneLine(message)}${where.length === 0 ? "" : ` (${oneLine(where.join(", "))})`}`,
    );
    if (hint !== undefined) lines.push(`${indent}  hint: ${oneLine(hint)}`);
  }
  lines.push(
    ...rows(
      "masks",
      decision.masks.map((mask) => maskRow(mask, input.command.statements)),
    ),
  );
  const { approval, limits, detect, substitutions = [] } = decision;
  lines.push(...rows("substitutions", substitutions.map(substitutionRow)));
  const { sent } = input.command;
  if (sent !== undefined) lines.push(`${indent}${"sent".padEnd(labelWidth)}  ${oneLine(sent)}`);
  if (detect !== undefined) {
    const how = Object.entries(detect).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
    lines.push(`${indent}${"detect".padEnd(labelWidth)}  ${oneLine(["every other text", ...how].join(", "))}`);
  }
  if (approval != null) {
    const { approvers, count, ttl } = approval;
    lines.push(
      `${indent}${"approval".padEnd(labelWidth)}  ${count} of ${oneLine(approvers.join(", "))}${ttl === undefined ? "" : `, within ${oneLine(ttl)}`}`,
    );
  }
  if (limits !== undefined)
    lines.push(
      `${indent}limits  ${Object.entries(limits)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")}`,
    );
  return lines;
}

/** A mask by the name of its column: what the client will see under which heading. */
function maskRow({ statement, output, mask, code, ...parameters }: MaskSpec, all: readonly StatementFacts[]): string[] {
  const name = all[statement]?.outputs[output]?.name;
  const how = Object.entries(parameters).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [
    all.length === 1 ? "" : `statement ${statement + 1}`,
    name === undefined ? `output ${output + 1}` : name,
    [mask, ...how].join(", "),
    `(${code})`,
  ];
}

/** A column that is replaced by its masked values wherever the statement uses it. */
function substitutionRow({ statement, schema, table, column, mask, code, ...parameters }: Substitution): string[] {
  const how = Object.entries(parameters).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [`statement ${statement + 1}`, `${schema}.${table}.${column}`, [mask, ...how].join(", "), `(${code})`];
}

type Style = Parameters<typeof styled>[0];
/** A text of somebody else's, and how it is shown. */
type Cell = string | { readonly text: string; readonly style: Style };

/** Lines with their cells below one another; the first one is named. */
function rows(label: string, cells: readonly (readonly Cell[])[]): string[] {
  const flat = cells.map((row) =>
    row.map((cell) => (typeof cell === "string" ? { text: oneLine(cell) } : { ...cell, text: oneLine(cell.text) })),
  );
  const length = (text: string): number => [...text].length;
  const widths: number[] = [];
  for (const row of flat)
    for (const [column, { text }] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, length(text));
  return flat.map((row, at) => {
    const shown = row.map((cell, column) => {
      const gap = widths[column] === 0 ? "" : `${" ".repeat(widths[column]! - length(cell.text))}  `;
      return `${"style" in cell && cell.text !== "" ? styled(cell.style, cell.text) : cell.text}${gap}`;
    });
    const head = at === 0 ? styled("dim", label.padEnd(labelWidth)) : " ".repeat(labelWidth);
    return `${indent}${head}  ${shown.join("")}`.trimEnd();
  });
}

const tagList = (tags: readonly string[]): Cell => ({
  text: tags.length === 0 ? "" : `[${tags.join(", ")}]`,
  style: "magenta",
});

const path = (via: readonly string[]): string => (via.length === 0 ? "" : `via ${via.join(" > ")}`);

const qualified = (schema: string, name: string): string => (schema === "" ? name : `${schema}.${name}`);

const nameOf = ({ schema, table, column }: Pick<Source, "schema" | "table" | "column">): string =>
  `${qualified(schema, table)}.${column}`;

function arrow(sources: readonly Source[]): string {
  const named = sources.map(
    (source) => `${nameOf(source)}${source.tags.length === 0 ? "" : ` [${source.tags.join(", ")}]`}`,
  );
  return sources.length === 0 ? "← no column" : `← ${named.join(", ")}`;
}
