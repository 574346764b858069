// Compares what the server says of a result's columns with what was derived: a disagreement means that names were read differently.
import type { Output, Source } from "../../core/facts.ts";
import type { Confirmation, DescribedField, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";

const OK: Confirmation = Object.freeze({ ok: true });

/**
 * Holds when the count and every type that was derived are as described, every origin that the server names is in the catalog, is among the
 * output's sources, and brings no tag that these lack. More sources than the server names are fine: that is over-approximation.
 */
export function confirm(
  analysis: StatementAnalysis,
  fields: readonly DescribedField[],
  catalog: Catalog,
): Confirmation {
  const outputs = analysis.facts.outputs;
  if (analysis.outputsKnown && outputs.length !== fields.length) {
    return { ok: false, why: `the server describes ${fields.length} columns, ${outputs.length} were derived` };
  }
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at]!;
    const derived = analysis.outputsKnown ? outputs[at]!.type : "";
    const described = catalog.typeName(field.typeOid);
    if (derived !== "" && derived !== described)
      return {
        ok: false,
        why: `column ${at + 1} is ${described || `of type ${field.typeOid}`}, derived was ${derived}`,
      };
    if (field.tableOid === 0) continue;
    const origin = catalog.columnByOrigin(field.tableOid, field.attribute);
    if (origin === undefined) {
      return {
        ok: false,
        why: `column ${at + 1} comes from relation ${field.tableOid}, attribute ${field.attribute}, which the catalog does not have`,
      };
    }
    const candidates = analysis.outputsKnown ? [outputs[at]!] : outputs;
    if (!isAmong(origin, candidates, field.attribute)) {
      return {
        ok: false,
        why: `column ${at + 1} comes from ${origin.schema}.${origin.table}.${origin.column}, which was not derived`,
      };
    }
    for (const tag of origin.tags) {
      if (!candidates.some((output) => output.sources.some((source) => source.tags.includes(tag)))) {
        return { ok: false, why: `column ${at + 1} is tagged ${tag}, which was not derived` };
      }
    }
  }
  return OK;
}

/** System columns and whole rows are compared by their table. */
function isAmong(origin: Source, outputs: readonly Output[], attribute: number): boolean {
  return outputs.some((output) =>
    output.sources.some(
      (source) =>
        source.table === origin.table &&
        source.schema === origin.schema &&
        (attribute <= 0 || source.column === origin.column),
    ),
  );
}
