package policies.schema_changes_test

import data.lib.samples_test as samples
import data.policies.schema_changes

rights := {class: {"groups": ["dba"], "scopes": [class]} | some class in ["ddl", "dcl", "maintenance", "unknown"]}

expected := {
	"ddl": "ddl",
	"dcl": "dcl",
	"maintenance": "maintenance",
	"unknown": "unknown-statement",
}

ask(class, groups, scopes) := samples.command([samples.statement({"class": class})], groups, scopes)

test_it_is_blocked_without_the_right[class] if {
	some class, code in expected
	samples.codes(schema_changes.block) == {code} with input as ask(class, ["support"], ["read"]) with data.rights as rights
	count(schema_changes.allow) == 0 with input as ask(class, ["support"], ["read"]) with data.rights as rights
}

test_a_group_or_a_scope_lets_it_pass[note] if {
	some class, _ in expected
	some note, holder in {"group": [["dba"], []], "scope": [[], [class]]}
	samples.codes(schema_changes.allow) == {"right"} with input as ask(class, holder[0], holder[1]) with data.rights as rights
	count(schema_changes.block) == 0 with input as ask(class, holder[0], holder[1]) with data.rights as rights
}

test_one_right_is_not_another if {
	samples.codes(schema_changes.block) == {"dcl"} with input as ask("dcl", [], ["ddl"]) with data.rights as rights
}

test_it_says_nothing_of_other_classes[class] if {
	some class in ["read", "write", "code", "session", "transaction"]
	count(schema_changes.allow | schema_changes.block) == 0 with input as ask(class, ["dba"], []) with data.rights as rights
}

own := object.union(samples.relation("t", ["create"], []), {"schema": "pg_temp"})

temporary(fields) := samples.command([object.union(samples.statement({"class": "ddl", "relations": [own]}), fields)], [], [])

test_temporary_tables_need_no_right[verb] if {
	some verb in ["create_table", "create_table_as", "select_into", "alter_table", "drop_table", "create_index", "create_sequence"]
	read := samples.relation("orders", ["select"], [])
	samples.codes(schema_changes.allow) == {"temporary"} with input as temporary({"verb": verb, "relations": [own, read]})
	count(schema_changes.block) == 0 with input as temporary({"verb": verb, "relations": [own, read]})
}

test_what_else_is_temporary_does[verb] if {
	some verb in ["create_function", "create_trigger", "create_rule", "something_new"]
	samples.codes(schema_changes.block) == {"ddl"} with input as temporary({"verb": verb})
}

test_a_table_of_others_is_not_changed_beside_it[access] if {
	some access in ["ddl", "drop", "create", "delete", "insert"]
	other := samples.relation("orders", [access], [])
	samples.codes(schema_changes.block) == {"ddl"} with input as temporary({"verb": "drop_table", "relations": [own, other]})
}

test_they_are_maintained_by_whose_they_are[verb] if {
	some verb in ["analyze", "vacuum"]
	kept := temporary({"verb": verb, "class": "maintenance"})
	samples.codes(schema_changes.allow) == {"temporary"} with input as kept
	count(schema_changes.block) == 0 with input as kept
	others := temporary({"verb": verb, "class": "maintenance", "relations": [own, samples.relation("orders", ["maintenance"], [])]})
	samples.codes(schema_changes.block) == {"maintenance"} with input as others
}
