package policies.locks_test

import data.lib.samples_test as samples
import data.policies.locks

rights := {right: {"groups": [], "scopes": [right]} | some right in ["locks", "unscoped"]}

lock(level, mode) := {"level": level, "schema": "public", "name": "orders", "mode": mode}

locking(class, level, mode) := samples.statement({"class": class, "locks": [lock(level, mode)]})

codes(statement, scopes) := {reason.code | some reason in reasons} if {
	reasons := locks.block with input as samples.command([statement], [], scopes) with data.rights as rights
}

test_a_table_may_not_be_locked_against_others[mode] if {
	some mode in [
		"share update exclusive", "share", "share row exclusive",
		"exclusive", "access exclusive", "something new",
	]
	codes(locking("session", "relation", mode), []) == {"lock"}
	codes(locking("write", "relation", mode), []) == {"lock"}
}

test_the_locks_of_reading_and_writing_are_free[mode] if {
	some mode in ["access share", "row share", "row exclusive"]
	codes(locking("session", "relation", mode), []) == set()
}

test_a_temporary_table_may_be_locked if {
	statement := samples.statement({"class": "write", "locks": [object.union(
		lock("relation", "access exclusive"),
		{"schema": "pg_temp"},
	)]})
	codes(statement, []) == set()
}

test_rows_and_advisory_locks_are_free if {
	codes(locking("read", "row", "for update"), []) == set()
	codes(locking("read", "advisory", "exclusive"), []) == set()
}

test_a_right_lets_it_pass[right] if {
	some right in ["locks", "unscoped"]
	codes(locking("session", "relation", "access exclusive"), [right]) == set()
}

test_definitions_and_maintenance_have_rights_of_their_own[class] if {
	some class in ["ddl", "dcl", "maintenance", "code"]
	codes(locking(class, "relation", "access exclusive"), []) == set()
}

test_the_reason_names_the_table_and_the_mode if {
	reasons := locks.block with input as samples.command([locking("session", "relation", "exclusive")], [], [])
	{reason.message | some reason in reasons} == {"A whole table may not be locked against others: public.orders (exclusive)"}
}
