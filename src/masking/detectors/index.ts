// The detectors by name, and all that some of them find in one text.
import { apiKey } from "./api-key.ts";
import { auTfn } from "./au-tfn.ts";
import { brCnpj } from "./br-cnpj.ts";
import { brCpf } from "./br-cpf.ts";
import { caSin } from "./ca-sin.ts";
import { card } from "./card.ts";
import { cnResidentId } from "./cn-resident-id.ts";
import { deTaxId } from "./de-tax-id.ts";
import type { Detector, Span } from "./detector.ts";
import { email } from "./email.ts";
import { esDni } from "./es-dni.ts";
import { frNir } from "./fr-nir.ts";
import { iban } from "./iban.ts";
import { inAadhaar } from "./in-aadhaar.ts";
import { ip } from "./ip.ts";
import { itCodiceFiscale } from "./it-codice-fiscale.ts";
import { jwt } from "./jwt.ts";
import { krRrn } from "./kr-rrn.ts";
import { nlBsn } from "./nl-bsn.ts";
import { phone } from "./phone.ts";
import { plPesel } from "./pl-pesel.ts";
import { plain } from "./plain.ts";
import { privateKey } from "./private-key.ts";
import { sePersonnummer } from "./se-personnummer.ts";
import { isSecretOf, secret } from "./secret.ts";
import { mayHold, noTraits, traitsOfText } from "./traits.ts";
import { ukNhs } from "./uk-nhs.ts";
import { ukNino } from "./uk-nino.ts";
import { usSsn } from "./us-ssn.ts";

const nationalIds: readonly Detector[] = [
  usSsn,
  ukNino,
  ukNhs,
  deTaxId,
  frNir,
  esDni,
  itCodiceFiscale,
  nlBsn,
  plPesel,
  sePersonnummer,
  brCpf,
  brCnpj,
  inAadhaar,
  caSin,
  cnResidentId,
  krRrn,
  auTfn,
];
const keys: readonly Detector[] = [privateKey, jwt, apiKey, secret];
/** Where several find the same characters, the first one names them. */
export const detectors: readonly Detector[] = [...keys, card, iban, email, ...nationalIds, phone, ip];

/** Names for several detectors at once. */
export const groups: ReadonlyMap<string, readonly Detector[]> = new Map([
  ["national-ids", nationalIds],
  ["keys", keys],
]);

export type Wanted = { readonly detector: Detector; readonly named: boolean };

/** The detectors that names stand for, or the name that is not known. "all" is every one, none of them named. */
export function wanted(names: "all" | readonly string[]): readonly Wanted[] | { readonly unknown: string } {
  if (names === "all") return detectors.map((detector) => ({ detector, named: false }));
  const found = new Set<Detector>();
  for (const name of names) {
    const group = groups.get(name) ?? detectors.filter((detector) => detector.name === name);
    if (group.length === 0) return { unknown: name };
    for (const detector of group) found.add(detector);
  }
  return detectors.filter((detector) => found.has(detector)).map((detector) => ({ detector, named: true }));
}

/** A found value and the detector that names it. */
export type Found = { readonly start: number; readonly end: number; readonly name: string };

/**
 * All that the detectors find in a text, in its order, overlapping ones as one. Searched as it is written and, where that differs, as a reader takes
 * it ({@link plain}). `label`: the name under which a document has the text, which tells what it is as a word before it would.
 */
export function findAll(text: string, searched: readonly Wanted[], label = ""): readonly Found[] {
  const found: Found[] = [];
  const traits = noTraits();
  const before = label === "" ? "" : `${label}: `;
  const search = (view: string, back: (span: Span) => Span): void => {
    traitsOfText(view, traits);
    for (const { detector, named } of searched) {
      if (detector === secret && label !== "" && isSecretOf(label, view))
        found.push({ start: 0, end: text.length, name: secret.name });
      if (!mayHold(traits, detector.needs)) continue;
      for (const { start, end } of detector.find(before + view, named)) {
        if (end <= before.length) continue;
        const span = { start: Math.max(0, start - before.length), end: end - before.length };
        found.push({ ...back(span), name: detector.name });
      }
    }
  };
  search(text, (span) => span);
  const seen = plain(text);
  if (seen !== undefined) {
    const { text: view, starts, ends } = seen;
    search(view, ({ start, end }) => ({ start: starts[start]!, end: ends[end - 1]! }));
  }
  return found.length < 2 ? found : merge(found);
}

/** Overlapping spans become one, named by the longest of them; of equal ones by the first detector. */
function merge(found: readonly Found[]): readonly Found[] {
  // The sort is stable: what was found first stays first among equals.
  const sorted = [...found].sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Found[] = [];
  let longest = 0;
  for (const one of sorted) {
    const last = merged.at(-1);
    if (last === undefined || one.start >= last.end) {
      merged.push(one);
      longest = one.end - one.start;
      continue;
    }
    const name = one.end - one.start > longest ? one.name : last.name;
    longest = Math.max(longest, one.end - one.start);
    merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, one.end), name };
  }
  return merged;
}
