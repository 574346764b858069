// What the gate knows about a command: the policy's `input`. One definition gives types, run-time check and rego/schema/input.json.
import type { Infer } from "./schema.ts";
import {
  anything,
  array,
  boolean,
  integer,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  string,
} from "./schema.ts";

const strings = array(string);

export const verbClasses = [
  "read",
  "write",
  "ddl",
  "dcl",
  "code",
  "transaction",
  "session",
  "maintenance",
  "unknown",
] as const;
export const columnUses = [
  "output",
  "filter",
  "join",
  "sort",
  "group",
  "distinct",
  "window",
  "write_source",
  "write_target",
  "lock",
  /** LIMIT, OFFSET, FETCH and functions that return sets: how many rows there are tells it */
  "limit",
  /** a subscript: `a[x]` tells x by which element is shown */
  "subscript",
  /** inside an expression that is not one of the above, or used in a way that is not understood */
  "expression",
  /** inside an expression of an output that can neither fail nor warn */
  "computed",
  /** only whether it is NULL is told, wherever that is: count(x), x IS NULL */
  "nullness",
  /** it is written and must be unique: the error tells whether a value is there */
  "unique",
  /** WHERE asks for rows in which it equals a literal or a parameter, and nothing else */
  "lookup",
] as const;

/** Where a value comes from: a catalog column, and the tags that the bundle's data gives it. */
export const source = object({ schema: string, table: string, column: string, tags: strings });

export const relation = object({
  schema: string,
  name: string,
  /** table, partitioned_table, view, materialized_view, foreign_table, sequence, index, composite, unknown (not in the catalog) */
  kind: string,
  /** select, insert, update, delete, truncate, merge, copy, lock, ddl, … */
  access: strings,
  /** The views, functions, parents or cursors through which it is reached, outermost first. Empty: named in the text. */
  via: strings,
  tags: strings,
});

export const column = object({
  schema: string,
  table: string,
  column: string,
  tags: strings,
  uses: array(oneOf(...columnUses)),
  operators: strings,
});

export const output = object({
  name: string,
  type: string,
  /**
   * direct: the bare column, as the server's RowDescription will confirm. verbatim: the very value of one of the sources, unchanged, which
   * the server attributes to none. opaque: depends on everything that it might.
   */
  derivation: oneOf("direct", "verbatim", "expression", "aggregate", "opaque"),
  total: boolean,
  sources: array(source),
});

/**
 * What calling a function may do, from harmless to not known. total: it computes a value of its arguments, and neither fails nor warns for
 * any; pure: the same, but it may fail on a value; reads: it shows data of the database or of other sessions; sql: it runs SQL (or opens what
 * is named) in its arguments; state: it changes something that others see; outside: it reaches files, programs, other servers.
 */
export const functionEffects = ["total", "pure", "reads", "state", "sql", "outside", "unknown"] as const;

export const functionUse = object({
  schema: string,
  name: string,
  language: string,
  volatility: oneOf("immutable", "stable", "volatile", "unknown"),
  /** builtin: classified; known: the catalog has it; unknown: not resolved. `opaque`: what it reads or does cannot be told. */
  kind: oneOf("builtin", "known", "unknown"),
  effect: oneOf(...functionEffects),
  opaque: boolean,
  reads: strings,
});

/** What a value may be written to, beside the columns of tables: all are places where somebody else may read it. */
export const writeTargets = [
  "column",
  "sequence",
  "setting",
  "large_object",
  "advisory_lock",
  "notification",
  "comment",
  "definition",
  "file",
  "program",
  "server",
] as const;

/** One flow: which columns a written value depends on. Of a target that is no column, `column` (or `table`) is its name, "" where it is computed. */
export const write = object({
  target: oneOf(...writeTargets),
  schema: string,
  table: string,
  column: string,
  sources: array(source),
  /** What is written cannot be told: `sources` are what is known. */
  opaque: boolean,
});

/** A lock that holds others up: all but what plain reading and writing of rows takes. */
export const lock = object({
  level: oneOf("relation", "row", "advisory"),
  schema: string,
  /** Of the relation; of an advisory lock its constant key, "" where that is computed. */
  name: string,
  /** The server's words: `access exclusive`, `share row exclusive`, `for update`, `exclusive`, … */
  mode: string,
});

export const statement = object({
  /** Lower-case command word(s): select, insert, delete, copy, create_table, set, begin, explain, … */
  verb: string,
  class: oneOf(...verbClasses),
  relations: array(relation),
  columns: array(column),
  outputs: array(output),
  writes: array(write),
  functions: array(functionUse),
  /** True only if every row-changing part fixes its rows (see docs/facts.md); true for statements that change no rows. */
  scoped: boolean,
  limit: nullable(number),
  /** `own`: a name with a dot that no module has, where no code in the database reads settings: it means nothing to anybody but the client. */
  settings: array(object({ name: string, value: nullable(string), local: boolean, own: boolean })),
  locks: array(lock),
  /** What reaches outside of the database's own tables: program, file, server, large_object. */
  external: strings,
  estimate: nullable(object({ rows: number, cost: number })),
});

export const identity = object({
  subject: string,
  kind: oneOf("human", "agent", "service"),
  issuer: string,
  actors: strings,
  groups: strings,
  scopes: strings,
  token: object({ id: string, issued_at: integer, expires_at: integer }),
  claims: record(anything),
});

export const resource = object({
  name: string,
  kind: string,
  database: string,
  environment: string,
  labels: record(string),
});

export const session = object({
  id: string,
  protocol: string,
  client: object({ address: string, application: string }),
  tls: boolean,
  started_at: string,
  in_transaction: boolean,
  usage: object({ commands: integer, rows: integer, bytes: integer, cost: number }),
  taint: strings,
  /** Of the tagged columns that a statement looks values up in: how many different ones the subject tries today, with these. */
  inference: optional(
    array(object({ statement: integer, schema: string, table: string, column: string, probes: integer })),
  ),
});

export const command = object({
  text: string,
  /** What the server gets in place of `text`: the same with protected columns replaced by their masks. */
  sent: optional(string),
  normalized: string,
  fingerprint: string,
  /** query, parse, bind, execute, function_call, … : the protocol's message. */
  message: string,
  parameters: object({ count: integer, types: strings }),
  statements: array(statement),
});

export const input = object({
  version: integer,
  /** A nonce that the decision must echo. */
  id: string,
  stage: oneOf("connect", "command", "result"),
  identity,
  session,
  resource,
  command: optional(command),
  result: optional(object({ columns: array(output) })),
});

export type Source = Infer<typeof source>;
export type Relation = Infer<typeof relation>;
export type ColumnUse = Infer<typeof column>;
export type Output = Infer<typeof output>;
export type FunctionUse = Infer<typeof functionUse>;
export type Write = Infer<typeof write>;
export type Lock = Infer<typeof lock>;
export type StatementFacts = Infer<typeof statement>;
export type VerbClass = (typeof verbClasses)[number];
export type Identity = Infer<typeof identity>;
export type Resource = Infer<typeof resource>;
export type SessionFacts = Infer<typeof session>;
export type CommandFacts = Infer<typeof command>;
export type Input = Infer<typeof input>;
export const FACTS_VERSION = 1;
