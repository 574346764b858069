// PostgreSQL's own functions: which are harmless, and what the others reach. What is not known to be harmless is opaque.
import type { FunctionUse } from "../../core/facts.ts";

/** What a call does beside computing a value from its arguments. */
export type Behaviour = {
  /** What it reads or does cannot be told from the call. */
  readonly opaque?: boolean;
  /** What it reaches outside of tables: file, program, server, large_object, notify. */
  readonly external?: readonly string[];
  /** Columns `relation.column` of pg_catalog whose values it shows. */
  readonly reads?: readonly string[];
  /** It changes a setting of the session. */
  readonly setting?: boolean;
  /** It changes the database's state: the statement is a write. */
  readonly writes?: boolean;
};

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Volatile functions that read no table, change nothing that others see, and reach nothing outside. */
const HARMLESS_VOLATILE = new Set(
  words(`
  random random_normal setseed gen_random_uuid uuidv4 uuidv7 clock_timestamp timeofday array_sample array_shuffle current_query
  nextval currval lastval pg_sequence_last_value pg_get_sequence_data currtid2
  txid_status pg_xact_status pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_last_committed_xact
  pg_sleep pg_sleep_for pg_sleep_until pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state
  pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared pg_advisory_xact_lock
  pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
  pg_database_size pg_tablespace_size pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size
  pg_blocking_pids pg_safe_snapshot_blocking_pids pg_isolation_test_session_is_blocked pg_lock_status pg_prepared_xact
  pg_current_logfile pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_notification_queue_usage pg_partition_ancestors pg_partition_tree pg_collation_actual_version
  pg_database_collation_actual_version pg_jit_available pg_export_snapshot pg_stat_clear_snapshot pg_stat_force_next_flush
  pg_stat_have_stats pg_get_wait_events pg_get_wal_resource_managers pg_get_shmem_allocations pg_get_backend_memory_contexts
  pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system pg_get_multixact_members
  pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io pg_stat_get_recovery_prefetch
  pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
  pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched
  pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_newpage_updated
  pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated pg_replication_origin_progress pg_show_replication_origin_status
  bernoulli system amvalidate timezone`),
);

const BEHAVIOURS = new Map<string, Behaviour>();
function behaves(names: string, behaviour: Behaviour): void {
  for (const name of words(names)) BEHAVIOURS.set(name, behaviour);
}
// SQL, or the name of anything, in an argument
behaves(
  `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema table_to_xml table_to_xmlschema
  table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema
  database_to_xml_and_xmlschema ts_stat ts_rewrite`,
  { opaque: true },
);
// files of the server
behaves(
  `pg_read_file pg_read_binary_file pg_stat_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_archive_statusdir pg_ls_tmpdir
  pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir`,
  { external: ["file"] },
);
behaves("lo_import", { external: ["file", "large_object"], writes: true });
behaves("lo_export", { external: ["file", "large_object"], reads: ["pg_largeobject.data"] });
behaves("lo_get loread", { external: ["large_object"], reads: ["pg_largeobject.data"] });
behaves("lo_open lo_close lo_lseek lo_lseek64 lo_tell lo_tell64", { external: ["large_object"] });
behaves("lo_creat lo_create lo_from_bytea lo_put lo_truncate lo_truncate64 lo_unlink lowrite", {
  external: ["large_object"],
  writes: true,
});
behaves("pg_notify", { external: ["notify"] });
behaves("set_config", { setting: true });
behaves("setval", { writes: true });
// other sessions, the configuration, and their texts
behaves("pg_stat_get_activity pg_stat_get_backend_activity", { reads: ["pg_stat_activity.query"] });
behaves("pg_stat_get_wal_receiver", { reads: ["pg_stat_wal_receiver.conninfo"] });
behaves("pg_show_all_file_settings", { reads: ["pg_file_settings.setting"] });
behaves("pg_hba_file_rules", { reads: ["pg_hba_file_rules.user_name"] });
behaves("pg_ident_file_mappings", { reads: ["pg_ident_file_mappings.sys_name"] });
// the server itself, and what leaves it
behaves(
  `pg_cancel_backend pg_terminate_backend pg_reload_conf pg_rotate_logfile pg_switch_wal pg_promote pg_create_restore_point
  pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_wal_replay_pause pg_wal_replay_resume pg_log_backend_memory_contexts
  pg_log_standby_snapshot pg_logical_emit_message pg_logical_slot_get_changes pg_logical_slot_get_binary_changes
  pg_logical_slot_peek_changes pg_logical_slot_peek_binary_changes pg_create_logical_replication_slot
  pg_create_physical_replication_slot pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_drop_replication_slot
  pg_replication_slot_advance pg_sync_replication_slots pg_import_system_collations pg_get_loaded_modules`,
  { opaque: true, external: ["server"] },
);

const HARMLESS: Behaviour = Object.freeze({});
const UNKNOWN: Behaviour = Object.freeze({ opaque: true });

export function behaviourOf(name: string, volatility: FunctionUse["volatility"]): Behaviour {
  const listed = BEHAVIOURS.get(name);
  if (listed !== undefined) return listed;
  if (volatility === "immutable" || volatility === "stable") return HARMLESS;
  return HARMLESS_VOLATILE.has(name) ? HARMLESS : UNKNOWN;
}

/** Of extensions: what reaches another server by its name. */
export function externalOfKnown(name: string): readonly string[] {
  return /^dblink|^postgres_fdw|^pg_background|^http(_|$)/.test(name) ? ["server"] : [];
}

/** Functions that give a value for every argument of their types: never an error or a warning that depends on it. */
const TOTAL = new Set(
  words(`
  count length char_length character_length octet_length bit_length lower upper initcap md5 btrim ltrim rtrim reverse concat concat_ws
  min max array_agg string_agg bool_and bool_or every row_number rank dense_rank percent_rank cume_dist lag lead first_value
  last_value sha224 sha256 sha384 sha512 num_nulls num_nonnulls to_json to_jsonb row_to_json json_agg jsonb_agg starts_with strpos
  position pg_typeof quote_literal quote_nullable quote_ident`),
);
export function isTotalFunction(name: string): boolean {
  return TOTAL.has(name);
}
