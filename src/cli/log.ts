// regate log: the decision log as a table, as it grows, or through SQL.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { queryLog } from "../audit/query.ts";
import { endOfLog, linesAfter, linesBefore, type Position } from "../audit/read.ts";
import { exitCodes, print } from "./exit.ts";
import { folderOf } from "./folder.ts";
import { type Entry, Entries, heading, row } from "./log-entries.ts";
import { parsed, usage } from "./options.ts";
import { oneLine, table } from "./text.ts";

const help = `regate log tail  [-n COUNT] [-f] [--json]     the last decisions (default 20); -f goes on as they are made
regate log query "SELECT …" [--json]          SQL (DuckDB) over the views decisions, outcomes, approvals and events

tail shows time, subject, action, resource, text, reason and rows; --json prints the log's own lines (OPA decision-log events).
query reads only, and sees only the log: regate log query "DESCRIBE decisions" lists the columns. --json prints one object a line.
Both take --config FILE or --data-dir FOLDER, and work while the gate runs. Exit codes: 0 done, 2 not understood, 3 no log there.
`;

const place = {
  config: { type: "string", short: "c" },
  "data-dir": { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** @returns the exit code. @throws RegateError USAGE, DATA_DIR, CONFIG_* */
export async function run(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "tail") return tail(rest);
  if (command === "query") return query(rest);
  if (command === undefined || !["help", "-h", "--help"].includes(command))
    throw usage(command === undefined ? "log: a word is missing" : `log ${command}`, help);
  process.stdout.write(help);
  return exitCodes.done;
}

async function query(args: string[]): Promise<number> {
  const { values, positionals } = parsed(args, place, help);
  if (values.help === true) return run(["--help"]);
  const [sql, more] = positionals;
  if (sql === undefined) throw usage("log query: the SELECT is missing", help);
  if (more !== undefined)
    throw usage(`log query: ${oneLine(more, 40)} is one word too many; put the SELECT in quotes`, help);
  const { columns, rows, damaged } = await queryLog(auditFolder(values), sql);
  if (damaged)
    process.stderr.write(
      "note: the log has lines that are no JSON (the torn end of a crash, say); they are not in this result\n",
    );
  if (values.json === true) {
    for await (const portion of rows) {
      for (const cells of portion)
        await print(JSON.stringify(Object.fromEntries(columns.map((name, at) => [name, cells[at]]))));
    }
    return exitCodes.done;
  }
  const shown: string[][] = [];
  for await (const portion of rows) for (const cells of portion) shown.push(cells.map(cellText));
  process.stdout.write(
    table(
      columns.map((name) => oneLine(name)),
      shown,
    ),
  );
  process.stderr.write(`${shown.length} ${shown.length === 1 ? "row" : "rows"}\n`);
  return exitCodes.done;
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  return oneLine(typeof cell === "string" ? cell : JSON.stringify(cell), process.stdout.isTTY ? 60 : undefined);
}

async function tail(args: string[]): Promise<number> {
  const { values, positionals } = parsed(
    args,
    { ...place, lines: { type: "string", short: "n" }, follow: { type: "boolean", short: "f" } },
    help,
  );
  if (values.help === true) return run(["--help"]);
  if (positionals[0] !== undefined) throw usage(`log tail: ${positionals[0]} is one word too many`, help);
  const count = values.lines === undefined ? 20 : Number(values.lines);
  if (!Number.isSafeInteger(count) || count < 0)
    throw usage(`log tail: -n takes a whole number, not ${values.lines}`, help);
  const dir = auditFolder(values);
  const position = endOfLog(dir);
  const follow = values.follow === true;
  if (values.json === true) {
    const lines = [];
    for (const line of count === 0 ? [] : linesBefore(dir, position)) if (lines.push(line) >= count) break;
    for (const line of lines.reverse()) await print(line);
    if (follow) await each(dir, position, print);
    return exitCodes.done;
  }
  const entries = new Entries();
  for (const line of lastDecisions(dir, position, count)) entries.add(line);
  const last = entries.take(Number.POSITIVE_INFINITY);
  const widths = heading(last);
  await print(widths.line);
  for (const entry of last) await print(row(entry, widths));
  if (follow) await followEntries(dir, position, entries, (entry) => print(row(entry, widths)));
  return exitCodes.done;
}

/** The lines from the last `count` decisions on, in the log's order. */
function lastDecisions(dir: string, end: Position, count: number): string[] {
  const lines: string[] = [];
  let decisions = 0;
  for (const line of count === 0 ? [] : linesBefore(dir, end)) {
    lines.push(line);
    if (line.includes('"path":"regate/decision"') && ++decisions >= count) break;
  }
  return lines.reverse();
}

/** Milliseconds for which a decision waits to be shown together with its outcome. */
const patience = 300;

async function followEntries(
  dir: string,
  start: Position,
  entries: Entries,
  show: (entry: Entry) => Promise<void>,
): Promise<never> {
  let position = start;
  for (;;) {
    const read = linesAfter(dir, position);
    position = read.position;
    for (const line of read.lines) entries.add(line);
    for (const entry of entries.take(Date.now() - patience)) await show(entry);
    if (read.lines.length === 0) await sleep(100);
  }
}

async function each(dir: string, start: Position, use: (line: string) => Promise<void>): Promise<never> {
  let position = start;
  for (;;) {
    const read = linesAfter(dir, position);
    position = read.position;
    for (const line of read.lines) await use(line);
    if (read.lines.length === 0) await sleep(100);
  }
}

function auditFolder(values: {
  readonly config?: string | undefined;
  readonly "data-dir"?: string | undefined;
}): string {
  return join(folderOf(values).dataDir, "audit");
}
