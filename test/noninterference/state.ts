// What is stored on either server, but for the protected cells: a statement must not have carried one of them elsewhere.
import { isProtected } from "./protected.ts";
import type { Server } from "./sides.ts";

const OWN = "n.nspname IN ('public', 'hr', 'app', 'lab', 'own')";
/** Views and what is computed from protected cells differ by themselves. */
const COLUMNS = `SELECT n.nspname, c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE ${OWN} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY 1, 2, a.attnum`;
const ELSEWHERE = [
  "SELECT loid, pageno, data FROM pg_largeobject ORDER BY 1, 2",
  "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2",
  "SELECT classoid, objsubid, description FROM pg_description WHERE objoid > 16384 ORDER BY 1, 2, 3",
  "SELECT count(*) FROM pg_class",
];

/** Undefined: none. */
export async function stateDifference(servers: readonly [Server, Server]): Promise<string | undefined> {
  const tables = new Map<string, string[]>();
  for (const { nspname, relname, attname } of (await servers[0].admin.query(COLUMNS)).rows) {
    const name = `${quote(nspname)}.${quote(relname)}`;
    tables.set(name, [
      ...(tables.get(name) ?? []),
      ...(isProtected(nspname, relname, attname) ? [] : [quote(attname)]),
    ]);
  }
  const questions = [...tables].map(
    ([name, columns]) => `SELECT ${columns.map((column) => `${column}::text`).join(", ")} FROM ONLY ${name}`,
  );
  for (const question of [...questions, ...ELSEWHERE]) {
    const [left, right] = await Promise.all(
      servers.map(async ({ admin }) => JSON.stringify((await admin.query(question)).rows)),
    );
    if (left !== right) return `${question}: ${left} on the left, ${right} on the right`;
  }
  return undefined;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
