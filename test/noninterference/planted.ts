// Gates with a defect: what the run must find.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folder.ts";
import { classification, masks } from "./protected.ts";
import type { GatesOptions } from "./sides.ts";

export const STARTER = fileURLToPath(new URL("../../rego", import.meta.url));

/** A copy of the starter policy that does not count one of its files. */
function without(name: string): string {
  const copy = join(temporaryFolder("policy"), "rego");
  cpSync(STARTER, copy, { recursive: true });
  const main = join(copy, "main.rego");
  const text = readFileSync(main, "utf8");
  const less = text.replace(`\n\t${name},\n`, "\n");
  if (less === text) throw new Error(`main.rego does not name ${name}`);
  writeFileSync(main, less);
  return copy;
}

const { "hr.employees.ssn": _, ...unclassified } = classification;

export const planted: readonly { readonly defect: string; readonly options: () => GatesOptions }[] = [
  { defect: "derived use is not judged", options: () => ({ policy: without("derived") }) },
  { defect: "what is shown is not masked", options: () => ({ policy: without("protected") }) },
  { defect: "one column is not classified", options: () => ({ policy: STARTER, classification: unclassified }) },
  {
    defect: "one mask shows the last character",
    options: () => ({ policy: STARTER, masks: { ...masks, pii: { mask: "partial", keep_last: 1 } } }),
  },
];
