// How much of what real tools send is understood, and passes the starter policy for whoever may define and write. node tools/coverage.ts [CORPUS…]
import { corpora } from "../test/sql/postgres/corpora/read.ts";
import { type Outcome, type Outcomes, startCorpora } from "./corpora.ts";
import { fail } from "./run.ts";

/** Reasons of a refusal that say that the gate did not understand, not that the policy forbids. */
const NOT_UNDERSTOOD = /^(opaque-.*|unknown.*|unresolved.*|no-rule|TEXT_.*|CATALOG_.*|UNRESOLVED.*|.*_UNKNOWN)$/;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !corpora.includes(name));
if (unknown.length > 0) fail(`There is no corpus ${unknown.join(", ")}.`, `There are ${corpora.join(", ")}.`);
const names = wanted.length === 0 ? corpora : wanted;

const gate = await startCorpora(names, {
  subject: "agent:migrator",
  scopes: ["ddl", "constraints", "write", "settings", "maintenance", "locks"],
});
let clean = true;
try {
  for (const name of names) clean = report(name, await gate.outcomes(name)) && clean;
} finally {
  await gate.close();
}
process.exitCode = clean ? 0 : 1;

/** One line for the corpus, one for each reason. False where something was not understood. */
function report(name: string, { results, again }: Outcomes): boolean {
  const count = (kind: Outcome["kind"]): number => results.filter(([, outcome]) => outcome.kind === kind).length;
  console.log(
    `${name}: ${results.length} statements, ${count("allowed")} allowed, ${count("masked")} masked, ${count("substituted")} on masked values, ${count("refused")} refused`,
  );
  const refused = Map.groupBy(
    results.filter(([, outcome]) => outcome.kind === "refused" || outcome.kind === "failed"),
    ([, outcome]) => `${outcome.kind} ${outcome.code}`,
  );
  let understood = true;
  if (again.length > 0) console.log(`  to be sent again: ${again.length}`);
  if (process.env.VERBOSE === "1")
    for (const text of again) console.log(`    ${text.replaceAll(/\s+/g, " ").slice(0, 120)}`);
  for (const [code, list] of refused) {
    const open = NOT_UNDERSTOOD.test(code.split(" ")[1] ?? "") || code.startsWith("failed");
    if (open) understood = false;
    console.log(`  ${code}${open ? " (not understood)" : ""}: ${list.length}`);
    for (const [text] of open || process.env.VERBOSE === "1" ? list : [])
      console.log(`    ${text.replaceAll(/\s+/g, " ").slice(0, 160)}`);
  }
  const errors = results.filter(([, { kind, error }]) => kind !== "refused" && kind !== "failed" && error !== "");
  if (errors.length > 0) console.log(`  let through, and an error of the server: ${errors.length}`);
  if (process.env.VERBOSE === "1")
    for (const [text, { error }] of errors) console.log(`    ${error}: ${text.replaceAll(/\s+/g, " ").slice(0, 120)}`);
  return understood;
}
