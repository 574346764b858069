// The protocol paths: how a statement, or several, can be sent. Each makes the same frames of the same texts.
import { bind, close, copyData, copyDone, describe, execute, flush, parse, query, sync } from "../support/wire.ts";
import type { Choices } from "../sql/postgres/generator/choices.ts";

export type Way = {
  readonly name: string;
  /** How often it is taken. */
  readonly weight: number;
  /** For several statements that belong together, too. */
  readonly several: boolean;
  /** Something of it may stay in the session. */
  readonly stays?: boolean;
  readonly frames: (texts: readonly string[], choices: Choices) => readonly Buffer[];
};

const TEXT = 25;
/** Parameters are texts; a statement has one, `$1`, or none. */
const values = (text: string): string[] => (text.includes("$1") ? ["a"] : []);
const types = (text: string): number[] => values(text).map(() => TEXT);
const prepared = (name: string, text: string): Buffer => parse(name, text, types(text));
const bound = (portal: string, name: string, text: string, binary = false): Buffer =>
  bind(portal, name, values(text), [], binary ? [1] : []);
/** For where no parameter can be given. */
const fixed = (text: string): string => text.replaceAll("$1::text", "'a'::text");
const simply = (texts: readonly string[]): Buffer[] => texts.map((text) => query(fixed(text)));
const rolledBack = (...texts: string[]): Buffer[] => simply(["BEGIN", ...texts, "ROLLBACK"]);
const one = (name: string, weight: number, frames: (text: string, choices: Choices) => readonly Buffer[]): Way => ({
  name,
  weight,
  several: false,
  frames: ([text], choices) => frames(text!, choices),
});

const EXPLAINS = [
  "",
  "(VERBOSE)",
  "(VERBOSE, FORMAT json)",
  "(COSTS off)",
  "(ANALYZE, TIMING off, SUMMARY off, BUFFERS off)",
  "(ANALYZE, TIMING off, SUMMARY off, BUFFERS off, WAL, FORMAT yaml)",
  "(FORMAT xml)",
];
const COPIES = [
  "",
  "(FORMAT csv)",
  "(FORMAT csv, HEADER, FORCE_QUOTE *)",
  "(FORMAT binary)",
  "(NULL 'x')",
  "(DELIMITER '|')",
];

export const ways: readonly Way[] = [
  { name: "simple", weight: 14, several: true, frames: (texts) => simply(texts) },
  { name: "one text", weight: 5, several: true, frames: (texts) => simply([[...texts, "SELECT 1"].join("; ")]) },
  {
    name: "extended text",
    weight: 10,
    several: true,
    frames: (texts) =>
      texts.flatMap((text) => [prepared("", text), bound("", "", text), describe("P", ""), execute(""), sync()]),
  },
  {
    name: "extended binary",
    weight: 10,
    several: true,
    frames: (texts) =>
      texts.flatMap((text) => [prepared("", text), bound("", "", text, true), describe("P", ""), execute(""), sync()]),
  },
  {
    name: "pipeline",
    weight: 6,
    several: true,
    frames: (texts, choices) => [
      ...texts.flatMap((text) => [
        prepared("", text),
        bound("", "", text, choices.chance(50)),
        execute("", choices.pick([0, 0, 1])),
        ...(choices.chance(20) ? [flush()] : []),
      ]),
      prepared("", "SELECT 'behind'"),
      bound("", "", ""),
      execute(""),
      sync(),
    ],
  },
  one("prepared, often", 6, (text, choices) => [
    prepared("again", text),
    describe("S", "again"),
    sync(),
    ...Array.from({ length: 7 }, (_, at) => [bound("", "again", text, at % 2 === 1), execute(""), sync()]).flat(),
    ...(choices.chance(50) ? [prepared("again", text), sync()] : []),
    close("S", "again"),
    sync(),
  ]),
  {
    ...one("PREPARE", 5, (text) => [
      ...simply([
        `PREPARE again AS ${fixed(text)}`,
        "EXECUTE again",
        "EXECUTE again",
        "EXPLAIN EXECUTE again",
        "CREATE TEMP TABLE kept AS EXECUTE again",
        "TABLE kept",
        "DROP TABLE IF EXISTS kept",
      ]),
      bind("", "again", [], [], [1]),
      execute(""),
      sync(),
      query("DEALLOCATE again"),
    ]),
    stays: true,
  },
  one("DECLARE", 6, (text, choices) =>
    rolledBack(
      `DECLARE held ${choices.pick(["", "SCROLL ", "NO SCROLL ", "BINARY ", "INSENSITIVE "])}CURSOR ${choices.pick(["", "WITH HOLD "])}FOR ${text}`,
      "FETCH 1 FROM held",
      choices.pick(["MOVE held", "FETCH 0 FROM held", "FETCH PRIOR FROM held"]),
      "FETCH ALL FROM held",
      choices.pick(["CLOSE held", "FETCH BACKWARD ALL FROM held", "MOVE ABSOLUTE 1 FROM held"]),
    ),
  ),
  one("portal", 6, (text, choices) => [
    query("BEGIN"),
    prepared("", text),
    bound("held", "", text, choices.chance(50)),
    describe("P", "held"),
    execute("held", 1),
    execute("held", 1),
    sync(),
    execute("held", 0),
    sync(),
    query("FETCH ALL FROM held"),
    query("ROLLBACK"),
  ]),
  one("COPY", 7, (text, choices) => simply([`COPY (${text}) TO STDOUT ${choices.pick(COPIES)}`])),
  one("extended COPY", 2, (text, choices) => {
    const copy = `COPY (${fixed(text)}) TO STDOUT ${choices.pick(COPIES)}`;
    return [parse("", copy), bind("", ""), describe("P", ""), execute(""), sync()];
  }),
  one("EXPLAIN", 6, (text, choices) => rolledBack(`EXPLAIN ${choices.pick(EXPLAINS)} ${text}`)),
  one("transaction", 5, (text, choices) =>
    rolledBack(
      choices.pick(["SAVEPOINT s", "SELECT 1", "SELECT 1/0"]),
      text,
      choices.pick(["ROLLBACK TO s", "RELEASE s", "SELECT 2"]),
      text,
    ),
  ),
  one("temporary table", 6, (text, choices) =>
    rolledBack(
      choices.pick([`CREATE TEMP TABLE kept AS ${text}`, `CREATE TEMP TABLE kept AS ${text} WITH NO DATA`]),
      `INSERT INTO kept ${text}`,
      "TABLE kept",
      "SELECT kept::text, to_jsonb(kept), length(kept::text) FROM kept",
      "SELECT kept FROM kept ORDER BY kept::text",
      choices.pick([
        "COPY kept TO STDOUT",
        "DELETE FROM kept RETURNING *",
        "ANALYZE kept",
        "SELECT * INTO TEMP other FROM kept",
      ]),
      "SELECT count(*), max(kept::text) FROM kept",
    ),
  ),
  one("view", 4, (text, choices) => {
    const kind = choices.pick(["TEMP VIEW", "VIEW", "MATERIALIZED VIEW"]);
    const name = kind === "TEMP VIEW" ? "shown" : "own.shown";
    return rolledBack(
      `CREATE ${kind} ${name} AS ${text}`,
      `SELECT * FROM ${name}`,
      `SELECT to_jsonb(s) FROM ${name} s`,
      `COPY (SELECT * FROM ${name}) TO STDOUT`,
    );
  }),
  one("SQL function", 3, (text, choices) =>
    rolledBack(
      choices.chance(50)
        ? `CREATE FUNCTION own.told() RETURNS text LANGUAGE sql AS $body$ SELECT x::text FROM (${fixed(text)}) x $body$`
        : `CREATE FUNCTION own.told() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT x::text FROM (${fixed(text)}) x; END`,
      "SELECT own.told()",
      "SELECT * FROM own.told() AS t(v) WHERE v IS NOT NULL",
      "CREATE TEMP TABLE kept AS SELECT own.told()",
      "TABLE kept",
    ),
  ),
  one("PL/pgSQL", 4, (text, choices) =>
    rolledBack(
      `DO $body$ DECLARE r record; BEGIN FOR r IN ${fixed(text)} LOOP ${choices.pick([
        "RAISE NOTICE 'row %', r;",
        "PERFORM set_config('own.row', r::text, false);",
        "INSERT INTO own.sink (v) VALUES (r::text);",
        "PERFORM pg_notify('told', r::text);",
        "RAISE EXCEPTION USING ERRCODE = '22000', MESSAGE = r::text, COLUMN = r::text;",
      ])} END LOOP; END $body$`,
      "SELECT current_setting('own.row', true)",
      "SELECT v FROM own.sink",
    ),
  ),
  one("INSERT … SELECT", 4, (text) =>
    rolledBack(
      `INSERT INTO own.sink (v) SELECT x::text FROM (${text}) x RETURNING v, length(v)`,
      "SELECT v FROM own.sink ORDER BY v",
      `WITH w AS (INSERT INTO own.sink (j) SELECT to_jsonb(x) FROM (${text}) x RETURNING j) SELECT * FROM w`,
      "SELECT j, count(*) FROM own.sink GROUP BY j ORDER BY 2, 1",
    ),
  ),
  one("COPY FROM", 2, (text) => [
    query("BEGIN"),
    query("COPY own.strict FROM STDIN"),
    copyData("1\ta\t1\n2\tb\t0\n"),
    copyDone(),
    query(fixed(text)),
    query("ROLLBACK"),
    query("BEGIN"),
    query("COPY public.customers (id, name, email) FROM STDIN (FORMAT csv)"),
    copyData("77,Zoe,zoe\n"),
    copyDone(),
    query(fixed(text)),
    query("ROLLBACK"),
  ]),
];
