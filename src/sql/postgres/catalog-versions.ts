// Which objects of a database changed since its catalog was read: told by the versions of the server's own rows.
//
// A row version that is visible now and was not visible to an earlier snapshot was written by a transaction that the earlier snapshot had
// not seen end: its xmin is in the window from that snapshot's xmin on (transactions that began before it and were committed after it
// included). All other visible rows were visible before; so if as many of them are left as there were, none is gone.
import { FIRST_NORMAL_OID, type Owner } from "./catalog-rows.ts";
import type { CatalogQuery } from "./catalog.ts";

type Watched = {
  readonly of: Owner;
  readonly catalog: string;
  readonly owner: string;
  /** Tells rows of one owner apart. */
  readonly row: string;
  readonly where?: string;
  /** Its rows go only together with another watched row of their owner. */
  readonly follows?: true;
};

/** The rows of the server on which what is read of an owner depends. */
const WATCHED: readonly Watched[] = [
  { of: "relation", catalog: "pg_class", owner: "oid", row: "oid" },
  { of: "relation", catalog: "pg_attribute", owner: "attrelid", row: "attnum", follows: true },
  { of: "relation", catalog: "pg_attrdef", owner: "adrelid", row: "oid", follows: true },
  { of: "relation", catalog: "pg_index", owner: "indrelid", row: "indexrelid" },
  { of: "relation", catalog: "pg_constraint", owner: "conrelid", row: "oid", where: "conrelid <> 0" },
  { of: "relation", catalog: "pg_trigger", owner: "tgrelid", row: "oid", where: "NOT tgisinternal" },
  { of: "relation", catalog: "pg_rewrite", owner: "ev_class", row: "oid" },
  { of: "relation", catalog: "pg_inherits", owner: "inhrelid", row: "inhparent" },
  { of: "relation", catalog: "pg_policy", owner: "polrelid", row: "oid" },
  { of: "relation", catalog: "pg_partitioned_table", owner: "partrelid", row: "partrelid" },
  { of: "relation", catalog: "pg_foreign_table", owner: "ftrelid", row: "ftrelid" },
  { of: "type", catalog: "pg_type", owner: "oid", row: "oid" },
  { of: "type", catalog: "pg_constraint", owner: "contypid", row: "oid", where: "contypid <> 0" },
  { of: "type", catalog: "pg_range", owner: "rngtypid", row: "rngtypid" },
  { of: "function", catalog: "pg_proc", owner: "oid", row: "oid" },
  { of: "function", catalog: "pg_aggregate", owner: "aggfnoid::oid", row: "aggfnoid::oid" },
  {
    of: "function",
    catalog: "pg_depend",
    owner: "objid",
    row: "refobjid",
    where: "classid = 'pg_proc'::regclass AND deptype = 'e'",
  },
  { of: "operator", catalog: "pg_operator", owner: "oid", row: "oid" },
  { of: "cast", catalog: "pg_cast", owner: "oid", row: "oid" },
  { of: "database", catalog: "pg_namespace", owner: "oid", row: "oid" },
  { of: "database", catalog: "pg_language", owner: "oid", row: "oid" },
  { of: "database", catalog: "pg_extension", owner: "oid", row: "oid" },
  { of: "database", catalog: "pg_event_trigger", owner: "oid", row: "oid" },
];

/** Owners fall into this many groups, in which rows are counted to find out whose are gone. */
const GROUPS = 1024;

/** A snapshot of the server: `xmin:xmax:in,progress`. */
export type Snapshot = {
  readonly text: string;
  readonly xmin: number;
  readonly xmax: number;
  readonly running: readonly number[];
};

/** What a catalog was read at. */
export type Versions = {
  readonly snapshot: Snapshot;
  /** For each of WATCHED: rows outside of the snapshot's window, by group; of these, those that are not of the server's own objects. */
  readonly counts: readonly Int32Array[];
  readonly users: readonly number[];
  /** Row versions within the window. */
  readonly recent: readonly ReadonlySet<string>[];
  /** A digest of what has no row of its own here: roles, and which others each belongs to. */
  readonly others: string;
};

export type Difference = {
  readonly changed: ReadonlyMap<Owner, ReadonlySet<number>>;
  /** Rows went from these groups of owners. */
  readonly gone: ReadonlyMap<Owner, ReadonlySet<number>>;
  /** What belongs to the database alone has changed. */
  readonly database: boolean;
};

export const groupOf = (owner: number): number => owner % GROUPS;

function parseSnapshot(text: string): Snapshot {
  const [xmin, xmax, running] = text.split(":");
  return {
    text,
    xmin: Number(xmin),
    xmax: Number(xmax),
    running: running === "" || running === undefined ? [] : running.split(",").map(Number),
  };
}

/** Does the later snapshot see everything that the earlier one saw? (One of a transaction that began before need not.) */
export function follows(later: Snapshot, earlier: Snapshot): boolean {
  if (later.xmin < earlier.xmin || later.xmax < earlier.xmax) return false;
  // Row versions keep the lower half of their transaction's number: beyond that the window has no meaning.
  if (later.xmax - earlier.xmin > WIDEST_WINDOW) return false;
  const before = new Set(earlier.running);
  return later.running.every((xid) => xid >= earlier.xmax || before.has(xid));
}
const WIDEST_WINDOW = 2 ** 30;
/** In a transaction of its own the reader may have written rows under numbers that its snapshot does not reach. */
const OWN_NUMBERS = 1_000_000;

const othersSql = `(SELECT md5(string_agg(concat_ws(' ', oid, rolname, rolsuper, rolbypassrls, rolinherit,
  (SELECT string_agg(md5(m::text), ' ' ORDER BY md5(m::text)) FROM pg_auth_members m WHERE m.member = r.oid)), ',' ORDER BY oid)) FROM pg_roles r)`;

/** age() counts backwards from a number that is fixed for the transaction. */
const windowSql = (since: Snapshot | undefined): string => `
  WITH seen AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot),
  w AS MATERIALIZED (SELECT snapshot, age(pg_snapshot_xmax(snapshot)::xid) - ${OWN_NUMBERS} AS youngest, age(pg_snapshot_xmin(snapshot)::xid) AS oldest,
    ${since === undefined ? "age(pg_snapshot_xmin(snapshot)::xid)" : `age('${since.xmin}'::xid8::xid)`} AS since FROM seen)`;
const within = (oldest: "since" | "oldest"): string =>
  `age(xmin) BETWEEN (SELECT youngest FROM w) AND (SELECT ${oldest} FROM w)`;
const versionSql = ({ owner, row }: Watched): string => `${owner} || ':' || ${row} || ':' || xmin`;
/** What belongs to the database alone is little: all of it counts. */
const ofUsers = ({ of, owner }: Watched): string => (of === "database" ? "true" : `${owner} >= ${FIRST_NORMAL_OID}`);
const fromSql = ({ catalog, where }: Watched): string => `${catalog} WHERE ${where ?? "true"}`;

/**
 * The versions that hold now; with `since`, the query looks as far back as that, and tells what is different.
 * Undefined: the two cannot be compared.
 */
export async function readVersions(
  query: CatalogQuery,
  since: Versions | undefined,
): Promise<{ versions: Versions; difference: Difference | undefined }> {
  const parts = WATCHED.map((watched, at) => {
    const recent = `(SELECT string_agg(${versionSql(watched)}, ',') FROM ${fromSql(watched)} AND ${within("since")})`;
    const now = `(SELECT string_agg(${versionSql(watched)}, ',') FROM ${fromSql(watched)} AND ${within("oldest")})`;
    const counts =
      watched.follows === true
        ? "NULL"
        : `(SELECT string_agg(g || ' ' || s || ' ' || o || ' ' || u, ',') FROM (SELECT (${watched.owner})::int8 % ${GROUPS} AS g,
            count(*) FILTER (WHERE NOT (${within("since")})) AS s, count(*) FILTER (WHERE NOT (${within("oldest")})) AS o,
            count(*) FILTER (WHERE ${ofUsers(watched)} AND NOT (${within("oldest")})) AS u
            FROM ${fromSql(watched)} GROUP BY 1) c)`;
    return `SELECT '${at}', ${recent}, ${since === undefined ? "NULL" : now}, ${counts}`;
  });
  const rows = await query(
    `${windowSql(since?.snapshot)} SELECT snapshot::text, ${othersSql}, NULL, NULL FROM w UNION ALL ${parts.join(" UNION ALL ")}`,
  );
  const snapshot = parseSnapshot(rows[0]?.[0] ?? "");
  const recentSince: Set<string>[] = [];
  const recent: Set<string>[] = [];
  const counts: Int32Array[] = [];
  const left: Int32Array[] = [];
  const users: number[] = [];
  for (const row of rows.slice(1)) {
    const at = Number(row[0]);
    recentSince[at] = listOf(row[1]);
    recent[at] = since === undefined ? recentSince[at] : listOf(row[2]);
    counts[at] = new Int32Array(GROUPS);
    left[at] = new Int32Array(GROUPS);
    users[at] = 0;
    for (const group of listOf(row[3])) {
      const [number, survivors, old, own] = group.split(" ").map(Number) as [number, number, number, number];
      left[at]![number] = survivors;
      counts[at]![number] = old;
      users[at]! += own;
    }
  }
  const versions = { snapshot, counts, users, recent, others: rows[0]?.[1] ?? "" };
  if (since === undefined || !follows(snapshot, since.snapshot)) return { versions, difference: undefined };
  const changed = new Map<Owner, Set<number>>();
  const gone = new Map<Owner, Set<number>>();
  let database = versions.others !== since.others;
  const note = (sets: Map<Owner, Set<number>>, of: Owner, number: number): void => {
    if (of === "database") database = true;
    sets.set(of, (sets.get(of) ?? new Set()).add(number));
  };
  for (const [at, { of, follows: bound }] of WATCHED.entries()) {
    for (const version of differing(recentSince[at]!, since.recent[at]!)) note(changed, of, ownerOf(version));
    if (bound === true) continue;
    for (let group = 0; group < GROUPS; group++)
      if (left[at]![group] !== since.counts[at]![group]) note(gone, of, group);
  }
  return { versions, difference: { changed, gone, database } };
}

const checkSql = (name: string, whose: (watched: Watched) => string): string => `
  PREPARE ${name} (xid, oid[]) AS
  WITH seen AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot),
  w AS MATERIALIZED (SELECT snapshot, age(pg_snapshot_xmax(snapshot)::xid) - ${OWN_NUMBERS} AS youngest, age($1) AS since FROM seen)
  SELECT -1 AS at, snapshot::text AS recent, NULL::int8 AS count, ${othersSql} AS others FROM w
  ${WATCHED.map((watched, at) => {
    const recent = `string_agg(${versionSql(watched)}, ',')`;
    // Columns are many. Those of relations at which nobody has looked yet have not been told to anybody.
    if (watched.catalog === "pg_attribute")
      return `UNION ALL SELECT ${at}, ${recent}, 0, NULL FROM ${fromSql(watched)} AND attrelid = ANY ($2) AND ${within("since")}`;
    if (watched.follows === true)
      return `UNION ALL SELECT ${at}, ${recent}, 0, NULL FROM ${fromSql(watched)} AND ${whose(watched)} AND ${within("since")}`;
    return `UNION ALL SELECT ${at}, ${recent} FILTER (WHERE ${within("since")}), count(*), NULL FROM ${fromSql(watched)} AND ${whose(watched)}`;
  }).join("\n")}`;

/** To be run once on a connection before {@link unchanged} may be asked there: the plans are made once. */
export const PREPARE_CHECK = `
  PREPARE regate_snapshot AS SELECT pg_current_snapshot()::text;
  ${checkSql("regate_check_users", ofUsers)};
  ${checkSql("regate_check_all", () => "true")}`;

/**
 * Is all as it was when these versions were read? No is also said when it cannot be told. `looked`: the relations whose columns matter.
 * "users": without what came with the server. `snapshot`: what this was asked at.
 */
export async function unchanged(
  query: CatalogQuery,
  since: Versions,
  looked: Iterable<number>,
  whose: "users" | "all",
): Promise<{ same: boolean; snapshot: string }> {
  const columns = new Set(looked);
  const answer = await query(
    `EXECUTE regate_check_${whose}('${since.snapshot.xmin % 2 ** 32}', '{${[...columns].join(",")}}')`,
  );
  const rows = new Map(answer.map((row) => [Number(row[0]), row]));
  const [, snapshot, , others] = rows.get(-1) ?? [];
  const counts = (version: string, watched: Watched): boolean => {
    const owner = ownerOf(version);
    if (watched.catalog === "pg_attribute") return columns.has(owner);
    return whose === "all" || watched.of === "database" || owner >= FIRST_NORMAL_OID;
  };
  const same =
    follows(parseSnapshot(snapshot ?? ""), since.snapshot) &&
    others === since.others &&
    WATCHED.every((watched, at) => {
      const [, recent, count] = rows.get(at) ?? [];
      const versions = listOf(recent);
      const left = whose === "all" ? sum(since.counts[at]!) : since.users[at];
      if (watched.follows !== true && Number(count) - versions.size !== left) return false;
      return differing(versions, since.recent[at]!).every((version) => !counts(version, watched));
    });
  return { same, snapshot: snapshot ?? "" };
}

function ownerOf(version: string): number {
  return Number(version.slice(0, version.indexOf(":")));
}

/** Prepared by {@link PREPARE_CHECK}: the snapshot that a statement has now, as a text. While it is the same, no transaction has ended. */
export const SNAPSHOT = "regate_snapshot";

function sum(counts: Int32Array): number {
  let total = 0;
  for (const each of counts) total += each;
  return total;
}

function listOf(text: string | null | undefined): Set<string> {
  return new Set(text === null || text === undefined || text === "" ? [] : text.split(","));
}

function differing(left: ReadonlySet<string>, right: ReadonlySet<string>): string[] {
  return [...left].filter((each) => !right.has(each)).concat([...right].filter((each) => !left.has(each)));
}
