// SQL over the decision log, by DuckDB in this process: reads the segment files and nothing else, while the gate writes them.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { DuckDBInstance, DuckDBTypeId, type Json, StatementType } from "@duckdb/node-api";
import { errorText, RegateError } from "../errors.ts";
import { listSegments, segmentName } from "./segment.ts";

export type QueryResult = {
  readonly columns: readonly string[];
  /** Rows in portions. JSON columns are parsed, and whole numbers are numbers where they are exact. */
  readonly rows: AsyncIterable<readonly (readonly Json[])[]>;
  /** There were lines that are no JSON (a crash's torn end, say): they are not in the result. */
  readonly damaged: boolean;
};

/**
 * Runs one SELECT over the views `decisions`, `outcomes`, `approvals` and `events` (all lines as they are).
 * @throws RegateError USAGE when it is not one SELECT, or DuckDB refuses it; DATA_DIR when there is no log
 */
export async function queryLog(dir: string, sql: string): Promise<QueryResult> {
  try {
    return await run(dir, sql, false);
  } catch (error) {
    if (!/malformed json|invalid json|JSON transform/i.test(errorText(error))) throw refused(error);
    return await run(dir, sql, true).catch((again: unknown) => {
      throw refused(again);
    });
  }
}

async function run(dir: string, sql: string, skipDamaged: boolean): Promise<QueryResult> {
  const instance = await open(dir, skipDamaged);
  const connection = await instance.connect();
  const statements = await connection.extractStatements(sql).catch((error: unknown) => {
    // So DuckDB's binding says that a text holds no statement.
    if (errorText(error) === "Error in native callback") return undefined;
    throw error;
  });
  if (statements?.count !== 1) throw new RegateError("USAGE", { detail: "log query takes one statement." });
  const statement = await statements.prepare(0);
  if (statement.statementType !== StatementType.SELECT) {
    throw new RegateError("USAGE", { detail: "log query takes a SELECT: the log is read, and never written." });
  }
  if (statement.parameterCount > 0)
    throw new RegateError("USAGE", { detail: "log query takes no parameters: write the values." });
  const result = await statement.stream();
  const columns = result.columnNames();
  const parsed = result
    .columnTypes()
    .map((type) => (type.typeId === DuckDBTypeId.VARCHAR && type.alias === "JSON" ? fromJson : exact(type.typeId)));
  const portions = result.yieldRowsJson()[Symbol.asyncIterator]();
  // The first portion is read at once, so that an unreadable line is met here, where it can be answered.
  let portion = await portions.next();
  async function* rows(): AsyncGenerator<(readonly Json[])[]> {
    while (portion.done !== true) {
      yield portion.value.map((row) => row.map((cell, at) => parsed[at]!(cell)));
      portion = await portions.next();
    }
    connection.closeSync();
  }
  return { columns, rows: rows(), damaged: skipDamaged };
}

async function open(dir: string, skipDamaged: boolean): Promise<DuckDBInstance> {
  if (!existsSync(dir))
    throw new RegateError("DATA_DIR", {
      detail: `There is no decision log in ${dir}.`,
      hint: "Name the gate's folder by --data-dir, or its configuration by --config.",
    });
  const files = listSegments(dir).map((number) => resolve(join(dir, segmentName(number))));
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  await connection.run("SET temp_directory = ''");
  await connection.run(`SET allowed_paths = [${files.map(literal).join(", ")}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run(`CREATE VIEW events AS ${files.length === 0 ? noEvents() : readEvents(files, skipDamaged)}`);
  for (const view of [decisions, outcomes, approvals]) await connection.run(view);
  await connection.run("SET lock_configuration = true");
  connection.closeSync();
  return instance;
}

/** The members of an event, whatever a line lacks: the columns never depend on what the log happens to hold. */
const members = {
  decision_id: "VARCHAR",
  path: "VARCHAR",
  timestamp: "TIMESTAMP",
  labels: "JSON",
  bundles: "JSON",
  requested_by: "VARCHAR",
  input: "JSON",
  result: "JSON",
  metrics: "JSON",
  custom: "JSON",
} as const;

/** Bytes of the longest line that is read. */
const longestLine = 64 * 1024 * 1024;

function readEvents(files: readonly string[], skipDamaged: boolean): string {
  const columns = Object.entries(members).map(([name, type]) => `${name}: '${type}'`);
  return `SELECT * FROM read_json([${files.map(literal).join(", ")}], format = 'newline_delimited', columns = {${columns.join(", ")}},
    maximum_object_size = ${longestLine}, ignore_errors = ${skipDamaged})${skipDamaged ? " WHERE path IS NOT NULL" : ""}`;
}

function noEvents(): string {
  return `SELECT ${Object.entries(members)
    .map(([name, type]) => `NULL::${type} AS ${name}`)
    .join(", ")} WHERE false`;
}

const session = "custom->>'session' AS session, (custom->>'sequence')::BIGINT AS sequence";
const names = (path: string, parts: readonly string[]): string =>
  `list_sort(list_distinct(list_transform((input->'$.command.statements[*].${path}[*]')::JSON[], lambda x: concat_ws('.', ${parts.map((part) => `x->>'${part}'`).join(", ")}))))`;

const decisions = `CREATE VIEW decisions AS SELECT
  timestamp, decision_id, ${session}, custom->>'mode' AS mode, input->>'stage' AS stage,
  input->>'$.identity.subject' AS subject, input->>'$.identity.kind' AS kind, (input->'$.identity.actors')::VARCHAR[] AS actors,
  (input->'$.identity.groups')::VARCHAR[] AS groups,
  input->>'$.resource.name' AS resource, input->>'$.resource.environment' AS environment,
  input->>'$.command.text' AS text, input->>'$.command.statements[*].verb' AS verbs, input->>'$.command.statements[*].class' AS classes,
  ${names("relations", ["schema", "name"])} AS relations,
  ${names("columns", ["schema", "table", "column"])} AS columns,
  ${names("outputs[*].sources", ["schema", "table", "column"])} AS output_columns,
  result->>'action' AS action, result->>'$.reasons[0].code' AS reason, result->>'$.reasons[*].code' AS reasons,
  result->>'$.reasons[0].message' AS message, result->'masks' AS masks,
  bundles->>'$.regate.revision' AS revision, requested_by AS client,
  (metrics->>'timer_rego_query_eval_ns')::BIGINT AS evaluation_ns, input, result
  FROM events WHERE path = 'regate/decision'`;

const outcomes = `CREATE VIEW outcomes AS SELECT
  timestamp, decision_id, ${session}, result->>'status' AS status, (result->>'rows')::BIGINT AS rows, (result->>'bytes')::BIGINT AS bytes,
  (result->>'masked_cells')::BIGINT AS masked_cells, result->>'sqlstate' AS sqlstate, result->>'tag' AS tag,
  (result->>'duration_us')::BIGINT AS duration_us
  FROM events WHERE path = 'regate/outcome'`;

const approvals = `CREATE VIEW approvals AS SELECT
  timestamp, decision_id, ${session}, result->>'id' AS id, result->>'state' AS state, (result->'decided_by')::VARCHAR[] AS decided_by,
  result->>'comment' AS comment
  FROM events WHERE path = 'regate/approval'`;

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function fromJson(cell: Json): Json {
  return typeof cell === "string" ? (JSON.parse(cell) as Json) : cell;
}

const whole: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
]);

function exact(type: DuckDBTypeId): (cell: Json) => Json {
  if (!whole.has(type)) return (cell) => cell;
  return (cell) => (typeof cell === "string" && Number.isSafeInteger(Number(cell)) ? Number(cell) : cell);
}

function refused(error: unknown): RegateError {
  if (error instanceof RegateError) return error;
  return new RegateError("USAGE", {
    message: "The query was refused",
    detail: errorText(error),
    hint: 'Try: regate log query "DESCRIBE decisions"; the views are decisions, outcomes, approvals, events.',
    cause: error,
  });
}
