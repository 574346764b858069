// Reads a corpus: statements that end with a semicolon at the end of a line; `-- since 15` and `-- until 15` above one bound the servers that it is for.
import { readdirSync, readFileSync } from "node:fs";

export type CorpusStatement = {
  readonly text: string;
  /** The first and the last major version of the server that accept it. */
  readonly since: number;
  readonly until: number;
};

const folder = new URL("./", import.meta.url);

/** The names of the corpora. */
export const corpora: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith(".sql"))
  .map((file) => file.slice(0, -".sql".length))
  .sort();

/** The statements of a corpus that a server of this major version accepts, in order: later ones need what earlier ones create. */
export function statementsOf(corpus: string, major: number): readonly CorpusStatement[] {
  return readAll(corpus).filter(({ since, until }) => since <= major && major <= until);
}

function readAll(corpus: string): CorpusStatement[] {
  const statements: CorpusStatement[] = [];
  let lines: string[] = [];
  let bounds = { since: 0, until: Number.POSITIVE_INFINITY };
  for (const line of readFileSync(new URL(`${corpus}.sql`, folder), "utf8").split("\n")) {
    const bound = /^-- (since|until) (\d+)$/.exec(line);
    if (bound !== null) bounds = { ...bounds, [bound[1]!]: Number(bound[2]) };
    if (line.startsWith("--") || (line === "" && lines.length === 0)) continue;
    lines.push(line);
    if (!line.endsWith(";")) continue;
    statements.push({ text: lines.join("\n").slice(0, -1), ...bounds });
    lines = [];
    bounds = { since: 0, until: Number.POSITIVE_INFINITY };
  }
  if (lines.length > 0) throw new Error(`${corpus}: its last statement has no end: ${lines[0]}`);
  return statements;
}
