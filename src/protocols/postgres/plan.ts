// From the decision's masks to what is done with each column of one result.
import type { DetectSpec, MaskSpec } from "../../core/decision.ts";
import type { Output } from "../../core/facts.ts";
import type { StatementAnalysis } from "../../sql/postgres/analyze.ts";
import { RegateError } from "../../errors.ts";
import { type MaskedColumn, type MaskOptions, planDetect, planMask } from "../../masking/index.ts";
import type { Field } from "./message.ts";
import type { CellMask, RowPlan } from "./rows.ts";

/** What the facts say of the columns of one result. */
export type Shown = Pick<StatementAnalysis, "outputsKnown"> & {
  readonly facts: { readonly outputs: readonly Output[] };
};

/**
 * The error, if a mask names an output that is not there, or cannot be applied. Of two masks for one output the first counts.
 * `shown`: what the facts say of the columns, where they do; if only the server knows all columns, the last output stands for any number of them.
 * `detect`: what no mask names is searched. Undefined: everything passes.
 */
export function planRow(
  masks: readonly MaskSpec[],
  fields: readonly Field[],
  shown: Shown | undefined,
  options: MaskOptions,
  detect?: DetectSpec,
): RowPlan | RegateError | undefined {
  const plan: (CellMask | undefined)[] = new Array(fields.length).fill(undefined);
  const outputs = shown?.facts.outputs;
  const unknownFrom =
    outputs === undefined || shown?.outputsKnown === true ? Infinity : Math.max(0, outputs.length - 1);
  for (const spec of masks) {
    const unknown = spec.output >= unknownFrom;
    if (!unknown && spec.output >= fields.length)
      return new RegateError("MASK_IMPOSSIBLE", {
        detail: `The policy masks output ${spec.output + 1}, which the result does not have.`,
      });
    const end = unknown ? fields.length : spec.output + 1;
    for (let at = unknown ? unknownFrom : spec.output; at < end; at++) {
      if (plan[at] !== undefined) continue;
      const name = nameOf(outputs?.[at]);
      const planned = attempt(() => planMask(spec, columnOf(fields[at]!, name), options));
      if (planned instanceof RegateError) return planned;
      plan[at] = planned;
    }
  }
  if (detect === undefined) return plan;
  for (const [at, field] of fields.entries()) {
    if (plan[at] !== undefined) continue;
    const planned = attempt(() => planDetect(detect, columnOf(field, undefined), options));
    if (planned instanceof RegateError) return planned;
    plan[at] = planned;
  }
  return plan.some((mask) => mask !== undefined) ? plan : undefined;
}

function columnOf({ typeOid, format, modifier }: Field, name: string | undefined): MaskedColumn {
  return { typeOid, format, modifier, ...(name === undefined ? {} : { name }) };
}

/** @throws what is no RegateError */
function attempt<T>(make: () => T): T | RegateError {
  try {
    return make();
  } catch (error) {
    if (error instanceof RegateError) return error;
    throw error;
  }
}

/** The stored column that an output shows as it is, where it is a single one. */
function nameOf(output: Output | undefined): string | undefined {
  const { derivation, sources } = output ?? { derivation: "opaque", sources: [] };
  if ((derivation !== "direct" && derivation !== "verbatim") || sources.length !== 1) return undefined;
  const { schema, table, column } = sources[0]!;
  return `${schema}.${table}.${column}`;
}
