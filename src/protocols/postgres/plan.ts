// From the decision's masks to what is done with each column of one result.
import type { MaskSpec } from "../../core/decision.ts";
import { RegateError } from "../../errors.ts";
import { planMask } from "../../masking/index.ts";
import type { Field } from "./message.ts";
import type { CellMask, RowPlan } from "./rows.ts";

/** The error, if a mask names an output that is not there, or cannot be applied. Of two masks for one output the first counts. */
export function planRow(masks: readonly MaskSpec[], fields: readonly Field[], key: Buffer): RowPlan | RegateError {
  const plan: (CellMask | undefined)[] = new Array(fields.length).fill(undefined);
  for (const spec of masks) {
    const field = fields[spec.output];
    if (field === undefined)
      return new RegateError("MASK_IMPOSSIBLE", {
        detail: `The policy masks output ${spec.output + 1}, which the result does not have.`,
      });
    if (plan[spec.output] !== undefined) continue;
    const mask = planMask(spec, { typeOid: field.typeOid, format: field.format, modifier: field.modifier }, { key });
    if (mask === undefined)
      return new RegateError("MASK_IMPOSSIBLE", {
        detail: `The mask ${spec.mask} is not known, for output ${spec.output + 1}.`,
      });
    plan[spec.output] = mask;
  }
  return plan;
}
