// Calls of the server's own functions that run code of users behind the types of their arguments: they write JSON, or make values of a type.
import type { Call } from "./calls.ts";
import type { Recorder } from "./recorder.ts";
import { checksRun, jsonRuns } from "./user-code.ts";
import type { Value } from "./value.ts";

const WRITES_JSON =
  /^(to_jsonb?|row_to_json|array_to_json|jsonb?_(agg(_strict)?|build_(array|object)|object_agg(_strict|_unique|_unique_strict)?))$/;
/** Make a row of the type of their first argument. */
const POPULATES = /^jsonb?_populate_record(set|_valid)?$/;
/** What runs behind the types that a call is given; undefined where nothing does. */
export function typesRun(recorder: Recorder, call: Call, args: readonly Value[]): Value | undefined {
  const { catalog } = recorder;
  if (catalog.casts.length === 0 && catalog.domains.size === 0) return undefined;
  const name = call.entries.find((entry) => entry.builtin)?.name ?? "";
  if (WRITES_JSON.test(name)) return jsonRuns(recorder, args);
  return POPULATES.test(name) && args[0] !== undefined ? checksRun(recorder, args[0], args[0].type) : undefined;
}
