// Reads tables of every type with node-postgres: prints each cell that it saw (table, way, row, column, value), once. Arguments: the tables; reads PG… variables.
import { inspect } from "node:util";
import pg from "pg";

const said = new Set<string>();
function say(...parts: readonly (string | number)[]): void {
  const line = parts.join("\t");
  if (!said.has(line)) console.log(line);
  said.add(line);
}
function shown(value: unknown): string {
  if (value === null) return "NULL";
  // Of bytes that are no UTF-8 the driver has lost what they were.
  if (Buffer.isBuffer(value)) return value.includes("\ufffd") ? "LOST" : `=${value.toString("hex")}`;
  const text = inspect(value, {
    depth: null,
    compact: true,
    breakLength: Infinity,
    maxArrayLength: null,
    maxStringLength: null,
  });
  // A year that JavaScript does not have.
  return text.includes("Invalid Date") ? "LOST" : `=${text}`;
}

const client = new pg.Client();
/** It reads bytes of the binary form as UTF-8, and does not end over an array whose lengths that broke: cells are taken as they come, but for the id. */
const types = {
  getTypeParser: (oid: number) => (oid === 23 ? pg.types.getTypeParser(oid, "binary") : (value: unknown) => value),
} as never;
await client.connect();
for (const table of process.argv.slice(2)) {
  const rowsOf = async (way: string, query: pg.QueryConfig & { binary?: boolean }): Promise<number> => {
    const { rows } = await client.query<{ id: number }>(query);
    for (const { id, ...row } of rows)
      for (const [column, value] of Object.entries(row)) say(table, way, id, column, shown(value));
    return rows.length;
  };
  const ways: readonly (readonly [string, boolean])[] = [
    ["text", false],
    // Of these types the server has no binary form.
    ...(table.endsWith("_text") ? [] : ([["binary", true]] as const)),
  ];
  for (const [way, binary] of ways) {
    const form = binary ? { name: `${way} ${table}`, binary, types } : { name: `${way} ${table}` };
    const query = { ...form, text: `SELECT * FROM masked.${table} WHERE id BETWEEN $1 AND $2` };
    let rows = 0;
    for (let i = 0; i < 20; i++) rows += await rowsOf(way, { ...query, values: [0, 1] });
    for (let id = 2; id < 15; id++) rows += await rowsOf(way, { ...query, values: [id, id] });
    say(table, way, "rows", rows);
  }
  await rowsOf("simple", { text: `SELECT * FROM masked.${table}` });
  await client.query(`BEGIN; DECLARE c CURSOR FOR SELECT * FROM masked.${table} ORDER BY id`);
  while ((await rowsOf("cursor", { text: "FETCH 2 FROM c" })) > 0);
  await client.query("COMMIT");
}
await client.end();
