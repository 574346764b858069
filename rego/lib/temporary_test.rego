package lib.temporary_test

import data.lib.samples_test as samples
import data.lib.temporary

own := object.union(samples.relation("t", ["create", "delete"], []), {"schema": "pg_temp"})

about(relations) := samples.statement({"relations": relations})

test_a_temporary_table_alone if temporary.alone(about([own]), {"select"})

test_others_may_be_read_beside_it if temporary.alone(about([own, samples.relation("orders", ["select"], [])]), {"select"})

test_nothing_else_may_happen_to_others[access] if {
	some access in ["insert", "update", "delete", "drop", "ddl", "create", "something new"]
	not temporary.alone(about([own, samples.relation("orders", ["select", access], [])]), {"select"})
}

test_there_must_be_one if {
	not temporary.alone(about([]), {"select"})
	not temporary.alone(about([samples.relation("orders", ["select"], [])]), {"select"})
}

test_a_name_in_another_schema_is_none if {
	not temporary.alone(about([samples.relation("pg_temp", ["create"], [])]), {"select"})
}
