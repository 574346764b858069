// Functions in SQL: each statement of the body, with the parameters in scope; the last one is what it gives.
import type { Node } from "libpg-query";
import type { Returned, TriggerRows } from "./bodies.ts";
import { isInput } from "./bodies.ts";
import { bodyStatement } from "./body-statements.ts";
import type { Catalog } from "./catalog.ts";
import type { Definition } from "./definitions.ts";
import { meetsResult } from "./fits.ts";
import { unusedExpressions } from "./from.ts";
import type { FunctionEntry } from "./model.ts";
import type { Variables } from "./placeholders.ts";
import { parameter } from "./placeholders.ts";
import { parse } from "./parser.ts";
import type { Result } from "./recorder.ts";
import { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import { anyColumn } from "./scope.ts";
import type { Value } from "./value.ts";
import { combine } from "./value.ts";

/** What it takes to read a body. */
export type Reading = {
  readonly catalog: Catalog;
  readonly entry: FunctionEntry;
  readonly definition: Definition;
  readonly path: readonly string[];
  readonly rows: TriggerRows | undefined;
  readonly depth: number;
};
export type Read = { readonly recorder: Recorder; readonly parameters: readonly Value[]; readonly returned: Returned };

const NOTHING: Result = { members: [], open: false };

/** @throws RegateError what {@link parse} throws */
export function sqlBody({ catalog, entry, definition, path, depth }: Reading): Read {
  const inputs = entry.parameters.filter(isInput);
  const parameters = inputs.map((input) =>
    parameter(catalog, input.name, catalog.type(input.type)?.kind === "p" ? 0 : input.type),
  );
  const variables = parametersOf(
    entry,
    inputs.map((input) => input.name),
    parameters,
  );
  const recorder = new Recorder(catalog, definition.bound === undefined ? path : ["pg_catalog"], {
    running: path,
    variables,
    depth,
    bound: definition.bound !== undefined,
  });
  const statements: readonly Node[] =
    definition.bound ?? (parse(definition.text).stmts ?? []).flatMap((raw) => raw.stmt ?? []);
  let result = NOTHING;
  statements.forEach((statement, at) => {
    result = bodyStatement(recorder, statement);
    // Shown to nobody, but computed.
    if (at < statements.length - 1) for (const member of result.members) recorder.use(member.value, USE.expression);
  });
  unusedExpressions(recorder, result);
  const returned = returnedBy(recorder, result);
  meetsResult(recorder, entry, returned.columns ?? [returned.value]);
  return { recorder, parameters, returned };
}

/** A parameter's name loses against columns; `f.x` is the parameter x of f. (sql_fn_post_column_ref in functions.c) */
function parametersOf(entry: FunctionEntry, names: readonly string[], parameters: readonly Value[]): Variables {
  const byName = (name: string): Value | undefined => {
    const at = names.indexOf(name);
    return name === "" || at < 0 ? undefined : parameters[at];
  };
  return {
    mayWin: false,
    numbered: (number) => parameters[number - 1],
    named: (fields, step) => {
      const [first = "", second = "", third = ""] = fields;
      if (fields.length === 1) return byName(first);
      const own = first === entry.name ? byName(second) : undefined;
      if (fields.length === 2) {
        if (own !== undefined) return own;
        const row = byName(first);
        return row === undefined ? undefined : step(row, second);
      }
      return fields.length === 3 && own !== undefined ? step(own, third) : undefined;
    },
  };
}

/** One column that is a row is the row that is returned. */
export function returnedBy(recorder: Recorder, result: Result): Returned {
  const values = result.members.map((member) => member.value);
  if (result.open) return { columns: undefined, value: anyColumn(result) };
  const fields = values.length === 1 ? values[0]!.row : undefined;
  const columns = fields === undefined ? values : fields.map((field) => field.value);
  for (const value of values) recorder.spend(value.sources.length >> 3);
  return { columns, value: combine(values, values.length === 1 ? values[0]!.type : 0, false) };
}
