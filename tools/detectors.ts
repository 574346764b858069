// Precision and recall of the detectors on the corpus that ships: node tools/detectors.ts [--all] (also what was missed and what was found wrongly)
import { corpus, files, type Measure, measure } from "../test/masking/corpus.ts";

const rows = files.map((name) => measure(name, corpus(name)));
const ids = corpus("national-ids");
const each = [...new Set(ids.filter(({ marks }) => marks.length > 0).map(({ detector }) => detector))].map((name) => {
  const own = ids.filter(({ detector, marks }) => detector === name || marks.length === 0);
  return measure(
    name,
    own.map((line) => ({ ...line, detector: name })),
  );
});
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const print = ({ name, positives, negatives, precision, recall }: Measure): void =>
  console.log(`| \`${name}\` | ${positives} | ${negatives} | ${percent(precision)} | ${percent(recall)} |`);

console.log("| detectors | values | lines without | precision | recall |\n|---|---|---|---|---|");
for (const row of [...rows, ...each]) print(row);
const ordinary = measure("ordinary", corpus("ordinary"));
console.log(`\n${ordinary.negatives} ordinary cells, all detectors on: ${ordinary.wrong.length} found`);
if (process.argv.includes("--all"))
  for (const { name, missed, wrong } of [...rows, ordinary]) {
    for (const line of missed) console.log(`${name}: missed ${line}`);
    for (const line of wrong) console.log(`${name}: wrong ${line}`);
  }
