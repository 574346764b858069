// The server's own catalogs: each relation was looked at, and what is in the columns of users never shows in an untagged one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { isUnknownOfServer, KNOWN_RELATIONS, SECRET_COLUMNS } from "../../../src/sql/postgres/secrets.ts";
import { startRich } from "./support.ts";
import { SCOPE } from "./support.ts";

const rich = await startRich();
const { client, query } = rich;
const major = Math.floor(rich.catalog.serverVersion / 10_000);

describe("the list of known relations", () => {
  for (const [schema, list] of Object.entries(KNOWN_RELATIONS)) {
    test(`is what this server has in ${schema}`, async () => {
      const present = await query(
        `SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind IN ('r', 'v', 'm', 'f', 'p', 'S') ORDER BY 1`,
      );
      const listed = list
        .trim()
        .split(/\s+/)
        .flatMap((entry) => {
          const [name, versions = ""] = entry.split("@");
          const [first, last] = versions.split("-");
          return Number(first || 0) <= major && major <= Number(last || 99) ? [name!] : [];
        });
      assert.deepEqual(present.map(([name]) => name!).sort(), listed.sort());
    });
  }

  test("its secret columns exist, but for those of other versions", async () => {
    const absent: string[] = [];
    for (const [name, columns] of SECRET_COLUMNS) {
      const [schema, relation] = name.split(".") as [string, string];
      if (schema === "cron") continue;
      const found = rich.catalog.resolveRelation(schema, relation, []);
      if (found === undefined) absent.push(name);
      else if (!columns.includes("*"))
        for (const column of columns) if (found.column(column) === undefined) absent.push(`${name}.${column}`);
    }
    const names = (relation: string, columns: readonly string[]): string[] =>
      columns.map((column) => `pg_catalog.${relation}.${column}`);
    /** By the first version that has it. */
    const later: { readonly [major: number]: readonly string[] } = {
      14: [
        "pg_catalog.pg_stats_ext_exprs",
        "pg_catalog.pg_stat_wal",
        ...names("pg_statistic_ext_data", ["stxdexpr"]),
        "pg_catalog.pg_backend_memory_contexts",
        "pg_catalog.pg_stat_progress_copy",
      ],
      15: ["pg_catalog.pg_ident_file_mappings"],
      16: [
        "pg_catalog.pg_stat_io",
        ...["all", "sys", "user"].flatMap((which) =>
          ["pg_stat", "pg_stat_xact"].flatMap((view) => names(`${view}_${which}_tables`, ["n_tup_newpage_upd"])),
        ),
        ...["all", "sys"].flatMap((which) => [
          ...names(`pg_stat_${which}_tables`, ["last_seq_scan", "last_idx_scan"]),
          ...names(`pg_stat_${which}_indexes`, ["last_idx_scan"]),
        ]),
      ],
      17: names("pg_stats", ["range_length_histogram", "range_empty_frac", "range_bounds_histogram"]),
      18: major < 16 ? [] : names("pg_stat_io", ["read_bytes", "write_bytes"]),
    };
    const lacking = Object.entries(later).flatMap(([first, those]) => (major < Number(first) ? those : []));
    lacking.push(
      ...names("pg_stat_progress_vacuum", major < 17 ? ["num_dead_item_ids", "dead_tuple_bytes"] : ["num_dead_tuples"]),
    );
    if (major >= 18) lacking.push(...names("pg_stat_wal", ["wal_write"]));
    assert.deepEqual(absent.sort(), lacking.sort());
  });

  test("a relation that it lacks is secret as a whole, a user's of the same name elsewhere is not", async () => {
    assert.ok(isUnknownOfServer("pg_catalog", "pg_of_a_later_version"));
    assert.ok(!isUnknownOfServer("pg_catalog", "pg_class"));
    assert.ok(!isUnknownOfServer("public", "pg_of_a_later_version"));
    await client.query("SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_mine (a int)");
    await client.query("CREATE TABLE public.pg_mine (a int)");
    const catalog = await rich.load();
    await client.query("DROP TABLE pg_catalog.pg_mine, public.pg_mine; RESET allow_system_table_mods");
    assert.deepEqual(catalog.resolveRelation("pg_catalog", "pg_mine", [])?.tags, ["secret"]);
    assert.deepEqual(catalog.resolveRelation("public", "pg_mine", [])?.tags, []);
  });
});

describe("what is in users' columns", () => {
  // One value that nothing else has, in every place where the server keeps copies of values.
  const marker = "zanzibar7391";

  test("shows in no untagged column of the server's catalogs and views", async () => {
    await client.query(`CREATE TABLE marked (id int PRIMARY KEY, v text, w text)`);
    await client.query(
      `INSERT INTO marked SELECT i, '${marker}', '${marker}' || (i % 3) FROM generate_series(1, 3000) i`,
    );
    await client.query("CREATE STATISTICS marked_both (mcv, ndistinct, dependencies) ON v, w FROM marked");
    if (major >= 14) await client.query("CREATE STATISTICS marked_upper ON upper(v), lower(w) FROM marked");
    await client.query("ANALYZE marked");
    await client.query(`SELECT lo_from_bytea(0, '${marker}')`);
    const catalog = await rich.load();
    const shown = new Set<string>();
    for (const schema of Object.keys(KNOWN_RELATIONS)) {
      for (const [name] of await query(
        `SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1`,
      )) {
        const relation = catalog.resolveRelation(schema, name!, [])!;
        for (const column of relation.columns) {
          const found = await query(
            `SELECT count(*) FROM ${schema}."${name}" WHERE "${column.name}"::text ILIKE '%${marker}%' OR "${column.name}"::text LIKE '%${Buffer.from(marker).toString("hex")}%'`,
          ).catch(() => [["0"]]);
          if (found[0]![0] === "0") continue;
          shown.add(`${name}.${column.name}`);
          // A session sees the text that it is running itself.
          if (name === "pg_stat_activity") continue;
          assert.ok(column.source.tags.includes("secret"), `${schema}.${name}.${column.name}`);
        }
      }
    }
    for (const place of ["pg_statistic.stavalues1", "pg_stats.most_common_vals", "pg_largeobject.data"])
      assert.ok(shown.has(place), `${place} among ${[...shown]}`);
  });

  test("shows in no column of an array of any type that is not tagged", async () => {
    const columns = await query(
      `SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
       WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v') AND a.atttypid = 'anyarray'::regtype AND a.attnum > 0`,
    );
    assert.deepEqual(
      columns
        .filter(
          ([schema, relation, name]) =>
            !rich.catalog.resolveRelation(schema!, relation!, [])!.column(name!)!.source.tags.includes("secret"),
        )
        .map(([, relation, name]) => `${relation}.${name}`),
      [],
    );
  });
});

describe("look-alikes", () => {
  const tagsOf = (text: string): readonly string[] => {
    const { facts } = analyze(text, rich.catalog, SCOPE).statements[0]!;
    return [...new Set(facts.outputs.flatMap((output) => output.sources.flatMap((source) => source.tags)))];
  };
  for (const text of [
    "SELECT query FROM pg_stat_activity",
    "SELECT query FROM pg_stat_get_activity(NULL)",
    "SELECT pg_stat_get_backend_activity(1)",
    "SELECT objid FROM pg_locks",
    "SELECT objid FROM pg_lock_status() AS l(locktype, database, relation, page, tuple, v, t, classid, objid)",
    "SELECT lo_get(1)",
    "SELECT data FROM pg_largeobject",
    "SELECT setting FROM pg_show_all_file_settings()",
    "SELECT * FROM pg_hba_file_rules()",
    "SELECT null_frac FROM pg_stats",
    "SELECT attmissingval FROM pg_attribute",
    "SELECT stxdmcv FROM pg_statistic_ext_data",
    "SELECT m.* FROM pg_statistic_ext_data, pg_mcv_list_items(stxdmcv) m",
    "SELECT srvoptions FROM pg_foreign_server",
    "SELECT s FROM pg_stats s",
    "SELECT n_tup_hot_upd FROM pg_stat_user_tables",
    "SELECT n_dead_tup FROM pg_stat_user_tables",
    "SELECT pg_stat_get_dead_tuples(1259)",
    `SELECT ${major < 17 ? "num_dead_tuples" : "num_dead_item_ids"} FROM pg_stat_progress_vacuum`,
    "SELECT pg_stat_get_tuples_hot_updated(1259)",
    "SELECT idx_blks_hit FROM pg_statio_user_indexes",
    "SELECT idx_blks_read FROM pg_statio_all_tables",
    "SELECT heap_blks_hit FROM pg_statio_user_tables",
    "SELECT pg_stat_get_blocks_hit(1259)",
    "SELECT blks_hit FROM pg_stat_database",
    "SELECT pg_stat_get_db_blocks_fetched(1)",
    "SELECT toast_blks_hit FROM pg_statio_user_tables",
    "SELECT tidx_blks_read FROM pg_statio_all_tables",
    "SELECT temp_bytes FROM pg_stat_database",
    "SELECT temp_files FROM pg_stat_database",
    "SELECT tup_fetched FROM pg_stat_database",
    "SELECT pg_stat_get_db_temp_bytes(1)",
    "SELECT pg_stat_get_db_temp_files(1)",
    "SELECT pg_stat_get_db_tuples_returned(1)",
    "SELECT idx_scan FROM pg_stat_xact_all_tables",
    "SELECT idx_tup_fetch FROM pg_stat_xact_sys_tables",
    "SELECT n_tup_del FROM pg_stat_all_tables",
    "SELECT n_live_tup FROM pg_stat_sys_tables",
    "SELECT idx_tup_read FROM pg_stat_all_indexes",
    "SELECT idx_tup_fetch FROM pg_stat_sys_indexes",
    "SELECT pg_stat_get_tuples_fetched(1259)",
    "SELECT pg_stat_get_xact_tuples_returned(1259)",
    "SELECT pg_stat_get_xact_numscans(1259)",
    ...(major < 14
      ? []
      : [
          "SELECT bytes_processed FROM pg_stat_progress_copy",
          "SELECT bytes_total FROM pg_stat_progress_copy",
          "SELECT param1 FROM pg_stat_get_progress_info('COPY')",
          "SELECT used_bytes FROM pg_backend_memory_contexts",
          "SELECT used_bytes FROM pg_get_backend_memory_contexts()",
        ]),
    "SELECT restart_lsn FROM pg_replication_slots",
    "SELECT redo_lsn FROM pg_control_checkpoint()",
  ])
    test(`secret: ${text}`, () => assert.deepEqual(tagsOf(text), ["secret"]));
  for (const text of [
    "SELECT * FROM pg_class",
    "SELECT attrelid, attname, atthasmissing FROM pg_attribute",
    "SELECT * FROM pg_settings",
    "SELECT * FROM pg_roles",
    "SELECT * FROM pg_prepared_statements",
    "SELECT * FROM pg_cursors",
    "SELECT pid, state, usename FROM pg_stat_activity",
    "SELECT pid, mode, granted, relation FROM pg_locks",
    "SELECT relname, seq_scan, n_tup_upd, n_live_tup, last_vacuum FROM pg_stat_user_tables",
    "SELECT relname, idx_scan, idx_tup_fetch FROM pg_stat_user_tables",
    "SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes",
    "SELECT relname, last_vacuum, vacuum_count FROM pg_stat_all_tables",
    "SELECT datname, numbackends, xact_commit, deadlocks FROM pg_stat_database",
    "SELECT slot_name, plugin, active, wal_status FROM pg_replication_slots",
    "SELECT * FROM information_schema.columns",
    "SELECT pg_get_viewdef(oid) FROM pg_class",
    "SELECT srvname FROM pg_foreign_server",
    "SELECT schemaname, tablename, attname FROM pg_stats",
  ])
    test(`not: ${text}`, () => assert.deepEqual(tagsOf(text), []));

  test("the queries that well-known extensions keep are secret, in whichever schema", async () => {
    await client.query(
      "CREATE SCHEMA ext; CREATE VIEW ext.pg_stat_statements AS SELECT 1 AS calls, 'x'::text AS query",
    );
    const catalog = await rich.load();
    await client.query("DROP SCHEMA ext CASCADE");
    const { facts } = analyze("SELECT query, calls FROM ext.pg_stat_statements", catalog, SCOPE).statements[0]!;
    assert.deepEqual(
      facts.outputs.map((output) => output.sources.flatMap((source) => source.tags)),
      [["secret"], []],
    );
  });

  test("TOAST tables are tagged as what they belong to", async () => {
    const [row] = await query(
      "SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'pg_catalog.pg_statistic'::regclass",
    );
    assert.deepEqual(tagsOf(`SELECT chunk_data FROM ${row![0]}`), ["secret"]);
  });
});
