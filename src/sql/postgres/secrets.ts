// PostgreSQL's own catalogs: those that are known, and their columns that hold secrets, what tables contain, or other sessions' texts.

export const SECRET_TAG = "secret";

/**
 * Every relation of pg_catalog and information_schema that was looked at, in PostgreSQL 13 to 18; `@` and the versions that have it, where
 * not all have. What is not here may hold anything: it is secret as a whole.
 */
export const KNOWN_RELATIONS: { readonly [schema: string]: string } = {
  pg_catalog: `
  pg_aggregate pg_aios@18- pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_authid pg_available_extension_versions
  pg_available_extensions pg_backend_memory_contexts@14- pg_cast pg_class pg_collation pg_config pg_constraint pg_conversion pg_cursors
  pg_database pg_db_role_setting pg_default_acl pg_depend pg_description pg_enum pg_event_trigger pg_extension pg_file_settings
  pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_group pg_hba_file_rules pg_ident_file_mappings@15- pg_index pg_indexes
  pg_inherits pg_init_privs pg_language pg_largeobject pg_largeobject_metadata pg_locks pg_matviews pg_namespace pg_opclass pg_operator
  pg_opfamily pg_parameter_acl@15- pg_partitioned_table pg_policies pg_policy pg_prepared_statements pg_prepared_xacts pg_proc
  pg_publication pg_publication_namespace@15- pg_publication_rel pg_publication_tables pg_range pg_replication_origin
  pg_replication_origin_status pg_replication_slots pg_rewrite pg_roles pg_rules pg_seclabel pg_seclabels pg_sequence pg_sequences
  pg_settings pg_shadow pg_shdepend pg_shdescription pg_shmem_allocations pg_shmem_allocations_numa@18- pg_shseclabel pg_stat_activity
  pg_stat_all_indexes pg_stat_all_tables pg_stat_archiver pg_stat_bgwriter pg_stat_checkpointer@17- pg_stat_database
  pg_stat_database_conflicts pg_stat_gssapi pg_stat_io@16- pg_stat_progress_analyze pg_stat_progress_basebackup pg_stat_progress_cluster
  pg_stat_progress_copy@14- pg_stat_progress_create_index pg_stat_progress_vacuum pg_stat_recovery_prefetch@15- pg_stat_replication
  pg_stat_replication_slots@14- pg_stat_slru pg_stat_ssl pg_stat_subscription pg_stat_subscription_stats@15- pg_stat_sys_indexes
  pg_stat_sys_tables pg_stat_user_functions pg_stat_user_indexes pg_stat_user_tables pg_stat_wal@14- pg_stat_wal_receiver
  pg_stat_xact_all_tables pg_stat_xact_sys_tables pg_stat_xact_user_functions pg_stat_xact_user_tables pg_statio_all_indexes
  pg_statio_all_sequences pg_statio_all_tables pg_statio_sys_indexes pg_statio_sys_sequences pg_statio_sys_tables pg_statio_user_indexes
  pg_statio_user_sequences pg_statio_user_tables pg_statistic pg_statistic_ext pg_statistic_ext_data pg_stats pg_stats_ext
  pg_stats_ext_exprs@14- pg_subscription pg_subscription_rel pg_tables pg_tablespace pg_timezone_abbrevs pg_timezone_names pg_transform
  pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user pg_user_mapping pg_user_mappings pg_views
  pg_wait_events@17-`,
  information_schema: `
  _pg_foreign_data_wrappers _pg_foreign_servers _pg_foreign_table_columns _pg_foreign_tables _pg_user_mappings
  administrable_role_authorizations applicable_roles attributes character_sets check_constraint_routine_usage check_constraints
  collation_character_set_applicability collations column_column_usage column_domain_usage column_options column_privileges column_udt_usage
  columns constraint_column_usage constraint_table_usage data_type_privileges domain_constraints domain_udt_usage domains element_types
  enabled_roles foreign_data_wrapper_options foreign_data_wrappers foreign_server_options foreign_servers foreign_table_options
  foreign_tables information_schema_catalog_name key_column_usage parameters referential_constraints role_column_grants role_routine_grants
  role_table_grants role_udt_grants role_usage_grants routine_column_usage@14- routine_privileges routine_routine_usage@14-
  routine_sequence_usage@14- routine_table_usage@14- routines schemata sequences sql_features sql_implementation_info sql_parts sql_sizing
  table_constraints table_privileges tables transforms triggered_update_columns triggers udt_privileges usage_privileges user_defined_types
  user_mapping_options user_mappings view_column_usage view_routine_usage view_table_usage views`,
};

/** What the statistics of a column or an expression say of its values. */
const SPREAD = [
  ...[
    "null_frac",
    "avg_width",
    "n_distinct",
    "most_common_vals",
    "most_common_freqs",
    "histogram_bounds",
    "correlation",
  ],
  ...["most_common_elems", "most_common_elem_freqs", "elem_count_histogram"],
];

/** Updates whose new row needed no new entries in indexes, or no new page. */
const HOT = ["n_tup_hot_upd", "n_tup_newpage_upd"];
/** Rows that an update left behind, but for those of HOT updates, which go when their page is read. */
const DEAD = "n_dead_tup";
const BLOCKS = ["blks_read", "blks_hit"];
const INDEX_BLOCKS = BLOCKS.map((column) => `idx_${column}`);
/** A new entry in a unique index looks for others in the table; a long value is in as many blocks of the TOAST table as it needs. */
const TABLE_BLOCKS = ["heap", "idx", "toast", "tidx"].flatMap((part) => BLOCKS.map((column) => `${part}_${column}`));

/** Of a TOAST table and its index: a value has a row there for each 2 kB, and one that is short has none. The views of users' relations lack them. */
const SCANS = ["idx_scan", "last_idx_scan", "idx_tup_fetch"];
const TABLE_ROWS = [
  ...["seq_scan", "last_seq_scan", "seq_tup_read", ...SCANS, "n_tup_ins", "n_tup_upd", "n_tup_del"],
  ...["n_live_tup", DEAD, "n_mod_since_analyze", "n_ins_since_vacuum"],
];
const XACT_ROWS = ["seq_scan", "seq_tup_read", "idx_scan", "idx_tup_fetch", "n_tup_ins", "n_tup_upd", "n_tup_del"];

/** schema.relation → columns; `*` for all. Columns that a server version lacks are ignored. The others of known relations are not secret. */
export const SECRET_COLUMNS: ReadonlyMap<string, readonly string[]> = new Map([
  // passwords, and what connects to other servers
  ["pg_catalog.pg_authid", ["rolpassword"]],
  ["pg_catalog.pg_shadow", ["passwd"]],
  ["pg_catalog.pg_user_mapping", ["umoptions"]],
  ["pg_catalog.pg_user_mappings", ["umoptions"]],
  ["information_schema.user_mapping_options", ["option_value"]],
  ["information_schema._pg_user_mappings", ["umoptions"]],
  ["pg_catalog.pg_foreign_server", ["srvoptions"]],
  ["information_schema.foreign_server_options", ["option_value"]],
  ["information_schema._pg_foreign_servers", ["srvoptions"]],
  ["pg_catalog.pg_subscription", ["subconninfo"]],
  ["pg_catalog.pg_stat_wal_receiver", ["conninfo"]],
  // the server's files of configuration
  ["pg_catalog.pg_hba_file_rules", ["*"]],
  ["pg_catalog.pg_ident_file_mappings", ["*"]],
  ["pg_catalog.pg_file_settings", ["setting"]],
  // how much of an update the old row shares with the new one: by the volume of the log, and, of a column in an index, by whether the index was
  // written to, as every counter of blocks shows
  ["pg_catalog.pg_stat_wal", ["wal_records", "wal_bytes", "wal_fpi", "wal_buffers_full", "wal_write"]],
  ["pg_catalog.pg_stat_replication", ["sent_lsn", "write_lsn", "flush_lsn", "replay_lsn"]],
  ["pg_catalog.pg_replication_slots", ["restart_lsn", "confirmed_flush_lsn", "safe_wal_size"]],
  ["pg_catalog.pg_stat_io", ["reads", "read_bytes", "writes", "write_bytes", "hits"]],
  // and how long the rows are that are sorted, kept or copied
  [
    "pg_catalog.pg_stat_database",
    [
      ...[...BLOCKS, "temp_files", "temp_bytes"],
      ...["tup_returned", "tup_fetched", "tup_inserted", "tup_updated", "tup_deleted"],
    ],
  ],
  [
    "pg_catalog.pg_backend_memory_contexts",
    ["total_bytes", "total_nblocks", "free_bytes", "free_chunks", "used_bytes"],
  ],
  ["pg_catalog.pg_stat_progress_copy", ["bytes_processed", "bytes_total"]],
  ...["all", "sys"].flatMap((which): [string, readonly string[]][] => [
    [`pg_catalog.pg_stat_${which}_tables`, [...HOT, ...TABLE_ROWS]],
    [`pg_catalog.pg_stat_xact_${which}_tables`, [...HOT, ...XACT_ROWS]],
    [`pg_catalog.pg_stat_${which}_indexes`, [...SCANS, "idx_tup_read"]],
  ]),
  ["pg_catalog.pg_stat_user_tables", [...HOT, DEAD]],
  ["pg_catalog.pg_stat_progress_vacuum", ["num_dead_tuples", "num_dead_item_ids", "dead_tuple_bytes"]],
  ["pg_catalog.pg_stat_xact_user_tables", HOT],
  ...["all", "sys", "user"].flatMap((which): [string, readonly string[]][] => [
    [`pg_catalog.pg_statio_${which}_tables`, TABLE_BLOCKS],
    [`pg_catalog.pg_statio_${which}_indexes`, INDEX_BLOCKS],
  ]),
  // what is in the columns of every table: values, how often they are there, how they are spread
  [
    "pg_catalog.pg_statistic",
    [
      ...["stanullfrac", "stawidth", "stadistinct"],
      ...[1, 2, 3, 4, 5].flatMap((slot) => [`stanumbers${slot}`, `stavalues${slot}`]),
    ],
  ],
  ["pg_catalog.pg_stats", [...SPREAD, ...["range_length_histogram", "range_empty_frac", "range_bounds_histogram"]]],
  ["pg_catalog.pg_statistic_ext_data", ["stxdndistinct", "stxddependencies", "stxdmcv", "stxdexpr"]],
  [
    "pg_catalog.pg_stats_ext",
    [
      ...["n_distinct", "dependencies", "most_common_vals", "most_common_val_nulls", "most_common_freqs"],
      "most_common_base_freqs",
    ],
  ],
  ["pg_catalog.pg_stats_ext_exprs", [...SPREAD]],
  ["pg_catalog.pg_largeobject", ["data"]],
  // what a column has in the rows that are older than itself
  ["pg_catalog.pg_attribute", ["attmissingval"]],
  // texts of other sessions, and the keys of their advisory locks, which may be values
  ["pg_catalog.pg_stat_activity", ["query"]],
  ["pg_catalog.pg_locks", ["classid", "objid"]],
  // of the extension pg_cron, whose schema is fixed
  ["cron.job", ["command"]],
  ["cron.job_run_details", ["command", "return_message"]],
]);

/** What pg_stat_statements and its like count of each text, which is how the server's own counters tell of values. */
const COUNTERS = [
  ...["shared_blks_hit", "shared_blks_read", "shared_blks_dirtied", "shared_blks_written"],
  ...["temp_blks_read", "temp_blks_written", "wal_records", "wal_fpi", "wal_bytes", "wal_buffers_full"],
];

/** Views and tables of well-known extensions, in whichever schema they are: name → columns that hold texts or values of other sessions. */
export const EXTENSION_SECRETS: ReadonlyMap<string, readonly string[]> = new Map([
  ["pg_stat_statements", ["query", ...COUNTERS]],
  ["pg_stat_monitor", ["query", "comments", "message", "query_plan", ...COUNTERS]],
  ["pg_store_plans", ["plan", ...COUNTERS]],
  ["pg_qualstats", ["constvalue"]],
  ["pg_qualstats_pretty", ["constvalue"]],
  ["pg_qualstats_all", ["constvalue"]],
]);

const known = new Map<string, ReadonlySet<string>>();
/** Is it a relation of a schema of the server's that nobody has looked at? */
export function isUnknownOfServer(schema: string, relation: string): boolean {
  const list = KNOWN_RELATIONS[schema];
  if (list === undefined) return false;
  let names = known.get(schema);
  if (names === undefined) {
    names = new Set(
      list
        .trim()
        .split(/\s+/)
        .map((entry) => entry.split("@")[0]!),
    );
    known.set(schema, names);
  }
  return !names.has(relation);
}
