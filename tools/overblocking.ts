// What of ordinary SQL passes the starter policy for a user without any right, and what is refused, and why: writes docs/overblocking.md.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Outcome, startCorpora } from "./corpora.ts";
import { ROOT } from "./run.ts";

const SUITES: readonly (readonly [corpus: string, what: string])[] = [
  ["tpch", "TPC-H: the 22 queries (customer name, address, phone and balance tagged), and the refresh functions"],
  ["django", "Django 5"],
  ["rails", "Rails 7 and 8"],
  ["prisma", "Prisma"],
  ["sqlalchemy", "SQLAlchemy 2, alembic"],
  ["metabase", "Metabase"],
  ["ordinary", "Ordinary work over a shop: analytics, application writes, queues, sessions, temporary tables"],
  ["psql", "psql: what its backslash commands send"],
  ["pgbench", "pgbench"],
];
/** Refusals of what is for others than a plain user, whatever is in the tables: who migrates runs these past the gate, so that the tables are there. */
const OF_WHO_MIGRATES = new Set(["ddl", "dcl", "maintenance"]);

type Row = readonly [text: string, outcome: Outcome];
const gate = await startCorpora(
  SUITES.map(([corpus]) => corpus),
  { subject: "human:analyst", scopes: [], refusedRuns: OF_WHO_MIGRATES },
);
const found: (readonly [what: string, rows: readonly Row[]])[] = [];
try {
  for (const [corpus, what] of SUITES) found.push([what, (await gate.outcomes(corpus)).results]);
} finally {
  await gate.close();
}
writeFileSync(join(ROOT, "docs", "overblocking.md"), page(found));
for (const [what, rows] of found) console.log(`${what}: ${counts(ofUsers(rows)).join(", ")}`);

function ofUsers(rows: readonly Row[]): readonly Row[] {
  return rows.filter(([, { code }]) => !OF_WHO_MIGRATES.has(code));
}

/** All, passed, masked, on masked values, refused. */
function counts(rows: readonly Row[]): readonly number[] {
  const of = (...kinds: Outcome["kind"][]): number => rows.filter(([, { kind }]) => kinds.includes(kind)).length;
  return [rows.length, of("allowed"), of("masked"), of("substituted"), of("refused", "failed")];
}

function page(suites: typeof found): string {
  const all = suites.flatMap(([, rows]) => ofUsers(rows));
  const line = (what: string, rows: readonly Row[]): string => `| ${what} | ${counts(rows).join(" | ")} |`;
  return `# What is refused

Written by \`make overblocking\`: statements as real tools send them (\`test/sql/postgres/corpora\`), each through a gate with the starter policy over tables whose
personal columns are tagged \`pii\` (masked by \`redact\`), by a user without any right. A row counts a statement as *passed* where the gate changed nothing,
*masked* where columns of its result were masked, *on masked values* where the statement itself was rewritten to see masked values (\`on_derived: substitute\`).
Definitions and maintenance (\`ddl\`, \`dcl\`, \`maintenance\`: ${suites.reduce((sum, [, rows]) => sum + rows.length - ofUsers(rows).length, 0)} statements) are for whoever migrates, and left out.

| | statements | passed | masked | on masked values | refused |
|---|---|---|---|---|---|
${suites.map(([what, rows]) => line(what, ofUsers(rows))).join("\n")}
${line("**all**", all)}

## Refused

${suites.map(([what, rows]) => refusals(what, ofUsers(rows))).join("\n")}
## On masked values

What these show is computed of masked values: sums, comparisons and orders are of these, too.

${suites.map(([what, rows]) => listed(what, rows, "substituted")).join("\n")}`;
}

function refusals(what: string, rows: readonly Row[]): string {
  const refused = Map.groupBy(
    rows.filter(([, { kind }]) => kind === "refused" || kind === "failed"),
    ([, { code, error }]) => `${code || "failed"}: ${error.replace(/^\S+ /, "")}`,
  );
  if (refused.size === 0) return `**${what}**: none.\n`;
  const groups = [...refused].map(([why, list]) => `${why}\n\n${list.map(([text]) => quoted(text)).join("\n")}\n`);
  return `**${what}**\n\n${groups.join("\n")}`;
}

function listed(what: string, rows: readonly Row[], kind: Outcome["kind"]): string {
  const texts = rows.filter(([, outcome]) => outcome.kind === kind).map(([text]) => quoted(text));
  return texts.length === 0 ? "" : `**${what}**\n\n${texts.join("\n")}\n`;
}

/** Long texts are cut: the corpora have them whole. */
function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").replaceAll("`", "'");
  return `- \`${line.length > 220 ? `${line.slice(0, 220)} …` : line}\``;
}
