// Values in SQL/JSON and XML: what they become on the way into a document, and what is made of a document, by code of users.
import type { TypeName } from "libpg-query";
import { typeOf } from "./casts.ts";
import type { Recorder } from "./recorder.ts";
import { castsRun, conversionRuns, jsonRuns, withRun } from "./user-code.ts";
import type { Value } from "./value.ts";
import { combine, TYPE_TEXT } from "./value.ts";

const TYPE_JSON = 114;
const TYPE_JSONB = 3802;

/** What a constructor, an aggregate or a query function of SQL/JSON or XML makes of these values. */
export function documentOf(recorder: Recorder, body: object, values: readonly Value[]): Value {
  const value = combine(values, 0, false);
  const { catalog } = recorder;
  if (catalog.casts.length === 0 && catalog.domains.size === 0) return value;
  let found = castsRun(recorder, ...values);
  const add = (run: Value | undefined): void => {
    if (run !== undefined) found = withRun(run, found);
  };
  add(jsonRuns(recorder, values));
  for (const each of values) for (const type of [TYPE_JSON, TYPE_JSONB]) add(conversionRuns(recorder, each, type));
  for (const name of typeNamesIn(body)) add(readAs(recorder, value, typeOf(recorder, name)));
  return withRun(value, found);
}

/** A part of a document becomes a value of that type: by the type's input function, or by a cast from what it is written as. */
export function readAs(recorder: Recorder, value: Value, type: number): Value | undefined {
  let found: Value | undefined;
  for (const written of [TYPE_TEXT, TYPE_JSON, TYPE_JSONB]) {
    const run = conversionRuns(recorder, { ...value, type: written }, type);
    if (run !== undefined) found = withRun(run, found);
  }
  return found;
}

/** RETURNING, AS: nodes have kinds for names, members of a body never begin with a capital. */
function typeNamesIn(body: object): readonly TypeName[] {
  const names: TypeName[] = [];
  for (const [member, inner] of Object.entries(body)) {
    if (typeof inner !== "object" || inner === null || /^[A-Z]/.test(member)) continue;
    if (member === "typeName") names.push(inner as TypeName);
    else if (!Array.isArray(inner)) names.push(...typeNamesIn(inner));
  }
  return names;
}
