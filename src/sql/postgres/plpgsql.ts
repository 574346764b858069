// Bodies in PL/pgSQL: variables, parameters and NEW/OLD are set up, the statements are judged, and what flows where is solved at the end.
import { absorb } from "./absorb.ts";
import type { Returned } from "./bodies.ts";
import { isInput } from "./bodies.ts";
import type { Catalog } from "./catalog.ts";
import { definitionText } from "./definitions.ts";
import { meetsResult } from "./fits.ts";
import type { FunctionEntry, Relation } from "./model.ts";
import { parameter, replaced } from "./placeholders.ts";
import type { PlpgsqlNode } from "./parser.ts";
import { parsePlpgsql } from "./parser.ts";
import { recordDefaults } from "./plpgsql-defaults.ts";
import type { Walk } from "./plpgsql-expressions.ts";
import { converted, modifierNamed } from "./plpgsql-conversions.ts";
import { expressionOf, typeNamed } from "./plpgsql-expressions.ts";
import { walkStatement } from "./plpgsql-statements.ts";
import { Store } from "./plpgsql-variables.ts";
import { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Read, Reading } from "./sql-bodies.ts";
import { checksRun } from "./user-code.ts";
import type { Value } from "./value.ts";
import { combine, CONSTANT, derived, eitherOf } from "./value.ts";

/** Blocks in blocks. */
const MAX_DEPTH = 24;
const MAX_BODY = 4 * 1_048_576;
/** What tells of anything that happened before. */
const TELLS_ALL = new Set(["found", "sqlstate", "sqlerrm"]);

/** @throws RegateError what {@link parsePlpgsql} throws */
export function plpgsqlBody(reading: Reading): Read {
  const { catalog, entry, definition, rows } = reading;
  const tree = parsePlpgsql(definitionText(entry), { maxBytes: MAX_BODY });
  const parameters: Value[] = [];
  const walk = walkOf(reading, tree);
  const { store } = walk;
  store.label(entry.name);
  const trigger = catalog.type(entry.returns)?.name === "trigger" && entry.parameters.length === 0;
  if (trigger) {
    for (const name of ["new", "old"]) parameters.push(rowOfTrigger(catalog, store, name, rows?.relation));
    for (const { name, fresh } of rows?.transitions ?? []) store.transition(name, store.declare(fresh ? "new" : "old"));
  } else {
    entry.parameters.forEach(({ name, type, mode }, at) => {
      if (mode === "t") return;
      const known = catalog.type(type)?.kind === "p" ? 0 : type;
      const variable = store.declare(name === "" ? `$${at + 1}` : name, known);
      store.parameter(at + 1, variable);
      if (!isInput({ name, type, mode })) return;
      const given = parameter(catalog, name, known);
      parameters.push(given);
      // No condition decides what a call passes.
      if (given.row === undefined) store.add(variable.rest, given);
      for (const field of given.row ?? [])
        store.add(store.declare(variable.name, known).field(field.name).sources[0]!, field.value);
    });
  }
  walkBody(walk, tree, definition.text);
  return solved(walk, entry, parameters, trigger ? rows?.relation : undefined);
}

/** DO: a body without a function. */
export function plpgsqlBlock(recorder: Recorder, text: string): void {
  if (recorder.depth >= MAX_DEPTH) {
    recorder.opaque = true;
    return;
  }
  // No tag of a dollar quote in the text may end it.
  let tag = "body";
  while (text.includes(`$${tag}`)) tag += "y";
  const tree = parsePlpgsql(`DO LANGUAGE plpgsql $${tag}$${text}$${tag}$`, { maxBytes: MAX_BODY });
  const path = recorder.running ?? recorder.path;
  const walk = walkOf({ catalog: recorder.catalog, path, depth: recorder.depth + 1 }, tree);
  walkBody(walk, tree, text);
  const { recorder: body } = solved(walk, undefined, [], undefined);
  absorb(recorder, body, new Map());
  if (body.opaque || body.unresolved || body.changesNames || body.changesCatalog || body.changesTemporary)
    recorder.opaque = true;
}

function walkOf({ catalog, path, depth }: Pick<Reading, "catalog" | "path" | "depth">, tree: PlpgsqlNode): Walk {
  const store = new Store(catalog);
  return {
    recorder: new Recorder(catalog, path, { running: path, variables: store, depth }),
    store,
    datums: (tree.datums ?? []) as readonly PlpgsqlNode[],
    assigned: [],
    returned: [],
    rows: [],
    outParameters: undefined,
  };
}

/** NEW or OLD: each field is what the row holds. */
function rowOfTrigger(catalog: Catalog, store: Store, name: string, rows: Relation | undefined): Value {
  const type = rows?.rowType ?? 0;
  const given = parameter(catalog, name, type);
  const variable = store.declare(name, type);
  if (given.row === undefined) store.add(variable.rest, given);
  for (const field of given.row ?? []) store.add(variable.field(field.name).sources[0]!, field.value);
  return given;
}

function walkBody(walk: Walk, tree: PlpgsqlNode, text: string): void {
  const { store, recorder } = walk;
  declareAll(walk, tree);
  recordDefaults(walk, text);
  const out = tree.out_param_varno;
  if (typeof out === "number") walk.outParameters = out;
  const action = tree.action as PlpgsqlNode | undefined;
  if (action === undefined) recorder.opaque = true;
  else walkStatement(walk, action);
  const uses: Value = {
    ...CONSTANT,
    sources: [...recorder.uses].flatMap(([column, bits]) => ((bits & ~USE.writeTarget) === 0 ? [] : [column])),
  };
  store.add(store.everything, uses);
  for (const value of walk.assigned) store.add(store.everything, value);
}

/** Every datum of the tree that has a name, whatever its block. */
function declareAll(walk: Walk, tree: PlpgsqlNode): void {
  const { store, datums, recorder } = walk;
  const variables = datums.map((datum) => {
    const body = (datum.PLpgSQL_var ?? datum.PLpgSQL_rec) as PlpgsqlNode | undefined;
    if (body === undefined) return undefined;
    const name = String(body.refname ?? "");
    const typeName = ((body.datatype as PlpgsqlNode | undefined)?.PLpgSQL_type as PlpgsqlNode | undefined)?.typname;
    // Parameters, NEW and OLD are there already, with the types that the catalog knows.
    const declared = String(typeName ?? "");
    const known = store.has(name) && body.lineno === undefined;
    const variable = known ? store.declare(name) : store.declare(name, typeNamed(recorder, declared));
    if (!known) variable.hasModifier(modifierNamed(recorder, declared));
    if (body.notnull === true) variable.notNull = true;
    // It begins as NULL, which its domain checks, and so are later the fields that it is given.
    checksRun(recorder, CONSTANT, variable.type);
    if (typeName === "record" && variable.type === 0) variable.isRecord = true;
    if (TELLS_ALL.has(name)) store.add(variable.rest, derived(store.everything.value, 0, true));
    return variable;
  });
  for (const node of (tree.aliases ?? []) as readonly PlpgsqlNode[]) {
    const alias = node.PLpgSQL_alias as PlpgsqlNode;
    const variable = variables[Number(alias.varno ?? 0)];
    if (variable === undefined) recorder.opaque = true;
    else store.alias(String(alias.name), variable);
  }
  for (const [at, datum] of datums.entries()) {
    const body = datum.PLpgSQL_var as PlpgsqlNode | undefined;
    const value = body?.default_val;
    if (value !== undefined) {
      const given = converted(recorder, variables[at]!, expressionOf(walk, value));
      walk.assigned.push(given);
      store.assign(variables[at]!, given);
    }
  }
}

/** Facts in which the variables have given way to columns and parameters. */
function solved(
  walk: Walk,
  entry: FunctionEntry | undefined,
  parameters: readonly Value[],
  rows: Relation | undefined,
): Read {
  const { store, recorder } = walk;
  if (entry !== undefined) for (const row of walk.returned) meetsResult(recorder, entry, row);
  // Expressions run, and may fail, even if nobody asks for what they give.
  for (const value of walk.assigned)
    if (value.derivation !== "direct" && !value.total) recorder.use(value, USE.expression);
  const given = store.solved();
  const final = new Recorder(recorder.catalog, recorder.path, { running: recorder.running, depth: recorder.depth });
  absorb(final, recorder, given);
  final.opaque = recorder.opaque;
  final.unresolved = recorder.unresolved;
  final.scoped = recorder.scoped;
  const returned = returnedBy(walk, entry);
  return {
    recorder: final,
    parameters,
    returned: {
      value: replaced(returned.value, given),
      columns: returned.columns?.map((column) => replaced(column, given)),
      ...(rows === undefined ? {} : { assigned: assignedTo(walk, rows, parameters, given) }),
    },
  };
}

/** Each RETURN, and each row of RETURN NEXT and RETURN QUERY, column by column. */
function returnedBy(walk: Walk, entry: FunctionEntry | undefined): Returned {
  const control = derived(walk.store.control.value, 0, true);
  const rows = walk.returned;
  const value = combine([...rows.flat(), control], 0, false);
  const first = rows[0];
  if (entry === undefined || first === undefined || rows.some((row) => row.length !== first.length))
    return { columns: undefined, value };
  const columns = first.map((_, at) => {
    const column = rows.map((row) => row[at]!).reduce(eitherOf);
    return combine([column, control], column.type, false);
  });
  return { columns, value };
}

/** What a trigger puts into the row, beside what was in it. */
function assignedTo(
  walk: Walk,
  rows: Relation,
  parameters: readonly Value[],
  given: ReadonlyMap<unknown, Value>,
): ReadonlyMap<string, Value> {
  const { store } = walk;
  const assigned = new Map<string, Value>();
  const columns = rows.rows();
  columns.forEach((column, at) => {
    const own = new Set(
      parameters.flatMap((row) => [
        row.sources[0]!,
        ...(row.row?.find((field) => field.name === column.name)?.value.sources ?? []),
      ]),
    );
    const values = [
      store.declare("new").field(column.name),
      ...walk.rows.map((row) => (row.row?.length === columns.length ? row.row[at]!.value : row)),
    ];
    const value = replaced(combine(values, 0, false), given as never);
    // A field that is only what it was.
    if (value.derivation !== "opaque" && value.sources.every((source) => own.has(source))) return;
    assigned.set(column.name, value);
  });
  return assigned;
}
