// Names of schemas, relations and columns as people write them in data: parts with dots between, quoted as in SQL where that is needed.

/** `schema.table.column`; a part that holds a dot is quoted as in SQL: `"my.schema".t.c`. One to three parts. `fold`: as an identifier in SQL. */
export function splitName(key: string, fold = false): string[] | undefined {
  const parts: string[] = [];
  let rest = key;
  for (;;) {
    const match = /^(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/.exec(rest);
    if (match === null) return undefined;
    parts.push(match[1] === undefined ? (fold ? match[2]!.toLowerCase() : match[2]!) : match[1].replaceAll('""', '"'));
    if (match[3] === "") break;
    rest = rest.slice(match[0].length);
  }
  return parts.length <= 3 ? parts : undefined;
}
