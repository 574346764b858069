-- system catalogs
SELECT rolname, rolpassword FROM pg_authid
SELECT attname, null_frac, most_common_vals, histogram_bounds FROM pg_stats
SELECT relname, relkind FROM pg_class WHERE relname = 'customers'
SELECT usename, query FROM pg_stat_activity
SELECT table_name, column_name FROM information_schema.columns
SELECT name, setting FROM pg_settings
