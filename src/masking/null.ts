// null: SQL NULL in place of every value.
import type { MaskKind } from "./mask.ts";
import { nothing } from "./mask.ts";

export const nullMask: MaskKind = { parameters: [], check: () => undefined, plan: () => nothing };
