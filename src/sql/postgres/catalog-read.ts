// Reads the rows of a catalog in one snapshot of the server.
import { errorText, RegateError } from "../../errors.ts";
import {
  CATALOG_QUERIES,
  type CatalogPart,
  FIRST_NORMAL_OID,
  type Owner,
  type Owners,
  type PartName,
  queryFor,
} from "./catalog-rows.ts";
import { CatalogStore, type Change, Gatherer, PART_NAMES, type Row, type Unit } from "./catalog-store.ts";
import { type Difference, groupOf, readVersions, type Versions } from "./catalog-versions.ts";
import type { CatalogQuery } from "./catalog.ts";

/** The transaction that is open, and its search_path (which must begin with pg_catalog), are somebody else's and stay. */
export type Where = "within a transaction" | undefined;

/** A store, and the versions of the server's rows that it was read at. */
export type Reading = { readonly store: CatalogStore; readonly versions: Versions };

/**
 * Reads a catalog. Given an earlier reading of the same database (with the same server process behind it) it reads what has changed since.
 * @throws RegateError CATALOG_UNAVAILABLE
 */
export function readStore(query: CatalogQuery, earlier?: Reading, where?: Where): Promise<Reading> {
  const read = async (): Promise<Reading> => {
    const { versions, difference } = await readVersions(query, earlier?.versions);
    const changed = difference === undefined ? undefined : await readChanged(query, earlier!.store, difference, where);
    return { store: changed ?? (await readWhole(query, where)), versions };
  };
  return where === undefined ? inOneSnapshot(query, read) : read();
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

/** Undefined: so much has changed that the whole must be read. */
async function readChanged(
  query: CatalogQuery,
  store: CatalogStore,
  difference: Difference,
  where: Where,
): Promise<CatalogStore | undefined> {
  const texts = new Map<string, string>();
  const changes: Change[] = [];
  const changed = new Map<Owner, Set<number>>();
  for (const of of OWNERS) changed.set(of, new Set(difference.changed.get(of)));
  for (const name of PART_NAMES) {
    if (CATALOG_QUERIES[name].of !== "database") continue;
    const units = await readPart(query, name, where, texts);
    changes.push({ name, owners: [0], units });
  }
  const anew = store.with(changes);
  // The names of schemas and languages stand in the rows of others.
  if (renamed(store, anew, "schemas") || renamed(store, anew, "languages")) return undefined;
  const own = [...changed].flatMap(([of, owners]) => (of === "database" ? [] : [...owners]));
  // Nothing is said to depend on what the server cannot do without.
  if (own.some((oid) => oid < FIRST_NORMAL_OID)) return undefined;
  for (const [of, groups] of difference.gone)
    for (const name of PART_NAMES)
      if (CATALOG_QUERIES[name].of === of)
        for (const owner of store.owners(name)) if (groups.has(groupOf(owner))) changed.get(of)!.add(owner);
  for (const [of, oid] of await query(dependentsSql(changed))) changed.get(of as Owner)?.add(Number(oid));
  // What was locked away may be there now.
  for (const name of PART_NAMES) {
    const part: CatalogPart = CATALOG_QUERIES[name];
    if (part.locked !== undefined) for (const owner of store.lockedAway(name)) changed.get(part.of)!.add(owner);
  }
  for (const name of PART_NAMES) {
    const owners = [...changed.get(CATALOG_QUERIES[name].of)!];
    if (CATALOG_QUERIES[name].of === "database" || owners.length === 0) continue;
    if (owners.length > MOST_CHANGED) return undefined;
    changes.push({ name, owners, units: await readPart(query, name, where, texts, owners) });
  }
  return store.with(changes);
}
const OWNERS: readonly Owner[] = ["relation", "function", "type", "operator", "cast", "database"];
const MOST_CHANGED = 20_000;

function renamed(before: CatalogStore, after: CatalogStore, name: "schemas" | "languages"): boolean {
  const names = new Map(after.of(name, 0).map((row) => [row[0], row[1]]));
  return before.of(name, 0).some(([oid, called]) => names.has(oid!) && names.get(oid!) !== called);
}

/**
 * What is written down with the names of changed objects or the columns of their row types, and what was computed from them: whatever the
 * server says depends on them, and the tables of changed indexes.
 */
function dependentsSql(changed: ReadonlyMap<Owner, ReadonlySet<number>>): string {
  const classes: readonly (readonly [Owner, string])[] = [
    ["relation", "pg_class"],
    ["function", "pg_proc"],
    ["type", "pg_type"],
    ["operator", "pg_operator"],
  ];
  const values = classes.flatMap(([of, catalog]) =>
    [...changed.get(of)!].map((oid) => `('${catalog}'::regclass::oid, ${oid}::oid)`),
  );
  const relations = [...changed.get("relation")!];
  return `
    WITH named (class, oid) AS (VALUES ${["(0::oid, 0::oid)", ...values].join(", ")}),
    changed AS (SELECT * FROM named UNION SELECT 'pg_type'::regclass, unnest(ARRAY[t.oid, t.typarray]) FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
      WHERE c.oid = ANY ('{${relations.join(",")}}'::oid[])),
    d AS MATERIALIZED (SELECT DISTINCT p.classid, p.objid FROM changed JOIN pg_depend p ON p.refclassid = changed.class AND p.refobjid = changed.oid)
    SELECT 'relation', ev_class FROM d JOIN pg_rewrite r ON r.oid = d.objid WHERE classid = 'pg_rewrite'::regclass
    UNION SELECT 'relation', tgrelid FROM d JOIN pg_trigger t ON t.oid = d.objid WHERE classid = 'pg_trigger'::regclass
    UNION SELECT 'relation', conrelid FROM d JOIN pg_constraint c ON c.oid = d.objid WHERE classid = 'pg_constraint'::regclass AND conrelid <> 0
    UNION SELECT 'type', contypid FROM d JOIN pg_constraint c ON c.oid = d.objid WHERE classid = 'pg_constraint'::regclass AND contypid <> 0
    UNION SELECT 'relation', adrelid FROM d JOIN pg_attrdef a ON a.oid = d.objid WHERE classid = 'pg_attrdef'::regclass
    UNION SELECT 'relation', polrelid FROM d JOIN pg_policy p ON p.oid = d.objid WHERE classid = 'pg_policy'::regclass
    UNION SELECT 'relation', objid FROM d WHERE classid = 'pg_class'::regclass
    UNION SELECT 'relation', indrelid FROM d JOIN pg_index i ON i.indexrelid = d.objid WHERE classid = 'pg_class'::regclass
    UNION SELECT 'relation', indrelid FROM pg_index WHERE indexrelid = ANY ('{${relations.join(",")}}'::oid[])
    UNION SELECT 'function', objid FROM d WHERE classid = 'pg_proc'::regclass
    UNION SELECT 'type', objid FROM d WHERE classid = 'pg_type'::regclass
    UNION SELECT 'operator', objid FROM d WHERE classid = 'pg_operator'::regclass
    UNION SELECT 'cast', objid FROM d WHERE classid = 'pg_cast'::regclass`;
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
  if (part.locked === undefined) await readRows(query, queryFor(part.sql, { only: owners }), where, add);
  else {
    const read = async (sql: string, of: Owners): Promise<void> => {
      // What breaks off has added nothing.
      const rows: Row[] = [];
      await readRows(query, queryFor(sql, of), where, (row) => rows.push(row));
      for (const row of rows) add(row);
    };
    await readTexts(query, part.sql, part.locked, read, owners);
  }
  return gatherer.end().units;
}

/** Texts that the server writes: those that it cannot write now are left out, and no others. */
async function readTexts(
  query: CatalogQuery,
  sql: string,
  without: string,
  read: (sql: string, of: Owners) => Promise<void>,
  owners: readonly number[] | undefined,
): Promise<void> {
  // Of what somebody has locked away nothing is asked that would wait for it.
  const locked = new Set((await query(lockedSql)).map((row) => Number(row[0])));
  const away = owners === undefined ? [...locked] : owners.filter((owner) => locked.has(owner));
  if (away.length > 0) await read(without, { only: away });
  const others = owners?.filter((owner) => !locked.has(owner));
  if (await attempt(query, () => read(sql, { only: others, except: owners === undefined ? away : [] }))) return;
  const asked = others ?? (await query(queryFor(without, { except: away }))).map((row) => Number(row[0]));
  // Something was locked just now, or cannot be written at all: it is searched for, with an end.
  let failures = 0;
  const search = async (some: readonly number[]): Promise<void> => {
    if (some.length === 0) return;
    if (failures < MOST_FAILURES && (await attempt(query, () => read(sql, { only: some })))) return;
    failures++;
    if (some.length === 1 || failures >= MOST_FAILURES) return read(without, { only: some });
    await search(some.slice(0, some.length >> 1));
    await search(some.slice(some.length >> 1));
  };
  await search([...new Set(asked)]);
}
const MOST_FAILURES = 40;

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
