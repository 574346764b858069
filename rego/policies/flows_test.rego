package policies.flows_test

import data.lib.samples_test as samples
import data.policies.flows

grants := {"pii": ["privacy"], "strict": ["privacy"], "secret": ["dba"]}

specs := {
	"pii": {"mask": "partial", "keep_last": 2},
	"strict": {"mask": "redact", "on_derived": "refuse"},
	"hashed": {"mask": "hash"},
	"even": {"mask": "hash", "writes": "allow"},
	"open": {"mask": "redact", "writes": "allow"},
	"closed": {"mask": "redact", "writes": "refuse"},
	"nulled": {"mask": "null"},
	"whole": {"mask": "null", "on_derived": "mask"},
}

email(uses) := samples.column("email", ["strict"], uses)

masked(uses) := samples.column("email", ["pii"], uses)

id := samples.column("id", [], ["output"])

blocked(fields, groups) := {reason.code | some reason in reasons} if {
	reasons := flows.block with input as samples.command([samples.statement(fields)], groups, [])
		with data.grants as grants
		with data.masks as specs
}

substituted(fields, groups) := columns if {
	columns := flows.substitute with input as samples.command([samples.statement(fields)], groups, [])
		with data.grants as grants
		with data.masks as specs
}

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
	reasons := flows.block with input as samples.command([samples.statement({"writes": [flow(target, [email([])], false)]})], [], [])
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

test_it_may_be_copied_out[note] if {
	some note, fields in {
		"table": {"columns": [email(["output"])]},
		"query": {"outputs": [samples.output("direct", email([]))]},
	}
	blocked(object.union({"verb": "copy"}, fields), []) == set()
	blocked(object.union({"verb": "copy", "writes": [flow("file", [email([])], false)]}, fields), []) == {"protected-write"}
}

test_copying_in_is_allowed if blocked({"verb": "copy", "class": "write", "columns": [email(["write_target"])]}, []) == set()

selected := {"relations": [samples.relation("customers", ["select"], ["pii"])]}

one := {{"statement": 0, "schema": "public", "table": "customers", "column": "email", "mask": "partial", "keep_last": 2, "code": "tag-pii"}}

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

test_a_copy_into_a_file_is_substituted if {
	fields := {"verb": "copy", "columns": [masked(["output"])], "writes": [flow("file", [masked([])], false)]}
	substituted(object.union(selected, fields), []) == one
	substituted(object.union(selected, object.remove(fields, ["writes"])), []) == set()
}

test_a_masked_value_may_be_written[note] if {
	some note, target in {
		"to a column that is not protected": [],
		"to a column for which whoever asks is cleared": ["pii"],
	}
	blocked(writing_masked(target, "column"), ["privacy"]) == set()
}

test_a_masked_value_may_be_written_elsewhere[target] if {
	some target in ["definition", "setting", "notification", "file"]
	blocked(writing_masked([], target), []) == set()
	substituted(writing_masked([], target), []) == set()
}

test_a_masked_value_may_not_be_written_over_a_protected_one if {
	reasons := flows.block with input as samples.command([samples.statement(writing_masked(["pii"], "column"))], [], [])
		with data.masks as specs
	{[reason.code, reason.message] | some reason in reasons} == {[
		"masked-write",
		"A masked value may not be written over a protected one: public.notes.text",
	]}
}

writing_masked(tags, target) := {
	"columns": [{"schema": "public", "table": "notes", "column": "text", "tags": tags, "uses": ["write_target"]}],
	"writes": [flow(target, [samples.column("email", ["masked"], [])], false)],
}

test_what_must_be_unique_may_not_be_written_by_default[note] if {
	some note, [tags, uses, codes] in {
		"not unique": [["pii"], ["write_target"], set()],
		"unique": [["pii"], ["write_target", "unique"], {"protected-target"}],
		"unique behind a view": [["pii"], ["unique"], {"protected-target"}],
		"allowed": [["open"], ["write_target", "unique"], set()],
		"refused": [["closed"], ["write_target"], {"protected-target"}],
		"allowed by one of two": [["open", "pii"], ["write_target", "unique"], {"protected-target"}],
		"refused by one of two": [["open", "closed"], ["write_target"], {"protected-target"}],
	}
	blocked({"columns": [samples.column("x", tags, uses)]}, []) == codes
}

test_by_default_what_keeps_equal_values_equal_may_not_be_written[note] if {
	some note, [tags, uses, codes] in {
		"hashed": [["hashed"], ["write_target"], {"protected-target"}],
		"not written": [["hashed"], ["output"], set()],
		"allowed": [["even"], ["write_target", "unique"], set()],
		"allowed by one of two": [["even", "hashed"], ["write_target"], {"protected-target"}],
	}
	blocked({"columns": [samples.column("x", tags, uses)]}, []) == codes
}

test_whoever_is_cleared_may_write_it if {
	blocked({"columns": [samples.column("x", ["pii"], ["write_target", "unique"])]}, ["privacy"]) == set()
}
