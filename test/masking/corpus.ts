// The corpus of detectors: texts with what has to be found in them marked, and how much of it a detector finds.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { detectors, findAll, groups, type Wanted, wanted } from "../../src/masking/detectors/index.ts";

type Mark = { readonly start: number; readonly end: number };
export type Line = { readonly detector: string; readonly text: string; readonly marks: readonly Mark[] };
export type Measure = {
  readonly name: string;
  readonly positives: number;
  readonly negatives: number;
  /** Found values that were marked, of all that were found. */
  readonly precision: number;
  /** Marked values that were found whole, of all that were marked. */
  readonly recall: number;
  readonly missed: readonly string[];
  readonly wrong: readonly string[];
};

export const files = ["card", "email", "iban", "phone", "us-ssn", "keys", "national-ids", "ip"];

/** The lines of test/masking/corpus/NAME.tsv: detector, tab, text; «…» marks a value, ¦ is nothing (it keeps a key from being taken for a real one). */
export function corpus(name: string): readonly Line[] {
  const lines = readFileSync(join(import.meta.dirname, "corpus", `${name}.tsv`), "utf8").split("\n");
  return lines.flatMap((line) => {
    const [detector, written] = line.split("\t");
    if (detector === undefined || written === undefined) return [];
    let text = "";
    const marks: Mark[] = [];
    let start = 0;
    for (const character of written.replaceAll("¦", "")) {
      if (character === "«") start = text.length;
      else if (character === "»") marks.push({ start, end: text.length });
      else text += character;
    }
    return [{ detector, text, marks }];
  });
}

/** As the mask searches with all detectors on; a group stands for its detectors. */
const searchedAs = (name: string): readonly Wanted[] => {
  const all = wanted("all") as readonly Wanted[];
  const group = name === "all" ? detectors : (groups.get(name) ?? detectors.filter((one) => one.name === name));
  return all.filter(({ detector }) => group.includes(detector));
};

export function measure(name: string, lines: readonly Line[]): Measure {
  let [positives, negatives, hits, covered] = [0, 0, 0, 0];
  const missed: string[] = [];
  const wrong: string[] = [];
  for (const { detector, text, marks } of lines) {
    const found = findAll(text, searchedAs(detector));
    positives += marks.length;
    if (marks.length === 0) negatives++;
    for (const mark of marks) {
      if (found.some(({ start, end }) => start <= mark.start && end >= mark.end)) covered++;
      else missed.push(`${detector}: ${text.slice(mark.start, mark.end)} in ${text}`);
    }
    for (const { start, end, name: by } of found) {
      if (marks.some((mark) => mark.start < end && mark.end > start)) hits++;
      else wrong.push(`${by}: ${text.slice(start, end)} in ${text}`);
    }
  }
  const all = hits + wrong.length;
  return {
    name,
    positives,
    negatives,
    precision: all === 0 ? 1 : hits / all,
    recall: positives === 0 ? 1 : covered / positives,
    missed,
    wrong,
  };
}
