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
