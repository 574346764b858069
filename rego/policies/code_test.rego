package policies.code_test

import data.lib.samples_test as samples
import data.policies.code

rights := {right: {"groups": ["dba"], "scopes": [right]} | some right in ["code", "functions", "external"]}

blocked(fields, groups, scopes) := {reason.code | some reason in reasons} if {
	reasons := code.block with input as samples.command([samples.statement(fields)], groups, scopes)
		with data.rights as rights
		with data.functions.allowed as ["public.vouched_for"]
}

function(name, kind, opaque) := {
	"schema": "public",
	"name": name,
	"kind": kind,
	"effect": "pure",
	"opaque": opaque,
}

with_effect(effect) := object.union(function("f", "builtin", false), {"effect": effect})

test_code_is_blocked_without_the_right if blocked({"class": "code"}, [], []) == {"code"}

test_the_right_allows_code[note] if {
	some note, holder in {"group": [["dba"], []], "scope": [[], ["code"]]}
	blocked({"class": "code"}, holder[0], holder[1]) == set()
	reasons := code.allow with input as samples.command([samples.statement({"class": "code"})], holder[0], holder[1])
		with data.rights as rights
	samples.codes(reasons) == {"right"}
}

test_what_reaches_outside_is_blocked[external] if {
	some external in ["program", "file", "server", "large_object", "something new"]
	blocked({"external": [external]}, [], []) == {"external"}
	blocked({"external": [external]}, ["dba"], []) == set()
}

test_notifications_pass if blocked({"verb": "notify", "class": "session", "external": ["notify"]}, [], []) == set()

test_functions_that_cannot_be_seen_through_are_blocked[note] if {
	some note, used in {
		"opaque": function("f", "known", true),
		"opaque builtin": function("f", "builtin", true),
		"unknown": function("f", "unknown", false),
	}
	blocked({"functions": [used]}, [], []) == {"opaque-function"}
	blocked({"functions": [used]}, [], ["functions"]) == set()
}

test_functions_that_run_what_they_are_given_are_blocked[effect] if {
	some effect in ["sql", "unknown"]
	blocked({"functions": [with_effect(effect)]}, [], []) == {"opaque-function"}
	blocked({"functions": [with_effect(effect)]}, [], ["functions"]) == set()
}

test_functions_that_reach_outside_are_blocked if {
	blocked({"functions": [with_effect("outside")]}, [], []) == {"external"}
	blocked({"functions": [with_effect("outside")]}, ["dba"], []) == set()
	blocked({"functions": [object.union(with_effect("outside"), {"name": "vouched_for"})]}, [], []) == set()
}

test_what_functions_read_and_change_is_for_other_rules[effect] if {
	some effect in ["total", "pure", "reads", "state"]
	blocked({"functions": [with_effect(effect)]}, [], []) == set()
}

test_the_reason_names_the_function[expected] if {
	some expected, schema in {"f": "", "public.f": "public"}
	used := object.union(function("f", "unknown", true), {"schema": schema})
	reasons := code.block with input as samples.command([samples.statement({"functions": [used]})], [], [])
	{reason.message | some reason in reasons} == {$"It cannot be told what this function does: {expected}"}
}

test_functions_that_the_data_vouch_for_pass if blocked({"functions": [function("vouched_for", "known", true)]}, [], []) == set()

test_plain_functions_pass if blocked({"functions": [function("lower", "builtin", false)]}, [], []) == set()

test_without_data_no_opaque_function_passes if {
	statement := samples.statement({"functions": [function("f", "known", true)]})
	samples.codes(code.block) == {"opaque-function"} with input as samples.command([statement], [], [])
		with data.functions as {}
}
