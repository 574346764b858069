// Whether a value fits where it is put tells of it: into a variable of a body, or into the result of a function.
import type { Catalog } from "./catalog.ts";
import { conversionIsTotal } from "./coercion.ts";
import type { FunctionEntry } from "./model.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Value } from "./value.ts";

/** `type` 0: not known. `modifier`: its length or precision; -1: none, undefined: not known. */
export function meets(recorder: Recorder, value: Value, type: number, modifier: number | undefined): void {
  if (value.sources.length > 0 && !fits(recorder.catalog, value, type, modifier)) recorder.use(value, USE.expression);
}

function fits(catalog: Catalog, value: Value, type: number, modifier: number | undefined): boolean {
  if (type === 0 || !conversionIsTotal(catalog, value.type, type, "assignment")) return false;
  if (modifier === -1) return true;
  return value.derivation === "direct" && value.type === type && value.sources[0]?.modifier === modifier;
}

/** What a function gives becomes of its result types, column by column. */
export function meetsResult(recorder: Recorder, entry: FunctionEntry, columns: readonly Value[]): void {
  const { catalog } = recorder;
  const pseudo = catalog.type(entry.returns)?.name ?? "";
  if (NO_VALUE.has(pseudo)) return;
  const fields = catalog.relationByRowType(catalog.baseType(entry.returns))?.rows();
  // A domain's checks ask about the row as a whole.
  if (fields !== undefined && catalog.baseType(entry.returns) !== entry.returns) {
    for (const column of columns) meets(recorder, column, 0, undefined);
    return;
  }
  const types: readonly { readonly type: number; readonly modifier?: number }[] =
    entry.results.length > 1 ? entry.results : (fields ?? [{ type: entry.returns }]);
  // A record's own columns are those that the call lists.
  if (pseudo === "record" && entry.results.length <= 1) return;
  // A row as a whole is of the very types, or never goes in.
  if (columns.length === 1 && types.length > 1) return;
  const told = columns.length === types.length;
  columns.forEach((column, at) => {
    meets(recorder, column, told ? types[at]!.type : 0, types[at]?.modifier ?? -1);
  });
}

const NO_VALUE: ReadonlySet<string> = new Set(["void", "trigger", "event_trigger"]);
