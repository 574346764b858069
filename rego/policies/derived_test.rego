package policies.derived_test

import data.lib.samples_test as samples
import data.policies.derived

grants := {"pii": ["privacy"], "strict": ["privacy"], "secret": ["dba"]}

specs := {
	"pii": {"mask": "partial", "keep_last": 2},
	"strict": {"mask": "redact", "on_derived": "refuse"},
	"hashed": {"mask": "hash"},
	"hidden": {"mask": "block"},
}

email(uses) := samples.column("email", ["strict"], uses)

masked(uses) := samples.column("email", ["pii"], uses)

id := samples.column("id", [], ["output"])

blocked(fields, groups) := {reason.code | some reason in reasons} if {
	reasons := derived.block with input as samples.command([samples.statement(fields)], groups, [])
		with data.grants as grants
		with data.masks as specs
}

substituted(fields, groups) := columns if {
	columns := derived.substitute with input as samples.command([samples.statement(fields)], groups, [])
		with data.grants as grants
		with data.masks as specs
}

# By the tag's own words.
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
	reasons := derived.block with input as samples.command([samples.statement({"writes": [flow(target, [email([])], false)]})], [], [])
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
		"the same": [["strict"], set()],
		"more": [["strict", "more"], set()],
		"another": [["other"], {"protected-write"}],
	}
	target := {"schema": "public", "table": "notes", "column": "text", "tags": tags, "uses": ["write_target"]}
	blocked({"columns": [target], "writes": [flow("column", [email([])], false)]}, []) == codes
}

test_a_materialized_view_may_be_refreshed if {
	refreshed := {"class": "maintenance", "columns": [email(["write_source"])]}
	blocked(object.union(refreshed, {"verb": "refresh_materialized_view"}), []) == set()
	blocked({"verb": "refresh_materialized_view", "columns": [email(["filter"])]}, []) == set()
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
	reasons := derived.block with input as samples.command([samples.statement(fields)], [], [])
	{reason.column | some reason in reasons} == {"public.customers.email"}
}

# By substitution.
selected := {"relations": [samples.relation("customers", ["select"], ["pii"])]}

one := {{"statement": 0, "schema": "public", "table": "customers", "column": "email", "mask": "partial", "keep_last": 2, "code": "tag-pii"}}

test_any_other_use_is_substituted[use] if {
	some use in [
		"filter", "join", "sort", "group", "distinct", "window", "limit", "subscript",
		"write_source", "lock", "expression", "something new",
	]
	fields := object.union(selected, {"columns": [masked(["output", use])]})
	substituted(fields, []) == one
	blocked(fields, []) == set()
	substituted(fields, ["privacy"]) == set()
}

test_what_is_only_shown_or_written_is_not if {
	shown := object.union(selected, {"columns": [masked(["output"])], "outputs": [samples.output("direct", masked([]))]})
	substituted(shown, []) == set()
	written := object.union(selected, {"columns": [masked(["write_target"])]})
	substituted(written, []) == set()
}

test_a_computed_output_is_substituted[derivation] if {
	some derivation in ["expression", "aggregate", "opaque", "something new"]
	fields := object.union(selected, {"outputs": [samples.output(derivation, masked([]))]})
	substituted(fields, []) == one
	blocked(fields, []) == set()
}

test_what_is_written_elsewhere_is_substituted[target] if {
	some target in ["column", "definition", "setting", "notification", "file", "something new"]
	fields := object.union(selected, {"writes": [flow(target, [id, masked([])], false)]})
	substituted(fields, []) == one
	blocked(fields, []) == set()
}

test_what_is_used_beside_a_write_that_cannot_be_told_is_substituted if {
	fields := object.union(selected, {"columns": [masked(["output"])], "writes": [flow("file", [], true)]})
	substituted(fields, []) == one
	blocked(fields, []) == set()
}

test_a_copy_is_substituted[note] if {
	some note, fields in {
		"table": {"columns": [masked(["output"])]},
		"query": {"outputs": [samples.output("direct", masked([]))]},
	}
	substituted(object.union(selected, object.union({"verb": "copy"}, fields)), []) == one
}

test_what_a_statement_changes_cannot_be_substituted[note] if {
	some note, access in {
		"update": ["update", "select"],
		"delete": ["delete", "select"],
		"merge": ["merge", "select"],
		"insert": ["insert"],
		"a definition": ["ddl"],
		"nothing that is known": [],
	}
	fields := {"columns": [masked(["filter"])], "relations": [samples.relation("customers", access, ["pii"])]}
	blocked(fields, []) == {"protected-use"}
	substituted(fields, []) == set()
}

test_what_is_copied_within_its_table_can if {
	fields := {"columns": [masked(["filter"])], "relations": [samples.relation("customers", ["insert", "select"], ["pii"])]}
	blocked(fields, []) == set()
	substituted(fields, []) == one
}

test_the_hint_says_why_a_changed_table_cannot if {
	fields := {"columns": [masked(["filter"])], "relations": [samples.relation("customers", ["update"], ["pii"])]}
	reasons := derived.block with input as samples.command([samples.statement(fields)], [], []) with data.masks as specs
	{reason.hint | some reason in reasons} == {"Choose the rows by other columns, such as the primary key."}
}

test_of_several_tags_the_strictest_counts[note] if {
	some note, [tags, codes] in {
		"both substituted": [["pii", "untold"], set()],
		"one refused": [["pii", "strict"], {"protected-use"}],
		"one that SQL cannot mask": [["pii", "hashed"], {"protected-use"}],
		"one that is never shown": [["pii", "hidden"], {"protected-use"}],
	}
	blocked(object.union(selected, {"columns": [samples.column("x", tags, ["filter"])]}), []) == codes
}

test_cleared_tags_do_not_count if {
	some column in substituted(object.union(selected, {"columns": [samples.column("x", ["strict", "untold"], ["filter"])]}), ["privacy"])
	column.mask == "redact"
	column.code == "tag-untold"
}

test_what_the_gate_masked_is_for_everybody if {
	column := samples.column("email", ["masked"], ["output", "filter", "write_source"])
	fields := {
		"columns": [column],
		"outputs": [samples.output("expression", column)],
		"writes": [flow("definition", [column], false)],
	}
	blocked(fields, []) == set()
	substituted(fields, []) == set()
}

test_what_a_function_shows_cannot_be_masked_in_its_place if {
	query := samples.column("query", ["untold"], ["output", "expression"])
	fields := {"columns": [query], "outputs": [samples.output("expression", query)]}
	blocked(fields, []) == {"protected-derived", "protected-use"}
	substituted(fields, []) == set()
}
