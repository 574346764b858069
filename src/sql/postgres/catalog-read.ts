// Reads the rows of a catalog in one snapshot of the server.
import { errorText, RegateError } from "../../errors.ts";
import { CATALOG_QUERIES, type CatalogPart, type PartName, queryFor } from "./catalog-rows.ts";
import { CatalogStore, Gatherer, PART_NAMES, type Row, type Unit } from "./catalog-store.ts";
import type { CatalogQuery } from "./catalog.ts";

/** The transaction that is open, and its search_path (which must begin with pg_catalog), are somebody else's and stay. */
export type Where = "within a transaction" | undefined;

/** @throws RegateError CATALOG_UNAVAILABLE */
export async function readStore(query: CatalogQuery, where: Where): Promise<CatalogStore> {
  return where === undefined ? inOneSnapshot(query, () => readWhole(query, where)) : readWhole(query, where);
}

/** The path is emptied first, so that the server qualifies every name that it writes. @throws RegateError CATALOG_UNAVAILABLE */
async function inOneSnapshot<T>(query: CatalogQuery, read: () => Promise<T>): Promise<T> {
  try {
    await query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    try {
      await query("SET LOCAL search_path = ''");
      // To write a view down the server locks what it reads: somebody's open transaction must not hold up everybody.
      await query("SET LOCAL lock_timeout = '250ms'");
      return await read();
    } finally {
      await query("COMMIT");
    }
  } catch (thrown) {
    if (thrown instanceof RegateError) throw thrown;
    throw new RegateError("CATALOG_UNAVAILABLE", { detail: errorText(thrown), cause: thrown });
  }
}

async function readWhole(query: CatalogQuery, where: Where): Promise<CatalogStore> {
  const serverVersion = Number((await query("SELECT current_setting('server_version_num')"))[0]?.[0]);
  const texts = new Map<string, string>();
  const parts: Partial<Record<PartName, ReadonlyMap<number, Unit>>> = {};
  for (const name of PART_NAMES) parts[name] = await readPart(query, name, where, texts);
  return new CatalogStore(serverVersion, parts as Record<PartName, ReadonlyMap<number, Unit>>);
}

/** One part, of all owners or of these. */
async function readPart(
  query: CatalogQuery,
  name: PartName,
  where: Where,
  texts: Map<string, string>,
  owners?: readonly number[],
): Promise<ReadonlyMap<number, Unit>> {
  const part: CatalogPart = CATALOG_QUERIES[name];
  const gatherer = new Gatherer(part.of, texts);
  const add = (row: Row): void => gatherer.add(row);
  const read = (sql: string): Promise<void> => readRows(query, sql, where, add);
  if (part.locked === undefined) await read(queryFor(part.sql, { only: owners }));
  else {
    const locked = new Set((await query(lockedSql)).map((row) => Number(row[0])));
    // Of what a writer has locked away nothing is asked that would wait for it.
    if (!(await attempt(query, () => read(queryFor(part.sql, { only: owners, except: [...locked] })))))
      return (await readLocked(query, part, where, texts, owners)).end().units;
    const away = owners === undefined ? [...locked] : owners.filter((owner) => locked.has(owner));
    if (away.length > 0) await read(queryFor(part.locked, { only: away }));
  }
  return gatherer.end().units;
}

/** Somebody locked something just now: for the moment nothing of this kind is written down. */
async function readLocked(
  query: CatalogQuery,
  part: CatalogPart,
  where: Where,
  texts: Map<string, string>,
  owners: readonly number[] | undefined,
): Promise<Gatherer> {
  const gatherer = new Gatherer(part.of, texts);
  await readRows(query, queryFor(part.locked!, { only: owners }), where, (row) => gatherer.add(row));
  return gatherer;
}

/** A failure leaves the transaction usable. */
async function attempt(query: CatalogQuery, action: () => Promise<void>): Promise<boolean> {
  await query("SAVEPOINT regate_definitions");
  try {
    await action();
    await query("RELEASE SAVEPOINT regate_definitions");
    return true;
  } catch {
    await query("ROLLBACK TO SAVEPOINT regate_definitions; RELEASE SAVEPOINT regate_definitions");
    return false;
  }
}

/** The relations that somebody else has locked, or is about to lock, against reading, and what is written down with their names. */
const lockedSql = `
  WITH locked AS (
    SELECT relation AS oid FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
  SELECT oid FROM locked
  UNION SELECT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM locked)
  UNION SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM locked)`;

/** Rows come in portions: a whole catalog is never in memory as it is sent. In somebody else's transaction there is no place for a cursor. */
async function readRows(query: CatalogQuery, sql: string, where: Where, add: (row: Row) => void): Promise<void> {
  if (where !== undefined) {
    for (const row of await query(sql)) add(row);
    return;
  }
  await query(`DECLARE regate_rows NO SCROLL CURSOR FOR ${sql}`);
  for (;;) {
    const rows = await query(`FETCH ${PORTION} FROM regate_rows`);
    for (const row of rows) add(row);
    if (rows.length < PORTION) break;
  }
  await query("CLOSE regate_rows");
}
const PORTION = 2000;
