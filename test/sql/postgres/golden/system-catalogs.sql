-- system catalogs
SELECT rolname, rolpassword FROM pg_authid
SELECT attname, null_frac, most_common_vals, histogram_bounds FROM pg_stats
SELECT relname, relkind FROM pg_class WHERE relname = 'customers'
SELECT usename, query FROM pg_stat_activity
SELECT table_name, column_name FROM information_schema.columns
SELECT name, setting FROM pg_settings
-- since 18
SELECT * FROM pg_stats WHERE tablename = 'employees'
-- since 18
SELECT s FROM pg_stats s
SELECT to_jsonb(s) FROM pg_statistic s
SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE '%1%'
SELECT most_common_vals FROM pg_stats_ext
SELECT stxdmcv FROM pg_statistic_ext_data
SELECT passwd FROM pg_shadow
SELECT a.rolpassword IS NULL FROM pg_authid a
SELECT rolname, rolpassword FROM pg_roles
SELECT usename, passwd FROM pg_user
SELECT umoptions FROM pg_user_mappings
SELECT subconninfo FROM pg_subscription
SELECT data FROM pg_largeobject
SELECT loid, pageno FROM pg_largeobject
SELECT chunk_data FROM pg_toast.pg_toast_1262
SELECT pid, state, wait_event FROM pg_stat_activity
SELECT query IS NULL, query_id FROM pg_stat_activity
-- since 18
SELECT * FROM pg_stat_get_activity(NULL)
SELECT pg_stat_get_backend_activity(1)
SELECT locktype, objid, mode FROM pg_locks
-- since 18
SELECT statement FROM pg_prepared_statements
SELECT name, statement FROM pg_cursors
SELECT * FROM pg_prepared_xacts
SELECT payload FROM pg_listening_channels() AS payload
SELECT setting FROM pg_file_settings
-- since 18
SELECT * FROM pg_hba_file_rules
SELECT name, setting, reset_val FROM pg_settings WHERE name = 'application_name'
SELECT prosrc FROM pg_proc WHERE proname = 'secret_of'
SELECT definition FROM pg_views WHERE viewname = 'v_renamed'
SELECT adbin, pg_get_expr(adbin, adrelid) FROM pg_attrdef
SELECT consrc.conbin, pg_get_constraintdef(consrc.oid) FROM pg_constraint consrc
SELECT description FROM pg_description
SELECT last_value FROM pg_sequences
SELECT n_tup_ins, n_dead_tup FROM pg_stat_user_tables
SELECT relname, reltuples, relpages FROM pg_class WHERE oid = 'hr.employees'::regclass
SELECT attname, attoptions, attmissingval FROM pg_attribute WHERE attrelid = 'hr.employees'::regclass
SELECT column_default, is_nullable FROM information_schema.columns WHERE column_name = 'ssn'
SELECT option_value FROM information_schema.user_mapping_options
SELECT view_definition FROM information_schema.views
SELECT pg_relation_size('hr.employees'), pg_table_size('hr.employees'), pg_stat_get_live_tuples('hr.employees'::regclass)
SELECT partrelid::regclass, pg_get_partkeydef(partrelid) FROM pg_partitioned_table
SELECT enumlabel FROM pg_enum WHERE enumtypid = 'mood'::regtype
SELECT pg_get_indexdef(indexrelid), pg_get_expr(indpred, indrelid) FROM pg_index
