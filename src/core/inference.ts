// How many different values somebody has tried to find in a column: what each allowed lookup tells adds up.
import type { SessionContext } from "./command.ts";
import type { SessionFacts } from "./facts.ts";

/** A statement asks which rows have this value in the column. Undefined: not known before it runs. */
export type Probe = {
  readonly statement: number;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly value: string | undefined;
};

/** Remembers what was tried. Implemented in state/. */
export interface Probes {
  /** How many different values of the column `who` would have tried today, with these. */
  count(who: string, column: string, values: readonly string[]): number;
  note(who: string, column: string, values: readonly string[]): void;
}

export type Inference = NonNullable<SessionFacts["inference"]>;
export const NO_INFERENCE: Inference = Object.freeze([]);

type Tried = { readonly statement: number; readonly place: readonly string[]; readonly values: string[] };

/** What the policy is told before the command is decided. Left out is what is tried and not known, unless the command does not run yet. */
export function inferenceOf(
  probes: Probes,
  session: SessionContext,
  asked: readonly Probe[],
  runs: boolean,
): Inference {
  const unknown = new Set(asked.filter(({ value }) => runs && value === undefined).map((probe) => keyOf(probe)));
  const columns = byColumn(session, asked);
  return [...grouped(asked, keyOf)].flatMap(([key, { statement, place }]) => {
    if (unknown.has(key)) return [];
    const [schema, table, column] = place as [string, string, string];
    const name = columnOf(session, place);
    const values = columns.get(name)!.values;
    return [{ statement, schema, table, column, probes: probes.count(whoOf(session), name, values) }];
  });
}

/** Remembers what a command tries that may run. */
export function noteProbes(probes: Probes, session: SessionContext, asked: readonly Probe[]): void {
  for (const [name, { values }] of byColumn(session, asked)) probes.note(whoOf(session), name, values);
}

const keyOf = ({ statement, schema, table, column }: Probe): string =>
  JSON.stringify([statement, schema, table, column]);

/** Several statements of a command add up. */
function byColumn(session: SessionContext, asked: readonly Probe[]): Map<string, Tried> {
  return grouped(asked, ({ schema, table, column }) => columnOf(session, [schema, table, column]));
}

function grouped(asked: readonly Probe[], key: (probe: Probe) => string): Map<string, Tried> {
  const groups = new Map<string, Tried>();
  for (const probe of asked) {
    const name = key(probe);
    const { statement, schema, table, column, value } = probe;
    const group = groups.get(name) ?? { statement, place: [schema, table, column], values: [] };
    groups.set(name, group);
    if (value !== undefined) group.values.push(value);
  }
  return groups;
}

const columnOf = (session: SessionContext, place: readonly string[]): string =>
  JSON.stringify([session.resource.name, ...place]);

/** Whoever acts for somebody tries for them. */
const whoOf = ({ identity }: SessionContext): string => JSON.stringify([identity.issuer, identity.subject]);
