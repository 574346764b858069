package policies.writes_test

import data.lib.samples_test as samples
import data.policies.writes

codes(fields, scopes) := {reason.code | some reason in reasons} if {
	statement := object.union(samples.statement({"class": "write"}), fields)
	reasons := writes.block with input as samples.command([statement], [], scopes)
		with data.rights as {"unscoped": {"groups": [], "scopes": ["unscoped"]}}
}

test_a_scoped_write_is_allowed if {
	count(writes.allow) == 1 with input as samples.command([samples.statement({"class": "write"})], [], [])
	codes({"verb": "update"}, []) == set()
}

test_an_unscoped_write_is_blocked[verb] if {
	some verb in ["delete", "update", "truncate", "merge", "select"]
	codes({"verb": verb, "scoped": false}, []) == {"unscoped-write"}
}

test_the_scope_unscoped_lets_it_pass if codes({"verb": "truncate", "scoped": false}, ["unscoped"]) == set()

test_what_only_adds_rows_needs_no_where[verb] if {
	some verb in ["insert", "copy"]
	codes({"verb": verb, "scoped": false, "relations": [samples.relation("orders", [verb], [])]}, []) == set()
}

test_an_insert_that_also_changes_rows_is_blocked[access] if {
	some access in ["update", "delete", "merge", "something new"]
	relation := samples.relation("orders", ["insert", access], [])
	codes({"verb": "insert", "scoped": false, "relations": [relation]}, []) == {"unscoped-write"}
}

test_a_temporary_table_may_be_changed_as_a_whole[verb] if {
	some verb in ["delete", "update", "truncate", "merge"]
	own := object.union(samples.relation("t", [verb], []), {"schema": "pg_temp"})
	codes({"verb": verb, "scoped": false, "relations": [own, samples.relation("orders", ["select"], [])]}, []) == set()
	beside := [own, samples.relation("orders", [verb], [])]
	codes({"verb": verb, "scoped": false, "relations": beside}, []) == {"unscoped-write"}
}
