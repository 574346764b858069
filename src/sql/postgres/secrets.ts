// The columns of PostgreSQL's own catalogs that hold secrets, samples of users' data, or other sessions' texts: tagged "secret" always.

export const SECRET_TAG = "secret";

/** schema.relation → columns; `*` for all. Columns that a server version lacks are ignored. */
export const SECRET_COLUMNS: ReadonlyMap<string, readonly string[]> = new Map([
  // passwords and what connects to other servers
  ["pg_catalog.pg_authid", ["rolpassword"]],
  ["pg_catalog.pg_shadow", ["passwd"]],
  ["pg_catalog.pg_user_mapping", ["umoptions"]],
  ["pg_catalog.pg_user_mappings", ["umoptions"]],
  ["information_schema.user_mapping_options", ["option_value"]],
  ["information_schema._pg_user_mappings", ["umoptions"]],
  ["pg_catalog.pg_subscription", ["subconninfo"]],
  ["pg_catalog.pg_stat_wal_receiver", ["conninfo"]],
  ["pg_catalog.pg_hba_file_rules", ["*"]],
  ["pg_catalog.pg_ident_file_mappings", ["*"]],
  ["pg_catalog.pg_file_settings", ["setting"]],
  // samples of the rows of every table
  ["pg_catalog.pg_statistic", ["stavalues1", "stavalues2", "stavalues3", "stavalues4", "stavalues5"]],
  ["pg_catalog.pg_stats", ["most_common_vals", "histogram_bounds", "most_common_elems", "range_bounds_histogram"]],
  ["pg_catalog.pg_statistic_ext_data", ["stxdmcv", "stxdexpr"]],
  ["pg_catalog.pg_stats_ext", ["most_common_vals"]],
  ["pg_catalog.pg_stats_ext_exprs", ["most_common_vals", "histogram_bounds", "most_common_elems"]],
  ["pg_catalog.pg_largeobject", ["data"]],
  // texts of other sessions
  ["pg_catalog.pg_stat_activity", ["query"]],
]);
