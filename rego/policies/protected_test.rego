package policies.protected_test

import data.lib.samples_test as samples
import data.policies.protected

grants := {"pii": ["privacy"], "hidden": ["dba"], "secret": ["dba"]}

specs := {
	"pii": {"mask": "partial", "keep_last": 2},
	"hidden": {"mask": "block"},
	"secret": {"mask": "null"},
}

email(uses) := samples.column("email", ["pii"], uses)

id := samples.column("id", [], ["output"])

blocked(fields, groups) := {reason.code | some reason in reasons} if {
	reasons := protected.block with input as samples.command([samples.statement(fields)], groups, [])
		with data.grants as grants
		with data.masks as specs
}

masked(fields, groups) := masks if {
	masks := protected.mask with input as samples.command([samples.statement(fields)], groups, [])
		with data.grants as grants
		with data.masks as specs
}

reading := {
	"columns": [id, email(["output"])],
	"outputs": [samples.output("direct", id), samples.output("direct", email([]))],
}

test_a_column_selected_as_it_is_is_masked if {
	blocked(reading, []) == set()
	masked(reading, []) == {{"statement": 0, "output": 1, "mask": "partial", "keep_last": 2, "code": "tag-pii"}}
}

test_whoever_is_cleared_sees_it if {
	blocked(reading, ["privacy"]) == set()
	masked(reading, ["privacy"]) == set()
}

test_an_output_of_several_sources_is_masked_for_any_of_them if {
	mixed := object.union(samples.output("direct", id), {"sources": [id, email([])]})
	{mask.output | some mask in masked({"outputs": [mixed]}, [])} == {0}
}

test_a_mask_cannot_point_elsewhere if {
	masks := protected.mask with input as samples.command([samples.statement(reading)], [], [])
		with data.masks as {"pii": {"mask": "redact", "output": 9, "statement": 9}}
	{[mask.statement, mask.output] | some mask in masks} == {[0, 1]}
}

test_what_the_data_say_is_never_shown[note] if {
	some note, fields in {
		"relation": {"relations": [samples.relation("pg_authid", ["select"], ["hidden"])]},
		"column": {"columns": [samples.column("rolpassword", ["hidden"], ["output"])]},
		"output": {"outputs": [samples.output("direct", samples.column("rolpassword", ["hidden"], []))]},
	}
	"never-shown" in blocked(fields, [])
}

test_other_columns_of_a_relation_with_such_are_shown if {
	oid := {"schema": "public", "table": "pg_authid", "column": "oid", "tags": [], "uses": ["output"]}
	fields := {"relations": [samples.relation("pg_authid", ["select"], ["hidden"])], "columns": [oid]}
	blocked(fields, []) == set()
}

test_whoever_is_cleared_sees_them if {
	fields := {"relations": [samples.relation("pg_authid", ["select"], ["hidden"])]}
	blocked(fields, ["dba"]) == set()
}

test_the_servers_secrets_are_masked if {
	secret := samples.column("rolpassword", ["secret"], ["output"])
	fields := {
		"relations": [samples.relation("pg_authid", ["select"], ["secret"])],
		"columns": [secret],
		"outputs": [samples.output("direct", secret)],
	}
	blocked(fields, []) == set()
	masks := protected.mask with input as samples.command([samples.statement(fields)], [], [])
		with data.masks as specs
	{mask.mask | some mask in masks} == {"null"}
}

result(output) := {
	"stage": "result",
	"identity": {"groups": [], "scopes": []},
	"command": {"statements": []},
	"result": {"columns": [samples.output("direct", id), output]},
}

test_a_described_result_is_masked if {
	masks := protected.mask with input as result(samples.output("direct", email([]))) with data.grants as grants
	{mask.output | some mask in masks} == {1}
}

test_a_described_result_that_is_computed_is_blocked if {
	samples.codes(protected.block) == {"protected-derived"} with input as result(samples.output("opaque", email([])))
		with data.grants as grants
}

test_a_described_result_with_what_is_never_shown_is_blocked if {
	column := samples.column("rolpassword", ["hidden"], [])
	samples.codes(protected.block) == {"never-shown"} with input as result(samples.output("direct", column))
		with data.grants as grants
		with data.masks as specs
}

test_one_of_several_protected_columns_is_masked if {
	either := object.union(samples.output("verbatim", email([])), {"sources": [email([]), samples.column("phone", ["pii"], [])]})
	masks := protected.mask with input as samples.command([samples.statement({"outputs": [either]})], [], [])
	{mask.output | some mask in masks} == {0}
}

test_one_that_may_come_from_elsewhere_is_not[note] if {
	some note, open in {"a column that is not protected": id, "one that they may see": samples.column("x", ["open"], [])}
	either := object.union(samples.output("verbatim", email([])), {"sources": [email([]), open]})
	masks := protected.mask with input as samples.command([samples.statement({"outputs": [either]})], ["all"], [])
		with data.grants as {"open": ["all"]}
	count(masks) == 0
}
