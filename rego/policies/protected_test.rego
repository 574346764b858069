package policies.protected_test

import data.lib.samples_test as samples
import data.policies.protected

grants := {"pii": ["privacy"], "secret": ["dba"]}

specs := {"pii": {"mask": "partial", "keep_last": 2}, "hidden": {"mask": "block"}}

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

test_a_computed_output_is_blocked[derivation] if {
	some derivation in ["expression", "aggregate", "opaque", "something new"]
	fields := {"columns": [email(["output"])], "outputs": [samples.output(derivation, email([]))]}
	blocked(fields, []) == {"protected-derived"}
	blocked(fields, ["privacy"]) == set()
}

test_an_output_without_a_derivation_is_blocked if {
	blocked({"outputs": [object.remove(samples.output("direct", email([])), ["derivation"])]}, []) == {"protected-derived"}
}

test_any_other_use_is_blocked[use] if {
	some use in [
		"filter", "join", "sort", "group", "distinct", "window",
		"write_source", "lock", "expression", "something new",
	]
	blocked({"columns": [email(["output", use])]}, []) == {"protected-use"}
	blocked({"columns": [email([use])]}, ["privacy"]) == set()
}

test_it_may_be_written if blocked({"verb": "update", "class": "write", "columns": [email(["write_target"])]}, []) == set()

test_its_value_may_not_be_written_elsewhere if {
	blocked({"verb": "insert", "class": "write", "writes": [flow("column", [email([])], false)]}, []) == {"protected-write"}
}

flow(target, sources, opaque) := {
	"target": target,
	"schema": "public",
	"table": "notes",
	"column": "text",
	"sources": sources,
	"opaque": opaque,
}

test_nor_to_anywhere_else[target] if {
	some target in [
		"sequence", "setting", "large_object", "advisory_lock", "notification", "comment",
		"definition", "file", "program", "server", "something new",
	]
	blocked({"writes": [flow(target, [id, email([])], false)]}, []) == {"protected-write"}
	blocked({"writes": [flow(target, [id], false)]}, []) == set()
	blocked({"writes": [flow(target, [email([])], false)]}, ["privacy"]) == set()
}

test_the_reason_names_where_it_would_go[expected] if {
	some expected, target in {
		"public.notes.text": "column",
		"setting text": "setting",
		"server text": "server",
	}
	reasons := protected.block with input as samples.command([samples.statement({"writes": [flow(target, [email([])], false)]})], [], [])
	{reason.message | some reason in reasons} == {$"A protected value may not be written elsewhere: {expected}"}
	{reason.column | some reason in reasons} == {"public.customers.email"}
}

test_what_is_written_and_cannot_be_told_may_be_what_is_used if {
	opaque := flow("file", [], true)
	blocked({"columns": [email(["output"])], "writes": [opaque]}, []) == {"protected-write"}
	blocked({"columns": [id], "writes": [opaque]}, []) == set()
	blocked({"columns": [email(["write_target"])], "writes": [opaque]}, []) == set()
	"protected-write" in blocked({"columns": [email(["output"])], "writes": [object.remove(opaque, ["opaque"])]}, [])
}

test_it_stays_in_a_column_with_the_same_tags[note] if {
	some note, [tags, codes] in {
		"the same": [["pii"], set()],
		"more": [["pii", "more"], set()],
		"another": [["other"], {"protected-write"}],
	}
	target := {"schema": "public", "table": "notes", "column": "text", "tags": tags, "uses": ["write_target"]}
	blocked({"columns": [target], "writes": [flow("column", [email([])], false)]}, []) == codes
}

test_a_materialized_view_may_be_refreshed if {
	refreshed := {"class": "maintenance", "columns": [email(["write_source"])]}
	blocked(object.union(refreshed, {"verb": "refresh_materialized_view"}), []) == set()
	blocked(object.union(refreshed, {"verb": "insert"}), []) == {"protected-use"}
}

test_it_may_not_be_copied_out[note] if {
	some note, fields in {
		"table": {"columns": [email(["output"])]},
		"query": {"outputs": [samples.output("direct", email([]))]},
	}
	blocked(object.union({"verb": "copy"}, fields), []) == {"protected-copy"}
	blocked(object.union({"verb": "copy"}, fields), ["privacy"]) == set()
}

test_copying_in_is_allowed if blocked({"verb": "copy", "class": "write", "columns": [email(["write_target"])]}, []) == set()

test_the_reason_names_the_column if {
	fields := {"columns": [email(["filter"])]}
	reasons := protected.block with input as samples.command([samples.statement(fields)], [], [])
	{reason.column | some reason in reasons} == {"public.customers.email"}
}

test_secrets_are_never_shown[note] if {
	some note, fields in {
		"relation": {"relations": [samples.relation("pg_authid", ["select"], ["secret"])]},
		"column": {"columns": [samples.column("rolpassword", ["secret"], ["output"])]},
		"output": {"outputs": [samples.output("direct", samples.column("rolpassword", ["secret"], []))]},
		"a tag of the data": {"outputs": [samples.output("direct", samples.column("x", ["hidden"], []))]},
	}
	"never-shown" in blocked(fields, [])
}

test_other_columns_of_a_relation_with_secrets_are_shown if {
	oid := {"schema": "public", "table": "pg_authid", "column": "oid", "tags": [], "uses": ["output"]}
	blocked({"relations": [samples.relation("pg_authid", ["select"], ["secret"])], "columns": [oid]}, []) == set()
}

test_whoever_is_cleared_sees_secrets if {
	blocked({"relations": [samples.relation("pg_authid", ["select"], ["secret"])]}, ["dba"]) == set()
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

test_a_described_result_with_secrets_is_blocked if {
	secret := samples.column("rolpassword", ["secret"], [])
	samples.codes(protected.block) == {"never-shown"} with input as result(samples.output("direct", secret))
		with data.grants as grants
}
