// Settings of a client's own, such as app.user_id: names with a dot that mean nothing to the server, nor to any code in the database.
import type { Rows } from "./catalog-store.ts";

/** Parts of the catalog that hold code as it is written. "" is what was locked away when it was read. */
const CODE = ["policies", "views", "rules", "triggers", "attached", "computed", "textBodies", "boundBodies"] as const;
/** Every way to read a setting by its name. */
const READS = /current_setting|show_all_settings|pg_settings|\bshow\b/i;
/** What is written in these languages is in CODE, or is the server's own. */
const SEEN: ReadonlySet<string | null> = new Set(["sql", "plpgsql", "internal"]);

/** Does anything that users made read settings, or may it? `rows.functions`: see catalog-rows.ts. */
export function readsSettings(rows: Rows): boolean {
  return (
    CODE.some((part) =>
      rows[part].some((row) => row.some((text) => text === "" || (text !== null && READS.test(text)))),
    ) || rows.functions.some((row) => row[1] !== "pg_catalog" && row[15] !== "t" && !SEEN.has(row[3]!))
  );
}

/** Modules of PostgreSQL's and others' whose settings have the module's name before the dot. A module may be loaded at any time. */
const MODULES: ReadonlySet<string> = new Set(
  `age anon auth_delay auto_explain azure basebackup_to_shell basic_archive bdr citus cloudsql credcheck cron dblink edb hnsw isn ivfflat neon orafce
  passwordcheck pg_background pg_cron pg_hint_plan pg_ivm pg_partman_bgw pg_plan_advice pg_overexplain pg_prewarm pg_repack pg_search pg_stat_kcache
  pg_stat_monitor pg_stat_statements pg_tle pg_trgm pg_wait_sampling pgaudit pgcrypto pglogical pgml pgq pgroonga pgsodium plcoffee pljava plls plperl
  plpgsql plpython plpython3 plr plrust pltcl plv8 postgis postgres_fdw powa rds repack rum sepgsql set_user supautils timescaledb vault zombodb`.split(
    /\s+/,
  ),
);

/** `name`: in lower case. */
export function isOwnName(name: string): boolean {
  const dot = name.indexOf(".");
  return dot > 0 && !MODULES.has(name.slice(0, dot));
}
