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
  /** inside an expression that is not one of the above, or used in a way that is not understood */
  "expression",
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
  /** direct: the bare column, as the server's RowDescription will confirm. opaque: depends on everything that it might. */
  derivation: oneOf("direct", "expression", "aggregate", "opaque"),
  total: boolean,
  sources: array(source),
});

export const functionUse = object({
  schema: string,
  name: string,
  language: string,
  volatility: oneOf("immutable", "stable", "volatile", "unknown"),
  /** builtin: classified; known: the catalog has it; unknown: not resolved. `opaque`: what it reads or does cannot be told. */
  kind: oneOf("builtin", "known", "unknown"),
  opaque: boolean,
  reads: strings,
});

export const statement = object({
  /** Lower-case command word(s): select, insert, delete, copy, create_table, set, begin, explain, … */
  verb: string,
  class: oneOf(...verbClasses),
  relations: array(relation),
  columns: array(column),
  outputs: array(output),
  writes: array(object({ schema: string, table: string, column: string, sources: array(source) })),
  functions: array(functionUse),
  /** True only if every row-changing part fixes its rows (see docs/facts.md); true for statements that change no rows. */
  scoped: boolean,
  limit: nullable(number),
  settings: array(object({ name: string, value: nullable(string), local: boolean })),
  /** What reaches outside of the database's own tables: program, file, server, large_object. */
  external: strings,
  estimate: nullable(object({ rows: number, cost: number })),
  /** Byte offset and length in the command's text. */
  location: object({ start: integer, length: integer }),
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
});

export const command = object({
  text: string,
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
export type StatementFacts = Infer<typeof statement>;
export type VerbClass = (typeof verbClasses)[number];
export type Identity = Infer<typeof identity>;
export type Resource = Infer<typeof resource>;
export type SessionFacts = Infer<typeof session>;
export type CommandFacts = Infer<typeof command>;
export type Input = Infer<typeof input>;
export const FACTS_VERSION = 1;
