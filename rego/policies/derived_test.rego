package policies.derived_test

import data.lib.samples_test as samples
import data.policies.derived

grants := {"pii": ["privacy"], "strict": ["privacy"], "secret": ["dba"]}

specs := {
	"pii": {"mask": "partial", "keep_last": 2},
	"strict": {"mask": "redact", "on_derived": "refuse"},
	"hashed": {"mask": "hash"},
	"hidden": {"mask": "block"},
	"nulled": {"mask": "null"},
	"whole": {"mask": "null", "on_derived": "mask"},
	"asked": {"mask": "redact", "lookup": {"budget": 5}},
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
		"lock", "expression", "something new",
	]
	blocked({"columns": [email(["output", use])]}, []) == {"protected-use"}
	blocked({"columns": [email([use])]}, ["privacy"]) == set()
}

test_what_is_only_written_is_blocked_as_that[uses] if {
	some uses in [["write_source"], ["output", "write_source", "write_target"]]
	some column in [email(uses), samples.column("email", ["whole"], uses), samples.column("email", ["pii"], uses)]
	blocked({"columns": [column]}, []) == {"protected-write"}
	blocked({"columns": [email(uses)]}, ["privacy"]) == set()
}

test_what_is_written_and_filtered_by_is_blocked_as_a_use if {
	blocked({"columns": [email(["write_source", "filter"])]}, []) == {"protected-use"}
}

test_it_may_be_written if blocked({"verb": "update", "class": "write", "columns": [email(["write_target"])]}, []) == set()

test_a_materialized_view_may_be_refreshed if {
	refreshed := {"class": "maintenance", "columns": [email(["write_source"])]}
	blocked(object.union(refreshed, {"verb": "refresh_materialized_view"}), []) == set()
	blocked({"verb": "refresh_materialized_view", "columns": [email(["filter"])]}, []) == set()
	blocked(object.union(refreshed, {"verb": "insert"}), []) == {"protected-write"}
}

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
	some reason in reasons
	startswith(reason.hint, "Choose the rows by other columns, such as the primary key. Where a trigger")
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

# Columns of a statement, each of which an output shows beside the next one; what is replaced of them.
chained(uses) := {column.column | some column in columns} if {
	names := ["a", "b", "c", "d"]
	outputs := [object.union(samples.output("verbatim", source), {"sources": [source, samples.column(names[at + 1], ["pii"], [])]}) |
		some at, name in ["a", "b"]
		source := samples.column(name, ["pii"], [])
	]
	fields := {
		"columns": [samples.column(name, ["pii"], array.concat(["output"], object.get(uses, name, []))) | some name in names],
		"outputs": array.concat(outputs, [samples.output("direct", samples.column("d", ["pii"], []))]),
	}
	columns := substituted(object.union(selected, fields), [])
}

test_what_is_shown_beside_what_is_substituted_is_too if {
	chained({}) == set()
	chained({"a": ["filter"]}) == {"a", "b", "c"}
	chained({"c": ["filter"]}) == {"a", "b", "c"}
	chained({"d": ["filter"]}) == {"d"}
}

test_what_the_gate_masked_is_for_everybody if {
	column := samples.column("email", ["masked"], ["output", "filter", "write_source"])
	fields := {
		"columns": [column],
		"outputs": [samples.output("expression", column)],
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

# Masked as a whole.
masked_outputs(fields, groups) := masks if {
	masks := derived.mask with input as samples.command([samples.statement(fields)], groups, [])
		with data.grants as grants
		with data.masks as specs
}

whole(uses) := samples.column("salary", ["whole"], uses)

test_what_cannot_fail_is_masked_as_a_whole[derivation] if {
	some derivation in ["expression", "aggregate"]
	fields := {
		"columns": [id, whole(["output", "computed"])],
		"outputs": [samples.output("direct", id), samples.output(derivation, whole([]))],
	}
	blocked(fields, []) == set()
	substituted(fields, []) == set()
	masked_outputs(fields, []) == {{"statement": 0, "output": 1, "mask": "null", "code": "tag-whole"}}
}

test_what_may_fail_or_is_used_otherwise_is_refused[use] if {
	some use in ["expression", "filter", "join", "sort", "group", "distinct", "window", "limit", "lookup", "something new"]
	fields := {"columns": [whole(["output", "computed", use])], "outputs": [samples.output("expression", whole([]))]}
	blocked(fields, []) == {"protected-derived", "protected-use"}
}

test_whether_it_is_there_may_be_told if {
	fields := {"columns": [whole(["output", "nullness"])], "outputs": [samples.output("aggregate", whole([]))]}
	blocked(fields, []) == set()
	masked_outputs(fields, []) == set()
	blocked({"columns": [whole(["nullness"])]}, []) == set()
}

test_it_is_told_of_the_stored_values if {
	asked := masked(["output", "nullness"])
	fields := object.union(selected, {"columns": [asked], "outputs": [samples.output("aggregate", asked)]})
	blocked(fields, []) == set()
	substituted(fields, []) == set()
	masked_outputs(fields, []) == set()
	beside := object.union(fields, {"columns": [asked, samples.column("phone", ["pii"], ["filter"])]})
	{one.column | some one in substituted(beside, [])} == {"email", "phone"}
}

test_whether_a_computed_column_is_null_is_not_told[note] if {
	some note, changed in {"only read": [], "changed": [samples.relation("customers", ["update", "select"], [])]}
	every tag in ["whole", "pii"] {
		asked := samples.column("x", ["computed", tag], ["output", "nullness"])
		fields := {"columns": [asked], "outputs": [samples.output("aggregate", asked)], "relations": changed}
		count(blocked(fields, []) | substituted(fields, [])) > 0
	}
}

test_beside_what_is_computed_that_is_masked_too if {
	fields := {
		"columns": [whole(["output", "nullness", "computed"])],
		"outputs": [samples.output("aggregate", whole([])), samples.output("expression", whole([]))],
	}
	{mask.output | some mask in masked_outputs(fields, [])} == {0, 1}
}

test_a_source_whose_uses_are_not_known_is_refused if {
	blocked({"outputs": [samples.output("expression", whole([]))]}, []) == {"protected-derived"}
	blocked({"columns": [whole([])], "outputs": [samples.output("expression", whole([]))]}, []) == {"protected-derived"}
}

test_where_the_tag_says_refuse_it_is if {
	fields := {"columns": [email(["output", "computed"])], "outputs": [samples.output("expression", email([]))]}
	blocked(fields, []) == {"protected-derived", "protected-use"}
	blocked({"columns": [email(["nullness"])]}, []) == {"protected-use"}
}

test_of_what_changes_the_same_holds_as_it_cannot_be_substituted if {
	changed := [samples.relation("customers", ["update", "select"], [])]
	fields := {
		"columns": [masked(["output", "computed"])],
		"outputs": [samples.output("expression", masked([]))],
		"relations": changed,
	}
	blocked(fields, []) == set()
	{mask.mask | some mask in masked_outputs(fields, [])} == {"null"}
	blocked({"columns": [masked(["nullness"])], "relations": changed}, []) == set()
	blocked({"columns": [samples.column("x", ["nulled"], ["nullness"])], "relations": changed}, []) == {"protected-use"}
}

test_one_of_several_columns_is_computed_unless_all_are_protected[note] if {
	some note, [other, codes] in {
		"a column that anybody may write": [id, {"protected-derived"}],
		"another that is protected": [samples.column("phone", ["strict"], []), set()],
	}
	either := object.union(samples.output("verbatim", email([])), {"sources": [email([]), other]})
	blocked({"outputs": [either]}, []) == codes
}

keyed(fields, scopes) := {reason.code | some reason in reasons} if {
	statement := object.union(
		samples.statement({
			"verb": "create_index",
			"class": "ddl",
			"relations": [samples.relation("customers", ["ddl"], ["pii"])],
			"columns": [masked(["distinct"])],
		}),
		fields,
	)
	reasons := derived.block with input as samples.command([statement], [], scopes)
		with data.grants as grants
		with data.masks as specs
		with data.rights.constraints as {"groups": [], "scopes": ["constraints"]}
}

test_a_unique_key_over_it_needs_a_right_of_its_own if {
	keyed({}, []) == {"protected-use"}
	keyed({}, ["ddl"]) == {"protected-use"}
	keyed({}, ["constraints"]) == set()
	keyed({"columns": [email(["distinct"])]}, ["constraints"]) == set()
}

test_that_right_is_for_nothing_else[note] if {
	some note, fields in {
		"a predicate": {"columns": [masked(["distinct", "filter"])]},
		"an expression": {"columns": [masked(["distinct", "expression"])]},
		"a query": {"class": "read", "verb": "select"},
		"a copy": {"verb": "create_table_as"},
	}
	keyed(fields, ["constraints"]) == {"protected-use"}
}

# Looked up.
looked_up(uses, probes) := {reason.code | some reason in reasons} if {
	column := samples.column("email", ["asked"], uses)
	tried := object.union(object.remove(column, ["tags", "uses"]), {"statement": 0, "probes": probes})
	fields := object.union(selected, {"columns": [column]})
	reasons := derived.block | derived.substitute with input as samples.command([samples.statement(fields)], [], [])
		with input.session.inference as [tried]
		with data.masks as specs
}

test_a_lookup_within_the_budget_is_on_the_real_values if looked_up(["output", "lookup"], 5) == set()

test_a_lookup_beyond_the_budget_is_refused if looked_up(["output", "lookup"], 6) == {"lookup-budget"}

test_with_another_use_it_is_substituted if looked_up(["output", "lookup", "sort"], 1) == {"tag-asked"}
